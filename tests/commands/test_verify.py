"""`dlreg verify` names whatever is not as it was written.

By default every third byte of the small files is flipped and 60 of the large ones;
`DLREG_LONG_TESTS=1` flips every byte of the small files and 1,000 of each large one.
"""

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from support.command_line import run_cli

from dlreg.commands.verify import verify
from dlreg.errors import RunDirError
from dlreg.runs.json_text import to_json
from dlreg.runs.names import FIGURES, REQUIRED, new_beside, old_beside

LONG = bool(os.environ.get("DLREG_LONG_TESTS"))
SMALL = 8192


@pytest.fixture
def run(project, tmp_path):
    return shutil.copytree(project / "run", tmp_path / "run")


def faulty_names(path) -> list[str]:
    """The names of the files at fault; a damaged run.json stops the rest."""
    try:
        _, faults = verify(path)
    except RunDirError as error:
        assert error.exit_code == 5
        faults = error.faults
    return [Path(fault.path or "").name for fault in faults]


def checked_files(path) -> set[str]:
    """The names of all files in a whole run but its figures."""
    return {entry.name for entry in path.iterdir()} - FIGURES


def test_a_whole_run_is_complete(project):
    names = checked_files(project / "run")
    assert names > REQUIRED | {"run.json"}
    done = run_cli("verify", "run", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"complete: {len(names)} files verified\n", "")
    done = run_cli("verify", "run", "--json", cwd=project)
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert report["run_dir"] == "run"
    assert set(report["verified"]) == names
    assert report["faults"] == []


def test_a_run_of_links_is_verified_where_they_are_followed(run):
    linked = run.parent / "linked"
    linked.mkdir()
    for file in run.iterdir():
        (linked / file.name).symlink_to(file)
    done = run_cli("verify", "linked", cwd=run.parent)
    assert done.returncode == 5
    assert "found a link" in done.stderr and "--follow-links" in done.stderr
    done = run_cli("verify", "linked", "--follow-links", cwd=run.parent)
    assert (done.returncode, done.stderr) == (0, "")
    (run / "history.json").write_bytes((run / "history.json").read_bytes()[:-1])
    (run / "loss_curve.png").unlink()
    done = run_cli("verify", "linked", "--follow-links", cwd=run.parent)
    assert done.returncode == 5
    assert "linked/history.json: the file is damaged" in done.stderr
    assert "linked/loss_curve.png: the link leads nowhere" in done.stderr


@pytest.mark.parametrize("beside", [new_beside, old_beside])
def test_a_run_is_verified_where_a_swap_cut_short_left_it(run, beside):
    assert (run / "loss_curve.png").exists()
    run.rename(beside(run))
    assert verify(run)[1] == ()


def test_every_fault_is_named_at_once(run):
    names = checked_files(run)
    (run / "metrics.json").unlink()
    (run / "history.json").write_bytes((run / "history.json").read_bytes()[:-1])
    (run / "notes\x1b[31m.txt").write_text("mine")
    (run / "summary.txt").unlink()
    (run / "summary.txt").symlink_to("/etc/hostname")
    (run / "predictions.png").symlink_to("/etc/hostname")
    (run / "folder").mkdir()
    done = run_cli("verify", "run", "--json", cwd=run.parent)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    expected = [
        r"run/history.json: the file is damaged",
        "run/metrics.json: the file is missing",
        "run/summary.txt: expected a plain file",
        "run/folder: not a file of this run",
        r"run/notes\x1b[31m.txt: not a file of this run",
        "run/predictions.png: expected a plain file",
    ]
    assert len(lines) == len(expected)
    for line, fragment in zip(lines, expected, strict=True):
        assert fragment in line
    report = json.loads(done.stdout)
    assert len(report["faults"]) == len(expected)
    assert set(report["verified"]) == names - {"history.json", "metrics.json", "summary.txt"}


def test_figures_may_be_drawn_anew(run):
    (run / "loss_curve.png").write_bytes(b"another")
    (run / "residuals.png").write_bytes(b"one more")
    (run / "README.md").write_bytes(b"# Edited")
    assert faulty_names(run) == []


@pytest.mark.parametrize("name", sorted(REQUIRED | {"run.json"}))
def test_every_flipped_byte_and_every_cut_is_found(run, name):
    content = (run / name).read_bytes()
    generator = random.Random(name)
    if len(content) <= SMALL:
        positions = list(range(0, len(content), 1 if LONG else 3))
    else:
        positions = generator.sample(range(len(content)), 1000 if LONG else 60)
    cuts = generator.sample(range(len(content)), min(len(content), 1000 if LONG else 10))
    missed = []
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1 << generator.randrange(8)
        (run / name).write_bytes(changed)
        if faulty_names(run) != [name]:
            missed.append(position)
    for length in cuts:
        (run / name).write_bytes(content[:length])
        if faulty_names(run) != [name]:
            missed.append(-length)
    (run / name).write_bytes(content + b"\n")
    if faulty_names(run) != [name]:
        missed.append(len(content))
    assert missed == []
    (run / name).write_bytes(content)
    assert faulty_names(run) == []


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text.replace("  ", "\t", 1),
        lambda text: text.replace("1e-", "1E-"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace('"seed": 42', '"seed": 42.0'),
        lambda text: text.replace('"status"', '"status": "complete",\n  "status"', 1),
        lambda text: text.replace('"status"', '"\\u0073tatus"', 1),
    ],
    ids=["tab", "exponent", "newline", "float", "twice", "escape"],
)
def test_another_spelling_of_the_same_json_is_damage(run, spelling):
    record = json.loads((run / "run.json").read_text())
    record.pop("sha256")
    record["small"] = 1e-30
    digest = hashlib.sha256(to_json(record)).hexdigest()
    text = to_json({**record, "sha256": digest}).decode()
    (run / "run.json").write_text(text)
    assert faulty_names(run) == []
    assert spelling(text) != text
    (run / "run.json").write_text(spelling(text))
    assert faulty_names(run) == ["run.json"]


def test_a_run_that_lists_too_little_is_not_whole(run):
    record = json.loads((run / "run.json").read_text())
    record.pop("sha256")
    del record["files"]["pipeline.onnx"]
    digest = hashlib.sha256(to_json(record)).hexdigest()
    (run / "run.json").write_bytes(to_json({**record, "sha256": digest}))
    _, faults = verify(run)
    assert [fault.message for fault in faults] == [
        "run.json does not list pipeline.onnx",
        "not a file of this run: neither written nor checked by dlreg",
    ]
