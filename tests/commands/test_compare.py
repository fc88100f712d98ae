"""`dlreg compare` and `dlreg runs`: runs beside each other, in the order of the rows that runs are chosen by."""

import json
import shutil
import sys
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.runs import record_anew

from dlreg.commands.compare import as_json, compare
from dlreg.commands.runs import runs
from dlreg.errors import RunDirError, UsageError
from dlreg.runs.overview import read_overview
from dlreg.runs.reading import record_json


def change_record(path: Path, change) -> None:
    """Changes `run.json` of a run as `change` does; its own hash is made to agree."""
    record = json.loads((path / "run.json").read_text(encoding="utf-8"))
    record.pop("sha256")
    change(record)
    (path / "run.json").write_bytes(record_json(record))


def change_config(path: Path, before: str, after: str) -> None:
    text = (path / "config.yaml").read_text(encoding="utf-8")
    assert before in text
    (path / "config.yaml").write_text(text.replace(before, after, 1), encoding="utf-8")
    record_anew(path, "config.yaml")


def change_predictions(path: Path, change) -> pd.DataFrame:
    """Changes the predictions of the test rows as `change` does with a frame, and returns what they became."""
    frame = change(pd.read_csv(path / "predictions.csv"))
    frame.to_csv(path / "predictions.csv", index=False)
    record_anew(path, "predictions.csv")
    return frame


@pytest.fixture
def two(project, tmp_path) -> tuple[Path, Path]:
    """A run and a copy of it that is worse on validation rows, and better on test rows."""
    first, second = (shutil.copytree(project / "run", tmp_path / name) for name in ("first", "second"))

    def worsen(record):
        record["metrics"]["validation"]["rmse"] *= 1.5
        record["metrics"]["test"]["rmse"] *= 0.5
        record["started"] = "2020-01-01T00:00:00+00:00"

    change_record(second, worsen)
    change_predictions(second, lambda frame: frame.assign(y_pred=(frame.y_pred + frame.y_true) / 2))
    return first, second


def test_runs_are_sorted_by_the_validation_error_and_never_by_the_test_error(two):
    first, second = two
    comparison = compare([second, first])
    assert [entry.run.path for entry in comparison.runs] == [first, second]
    assert comparison.runs[1].difference.regression.interval[1] < 0
    assert compare([first, second], "r2").runs[0].run.path in two


def test_the_difference_is_that_of_the_rows_both_have_as_test_rows(two):
    first, second = two
    kept = change_predictions(second, lambda frame: frame.iloc[3:-5].sample(frac=1, random_state=7))
    whole = pd.read_csv(first / "predictions.csv").set_index("row").loc[kept.row].reset_index()
    report = as_json(compare([first, second]))["runs"][1]
    assert report["common_rows"] == len(kept) == len(whole)

    def rmse(frame):
        return np.sqrt(((frame.y_true - frame.y_pred) ** 2).mean())

    assert report["regression_percent"] == pytest.approx(100 * (rmse(kept) / rmse(whole) - 1))
    low, high = report["interval_percent"]
    assert low <= report["regression_percent"] <= high


def test_it_is_said_that_of_many_test_rows_some_are_read(two):
    change_record(two[1], lambda record: record["metrics"]["test"].update(n=600_000))
    with pytest.warns(UserWarning, match="of more than 500,000 test rows some are read"):
        comparison = compare(two)
    assert any("wider than those of all" in sentence for sentence in comparison.cautions)


def test_a_run_named_in_two_ways_is_one_run(two, monkeypatch):
    monkeypatch.chdir(two[0].parent)
    with pytest.raises(UsageError, match="two different run directories"):
        compare([two[0], Path("first")])


def test_the_interval_is_that_of_resampled_rows(two):
    whole, better = (pd.read_csv(path / "predictions.csv") for path in two)
    generator = np.random.default_rng(3)
    ratios = []
    for _ in range(4000):
        rows = generator.integers(0, len(whole), len(whole))
        ratios.append(
            np.sqrt(((better.y_true - better.y_pred) ** 2)[rows].mean())
            / np.sqrt(((whole.y_true - whole.y_pred) ** 2)[rows].mean())
        )
    expected = 100 * (np.quantile(ratios, [0.025, 0.975]) - 1)
    assert as_json(compare(list(two)))["runs"][1]["interval_percent"] == pytest.approx(expected, abs=1.5)


def test_other_members_and_columns_leave_the_validation_rows_the_same(two):
    first, second = two
    # Under cross-validation the file has the members that are trained, too.
    (second / "split.json").write_text((second / "split.json").read_text() + "\n")
    record_anew(second, "split.json")
    change_config(second, "exclude: [id]", "exclude: []")
    assert compare([first, second]).cautions == []
    change_config(second, "seed: 42", "seed: 43")
    with pytest.warns(UserWarning, match="validated on different rows"):
        compare([first, second])


def test_on_another_table_no_rows_are_compared(two):
    first, second = two
    change_record(second, lambda record: record["data"]["data.path"].update(sha256="0" * 64))
    with pytest.warns(UserWarning, match="validated on different rows"):
        comparison = compare([first, second])
    assert comparison.runs[1].difference == (0, None)
    assert comparison.differences["data"]["data.path"][1] == "0" * 64
    done = run_cli("compare", "first", "second", cwd=first.parent)
    assert "no common rows" in done.stdout
    assert "No run has test rows in common with the first." in done.stdout


