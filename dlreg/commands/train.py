"""One run, from a config to a complete run directory."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from dlreg.commands.tracked import describe_opening, tell_results
from dlreg.commands.train_steps import train_and_write
from dlreg.commands.train_summary import Summary
from dlreg.config.reading import without_search
from dlreg.config.schema import Config
from dlreg.engine.backend import import_backend
from dlreg.engine.compile_cache import compile_cache
from dlreg.errors import DivergedError, DlregError, StorageError, abridged_notes, warn
from dlreg.features.holidays import refuse_unknown_holidays
from dlreg.figures.beside import drawing_beside
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.memory import reporting_lack_of_memory, return_freed_memory
from dlreg.preview.advice import advise
from dlreg.preview.left_out import describe_left_out
from dlreg.preview.memory import refuse_too_little_memory
from dlreg.preview.opening import open_dataset, settle_cache
from dlreg.preview.plan import Plan, plan_training
from dlreg.processor import usable_cores
from dlreg.runs.checkpointing import Checkpointer
from dlreg.runs.directory import RunDir, next_run_dir, open_run_dir, refuse_occupied
from dlreg.runs.facts import gather_facts, now
from dlreg.runs.interruption import Interruption
from dlreg.runs.own_table import reading_once
from dlreg.runs.reading import resume_command
from dlreg.runs.results import write_config
from dlreg.runs.resuming import (
    as_run_began,
    origin_of,
    refuse_changes,
    threads_to_go_on_with,
    tracking_id_to_go_on_with,
)
from dlreg.table.parts import Dataset
from dlreg.table.stored_dataset import StoredDataset
from dlreg.trackers.libraries import refuse_missing_libraries
from dlreg.trackers.listening import tracking
from dlreg.training.listener import Listener

_NOT_SEARCHED = (
    "the config has a search, which a training does not heed: it takes the plain values; dlreg tune searches"
)


def train(
    config: Config,
    path: Path | None,
    *,
    name: str,
    overwrite: bool,
    resume: bool,
    interruption: Interruption,
    listener: Listener,
    importing: Callable[[Path | None], AbstractContextManager[None]] = lambda _: nullcontext(),
    threads: int | None = None,
) -> Summary:
    """Trains what a config describes and writes the run directory.

    Args:
        config: The whole config.
        path: The run directory to write; None for the config's, or else the next free one in `runs`.
        name: What the next free one is called after.
        overwrite: Replace the run that stands there, once the new one is complete.
        resume: Go on with the unfinished run that stands there, if there is one.
        interruption: Says when to stop.
        listener: Told of progress.
        importing: Prepares the process while TensorFlow is imported; given the folder in which XLA may keep
            compiled programs, if there is one.
        threads: How many an operation uses; None for as many as config and machine say.

    Raises:
        UsageError: A library that a tracker needs is not installed.
        DataError: The CSV cannot be used; TensorFlow has not been imported by then, and nothing written but
            what is kept of the table.
        StorageError: The run directory is not empty or cannot be written, or there is too little memory.
        RunDirError: The run to go on with is of another config or other data, or its checkpoint is damaged.
        StoppedError: A signal came; the run directory keeps a checkpoint.
        DivergedError: The loss is not finite any more; the run directory keeps history and best weights.
    """
    began, started = time.monotonic(), now()
    refuse_missing_libraries(config.run.log)
    refuse_unknown_holidays(config)
    if place := path or config.run.dir:
        refuse_occupied(place, overwrite=overwrite, resume=resume)
    if resume:
        config = as_run_began(config, place)
    with reading_once(config):
        config = settle_cache(config)
    with ExitStack() as stack:
        with reading_once(config):
            dataset = stack.enter_context(open_dataset(config, listener.on_stage))
            plan = plan_training(config, dataset)
            refuse_too_little_memory(plan)
            facts = gather_facts(config, dataset, threads or plan.threads, started)
        return_freed_memory()
        notes, target_hint = _tell_notes(config, dataset)
        config = without_search(config)
        # From its first file to the last one a directory is never left without a word on how to go on.
        stack.enter_context(interruption.deferred())
        path = path or config.run.dir or next_run_dir(name)
        run = stack.enter_context(open_run_dir(path, overwrite=overwrite, resume=resume))
        if resume:
            refuse_changes(config, path, facts)
            facts |= {"threads": threads_to_go_on_with(config, path, plan.threads)}
        if config.run.log:
            facts |= {"tracking_id": (tracking_id_to_go_on_with(path) if resume else None) or uuid4().hex}
        checkpointer = _checkpointer(config, plan, run, facts, interruption)
        run.set_status("running", facts)
        write_config(run, config)
        opening = describe_opening(config, path, facts)
        trackers = stack.enter_context(tracking(config.run.log, opening, listener))
        try:
            with reporting_storage_errors(path), reporting_lack_of_memory():
                with (
                    interruption.heeded(),
                    compile_cache(enabled=config.run.compile_cache) as cache,
                    drawing_beside(enabled=usable_cores() > 1) as draughtsman,
                ):
                    listener.on_stage("importing TensorFlow")
                    with importing(cache):
                        import_backend(facts["threads"])
                    if config.training.time_limit is not None:
                        listener.on_stage("timing an epoch")
                        config, note = _settle_time_limit(config, dataset.in_memory, facts["threads"], began)
                        notes = [*notes, note]
                        plan = plan_training(config, dataset)
                        checkpointer = _checkpointer(config, plan, run, facts, interruption)
                        write_config(run, config)
                    outcome = train_and_write(
                        config, dataset, run, checkpointer, trackers, draughtsman, target_hint
                    )
                summary = Summary(str(path), round(time.monotonic() - began, 3), notes, outcome)
                run.set_status("complete", {"finished": now(), **summary.facts()})
                run.remove_checkpoint()
            interruption.raise_received()
        except BaseException as error:
            # Work that a signal breaks off may fail in any way.
            if interruption.received or isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise checkpointer.stop(interruption.received or signal.SIGINT) from None
            if run.record["status"] != "complete":
                _record_failure(run, error)
            if isinstance(error, StorageError) and error.__cause__ and run.is_resumable:
                raise _saying_how_to_go_on(error, run) from error.__cause__
            raise
        if config.run.log:
            with interruption.heeded():
                told = tell_results(trackers, path, summary.facts())
            _tell(told)
            summary = replace(summary, notes=[*summary.notes, *told])
    return summary


def _checkpointer(
    config: Config, plan: Plan, run: RunDir, facts: Mapping[str, Any], interruption: Interruption
) -> Checkpointer:
    return Checkpointer(run, origin_of(config, facts), plan.epochs + plan.refit_epochs, interruption)


def _settle_time_limit(config: Config, dataset: Dataset, threads: int, began: float) -> tuple[Config, str]:
    """The config with epochs and an ensemble in place of its time limit, and what was chosen.

    It is timed with so many threads, and a larger ensemble would take others by itself.
    """
    from dlreg.steps.sizing import settle_time_limit

    config, sentence = settle_time_limit(config, dataset, began)
    warn(sentence)
    return config.model_copy(update={"run": config.run.model_copy(update={"threads": threads})}), sentence


def _tell_notes(config: Config, dataset: Dataset | StoredDataset) -> tuple[list[str], str | None]:
    """Warns of what a user should know of the rows; returns that, and what would mend a spoilt loss."""
    advices = advise(config, dataset.in_memory)
    searched = [_NOT_SEARCHED] if config.search.is_given else []
    left_out = describe_left_out(config, dataset.in_memory)
    notes = abridged_notes([*searched, *dataset.notes, *left_out, *(str(advice.fault) for advice in advices)])
    _tell(notes)
    return notes, next((advice.fault.hint for advice in advices if advice.spoils_loss), None)


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        warn(note)


def _record_failure(run: RunDir, error: BaseException) -> None:
    exit_code = error.exit_code if isinstance(error, DlregError) else 1
    if isinstance(error, DivergedError):
        run.remove_checkpoint()
    # What failed may be the disk, and then it is the error to tell.
    with suppress(OSError):
        run.set_status("failed", {"error": str(error), "exit_code": exit_code})


def _saying_how_to_go_on(error: StorageError, run: RunDir) -> StorageError:
    way_on = f"Then go on with: {resume_command(run.path)}"
    return StorageError(
        *(replace(fault, hint=f"{fault.hint}. {way_on}" if fault.hint else way_on) for fault in error.faults)
    )
