"""What a report tells of a run, measured on the rows it was split into."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dlreg.commands.explain import rows_to_measure, sample_rows
from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.boosting import MOST_LEVELS, fit_boosted_trees
from dlreg.evaluation.bootstrap import LEAST_ROWS, regression_interval, told_interval
from dlreg.evaluation.dependence import partial_dependence
from dlreg.evaluation.error_groups import error_difference, group_errors
from dlreg.evaluation.metrics import regression_metrics
from dlreg.evaluation.permutation import permutation_importance
from dlreg.evaluation.results import Predictions
from dlreg.evaluation.usable import is_usable
from dlreg.features.tree_inputs import fit_tree_inputs
from dlreg.report import checks
from dlreg.report.facts import Boosted, Check, ColumnErrors, Dependence, HeldOut, Importance, RunFacts
from dlreg.report.profile import explained_alone, profile_column
from dlreg.report.rows import count_repeated, share_before_latest
from dlreg.report.views import MISSING, Levels, View, group_rows, view_column
from dlreg.report.wordings import METRICS, words_of
from dlreg.runs.contents import read_history
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import RUN
from dlreg.runs.own_rows import knows_validation, own_predictions, read_own_rows
from dlreg.runs.shapes import CardRecord
from dlreg.runs.trained_run import TrainedRun
from dlreg.table.column import Column
from dlreg.table.dates import has_date
from dlreg.table.parts import Part, join_parts

SEED = 0
# Of more rows trees learn from a sample, of more columns from those that say most by themselves.
MOST_TREE_ROWS, MOST_TREE_COLUMNS = 20_000, 300
# Each column costs REPEATS predictions of all rows.
REPEATS, MOST_MEASURED = 5, 100
MOST_PROFILED = 100
MOST_DEPENDENCES, DEPENDENCE_ROWS = 6, 240
DEPENDENCE_VALUES, DEPENDENCE_LEVELS = 20, 10
DEPENDENCE_DATES, CELLS_PER_DATE = 12, 8
# Beyond these shares of the rows lie few of which anything is known.
DEPENDENCE_SHARES = (0.02, 0.98)
MOST_ERROR_COLUMNS, ERROR_GROUPS, ERROR_LEVELS = 4, 5, 8


def gather_facts(run: TrainedRun) -> RunFacts:
    """Measures a run on its own rows; it warns of the file it reads.

    Raises:
        RunDirError: Its table is gone or has changed since, or a file of the run is damaged.
    """
    record = read_json(to_json(run.record), CardRecord, run.path / RUN)
    history = read_history(run.path, run.record)
    parts, n_rows = read_own_rows(run)
    name = next(name for name in ("test", "validation", "train") if parts[name].y_true.size)
    if getattr(record.metrics, name) is None:
        message = f"the file has no metrics of the {name} rows, which there are"
        raise RunDirError(Fault(message, str(run.path / RUN), hint="Train again"))
    held_out, usable, n_unusable = _measure_held_out(run, name, parts[name])
    # What the network has learnt when it predicts the held-out rows.
    of_learnt = ["train", "validation"] if knows_validation(run) and name == "test" else ["train"]
    learnt = join_parts([parts[part] for part in of_learnt], run.columns)
    n_learnt = sum(n_rows[part] for part in of_learnt)
    train = sample_part(learnt, MOST_TREE_ROWS)
    explained = {column.name: explained_alone(column, train) for column in run.columns}
    telling = sorted(explained, key=lambda column: -explained[column])
    part_name, part = rows_to_measure(run, parts)
    measured = sample_rows(part)
    # scikit-learn takes as long to be imported as the importance to be measured, mostly without Python.
    with ThreadPoolExecutor(1) as beside:
        trees = beside.submit(_compare_with_trees, run, train, usable, held_out, telling, n_learnt)
        importance = _measure_importance(run, part_name, measured, n_rows[part_name], telling)
        boosted = trees.result()
    columns = {column.name: column for column in run.columns}
    ranked = [column for column, *_ in importance.columns] if importance else telling
    profiled = list(dict.fromkeys([*ranked, *telling]))[:MOST_PROFILED]
    is_sample = any(len(part.y_true) < n_rows[name] for name, part in parts.items())
    return RunFacts(
        run.path.resolve().name,
        record,
        run.config,
        run.target_unit or "",
        history,
        n_rows,
        is_sample,
        held_out,
        boosted,
        importance,
        tuple(_dependences(run, importance, measured)),
        _error_columns(columns, usable, held_out.predictions, telling),
        tuple(
            profile_column(
                columns[column],
                np.concatenate([rows.cells[column] for rows in parts.values()]),
                train,
                explained[column],
            )
            for column in (profiled if len(columns) > MOST_PROFILED else columns)
        ),
        len(columns),
        tuple(
            _checks(
                run,
                record,
                parts,
                learnt,
                name,
                boosted,
                explained,
                {words_of(name): n_unusable},
                is_sample=is_sample,
            )
        ),
    )


def sample_part(part: Part, most: int) -> Part:
    """At most so many rows of a part, drawn at random and always the same, in their order."""
    if len(part.y_true) <= most:
        return part
    return part.take(np.sort(np.random.default_rng(SEED).choice(len(part.y_true), most, replace=False)))


def _measure_held_out(run: TrainedRun, name: str, part: Part) -> tuple[HeldOut, Part, int]:
    """What is predicted for rows, those of them whose prediction is a number to use, and how many are not."""
    predicted = own_predictions(run)(name, part)
    usable = np.asarray(is_usable(predicted.y_pred))
    margins = predicted.margins
    if margins is not None and not is_usable(margins[usable]).all():
        margins = None
    kept = Predictions(
        part.y_true[usable],
        predicted.y_pred[usable],
        None if margins is None else margins[usable],
        part.rows[usable],
    )
    names = METRICS if name != "train" else ()
    ends = {metric: told_interval(metric, kept.y_true, kept.y_pred) for metric in names}
    held_out = HeldOut(name, kept, {metric: both for metric, both in ends.items() if both})
    return held_out, part.take(usable), int((~usable).sum())


def _compare_with_trees(
    run: TrainedRun, train: Part, rows: Part, held_out: HeldOut, telling: Sequence[str], n_train: int
) -> Boosted | None:
    if held_out.name == "train" or not rows.y_true.size:
        return None
    chosen = set(telling[:MOST_TREE_COLUMNS])
    columns = [column for column in run.columns if column.name in chosen]
    inputs = fit_tree_inputs(columns, train.cells, MOST_LEVELS)
    predict = fit_boosted_trees(inputs(train.cells), train.y_true, inputs.is_level)
    y_trees = predict(inputs(rows.cells))
    return Boosted(
        regression_metrics(rows.y_true, y_trees) or {},
        regression_interval("rmse", rows.y_true, held_out.predictions.y_pred, y_trees)
        if rows.y_true.size >= LEAST_ROWS
        else None,
        len(train.y_true),
        n_train,
        len(columns),
        len(run.columns),
    )


def _measure_importance(
    run: TrainedRun, name: str, part: Part, n_part: int, telling: Sequence[str]
) -> Importance | None:
    measured = list(telling[:MOST_MEASURED])
    value, increases = permutation_importance(
        run.pipeline.predict, part.cells, part.y_true, "rmse", REPEATS, measured
    )
    columns = [
        (column, float(np.mean(values)), float(np.std(values)))
        for column, values in increases.items()
        if np.isfinite(values).all()
    ]
    if not np.isfinite(value) or not columns:
        return None
    columns.sort(key=lambda column: -column[1])
    n_left_out = len(run.columns) - len(columns)
    return Importance(name, len(part.y_true), n_part, value, REPEATS, columns, n_left_out)


def _dependences(run: TrainedRun, importance: Importance | None, measured: Part) -> Iterator[Dependence]:
    columns = {column.name: column for column in run.columns}
    names = [name for name, mean, std in (importance.columns if importance else ()) if mean > std]
    for name in names[:MOST_DEPENDENCES]:
        view = view_column(columns[name], measured.cells[name])
        groups = _groups_of_values(view)
        # Each value in as many rows, and all of them in few enough.
        part = sample_part(measured, max(1, DEPENDENCE_ROWS // groups.shape[1]))
        cells = view.cells[groups.ravel()]
        means = (
            partial_dependence(run.pipeline.predict, part.cells, name, cells).reshape(groups.shape).mean(1)
        )
        if isinstance(view, Levels):
            values, shown = np.arange(len(groups)), [str(level) or MISSING for level in cells]
        else:
            values = view.values[groups].mean(axis=1)
            shown = [view.shown(value) for value in values]
        if is_usable(means).all() and len(groups) > 1:
            yield Dependence(view, values, shown, means, len(part.y_true))


def _groups_of_values(view: View) -> np.ndarray:
    """The places of the cells to predict with, shape `(n_values, n_cells)`: the prediction is their mean.

    Of dates each value is that of several, as otherwise hours and weekdays would hide the course of years.
    """
    if isinstance(view, Levels):
        _, places = np.unique(view.codes, return_index=True)
        return np.asarray(places[:DEPENDENCE_LEVELS, None])
    known = np.flatnonzero(~np.isnan(view.values))
    order = known[np.argsort(view.values[known], kind="stable")]
    if not order.size:
        return np.empty((0, 1), dtype=np.int64)
    low, high = (round(share * (len(order) - 1)) for share in DEPENDENCE_SHARES)
    if view.column.kind == "date":
        ranks = np.linspace(low, high, DEPENDENCE_DATES * CELLS_PER_DATE).round().astype(np.int64)
        return order[ranks].reshape(DEPENDENCE_DATES, CELLS_PER_DATE)
    # As far apart as they are in the column, not as often as rows are there.
    wanted = np.linspace(view.values[order[low]], view.values[order[high]], DEPENDENCE_VALUES)
    nearest = order[np.abs(view.values[order][:, None] - wanted).argmin(axis=0)]
    _, first = np.unique(view.values[nearest], return_index=True)
    return np.asarray(nearest[first][:, None])


def _error_columns(
    columns: Mapping[str, Column], held_out: Part, predictions: Predictions, telling: Sequence[str]
) -> tuple[ColumnErrors, ...]:
    """The columns by which errors differ most, and by more than chance."""
    errors = predictions.y_pred - predictions.y_true
    groups = {
        name: group_rows(view, ERROR_LEVELS if isinstance(view, Levels) else ERROR_GROUPS)
        for name in telling[:MOST_PROFILED]
        for view in [view_column(columns[name], held_out.cells[name])]
    }
    differences = (
        {name: error_difference(errors, codes) for name, (codes, _) in groups.items()} if errors.size else {}
    )
    ranked = sorted((name for name in differences if differences[name]), key=lambda name: -differences[name])
    found = []
    for name in ranked[:MOST_ERROR_COLUMNS]:
        codes, names = groups[name]
        by_group = group_errors(predictions.y_true, predictions.y_pred, codes)
        found.append(ColumnErrors(name, [(names[code], error) for code, error in by_group.items()]))
    return tuple(found)


def _checks(
    run: TrainedRun,
    record: CardRecord,
    parts: Mapping[str, Part],
    learnt: Part,
    held_out: str,
    boosted: Boosted | None,
    explained: Mapping[str, float],
    unusable: Mapping[str, int],
    *,
    is_sample: bool,
) -> Sequence[Check]:
    training = run.config.training
    dates = [c for c in run.columns if c.kind == "date" and has_date(str(c.date_format))]
    shares = (
        {}
        if held_out == "train"
        else {
            column.name: share
            for column in dates
            if (share := share_before_latest(column, learnt, parts[held_out])) is not None
        }
    )
    n_repeated = 0 if held_out == "train" else count_repeated(learnt, parts[held_out])
    found: list[Check | None] = [
        checks.check_size(
            record.metrics,
            held_out,
            is_steered=training.restore_best_weights or training.early_stopping is not None,
        ),
        checks.check_overfitting(record.metrics, held_out, record.verdict),
        checks.check_linear(record.metrics, held_out),
        checks.check_boosted(boosted, held_out),
        checks.check_giveaways(explained, run.config.data.target),
        checks.check_time(shares, run.config.data, held_out),
        checks.check_repeated(n_repeated, len(parts[held_out].y_true), held_out, is_sample=is_sample),
        checks.check_coverage(record.metrics),
        checks.check_predictions(unusable),
    ]
    return [check for check in found if check]
