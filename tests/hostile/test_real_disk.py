"""Faults of real file systems: full, without inodes, read-only; files that vanish or change while they are used.

Each ends with its exit code and a message, and nothing is lost: the old run is still whole, or `--resume` goes on when
the fault is gone, to the same bytes as a run that nothing disturbed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.command_line import run_cli
from support.forking import Forks

from dlreg.commands.evaluate import evaluate
from dlreg.commands.plot import plot
from dlreg.commands.verify import verify
from dlreg.errors import RunDirError
from dlreg.files.whole_file import is_temporary
from dlreg.runs.names import REQUIRED
from dlreg.runs.reading import read_file, read_record

CONFIG = """\
data: {path: table.csv, target: y}
model: {hidden_layers: [4]}
training: {epochs: EPOCHS, early_stopping: null}
"""
# Enough for something to happen meanwhile, where a checkpoint is written after every epoch.
EPOCHS = 200


@pytest.fixture(scope="module")
def forks():
    """Forks that see file systems of their own, which nobody else does and which need no root."""
    probe = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False)
    if probe.returncode:
        pytest.skip("file systems cannot be mounted here, neither by root nor in a namespace of one's own")
    opened = Forks("unshare", "-rm")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, forks):
    """A folder with a config, its run `whole` that nothing disturbed, and another run, `old`."""
    folder = tmp_path_factory.mktemp("trained")
    rows = np.random.default_rng(1).normal(size=(60, 3))
    np.savetxt(folder / "table.csv", rows, delimiter=",", header="a,b,y", comments="", fmt="%.4g")
    (folder / "config.yaml").write_text(CONFIG.replace("EPOCHS", str(EPOCHS)))
    for name, seed in (("whole", 42), ("old", 7)):
        done = forks.run(
            "train", "config.yaml", "--run-dir", name, "--set", f"training.seed={seed}", cwd=folder, pause=9
        )
        assert done.returncode == 0, done.stderr
    return folder


class Disk:
    """A file system in memory, mounted at a folder that only the forks see; outside of it the folder is empty."""

    def __init__(self, forks, folder, copies):
        self._forks, self.folder, self._copies = forks, folder, copies

    def shell(self, script) -> int:
        return self._forks.shell(script, cwd=self.folder)

    def mount(self, options):
        # The shell's own folder is the one below the mount.
        assert self.shell(f"mount -t tmpfs -o {options} tmpfs {self.folder}") == 0

    def remount(self, options) -> bool:
        return self.shell(f"mount -o remount,{options} {self.folder} 2>/dev/null") == 0

    def copy(self):
        """A copy of all that is on it now."""
        shutil.rmtree(self._copies, ignore_errors=True)
        assert self.shell(f"cp -a {self.folder} {self._copies}") == 0
        return self._copies


@pytest.fixture
def disk(forks, tmp_path):
    (tmp_path / "disk").mkdir()
    mounted = Disk(forks, tmp_path / "disk", tmp_path / "copy")
    yield mounted
    assert mounted.shell(f"cd / && umount {mounted.folder}") == 0


def is_same_run(path, other) -> bool:
    record = read_record(path)
    return all(read_file(path, record, name) == (other / name).read_bytes() for name in REQUIRED)


def assert_failed(ended, *fragments):
    assert ended.returncode == 6, ended.stderr
    assert "Traceback" not in ended.stderr
    for fragment in fragments:
        assert fragment in ended.stderr


def wait_for(is_there, what):
    for _ in range(2000):
        if is_there():
            return
        time.sleep(0.005)
    raise AssertionError(f"{what} never came")


# ---------------------------------------------------------------- the disk


@pytest.mark.parametrize("limit", ["size=4k", "size=60k", "size=120k", "nr_inodes=5"])
def test_a_disk_without_room_stops_a_training_that_goes_on_when_there_is_some(trained, forks, disk, limit):
    disk.mount(limit)
    path = disk.folder / "run"
    ended = forks.run("train", "config.yaml", "--run-dir", path, cwd=trained, pause=0.05)
    assert_failed(ended, f"{path}", "no space left on device", "Free some space")
    assert [entry.name for entry in disk.copy().rglob("*") if is_temporary(entry.name)] == []
    assert disk.remount("size=16m,nr_inodes=1000")
    # Where nothing could be written there is nothing to go on with, and it starts from the beginning.
    if (disk.copy() / "run" / "run.json").exists() and "--resume" in ended.stderr:
        assert f"Then go on with: dlreg train {path} --resume" in ended.stderr
        command = ["train", path, "--resume"]
    else:
        command = ["train", "config.yaml", "--run-dir", path, "--resume"]
    done = forks.run(*command, "--quiet", cwd=trained)
    assert (done.returncode, done.stdout) == (0, f"{path}\n"), done.stderr
    assert is_same_run(disk.copy() / "run", trained / "whole")
    assert {entry.name for entry in disk.copy().iterdir()} == {"run"}


def test_a_disk_without_room_for_two_runs_keeps_the_old_one(trained, forks, disk):
    disk.mount("size=16m")
    path = disk.folder / "run"
    assert disk.shell(f"cp -a {trained}/old {path} && touch {path}/.gitignore") == 0
    # What is free is taken but for so much.
    fill = f"dd if=/dev/zero of={disk.folder}/filled bs=4k 2>/dev/null; truncate -s -40k {disk.folder}/filled"
    assert disk.shell(fill) == 0
    command = ["train", "config.yaml", "--run-dir", path, "--overwrite", "--quiet"]
    assert_failed(forks.run(*command, cwd=trained), f"{path}", "no space left on device")
    assert is_same_run(disk.copy() / "run", trained / "old")
    assert disk.shell(f"rm {disk.folder}/filled") == 0
    done = forks.run(*command, cwd=trained)
    assert (done.returncode, done.stderr) == (0, "")
    assert is_same_run(disk.copy() / "run", trained / "whole")
    assert (disk.copy() / "run" / ".gitignore").exists()
    assert {entry.name for entry in disk.copy().iterdir()} == {"run"}


def test_a_disk_that_turns_read_only_stops_a_training_that_goes_on_later(trained, forks, disk):
    # It is the run directory itself, so that the lock beside it keeps nothing of it open.
    disk.mount("size=16m")
    path = disk.folder
    forks.start("train", "config.yaml", "--run-dir", path, cwd=trained, pause=0)
    wait_for(lambda: disk.shell(f"test -e {path}/checkpoint.safetensors") == 0, "a checkpoint")
    wait_for(lambda: disk.remount("ro"), "a moment in which no file was being written")
    assert_failed(forks.wait(), f"{path}", "read-only file system", "Then go on with")
    with pytest.raises(RunDirError, match="not complete but running"):
        read_record(disk.copy())
    refused = forks.run("train", path, "--resume", cwd=trained)
    assert_failed(refused, f"{path}", "read-only file system")
    assert disk.remount("rw")
    done = forks.run("train", path, "--resume", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stderr
    assert is_same_run(disk.copy(), trained / "whole")


def test_results_that_find_no_room_are_an_error_and_the_run_is_whole(trained, forks, disk):
    disk.mount("size=8k")
    assert disk.shell(f"head -c 8192 /dev/zero > {disk.folder}/printed") == 0
    script = f"{sys.executable} -m dlreg evaluate {trained}/whole >> {disk.folder}/printed 2> {trained}/told"
    assert disk.shell(script) == 6
    told = (trained / "told").read_text()
    assert "standard output: no space left on device" in told and "Traceback" not in told
    assert is_same_run(trained / "whole", trained / "whole")


# ---------------------------------------------------------------- standard streams


@pytest.mark.parametrize(
    ("arguments", "streams", "code"),
    [
        ("train config.yaml --run-dir RUN", "<&- >&- 2>&-", 0),
        ("evaluate whole", "2>/dev/full", 0),
        ("predict whole table.csv", ">&-", 0),
        ("predict whole", "<&-", 4),
        ("evaluate nowhere", "2>&-", 5),
        ("evaluate nowhere", "2>/dev/full", 5),
        ("evaluate whole", ">/dev/full", 6),
    ],
)
def test_closed_and_full_streams_change_no_exit_code_and_no_run(trained, tmp_path, arguments, streams, code):
    command = f"{sys.executable} -m dlreg {arguments.replace('RUN', str(tmp_path / 'run'))} {streams}"
    done = subprocess.run(["sh", "-c", command], cwd=trained, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists() or is_same_run(tmp_path / "run", trained / "whole")


# ---------------------------------------------------------------- what others do meanwhile


@pytest.fixture
def running(trained, forks, tmp_path):
    """A copy of the config and its table, and a training of it in `run` that halts after a checkpoint."""
    for name in ("config.yaml", "table.csv"):
        shutil.copy(trained / name, tmp_path / name)
    process = forks.start("train", "config.yaml", "--run-dir", "run", cwd=tmp_path, pause=0)
    wait_for((tmp_path / "run" / "checkpoint.safetensors").exists, "a checkpoint")
    os.kill(process, signal.SIGSTOP)
    yield tmp_path, process
    # A test that failed has left it halted.
    with suppress(OSError):
        if "(stopped)" in Path(f"/proc/{process}/status").read_text():
            os.kill(process, signal.SIGKILL)


def finish(forks, process):
    os.kill(process, signal.SIGCONT)
    return forks.wait()


def test_a_table_cut_and_a_config_changed_while_training_change_nothing_of_the_run(running, trained, forks):
    folder, process = running
    (folder / "config.yaml").write_text("data: {path: other.csv, target: z}\n")
    os.truncate(folder / "table.csv", 100)
    done = finish(forks, process)
    assert done.returncode == 0, done.stderr
    record = read_record(folder / "run")
    for name in REQUIRED - {"config.yaml"}:
        assert read_file(folder / "run", record, name) == (trained / "whole" / name).read_bytes()
    measured = run_cli("evaluate", "run", cwd=folder)
    assert measured.returncode == 5
    assert "table.csv: the file has changed since the run was made" in measured.stderr


def test_a_run_is_not_resumed_on_a_table_that_was_cut(running, forks):
    folder, process = running
    os.kill(process, signal.SIGKILL)
    forks.wait()
    os.truncate(folder / "table.csv", 100)
    refused = forks.run("train", "run", "--resume", cwd=folder)
    assert refused.returncode == 5
    assert "data.path: the file has changed since the run began" in refused.stderr


def test_a_directory_removed_while_training_is_named_and_not_made_anew(running, forks):
    folder, process = running
    shutil.rmtree(folder / "run")
    assert_failed(finish(forks, process), "run: the directory was removed while the run was written")
    assert {entry.name for entry in folder.iterdir()} == {"config.yaml", "table.csv"}


def test_a_file_removed_while_training_leaves_no_run_that_looks_whole(running, forks):
    folder, process = running
    (folder / "run" / "split.json").unlink()
    assert_failed(finish(forks, process), "run: removed while the run was written: split.json")
    with pytest.raises(RunDirError, match="not complete but failed"):
        read_record(folder / "run")


def test_a_second_training_into_the_directory_is_refused_and_disturbs_nothing(running, trained, forks):
    folder, process = running
    for option in ("--resume", "--overwrite"):
        second = run_cli("train", "config.yaml", "--run-dir", "run", option, cwd=folder)
        assert_failed(second, f"the directory is in use by process {process} on")
    assert finish(forks, process).returncode == 0
    record = read_record(folder / "run")
    for name in REQUIRED - {"config.yaml"}:
        assert read_file(folder / "run", record, name) == (trained / "whole" / name).read_bytes()


SWAPS = """
import json, sys
from pathlib import Path
from dlreg.runs.directory import open_run_dir
path, sources = Path(sys.argv[1]), list(map(Path, sys.argv[2:]))
runs = [{file.name: file.read_bytes() for file in source.iterdir()} for source in sources]
print("ready", flush=True)
for number in range(10**6):
    if (path.parent / "enough").exists():
        break
    files = runs[number % 2]
    with open_run_dir(path, overwrite=True) as run:
        for name, content in files.items():
            if name != "run.json":
                run.write(name, content, hashed=not name.endswith(".png"))
        facts = json.loads(files["run.json"])
        run.set_status("complete", {key: facts[key] for key in facts.keys() - {"sha256", "files", "status"}})
print(number)
"""


@pytest.mark.filterwarnings("ignore:reading")
def test_whoever_reads_while_runs_replace_each_other_reads_one_of_them(trained, tmp_path):
    path, sources = tmp_path / "run", [trained / "whole", trained / "old"]
    shutil.copytree(sources[0], path)
    (path / ".gitignore").touch()
    rmse = {evaluate(source, None, (), None, ())[0]["test"]["rmse"] for source in sources}
    assert len(rmse) == 2
    writer = subprocess.Popen(
        [sys.executable, "-c", SWAPS, path, *sources], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "ready\n"
    read, n_read, end = set(), 0, time.monotonic() + 60
    while (read != rmse or n_read < 6) and time.monotonic() < end:
        read.add(evaluate(path, None, (), None, ())[0]["test"]["rmse"])
        faults = [str(fault) for fault in verify(path)[1] if fault.path != str(path / ".gitignore")]
        assert faults == []
        plot(path, "predictions", tmp_path / "figure.png")
        n_read += 1
    (tmp_path / "enough").touch()
    swaps = int(writer.communicate()[0])
    assert writer.returncode == 0
    assert read == rmse
    assert swaps > n_read
    assert (path / ".gitignore").exists()
