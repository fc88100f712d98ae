"""What the columns of a table hold, and what each says of the target by itself."""

from itertools import pairwise

import numpy as np

from dlreg.evaluation.association import explained_by_level, explained_by_number
from dlreg.report.facts import ColumnProfile
from dlreg.report.views import Levels, Numbers, group_rows, view_column
from dlreg.table.column import Column
from dlreg.table.parts import Part
from dlreg.wording import shorten

BINS, BARS, GROUPS = 20, 8, 8
# Between these shares lie the bins of a histogram; what is further out counts to the outer ones.
TRIMMED = (0.005, 0.995)


def explained_alone(column: Column, part: Part) -> float:
    """The share of the target's variance that a column explains alone in these rows."""
    view = view_column(column, part.cells[column.name])
    if isinstance(view, Numbers):
        return explained_by_number(view.values, part.y_true)
    return explained_by_level(view.codes, part.y_true)


def profile_column(column: Column, cells: np.ndarray, train: Part, explained: float) -> ColumnProfile:
    """The profile of a column.

    Args:
        column: The column.
        cells: Of all rows of the table, shape `(n_rows, 1)`.
        train: The training rows, or a sample of them.
        explained: What `explained_alone` says of it.
    """
    view, train_view = view_column(column, cells), view_column(column, train.cells[column.name])
    codes, names = group_rows(train_view, GROUPS)
    means = [
        (name, int(is_in.sum()), float(train.y_true[is_in].mean()))
        for code, name in enumerate(names)
        if (is_in := codes == code).any()
    ]
    summary, bars = _histogram(view) if isinstance(view, Numbers) else _levels(view)
    n_missing = int(view.is_missing.sum())
    return ColumnProfile(
        column.name, column.kind, column.unit or "", n_missing, len(cells), summary, bars, means, explained
    )


def _histogram(view: Numbers) -> tuple[str, list[tuple[str, int]]]:
    known = view.known
    if not known.size:
        return "no value", []
    summary = f"{view.shown(known.min())} to {view.shown(known.max())}"
    distinct = np.unique(known)
    if len(distinct) == 1:
        return view.shown(known[0]), [(view.shown(known[0]), len(known))]
    if len(distinct) <= BARS and view.column.kind == "number":
        return summary, [(view.shown(value), int((known == value).sum())) for value in distinct]
    low, high = np.quantile(known, TRIMMED)
    # Without an outlier, which alone would take all bins but one.
    if not (high > low and np.ptp(known) > 3 * (high - low)):
        low, high = known.min(), known.max()
    if view.column.kind == "number" and high - low < 2 * BINS and (known % 1 == 0).all():
        # A bar for each whole number: of bins of another width some would hold two of them, others none.
        numbers = np.arange(low, high + 1)
        counts = np.bincount((np.clip(known, low, high) - low).astype(np.int64), minlength=len(numbers))
        return summary, [(view.shown(number), int(n)) for number, n in zip(numbers, counts, strict=True)]
    counts, edges = np.histogram(np.clip(known, low, high), bins=BINS, range=(low, high))
    edges[0], edges[-1] = known.min(), known.max()
    return summary, [
        (f"{view.shown(start)} to {view.shown(end)}", int(n))
        for (start, end), n in zip(pairwise(edges), counts, strict=True)
    ]


def _levels(view: Levels) -> tuple[str, list[tuple[str, int]]]:
    counts = np.bincount(view.codes)
    known = [(shorten(name), int(n)) for name, n in zip(view.names, counts, strict=True) if name]
    summary = f"{len(known):,} level{'s' if len(known) != 1 else ''}"
    return summary, known[:BARS]
