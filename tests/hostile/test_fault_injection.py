"""Every write, sync, rename and close of a run directory fails, or is the last thing a process does.

The default is every step of a run of small files with one way to fail, some as a kill of a process of its own,
and a few steps of a real training. `DLREG_LONG_TESTS=1` takes every step, every errno and every kill of both
(about an hour; `-k "training and kill and new"` takes a quarter of the second half).
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from dlreg.errors import RunDirError, StorageError
from dlreg.files.whole_file import is_temporary
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import LOSS_CURVE, REQUIRED, new_beside, old_beside
from dlreg.runs.reading import read_file, read_record

LONG = bool(os.environ.get("DLREG_LONG_TESTS"))
STEPS = ("write", "fsync", "rename", "replace", "close", "mkdir", "unlink", "rmdir")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES) if LONG else (errno.ENOSPC,)
NAMES = sorted(REQUIRED)
FOREIGN = [".gitignore", "link", "notes"]


def write_run(path, number, *, overwrite=False):
    """A run of a dozen small files, all of which hold its number."""
    with open_run_dir(path, overwrite=overwrite) as run:
        run.set_status("running", {"number": number})
        for name in NAMES:
            run.write(name, f"{name} of run {number}\n".encode() * 20)
        run.write(LOSS_CURVE, b"figure", hashed=False)
        run.set_status("complete")


def number_of(path) -> int | None:
    """The number of the whole run that is read there; None where the commands say that there is none."""
    try:
        record = read_record(path)
    except RunDirError as error:
        assert error.exit_code == 5
        return None
    for name in NAMES:
        content = read_file(path, record, name)
        assert content == f"{name} of run {record['number']}\n".encode() * 20
    return record["number"]


def add_foreign(path):
    """What dlreg did not write, beside the files of a run."""
    (path / ".gitignore").write_text("/run.json\n")
    (path / "notes" / "deep").mkdir(parents=True)
    (path / "notes" / "deep" / "thesis.txt").write_text("years")
    (path / "link").symlink_to("nowhere")


def is_foreign_whole(path) -> bool:
    return [
        (path / ".gitignore").read_text(),
        (path / "notes" / "deep" / "thesis.txt").read_text(),
        str((path / "link").readlink()),
    ] == ["/run.json\n", "years", "nowhere"]


def places_of_foreign(path) -> list[str]:
    """The names of all that `add_foreign` made, wherever it stands now."""
    places = [place for place in (path, old_beside(path), new_beside(path)) if place.exists()]
    return sorted(entry.name for place in places for entry in place.iterdir() if entry.name in FOREIGN)


class Fault:
    """Counts the steps a process takes on the file system and fails, or dies, at one of them."""

    def __init__(self, at=None, error=None):
        self.count, self.at, self.error = 0, at, error
        self.real = {name: getattr(os, name) for name in STEPS}

    def __enter__(self):
        for name in STEPS:
            setattr(os, name, self._step(name))
        return self

    def __exit__(self, *_):
        for name, function in self.real.items():
            setattr(os, name, function)

    def _step(self, name):
        def step(*arguments, **options):
            self.count += 1
            if self.count != self.at:
                return self.real[name](*arguments, **options)
            if self.error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "close":
                self.real[name](*arguments)
            if name == "write":
                # A full disk takes the first part of what is written.
                self.real[name](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            raise OSError(self.error, os.strerror(self.error))

        return step


def n_steps(tmp_path, *, overwrite) -> int:
    write_run(tmp_path / "counted", 1)
    add_foreign(tmp_path / "counted")
    with Fault() as fault:
        write_run(tmp_path / ("counted" if overwrite else "other"), 2, overwrite=overwrite)
    return fault.count


def assert_tidy(tmp_path, name="run", foreign=()):
    """Nothing of dlreg's is left beside the run or in it once the next one has been written."""
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    names = {entry.name for entry in (tmp_path / name).iterdir()}
    assert names == {*NAMES, "run.json", "loss_curve.png", *foreign}
    assert not foreign or is_foreign_whole(tmp_path / name)


