"""Folders that are whole or not there: made beside their name, then renamed into place."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dlreg.errors import Fault, StorageError
from dlreg.files.whole_file import sync_folder


@contextmanager
def replacing_folder(path: Path, may_replace: Callable[[Path], bool]) -> Iterator[Path]:
    """An empty folder to fill; it appears under its name when the block ends.

    Args:
        path: Its name. An empty folder of that name is replaced.
        may_replace: Whether a folder of that name that holds something may be, too.

    Raises:
        StorageError: Something of that name may not be replaced.
        OSError: The system refuses; what was there is still there, and nothing is left beside it.
    """
    _refuse_taken(path, may_replace)
    place = Path(tempfile.mkdtemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent))
    try:
        new, old = place / "new", place / "old"
        new.mkdir()
        yield new
        _refuse_taken(path, may_replace)
        if os.path.lexists(path):
            path.rename(old)
        try:
            new.rename(path)
        except BaseException:
            if os.path.lexists(old):
                old.rename(path)
            raise
        sync_folder(path.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _refuse_taken(path: Path, may_replace: Callable[[Path], bool]) -> None:
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        message = "expected the name of a folder to write, found something else"
        raise StorageError(Fault(message, str(path), hint="Choose another name"))
    if any(path.iterdir()) and not may_replace(path):
        hint = "Choose another name, or --overwrite to replace what an export wrote"
        raise StorageError(Fault("the folder is not empty", str(path), hint=hint))
