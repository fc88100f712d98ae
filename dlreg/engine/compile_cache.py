"""XLA's cache of compiled programs: kept for one user, one TensorFlow and one processor.

A compiled program is machine code, so it is kept only where nobody else can write and where all that stands
is this user's. Its name ends with its hash: what a full disk, a crash or a bad block made of it is seen, and
removed. XLA itself gets a folder of this process alone, with links to what is sound, so that processes cannot
disturb each other.
Where there is no such place there is no cache, and training only starts a second later.
"""

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from dlreg.files.cache_folder import cache_folder
from dlreg.files.hashing import sha256_of_file, sha256_of_stream
from dlreg.files.plain_file import NotPlainError, open_plain
from dlreg.processor import read_cpuinfo

MAX_BYTES = 64 << 20
_IN_USE = "in-use-"
# An older folder of a process was left behind when it was killed.
MAX_SECONDS_IN_USE = 86400


@contextmanager
def compile_cache(*, enabled: bool) -> Iterator[Path | None]:
    """The folder to give to XLA, before TensorFlow is imported; None for no cache.

    What XLA has written there is kept when the block ends.
    """
    folder = work = None
    if enabled:
        with suppress(OSError):
            folder = _private_folder()
            if folder:
                work = Path(tempfile.mkdtemp(prefix=_IN_USE, dir=folder))
                _link_all(folder, work)
    try:
        yield work
    finally:
        if folder and work:
            with suppress(OSError):
                _keep_new(work, folder)
            shutil.rmtree(work, ignore_errors=True)


def _private_folder() -> Path | None:
    """`xla-…` in dlreg's cache folder, if only this user can write there."""
    base = cache_folder()
    if not base:
        return None
    folder = base / f"xla-{_machine_fingerprint()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve(strict=True)
    is_ours = _is_ours(folder.lstat()) and all(_owns(status) for _, status in _newest_first(folder))
    return folder if is_ours and all(map(_is_private, folder.parents)) else None


def _machine_fingerprint() -> str:
    """A name for all that compiled code depends on: versions and processor."""
    lines = {line for line in read_cpuinfo() if line.startswith(("model name", "flags", "Features"))}
    facts = [version("tensorflow"), version("keras"), os.uname().machine, *sorted(lines)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _owns(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()


def _is_ours(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else may write there."""
    return _owns(status) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user and root can change what this user has put into a folder."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (0, os.geteuid()):
        return False
    # In a sticky folder others may add names, but not touch ours.
    return not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or bool(status.st_mode & stat.S_ISVTX)


def _newest_first(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """What stands in a folder, but for what another process removes meanwhile."""
    entries = []
    for entry in folder.iterdir():
        with suppress(FileNotFoundError):
            entries.append((entry, entry.lstat()))
    return sorted(entries, key=lambda pair: pair[1].st_mtime, reverse=True)


def _link_all(folder: Path, work: Path) -> None:
    """Links the undamaged entries; damaged ones, the oldest, and older ones of one name are removed.

    Processes that start at once without a program keep one each, and no two have the same bytes.
    """
    room = MAX_BYTES
    for entry, status in _newest_first(folder):
        if stat.S_ISDIR(status.st_mode):
            if time.time() - status.st_mtime > MAX_SECONDS_IN_USE and entry.name.startswith(_IN_USE):
                shutil.rmtree(entry, ignore_errors=True)
            continue
        room -= status.st_size
        name, _, digest = entry.name.rpartition(".")
        is_new = name and not (work / name).exists()
        if not (is_new and room >= 0 and _link_if_sound(entry, work / name, digest)):
            entry.unlink(missing_ok=True)


def _link_if_sound(entry: Path, link: Path, digest: str) -> bool:
    """Links an entry that is this user's alone and has this hash; says whether it did."""
    try:
        with open_plain(entry, follow_link=False) as file:
            status = os.fstat(file.fileno())
            if not _is_ours(status) or sha256_of_stream(file) != digest:
                return False
            link.hardlink_to(entry)
            # The name could lead elsewhere by now.
            if not os.path.samestat(status, link.lstat()):
                link.unlink()
                return False
            return True
    except (NotPlainError, FileNotFoundError):
        return False


def _keep_new(work: Path, folder: Path) -> None:
    for entry in work.iterdir():
        # An entry with two links was there before.
        if entry.lstat().st_nlink == 1:
            # XLA leaves it as open as the umask does.
            entry.chmod(0o600)
            entry.replace(folder / f"{entry.name}.{sha256_of_file(entry)}")
