"""What messages call the files of a config."""

import os
from pathlib import Path

from dlreg.config.sections.data import DataConfig
from dlreg.files.table_files import STANDARD_INPUT, STANDARD_INPUT_NAME


def shown_path(path: str | Path) -> str:
    """A path as a user would give it: from the working directory if it lies below it."""
    if str(path) == STANDARD_INPUT:
        return STANDARD_INPUT
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def name_of_table(path: str | Path) -> str:
    """What messages call the table of a path."""
    return STANDARD_INPUT_NAME if str(path) == STANDARD_INPUT else shown_path(path)


def file_of_part(data: DataConfig, part: str) -> str:
    """The CSV that the rows of a part are from, as messages name it."""
    return name_of_table(getattr(data, f"{part}_path", None) or data.path)
