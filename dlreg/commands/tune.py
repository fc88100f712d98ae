"""A search for a better config, from a config to a study directory with the best run in it."""

import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from dlreg.commands.tune_finish import finish
from dlreg.commands.tune_progress import SearchListener
from dlreg.commands.tune_results import count_trials
from dlreg.commands.tune_runs import Importing
from dlreg.commands.tune_search import Execution, SearchPlan, run_trials
from dlreg.commands.tune_summary import StudySummary, space_as_json
from dlreg.commands.tune_tables import trials_csv
from dlreg.commands.tune_tracked import describe_finish, describe_study
from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DlregError, Fault, StoppedError, StorageError, abridged_notes
from dlreg.features.holidays import refuse_unknown_holidays
from dlreg.files.table_files import STANDARD_INPUT
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.memory import reporting_lack_of_memory, return_freed_memory
from dlreg.preview.advice import advise
from dlreg.preview.memory import refuse_too_little_memory
from dlreg.preview.opening import open_dataset, settle_cache
from dlreg.preview.plan import plan_training
from dlreg.runs.directory import next_run_dir
from dlreg.runs.facts import gather_facts, now
from dlreg.runs.interruption import Interruption, tell_at_once
from dlreg.runs.own_table import reading_once
from dlreg.search.space import Search, search_of, settle_refit, spelled_out
from dlreg.search.study_config import study_yaml
from dlreg.search.study_dir import StudyDir, open_study_dir, refuse_occupied
from dlreg.search.study_names import BEST_CONFIG, CONFIG, FOLDER, TRIALS
from dlreg.search.study_record import (
    read_study_record,
    refuse_changes,
    resume_command,
    warn_of_versions,
    with_kept_length,
)
from dlreg.table.parts import Dataset
from dlreg.trackers.libraries import refuse_missing_libraries
from dlreg.trackers.study_listening import tracking_study


def tune(
    config: Config,
    path: Path | None,
    *,
    name: str,
    overwrite: bool,
    resume: bool,
    execution: Execution,
    interruption: Interruption,
    listener: SearchListener,
    importing: Importing = lambda _: nullcontext(),
) -> StudySummary:
    """Searches what a config describes, trains the best of it, and writes the study directory.

    Args:
        config: The whole config.
        path: The study directory; None for the next free one in `studies`.
        name: What the next free one is called after.
        overwrite: Remove the study that stands there.
        resume: Go on with the study that stands there, if there is one.
        execution: Where trials are trained.
        interruption: Says when to stop.
        listener: Told of progress.
        importing: Prepares the process while TensorFlow is imported.

    Raises:
        UsageError: A library that is needed is not installed.
        ConfigError: The table is read in a way that a search cannot repeat.
        DataError: The table cannot be used.
        RunDirError: The study to go on with is of another search or other data, or damaged.
        StorageError: The directory is not empty or cannot be written, or there is too little memory.
        ClusterError: Workers are lost and not replaced; the study can be gone on with.
        StoppedError: A signal came; the study can be gone on with.
        DivergedError: No trial was trained to its end.
    """
    began, started = time.monotonic(), now()
    refuse_missing_libraries(config.run.log)
    refuse_unknown_holidays(config)
    _refuse_single_reading(config)
    _refuse_time_of_a_training(config)
    if path:
        refuse_occupied(path, overwrite=overwrite, resume=resume)
    with reading_once(config):
        config = settle_cache(config)
    _refuse_disk(config)
    config = settle_refit(config, config.search.parameters)
    with ExitStack() as stack:
        with reading_once(config):
            dataset = stack.enter_context(open_dataset(config, listener.on_stage))
            assert isinstance(dataset, Dataset)  # noqa: S101
            plan = plan_training(config, dataset)
            refuse_too_little_memory(plan)
            facts = gather_facts(config, dataset, plan.threads, started)
        return_freed_memory()
        search = search_of(config, dataset.n_rows["train"])
        notes = _tell_notes(config, dataset, search)
        # From its first file to the last one a directory is never left without a word on how to go on.
        stack.enter_context(interruption.deferred())
        is_new_number = path is None
        path = path or next_run_dir(name, FOLDER)
        study_dir = stack.enter_context(open_study_dir(path, overwrite=overwrite, resume=resume))
        record = read_study_record(path) if resume else None
        if record:
            config = with_kept_length(config, path)
            search = _search_of_study(config, dataset.n_rows["train"])
        elif resume:
            warnings.warn(f"{path}: there is no study yet, it begins", stacklevel=1)
        config = spelled_out(config, dataset.n_rows["train"])
        if record:
            refuse_changes(config, path, record, facts["data"])
            warn_of_versions(record, facts["versions"])
        if config.run.log:
            facts |= {"tracking_id": (record and record.tracking_id) or uuid4().hex}
        earlier = record.seconds if record else 0.0

        def seconds() -> float:
            return round(earlier + time.monotonic() - began, 3)

        with _ending(study_dir, execution, interruption, seconds, removes_unbegun=is_new_number):
            study_dir.write(CONFIG, study_yaml(config))
            study_dir.set_status("running", {**facts, **_facts_of(search, execution)})
            opening = describe_study(config, search, path, facts)
            trackers = stack.enter_context(tracking_study(config.run.log, opening))
            searched = SearchPlan(config, search, dataset, plan, execution)
            ended = run_trials(searched, study_dir, interruption, listener, trackers, importing)
            study_dir.write(TRIALS, trials_csv(ended, search.space))
            study_dir.set_status("running", {"trials": count_trials(ended), "seconds": seconds()})
            interruption.raise_received()
            del dataset, searched
            return_freed_memory()
            summary = finish(config, search, ended, study_dir, notes, interruption, listener, importing)
            summary = replace(summary, seconds=seconds())
            study_dir.set_status("complete", {"finished": now(), **summary.facts()})
            if config.run.log:
                listener.on_stage("telling the trackers")
                with interruption.heeded():
                    told = trackers.finish(describe_finish(summary, path))
                _tell(told)
                summary = replace(summary, notes=[*summary.notes, *told])
    return summary


