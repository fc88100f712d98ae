"""Many runs at once: which there are in a folder, and of each what its directory tells in brief."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlreg.config.schema import Config
from dlreg.errors import Fault, RunDirError
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.runs.contents import read_config
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import RUN
from dlreg.runs.reading import read_together
from dlreg.runs.shapes import CardRecord, Metrics
from dlreg.runs.tables import PredictedRows, read_predictions

# A folder of runs, and folders of such folders; a home folder is no place to look through.
DEPTH = 2
CHOOSING_PARTS: tuple[Literal["out_of_fold", "validation"], ...] = ("out_of_fold", "validation")


@dataclass(frozen=True)
class RunOverview:
    """What a complete run tells in brief; its pipeline is not opened.

    Attributes:
        path: The run directory.
        record: What its `run.json` says of the results.
        config: The resolved config.
        files: The SHA-256 of its files.
        predicted: Its test rows, of a large table some of them.
    """

    path: Path
    record: CardRecord
    config: Config
    files: Mapping[str, str]
    predicted: PredictedRows

    @property
    def chosen_by(self) -> str | None:
        """The part by whose error runs are chosen: rows out of fold, or validation rows; None without any."""
        return next((name for name in CHOOSING_PARTS if getattr(self.record.metrics, name)), None)

    @property
    def choosing_metrics(self) -> Metrics | None:
        """The metrics of that part."""
        return getattr(self.record.metrics, self.chosen_by) if self.chosen_by else None

    @property
    def test_table(self) -> str | None:
        """The SHA-256 of the file that the test rows are rows of; None where none is recorded."""
        data = self.record.data
        entry = data.get("data.test_path") if self.config.data.test_path else data.get("data.path")
        return entry.sha256 if entry else None


def find_runs(folder: Path) -> list[Path]:
    """The run directories in a folder and in the folders of it, complete or not, by name.

    Raises:
        RunDirError: There is no such folder, or it is a run itself.
        StorageError: It may not be read.
    """
    if not folder.is_dir():
        raise RunDirError(Fault("no such folder", str(folder), hint="Give a folder that holds runs"))
    if os.path.lexists(folder / RUN):
        hint = f"List the folder that it is in: dlreg runs {os.path.normpath(folder / '..')}"
        raise RunDirError(Fault("this is a run, not a folder of runs", str(folder), hint=hint))
    found: list[Path] = []
    with reporting_storage_errors(folder):
        _find(folder, DEPTH, found)
    return found


def _find(folder: Path, depth: int, found: list[Path]) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        # Hidden is what a run is while it replaces another.
        if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
            continue
        path = folder / entry.name
        if os.path.lexists(path / RUN):
            found.append(path)
        elif depth > 1 and os.access(path, os.R_OK | os.X_OK):
            _find(path, depth - 1, found)


def read_overview(path: Path) -> RunOverview:
    """What a complete run tells in brief.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
        StorageError: A file may not be read.
    """
    return read_together(path, lambda record: _read(path, record))


def _read(path: Path, record: dict[str, Any]) -> RunOverview:
    return RunOverview(
        path,
        read_json(to_json(record), CardRecord, path / RUN),
        read_config(path, record),
        {name: entry["sha256"] for name, entry in record["files"].items()},
        read_predictions(path, record),
    )
