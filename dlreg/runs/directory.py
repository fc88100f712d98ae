"""A run directory as it is written: whole files or none, by one process at a time, `run.json` last.

Every file is written beside its name, synced and renamed into place. What a killed process leaves is put
right when the next one opens the directory for writing.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dlreg.errors import Fault, StorageError
from dlreg.files.plain_file import open_plain_file
from dlreg.files.whole_file import (
    replacing,
    reporting_storage_errors,
    sweep_temporaries,
    sync_folder,
    write_all,
    write_atomically,
)
from dlreg.runs.lock import locked
from dlreg.runs.names import CHECKPOINT, RUN
from dlreg.runs.reading import SCHEMA_VERSION, record_json
from dlreg.runs.replacing import finish_swap, folder_to_write, swap


class RunDir:
    """A run directory being written by this process, which holds its lock; `open_run_dir` makes it.

    Args:
        path: Where the finished run will stand.
        folder: Where it is made: there, or beside the run it replaces.

    Attributes:
        path: Where the finished run will stand.
        record: What `run.json` says, without its own hash.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "status": "running", "files": {}}
        self._folder = folder

    @property
    def is_resumable(self) -> bool:
        """Whether the run can be resumed when it is broken off; not if it is to replace another."""
        return self._folder == self.path

    def write(self, name: str, content: bytes, *, hashed: bool = True) -> None:
        """Writes a file in one step; figures and checkpoints need no hash."""
        write_atomically(self._folder / name, content)
        if hashed:
            self.record["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    @contextmanager
    def open_file(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """A function that writes the next bytes of a file, which appears, whole, when the block ends."""
        digest, size = hashlib.sha256(), 0
        with replacing(self._folder / name) as descriptor:

            def write(content: bytes) -> None:
                nonlocal size
                digest.update(content)
                size += len(content)
                write_all(descriptor, content)

            yield write
        self.record["files"][name] = {"size": size, "sha256": digest.hexdigest()}

    def set_status(self, status: str, facts: Mapping[str, Any] | None = None) -> None:
        """Rewrites `run.json`; with `complete` the run takes the place of the one it replaces.

        Raises:
            StorageError: The run is to be complete, and a file of it is not there any more.
        """
        if status == "complete":
            self._refuse_removed_files()
        self.record |= {"status": status, **(facts or {})}
        write_atomically(self._folder / RUN, record_json(self.record))
        if status == "complete" and self._folder != self.path:
            swap(self._folder, self.path)
            self._folder = self.path

    def _refuse_removed_files(self) -> None:
        removed = [name for name in self.record["files"] if not (self._folder / name).is_file()]
        if removed:
            message = f"removed while the run was written: {', '.join(removed)}"
            raise StorageError(Fault(message, str(self.path), hint="Train again"))

    @contextmanager
    def open_checkpoint(self) -> Iterator[tuple[BinaryIO, int] | None]:
        """The checkpoint, opened, and its size in bytes; None if there is none.

        Raises:
            RunDirError: It is no plain file.
        """
        file = self._folder / CHECKPOINT
        if not os.path.lexists(file):
            yield None
            return
        with open_plain_file(file) as opened:
            yield opened

    def remove_checkpoint(self) -> None:
        """Removes the checkpoint, if there is one, of a run that cannot go on."""
        with contextlib.suppress(OSError):
            (self._folder / CHECKPOINT).unlink()


def refuse_occupied(path: Path, *, overwrite: bool = False, resume: bool = False) -> None:
    """Refuses a directory that `open_run_dir` would refuse, before anything is read for it.

    Raises:
        StorageError: The directory is not empty, or cannot be read.
    """
    with reporting_storage_errors(path):
        folder_to_write(place_of(path), overwrite=overwrite, resume=resume)


def place_of(path: Path, what: str = "run", option: str = "--run-dir") -> Path:
    """Where a directory really stands: a link, `.` and `..` have no place of their own to make one beside.

    Args:
        path: As it was given.
        what: Is to stand there.
        option: Gives another place.

    Raises:
        StorageError: It is the root of all directories.
    """
    is_plain = path.name not in ("", "..") and not path.is_symlink()
    place = path if is_plain else Path(os.path.realpath(path))
    if not place.name:
        message = f"the root of all directories cannot be a {what}"
        raise StorageError(Fault(message, str(path), hint=f"Give another {option}"))
    return place


@contextmanager
def open_run_dir(path: Path, *, overwrite: bool = False, resume: bool = False) -> Iterator[RunDir]:
    """Makes a run directory and holds its lock.

    Args:
        path: Where the run shall stand.
        overwrite: Replace the run that is there. It stays readable: the new one is made beside it and
            takes its place when it is complete. Broken off before, it starts anew the next time.
        resume: Go on with the unfinished run that is there, if there is one.

    Raises:
        StorageError: The directory is not empty, in use by another process, or cannot be written.
    """
    target = place_of(path)
    with reporting_storage_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target):
            finish_swap(target)
            folder = folder_to_write(target, overwrite=overwrite, resume=resume)
            folder.mkdir(exist_ok=True)
            sweep_temporaries(folder)
            sync_folder(folder.parent)
            run = RunDir(target, folder)
            try:
                yield run
            except (OSError, StorageError) as error:
                if folder.exists() or run.record["status"] == "complete":
                    raise
                message = "the directory was removed while the run was written"
                raise StorageError(Fault(message, str(path), hint="Train again")) from error


def next_run_dir(name: str, parent: Path = Path("runs")) -> Path:
    """Makes the next of `runs/NAME-1`, `runs/NAME-2`, … that is free.

    Args:
        name: What it is called after.
        parent: Another folder than `runs`.
    """
    with reporting_storage_errors(parent):
        parent.mkdir(exist_ok=True)
        taken = [
            entry.name.removeprefix(f"{name}-")
            for entry in parent.iterdir()
            if entry.name.startswith(f"{name}-")
        ]
        number = max((int(end) for end in taken if end.isdecimal() and len(end) < 10), default=0)
        while True:
            number += 1
            try:
                (parent / f"{name}-{number}").mkdir()
            except FileExistsError:
                continue
            return parent / f"{name}-{number}"
