"""Puts one run in the place of another, and repairs what a killed process left of that.

A run that replaces another is made beside it and takes its place once it is complete, by two renames. Until
the first of them the old run can be read, from the second on the new one, and between them the reader finds
either beside its place (`dlreg.runs.reading.readable_folder`).
"""

import os
import shutil
from pathlib import Path

from dlreg.errors import Fault, StorageError
from dlreg.files.whole_file import is_temporary, sync_folder
from dlreg.runs.names import FILES, LOCK, RUN, new_beside, old_beside
from dlreg.runs.reading import is_complete


def swap(new: Path, path: Path) -> None:
    """Puts a complete run in the place of another, which is then removed.

    Raises:
        OSError: The system refuses; the old run stands in its place.
    """
    old = old_beside(path)
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def finish_swap(path: Path) -> None:
    """Repairs what a killed process left of a swap; the lock must be held.

    Raises:
        StorageError: Beside the run stands what is no unfinished run of dlreg's.
    """
    new, old = new_beside(path), old_beside(path)
    if os.path.lexists(path):
        shutil.rmtree(old, ignore_errors=True)
        if is_complete(new) and (path / RUN).exists():
            swap(new, path)
    elif is_complete(new):
        new.rename(path)
        sync_folder(path.parent)
    elif old.exists():
        old.rename(path)
        sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)
    if os.path.lexists(new):
        if new.is_symlink() or not new.is_dir() or _foreign_names(new) or is_complete(new):
            raise StorageError(Fault("it is in the way of a new run", str(new), hint="Move it away"))
        shutil.rmtree(new)


def folder_to_write(path: Path, *, overwrite: bool, resume: bool) -> Path:
    """Where a run is made: in its own place, or beside the run it replaces.

    Args:
        path: Where the finished run shall stand.
        overwrite: Whether it may replace the run that is there.
        resume: Whether it may go on with the unfinished run that is there.

    Raises:
        StorageError: There is something that may not be replaced.
    """
    names = _names(path) if path.is_dir() else []
    if all(name == LOCK or is_temporary(name) for name in names):
        return path
    if resume and RUN in names and not is_complete(path):
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
    return new_beside(path)


def _foreign_names(folder: Path) -> list[str]:
    return [name for name in _names(folder) if name not in FILES and not is_temporary(name)]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
