"""`dlreg tune` as a script and a person see it, with trials that are really trained."""

import json
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from support.command_line import run_cli
from support.terminal import run_in_terminal

SEARCH = [
    "--search", "training.learning_rate=1e-3..3e-2:log", "--search", "model.dropout=0,0.1,0.2",
    "--search", "model.hidden_layers=[16, 8],[8]", "--set", "training.epochs=12", "--jobs", "2",
]  # fmt: skip


@pytest.fixture(scope="module")
def study(project):
    """What `dlreg tune --json` did, beside its directory `study`."""
    done = run_cli("tune", "config.yaml", "--study", "study", "--trials", "8", *SEARCH, "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    return done


def test_the_best_run_is_byte_for_byte_what_training_its_config_gives(project, study):
    assert study.stdout
    done = run_cli("train", "study/best.yaml", "--run-dir", "again", "--quiet", cwd=project)
    assert done.returncode == 0, done.stderr
    best, again = project / "study" / "best", project / "again"
    names = {file.name for file in best.iterdir()}
    assert names == {file.name for file in again.iterdir()}
    for name in names - {"run.json"}:
        assert (best / name).read_bytes() == (again / name).read_bytes(), name
    records = [json.loads((folder / "run.json").read_text()) for folder in (best, again)]
    times = {"process", "started", "finished", "seconds", "sha256"}
    first, second = ({key: value for key, value in record.items() if key not in times} for record in records)
    assert first == second


def test_json_tells_what_was_found_and_the_table_has_every_trial(project, study):
    summary = json.loads(study.stdout)
    assert summary["schema_version"] == 1
    assert (summary["study_dir"], summary["metric"]) == ("study", "validation.rmse")
    table = pd.read_csv(project / "study" / "trials.csv", float_precision="round_trip")
    assert len(table) == summary["trials"]["finished"] == 8
    complete = table[table["state"] == "complete"]
    best = complete.loc[complete["value"].idxmin()]
    assert summary["best"]["number"] == best["number"]
    # A trial is trained by the steps of a training: its number is that of the run, to the bit.
    assert summary["best"]["metrics"]["validation"]["rmse"] == best["value"] == best["validation.rmse"]
    assert summary["plain"]["metrics"]["validation"]["rmse"] == table["value"][0]
    assert not [name for name in table.columns if name.startswith(("test", "baseline"))]
    assert set(summary["space"]) == {"training.learning_rate", "model.dropout", "model.hidden_layers"}
    assert summary["gates"] == []
    if summary["best"]["number"]:
        low, high = summary["gain"]["interval_percent"]
        assert low <= summary["gain"]["regression_percent"] <= high
        assert summary["gain"]["n"] == summary["best"]["metrics"]["test"]["n"]
    record = json.loads((project / "study" / "study.json").read_text())
    assert record["status"] == "complete"
    assert record["best"] == {**summary["best"], "run_dir": "best"}


def test_the_runs_of_a_study_are_runs_like_any(project, study):
    has_two = json.loads(study.stdout)["best"]["number"] > 0
    listed = run_cli("runs", "study", "--json", cwd=project)
    names = {run["run_dir"] for run in json.loads(listed.stdout)["runs"]}
    assert names == ({"study/best", "study/plain"} if has_two else {"study/best"})
    assert run_cli("report", "study/best", "-o", "report.html", cwd=project).returncode == 0
    assert run_cli("verify", "study/best", cwd=project).returncode == 0
    if has_two:
        done = run_cli("compare", "study/best", "study/plain", "--json", cwd=project)
        assert json.loads(done.stdout)["runs"][0]["common_rows"] is None


def test_a_complete_study_says_the_same_again_and_a_gate_of_its_config_fails(project, study):
    before = (project / "study" / "best" / "run.json").read_bytes()
    done = run_cli("tune", "study", "--resume", "--set", 'gates=["rmse>0.001"]', cwd=project)
    assert done.returncode == 8
    assert "the search is complete already" in done.stderr
    assert "training the" not in done.stderr
    assert "gate failed: rmse>0.001" in done.stderr
    assert re.search(r"^8 trials of 3 parameters in ", done.stdout, re.MULTILINE)
    assert "Best config: study/best.yaml\nStudy directory: study\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert (project / "study" / "best" / "run.json").read_bytes() == before
    assert study.returncode == 0


def test_a_search_that_ctrl_c_breaks_off_goes_on_in_a_terminal_to_the_same_trials(project, study, tmp_path):
    command = [
        sys.executable,
        "-m",
        "dlreg",
        "tune",
        "config.yaml",
        "--study",
        tmp_path / "study",
        "--trials",
        "8",
    ]
    process = subprocess.Popen(
        [*map(str, command), *SEARCH], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / "study" / "journal.log"
    deadline = time.monotonic() + 60
    while not (journal.exists() and '"result"' in journal.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - asked < 5
    assert (process.returncode, stdout) == (130, "")
    assert (
        f"the search was interrupted. Go on with: dlreg tune {tmp_path / 'study'} --resume --jobs 2" in stderr
    )
    assert "Traceback" not in stderr
    assert json.loads((tmp_path / "study" / "study.json").read_text())["status"] == "interrupted"
    seen = run_in_terminal("tune", tmp_path / "study", "--resume", "--jobs", "1", cwd=project)
    assert seen.returncode == 0, seen.raw
    assert any(re.search(r"\d/8 trials ━.* best ", frame) for frame in seen.frames)
    assert any(
        re.match(r"trial +rmse +learning_rate +dropout +hidden_layers", frame) for frame in seen.frames
    )
    # Notes and paths are never wrapped.
    shown = [
        frame for frame in seen.frames if not re.match("note:|.*(reading|Best config|Study directory)", frame)
    ]
    assert max(map(len, shown)) <= 80
    tables = [
        pd.read_csv(folder / "trials.csv").drop(columns=["seconds", "training_seconds"])
        for folder in (project / "study", tmp_path / "study")
    ]
    pd.testing.assert_frame_equal(*tables)
    assert study.returncode == 0


def test_quiet_prints_the_study_directory_alone(project):
    config = (project / "config.yaml").read_text(encoding="utf-8")
    text = f"{config}search: {{trials: 1, parameters: {{model.dropout: {{min: 0, max: 0.5}}}}}}\n"
    (project / "search.yaml").write_text(text, encoding="utf-8")
    arguments = ["search.yaml", "--quiet", "--set", "training.epochs=5", "--set", "data.test_split=0"]
    done = run_cli("tune", *arguments, "--jobs", "1", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "studies/search-1\n", "")
    assert (project / "studies" / "search-1" / "best" / "run.json").exists()
    assert not (project / "studies" / "search-1" / "plain").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["config.yaml", "--search", "model.droput=0,0.1"], 3, "model.dropout"),
        (["config.yaml", "--search", "model.dropout"], 2, "--search"),
        (["config.yaml", "--resume"], 2, "--resume needs to know which study"),
        (["config.yaml", "--resume", "--overwrite"], 2, "give one of them"),
        (["config.yaml", "--address", "auto"], 2, "--engine ray"),
        (["config.yaml", "--study", "run"], 6, "not empty"),
        (["run", "--resume"], 5, "nothing to resume"),
        (["config.yaml", "--time-limit", "soon"], 3, "error: --time-limit: search.time_limit must be a time"),
        (["config.yaml", "--time-limit", "0"], 3, "must be a time above 0"),
        (["config.yaml", "--set", "search.method=grid"], 3, "there are no search.parameters"),
        (["config.yaml", "--data", "-"], 3, "standard input"),
        (["lacking.yaml"], 3, "lacking.yaml"),
    ],
)
def test_a_mistake_is_told_before_anything_is_paid_for(project, arguments, code, fragment):
    began = time.monotonic()
    done = run_cli("tune", *arguments, cwd=project)
    assert (done.returncode, done.stdout) == (code, "")
    assert fragment in done.stderr and "Traceback" not in done.stderr
    assert time.monotonic() - began < 15
