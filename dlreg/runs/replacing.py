"""Puts one run in the place of another, and repairs what a killed process left of that.

A run that replaces another is made beside it and takes its place once it is complete, by two renames. Until
the first of them the old run can be read, from the second on the new one, and between them the reader finds
either beside its place (`dlreg.runs.reading.readable_folder`).

What else stands in the directory, a `.gitignore` of DVC's or somebody's notes, follows after the second
rename, each by a rename of its own: at any moment it is in the old directory or in the new one, whole. Of the
old directory only files of a run are removed, by their names.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from dlreg.errors import Fault, StorageError
from dlreg.files.whole_file import is_temporary, sync_folder
from dlreg.runs.names import CHECKPOINT, FILES, LOCK, RUN, new_beside, old_beside
from dlreg.runs.reading import is_complete


def swap(new: Path, path: Path) -> None:
    """Puts a complete run in the place of another, which is then removed; what is not dlreg's stays.

    Raises:
        OSError: The system refuses; the old run stands in its place, or the new one does and what is not
            dlreg's has yet to follow.
        StorageError: What is not dlreg's cannot follow, because its name is taken.
    """
    old = old_beside(path)
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    sync_folder(path.parent)
    _clear_old(old, path)


def finish_swap(path: Path) -> None:
    """Repairs what a killed process left of a swap; the lock must be held.

    Raises:
        StorageError: Beside the run stands what is no unfinished run of dlreg's, or what cannot follow it.
    """
    new, old = new_beside(path), old_beside(path)
    if os.path.lexists(path):
        _clear_old(old, path)
        if is_complete(new) and (path / RUN).exists():
            swap(new, path)
    elif is_complete(new):
        new.rename(path)
        sync_folder(path.parent)
        _clear_old(old, path)
    elif old.exists():
        old.rename(path)
        sync_folder(path.parent)
    if os.path.lexists(new):
        if new.is_symlink() or not new.is_dir() or _foreign_names(new) or is_complete(new):
            raise StorageError(Fault("it is in the way of a new run", str(new), hint="Move it away"))
        shutil.rmtree(new)


def _clear_old(old: Path, path: Path) -> None:
    """Removes a run that has been replaced, after what is not dlreg's has followed to the new one."""
    if old.is_symlink() or not old.is_dir():
        return
    foreign = _foreign_names(old)
    for name in foreign:
        if os.path.lexists(path / name):
            hint = f"Move one of them away, then the other into {path}"
            raise StorageError(Fault(f"{path} has a {name} of its own", str(old / name), hint=hint))
        (old / name).rename(path / name)
    if foreign:
        sync_folder(path)
    with suppress(OSError):
        for name in _names(old):
            if name in FILES or is_temporary(name):
                (old / name).unlink()
        old.rmdir()


def folder_to_write(path: Path, *, overwrite: bool, resume: bool) -> Path:
    """Where a run is made: in its own place, or beside the run it replaces.

    A directory of hidden files alone, such as the `.gitignore` that DVC keeps in it, counts as empty.

    Args:
        path: Where the finished run shall stand.
        overwrite: Whether it may replace the run that is there.
        resume: Whether it may go on with the unfinished run that is there.

    Raises:
        StorageError: There is something that may not be replaced.
    """
    names = _names(path) if path.is_dir() else []
    if not any(name in FILES - {LOCK} or not name.startswith(".") for name in names):
        return path
    if resume and RUN in names and not is_complete(path):
        return path
    if not overwrite:
        hint = "Give another --run-dir, or --overwrite to replace it"
        if CHECKPOINT in names and not is_complete(path):
            hint = "Go on with it with --resume, give another --run-dir, or --overwrite to replace it"
        raise StorageError(Fault("the directory is not empty", str(path), hint=hint))
    if RUN not in names:
        hint = "Give another --run-dir; only runs are replaced"
        raise StorageError(Fault("the directory holds no run", str(path), hint=hint))
    if in_the_way := [name for name in names if name in FILES and _is_real_folder(path / name)]:
        file = str(path / in_the_way[0])
        hint = "Move it away, or give another --run-dir; it would be lost"
        raise StorageError(Fault("expected a file of the run, found a directory", file, hint=hint))
    return new_beside(path)


def _foreign_names(folder: Path) -> list[str]:
    """What dlreg did not write there: names that are not those of a run's files, and directories."""
    return [
        name
        for name in _names(folder)
        if not (name in FILES or is_temporary(name)) or _is_real_folder(folder / name)
    ]


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
