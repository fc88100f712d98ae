"""The real DVC: `dvc repro` twice, of a run as one directory and as single files, and of links into its cache."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.command_line import run_cli

from dlreg.runs.reading import read_record

pytestmark = pytest.mark.skipif(
    not (shutil.which("dvc") and shutil.which("git")), reason="dvc and git are not on PATH"
)
PAGE = (Path(__file__).parents[2] / "dlreg" / "docs" / "trackers.md").read_text(encoding="utf-8")
(STAGES,) = re.findall(r"^```yaml\n(stages:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def repository(tmp_path):
    """Calls git and DVC in a new repository with a table and a config."""
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
    }
    folder = tmp_path / "repository"
    folder.mkdir()

    def call(*command):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    rows = np.random.default_rng(1).normal(size=(60, 3))
    (folder / "data").mkdir()
    np.savetxt(folder / "data" / "rides.csv", rows, delimiter=",", header="a,b,y", comments="", fmt="%.4g")
    write_config(folder, 1)
    call("git", "init", "--quiet", ".")
    call("dvc", "init", "--quiet")
    call("dvc", "config", "core.analytics", "false")
    return folder, call


def write_config(folder, seed):
    (folder / "my.yaml").write_text(
        "data: {path: data/rides.csv, target: y}\nmodel: {hidden_layers: [4]}\n"
        f"training: {{epochs: 2, seed: {seed}}}\n"
    )


def assert_differences_are_told(folder, call):
    """DVC compares the run with the one before, from its files and the config as they are."""
    (changes,) = json.loads(call("dvc", "params", "diff", "--json")).values()
    assert changes == {"training.seed": {"old": 1, "new": 2, "diff": 1}}
    (metrics,) = json.loads(call("dvc", "metrics", "diff", "--json")).values()
    assert set(metrics["test.rmse"]) == {"old", "new", "diff"}
    (figures,) = json.loads(call("dvc", "plots", "diff", "--json"))["data"].values()
    (points,) = [figure["content"]["data"]["values"] for figure in figures]
    assert {point["epoch"] for point in points} == {"1", "2"}
    assert {(point["field"], point["rev"]) for point in points} == {
        (name, revision) for name in ("loss", "val_loss") for revision in ("workspace", "HEAD")
    }
    call("dvc", "plots", "diff", "--out", "plots")
    assert "epoch" in (folder / "plots" / "index.html").read_text()


@pytest.mark.parametrize("form", ["directory", "files"])
def test_dvc_reproduces_a_run_twice_and_keeps_it_as_links(project, repository, form):
    folder, call = repository
    run = folder / "runs" / "mine"
    names = sorted(entry.name for entry in (project / "run").iterdir())
    files = ", ".join(f"runs/mine/{name}" for name in names)
    assert "outs: [runs/mine]\n" in STAGES
    stages = STAGES if form == "directory" else STAGES.replace("outs: [runs/mine]", f"outs: [{files}]")
    (folder / "dvc.yaml").write_text(stages)
    call("dvc", "repro")
    assert read_record(run)["seed"] == 1
    assert (run / ".gitignore").exists() == (form == "files")
    assert "Running stage" not in call("dvc", "repro")
    call("git", "add", "--all")
    call(
        "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "one"
    )
    call("dvc", "config", "cache.type", "symlink")
    write_config(folder, 2)
    assert "Running stage" in call("dvc", "repro")
    assert_differences_are_told(folder, call)
    assert (run / "pipeline.onnx").is_symlink()
    refused = run_cli("evaluate", "runs/mine", cwd=folder)
    assert refused.returncode == 5
    assert "found a link" in refused.stderr and "--follow-links" in refused.stderr
    followed = run_cli("evaluate", "runs/mine", "--follow-links", cwd=folder)
    assert followed.returncode == 0, followed.stderr
    faults = run_cli("verify", "runs/mine", "--follow-links", cwd=folder).stderr
    assert faults.count("error:") == faults.count(".gitignore: not a file of this run") == (form == "files")
    assert "Running stage" not in call("dvc", "repro")
