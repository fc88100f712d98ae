"""The folder in which dlreg keeps what only saves time: nothing is lost if it is removed."""

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """`$XDG_CACHE_HOME/dlreg` or `~/.cache/dlreg`, which may be new; None where there is no home folder."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path is to be ignored: https://specifications.freedesktop.org/basedir/latest/
    if Path(home).is_absolute():
        return Path(home) / "dlreg"
    try:
        folder = Path.home()
    except RuntimeError:
        return None
    return folder / ".cache" / "dlreg" if folder.is_dir() else None
