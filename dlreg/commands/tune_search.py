"""The trials of a search: asked for, trained by an engine, kept, shown and told to trackers."""

import hashlib
import json
import math
import time
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from dlreg.commands.tune_progress import SearchCounter, SearchListener
from dlreg.commands.tune_results import Ended, loss_of
from dlreg.commands.tune_runs import Importing
from dlreg.commands.tune_tracked import describe_trial
from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DataError
from dlreg.memory import format_bytes
from dlreg.preview.memory import count_fitting
from dlreg.preview.plan import Plan, plan_training
from dlreg.processor import usable_cores
from dlreg.runs.interruption import Interruption
from dlreg.search.driver import search as run_search
from dlreg.search.local_engine import local_engine
from dlreg.search.packed_rows import pack_rows
from dlreg.search.sampling import open_study
from dlreg.search.space import Choices, Search, own_values, trial_config
from dlreg.search.study import Study
from dlreg.search.study_dir import StudyDir
from dlreg.search.study_names import JOURNAL
from dlreg.search.trial_runner import open_trials
from dlreg.search.trials import Engine, Trial, TrialResult
from dlreg.table.parts import Dataset
from dlreg.trackers.study_listening import StudyTrackers

# Trials are asked for while so many before them are not known yet; a study keeps it.
LEAST_WINDOW, WINDOW_PER_JOB = 8, 2
# As many as a config may ask for, where the time alone ends a search.
MOST_TRIALS = 1_000_000
# Keys that decide how large a network and its step are.
_SIZING = (
    "preset", "preprocessing.categorical", "preprocessing.embedding", "model.ensemble", "model.hidden_layers",
    "training.batch_size",
)  # fmt: skip


@dataclass(frozen=True)
class Execution:
    """Where trials are trained.

    Attributes:
        engine: On this machine, or on a Ray cluster.
        n_jobs: How many at once; None for as many as there are cores.
        address: Of the cluster.
    """

    engine: Literal["local", "ray"] = "local"
    n_jobs: int | None = None
    address: str | None = None

    def options(self) -> list[str]:
        """What to type to have the same again."""
        jobs = [] if self.n_jobs is None else ["--jobs", str(self.n_jobs)]
        engine = [] if self.engine == "local" else ["--engine", self.engine]
        return [*jobs, *engine, *([] if self.address is None else ["--address", self.address])]


@dataclass(frozen=True)
class SearchPlan:
    """A search that is about to begin or to go on.

    Attributes:
        config: Of the study.
        search: What is searched.
        dataset: The rows.
        size: Of trial 0.
        execution: Where trials are trained.
    """

    config: Config
    search: Search
    dataset: Dataset
    size: Plan
    execution: Execution

    @property
    def prune_epochs(self) -> int | None:
        """The most epochs of a trial, where those that fall behind end before."""
        return self.size.epochs if self.search.prune else None


def run_trials(
    plan: SearchPlan,
    study_dir: StudyDir,
    interruption: Interruption,
    listener: SearchListener,
    trackers: StudyTrackers,
    importing: Importing,
) -> list[Ended]:
    """Runs trials until there are enough, the time is over, or a signal comes.

    Args:
        plan: The search.
        study_dir: The study directory, in which trials are kept.
        interruption: Says when to stop.
        listener: Told of each trial.
        trackers: The same.
        importing: Prepares a process while TensorFlow is imported.

    Returns:
        Every trial of the study that has ended, in the order of their numbers.

    Raises:
        RunDirError: What is kept of the study is damaged, or of another search.
        ClusterError: Workers are lost and not replaced.
    """
    search = plan.search
    n_trials = search.trials or MOST_TRIALS
    with _open_engine(plan, study_dir.path, importing) as engine:
        study = _open_study(plan, study_dir, engine.n_jobs)
        study_dir.set_status("running", {"jobs": engine.n_jobs, "window": study.plan.window})
        known = _ended(study)
        _tell_known(known, trackers, maximise=search.maximise)
        if study.is_finished(n_trials):
            warnings.warn(_nothing_left(len(known), search.trials), stacklevel=1)
            return known
        counter = SearchCounter(search, known)
        deadline = None if search.time_limit is None else time.monotonic() + search.time_limit

        def on_result(trial: Trial, result: TrialResult) -> None:
            ended = Ended(trial, result)
            progress = counter.add(ended)
            listener.on_search(progress)
            trackers.tell_trial(describe_trial(ended, is_best=progress.is_best))

        listener.on_stage("starting the workers")
        run_search(
            study,
            engine,
            trials=n_trials,
            deadline=deadline,
            on_result=on_result,
            should_stop=lambda: bool(interruption.received),
        )
    return _ended(study)