@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "overwrite"])
def test_a_step_that_fails_leaves_the_old_run_or_the_new_one(tmp_path, overwrite):
    (tmp_path / "count").mkdir()
    steps = n_steps(tmp_path / "count", overwrite=overwrite)
    assert steps > 60
    outcomes = set()
    for error in ERRORS:
        for at in range(1, steps + 1):
            folder = tmp_path / f"{error}-{at}"
            folder.mkdir()
            path = folder / "run"
            old = None
            if overwrite:
                write_run(path, 1)
                add_foreign(path)
                old = 1
            failed = False
            try:
                with Fault(at, error):
                    write_run(path, 2, overwrite=overwrite)
            except StorageError as raised:
                failed = True
                assert raised.exit_code == 6
            number = number_of(path)
            assert number in (old, 2), f"step {at}"
            assert not overwrite or places_of_foreign(path) == FOREIGN, f"step {at}"
            # What did not fail is there; a step that only tidies up may fail unnoticed.
            assert failed or number == 2, f"step {at}"
            left = [entry for entry in folder.rglob("*") if is_temporary(entry.name)]
            assert left == [], f"step {at}"
            outcomes.add((failed, number))
            # The next process needs nobody to clean up.
            write_run(path, 3, overwrite=True)
            assert number_of(path) == 3
            assert_tidy(folder, foreign=FOREIGN if overwrite else ())
    assert (True, old) in outcomes


@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "overwrite"])
def test_a_kill_at_any_step_leaves_the_old_run_or_the_new_one(tmp_path, overwrite):
    (tmp_path / "count").mkdir()
    steps = n_steps(tmp_path / "count", overwrite=overwrite)
    # The last steps are those of the swap.
    n_last = 36 if overwrite else 12
    chosen = (
        range(1, steps + 1) if LONG else [*range(1, steps - n_last, 9), *range(steps - n_last, steps + 1)]
    )
    seen = set()
    for at in chosen:
        folder = tmp_path / str(at)
        folder.mkdir()
        path = folder / "run"
        old = None
        if overwrite:
            write_run(path, 1)
            add_foreign(path)
            old = 1
        pid = os.fork()
        if pid == 0:
            try:
                with Fault(at):
                    write_run(path, 2, overwrite=overwrite)
            finally:
                os._exit(99)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"step {at}: {status}"
        number = number_of(path)
        assert number in (old, 2), f"step {at}"
        assert not overwrite or places_of_foreign(path) == FOREIGN, f"step {at}"
        seen.add(number)
        # A process that is killed leaves no lock, and the next one sweeps what it left.
        write_run(path, 3, overwrite=True)
        assert number_of(path) == 3
        assert_tidy(folder, foreign=FOREIGN if overwrite else ())
    assert seen == {old, 2}


