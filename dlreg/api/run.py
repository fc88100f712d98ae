"""A complete run: its metrics and its history, and what it predicts for rows of Python."""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dlreg.api.arguments import check_importance, check_path, check_share, rows_given
from dlreg.api.notes import told_in_python, warn_of_all
from dlreg.errors import Fault, UsageError
from dlreg.evaluation.usable import are_usable, is_usable
from dlreg.runs.contents import read_metrics, read_whole_history
from dlreg.runs.new_rows import PredictedRows, predict_table, refuse_level, table_of_frame
from dlreg.runs.row_reader import ROWS, Row, row_predictor
from dlreg.runs.strange_cells import refuse_unseen, strange_sentences
from dlreg.runs.trained_run import TrainedModel, TrainedRun, use_run
from dlreg.table.frame_table import DATA_FRAME
from dlreg.table.kinds.unit_counts import count_without_unit
from dlreg.table.non_data_rows import describe_rows, find_non_data_rows
from dlreg.table.table import Table
from dlreg.wording import without_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_METRICS = ("n", "rmse", "mae", "r2")
_FIGURES = ("loss", "predictions", "residuals")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A complete run, as it was when it was loaded.

    Attributes:
        path: The run directory.
        config: The resolved config, every default spelled out, as in `config.yaml`.
        metrics: As in `metrics.json`: by part, and of the baselines.
        history: As in `history.json`: a row for each epoch, from 1 on, and a column for each loss and metric.
    """

    path: Path
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: pd.DataFrame
    _trained: TrainedRun = field(repr=False)
    _predict_rows: Callable[..., PredictedRows] = field(repr=False)

    def predict(
        self,
        rows: "pd.DataFrame | pd.Series[Any] | Row | Iterable[Row]",
        interval: float | None = None,
        *,
        max_unseen: float | None = None,
    ) -> Any:
        """Predicts new rows, as `dlreg predict` does those of a file.

        Args:
            rows: A data frame with the columns of the training table, in any order; the target is not needed,
                and further columns do not matter. Or a mapping from columns to cells, or a series, which is
                one row, or several of them in a list or whatever can be gone through: a few rows of numbers
                and text are predicted in microseconds.
            interval: The share of new rows that shall lie between the bounds, such as 0.9; or None.
            max_unseen: The share of a column's cells that may be a level which no training row has; None for
                any but all of them.

        Returns:
            The predictions in the target's units, float64 of shape `(n_rows,)`, or a single number of a
            mapping. With `interval` a data frame of `y_pred`, `y_lower` and `y_upper`, with the index of a
            data frame that was given, or a mapping of three numbers. What is no finite number is NaN.

        Raises:
            DataError: Columns are missing, or cells are not what their column is.
            UsageError: The interval is no share of rows, or too few rows were kept for it; the rows have
                no names for their cells.
        """
        rows = rows_given(rows)
        if max_unseen is not None:
            check_share("max_unseen", max_unseen)
        with told_in_python():
            if interval is not None:
                refuse_level(self._trained.intervals, interval, name="interval=")
            if isinstance(rows, pd.DataFrame):
                table = table_of_frame(self._trained, rows)
                predicted, notes = (
                    predict_table(self._trained, table, interval=interval),
                    table_notes(self._trained, table),
                )
                refuse_unseen(predicted.strange, DATA_FRAME, max_unseen)
            else:
                is_one = isinstance(rows, Mapping)
                predicted, notes = self._predict_rows([rows] if is_one else rows, interval), iter(())
                refuse_unseen(predicted.strange, ROWS, max_unseen)
        columns, unusable = usable_columns(predicted)
        warn_of_all([*notes, *strange_sentences(self._trained, predicted.strange), *unusable])
        if isinstance(rows, pd.DataFrame):
            return columns["y_pred"] if interval is None else pd.DataFrame(columns, index=rows.index)
        if is_one:
            numbers = {name: float(values[0]) for name, values in columns.items()}
            return numbers["y_pred"] if interval is None else numbers
        return columns["y_pred"] if interval is None else pd.DataFrame(columns)

    def explain(
        self, metric: Literal["rmse", "mse", "mae", "r2"] = "rmse", *, repeats: int = 10
    ) -> pd.DataFrame:
        """Which columns matter: how much worse the metric becomes when a column's cells change places.

        Args:
            metric: What is measured, on rows as `dlreg explain` chooses them.
            repeats: How often each column is permuted.

        Returns:
            A row for each column, the most important first: `importance` in the units of the metric, and its
            standard deviation over repeats, `std`.

        Raises:
            RunDirError: The table is not what the run was trained on.
            UsageError: There is no such metric, or it has no value on these rows; or the repeats are not
                from 1 to 1,000.
        """
        from dlreg.commands.explain import measure_importance

        check_importance(metric, repeats)
        with told_in_python():
            _, report = measure_importance(self.path, metric=metric, repeats=repeats)
        return pd.DataFrame(report["columns"]).rename(columns={"name": "column"}).set_index("column")

    def plot(self, kind: Literal["loss", "predictions", "residuals"] = "loss") -> "Figure":
        """Draws a figure of the run.

        Args:
            kind: The losses by epoch, or `predictions` or `residuals` of the test rows.

        Returns:
            A matplotlib figure that no window and no `pyplot` knows of; `figure.savefig(…)` writes it, and a
            notebook shows it.

        Raises:
            RunDirError: The run has no test rows to draw.
            UsageError: There is no such figure.
        """
        from dlreg.commands.plot import draw

        if kind not in _FIGURES:
            raise UsageError(
                Fault(f"there is no figure {kind!r}", hint=f"Choose one of {', '.join(_FIGURES)}")
            )
        with told_in_python():
            return draw(self.path, kind)

    def __repr__(self) -> str:
        """The run directory, and the metrics of its last part."""
        name, values = list(_parts(self.metrics))[-1]
        shown = ", ".join(
            f"{metric} {values[metric]:.4g}" for metric in ("rmse", "r2") if values[metric] is not None
        )
        return f"<dlreg.Run {str(self.path)!r}: {self.config['data']['target']!r}, {name} {shown}>"

    def _repr_html_(self) -> str:
        """The same for a notebook: the metrics of every part."""
        title = html.escape(f"{self.path}: {self.config['data']['target']}")
        parts = pd.DataFrame(dict(_parts(self.metrics))).T[list(_SHOWN_METRICS)]
        return f"<p><b>{title}</b></p>{parts.to_html(float_format='{:.4g}'.format)}"


def load(path: str | Path) -> Run:
    """Opens a complete run. What it is read from is checked, so that a stranger's run directory is safe.

    Args:
        path: The run directory.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
        StorageError: A file may not be read.
        UsageError: It is no path.
    """
    check_path("path", path)
    folder = Path(path)

    def read(trained: TrainedRun) -> Run:
        history = pd.DataFrame(read_whole_history(folder, trained.record))
        history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
        config = trained.config.model_dump(mode="json")
        return Run(
            folder, config, read_metrics(folder, trained.record), history, trained, row_predictor(trained)
        )

    with told_in_python():
        return use_run(folder, read)


def table_notes(model: TrainedModel, table: Table) -> Iterator[str]:
    """What a user should know of rows that are predicted, beside their strange cells."""
    for place in describe_rows(table, find_non_data_rows(table, None)):
        yield f"predicted, but no observation: {place}"
    for name, count in count_without_unit(table, model.columns).items():
        yield f"{without_unit(count, name)}, taken as in training"


def usable_columns(predicted: PredictedRows) -> tuple[dict[str, np.ndarray], Iterable[str]]:
    """The predictions and their bounds, NaN where one is no number to use, and a sentence if any is."""
    columns = {
        name: predicted.columns[name]
        for name in ("y_pred", "y_lower", "y_upper")
        if name in predicted.columns
    }
    if all(map(are_usable, columns.values())):
        return columns, ()
    usable = np.logical_and.reduce([is_usable(values) for values in columns.values()])
    columns = {name: np.where(is_usable(values), values, np.nan) for name, values in columns.items()}
    return columns, [f"{int((~usable).sum()):,} rows have no finite prediction: it is NaN"]


def _parts(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, values) for name, values in metrics.items() if values and name != "baselines")
