"""A process that is warm: TensorFlow is imported, rows are preprocessed, programs are compiled.

A trial takes the very steps of a training (`dlreg.steps`), so that its metrics are the same to the bit, and
leaves out what it has no use for: Keras's own model, the baselines, the test rows.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

from dlreg.config.schema import Config
from dlreg.engine.backend import import_backend
from dlreg.errors import DlregError
from dlreg.evaluation.bootstrap import metric_interval
from dlreg.limits import read_metric
from dlreg.memory import reporting_lack_of_memory
from dlreg.search.packed_rows import PackedRows, unpack_rows
from dlreg.search.pruning import rungs
from dlreg.search.space import trial_config
from dlreg.search.trials import Trial, TrialResult, error_of
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset
from dlreg.training.progress import Progress

# Preprocessings of the rows that a process keeps: those of each scaling that is searched, mostly.
MOST_PREPROCESSED = 8


class _PrunedError(Exception):
    """Ends a training that has fallen behind."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


def open_trials(
    rows: PackedRows,
    *,
    config: Config,
    metric: str,
    threads: int,
    rung_epochs: int | None = None,
    importing: Callable[[Path | None], AbstractContextManager[None]] = lambda _: nullcontext(),
    cache: Path | None = None,
) -> Callable[[Trial], TrialResult]:
    """Makes this process a warm one.

    Args:
        rows: Of the search.
        config: Of trial 0.
        metric: What trials are compared by, with its part.
        threads: Of an operation.
        rung_epochs: Of the rungs of `dlreg.search.pruning`; None where nothing is pruned.
        importing: Prepares the process while TensorFlow is imported; given the folder in which XLA may keep
            compiled programs, if there is one.
        cache: That folder.

    Returns:
        What runs a trial; whatever is wrong with its values is in the result.
    """
    with importing(cache):
        import_backend(threads)
    from dlreg.steps.preparing import Preprocessed, preprocess

    dataset = unpack_rows(rows)

    @lru_cache(1)
    def rows_of_seed(seed: int) -> Dataset:
        training = config.training.model_copy(update={"seed": seed})
        return load_dataset(config.model_copy(update={"training": training}))

    known: dict[str, tuple[Dataset, Preprocessed]] = {}

    def preprocessed(own: Config) -> tuple[Dataset, Preprocessed]:
        # What each variant embeds is fitted later.
        scaling = own.preprocessing.model_dump_json(exclude={"embedding"})
        seed = own.training.seed
        key = f"{scaling} {seed} {own.refitting is not None}"
        if key not in known:
            whole = dataset if seed == config.training.seed else rows_of_seed(seed)
            for oldest in list(known)[: len(known) - MOST_PREPROCESSED + 1]:
                del known[oldest]
            known[key] = whole, preprocess(own, whole)
        return known[key]

    def run(trial: Trial) -> TrialResult:
        began = time.monotonic()
        try:
            with reporting_lack_of_memory():
                own = trial_config(config, trial.values)
                return _run(own, *preprocessed(own), trial, metric, rung_epochs, began)
        except DlregError as error:
            message = "; ".join(fault.message for fault in error.faults)
        except Exception as error:
            # A bug that only some values meet is no reason to lose all others: the study tells of it.
            if trial.number == 0:
                raise
            message = f"a bug of dlreg's, please report it: {type(error).__name__}: {error}"
        return TrialResult(trial.number, "failed", message=message, seconds=time.monotonic() - began)

    return run


def _run(
    config: Config,
    dataset: Dataset,
    rows: Any,
    trial: Trial,
    metric: str,
    rung_epochs: int | None,
    began: float,
) -> TrialResult:
    from dlreg.steps.combining import combine
    from dlreg.steps.measuring import measure_without_test, predict_without_test
    from dlreg.steps.preparing import prepare
    from dlreg.steps.training import train_networks
    from dlreg.training.loop import Hooks

    def on_epoch(progress: Progress) -> None:
        if progress.epoch in trial.stops and not progress.is_refitting:
            lowest = min(progress.history[progress.watched])
            # One that is not finite is told as such.
            if lowest >= trial.stops[progress.epoch] and not progress.diverged:
                raise _PrunedError(progress)

    prepared, training_began = prepare(config, rows), time.monotonic()

    def result(state: Any, progress: Progress, seconds: float, **values: Any) -> TrialResult:
        return TrialResult(
            trial.number,
            state,
            epochs=progress.epoch,
            best_epoch=progress.best_epoch,
            curve=_lowest_at(rungs(rung_epochs) if rung_epochs else (), progress),
            seconds=time.monotonic() - began,
            training_seconds=seconds,
            **values,
        )

    try:
        trained = train_networks(config, dataset, prepared, None, Hooks(on_epoch=on_epoch))
    except _PrunedError as pruned:
        return result("pruned", pruned.progress, time.monotonic() - training_began)
    training_seconds = time.monotonic() - training_began
    if trained.progress.diverged:
        message = f"the loss is not finite in epoch {len(trained.progress.values)}"
        return result("failed", trained.progress, training_seconds, message=message)
    networks = combine(config, dataset, prepared, trained)
    metrics = measure_without_test(dataset, prepared, networks, config.data)
    value = _value(metrics, metric)
    if value is None:
        message = f"there is no {metric} of its predictions"
        return result("failed", trained.progress, training_seconds, metrics=metrics, message=message)
    interval = None
    if trial.number == 0:
        part, name = read_metric(metric)
        rows_chosen_by = predict_without_test(dataset, prepared, networks, part or "")
        interval = metric_interval(error_of(name), rows_chosen_by.y_true, rows_chosen_by.y_pred)
    return result(
        "complete", trained.progress, training_seconds, metrics=metrics, value=value, interval=interval
    )


def _lowest_at(epochs: tuple[int, ...], progress: Progress) -> Mapping[int, float]:
    """The lowest loss so far at each of these epochs, and at the last one."""
    losses = progress.history[progress.watched]
    reached = [epoch for epoch in (*epochs, len(losses)) if 0 < epoch <= len(losses)]
    return {epoch: min(losses[:epoch]) for epoch in reached} if epochs else {}


def _value(metrics: Mapping[str, Mapping[str, float | None]], metric: str) -> float | None:
    part, name = read_metric(metric)
    return metrics.get(part or "", {}).get(name)
