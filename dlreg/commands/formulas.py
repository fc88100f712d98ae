"""Cells that a spreadsheet would take for formulas, and run, where a CSV is opened with it.

What stands in a stranger's table stands in the columns that are kept of it, too. A `'` in front makes text of
such a cell: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_MARKS = ("=", "+", "-", "@", "\t", "\r")
# A mark alone computes nothing either.
_PLAIN = re.compile(r"[-+]((\d[\d.,]*|[.,]\d+)([eE][-+]?\d+)?%?)?", re.ASCII)


@dataclass(frozen=True)
class Formulas:
    """The cells of some columns that look like formulas; columns without any are left out.

    Attributes:
        counts: How many there are, by column; a name of a column counts as a cell of it.
        places: Where the first one stands, by column: `the header`, or `row 12` of the output.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: "Formulas") -> "Formulas":
        """Those of more rows."""
        columns = {**self.counts, **other.counts}
        counts = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in columns}
        return Formulas(counts, {**other.places, **self.places})

    @property
    def sentences(self) -> Iterator[str]:
        """What a user should know of them, a sentence for each column."""
        for name, count in self.counts.items():
            cells = f"{count:,} cell{'s' if count > 1 else ''}"
            place = f"{'the first ' if count > 1 else ''}in {self.places[name]}"
            yield (
                f"{cells} of the kept column {name!r}, {place}, may run as formulas in a spreadsheet: "
                "--escape-formulas makes text of them"
            )


def find_formulas(cells: Mapping[str, Sequence[str]], first_row: int) -> Formulas:
    """Finds the cells that begin as formulas do and are no plain numbers.

    Args:
        cells: The cells by column.
        first_row: The row of the output in which the first of each stands.
    """
    rows = {
        name: [row for row, cell in enumerate(column) if _is_formula(cell)] for name, column in cells.items()
    }
    rows = {name: found for name, found in rows.items() if found}
    counts = {name: len(found) for name, found in rows.items()}
    return Formulas(counts, {name: f"row {first_row + found[0]:,}" for name, found in rows.items()})


def formulas_of_names(names: Sequence[str]) -> Formulas:
    """Finds the names of columns that look like formulas themselves."""
    found = [name for name in names if _is_formula(name)]
    return Formulas(dict.fromkeys(found, 1), dict.fromkeys(found, "the header"))


def escaped(cells: Sequence[str]) -> list[str]:
    """The cells with a `'` before each that looks like a formula."""
    return [f"'{cell}" if _is_formula(cell) else cell for cell in cells]


def _is_formula(cell: str) -> bool:
    return cell.startswith(_MARKS) and not _PLAIN.fullmatch(cell)