def _nothing_left(n_known: int, n_trials: int | None) -> str:
    if n_trials is None or n_known <= n_trials:
        return "the search is complete already"
    return f"{n_known:,} trials are done and {n_trials:,} are asked for: nothing is left to do"


def _open_engine(plan: SearchPlan, folder: Path, importing: Importing) -> AbstractContextManager[Engine]:
    execution, threads = plan.execution, plan.size.threads
    if execution.engine == "ray":
        _refuse_seeds(plan)
    rows = pack_rows(plan.dataset)
    open_runner = partial(
        open_trials,
        config=plan.config,
        metric=plan.search.metric,
        threads=threads,
        rung_epochs=plan.prune_epochs,
        importing=importing,
    )
    if execution.engine == "ray":
        from dlreg.search.ray_engine import ray_engine

        address, n_jobs = execution.address, execution.n_jobs
        return ray_engine(open_runner, rows, address=address, n_jobs=n_jobs, threads=threads)
    n_jobs = _count_jobs(execution.n_jobs, largest_size(plan))
    keeps_programs = plan.config.run.compile_cache
    return local_engine(open_runner, rows, n_jobs, folder, keeps_programs=keeps_programs)


def _refuse_seeds(plan: SearchPlan) -> None:
    """Another seed draws other rows from the table, which other machines do not have."""
    if "training.seed" in plan.search.space:
        message = "training.seed draws the rows, and a cluster has those of one seed alone"
        raise ConfigError(
            plan.config.fault(message, "search", "parameters", hint="Search it with --engine local")
        )


def _count_jobs(wanted: int | None, size: Plan) -> int:
    """As many trials at once as are asked for, or as there are cores and memory for."""
    n_cores, n_fitting = usable_cores() // size.threads, count_fitting(size.memory_bytes)
    n_jobs = wanted or max(1, min(n_cores, n_fitting))
    if n_fitting < (wanted or n_cores):
        each, there = format_bytes(size.memory_bytes), f"enough for {n_fitting}"
        chosen = f"--jobs {wanted} may run out of it" if wanted else f"{n_jobs} will run at once"
        warnings.warn(f"a trial needs about {each} of memory, and there is {there}: {chosen}", stacklevel=1)
    return n_jobs


def _open_study(plan: SearchPlan, study_dir: StudyDir, n_jobs: int) -> Study:
    config, search = plan.config, plan.search
    return open_study(
        search.storage or study_dir.path / JOURNAL,
        search.space,
        search.method,
        config.training.seed,
        max(LEAST_WINDOW, WINDOW_PER_JOB * n_jobs),
        search.maximise,
        own_values={key: own.value for key, own in own_values(config, search.space).items()},
        prune_epochs=plan.prune_epochs,
        name=name_in_database(config, plan.dataset),
    )


def largest_size(plan: SearchPlan) -> Plan:
    """The size of the trial that takes most memory, as far as one key alone decides that."""
    sizes = [plan.size]
    for key, tried in plan.search.space.items():
        values = tried.values if isinstance(tried, Choices) else (tried.maximum,)
        for value in values if key in _SIZING else ():
            # What is wrong with values together is for their trials to tell.
            with suppress(ConfigError, DataError):
                sizes.append(plan_training(trial_config(plan.config, {key: value}), plan.dataset))
    return replace(plan.size, memory_bytes=max(size.memory_bytes for size in sizes))


def name_in_database(config: Config, dataset: Dataset) -> str:
    """What a study is called in a database: the same for the same config and rows, wherever they are read."""
    of_places = {"path", "test_path", "validation_path", "cache"}
    said = config.model_dump(
        mode="json",
        include={"preset", "data", "preprocessing", "model", "training"},
        exclude={"data": of_places},
    )
    said["search"] = config.search.model_dump(mode="json", exclude={"trials", "time_limit", "storage"})
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name in ("train", "validation"):
        part = dataset.parts[name]
        for cells in (part.y_true, *part.cells.values()):
            known = pd.util.hash_array(cells[:, 0]) if cells.dtype == object else cells
            digest.update(np.ascontiguousarray(known).data)
    return f"{config.data.target} {digest.hexdigest()[:16]}"


def _ended(study: Study) -> list[Ended]:
    return [Ended(trial, result) for trial, result in study.trials() if result]


def _tell_known(ended: Sequence[Ended], trackers: StudyTrackers, *, maximise: bool) -> None:
    """Tells trackers the trials of a study that goes on; those that have them keep none twice."""
    best = math.inf
    for each in ended:
        loss = loss_of(each.result, maximise=maximise)
        trackers.tell_trial(describe_trial(each, is_best=loss < best))
        best = min(best, loss)