def test_a_swap_cut_short_is_read_and_then_finished(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    write_run(tmp_path / "two", 2)
    path.rename(tmp_path / ".run.dlreg-old")
    (tmp_path / "two").rename(tmp_path / ".run.new")
    assert number_of(path) == 2
    with pytest.raises(StorageError, match="not empty"):
        write_run(path, 3)
    assert number_of(path) == 2
    assert_tidy(tmp_path)


def test_a_swap_whose_new_run_is_lost_goes_back_to_the_old_one(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    path.rename(tmp_path / ".run.dlreg-old")
    assert number_of(path) == 1
    with pytest.raises(StorageError, match="not empty"):
        write_run(path, 3)
    assert number_of(path) == 1
    assert_tidy(tmp_path)


# ---------------------------------------------------------------- a real training


@pytest.fixture(scope="module")
def trained(tmp_path_factory, forks):
    """A folder with a config, its run `whole`, and another run, `old`."""
    folder = tmp_path_factory.mktemp("trained")
    rows = np.random.default_rng(1).normal(size=(60, 3))
    np.savetxt(folder / "table.csv", rows, delimiter=",", header="a,b,y", comments="", fmt="%.4g")
    (folder / "config.yaml").write_text(
        "data: {path: table.csv, target: y}\nmodel: {hidden_layers: [4]}\ntraining: {epochs: 3}\n"
    )
    for name, seed in (("whole", 42), ("old", 7)):
        done = forks.run(
            "train", "config.yaml", "--run-dir", name, "--set", f"training.seed={seed}", cwd=folder, pause=0
        )
        assert done.returncode == 0, done.stderr
    return folder


def is_same_run(path, other) -> bool:
    record = read_record(path)
    return all(read_file(path, record, name) == (other / name).read_bytes() for name in REQUIRED)


CASES = [(error, overwrite) for error in (None, *ERRORS) for overwrite in (False, True)]


def make_place(path, old):
    """An empty folder around a run directory to write, in which the run to replace stands, if any."""
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    if old:
        shutil.copytree(old, path)


@pytest.mark.parametrize(
    ("error", "overwrite"),
    CASES if LONG else [(None, True), (errno.ENOSPC, False)],
    ids=lambda value: (
        errno.errorcode.get(value, "kill") if type(value) is not bool else "overwrite" * value or "new"
    ),
)
def test_every_step_of_a_training_may_fail_or_be_its_last(trained, forks, error, overwrite):
    command = ["train", "config.yaml", "--run-dir", "runs/run", *(["--overwrite"] if overwrite else [])]
    path = trained / "runs" / "run"

    def attempt(at=None):
        make_place(path, trained / "old" if overwrite else None)
        return forks.run(*command, cwd=trained, pause=0, at=at, error=error, below="runs")

    whole = attempt()
    assert whole.steps > 60
    assert is_same_run(path, trained / "whole")
    failed = 0
    for at in range(1, whole.steps + 1, 1 if LONG else 100):
        ended = attempt(at)
        place = f"step {at}: {ended.stderr}"
        assert ended.returncode in ((-signal.SIGKILL,) if error is None else (0, 6)), place
        failed += ended.returncode != 0
        assert "Traceback" not in ended.stderr, place
        try:
            same_run = is_same_run(path, trained / "whole")
        except RunDirError:
            same_run = None
        if overwrite:
            assert same_run is not None, place
            assert same_run or is_same_run(path, trained / "old"), place
        if ended.returncode == 0:
            assert same_run, place
        # An unfinished run goes on; a new one beside a whole one is started anew.
        if not same_run and (at % 10 == 0 or not LONG):
            again = [*command, "--resume"] if same_run is None else command
            done = forks.run(*again, cwd=trained, pause=0)
            assert done.returncode == 0, done.stderr
            assert is_same_run(path, trained / "whole"), place
            assert [entry.name for entry in path.parent.iterdir()] == ["run"]
    assert failed


@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "overwrite"])
def test_a_signal_at_any_step_of_a_training_leaves_a_word_on_how_to_go_on(trained, forks, overwrite):
    command = ["train", "config.yaml", "--run-dir", "runs/run", *(["--overwrite"] if overwrite else [])]
    path = trained / "runs" / "run"

    def attempt(at=None, *more):
        make_place(path, trained / "old" if overwrite else None)
        return forks.run(*command, *more, cwd=trained, pause=0, at=at, below="runs", number=signal.SIGTERM)

    steps = attempt().steps
    # Whether the place is free is looked up before the table is read, when there is nothing to go on with.
    looks = attempt(None, "--set", "data.path=absent.csv").steps
    assert looks < steps // 4
    # The first one after it is before anything is done; the last ones are those of the swap.
    few = (looks + 2, looks + 12, looks + 24, steps // 2, steps - 18, steps - 6)
    seen = set()
    for at in range(looks + 2, steps + 1) if LONG else few:
        ended = attempt(at)
        place = f"step {at} of {steps}: {ended.stderr}"
        assert ended.returncode == 143, place
        assert "Traceback" not in ended.stderr, place
        status = json.loads((path / "run.json").read_text())["status"]
        seen.add(status)
        if overwrite and not is_same_run(path, trained / "whole"):
            assert is_same_run(path, trained / "old"), place
            assert "is unchanged" in ended.stderr, place
            continue
        assert status in ("interrupted", "complete"), place
        # Beyond its last file there is nothing to go on with.
        assert "dlreg train runs/run --resume" in ended.stderr or status == "complete", place
        done = forks.run("train", "runs/run", "--resume", "--quiet", cwd=trained, pause=0)
        assert (done.returncode, done.stdout) == (0, "runs/run\n"), place + done.stderr
        assert is_same_run(path, trained / "whole"), place
    assert seen == ({"complete"} if overwrite else {"interrupted", "complete"})


# ---------------------------------------------------------------- one process at a time

RACE = """
import json, sys, time
from pathlib import Path
from dlreg.errors import StorageError
from dlreg.runs.directory import open_run_dir
path, overwrite = Path(sys.argv[1]), sys.argv[2] == "True"
print("ready", flush=True)
for line in sys.stdin:
    number, start = line.split()
    while time.time() < float(start):
        time.sleep(0)
    try:
        with open_run_dir(path / number, overwrite=overwrite) as run:
            run.set_status("running")
            run.write("config.yaml", sys.argv[3].encode())
            time.sleep(0.03)
            run.set_status("complete", {"who": sys.argv[3]})
        print("won", flush=True)
    except StorageError as error:
        print(error.exit_code, error, flush=True)
"""


@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "overwrite"])
def test_of_two_processes_exactly_one_writes(tmp_path, overwrite):
    rounds = 100
    command = [sys.executable, "-c", RACE, str(tmp_path), str(overwrite)]
    racers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for number in range(rounds):
        if overwrite:
            with open_run_dir(tmp_path / str(number)) as run:
                run.set_status("complete", {"who": "nobody"})
        start = time.time() + 0.005
        for racer in racers:
            racer.stdin.write(f"{number} {start}\n")
            racer.stdin.flush()
        answers = [racer.stdout.readline() for racer in racers]
        assert sum(answer == "won\n" for answer in answers) == 1, answers
        winner = answers.index("won\n")
        loser = answers[1 - winner]
        assert loser.startswith("6 "), loser
        assert f"in use by process {racers[winner].pid} on" in loser, loser
        record = read_record(tmp_path / str(number))
        assert record["who"] == "ab"[winner]
        assert read_file(tmp_path / str(number), record, "config.yaml") == b"ab"[winner : winner + 1]
    for racer in racers:
        racer.stdin.close()
        assert racer.wait() == 0
        racer.stdout.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(map(str, range(rounds)))


