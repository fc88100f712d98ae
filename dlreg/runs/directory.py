"""The run directory: its files' names, whole files or none, one process at a time, hashes.

Every file is written beside its name, synced and renamed into place; `run.json` is the last. Only this
module knows a file's name. Beside a run directory `NAME` there may be, while it is written:

    .NAME.lock        held by the process that writes; says which one that is
    .NAME.new         the run that replaces NAME, once it is complete
    .NAME.dlreg-old   the run that was replaced, between two renames

What a killed process leaves of these is put right when the next one opens the directory for writing.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dlreg.errors import DivergedError, Fault, RunDirError, StorageError
from dlreg.files.plain_file import open_plain_file, read_plain_file
from dlreg.files.whole_file import (
    is_temporary,
    reporting_storage_errors,
    sweep_temporaries,
    sync_folder,
    write_atomically,
)
from dlreg.runs.shapes import FileEntry, RunRecord, read_json

SCHEMA_VERSION = 1
CONFIG = "config.yaml"
METRICS = "metrics.json"
HISTORY = "history.json"
LOSS_CURVE = "loss_curve.png"
IMPORTANCE = "importance.png"
MODEL = "model.keras"
PREPROCESSING = "preprocessing.json"
PIPELINE = "pipeline.onnx"
PREDICTIONS = "predictions.csv"
OUT_OF_FOLD = "out_of_fold.csv"
SPLIT = "split.json"
INTERVALS = "intervals.json"
SUMMARY = "summary.txt"
RUN = "run.json"
CHECKPOINT = "checkpoint.safetensors"
LOCK = ".lock"
# What every complete run has, each file with its hash.
REQUIRED = frozenset({CONFIG, METRICS, HISTORY, MODEL, PREPROCESSING, PIPELINE, PREDICTIONS, SPLIT, SUMMARY})
# Drawn anew at will, so their hashes are not kept.
FIGURES = frozenset({LOSS_CURVE, "predictions.png", "residuals.png", IMPORTANCE})
FILES = REQUIRED | FIGURES | {INTERVALS, OUT_OF_FOLD, RUN, CHECKPOINT, LOCK}
MAX_RECORD_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 29


class RunDir:
    """A run directory being written by this process, which holds its lock.

    Attributes:
        path: Where the finished run will stand.
        record: What `run.json` says, without its own hash.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        """Use `open_run_dir`."""
        self.path = path
        self.record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "status": "running", "files": {}}
        self._folder = folder

    @property
    def is_resumable(self) -> bool:
        """Whether the run can be gone on with when it is broken off: not while it is to replace another."""
        return self._folder == self.path

    def write(self, name: str, content: bytes, *, hashed: bool = True) -> None:
        """Writes a file in one step; figures and checkpoints need no hash."""
        write_atomically(self._folder / name, content)
        if hashed:
            self.record["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def set_status(self, status: str, facts: Mapping[str, Any] | None = None) -> None:
        """Rewrites `run.json`; with `complete` the run takes the place of the one it replaces."""
        self.record |= {"status": status, **(facts or {})}
        write_atomically(self._folder / RUN, to_json({**self.record, "sha256": _own_hash(self.record)}))
        if status == "complete" and self._folder != self.path:
            _swap(self._folder, self.path)
            self._folder = self.path

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
    # Names that a link or dots stand for have nothing beside them.
    plain = path.name not in ("", "..") and not path.is_symlink()
    target = path if plain else Path(os.path.realpath(path))
    if not target.name:
        hint = "Give another --run-dir"
        raise StorageError(Fault("the root of all directories cannot be a run", str(path), hint=hint))
    with reporting_storage_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            _finish_swap(target)
            folder = _folder_to_write(target, overwrite=overwrite, resume=resume)
            folder.mkdir(exist_ok=True)
            sweep_temporaries(folder)
            sync_folder(folder.parent)
            yield RunDir(target, folder)


def next_run_dir(name: str) -> Path:
    """The first of `runs/NAME-1`, `runs/NAME-2`, … that is not there yet, now made."""
    parent = Path("runs")
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


def read_record(path: Path) -> dict[str, Any]:
    """What `run.json` of a complete run says.

    Raises:
        RunDirError: There is no such run, it is not complete, damaged, or from a newer version.
    """
    record = read_any_record(path)
    if record["status"] != "complete":
        hint = f"Finish it with {resume_command(path)}"
        if record["status"] == "running":
            hint += ", unless a process is still at it"
        elif record.get("exit_code") == DivergedError.exit_code:
            hint = "Its loss was not finite any more: train again with another config"
        raise RunDirError(Fault(f"the run is not complete but {record['status']}", str(path), hint=hint))
    return record


def resume_command(path: Path) -> str:
    """What to type to go on with a run that was broken off."""
    return f"dlreg train {shlex.quote(str(path))} --resume"


def read_any_record(path: Path) -> dict[str, Any]:
    """What `run.json` of a run says, complete or not.

    Raises:
        RunDirError: There is no such run, or it is damaged or from a newer version.
    """
    folder = _standing(path)
    if not os.path.lexists(folder) or not folder.is_dir():
        raise RunDirError(
            Fault("no such run directory", str(path), hint="Give the directory a dlreg train wrote")
        )
    if not os.path.lexists(folder / RUN):
        hint = "Give the directory a dlreg train wrote"
        raise RunDirError(Fault(f"not a run directory: it has no {RUN}", str(path), hint=hint))
    content = read_plain_file(folder / RUN, MAX_RECORD_BYTES)
    try:
        record = json.loads(content)
        version, own = record["schema_version"], record.pop("sha256")
        # Byte for byte: JSON has several spellings of one value, and each of them but one is damage.
        intact = content == to_json({**record, "sha256": own}) and own == _own_hash(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged_record(path) from None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        found = f"the run is of schema version {version}, this dlreg reads up to {SCHEMA_VERSION}"
        raise RunDirError(Fault(found, str(path / RUN), hint="Update dlreg"))
    if not intact:
        raise _damaged_record(path)
    read_json(content, RunRecord, path / RUN)
    return dict(record)


def read_file(path: Path, record: Mapping[str, Any], name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """A file of a run, checked against `run.json`.

    Args:
        path: The run directory.
        record: What `read_record` returned.
        name: The file's name.
        max_bytes: The most it may hold.

    Raises:
        RunDirError: The file is missing, not what was written, no plain file or too large.
        StorageError: The file may not be read.
    """
    expected = _entry(path, record, name)
    content = read_plain_file(_standing(path) / name, max_bytes)
    if len(content) != expected.size or hashlib.sha256(content).hexdigest() != expected.sha256:
        raise _unlike_written(path / name, len(content), expected.size)
    return content


@contextmanager
def open_file(path: Path, record: Mapping[str, Any], name: str) -> Iterator[BinaryIO]:
    """A file of any size, checked as `read_file` does, to be read bit by bit.

    Raises:
        RunDirError: The file is missing, not what was written, or no plain file.
        StorageError: The file may not be read.
    """
    expected = _entry(path, record, name)
    with open_plain_file(_standing(path) / name) as (file, size):
        if size != expected.size or hashlib.file_digest(file, "sha256").hexdigest() != expected.sha256:
            raise _unlike_written(path / name, size, expected.size)
        file.seek(0)
        yield file


def check_file(path: Path, record: Mapping[str, Any], name: str) -> None:
    """Checks a file of any size as `read_file` does, without keeping it.

    Raises:
        RunDirError: The file is missing, not what was written, or no plain file.
        StorageError: The file may not be read.
    """
    with open_file(path, record, name):
        pass


def names_in(path: Path) -> list[str]:
    """The names of everything in a run directory, sorted.

    Raises:
        StorageError: The directory may not be read.
    """
    with reporting_storage_errors(path):
        return _names(_standing(path))


def to_json(value: Any) -> bytes:
    """JSON as dlreg writes it: readable, names as they are, no NaN."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def file_sha256(path: Path) -> str:
    """The hash of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own_hash(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(record)).hexdigest()


def _entry(path: Path, record: Mapping[str, Any], name: str) -> FileEntry:
    if name not in record["files"]:
        raise RunDirError(Fault(f"{RUN} does not list {name}", str(path), hint="Train again"))
    return FileEntry(**record["files"][name])


def _damaged_record(path: Path) -> RunDirError:
    hint = "Restore it or train again"
    return RunDirError(
        Fault("the file is damaged: it is not what its own hash says", str(path / RUN), hint=hint)
    )


def _unlike_written(path: Path, found: int, written: int) -> RunDirError:
    if found == written:
        message = f"the file is damaged: {found:,} bytes, but not those that were written"
    else:
        message = f"the file is damaged: {found:,} bytes, where {written:,} were written"
    return RunDirError(Fault(message, str(path), hint="Restore it or train again"))


# ---------------------------------------------------------------- replacing a run


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{ending}")


def _swap(new: Path, path: Path) -> None:
    old = _beside(path, "dlreg-old")
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def _finish_swap(path: Path) -> None:
    """Puts right what a killed process left; the lock must be held."""
    new, old = _beside(path, "new"), _beside(path, "dlreg-old")
    if os.path.lexists(path):
        shutil.rmtree(old, ignore_errors=True)
        if _is_complete(new) and (path / RUN).exists():
            _swap(new, path)
    elif _is_complete(new):
        new.rename(path)
        sync_folder(path.parent)
    elif old.exists():
        old.rename(path)
        sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)
    if os.path.lexists(new):
        if new.is_symlink() or not new.is_dir() or _foreign_names(new) or _is_complete(new):
            raise StorageError(Fault("it is in the way of a new run", str(new), hint="Move it away"))
        shutil.rmtree(new)


def _folder_to_write(path: Path, *, overwrite: bool, resume: bool) -> Path:
    """Where a run is made: in its own place, or beside the run it replaces."""
    names = _names(path) if path.is_dir() else []
    if all(name == LOCK or is_temporary(name) for name in names):
        return path
    if resume and RUN in names and not _is_complete(path):
        return path
    if not overwrite:
        hint = "Give another --run-dir, or --overwrite to replace it"
        raise StorageError(Fault("the directory is not empty", str(path), hint=hint))
    if RUN not in names:
        hint = "Give another --run-dir; only runs are replaced"
        raise StorageError(Fault("the directory holds no run", str(path), hint=hint))
    if foreign := _foreign_names(path):
        listed = ", ".join(foreign[:3]) + (" …" if len(foreign) > 3 else "")
        hint = "Move them away, or give another --run-dir; they would be lost"
        raise StorageError(
            Fault(f"the directory holds what dlreg did not write: {listed}", str(path), hint=hint)
        )
    return _beside(path, "new")


def _foreign_names(folder: Path) -> list[str]:
    return [name for name in _names(folder) if name not in FILES and not is_temporary(name)]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def _is_complete(folder: Path) -> bool:
    # The first is false, where the others raise, for a name that is too long.
    if not os.path.lexists(folder) or folder.is_symlink() or not folder.is_dir():
        return False
    try:
        read_record(folder)
    except (RunDirError, StorageError):
        return False
    return True


def _standing(path: Path) -> Path:
    """Where a run is to be read: between the two renames of a swap it stands beside its place."""
    if not os.path.lexists(path):
        for ending in ("new", "dlreg-old"):
            folder = _beside(Path(os.path.realpath(path)), ending)
            if _is_complete(folder):
                return folder
    return path


# ---------------------------------------------------------------- the lock


def _lock_file(path: Path) -> Path:
    """Beside the directory, which may come and go; in it where nothing else can be written."""
    return path / LOCK if path.is_dir() and not os.access(path.parent, os.W_OK) else _beside(path, "lock")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the lock of a run directory.

    Raises:
        StorageError: Another process holds it.
    """
    lock = _lock_file(path)
    descriptor = _acquire(lock, path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _acquire(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(lock, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return descriptor
        except BlockingIOError:
            message = f"the directory is in use by {_holder(descriptor)}"
            os.close(descriptor)
            hint = "Wait until it is done, or give another --run-dir"
            raise StorageError(Fault(message, str(path), hint=hint)) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still_there(lock: Path, descriptor: int) -> bool:
    """Whether the last holder has not removed the file after it was opened here."""
    try:
        return os.path.samestat(lock.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    for _ in range(20):
        if holder := os.pread(descriptor, 200, 0):
            return holder.decode(errors="replace")
        time.sleep(0.05)  # it has the lock, but has not written its name yet
    return "another process"
