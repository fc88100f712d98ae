"""A file that someone may have meant who names one that does not exist."""

from pathlib import Path

from dlreg.wording import nearest_word


def near_file(path: Path) -> Path | None:
    """The file of the same folder whose name is most like that of `path`, if one is."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return None
    near = nearest_word(path.name, names, fold=str.casefold)
    return path.parent / near if near else None