def test_a_lock_in_the_directory_serves_where_nothing_can_be_written_beside_it(tmp_path, monkeypatch):
    (tmp_path / "mounted").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with open_run_dir(tmp_path / "mounted") as run:
        run.set_status("running")
        assert (tmp_path / "mounted" / ".lock").exists()
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()}"):
            write_run(tmp_path / "mounted", 2)
        run.set_status("complete")
    assert json.loads((tmp_path / "mounted" / "run.json").read_text())["status"] == "complete"
    assert [entry.name for entry in (tmp_path / "mounted").iterdir()] == ["run.json"]


def test_what_dlreg_did_not_write_stays_with_the_run_that_replaces_another(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    add_foreign(path)
    write_run(path, 2, overwrite=True)
    assert number_of(path) == 2
    assert_tidy(tmp_path, foreign=FOREIGN)


def test_a_directory_in_the_place_of_a_file_is_never_replaced(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    (path / "checkpoint.safetensors").mkdir()
    (path / "checkpoint.safetensors" / "thesis.txt").write_text("years")
    with pytest.raises(StorageError, match="found a directory"):
        write_run(path, 2, overwrite=True)
    assert number_of(path) == 1
    assert (path / "checkpoint.safetensors" / "thesis.txt").read_text() == "years"


def test_of_two_files_of_one_name_neither_is_lost(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    add_foreign(path)
    path.rename(old_beside(path))
    write_run(tmp_path / "two", 2)
    (tmp_path / "two").rename(path)
    (path / "notes").write_text("of the new run")
    with pytest.raises(StorageError, match="has a notes of its own"):
        write_run(path, 3, overwrite=True)
    assert (old_beside(path) / "notes" / "deep" / "thesis.txt").read_text() == "years"
    (path / "notes").unlink()
    write_run(path, 3, overwrite=True)
    assert_tidy(tmp_path, foreign=FOREIGN)


def test_a_stranger_in_the_place_of_the_new_run_is_not_removed(tmp_path):
    path = tmp_path / "run"
    write_run(path, 1)
    (tmp_path / ".run.new").mkdir()
    (tmp_path / ".run.new" / "thesis.txt").write_text("years")
    with pytest.raises(StorageError, match="in the way"):
        write_run(path, 2, overwrite=True)
    assert (tmp_path / ".run.new" / "thesis.txt").read_text() == "years"
    assert number_of(path) == 1