def _search_of_study(config: Config, n_rows: int) -> Search:
    """The search of a study that goes on, whose config spells out the space that dlreg chose for it."""
    search = search_of(config, n_rows)
    unnamed = config.search.model_copy(update={"parameters": {}})
    chosen = search_of(config.model_copy(update={"search": unnamed}), n_rows)
    return replace(search, is_default=search.space == chosen.space)


def _refuse_single_reading(config: Config) -> None:
    if str(config.data.path) == STANDARD_INPUT:
        hint = "Write it to a file first, and name that with --data"
        message = "a search reads the table more than once, and standard input can be read once"
        raise ConfigError(config.fault(message, "data", "path", hint=hint))


def _refuse_time_of_a_training(config: Config) -> None:
    if config.training.time_limit is not None:
        message = "training.time_limit is for dlreg train, a search has search.time_limit"
        hint = "Leave it out, or search with --set training.time_limit=null"
        raise ConfigError(config.fault(message, "training", "time_limit", hint=hint))


def _refuse_disk(config: Config) -> None:
    if config.data.is_on_disk:
        hint = (
            "Search on a part of the rows with --data PART, then train the best config on all of them: "
            f"dlreg train STUDY/{BEST_CONFIG} --data {config.data.path} --set data.cache=auto"
        )
        message = "a search keeps the rows in memory, and this table is trained from disk"
        raise StorageError(Fault(message, str(config.data.path), hint=hint))


def _tell_notes(config: Config, dataset: Dataset, search: Search) -> list[str]:
    advices = [str(advice.fault) for advice in advise(config, dataset)]
    notes = abridged_notes([*dataset.notes, *advices, *search.notes])
    _tell(notes)
    return notes


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        warnings.warn(note, stacklevel=1)


def _facts_of(search: Search, execution: Execution) -> dict[str, Any]:
    return {
        "engine": execution.engine,
        "metric": search.metric,
        "method": search.method,
        "space": space_as_json(search.space),
    }


@contextmanager
def _ending(
    study_dir: StudyDir,
    execution: Execution,
    interruption: Interruption,
    seconds: Callable[[], float],
    *,
    removes_unbegun: bool,
) -> Iterator[None]:
    """A block that leaves a study which can be gone on with, whatever ends it.

    One whose engine or storage could not be opened has nothing to go on with: where its directory was named
    by dlreg it is removed.
    """
    path = study_dir.path
    command = resume_command(path, execution.options())

    def stopped(number: int) -> StoppedError:
        if study_dir.record["status"] != "complete":
            study_dir.set_status("interrupted", {"finished": now(), "seconds": seconds()})
        fault = Fault("the search was interrupted", str(path), hint=f"Go on with: {command}")
        return StoppedError(128 + number, fault)

    def stop_at_once(number: int) -> None:
        tell_at_once(f"error: {stopped(number)}")

    interruption.on_forced_exit = stop_at_once
    try:
        with reporting_storage_errors(path), reporting_lack_of_memory():
            yield
        interruption.raise_received()
    except BaseException as error:
        if interruption.received or isinstance(error, (KeyboardInterrupt, SystemExit, StoppedError)):
            raise stopped(interruption.received or signal.SIGINT) from None
        code = error.exit_code if isinstance(error, DlregError) else 1
        # What failed may be the disk, and then it is the error to tell.
        with suppress(OSError, StorageError):
            study_dir.set_status("failed", {"error": str(error), "exit_code": code})
            if removes_unbegun and "window" not in study_dir.record:
                study_dir.remove()
        raise
