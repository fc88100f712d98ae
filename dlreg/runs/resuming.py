"""Whether and how a run that was broken off goes on: the same config, the same data, the same versions."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.writing import dump_config
from dlreg.config.yaml_source import MAX_BYTES as MAX_CONFIG_BYTES
from dlreg.errors import ConfigError, DivergedError, Fault, RunDirError, UsageError
from dlreg.files.plain_file import hash_plain_file, read_plain_file
from dlreg.runs import directory as run_dir
from dlreg.runs.shapes import Summary, UnfinishedRecord, read_json
from dlreg.wording import quote

_EPOCHS = "training.epochs"
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
    if not (source / run_dir.CONFIG).exists():
        hint = f"Give the config: dlreg train CONFIG --run-dir {source} --resume"
        raise RunDirError(Fault(f"nothing to resume: it has no {run_dir.CONFIG}", str(source), hint=hint))
    _read_config(source)
    return source / run_dir.CONFIG, source


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
    if not os.path.lexists(path / run_dir.RUN):
        return None
    record = run_dir.read_any_record(path)
    if record["status"] == "failed" and record.get("exit_code") == DivergedError.exit_code:
        hint = "It would do so again: change the config, and give another --run-dir or --overwrite"
        raise DivergedError(Fault("the run diverged", str(path), hint=hint))
    if record["status"] != "complete":
        _refuse_other_start(config, path, record)
        return None
    _refuse_other_config(config, path, with_more_epochs=False)
    summary = read_json(run_dir.to_json(record), Summary, path / run_dir.RUN)
    # A kill at the very end leaves it.
    with suppress(OSError):
        (path / run_dir.CHECKPOINT).unlink()
    return {"run_dir": str(path), **summary.model_dump(exclude_unset=True)}


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
    if not os.path.lexists(path / run_dir.RUN):
        return
    file = path / run_dir.RUN
    record = read_json(run_dir.to_json(run_dir.read_any_record(path)), UnfinishedRecord, file)
    if os.path.lexists(path / run_dir.CONFIG):
        _refuse_other_config(config, path, with_more_epochs=True)
    faults = [
        _changed(key, facts["data"][key]["path"])
        for key, entry in record.data.items()
        if key in facts["data"] and entry.sha256 != facts["data"][key]["sha256"]
    ]
    if os.path.lexists(path / run_dir.CHECKPOINT):
        faults += [
            Fault(f"the run began with {name} {old}, this is {new}", str(path), hint=f"Install it. {_ANEW}")
            for name, old in record.versions.items()
            if (new := facts["versions"].get(name, old)) != old and name != "python"
        ]
    if faults:
        raise RunDirError(*faults)


def origin_of(config: Config, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint is of, in JSON's types; the number of epochs may change.

    Args:
        config: The config of the run.
        facts: The `data` and `versions` of the run, as in `run.json`.
    """
    training = config.training
    if not config.depends_on_epochs:
        training = training.model_copy(update={"epochs": 0})
    text = dump_config(config.model_copy(update={"training": training}))
    versions = {name: version for name, version in facts["versions"].items() if name != "python"}
    return {
        "config": hashlib.sha256(text.encode()).hexdigest(),
        "data": {key: entry["sha256"] for key, entry in facts["data"].items()},
        "versions": versions,
    }


def _refuse_other_start(config: Config, path: Path, record: Mapping[str, Any]) -> None:
    if os.path.lexists(path / run_dir.CONFIG):
        _refuse_other_config(config, path, with_more_epochs=True)
    files = {"data.path": config.data.path, "data.test_path": config.data.test_path}
    faults = []
    for key, file in files.items():
        entry = record.get("data", {}).get(key)
        if file is None:
            continue
        if entry is None:
            raise RunDirError(Fault(f"the file says nothing of {key}", str(path / run_dir.RUN), hint=_ANEW))
        # It may be a stranger's config that names the file.
        warnings.warn(f"reading {file}, as the run's config says", stacklevel=1)
        if not os.path.exists(file):  # noqa: PTH110 - unlike Path's, it takes any name
            faults.append(Fault(f"{key}: the file that the run began with is gone", str(file), hint=_ANEW))
        elif hash_plain_file(file, entry["size"], follow_link=True) != entry["sha256"]:
            faults.append(_changed(key, str(file)))
    if faults:
        raise RunDirError(*faults)


def _changed(key: str, path: str) -> Fault:
    return Fault(f"{key}: the file has changed since the run began", path, hint=_ANEW)


def _read_config(path: Path) -> Config:
    file = path / run_dir.CONFIG
    try:
        return parse_config(read_plain_file(file, MAX_CONFIG_BYTES), str(file))
    except ConfigError as error:
        raise RunDirError(*error.faults) from None


def _refuse_other_config(config: Config, path: Path, *, with_more_epochs: bool) -> None:
    before = _read_config(path)
    old, new = (dict(_leaves(each.model_dump(mode="json"))) for each in (before, config))
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key) and key != "run.dir"]
    by_epochs = config.depends_on_epochs
    more = [each.training.epochs for each in (before, config)]
    if with_more_epochs and not by_epochs and _is_more(*more):
        changed.remove(_EPOCHS)
    faults = []
    for key in changed:
        found = f"{key} was {quote(old.get(key))}, now it is {quote(new.get(key))}"
        if key == _EPOCHS and by_epochs:
            found += ", and what its steps do depends on it"
        faults.append(Fault(found, str(path), hint=f"A run goes on as it began. {_ANEW}"))
    if faults:
        raise RunDirError(*faults)


def _is_more(before: int | str, now: int | str) -> bool:
    return isinstance(before, int) and isinstance(now, int) and now > before


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