def test_other_target_values_in_the_same_rows_are_a_fault(two):
    first, second = two
    change_predictions(second, lambda frame: frame.assign(y_true=frame.y_true + 1))
    with pytest.raises(RunDirError, match="other target values"):
        compare([first, second])


def test_runs_of_different_targets_are_not_compared(two):
    first, second = two
    change_config(second, "target: 소요 시간", "target: 거리")
    done = run_cli("compare", "first", "second", cwd=first.parent)
    assert done.returncode == 5
    assert done.stderr == (
        "error: second: the run predicts '거리', first '소요 시간'. Compare runs with one target\n"
    )


def test_what_differs_is_told_with_the_value_of_each_run(two):
    first, second = two
    change_config(second, "seed: 42", "seed: 7")
    change_record(second, lambda record: record["versions"].update(keras="3.0.0"))
    comparison = compare([first, second])
    keras = json.loads((first / "run.json").read_text())["versions"]["keras"]
    assert comparison.differences == {
        "config": {"training.seed": [42, 7]},
        "data": {},
        "versions": {"keras": [keras, "3.0.0"]},
    }


def test_one_run_is_nothing_to_compare(project):
    with pytest.raises(UsageError, match="two different run directories"):
        compare([project / "run", project / "run"])


def test_the_comparison_is_markdown_json_or_a_table(two):
    folder = two[0].parent
    text, markdown, script = (
        run_cli("compare", "second", "first", *form, cwd=folder) for form in ((), ("--md",), ("--json",))
    )
    assert [line.split()[:2] for line in text.stdout.splitlines()[2:4]] == [["1", "first"], ["2", "second"]]
    assert "| 1 | `first` |" in markdown.stdout
    assert [run["run_dir"] for run in json.loads(script.stdout)["runs"]] == ["first", "second"]
    assert run_cli("compare", "first", "second", "--md", "--json", cwd=folder).returncode == 2


def test_the_comparison_as_a_page_runs_and_loads_nothing(two):
    folder = two[0].parent
    two[1].rename(folder / "<b>second")
    done = run_cli("compare", "first", "<b>second", "--html", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "default-src 'none'" in done.stdout
    assert "<script" not in done.stdout
    assert "<b>" not in done.stdout
    assert "&lt;b&gt;second: the least is" in done.stdout
    assert len(done.stdout.encode()) < 1 << 20


def test_the_learning_curves_are_drawn_in_one_figure(two):
    folder = two[0].parent
    done = run_cli("compare", "first", "second", "--figure", "curves.svg", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "curves.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert run_cli("compare", "first", "second", "--figure", "curves.gif", cwd=folder).returncode == 2


def test_the_runs_of_a_folder_are_listed_the_newest_first(two):
    first, second = two
    change_config(second, "seed: 42", "seed: 7")
    report = runs(first.parent)
    assert [entry["run_dir"] for entry in report["runs"]] == [str(first), str(second)]
    newest, oldest = report["runs"]
    metrics = json.loads((first / "metrics.json").read_text())
    assert newest["test_rmse"] == metrics["test"]["rmse"]
    assert newest["choosing_rmse"] == metrics["validation"]["rmse"]
    assert newest["rows"] == sum(metrics[part]["n"] for part in ("train", "validation", "test"))
    low, high = newest["test_rmse_interval"]
    assert low < newest["test_rmse"] < high
    assert (newest["differs"], oldest["differs"]) == ({}, {"training.seed": 7})


def test_a_run_that_cannot_be_read_hides_no_other(two):
    first, second = two
    change_record(first, lambda record: record.update(status="interrupted"))
    (second / "predictions.csv").write_text("")
    third = shutil.copytree(first, first.parent / "deeper" / "third")
    (third / "run.json").write_text("{}")
    (first.parent / "no run").mkdir()
    (first.parent / ".hidden").mkdir()
    done = run_cli("runs", ".", "--json", cwd=first.parent)
    assert done.returncode == 0
    states = {entry["run_dir"]: entry["status"] for entry in json.loads(done.stdout)["runs"]}
    assert states == {"first": "interrupted", "second": "damaged", "deeper/third": "damaged"}
    assert "second/predictions.csv: the file is damaged" in done.stderr
    text = run_cli("runs", ".", cwd=first.parent).stdout
    assert {"first", "second", "deeper/third"} <= {
        word for line in text.splitlines() for word in line.split()
    }


def test_a_folder_without_runs_and_none_are_told_apart(tmp_path):
    done = run_cli("runs", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "there are no runs in .\n")
    done = run_cli("runs", cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr == "error: runs: no such folder. Give a folder that holds runs\n"


def test_a_run_is_no_folder_of_runs(two):
    with pytest.raises(RunDirError, match=f"a run, not a folder of runs.*dlreg runs {two[0].parent}"):
        runs(two[0])


def test_a_list_holds_the_predictions_of_one_run_at_a_time(two, monkeypatch):
    """A folder may hold hundreds of runs, and each half a million predictions."""
    held = []

    def read(path):
        assert not any(reference() is not None for reference in held)
        overview = read_overview(path)
        held.append(weakref.ref(overview.predicted.y_pred))
        return overview

    monkeypatch.setattr(sys.modules[runs.__module__], "read_overview", read)
    assert len(runs(two[0].parent)["runs"]) == len(held) == 2
