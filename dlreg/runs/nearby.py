"""The runs that stand near a path: those in a folder, and the one that a name most likely meant."""

import re
from contextlib import suppress
from pathlib import Path

from dlreg.files.similar_file import similar_file
from dlreg.files.table_files import CONFIG_SUFFIXES
from dlreg.runs.names import RUN

# As `dlreg.search.study_names` has them, which stands above.
STUDY, BEST = "study.json", "best"


def runs_in(folder: Path) -> list[Path]:
    """The run directories in a folder, complete or not, the newest first; none if it cannot be read."""
    times: dict[Path, float] = {}
    with suppress(OSError, ValueError):
        for path in folder.iterdir():
            with suppress(OSError):
                if not path.name.startswith("."):
                    times[path] = (path / RUN).lstat().st_mtime
    return sorted(times, key=lambda path: (-times[path], path))


def hint_for_run(path: Path) -> str:
    """A way out where no run stands: the newest one of those that the path may have meant."""
    if path.suffix in CONFIG_SUFFIXES and path.is_file():
        return f"This is a config: dlreg train {path} makes a run of it"
    runs = runs_in(path)
    if path / BEST in runs and (path / STUDY).is_file():
        return f"This is a study, its best run is {path / BEST}"
    if runs:
        return f"It holds {len(runs):,} run{'s' if len(runs) > 1 else ''}; the newest is {runs[0]}"
    name = re.compile(re.escape(path.name) + "-[0-9]+")
    numbered = [run for run in runs_in(path.parent) if name.fullmatch(run.name)]
    near = numbered[0] if numbered else similar_file(path)
    is_run = near in runs_in(path.parent)
    return f"Did you mean {near}?" if is_run else "Give the directory a dlreg train wrote"
