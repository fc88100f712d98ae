"""The run directory: its files' names, whole files or none, one process at a time, hashes.

Every file is written beside its name, synced and renamed into place; `run.json` is the last. Only this
module knows a file's name.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlreg.errors import Fault, RunDirError, StorageError

SCHEMA_VERSION = 1
CONFIG = "config.yaml"
METRICS = "metrics.json"
HISTORY = "history.json"
LOSS_CURVE = "loss_curve.png"
MODEL = "model.keras"
PREPROCESSING = "preprocessing.json"
PIPELINE = "pipeline.onnx"
PREDICTIONS = "predictions.csv"
SPLIT = "split.json"
SUMMARY = "summary.txt"
RUN = "run.json"
MAX_FILE_BYTES = 1 << 31


class RunDir:
    """A run directory being written by this process, which holds its lock.

    Attributes:
        path: Where the finished run will stand.
        record: What `run.json` says, without its own hash.
    """

    def __init__(self, path: Path, folder: Path, lock: int) -> None:
        """Use `open_run_dir`."""
        self.path = path
        self.record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "status": "running", "files": {}}
        self._folder = folder
        self._lock = lock

    def write(self, name: str, content: bytes, *, hashed: bool = True) -> None:
        """Writes a file in one step; figures need no hash."""
        write_atomically(self._folder / name, content)
        if hashed:
            self.record["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def set_status(self, status: str, facts: Mapping[str, Any] | None = None) -> None:
        """Rewrites `run.json`; with `complete` the run takes the place of the one it replaces."""
        self.record |= {"status": status, **(facts or {})}
        own = hashlib.sha256(to_json(self.record)).hexdigest()
        write_atomically(self._folder / RUN, to_json({**self.record, "sha256": own}))
        if status == "complete" and self._folder != self.path:
            _swap(self._folder, self.path)
            self._folder = self.path


@contextmanager
def open_run_dir(path: Path, *, overwrite: bool = False) -> Iterator[RunDir]:
    """Makes a run directory and holds its lock.

    Args:
        path: Where the run shall stand.
        overwrite: Replace the run that is there. It stays readable: the new one is made beside it and
            takes its place when it is complete.

    Raises:
        StorageError: The directory is not empty, in use by another process, or cannot be written.
    """
    folder = path
    locks: list[int] = []
    try:
        with reporting_storage_errors(path):
            occupied = path.is_dir() and any(path.iterdir())
            if occupied and not overwrite:
                hint = "Give another --run-dir, or --overwrite to replace it"
                raise StorageError(Fault("the directory is not empty", str(path), hint=hint))
            if occupied:
                if not (path / RUN).is_file():
                    hint = "Give another --run-dir; only runs are replaced"
                    raise StorageError(Fault("the directory holds no run", str(path), hint=hint))
                locks.append(_lock(path))
                folder = path.with_name(f".{path.name}.new")
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            locks.append(_lock(folder))
        with reporting_storage_errors(path):
            yield RunDir(path, folder, locks[-1])
    finally:
        for lock in locks:
            os.close(lock)


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
    if not path.is_dir():
        raise RunDirError(
            Fault("no such run directory", str(path), hint="Give the directory a dlreg train wrote")
        )
    if not (path / RUN).exists():
        raise RunDirError(Fault(f"not a run directory: it has no {RUN}", str(path)))
    content = _read_plain_file(path / RUN)
    try:
        record = json.loads(content)
        claimed = record.pop("sha256")
        version, status = record["schema_version"], record["status"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RunDirError(Fault("the file is damaged", str(path / RUN), hint="Train again")) from None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        found = f"the run is of schema version {version}, this dlreg reads up to {SCHEMA_VERSION}"
        raise RunDirError(Fault(found, str(path / RUN), hint="Update dlreg"))
    if claimed != hashlib.sha256(to_json(record)).hexdigest():
        raise RunDirError(
            Fault("the file is damaged: its own hash differs", str(path / RUN), hint="Train again")
        )
    if status != "complete":
        raise RunDirError(Fault(f"the run is not complete but {status}", str(path), hint="Train it again"))
    return dict(record)


def read_file(path: Path, record: Mapping[str, Any], name: str) -> bytes:
    """A file of a run, checked against `run.json`.

    Raises:
        RunDirError: The file is missing or not what was written.
    """
    expected = record.get("files", {}).get(name)
    if expected is None:
        raise RunDirError(Fault(f"{RUN} does not list {name}", str(path), hint="Train again"))
    if not (path / name).exists():
        raise RunDirError(Fault("the file is missing", str(path / name), hint="Restore it or train again"))
    content = _read_plain_file(path / name)
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        found = f"the file is damaged: {len(content):,} bytes that are not the {expected['size']:,} written"
        raise RunDirError(Fault(found, str(path / name), hint="Restore it or train again"))
    return content


def write_atomically(path: Path, content: bytes) -> None:
    """Writes beside the name, syncs, and renames into place, so that no reader sees half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def reporting_storage_errors(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses into a StorageError that names the file."""
    try:
        yield
    except OSError as error:
        place = str(error.filename or path)
        raise StorageError(Fault(f"{(error.strerror or str(error)).lower()}", place)) from error


def to_json(value: Any) -> bytes:
    """JSON as dlreg writes it: readable, names as they are, no NaN."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def file_sha256(path: Path) -> str:
    """The hash of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        try:
            holder = f"process {json.loads((folder / RUN).read_bytes())['process']}"
        except (OSError, ValueError, KeyError, TypeError):
            holder = "another process"
        raise StorageError(
            Fault(f"the directory is in use by {holder}", str(folder), hint="Wait for it")
        ) from None
    return descriptor


def _swap(new: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    path.rename(old)
    new.rename(path)
    _sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_plain_file(path: Path) -> bytes:
    """A file's bytes, if it is a plain one: no link, pipe or device of a stranger's is followed."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise RunDirError(
                Fault("expected a plain file", str(path), hint="Links and devices are not followed")
            )
        if found.st_size > MAX_FILE_BYTES:
            raise RunDirError(Fault(f"the file is too large: {found.st_size:,} bytes", str(path)))
        return path.read_bytes()
    except OSError as error:
        raise StorageError(Fault(f"cannot be read: {error.strerror}", str(path))) from None
