"""Which columns of a CSV a config learns from."""

import re
from collections.abc import Sequence

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import Fault
from dlreg.table.csv_opening import data_fault, no_names_fault
from dlreg.table.missing_columns import MOST_NEAR_MATCHES, further_columns, near_column, other_table_fault

# A hint names no more columns than a line holds.
MOST_UNNAMED = 5
PATTERN_MARKS = frozenset("*?")


def choose_columns(config: Config, header: Sequence[str], path: str) -> tuple[list[str], list[Fault]]:
    """The columns to learn from, in the order of the CSV, and the faults of what the config names.

    Args:
        config: Names the columns.
        header: The columns of the CSV.
        path: The CSV, for messages.

    Returns:
        The names, and the faults: columns that the CSV lacks, each at its place in the config; no column
        left; columns without a name.
    """
    faults = _missing(config, header, path)
    # Of a table read as one column, or without names, faults of its cells would say nothing more.
    if faults and (len(header) == 1 or (len(faults) == 1 and faults[0] == data_fault(header, path))):
        return [], faults
    names = _chosen(config.data, header)
    if not names and not faults:
        hint = f"{path} has the columns {', '.join(map(repr, header[:20]))}; is data.delimiter right?"
        faults.append(config.fault("data: no column is left to learn from", "data", "exclude", hint=hint))
    is_listed = config.data.features != "all"
    unnamed = [name for name in names if name.startswith("Unnamed: ") and not is_listed]
    if unnamed:
        faults.append(_unnamed_fault(unnamed, header, path))
    return [name for name in names if name not in unnamed], faults


def _missing(config: Config, header: Sequence[str], path: str) -> list[Fault]:
    """A fault for each name in the config that the CSV lacks."""
    data = config.data
    named: list[tuple[str, tuple[str | int, ...]]] = [(data.target, ("data", "target"))]
    named += [(name, ("data", key, name)) for key in ("types", "dates") for name in getattr(data, key)]
    listed = {"exclude": data.exclude, "features": () if data.features == "all" else data.features}
    named += [
        (name, ("data", key, index)) for key, names in listed.items() for index, name in enumerate(names)
    ]
    if data.split_by is not None:
        named.append((data.split_by, ("data", "split_by")))
    known = set(header)
    missing = [
        (name, key)
        for name, key in named
        if name not in known and not (key[1] in listed and _matching(name, header))
    ]
    lacking = list(dict.fromkeys(name for name, _ in missing))
    n_needed = len({name for name, _ in named})
    if fault := no_names_fault(lacking, header, path) or other_table_fault(lacking, header, path, n_needed):
        return [fault]
    faults = [
        config.fault(
            f"{key[0]}.{key[1]}: {path} has no column {name!r}", *key, hint=near_column(_plain(name), header)
        )
        for name, key in missing[:MOST_NEAR_MATCHES]
    ]
    return faults + further_columns([name for name, _ in missing], path)


def _chosen(data: DataConfig, header: Sequence[str]) -> list[str]:
    # The name of a group says nothing of rows of other groups; as a feature it only serves who asks for it.
    group = {data.split_by} if data.split == "group" and data.split_by not in data.features else set()
    left_out = {data.target, *group, *_all_matching(data.exclude, header)}
    chosen = (set(header) if data.features == "all" else _all_matching(data.features, header)) - left_out
    return [name for name in header if name in chosen]


def _plain(name: str) -> str:
    """A pattern without its marks, as the beginning of the name that was meant."""
    return "".join(character for character in name if character not in PATTERN_MARKS) or name


def _all_matching(names: Sequence[str], header: Sequence[str]) -> set[str]:
    """The columns that names and patterns stand for."""
    return {column for name in names for column in _matching(name, header)}


def _matching(name: str, header: Sequence[str]) -> list[str]:
    """The column of a name, or else those of a pattern, in which * is any text and ? any character."""
    if name in header:
        return [name]
    if not PATTERN_MARKS & set(name):
        return []
    # Not those of fnmatch: many names have a unit in brackets.
    pattern = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
    return [column for column in header if pattern.fullmatch(column)]


def _unnamed_fault(unnamed: Sequence[str], header: Sequence[str], path: str) -> Fault:
    first = unnamed[:MOST_UNNAMED]
    further = len(unnamed) - len(first)
    numbers = ", ".join(str(header.index(name) + 1) for name in first)
    subject = f"column {numbers} has" if len(unnamed) == 1 else f"columns {numbers} have"
    more = f" (and {further:,} more)" if further else ""
    message = f"{subject} no name, like an index that was exported{more}"
    listed = ", ".join(f'"{name}"' for name in first) + (", …" if further else "")
    hint = f"Leave out what is no column with data.exclude: [{listed}], or name it in the CSV"
    return Fault(message, path, 1, hint=hint)
