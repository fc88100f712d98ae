"""How much memory a process may still take, where machine, containers and `ulimit` leave it less."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dlreg import memory
from dlreg.errors import DataError, StorageError
from dlreg.memory import format_bytes, is_lack_of_memory, reporting_lack_of_memory, rooms

ROOT = Path(__file__).parents[1]
linux = pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux has /proc")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8,000 kB of free memory; writes the files of control groups."""
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:    8000 kB\nHugePages: 0\n")
    (tmp_path / "self" / "status").write_text("Name:\tpython\nVmSize:\t 300 kB\nVmRSS:\t 100 kB\n")
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "cgroup")

    def with_groups(line, **folders):
        (tmp_path / "self" / "cgroup").write_text(line)
        for name, files in folders.items():
            folder = tmp_path / "cgroup" / name.replace("__", "/")
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in files.items():
                (folder / file.replace("__", ".")).write_text(str(content))

    return with_groups


def left():
    return {room.limit: room.left for room in rooms() if room.counts == "memory"}


def test_a_machine_leaves_what_is_available(machine):
    assert left() == {"this machine": 8000 * 1024}
    assert rooms()[0].held == 100 * 1024


def test_the_smallest_group_counts_and_cached_files_are_given_back(machine):
    machine(
        "12:cpu:/a\n0::/a/b\n",
        a__b={"memory__max": "max", "memory__current": 5},
        a={
            "memory__max": 1_000_000,
            "memory__current": 900_000,
            "memory__stat": "anon 100\nfile 800000\ninactive_file 300000\nactive_file 100000\n",
        },
    )
    assert left() == {"this machine": 8000 * 1024, "the container": 500_000}


def test_the_older_interface_is_read_too(machine):
    group = {
        "memory__limit_in_bytes": 2_000_000,
        "memory__usage_in_bytes": 2_500_000,
        "memory__stat": "inactive_file 1\ntotal_inactive_file 100000\ntotal_active_file 0\n",
    }
    # From inside a container the path is that of the machine, where nothing is.
    machine("5:memory,pids:/docker/abc\n", memory=group)
    assert left()["the container"] == 0


@pytest.mark.parametrize("line", ["", "nonsense\n", "0::/\n", "4:memory:/gone/away\n"])
def test_what_cannot_be_read_limits_nothing(machine, line):
    machine(line)
    assert list(left()) == ["this machine"]


def test_where_a_system_tells_nothing_there_is_no_limit(machine, tmp_path):
    for path in (tmp_path / "meminfo", tmp_path / "self" / "status"):
        path.unlink()
    assert rooms() == []
    with pytest.raises(StorageError, match="there is too little memory"), reporting_lack_of_memory():
        raise MemoryError


def test_bytes_are_told_as_people_count_them():
    assert [format_bytes(n) for n in (0, 4_400_000, 999_000_000, 1_000_000_000, 5.26e9)] == [
        "0 MB", "4 MB", "999 MB", "1.0 GB", "5.3 GB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("std::bad_alloc"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes"), True),
        (RuntimeError("can't start new thread"), True),
        (OSError(28, "No space left on device"), False),
        (ValueError("shapes do not fit"), False),
    ],
)
def test_libraries_say_in_many_ways_that_there_is_no_memory(error, expected):
    assert is_lack_of_memory(error) == expected
    led_to = RuntimeError("cannot go on")
    led_to.__cause__ = error
    assert is_lack_of_memory(led_to) == expected
    with pytest.raises(StorageError if expected else type(error)), reporting_lack_of_memory():
        raise error


def test_errors_of_ours_stay_what_they_are():
    with pytest.raises(DataError), reporting_lack_of_memory():
        raise DataError("a cell of 60 MB takes too much memory: bad_alloc")


def run(arguments, cwd, n_bytes=None, group=None):
    def prepare():
        if n_bytes:
            resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))
        if group:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    return subprocess.run(
        [sys.executable, "-m", "dlreg", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepare,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "OPENBLAS_NUM_THREADS": "1"},
    )


@linux
@pytest.mark.parametrize("command", ["train", "check"])
def test_a_training_that_ulimit_leaves_no_room_for_is_refused_before_anything_is_written(
    project, tmp_path, command
):
    options = ["--run-dir", tmp_path / "run"] if command == "train" else []
    done = run([command, "config.yaml", *options], project, 2_000_000_000)
    assert done.returncode == 6, done.stderr
    text = done.stdout + done.stderr
    assert "GB of address space, and ulimit -v leaves 2.0 GB. Raise it with: ulimit -v unlimited" in text
    assert not (tmp_path / "run").exists()


@linux
def test_memory_that_ends_on_the_way_is_no_bug(project, tmp_path):
    """The table alone is too much, before any plan of a training."""
    rows = "".join(f"{n},{n % 7},{n % 5}\n" for n in range(3_000_000))
    (tmp_path / "table.csv").write_text("a,b,y\n" + rows)
    (tmp_path / "config.yaml").write_text("data: {path: table.csv, target: y, cache: memory}\n")
    done = run(["train", "config.yaml", "--run-dir", "run"], tmp_path, 400_000_000)
    assert done.returncode == 6, done.stderr
    assert "there is too little memory: ulimit -v leaves" in done.stderr
    assert "bug" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture
def group():
    """A control group of this test's own, where one can be made."""
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    path, limit = own.get("memory", own.get("", "/")), "memory.max"
    folder = Path("/sys/fs/cgroup")
    if "memory" in own:
        folder, limit = folder / "memory", "memory.limit_in_bytes"
    folder = folder / path.strip("/") / f"dlreg-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / limit).write_text("700000000")
    except OSError as error:
        folder.exists() and folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    folder.rmdir()


@linux
def test_a_training_too_large_for_its_container_is_refused_instead_of_killed(project, tmp_path, group):
    done = run(["train", "config.yaml", "--run-dir", tmp_path / "run"], project, group=group)
    assert done.returncode == 6, done.stderr
    assert "of memory, and the container leaves 7" in done.stderr.replace(" 69", " 7").replace(" 68", " 7")
    assert not (tmp_path / "run").exists()


@linux
def test_freed_memory_is_returned():
    def held():
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    # Pieces that the C library does not map one by one, with one in use above them.
    pieces = [b"x" * (100_000 + size) for size in range(1000)]
    last = b"x" * 100_000
    full = held()
    del pieces
    memory.return_freed_memory()
    assert full - held() > 80
    assert len(last) == 100_000
