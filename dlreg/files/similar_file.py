"""The existing file that a mistyped path most likely meant."""

from difflib import get_close_matches
from pathlib import Path


def similar_file(path: Path) -> Path | None:
    """The file of the same folder whose name is most like that of `path`, if one is."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return None
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(path.name.casefold(), folded, n=1)
    return path.parent / folded[near[0]] if near else None
