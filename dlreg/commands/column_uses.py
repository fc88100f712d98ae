"""What the config that `dlreg init` drafts makes of each column, and by which column it splits the rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from dlreg.config.sections.data import SplitMethod
from dlreg.errors import DataError
from dlreg.preview.columns import are_in_order, counts_rows
from dlreg.preview.first_rows import are_whole, count_values
from dlreg.preview.leaks import equals_target
from dlreg.table.column import Column
from dlreg.table.columns import KINDS, recognise_columns
from dlreg.table.date_guess import guess_other_formats
from dlreg.table.dates import parse_dates
from dlreg.table.kinds.category import MAX_LEVELS
from dlreg.table.kinds.unit_counts import unit_notes
from dlreg.table.mixed_columns import FEW_VALUES
from dlreg.table.spelling import canonical_text
from dlreg.table.table import Table
from dlreg.table.table_guess import GuessedTable
from dlreg.table.written_cells import may_be_grouped
from dlreg.wording import quote, shorten

MOST_EXAMPLES = 3
# As many levels are few in any column.
FEW_LEVELS = 20
# Rows for each level, from which on levels are not just names of rows.
FEWEST_REPEATED = 1.25


@dataclass(frozen=True)
class Use:
    """What the drafted config makes of a column.

    Attributes:
        name: As in the CSV's header.
        column: What it is; None for a column to leave out.
        comment: What its values are, or why it is left out.
        date_format: The strptime format of dates that are not ISO.
        latest_year: The last year that two digits name, where strptime's would lie in the future.
        examples: Some of its cells, where it is left out.
        notes: What a user should know of how it is read.
    """

    name: str
    column: Column | None
    comment: str
    date_format: str | None = None
    latest_year: int | None = None
    examples: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def type_name(self) -> str | None:
        """What `data.types` calls it."""
        return KINDS[self.column.kind].type_name if self.column else None


def choose_use(guess: GuessedTable, name: str, y_true: np.ndarray) -> Use:
    """Chooses what the config makes of a column.

    Args:
        guess: The table.
        name: The column.
        y_true: The target, shape `(n_rows,)`, NaN where it is missing.
    """
    cells, mixture = guess.table.frame[name], guess.mixtures.get(name)
    known = cells.dropna()
    if name.startswith("Unnamed: "):
        return _left_out(cells, "has no name, like an index that was exported")
    # To count all values of a large column takes long.
    has_one_value = known.empty or bool((known == known.iloc[0]).all())
    if has_one_value and (known.empty or len(known) == guess.n_rows):
        return _left_out(cells, "has one value in every row" if len(known) else "has no value")
    if mixture and mixture.kind is None:
        examples = [shorten(word) for word in mixture.words][:MOST_EXAMPLES]
        return Use(name, None, mixture.reason, examples=examples)
    if has_one_value:
        return Use(name, Column(name, "category"), f"{_shown(known.iloc[0])!r} or nothing")
    if not pd.api.types.is_numeric_dtype(cells) and (formats := guess_other_formats(known)):
        return _use_named_dates(name, known, formats)
    declared = "category" if _are_codes(guess, name, known) else mixture.kind if mixture else None
    try:
        column = _recognise(guess.table, name, known, declared)
    except DataError as error:
        message = error.faults[0].message.removeprefix(f"column {name!r}").lstrip(": ")
        is_text = not pd.api.types.is_numeric_dtype(known)
        if is_text and known.nunique() * FEWEST_REPEATED <= len(known):
            message += f"; if they tell something of the target, set data.types: {{{quote(name)}: category}}"
        return _left_out(cells, message)
    return _USES[column.kind](guess, column, y_true)


def split_by_time(table: Table, uses: Iterable[Use], y_true: np.ndarray) -> tuple[SplitMethod, str | None]:
    """The split that suits rows in the order of a date, and the column to split by; else a random one.

    Args:
        table: The rows.
        uses: What its columns are.
        y_true: The target, shape `(n_rows,)`, NaN where it is missing.
    """
    for use in uses:
        read_order = KINDS["date"].read_order
        if use.column is None or use.column.kind != "date" or read_order is None:
            continue
        moments = pd.Series(read_order(table, use.column)[~np.isnan(y_true)])
        if are_in_order(moments):
            # Rows without a moment have no place among the others but the one they stand at.
            if not moments.isna().any():
                return "time", use.name
            if moments.dropna().is_monotonic_increasing:
                return "ordered", None
    return "random", None


def _left_out(cells: "pd.Series[str]", reason: str) -> Use:
    examples = [_shown(cell) for cell in cells.dropna().unique()[:MOST_EXAMPLES]]
    return Use(str(cells.name), None, reason, examples=examples)


def _shown(cell: object) -> str:
    return shorten(cell) if isinstance(cell, str) else f"{cell:g}"


def _are_codes(guess: GuessedTable, name: str, known: "pd.Series[str]") -> bool:
    """Whether numbers with leading zeros have few enough levels for a category."""
    return name in guess.codes and known.nunique() <= min(MAX_LEVELS, max(FEW_LEVELS, len(known) / 2))


def _recognise(table: Table, name: str, known: "pd.Series[str]", declared: str | None) -> Column:
    try:
        (column,) = recognise_columns(table, [name], {name: declared} if declared else {}, {})
    except DataError:
        # Where few texts stand again and again they are levels, whatever they look like.
        if known.nunique() > FEW_LEVELS or 2 * known.nunique() > len(known):
            raise
        (column,) = recognise_columns(table, [name], {name: "category"}, {})
    return column


def _use_numbers(guess: GuessedTable, column: Column, y_true: np.ndarray) -> Use:
    cells = guess.table.frame[column.name]
    # Where the marks between digits are those of another column, the cells are still text.
    numbers = KINDS["number"].read(guess.table, column)
    rows = np.flatnonzero(~np.isnan(y_true))
    numbers_there, y_there = (numbers, y_true) if len(rows) == len(y_true) else (numbers[rows], y_true[rows])
    if counts_rows(numbers_there, rows):
        return _left_out(cells, "numbers the rows, like an id")
    if equals_target(numbers_there, y_there):
        return _left_out(cells, "follows the target exactly")
    known = numbers[~np.isnan(numbers)]
    comment = f"{known.min():g} to {known.max():g}{f', in {column.unit!r}' if column.unit else ''}"
    if are_whole(known) and 2 < count_values(known, most=FEW_VALUES) <= FEW_VALUES:
        comment += "; a category if these are codes"
    notes = [*unit_notes(guess.table, column, is_training=True), *grouping_notes(guess.table, column.name)]
    if column.name in guess.codes:
        comment += "; leading zeros, as codes have them, are lost"
        notes.append(f"column {column.name!r} stays a number without its leading zeros: too many levels")
    return replace(_used(column, comment, guess.n_rows - len(known)), notes=notes)


def grouping_notes(table: Table, name: str) -> list[str]:
    """A note if the mark that groups the digits of a column may as well be a decimal mark."""
    cells, mark = table.frame[name], table.csv_format.thousands
    if mark not in (",", ".") or pd.api.types.is_numeric_dtype(cells) or not may_be_grouped(cells, mark):
        return []
    example = cells.dropna().iloc[0].strip()
    number = example.replace(mark, "")
    return [
        f"column {name!r} reads {example!r} as {number}: every cell has three digits after {mark!r}. If that "
        f'is a decimal mark, remove data.thousands and set data.decimal: "{mark}"'
    ]


def _use_levels(guess: GuessedTable, column: Column, _y_true: np.ndarray) -> Use:
    known = guess.table.frame[column.name].dropna()
    levels = sorted(set(map(canonical_text, known.astype("str").unique())))
    n_missing = guess.n_rows - len(known)
    use = _used(column, f"{len(levels):,} levels: {shorten(', '.join(levels))}", n_missing)
    if column.name not in guess.codes:
        return use
    code = next(level for level in levels if level.strip().startswith("0"))
    note = f"column {column.name!r} is a category: in a number {code!r} would lose its zeros"
    return replace(use, notes=[note])


def _use_dates(guess: GuessedTable, column: Column, _y_true: np.ndarray) -> Use:
    known = guess.table.frame[column.name].dropna()
    return _used(column, f"{known.min()} to {known.max()}", guess.n_rows - len(known))


def _use_named_dates(name: str, known: "pd.Series[str]", formats: list[str]) -> Use:
    """Dates whose format the config has to name; of several the first, which is said."""
    others = f"; or {' or '.join(formats[1:])}?" if len(formats) > 1 else ""
    comment = f"such as {known.iloc[0]}{others}"
    years = parse_dates(known, formats[0]).dt.year
    this_year = datetime.now().astimezone().year
    if "%y" not in formats[0] or not (years > this_year).any():
        return Use(name, Column(name, "date", formats[0]), comment, formats[0])
    note = (
        f"years of two digits in column {name!r} are read as {this_year - 99} to {this_year}, as some would "
        "lie in the future otherwise. Change latest in data.dates if they do"
    )
    return Use(
        name, Column(name, "date", formats[0], this_year), comment, formats[0], this_year, notes=[note]
    )


def _used(column: Column, comment: str, n_missing: int) -> Use:
    missing = f"; {n_missing:,} missing" if n_missing else ""
    return Use(column.name, column, f"{comment}{missing}")


# By the kind of column.
_USES: Mapping[str, Callable[[GuessedTable, Column, np.ndarray], Use]] = {
    "number": _use_numbers,
    "category": _use_levels,
    "boolean": _use_levels,
    "date": _use_dates,
}
