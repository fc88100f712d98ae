"""Whether and how a run that was broken off goes on: the same config, the same data, the same versions."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlreg.config.differences import flat_values
from dlreg.config.schema import Config
from dlreg.config.sections.training import TrainingConfig
from dlreg.config.writing import dump_config
from dlreg.errors import DivergedError, Fault, RunDirError, UsageError, warn
from dlreg.runs.contents import read_unfinished_config
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import CHECKPOINT, CONFIG, RUN
from dlreg.runs.own_table import files_of_data, find_change, recorded_file, warn_of_reading
from dlreg.runs.reading import read_any_record
from dlreg.runs.shapes import CompleteRecord, UnfinishedRecord
from dlreg.training.members import MOST_EPOCHS
from dlreg.wording import quote

_EPOCHS, _THREADS = "training.epochs", "run.threads"
_ANEW = "Train anew in another --run-dir, or with --overwrite"


def find_config(source: Path, path: Path | None) -> tuple[Path, Path | None]:
    """The config file and the run directory of `dlreg train SOURCE --run-dir PATH --resume`.

    Args:
        source: A config file or a run directory.
        path: The run directory, if given apart.

    Raises:
        UsageError: Two run directories are given.
        RunDirError: The run directory has no config that can be read.
    """
    if not source.is_dir():
        return source, path
    if path and path.resolve() != source.resolve():
        raise UsageError(f"--resume goes on with one run: {source} or --run-dir {path}, not both")
    if not (source / CONFIG).exists():
        hint = f"Give the config: dlreg train CONFIG --run-dir {source} --resume"
        raise RunDirError(Fault(f"nothing to resume: it has no {CONFIG}", str(source), hint=hint))
    read_unfinished_config(source)
    return source / CONFIG, source


def read_complete(config: Config, path: Path | None) -> dict[str, Any] | None:
    """The summary of a run that needs no resuming, as `train` gives it; None for others.

    Of an unfinished run, which a stranger may have written, the config and the data are held against what
    `run.json` says before anything is read of them.

    Args:
        config: The config it must have been made with.
        path: The run directory; None for the config's.

    Raises:
        UsageError: No run directory is given.
        RunDirError: The run is of another config or other data, or damaged.
        DivergedError: The run diverged, and would do so again.
    """
    path = path or config.run.dir
    if not path:
        hint = "Give --run-dir, or the run directory in place of the config."
        raise UsageError(Fault("--resume needs to know which run", hint=hint))
    if not os.path.lexists(path / RUN):
        return None
    record = read_any_record(path)
    if record["status"] == "failed" and record.get("exit_code") == DivergedError.exit_code:
        hint = "It would do so again: change the config, and give another --run-dir or --overwrite"
        raise DivergedError(Fault("the run diverged", str(path), hint=hint))
    if record["status"] != "complete":
        _refuse_other_start(config, path, record)
        return None
    _refuse_other_config(config, path, with_more_epochs=False)
    threads = record.get("threads")
    if threads and config.run.threads not in (None, threads):
        raise RunDirError(_other_threads(config, path, threads))
    summary = read_json(to_json(record), CompleteRecord, path / RUN)
    # A process killed at the very end leaves it behind.
    with suppress(OSError):
        (path / CHECKPOINT).unlink()
    return {"run_dir": str(path), **summary.model_dump(exclude_unset=True)}


def as_run_began(config: Config, path: Path | None) -> Config:
    """The config with what a run settled when it began: the cache, and what fits in a time limit.

    Args:
        config: The config to go on with.
        path: The run directory; there may be no run yet.
    """
    is_open = config.data.cache == "auto" or config.training.time_limit is not None
    if not is_open or not path or not os.path.lexists(path / CONFIG):
        return config
    began = read_unfinished_config(path)
    if config.data.cache == "auto":
        data = config.data.model_copy(update={"cache": began.data.cache})
        config = config.model_copy(update={"data": data})
    if config.training.time_limit is not None and began.training.time_limit is None:
        settled: dict[str, Any] = {"epochs": began.training.epochs, "time_limit": None}
        if config.training.refit == "auto":
            settled["refit"] = began.training.refit
        training = config.training.model_copy(update=settled)
        model = config.model.model_copy(update={"ensemble": began.model.ensemble})
        # A number of its own is held against that of the run.
        run = config.run.model_copy(update={"threads": config.run.threads or began.run.threads})
        config = config.model_copy(update={"training": training, "model": model, "run": run})
    return config


def refuse_changes(config: Config, path: Path, facts: Mapping[str, Any]) -> None:
    """Makes sure that an unfinished run would go on as it began.

    Args:
        config: The config it shall go on with; it may ask for more epochs, unless the learning rate of
            each step depends on how many there will be.
        path: The run directory; there may be no run yet.
        facts: The `data` and `versions` of now, as in `run.json`.

    Raises:
        RunDirError: With everything that has changed.
    """
    if not os.path.lexists(path / RUN):
        return
    file = path / RUN
    record = read_json(to_json(read_any_record(path)), UnfinishedRecord, file)
    if os.path.lexists(path / CONFIG):
        _refuse_other_config(config, path, with_more_epochs=True)
    faults = [
        _changed(key, facts["data"][key]["path"])
        for key, entry in record.data.items()
        if key in facts["data"] and entry.sha256 != facts["data"][key]["sha256"]
    ]
    if os.path.lexists(path / CHECKPOINT):
        faults += [
            Fault(f"the run began with {name} {old}, this is {new}", str(path), hint=f"Install it. {_ANEW}")
            for name, old in record.versions.items()
            if (new := facts["versions"].get(name, old)) != old and name != "python"
        ]
    if faults:
        raise RunDirError(*faults)


def threads_to_go_on_with(config: Config, path: Path, planned: int) -> int:
    """How many threads a run goes on with: as many as it began with, or sums would be rounded otherwise.

    It says so where this machine alone would take others.

    Args:
        config: The config it goes on with.
        path: The run directory; there may be no run yet.
        planned: How many threads the config and this machine would take.

    Raises:
        RunDirError: The config asks for another number.
    """
    if not os.path.lexists(path / RUN):
        return planned
    record = read_json(to_json(read_any_record(path)), UnfinishedRecord, path / RUN)
    threads = record.threads or planned
    if config.run.threads not in (None, threads):
        raise RunDirError(_other_threads(config, path, threads))
    if threads != planned:
        warn(f"going on with run.threads {threads}, as the run began; here it would be {planned}")
    return threads


def _other_threads(config: Config, path: Path, threads: int) -> Fault:
    message = f"{_THREADS} was {threads}, now it is {config.run.threads}, and sums would be rounded otherwise"
    return Fault(message, str(path), hint=f"Go on with --set {_THREADS}={threads}, or null. {_ANEW}")


def tracking_id_to_go_on_with(path: Path) -> str | None:
    """What an unfinished run is called by its trackers; None where it has none, or there is no run yet."""
    if not os.path.lexists(path / RUN):
        return None
    return read_json(to_json(read_any_record(path)), UnfinishedRecord, path / RUN).tracking_id


def origin_of(config: Config, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint records of its run, in JSON's types.

    The number of epochs may change, and so is left out, unless the steps depend on it. Of threads the number
    counts, not who chose it. Gates judge what is done.

    Args:
        config: The config of the run.
        facts: The `data`, `versions` and `threads` of the run, as in `run.json`.
    """
    training = config.training
    if not config.depends_on_epochs:
        training = training.model_copy(update={"epochs": 0})
    run = config.run.model_copy(update={"threads": None, "log": ()})
    text = dump_config(config.model_copy(update={"training": training, "run": run, "gates": ()}))
    versions = {name: version for name, version in facts["versions"].items() if name != "python"}
    return {
        "config": hashlib.sha256(text.encode()).hexdigest(),
        "data": {key: entry["sha256"] for key, entry in facts["data"].items()},
        "versions": versions,
        "threads": facts["threads"],
    }


