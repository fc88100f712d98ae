"""`dlreg init`: a config that fits the table and trains as it is."""

import json
from datetime import UTC, datetime
from pathlib import Path

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
        "code": "category", "gaps": "number",
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
    assert comments["code: category"].startswith("30 levels: 000, 001, 002")
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


def notes_of(folder, table, target="y", sep=","):
    """What `init` says of a table, and the config it drafts."""
    csv = folder / "t.csv"
    table.to_csv(csv, index=False, sep=sep)
    text, notes = init(str(csv), target, csv.with_suffix(".yaml"))
    csv.with_suffix(".yaml").write_text(text, encoding="utf-8")
    report = check(csv.with_suffix(".yaml"))
    assert report.exit_code == 0, report.faults
    return load_config(csv.with_suffix(".yaml")), notes


def among(values, *words, every=20):
    """Numbers as text, a word in place of each so many."""
    return [
        words[row // every % len(words)] if row % every == 3 else f"{value}"
        for row, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("#DIV/0!", "#REF!"), ("-",), ("n/a*", "k. A."), ("<5",), (">100", "<1"), ("5 (est.)",), ("?", "unknown"),
        ("결측",), ("不明", "—"), ("broken", "no signal", "off"), ("inf",), ("1e400",), ("#WERT!",), ("1,2,3",),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("as_target", [False, True], ids=["feature", "target"])
def test_words_among_numbers_cost_their_cells_and_not_their_column(tmp_path, words, as_target):
    values = np.round(Y if as_target else X, 1)
    table = pd.DataFrame({"x" if as_target else "y": X if as_target else Y, "score": among(values, *words)})
    config, notes = notes_of(tmp_path, table, "score" if as_target else "y")
    assert set(config.data.missing_values) == set(words)
    counts = [f"{word!r} ({number} cell{'s' if number > 1 else ''})" for word, number in (
        (word, sum(cell == word for cell in table["score"])) for word in words)]  # fmt: skip
    (note,) = [note for note in notes if note.startswith("missing: score: ")]
    assert all(count in note for count in counts)
    dataset = load_dataset(config)
    if as_target:
        assert sum(part.rows.size for part in dataset.parts.values()) == N - N // 20
        assert "rows without a target are left out" in note
    else:
        cells = np.concatenate([part.cells["score"][:, 0] for part in dataset.parts.values()])
        assert np.isnan(cells).sum() == N // 20
        assert np.nanmax(cells) == max(value for row, value in enumerate(values) if row % 20 != 3)


def test_too_many_words_leave_a_column_out_with_the_cells_seen(tmp_path):
    remarks = [f"remark {row}" if row % 5 < 2 else f"{value}" for row, value in enumerate(np.tile(X, 2))]
    below = [f"<{value}" if row % 5 < 2 else f"{value}" for row, value in enumerate(np.tile(X, 2))]
    table = pd.DataFrame({"remarks": remarks, "below": below, "x": np.tile(X, 2), "y": np.tile(Y, 2)})
    config, notes = notes_of(tmp_path, table)
    assert config.data.exclude == ("remarks", "below")
    assert config.data.missing_values == ()
    assert "left out: remarks: 64 of 160 cells are no numbers of one unit; cells 'remark 0'" in "\n".join(
        notes
    )
    assert any(note.startswith("left out: below: 64 of 160 cells are no numbers") for note in notes)


def test_every_column_left_out_has_a_line_with_its_reason_and_cells(tmp_path):
    names = [f"name {row}" for row in range(N)]
    table = pd.DataFrame({"": range(N), "name": names, "one": "same", "none": None, "x": X, "y": Y})
    _, notes = notes_of(tmp_path, table)
    assert [note for note in notes if note.startswith("left out: ")] == [
        "left out: Unnamed: 0: has no name, like an index that was exported; cells '0', '1', '2'",
        "left out: name: has 80 different texts in 80 rows, too many levels for a category; "
        "cells 'name 0', 'name 1', 'name 2'",
        "left out: one: has one value in every row; cells 'same'",
        "left out: none: has no value",
    ]


def test_a_word_that_is_a_level_elsewhere_is_not_made_missing_there(tmp_path):
    sex = np.resize(["M", "F"], N)
    table = pd.DataFrame({"dose": among(X, "M"), "sex": sex, "y": Y})
    config, notes = notes_of(tmp_path, table)
    assert config.data.missing_values == ()
    assert config.data.exclude == ("dose",)
    assert "'M' stands among its numbers and is a level of column 'sex', too" in notes[0]
    assert columns_of(config) == {"sex": "category"}


def test_a_number_with_another_mark_is_not_made_missing_everywhere(tmp_path):
    # pandas takes 1_000 in a list of missing values for every 1000.
    table = pd.DataFrame({"a": among(X, "1_000"), "b": np.resize([1000, 2000, 3000], N), "y": Y})
    config, notes = notes_of(tmp_path, table.assign(c=[f"{value:,.2f}" for value in X * 7]))
    assert config.data.missing_values == ()
    assert notes[0].startswith("left out: a: '1_000' stands among its numbers and may be read as 1000")


@pytest.mark.parametrize(
    "cells",
    [("1", "2", "3", "crew"), ("0", "1", "2", "3+"), ("1", "2", "<3"), ("2", "4", "5 or more")],
    ids=str,
)
def test_few_whole_numbers_and_a_level_are_a_category(tmp_path, cells):
    config, notes = notes_of(tmp_path, pd.DataFrame({"x": np.resize(cells, N), "y": Y}))
    assert columns_of(config) == {"x": "category"}
    assert config.data.missing_values == ()
    assert set(load_dataset(config).parts["train"].cells["x"][:, 0]) == set(cells)
    assert not [note for note in notes if note.startswith(("left out", "missing"))]


def test_few_whole_numbers_and_a_word_for_missing_are_numbers(tmp_path):
    config, _ = notes_of(tmp_path, pd.DataFrame({"x": np.resize(["1", "2", "3", "-"], N), "y": Y}))
    assert columns_of(config) == {"x": "number"}
    assert config.data.missing_values == ("-",)


@pytest.mark.parametrize(
    ("write", "unit", "marks"),
    [
        ("{:.1f}%".format, "%", (".", None)),
        ("€{:,.2f}".format, "€", (".", ",")),
        ("{:,.2f} USD".format, "USD", (".", ",")),
        (lambda value: german([value])[0] + " €", "€", (",", ".")),
        (lambda value: f"{value:,.2f} kr".replace(",", "\u202f").replace(".", ","), "kr", (",", " ")),
        (lambda value: f"CHF {value:,.2f}".replace(",", "’"), "CHF", (".", "'")),
        ("{:.1f} m²".format, "m²", (".", None)),
        ("{:,.0f}원".format, "원", (".", ",")),
        ("{:.3f} Mio. €".format, "Mio. €", (".", None)),
    ],
    ids=["percent", "euro", "code", "german", "swedish", "swiss", "area", "won", "millions"],
)
@pytest.mark.parametrize("as_target", [False, True], ids=["feature", "target"])
def test_units_are_found_and_their_numbers_read_right(tmp_path, write, unit, marks, as_target):
    name, values = ("y", Y) if as_target else ("x", X * 7)
    table = pd.DataFrame({"x": X, "y": Y}).round().astype(int)
    table = table.assign(**{name: [write(value) for value in values]})
    config, notes = notes_of(tmp_path, table)
    assert (config.data.decimal, config.data.thousands) == marks
    assert config.data.types[name] == "number"
    assert any(note.startswith(f"column {name!r} holds numbers in {unit!r}: ") for note in notes)
    parts = load_dataset(config).parts.values()
    read = sum(part.y_true.sum() if as_target else part.cells["x"].sum() for part in parts)
    assert read == pytest.approx(values.sum(), rel=1e-2)


def test_negatives_as_in_accounts_are_read(tmp_path):
    values = X - X.mean()
    cells = [f"({-value:.2f})" if value < 0 else f"{value:.2f}" for value in values]
    config, notes = notes_of(tmp_path, pd.DataFrame({"x": cells, "y": Y}))
    assert any("negative as in accounts" in note for note in notes)
    parts = load_dataset(config).parts.values()
    assert sum(part.cells["x"].sum() for part in parts) == pytest.approx(values.sum(), abs=1)


def test_a_remark_behind_some_numbers_is_no_unit(tmp_path):
    config, _ = notes_of(tmp_path, pd.DataFrame({"x": among(X, "5 est"), "y": Y}))
    assert config.data.missing_values == ("5 est",)


def test_a_column_of_two_units_is_left_out(tmp_path):
    cells = [f"${value}" if row % 2 else f"€{value}" for row, value in enumerate(X)]
    config, notes = notes_of(tmp_path, pd.DataFrame({"price": cells, "x": X, "y": Y}))
    assert config.data.exclude == ("price",)
    assert notes[0].startswith("left out: price: ")


@pytest.mark.parametrize(
    ("ticked", "kind"), [("x", "category"), ("1", "category"), ("yes", "boolean"), ("✓", "category")]
)
def test_a_checkbox_is_a_category_of_two_levels(tmp_path, ticked, kind):
    table = pd.DataFrame({"sea view": np.where(np.arange(N) % 3 == 0, ticked, ""), "x": X, "y": Y})
    config, notes = notes_of(tmp_path, table)
    assert columns_of(config)["sea view"] == kind
    assert len(set(load_dataset(config).parts["train"].cells["sea view"][:, 0])) == 2
    assert not [note for note in notes if note.startswith("left out")]


def test_codes_with_leading_zeros_keep_them_and_it_is_said(tmp_path):
    table = pd.DataFrame({"zip": np.resize(["07030", "10001", "60601"], N), "x": X, "y": Y})
    config, notes = notes_of(tmp_path, table)
    assert config.data.types["zip"] == "category"
    assert set(load_dataset(config).parts["train"].cells["zip"][:, 0]) == {"07030", "10001", "60601"}
    assert "column 'zip' is a category: in a number '07030' would lose its zeros" in notes


def test_a_code_per_row_stays_a_number_and_it_is_said(tmp_path):
    codes = np.random.default_rng(18).permutation(10**5)[:N]
    config, notes = notes_of(
        tmp_path, pd.DataFrame({"zip": [f"{code:06}" for code in codes], "x": X, "y": Y})
    )
    assert config.data.types["zip"] == "number"
    assert any("'zip' stays a number without its leading zeros" in note for note in notes)


@pytest.mark.parametrize("sep", [",", "\t"])
def test_three_digits_after_every_comma_are_thousands_and_it_is_said(tmp_path, sep):
    lots = np.random.default_rng(19).integers(1000, 999_999, N)
    config, notes = notes_of(
        tmp_path, pd.DataFrame({"lot": [f"{lot:,}" for lot in lots], "x": X, "y": Y}), sep=sep
    )
    assert (config.data.decimal, config.data.thousands) == (".", ",")
    assert any(f"column 'lot' reads '{lots[0]:,}' as {lots[0]}" in note for note in notes)
    assert {x for part in load_dataset(config).parts.values() for x in part.cells["lot"][:, 0]} == set(lots)


def test_decimal_commas_in_quotes_are_found(tmp_path):
    cells = [f"{value:.1f}".replace(".", ",") for value in X]
    config, _ = notes_of(
        tmp_path, pd.DataFrame({"x": cells, "n": np.resize([1, 2, 3], N), "y": Y.astype(int)})
    )
    assert (config.data.delimiter, config.data.decimal) == (",", ",")
    assert columns_of(config) == {"x": "number", "n": "number"}


def days(step):
    return pd.date_range("2023-01-01", periods=N)[::step].strftime("%d.%m.%Y")


@pytest.mark.parametrize("step", [1, -1], ids=["rising", "falling"])
def test_rows_in_the_order_of_time_are_split_by_it(tmp_path, step):
    config, notes = notes_of(tmp_path, pd.DataFrame({"day": days(step), "x": X, "y": Y}))
    assert (config.data.split, config.data.split_by) == ("time", "day")
    assert any(note.startswith("split: time: the rows are in the order of column 'day'") for note in notes)
    assert not any("split at random" in note for note in notes)
    test_rows = load_dataset(config).parts["test"].rows
    assert (test_rows.min() == N - len(test_rows)) if step == 1 else (test_rows.max() == len(test_rows) - 1)


def test_rows_in_the_order_of_time_with_gaps_are_split_in_order(tmp_path):
    config, notes = notes_of(tmp_path, pd.DataFrame({"day": [*days(1)[:-5], *[""] * 5], "x": X, "y": Y}))
    assert (config.data.split, config.data.split_by) == ("ordered", None)
    assert any(note.startswith("split: ordered") for note in notes)


def test_rows_in_no_order_are_split_at_random(tmp_path):
    shuffled = np.random.default_rng(20).permutation(days(1))
    config, notes = notes_of(tmp_path, pd.DataFrame({"day": shuffled, "x": X, "y": Y}))
    assert config.data.split == "random"
    assert not any(note.startswith("split") for note in notes)


def test_two_moments_of_all_rows_cannot_split_them(tmp_path):
    early = [f"0{1 + (row >= 2)}.01.2023" for row in range(N)]
    config, _ = notes_of(tmp_path, pd.DataFrame({"day": early, "x": X, "y": Y}))
    assert config.data.split == "random"


def test_marks_that_only_later_rows_show_are_found(tmp_path):
    small = np.round(np.random.default_rng(21).uniform(1, 900, 3000), 2)
    late = [
        f"{value:,.2f}" for value in [*small, *np.round(np.random.default_rng(22).uniform(1000, 9000, 99), 2)]
    ]
    table = pd.DataFrame({"x": late, "y": np.arange(3099) % 17})
    # The first block, from which a sample is taken, ends before the later rows.
    csv = tmp_path / "t.csv"
    table.to_csv(csv, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlreg.table.csv_scan.BLOCK_BYTES", 20_000)
        text, _ = init(str(csv), "y", tmp_path / "t.yaml")
    assert "thousands: ','" in text
    assert "x: number" in text


def test_words_that_only_later_rows_show_are_found(tmp_path):
    cells = [*(f"{value}" for value in np.resize(X, 5000)), "#N/V", "#REF!"]
    config, notes = notes_of(tmp_path, pd.DataFrame({"x": cells, "y": np.arange(5002) % 17}))
    assert config.data.missing_values == ("#N/V", "#REF!")
    assert notes[0] == "missing: x: '#N/V' (1 cell), '#REF!' (1 cell) among numbers"


def test_single_blanks_are_found_as_delimiter(tmp_path):
    config, _ = notes_of(
        tmp_path, pd.DataFrame({"x": X, "town": np.resize(["Oak", "Elm"], N), "y": Y}), sep=" "
    )
    assert config.data.delimiter == " "
    assert columns_of(config) == {"x": "number", "town": "category"}


def test_blanks_inside_of_cells_are_no_delimiter(tmp_path):
    config, _ = notes_of(tmp_path, pd.DataFrame({"a b c": np.resize(["p q r"], N), "x y z": X, "y": Y}))
    assert config.data.delimiter == ","


@pytest.mark.parametrize(("given", "delimiter"), [(":", ":"), ("\\t", "\t"), ("tab", "\t"), ("^", "^")])
def test_the_delimiter_can_be_given(tmp_path, cli, given, delimiter):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False, sep=delimiter)
    done = cli("init", "t.csv", "--target", "y", "--delimiter", given, "-o", "t.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_config(tmp_path / "t.yaml").data.delimiter == delimiter


@pytest.mark.bad_input("usage")
@pytest.mark.parametrize("given", ["", ";;", "x", '"'])
def test_a_delimiter_that_is_none_is_a_wrong_usage(tmp_path, cli, given):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    done = cli("init", "t.csv", "--target", "y", "--delimiter", given, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--delimiter must be one character" in done.stderr


def test_the_list_of_all_keys_that_the_config_points_to_exists(tmp_path, cli):
    pd.DataFrame({"x": X, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    assert (
        "`dlreg schema --yaml` lists every key" in init(str(tmp_path / "t.csv"), "y", tmp_path / "t.yaml")[0]
    )
    done = cli("schema", "--yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (Path(__file__).parents[2] / "configs" / "full.yaml").read_text(encoding="utf-8")


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
    # A date's line and cycles, the number, and a column for each weekday.
    assert json.loads(done.stdout)["features"] == 6 + 7


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("name", "content", "target", "code", "fragment"),
    [
        ("absent.csv", None, "y", 4, "no such file"),
        ("http://x.org/t.csv", None, "y", 4, "URL"),
        (".", None, "y", 4, "the folder has no files"),
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


@pytest.mark.parametrize(("n_rows", "preset"), [(80, "fast"), (12, "standard")])
def test_the_preset_is_one_that_the_rows_are_enough_for(tmp_path, n_rows, preset):
    config, _ = notes_of(tmp_path, pd.DataFrame({"x": X, "y": Y}).head(n_rows))
    assert config.preset == preset


def test_rows_that_are_no_observations_are_left_out_and_said(tmp_path):
    table = pd.DataFrame({"area": X, "town": np.resize(["Oak", "Elm"], N), "y": Y.round(2)})
    units = pd.DataFrame({"area": ["m2"], "town": ["name"], "y": ["EUR"]})
    total = pd.DataFrame({"area": ["Gesamt"], "town": [None], "y": [table["y"].sum()]})
    config, notes = notes_of(tmp_path, pd.concat([units, table, total]))
    assert config.data.non_data_rows == "exclude"
    assert notes[0].startswith("left out: line 2: a second header")
    assert notes[1] == f"left out: line {N + 3}: 'Gesamt' in column 'area' beside empty cells"
    assert columns_of(config) == {"area": "number", "town": "category"}
    assert sum(part.rows.size for part in load_dataset(config).parts.values()) == N


@pytest.mark.parametrize(("has_zeros", "scaling"), [(False, "log"), (True, "log1p")])
def test_a_target_of_many_magnitudes_is_learnt_as_a_logarithm(tmp_path, has_zeros, scaling):
    target = np.exp(np.random.default_rng(23).normal(0, 3, N)).round(6)
    target = np.where(has_zeros & (np.arange(N) % 5 == 0), 0, target)
    config, notes = notes_of(tmp_path, pd.DataFrame({"x": X, "y": target}))
    assert config.preprocessing.target == scaling
    # The preset sees to it that no prediction overshoots.
    assert config.preprocessing.clip_predictions
    assert any(note.startswith(f"preprocessing.target: {scaling}: the target 'y' spans") for note in notes)


def test_an_ordinary_target_is_standardised(tmp_path):
    config, notes = notes_of(tmp_path, pd.DataFrame({"x": X, "y": Y}))
    assert config.preprocessing.target == "standard"
    assert not any("preprocessing.target" in note for note in notes)


def test_levels_that_repeat_a_little_may_be_declared(tmp_path):
    names = [f"client {row % 60}" for row in range(N)]
    _, notes = notes_of(tmp_path, pd.DataFrame({"client": names, "x": X, "y": Y}))
    (note,) = (note for note in notes if note.startswith("left out: client"))
    assert 'if they tell something of the target, set data.types: {"client": category}' in note
    keys = ["data.exclude=[]", 'data.types={"client": category}']
    assert columns_of(load_config(tmp_path / "t.yaml", keys))["client"] == "category"


def test_a_total_is_no_row_and_has_no_missing_cells(tmp_path):
    table = pd.DataFrame({"shop": ["north", "south"] * (N // 2), "x": X, "y": np.abs(Y) + 1})
    table.loc[N] = ["total", np.nan, table.y.sum()]
    table.to_csv(tmp_path / "t.csv", index=False)
    _, text = drafted(tmp_path / "t.csv", "y")
    assert f"t.csv: {N} rows, 3 columns" in text
    assert "missing" not in text


def test_where_nothing_is_left_to_learn_from_it_is_said_why(tmp_path):
    table = pd.DataFrame({"number": range(N), "same": "a", "y": Y})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError) as caught:
        init(str(tmp_path / "t.csv"), "y", tmp_path / "t.yaml")
    (fault,) = caught.value.faults
    assert fault.message == "no column is left to learn from"
    assert fault.hint == "Left out: number (numbers the rows, like an id); same (has one value in every row)"


@pytest.mark.parametrize(
    "titles",
    ["Report 2023\n\n", "Report 2023;;\n;;\n", "Report; of all\nfor: y\n"],
    ids=["bare", "padded", "two"],
)
def test_titles_above_the_line_that_names_the_target_are_skipped(tmp_path, titles):
    table = pd.DataFrame({"x": german(X), "shop": ["north", "south"] * (N // 2), "y": german(Y)})
    (tmp_path / "t.csv").write_text(titles + table.to_csv(index=False, sep=";"))
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert (config.data.skip_rows, config.data.delimiter, config.data.decimal) == (2, ";", ",")
    assert columns_of(config) == {"x": "number", "shop": "category"}


def test_a_header_that_names_the_target_has_no_titles_above(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)))
    config, _ = drafted(tmp_path / "t.csv", "y")
    assert config.data.skip_rows == 0
