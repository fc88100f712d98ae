"""How much memory this process may still take, and the error that says so when it was not enough.

The kernel kills a process without a word that takes more than its machine or container has; where `ulimit`
bounds its address space, libraries fail in ways of their own.
"""

import ctypes
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import ENOMEM
from pathlib import Path
from typing import Literal, NamedTuple

from dlreg.errors import DlregError, Fault, StorageError

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
# What libraries say that found no memory. Few have an exception of their own for it.
_SIGNS = (
    "bad_alloc", "bad allocation", "cannot allocate memory", "can't start new thread",
    "failed to allocate memory", "failed to map segment", "out of memory", "resource_exhausted",
)  # fmt: skip


class Room(NamedTuple):
    """What a limit leaves to this process.

    Attributes:
        limit: What limits it, as a message names it.
        counts: What counts: memory in use, or all of the address space or of the data that is mapped.
        held: How many bytes of that it has already.
        left: How many more it may take.
        hint: What to do where that is too little.
    """

    limit: str
    counts: Literal["memory", "address space", "data"]
    held: int
    left: int
    hint: str


def rooms() -> list[Room]:
    """What each limit leaves: the machine, the containers around this process, and `ulimit`.

    None of those that a system does not tell of: macOS has no `/proc`.
    """
    status, found = _numbers(_PROC / "self" / "status"), []
    held = status.get("VmRSS", 0) * 1024
    with suppress(OSError, KeyError, ValueError):
        free = _numbers(_PROC / "meminfo")["MemAvailable"] * 1024
        found.append(
            Room("this machine", "memory", held, free, "End other programs, or take a larger machine")
        )
    for folder, names in _container_folders():
        with suppress(OSError, KeyError, ValueError):
            limit, used = (int((folder / name).read_text()) for name in names)
            statistics = _numbers(folder / "memory.stat")
            # Pages of files are given back when they are needed; `total_…` counts the groups within.
            for name in ("active_file", "inactive_file"):
                used -= statistics.get(f"total_{name}", statistics.get(name, 0))
            hint = "Raise its limit, such as by docker's --memory"
            found.append(Room("the container", "memory", held, limit - max(used, 0), hint))
    for name, limit, counts, kind in _ULIMITS:
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY and kind in status:
            held = status[kind] * 1024
            found.append(Room(name, counts, held, soft - held, f"Raise it with: {name} unlimited"))
    return [room._replace(left=max(room.left, 0)) for room in found]


def format_bytes(n_bytes: float) -> str:
    """Bytes to read: in gigabytes, or in megabytes where they are few."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


_ULIMITS: Sequence[tuple[str, int, Literal["address space", "data"], str]] = (
    ("ulimit -v", resource.RLIMIT_AS, "address space", "VmSize"),
    ("ulimit -d", resource.RLIMIT_DATA, "data", "VmData"),
)


def return_freed_memory() -> None:
    """Gives the system back what was freed, of which the C library may keep a lot.

    Worth some milliseconds between two stages that take much for a while.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


@contextmanager
def reporting_lack_of_memory() -> Iterator[None]:
    """Turns the errors of whoever found no memory into one that says how much there is.

    Raises:
        StorageError: In place of any such error.
    """
    try:
        yield
    except DlregError:
        raise
    except Exception as error:
        if not is_lack_of_memory(error):
            raise
        raise StorageError(_lack_of_memory()) from error


def _lack_of_memory() -> Fault:
    message, tightest = "there is too little memory", min(rooms(), key=lambda room: room.left, default=None)
    if tightest is None:
        return Fault(message, hint="Take a smaller table or network")
    message += f": {tightest.limit} leaves {format_bytes(tightest.left)} of {tightest.counts} to this process"
    return Fault(f"{message}, which holds {format_bytes(tightest.held)}", hint=tightest.hint)


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that led to it, says that there was no memory."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == ENOMEM:
        return True
    text = f"{type(error).__name__} {error}".lower()
    if any(sign in text for sign in _SIGNS):
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and is_lack_of_memory(cause)


def memory_in_use() -> int:
    """The memory that this process uses, in bytes; the most so far where the system tells no more."""
    with suppress(OSError, KeyError):
        # The peak would be that of the process that started this one, if it was larger.
        return _numbers(_PROC / "self" / "status")["VmRSS"] * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _numbers(path: Path) -> dict[str, int]:
    """The numbers of a file with a name and a number in each line, perhaps a colon and a unit; or none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    words = (line.replace(":", " ").split() for line in lines)
    return {name: int(value) for name, value, *_ in (two for two in words if len(two) > 1) if value.isdigit()}


def _container_folders() -> Iterator[tuple[Path, tuple[str, str]]]:
    """The folders of the control groups that this process is in, and their files of limit and use.

    The two versions of the interface: https://docs.kernel.org/admin-guide/cgroup-v2.html and
    https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
    """
    with suppress(OSError, ValueError):
        for line in (_PROC / "self" / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                root, names = _CGROUP, ("memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                root, names = _CGROUP / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            else:
                continue
            # A container may see its own group as the root, or its path from outside, where nothing is.
            folder = root / path.strip("/")
            while folder != root:
                yield folder, names
                folder = folder.parent
            yield root, names
