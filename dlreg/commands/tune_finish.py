"""What is left of a search: its figure, the best config, the runs trained from it, and what they tell."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dlreg.commands.tune_choice import choose
from dlreg.commands.tune_figure import search_png
from dlreg.commands.tune_gain import measure_gain
from dlreg.commands.tune_progress import SearchListener
from dlreg.commands.tune_results import (
    Ended,
    count_trials,
    find_edges,
    find_failures,
    loss_of,
)
from dlreg.commands.tune_runs import Importing, train_run
from dlreg.commands.tune_summary import Chosen, StudySummary
from dlreg.config.reading import load_config, trial_config
from dlreg.config.schema import Config
from dlreg.errors import DivergedError, Fault
from dlreg.runs.contents import config_yaml
from dlreg.runs.interruption import Interruption
from dlreg.search.importance import importance_of
from dlreg.search.space import Search, own_values
from dlreg.search.study_dir import StudyDir
from dlreg.search.study_names import BEST, BEST_CONFIG, FIGURE, PLAIN, TRIALS
from dlreg.wording import format_number


class _Training(NamedTuple):
    """What a training needs beside its config."""

    interruption: Interruption
    listener: SearchListener
    importing: Importing


def finish(
    config: Config,
    search: Search,
    ended: Sequence[Ended],
    study_dir: StudyDir,
    notes: Sequence[str],
    interruption: Interruption,
    listener: SearchListener,
    importing: Importing,
) -> StudySummary:
    """Trains the best config and the config's own values, and writes what the search found.

    Only now are test rows predicted.

    Args:
        config: Of the study.
        search: What was searched.
        ended: Every trial that ended, in the order of their numbers.
        study_dir: The study directory.
        notes: What has been told of the table and the config.
        interruption: Says when to stop; deferred.
        listener: Told of progress.
        importing: Prepares the process while TensorFlow is imported.

    Returns:
        The summary, whose seconds are not known yet.

    Raises:
        DivergedError: No trial was trained to its end.
        StoppedError: A signal came.
    """
    path = study_dir.path
    listener.on_stage("drawing what was found")
    own = {key: value.value for key, value in own_values(config, search.space).items()}
    # One parameter alone has all of it, whatever it did.
    importance = (
        importance_of(
            search.space,
            [trial.values for trial, _ in ended],
            [loss_of(result, maximise=search.maximise) for _, result in ended],
        )
        if len(search.space) > 1
        else None
    )
    if ended:
        content = search_png(
            ended,
            search.space,
            own,
            importance,
            metric=search.metric,
            target=config.data.target,
            maximise=search.maximise,
        )
        study_dir.write(FIGURE, content)
    failures = find_failures(ended)
    best, passed_over = choose(ended, search)
    if best is None:
        reason = f": {failures[0].message}" if failures else ""
        hint = f"{TRIALS} has the reason of each; begin with a config that trains by itself"
        raise DivergedError(Fault(f"no trial was trained to its end{reason}", str(path), hint=hint))
    study_dir.write(BEST_CONFIG, config_yaml(trial_config(config, best.trial.values)))
    training = _Training(interruption, listener, importing)
    chosen, told = _trained(best, load_config(path / BEST_CONFIG), path / BEST, training)
    notes = [*notes, *_tell([note for note in told if note not in notes])]
    plain = _plain(ended, own)
    gain, optimism = None, None
    if best.trial.number == 0:
        plain = chosen
    elif plain.value is not None:
        first = Ended(*next(each for each in ended if each.trial.number == 0))
        plain, _ = _trained(first, trial_config(config, {}), path / PLAIN, training)
        gain, optimism = measure_gain(path / BEST, path / PLAIN, search.metric)
    notes = [*notes, *_tell(_differing(search.metric, [chosen, plain]))]
    return StudySummary(
        study_dir=str(path),
        target=config.data.target,
        metric=search.metric,
        method=search.method,
        space=search.space,
        is_default_space=search.is_default,
        counts=count_trials(ended),
        failures=failures,
        best=chosen,
        plain=plain,
        passed_over=passed_over,
        importance=importance,
        edges=find_edges(search.space, best.trial.values),
        gain=gain,
        optimism=optimism,
        best_config=str(path / BEST_CONFIG),
        seconds=0.0,
        notes=notes,
    )


def _plain(ended: Sequence[Ended], own: Mapping[str, Any]) -> Chosen:
    first = next((result for trial, result in ended if trial.number == 0), None)
    is_known = first is not None and first.state == "complete"
    return Chosen(0, first.value if first and is_known else None, own)


def _trained(ended: Ended, config: Config, path: Path, training: _Training) -> tuple[Chosen, list[str]]:
    what = "the config's own values" if ended.trial.number == 0 else "the best config"
    summary, notes = train_run(config, path, what, *training)
    chosen = Chosen(ended.trial.number, ended.result.value, ended.trial.values)
    return replace(chosen, run_dir=str(path), metrics=summary["metrics"]), notes


def _tell(notes: Sequence[str]) -> Sequence[str]:
    for note in notes:
        warnings.warn(note, stacklevel=1)
    return notes


def _differing(metric: str, chosen: Sequence[Chosen]) -> list[str]:
    """Says where a run is not what its trial was, as on a cluster of other processors."""
    part, _, name = metric.rpartition(".")
    notes = []
    for each in {run.number: run for run in chosen}.values():
        value = ((each.metrics or {}).get(part) or {}).get(name)
        if each.run_dir and value != each.value:
            notes.append(
                f"{each.run_dir}: {metric} is {format_number(value)}, in trial {each.number} it was "
                f"{format_number(each.value)}: other processors or threads round otherwise"
            )
    return notes
