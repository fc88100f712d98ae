"""`dlreg init`: a config that fits the table and trains as it is."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.commands.check import check
from dlreg.commands.init import init
from dlreg.config.reading import load_config
from dlreg.errors import DataError, UsageError
from dlreg.table.dataset import load_dataset

N = 80
Y = np.round(np.random.default_rng(12).normal(1500, 400, N), 2)
X = np.round(Y / 3 + np.random.default_rng(13).normal(0, 100, N), 2)


def german(values):
    """1234.5 as 1.234,50."""
    return [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in values]


def drafted(csv, target, output=None):
    """The config drafted for a table, as the loader reads it, and its text."""
    output = output or csv.with_suffix(".yaml")
    text, _ = init(str(csv), target, output)
    output.write_text(text, encoding="utf-8")
    report = check(output)
    assert report.exit_code == 0, report.faults
    return load_config(output), text


def columns_of(config):
    return {column.name: column.kind for column in load_dataset(config).columns}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_encoding_and_delimiter_are_found(tmp_path, encoding, delimiter):
    names = {"cp949": ("거리 이름", "서울"), "cp1252": ("Straße", "Köln")}
    name, level = names.get(encoding, ("거리", "Köln"))
    table = pd.DataFrame({name: X, "city": [level, "a, b; c"] * (N // 2), "y": Y})
    table.to_csv(tmp_path / "t.csv", index=False, sep=delimiter, encoding=encoding)
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert config.data.delimiter == delimiter
    assert config.data.encoding == encoding.removesuffix("-sig")
    assert columns_of(config) == {name: "number", "city": "category"}


@pytest.mark.parametrize(
    ("write", "delimiter", "decimal", "thousands"),
    [
        (lambda values: [f"{value}" for value in values], ",", ".", None),
        (lambda values: [f"{value}".replace(".", ",") for value in values], ";", ",", None),
        (lambda values: [f"{value:,.2f}" for value in values], ",", ".", ","),
        (lambda values: [f"{value:,.2f}" for value in values], ";", ".", ","),
        (german, ";", ",", "."),
        (lambda values: [text.replace(".", " ") for text in german(values)], ";", ",", " "),
        (lambda values: [f"{value:,.2f}".replace(",", "'") for value in values], ",", ".", "'"),
        (lambda values: [f"{round(value)}" for value in values], ";", ".", None),
        (lambda values: [f"{value:.2e}" for value in values], ",", ".", None),
    ],
    ids=["plain", "comma", "1,234.5", "1,234.5;", "1.234,5", "1 234,5", "1'234.5", "whole", "1e3"],
)
def test_number_marks_are_found_and_numbers_read_right(tmp_path, write, delimiter, decimal, thousands):
    pd.DataFrame({"x": write(X), "y": write(Y)}).to_csv(tmp_path / "t.csv", index=False, sep=delimiter)
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert (config.data.decimal, config.data.thousands) == (decimal, thousands)
    parts = load_dataset(config).parts.values()
    assert sum(part.cells["x"].sum() for part in parts) == pytest.approx(X.sum(), rel=1e-2)


def test_columns_are_typed_left_out_with_a_reason_or_dated(tmp_path):
    moments = pd.date_range("2023-01-01", periods=N, freq="37h")
    table = pd.DataFrame(
        {
            "": range(N),
            "id": range(100, N + 100),
            "name": [f"n{number}" for number in range(N)],
            "x": [value if number % 9 else "?" for number, value in enumerate(X)],
            "share": [f"{number}%" for number in range(N)],
            "iso": moments.strftime("%Y-%m-%d %H:%M"),
            "day": moments.strftime("%d/%m/%Y"),
            "either": [f"{1 + n % 12:02}/{1 + n % 11:02}/2023" for n in range(N)],
            "grade": np.random.default_rng(14).integers(1, 5, N),
            "flag": np.random.default_rng(15).choice(["Yes", "No"], N),
            "code": [f"{number % 30:03}" for number in range(N)],
            "gaps": [value if number % 8 else "" for number, value in enumerate(X)],
            "constant": 3,
            "empty": None,
            "again": Y * 2 + 1,
            "y": Y,
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    config, text = drafted(tmp_path / "t.csv", "y")
    assert set(config.data.exclude) == {"Unnamed: 0", "id", "name", "share", "constant", "empty", "again"}
    assert config.data.dates == {"day": "%d/%m/%Y", "either": "%d/%m/%Y"}
    assert config.data.missing_values == ("?",)
    assert columns_of(config) == {
        "x": "number", "iso": "date", "day": "date", "either": "date", "grade": "number", "flag": "boolean",
        "code": "number", "gaps": "number",
    }  # fmt: skip
    comments = {
        line.split("#")[0].strip(" -"): line.split("#")[1].strip()
        for line in text.splitlines()
        if " # " in line
    }
    assert comments["id"] == "numbers the rows, like an id"
    assert comments["again"] == "follows the target exactly"
    assert comments["either: date"].endswith("or %m/%d/%Y?")
    assert comments["grade: number"] == "1 to 4; a category if these are codes"
    assert comments["code: number"].endswith("leading zeros, as codes have them: a category?")
    assert comments["gaps: number"].endswith("; 10 missing")
    assert "has no name" in comments["'Unnamed: 0'"]
    assert all(len(line) <= 100 for line in text.splitlines() if line.startswith(("# - ", "#   the")))


def test_dates_of_other_habits_are_used(tmp_path):
    this_year = datetime.now(UTC).year
    moments = pd.date_range("2023-01-01 00:30", periods=N, freq="37h")
    offsets = np.array(["", "+0100", "+02:00", "Z"])[np.arange(N) % 4]
    table = pd.DataFrame(
        {
            "twelve": moments.strftime("%m/%d/%Y %I:%M %p"),
            "offsets": moments.strftime("%Y-%m-%d %H:%M:%S") + offsets,
            "short": [f"20-Aug-{year:02}" for year in np.arange(N) + 20],
            "past": [f"31.12.{year:02}" for year in np.arange(N) % 10 + 80],
            "weekday": moments.strftime("%A, %d %B %Y"),
            "clock": moments.strftime("%H:%M:%S"),
            "y": Y,
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert config.data.time_zone == "UTC"
    assert {name: (entry.format, entry.latest) for name, entry in config.data.date_columns.items()} == {
        "twelve": ("%m/%d/%Y %I:%M %p", None),
        "short": ("%d-%b-%y", this_year),
        "past": ("%d.%m.%y", None),
        "weekday": ("%A, %d %B %Y", None),
        "clock": ("%H:%M:%S", None),
    }
    assert columns_of(config) == dict.fromkeys(table.columns[:-1], "date")
    _, warnings = init(str(tmp_path / "t.csv"), "y", tmp_path / "t.yaml")
    assert f"'short' are read as {this_year - 99} to {this_year}" in warnings[0]
    assert "'offsets' has dates of several offsets" in warnings[1]


def test_one_offset_needs_no_zone(tmp_path):
    moments = pd.date_range("2023-01-01 00:30", periods=N, freq="37h")
    pd.DataFrame({"t": moments.strftime("%Y-%m-%dT%H:%M:%S+09:00"), "y": Y}).to_csv(
        tmp_path / "t.csv", index=False
    )
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert config.data.time_zone is None


def test_dots_in_dates_are_not_taken_for_thousands(tmp_path):
    days = pd.date_range("2023-01-01", periods=N).strftime("%d.%m.%Y")
    pd.DataFrame({"day": days, "x": german(X), "y": german(Y)}).to_csv(
        tmp_path / "t.csv", index=False, sep=";"
    )
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert columns_of(config) == {"day": "date", "x": "number"}
    assert config.data.dates == {"day": "%d.%m.%Y"}


NASTY = [
    "yes", "null", "012", "1e3", "~", "a: b", "- c", "#d", "e # f", "'\"", "{g}", "[h]", "*i", "&j", "!k", "%l",
    "line\nbreak", "tab\there", "가격 (원)", "😀", " blanks ", "x" * 300, "back\\slash", "?", "? q", "<<", "=", "@",
    "\x1b[31m", "c:", "--help", "a\u2028b", "true", "2020-01-01",
]  # fmt: skip


def test_any_name_is_quoted_so_that_it_is_read_back(tmp_path):
    generator = np.random.default_rng(16)
    columns = {name: generator.normal(size=N) for name in NASTY}
    pd.DataFrame({**columns, "y: 'z'": Y}).to_csv(tmp_path / "t.csv", index=False)
    config, text = drafted(tmp_path / "t.csv", "y: 'z'")
    assert list(columns_of(config)) == NASTY
    assert set(config.data.types) == set(NASTY)
    assert all(line.isprintable() for line in text.splitlines())


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
        min_size=2,
        max_size=4,
        unique=True,
    )
)
@settings(max_examples=40, deadline=None)
def test_drafts_load_whatever_the_columns_are_called(tmp_path_factory, names):
    csv = tmp_path_factory.getbasetemp() / "names.csv"
    *names, target = names
    generator = np.random.default_rng(17)
    pd.DataFrame({**{name: generator.permutation(X) for name in names}, target: Y}).to_csv(csv, index=False)
    try:
        text, _ = init(str(csv), target, csv.with_suffix(".yaml"))
    except DataError as error:
        # Headers the reader refuses: blank names, numbers alone, carriage returns.
        assert "traceback" not in str(error).lower()
        return
    csv.with_suffix(".yaml").write_text(text, encoding="utf-8", newline="")
    assert load_config(csv.with_suffix(".yaml")).data.target == target


def test_the_path_starts_from_the_folder_of_the_config(tmp_path, cli):
    for folder in ("data", "configs"):
        (tmp_path / folder).mkdir()
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "data" / "t.csv", index=False)
    done = cli("init", "data/t.csv", "--target", "y", "-o", "configs/t.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "configs/t.yaml\n", "")
    text = (tmp_path / "configs" / "t.yaml").read_text()
    assert "  path: ../data/t.csv " in text
    assert "#   dlreg train configs/t.yaml" in text
    assert cli("check", "configs/t.yaml", cwd=tmp_path / "data").returncode == 3
    assert cli("check", "../configs/t.yaml", cwd=tmp_path / "data").returncode == 0
    done = cli("init", "../data/t.csv", "--target", "y", cwd=tmp_path / "configs")
    assert "  path: ../data/t.csv " in done.stdout


def test_an_existing_config_is_replaced_in_one_step(tmp_path, cli):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.yaml").write_text("old")
    before = (tmp_path / "t.yaml").stat().st_ino
    assert cli("init", "t.csv", "--target", "y", "-o", "t.yaml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "t.yaml").stat().st_ino != before
    assert {entry.name for entry in tmp_path.iterdir()} == {"t.csv", "t.yaml"}
    assert cli("init", "t.csv", "--target", "Y", "-o", "t.yaml", cwd=tmp_path).returncode == 4
    assert "target: y" in (tmp_path / "t.yaml").read_text()


def test_the_drafted_config_trains(tmp_path, cli):
    table = pd.DataFrame(
        {"day": pd.date_range("2023-01-01", periods=N).strftime("%d/%m/%Y"), "x": german(X), "y": german(Y)}
    )
    table.to_csv(tmp_path / "t.csv", index=False, sep=";", encoding="utf-16")
    assert cli("init", "t.csv", "--target", "y", "-o", "t.yaml", cwd=tmp_path).returncode == 0
    done = cli("train", "t.yaml", "--set", "training.epochs=1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["features"] == 6


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("name", "content", "target", "code", "fragment"),
    [
        ("absent.csv", None, "y", 4, "no such file"),
        ("http://x.org/t.csv", None, "y", 4, "URL"),
        (".", None, "y", 4, "a directory"),
        ("t.csv", b"a,Y\n1,2\n3,4\n", "y", 4, "Did you mean 'Y'?"),
        ("t.csv", b"a,y\n1,2\n3,4\n", "target", 4, "The columns are 'a', 'y'"),
        ("t.csv", b"", "y", 4, "no rows"),
        ("t.csv", b"a,y\n", "y", 4, "no rows"),
        ("t.csv", b"y\n1\n2\n3\n4\n5\n6\n", "y", 4, "no column is left"),
        ("t.csv", b"a,y\n" + b"1,3\n2,3\n" * 9, "y", 4, "'y' is 3"),
        ("t.csv", b"a,y\n" + b"1,p\n2,q\n" * 9, "y", 4, "column 'y'"),
        ("t.csv", b"PK\x03\x04\xff\xfe\x00", "y", 4, "Excel"),
        ("t.csv", b"a,y\n1,2,3\n4,5\n", "y", 4, "expected 2 cells"),
        ("t.csv", b"a,y\n1,\x00\n", "y", 4, "NUL"),
        ("t.csv", b"1,2\n3,4\n5,6\n", "1", 4, "only numbers"),
        ("t.csv", b"a,a,y\n3,4,5\n", "y", 4, "two columns are named"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)  # fmt: skip
def test_what_cannot_be_learnt_is_a_data_error(tmp_path, cli, name, content, target, code, fragment):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    before = {entry.name for entry in tmp_path.iterdir()}
    done = cli("init", name, "--target", target, "-o", "t.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert fragment in done.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == before


def test_the_table_itself_is_not_replaced(tmp_path):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "link.csv").symlink_to("t.csv")
    for output in ("t.csv", "link.csv"):
        with pytest.raises(UsageError, match="is the CSV itself"):
            init(str(tmp_path / "t.csv"), "y", tmp_path / output)


@pytest.mark.parametrize("output", ["absent/t.yaml", "folder"])
def test_a_config_that_cannot_be_written_is_a_storage_error(tmp_path, cli, output):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "folder").mkdir()
    done = cli("init", "t.csv", "--target", "y", "-o", output, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (6, ""), done.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == {"t.csv", "folder"}
