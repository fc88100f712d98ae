"""Everything a report tells of a run, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dlreg.config.schema import Config
from dlreg.evaluation.bootstrap import Regression
from dlreg.evaluation.error_groups import GroupError
from dlreg.evaluation.results import Predictions
from dlreg.report.views import View
from dlreg.runs.shapes import CardRecord


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        mark: `pass`, `warn`, or `open` where it could not be told.
        name: What was looked at, in a few words.
        sentence: What was found.
    """

    mark: Literal["pass", "warn", "open"]
    name: str
    sentence: str


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The rows a run is measured on: test rows, else validation rows, else training rows.

    Attributes:
        name: `test`, `validation` or `train`.
        predictions: What is observed and predicted; of a table on disk a sample.
        intervals: The lower and upper end of metrics, by name; none of training rows, which say nothing of
            others.
    """

    name: str
    predictions: Predictions
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Boosted:
    """Gradient-boosted trees on the same rows.

    Attributes:
        metrics: On the held-out rows.
        regression: How much worse the network's RMSE is; None where it has no value.
        n_trained: The training rows they were fitted on, of `n_train`.
        n_train: All training rows.
        n_columns: The columns they were fitted on, of `n_all_columns`.
        n_all_columns: All columns.
    """

    metrics: Mapping[str, Any]
    regression: Regression | None
    n_trained: int
    n_train: int
    n_columns: int
    n_all_columns: int


@dataclass(frozen=True)
class Importance:
    """How much worse the RMSE gets when a column's cells are dealt out at random.

    Attributes:
        part: The rows it was measured on.
        n: How many there are, of `n_part`.
        n_part: All rows of the part.
        value: The RMSE of the rows as they are.
        repeats: How often each column was permuted.
        columns: Name, mean and standard deviation over the repeats, the most important first.
        n_left_out: Columns that were not measured.
    """

    part: str
    n: int
    n_part: int
    value: float
    repeats: int
    columns: Sequence[tuple[str, float, float]]
    n_left_out: int


@dataclass(frozen=True, eq=False)
class Dependence:
    """The mean prediction by the value of a column.

    Attributes:
        view: The column on these rows.
        values: The values as numbers, or dates as microseconds, shape `(n_values,)`; the places of levels.
        names: The same to read.
        predictions: The mean prediction of each.
        n: How many rows each is the mean of.
    """

    view: View
    values: np.ndarray
    names: Sequence[str]
    predictions: np.ndarray
    n: int


@dataclass(frozen=True)
class ColumnErrors:
    """The errors of held-out rows by a column.

    Attributes:
        name: The column.
        groups: Each group's name and error.
    """

    name: str
    groups: Sequence[tuple[str, GroupError]]


@dataclass(frozen=True)
class ColumnProfile:
    """What a column of the table holds.

    Attributes:
        name: The column.
        kind: Of `dlreg.table.column.KindName`.
        unit: Of its numbers, or "".
        n_missing: Cells that are missing.
        n_rows: All cells.
        summary: Its range, or how many levels it has.
        bars: The name and the rows of each bar of its histogram, or of its most frequent levels.
        means: Of training rows, by groups of the column in order: the group's name, its number of rows and
            the mean target.
        explained: The share of the target's variance that it explains alone, in training rows.
    """

    name: str
    kind: str
    unit: str
    n_missing: int
    n_rows: int
    summary: str
    bars: Sequence[tuple[str, int]]
    means: Sequence[tuple[str, int, float]]
    explained: float


@dataclass(frozen=True, eq=False)
class RunFacts:
    """Everything a report tells of a run.

    Attributes:
        name: Of the run directory.
        record: What its `run.json` says.
        config: The resolved config.
        unit: The target's, or "".
        history: The losses by epoch.
        n_rows: How many rows each part has.
        is_sample: Whether the table is on disk and so large that the rows shown are a sample.
        held_out: The rows it is measured on.
        boosted: What it is compared with; None without held-out rows.
        importance: None where no row is left to measure it on.
        dependences: Of the most important columns.
        errors: By the columns for which they differ most.
        profile: Of each column, the most important ones first where there are many.
        n_columns: How many columns there are in all.
        checks: What was looked at.
    """

    name: str
    record: CardRecord
    config: Config
    unit: str
    history: Mapping[str, Sequence[float]]
    n_rows: Mapping[str, int]
    is_sample: bool
    held_out: HeldOut
    boosted: Boosted | None
    importance: Importance | None
    dependences: Sequence[Dependence]
    errors: Sequence[ColumnErrors]
    profile: Sequence[ColumnProfile]
    n_columns: int
    checks: Sequence[Check]
