"""`dlreg check`: every fault at once, warnings, the plan, and formats for people and machines."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from support.tables import folder_with, plain_table

from dlreg.commands import check
from dlreg.config.writing import to_yaml
from dlreg.errors import UsageError
from dlreg.preview import room

# ---------------------------------------------------------------- faults

FIVE = """\
data:
  path: table.csv
  target: y
  test_split: 1.5
model:
  hidden_layers: [8, -1]
  activation: rellu
training:
  epochs: many
  learning_rte: 1e-3
"""


def test_five_faults_are_five_lines_with_their_places(tmp_path, cli):
    plain_table().to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(FIVE)
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    places = re.findall(r"^config\.yaml:(\d+):(\d+): ", done.stdout, re.MULTILINE)
    assert places == [("4", "15"), ("6", "22"), ("7", "15"), ("9", "11"), ("10", "3")]
    assert len(done.stdout.splitlines()) == 5
    for fragment in (
        "found 1.5",
        "found -1",
        "Did you mean relu?",
        'found "many"',
        "training.learning_rate?",
    ):
        assert fragment in done.stdout


def test_faults_of_the_config_and_of_its_csv_come_together(tmp_path, cli):
    table = plain_table(60).assign(mixed=["5"] * 50 + ["?"] * 10, day="01/02/2024")
    table.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(FIVE.replace("target: y", "target: z\n  exclude: [bb]"))
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    near = "The columns are 'a', 'b', 'y', 'mixed', 'day'"
    assert lines[0] == f"config.yaml:3:11: data.target: table.csv has no column 'z'. {near}"
    assert lines[1].startswith(
        "config.yaml:4:13: data.exclude: table.csv has no column 'bb'. Did you mean 'b'?"
    )
    assert lines[2].startswith("config.yaml:5:15: data.test_split must be")
    assert lines[7].startswith("table.csv:52: column 'mixed'")
    assert lines[8].startswith("table.csv:2: column 'day'")
    trained = cli("train", "config.yaml", cwd=tmp_path)
    assert trained.returncode == 3
    assert trained.stderr.splitlines() == [f"error: {line}" for line in lines]
    assert {entry.name for entry in tmp_path.iterdir()} == {"table.csv", "config.yaml"}


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_faults_of_the_config_are_told_without_reading_a_large_table_that_goes_to_disk(
    cache, tmp_path, cli, monkeypatch
):
    folder_with(tmp_path, plain_table(60).assign(mixed=["5"] * 50 + ["?"] * 10))
    arguments = ["config.yaml", "--set", "training.epoch=3", "--set", f"data.cache={cache}"]
    both = cli("train", *arguments, cwd=tmp_path).stderr.splitlines()
    assert len(both) == 2 and "training.epoch" in both[0] and "column 'mixed'" in both[1]
    monkeypatch.setattr(room, "SMALL", 100)
    done = cli("train", *arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines() == (both[:1] if cache == "disk" else both)
    assert "column 'mixed'" in cli("check", *arguments, cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("config", "code", "n_faults"),
    [
        ("", 0, 0),
        ("training: {epochs: 0}\n", 3, 1),
        ("  exclude: [c]\n", 4, 1),
        ("  exclude: [c]\ntraining: {epochs: 0}\n", 3, 2),
        ("  types: {a: category, b: date}\n", 4, 1),
        ("  dates: {a: '%Y', b: '%d/%m/%Y'}\n", 4, 2),
        ("  exclude: [a, b]\n", 4, 1),
        ("  test_path: absent.csv\n", 4, 1),
        ("  test_path: absent.csv\n  exclude: [c, d]\n", 4, 3),
        ("preprocessing: {target: log}\n", 4, 1),
        ("  split: time\n  split_by: when\n", 4, 1),
        ("  split: time\n", 3, 1),
        ("training: &a {epochs: 3}\n", 3, 1),
        ("training: {epochs: 3\n", 3, 1),
    ],
)  # fmt: skip
def test_the_exit_code_says_where_the_faults_are(tmp_path, config, code, n_faults):
    report = check.check(folder_with(tmp_path, plain_table(), config))
    assert (report.exit_code, len(report.faults)) == (code, n_faults), report.faults
    assert (report.plan is None) == (code != 0)


@pytest.mark.parametrize(
    "config",
    [
        "  delimiter: tab\n",
        "  delimeter: ';'\n",
        "  encoding: utf-88\n",
        "  features: a\n",
        "  types: {a: z}\n",
    ],
)
def test_a_csv_is_not_judged_by_another_format_than_was_meant(tmp_path, config):
    table = plain_table().rename(columns={"a": "a;b"})
    report = check.check(folder_with(tmp_path, table, config))
    assert [fault.path for fault in report.faults] == [str(tmp_path / "config.yaml")]


def test_faults_of_the_rest_of_the_config_leave_the_data_to_be_checked(tmp_path):
    path = folder_with(
        tmp_path, plain_table(), "  exclude: [c]\n  split: timely\nmodle: {}\ntraining: 3\nrun: {dir: [a]}\n"
    )
    messages = [fault.message for fault in check.check(path).faults]
    assert len(messages) == 5
    assert "has no column 'c'" in messages[0]


def test_no_advice_is_given_on_settings_that_stand_in_for_faults(tmp_path):
    config = "training: {batch_size: many}\nmodel: {activation: linear}\n"
    report = check.check(folder_with(tmp_path, plain_table(24).assign(c=1), config))
    assert [fault.message.partition(" ")[0] for fault in report.faults] == ["training.batch_size"]
    assert not any("batch_size" in fault.message or "linear" in fault.message for fault in report.warnings)
    assert any("'c'" in fault.message for fault in report.warnings)


def test_train_and_test_file_are_both_checked(tmp_path):
    plain_table().assign(a="x y").to_csv(tmp_path / "test.csv", index=False)
    report = check.check(folder_with(tmp_path, plain_table().assign(b=np.inf), "  test_path: test.csv\n"))
    assert report.exit_code == 4
    places = {(fault.path.rpartition("/")[2], fault.message.split(":")[0]) for fault in report.faults}
    assert places == {("table.csv", "column 'b'"), ("test.csv", "column 'a'")}


def test_usage_is_not_a_fault_of_the_config(tmp_path):
    with pytest.raises(UsageError):
        check.check(folder_with(tmp_path, plain_table()), ["training.epochs"])


def test_missing_cells_that_are_refused_are_told_once(tmp_path):
    table = plain_table()
    table.loc[::7, "a"] = np.nan
    report = check.check(folder_with(tmp_path, table, "preprocessing: {missing: error}\n"))
    (fault,) = report.faults
    assert "column 'a' has 29 missing cells" in fault.message


# ---------------------------------------------------------------- the plan


def test_the_plan_is_what_train_then_did(project, cli):
    done = cli("check", "config.yaml", "--format", "json", cwd=project)
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    record = json.loads((project / "run" / "run.json").read_text())
    assert printed["schema_version"] == 1
    assert printed["plan"]["rows"] == record["rows"]
    assert printed["plan"]["features"] == record["features"]
    assert printed["plan"]["parameters"] == record["parameters"]
    assert printed["plan"]["columns"] == {"number": 2, "category": 1, "boolean": 1, "date": 2}
    assert printed["plan"]["steps_per_epoch"] == 10
    assert any("missing in column 'moment'" in note for note in printed["notes"])


def test_a_network_too_large_to_be_written_is_a_fault_of_the_config(tmp_path, cli):
    folder_with(tmp_path, plain_table(), "model: {hidden_layers: [20000, 20000]}\n")
    for command in ("check", "train"):
        done = cli(command, "config.yaml", cwd=tmp_path)
        assert done.returncode == 3
        assert "config.yaml:4:24: the network has 400,100,001 parameters" in done.stdout + done.stderr


def test_train_tells_the_same_warnings_as_notes(tmp_path, cli):
    table = plain_table(90).assign(id=range(90), c=2)
    config = folder_with(tmp_path, table, "training: {epochs: 1}\nmodel: {activation: linear}\n")
    checked = cli("check", "config.yaml", cwd=tmp_path)
    warnings = [
        line.replace("warning: ", "", 1) for line in checked.stdout.splitlines() if "warning: " in line
    ]
    assert len(warnings) == 3
    trained = cli("train", config.name, "--json", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    summary = json.loads(trained.stdout)
    assert summary["schema_version"] == 1
    assert summary["notes"] == warnings
    trained = cli("train", config.name, cwd=tmp_path)
    assert [line for line in trained.stderr.splitlines() if line.startswith("note: ")] == [
        f"note: {warning}" for warning in warnings
    ]


# ---------------------------------------------------------------- the search


def test_the_search_that_a_config_names_is_told_in_a_line(tmp_path, cli):
    search = "search: {trials: 9, time_limit: 1m, parameters: {model.l2: {min: 0, max: 1}, training.seed: {values: [1]}}}\n"
    folder_with(tmp_path, plain_table(), search)
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    (note,) = [line for line in lines if line.startswith("note: ")]
    assert "it draws the validation rows too" in note
    assert " ".join(line.strip() for line in lines[-2:]) == (
        "search      dlreg tune tries model.l2, training.seed: at most 9 trials, 60 s (tpe) by validation.rmse"
    )
    printed = json.loads(cli("check", "config.yaml", "--format", "json", cwd=tmp_path).stdout)
    assert printed["search"] == {
        "metric": "validation.rmse",
        "trials": 9,
        "time_limit": 60.0,
        "method": "tpe",
        "is_default": False,
        "parameters": {
            "model.l2": {"min": 0.0, "max": 1.0, "distribution": "uniform"},
            "training.seed": {"values": [1]},
        },
    }
    assert printed["notes"][-1] == note.removeprefix("note: ")


def test_of_a_config_without_a_search_the_keys_of_its_own_space_are_told(tmp_path, cli):
    folder_with(tmp_path, plain_table())
    lines = cli("check", "config.yaml", cwd=tmp_path).stdout.splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("search      "))
    told = " ".join(line[12:] for line in lines[place:])
    printed = json.loads(cli("check", "config.yaml", "--format", "json", cwd=tmp_path).stdout)["search"]
    assert "preprocessing.numeric" in printed["parameters"]
    assert told == f"dlreg tune tries other values of {', '.join(printed['parameters'])}"
    assert printed["is_default"]
    assert all(len(line) <= 80 for line in lines[place:])


def test_nothing_is_told_of_a_search_that_could_not_choose(tmp_path):
    report = check.check(folder_with(tmp_path, plain_table(), "training: {validation_split: 0}\n"))
    assert (report.exit_code, report.search) == (0, None)
    assert not any("tune" in line for line in check.as_text(report))


def test_a_training_takes_the_plain_values_and_says_so(tmp_path, cli):
    """What is written is what the same config without a search gives."""
    training = "training: {epochs: 1}\n"
    folder_with(tmp_path, plain_table(), training)
    (tmp_path / "searched.yaml").write_text(
        (tmp_path / "config.yaml").read_text() + "search: {parameters: {model.l2: {values: [0.1, 0.2]}}}\n"
    )
    plain = cli("train", "config.yaml", "--run-dir", "plain", cwd=tmp_path)
    done = cli("train", "searched.yaml", "--run-dir", "run", cwd=tmp_path)
    assert (plain.returncode, done.returncode) == (0, 0)
    assert "dlreg tune searches" in done.stderr and "dlreg tune" not in plain.stderr
    for name in ("config.yaml", "metrics.json", "pipeline.onnx"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    again = cli("train", "searched.yaml", "--run-dir", "run", "--resume", cwd=tmp_path)
    assert (again.returncode, "complete already" in again.stderr) == (0, True)


# ---------------------------------------------------------------- formats


def test_json_has_one_shape_whether_or_not_there_are_faults(tmp_path, cli):
    table = plain_table(60).assign(c=2)
    folder_with(tmp_path, table, "training: {epochs: 0}\n")
    done = cli("check", "config.yaml", "--format", "json", cwd=tmp_path)
    assert done.returncode == 3
    printed = json.loads(done.stdout)
    assert list(printed) == [
            "schema_version", "faults", "fault_count", "warnings", "warning_count", "notes", "plan", "search",
        ]  # fmt: skip
    assert printed["faults"] == [
        {
            "message": "training.epochs must be auto or a whole number from 1 to 10000000, found 0",
            "path": "config.yaml",
            "line": 4,
            "column": 20,
            "row": None,
            "hint": 'Leave it out for the default, "auto".',
            "severity": "error",
        }
    ]
    assert (printed["warnings"], printed["plan"]) == (
        [
            {
                "message": "column 'c' has one value in every training row: it cannot help",
                "path": "table.csv",
                "line": 1,
                "column": None,
                "row": None,
                "hint": "Leave it out with data.exclude",
                "severity": "warning",
            }
        ],
        None,
    )
    done = cli("check", "config.yaml", "--format", "json", "--set", "training.epochs=7", cwd=tmp_path)
    printed = json.loads(done.stdout)
    assert (done.returncode, printed["faults"], printed["plan"]["epochs"]) == (0, [], 7)
    assert list(printed["plan"]) == [
        "rows", "columns", "features", "parameters", "steps_per_epoch", "epochs", "refit_epochs",
        "memory_bytes", "threads", "time_limit", "folds"
    ]  # fmt: skip


def test_annotations_are_escaped_as_github_asks(tmp_path, cli):
    name = "a,b:c 100%.csv"
    plain_table(60).assign(**{"50%\n::x": "01/02/2024"}).to_csv(tmp_path / name, index=False)
    (tmp_path / "config.yaml").write_text(
        to_yaml({"data": {"path": name, "target": "y"}, "model": {"l2": -1}})
    )
    done = cli("check", "config.yaml", "--format", "github", "--set", "training.seed=x", cwd=tmp_path)
    assert done.returncode == 3
    first, second, third = done.stdout.splitlines()
    assert first.startswith(
        "::error file=config.yaml,line=5,col=7::model.l2 must be a number of at least 0, found -1."
    )
    assert second.startswith("::error::--set training.seed: training.seed must be")
    assert third.startswith("::error file=a%2Cb%3Ac 100%25.csv,line=3::column '50%25")
    assert "%25d/%25m/%25Y" in third


def test_a_name_cannot_make_a_line_or_a_command_of_its_own(tmp_path, cli):
    table = plain_table(60).assign(**{"x\n::error::gotcha\x1b[31m": 3})
    folder_with(tmp_path, table)
    for form in ("text", "github"):
        done = cli("check", "config.yaml", "--format", form, cwd=tmp_path)
        assert done.returncode == 0
        assert not re.search("^::error::gotcha", done.stdout, re.MULTILINE)
        assert "\x1b" not in done.stdout
        assert "gotcha" in done.stdout


def test_nothing_is_written(tmp_path, cli):
    folder_with(tmp_path, plain_table(60))
    before = {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.rglob("*")}
    for form in ("text", "json", "github"):
        assert cli("check", "config.yaml", "--format", form, cwd=tmp_path).returncode == 0
    assert {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.rglob("*")} == before


def check_with_holidays(folder, code):
    """The report of a table of days, with the holidays of a country."""
    table = plain_table(400).assign(day=pd.date_range("2021-01-01", periods=400).strftime("%Y-%m-%d"))
    return check.check(folder_with(folder, table), [f"data.holidays={code}"])


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("kr", "must be the code of a country", "Did you mean KR?"),
        ("XQ", "no holidays are known of XQ", "ISO 3166"),
        ("DE-BX", "DE has no part BX", "Its parts are BB, BE"),
        ("DE-Augsbur", "DE has no part Augsbur", "Did you mean DE-Augsburg?"),
        ("SG-11", "SG has no part 11", "Its parts are none"),
    ],
)
def test_an_unknown_country_is_refused_with_the_way_out(tmp_path, code, message, hint):
    report = check_with_holidays(tmp_path, code)
    assert report.exit_code == 3
    assert message in report.faults[0].message + str(report.faults[0])
    assert hint in report.faults[0].hint


def test_holidays_without_their_library_are_refused_with_the_way_out(tmp_path, monkeypatch):
    assert not check_with_holidays(tmp_path, "DE-BY").faults
    monkeypatch.setattr("dlreg.features.holidays.find_spec", lambda _: None)
    report = check_with_holidays(tmp_path, "DE-BY")
    assert (report.exit_code, report.faults[0].hint) == (2, "pip install 'dlreg[holidays]'")
