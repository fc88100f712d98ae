"""A study directory as it is written: whole files, by one process at a time, `study.json` last.

Runs stand in it, `best` and `plain`; `dlreg.runs` writes these.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dlreg.errors import Fault, StorageError
from dlreg.files.whole_file import (
    is_temporary,
    reporting_storage_errors,
    sweep_temporaries,
    sync_folder,
    write_atomically,
)
from dlreg.runs import names as run_names
from dlreg.runs.directory import place_of
from dlreg.runs.json_text import to_json
from dlreg.runs.lock import locked
from dlreg.search.study_names import FILES, JOURNAL, RUNS, STUDY
from dlreg.search.study_record import SCHEMA_VERSION


class StudyDir:
    """A study directory being written by this process, which holds its lock; `open_study_dir` makes it.

    Args:
        path: Where it stands.

    Attributes:
        path: Where it stands.
        record: What `study.json` says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "status": "running"}

    def write(self, name: str, content: bytes) -> None:
        """Writes a file in one step."""
        write_atomically(self.path / name, content)

    def set_status(self, status: str, facts: Mapping[str, Any] | None = None) -> None:
        """Rewrites `study.json`."""
        self.record |= {"status": status, **(facts or {})}
        self.write(STUDY, to_json(self.record))

    def remove(self) -> None:
        """Removes the study again, and its directory unless something else is in it."""
        _remove_study(self.path, [entry.name for entry in self.path.iterdir()])
        with suppress(OSError):
            self.path.rmdir()


@contextmanager
def open_study_dir(path: Path, *, overwrite: bool = False, resume: bool = False) -> Iterator[StudyDir]:
    """Makes a study directory and holds its lock.

    Args:
        path: Where it shall stand.
        overwrite: Remove the study that is there. What is not dlreg's stays, and none of it may stand where
            runs are written.
        resume: Go on with the study that is there, if there is one.

    Raises:
        StorageError: The directory is not empty, in use by another process, or cannot be written.
    """
    target = place_of(path, "study", "--study")
    with reporting_storage_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target, option="--study"):
            _make_room(target, overwrite=overwrite, resume=resume)
            target.mkdir(exist_ok=True)
            sweep_temporaries(target)
            sync_folder(target.parent)
            yield StudyDir(path)


def refuse_occupied(path: Path, *, overwrite: bool = False, resume: bool = False) -> None:
    """Refuses a directory that `open_study_dir` would refuse, before anything is read for it.

    Raises:
        StorageError: The directory is not empty, or cannot be read.
    """
    with reporting_storage_errors(path):
        _refuse_occupied(place_of(path, "study", "--study"), overwrite=overwrite, resume=resume)


def _make_room(path: Path, *, overwrite: bool, resume: bool) -> None:
    names = _refuse_occupied(path, overwrite=overwrite, resume=resume)
    if names and overwrite:
        _refuse_strangers(path)
        _remove_study(path, names)


def _refuse_occupied(path: Path, *, overwrite: bool, resume: bool) -> list[str]:
    """The entries of a directory that a new study replaces; none where there are none, or it goes on."""
    names = [entry.name for entry in path.iterdir()] if path.is_dir() else []
    # A .gitignore, such as DVC keeps in it, is nothing to lose.
    if all(name.startswith(".") for name in names) or (STUDY in names and resume):
        return []
    if not overwrite:
        way_on = f"--resume to go on with it, {'--overwrite to replace it, ' if STUDY in names else ''}"
        hint = f"Give {way_on if STUDY in names else ''}another --study"
        raise StorageError(Fault("the directory is not empty", str(path), hint=hint))
    if STUDY not in names:
        hint = "Give another --study; only studies are replaced"
        raise StorageError(Fault("the directory holds no study", str(path), hint=hint))
    return names


def _refuse_strangers(path: Path) -> None:
    """Makes sure that the runs of the new study can be written, before the search is paid for.

    Raises:
        StorageError: In the place of a run stands what is not dlreg's.
    """
    for folder in (path / run for run in RUNS):
        if not os.path.lexists(folder):
            continue
        hint = "Move it away, or give another --study"
        if folder.is_symlink() or not folder.is_dir():
            raise StorageError(Fault("it stands where a run of the study is written", str(folder), hint=hint))
        for entry in sorted(folder.iterdir()):
            is_of_run = entry.name in run_names.FILES and (entry.is_symlink() or not entry.is_dir())
            if not is_of_run and not is_temporary(entry.name) and not entry.name.startswith("."):
                message = f"it is no file of a run, and a run of the new study is written to {folder}"
                raise StorageError(Fault(message, str(entry), hint=hint))


def _remove_study(path: Path, names: list[str]) -> None:
    """Removes the files of a study by their names, `study.json` last, so that what is left is still one."""
    for run in RUNS:
        folder = path / run
        if folder.is_dir() and not folder.is_symlink():
            _remove_files(folder, [entry.name for entry in folder.iterdir()], run_names.FILES)
            with suppress(OSError):
                folder.rmdir()
    # Optuna keeps a lock beside its journal.
    journals = {name for name in names if name.startswith(JOURNAL)}
    _remove_files(path, names, (FILES | journals) - {STUDY})
    (path / STUDY).unlink()


def _remove_files(folder: Path, names: list[str], known: frozenset[str] | set[str]) -> None:
    for name in names:
        file = folder / name
        if (name in known or is_temporary(name)) and (file.is_symlink() or not file.is_dir()):
            file.unlink()
