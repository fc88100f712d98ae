"""What dlreg keeps on disk to save time, listed and cleared: tables, and preprocessed rows of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlreg.errors import Fault, StorageError, printable
from dlreg.files.cache_folder import cache_folder
from dlreg.files.kept_folder import clear_kept, list_kept
from dlreg.table.cell_store import path_of_stored
from dlreg.table.table_names import shown_path

_KINDS = {"table-": "cells of a table", "rows-": "preprocessed rows"}


def cache(folder: Path | None, *, clear: bool) -> dict[str, Any]:
    """Lists what is kept, and removes what no process uses.

    Args:
        folder: What `data.cache` names; None for the user's cache folder.
        clear: Whether to remove it.

    Returns:
        What `--json` prints: `folder`, `kept` with the `name`, `kind`, `table` (None if it is not known),
        `bytes` and `last_used` of each entry that stays, the last used one first, and `cleared`, how many
        bytes were removed.

    Raises:
        StorageError: There is no home folder, and none is given.
    """
    base = folder or _users_folder()
    entries = [entry for entry in list_kept(base) if any(entry.path.name.startswith(kind) for kind in _KINDS)]
    tables = {entry.path.name: path_of_stored(entry.path) for entry in entries}
    gone = [entry for entry in entries if clear and clear_kept(base, entry.path.name)]
    return {
        "folder": str(base),
        "kept": [
            {
                "name": entry.path.name,
                "kind": next(kind for start, kind in _KINDS.items() if entry.path.name.startswith(start)),
                "table": tables.get(f"table-{entry.path.name.split('-')[1]}"),
                "bytes": entry.n_bytes,
                "last_used": datetime.fromtimestamp(entry.last_used, UTC).isoformat(timespec="seconds"),
            }
            for entry in entries
            if entry not in gone
        ],
        "cleared": sum(entry.n_bytes for entry in gone),
    }


def as_text(report: dict[str, Any]) -> list[str]:
    """A line for each entry, and one for what was cleared."""
    lines = [
        f"{entry['bytes'] / 1e6:9,.1f} MB  {entry['last_used'][:10]}  {entry['kind']:17}  "
        f"{printable(shown_path(entry['table'])) if entry['table'] else '?'}"
        for entry in report["kept"]
    ]
    if report["cleared"]:
        lines.append(f"cleared {report['cleared'] / 1e6:,.1f} MB")
    return lines or [f"nothing is kept in {report['folder']}"]


def _users_folder() -> Path:
    folder = cache_folder()
    if folder is None:
        hint = "Give the folder that data.cache names: dlreg cache --folder FOLDER"
        raise StorageError(Fault("there is no home folder in which anything could be kept", hint=hint))
    return folder / "tables"