def _refuse_other_start(config: Config, path: Path, record: Mapping[str, Any]) -> None:
    if os.path.lexists(path / CONFIG):
        _refuse_other_config(config, path, with_more_epochs=True)
    faults = []
    for key, file in files_of_data(config).items():
        entry = recorded_file(path, record, key, hint=_ANEW)
        warn_of_reading(file)
        change = find_change(file, entry)
        if change == "gone":
            faults.append(Fault(f"{key}: the file that the run began with is gone", str(file), hint=_ANEW))
        elif change == "changed":
            faults.append(_changed(key, str(file)))
    if faults:
        raise RunDirError(*faults)


def _changed(key: str, path: str) -> Fault:
    return Fault(f"{key}: the file has changed since the run began", path, hint=_ANEW)


def _refuse_other_config(config: Config, path: Path, *, with_more_epochs: bool) -> None:
    before, config = read_unfinished_config(path), as_run_began(config, path)
    old, new = (flat_values(each.model_dump(mode="json", exclude={"search"})) for each in (before, config))
    # Threads are compared by themselves: null stands for a number that run.json tells.
    free = ("run.dir", _THREADS, "run.log", "gates")
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key) and key not in free]
    by_epochs = before.depends_on_epochs or config.depends_on_epochs
    if with_more_epochs and not by_epochs and _is_more(before.training, config.training):
        changed.remove(_EPOCHS)
    faults = []
    for key in changed:
        message = f"{key} was {quote(old.get(key))}, now it is {quote(new.get(key))}"
        if key == _EPOCHS and by_epochs:
            message += ", and what its steps do depends on it"
            if before.refitting and not config.refitting:
                message += ": with a number, training.refit: auto refits nothing"
        faults.append(Fault(message, str(path), hint=f"A run goes on as it began. {_ANEW}"))
    if faults:
        raise RunDirError(*faults)


def _is_more(before: TrainingConfig, now: TrainingConfig) -> bool:
    epochs = before.epochs
    if epochs == "auto" and before.auto_steps is None:
        epochs = MOST_EPOCHS
    return isinstance(epochs, int) and isinstance(now.epochs, int) and now.epochs > epochs
