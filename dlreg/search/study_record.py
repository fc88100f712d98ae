"""What `study.json` says, and whether a study can be gone on with: the same search, config and data.

A stranger may have written the directory: only plain files are opened, and what is read is held against its
shape first.
"""

import os
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dlreg.config.differences import flat_values
from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.yaml_source import MAX_BYTES as MAX_CONFIG_BYTES
from dlreg.errors import ConfigError, Fault, RunDirError, UsageError
from dlreg.files.plain_file import read_plain_file
from dlreg.runs.json_text import read_json
from dlreg.runs.shapes import DataEntry, DataKey, Size
from dlreg.search.study_names import CONFIG, STUDY
from dlreg.wording import quote

SCHEMA_VERSION = 1
MAX_RECORD_BYTES = 1 << 22
# Of more keys that a config has otherwise, so many are named.
MOST_CHANGES = 10
# What may change when a study goes on: how long it searches, and what makes no other trials.
_FREE = ("data.cache", "run.dir", "run.log", "gates", "search.trials", "search.time_limit")
_LENGTH = ("trials", "time_limit")
_CONFIG_SUFFIXES = (".yaml", ".yml")
_ANEW = "Search anew in another --study, or with --overwrite"


class StudyRecord(BaseModel):
    """`study.json`, as far as going on relies on it."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)

    schema_version: Size
    status: Literal["running", "interrupted", "failed", "complete"]
    data: dict[DataKey, DataEntry] = {}
    versions: dict[str, str] = {}
    seconds: Annotated[float, Field(ge=0)] = 0.0
    tracking_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None


def read_study_record(path: Path) -> StudyRecord | None:
    """What `study.json` says; None where there is none yet.

    Raises:
        RunDirError: It is damaged, or of a newer version.
    """
    if not os.path.lexists(path / STUDY):
        return None
    record = read_json(read_plain_file(path / STUDY, MAX_RECORD_BYTES), StudyRecord, path / STUDY)
    if record.schema_version > SCHEMA_VERSION:
        newer = (
            f"the study is of schema version {record.schema_version}, this dlreg reads up to {SCHEMA_VERSION}"
        )
        raise RunDirError(Fault(newer, str(path / STUDY), hint="Go on with a newer dlreg"))
    return record


def find_study(source: Path, path: Path | None) -> tuple[Path, Path]:
    """The config file and the directory of `dlreg tune SOURCE --study PATH --resume`.

    Args:
        source: A config file or a study directory.
        path: The study directory, if given apart.

    Raises:
        UsageError: Two study directories are given, or none.
        RunDirError: There is no such directory, or it has no config.
    """
    if not source.is_dir():
        if path is None and not source.exists() and source.suffix not in _CONFIG_SUFFIXES:
            raise RunDirError(Fault("there is no such study", str(source)))
        if path is None:
            hint = "Give --study, or the study directory in place of the config."
            raise UsageError(Fault("--resume needs to know which study", hint=hint))
        return source, path
    if path and path.resolve() != source.resolve():
        raise UsageError(f"--resume goes on with one study: {source} or --study {path}, not both")
    if not os.path.lexists(source / CONFIG) or not os.path.lexists(source / STUDY):
        hint = f"Give the config: dlreg tune CONFIG --study {shlex.quote(str(source))} --resume"
        raise RunDirError(Fault(f"nothing to resume: it has no {CONFIG} and {STUDY}", str(source), hint=hint))
    _read_config(source)
    return source / CONFIG, source


def refuse_study_as_config(source: Path) -> None:
    """Makes sure that a new search is given a config.

    Raises:
        UsageError: It is given a study, which only can be gone on with.
    """
    if source.is_dir() and os.path.lexists(source / STUDY):
        hint = f"Go on with: {resume_command(source)}"
        raise UsageError(Fault("this is a study, not a config", str(source), hint=hint))


def with_kept_length(config: Config, path: Path) -> Config:
    """The config with as many trials, and as much time, as the study has, where it gives none itself.

    What it was given on the command line when it began is in no other place; where the number of trials is
    given anew, and is another, a note says so.

    Args:
        config: The config that the study shall go on with, as `load_config` gave it.
        path: The study directory.

    Raises:
        RunDirError: The config in it is damaged.
    """
    if not os.path.lexists(path / CONFIG):
        return config
    kept, given = _read_config(path).search, config._origins.values.get("search") or {}
    changes = {name: getattr(kept, name) for name in _LENGTH if name not in given}
    search = config.search.model_copy(update=changes)
    if search.trials != kept.trials:
        before, now = (_trials_text(n) for n in (kept.trials, search.trials))
        warnings.warn(f"{path}: the study was to have {before}, now it is to have {now}", stacklevel=1)
    return config.model_copy(update={"search": search})


def refuse_changes(
    config: Config, path: Path, record: StudyRecord, data: Mapping[str, Mapping[str, Any]]
) -> None:
    """Makes sure that a study would go on as it began; it may take longer.

    Args:
        config: The config that it shall go on with.
        path: The study directory.
        record: What its `study.json` says.
        data: The `data` of now, as in `study.json`.

    Raises:
        RunDirError: With what has changed, of the config `MOST_CHANGES` keys at most.
    """
    changes = _changes(_read_config(path), config) if os.path.lexists(path / CONFIG) else []
    n_more = len(changes) - MOST_CHANGES
    told = [*changes[:MOST_CHANGES], *([f"and {n_more:,} more keys"] if n_more > 0 else [])]
    faults = [Fault(change, str(path)) for change in told]
    faults += [
        Fault(f"{key}: the file has changed since the study began", data[key]["path"])
        for key, entry in record.data.items()
        if key in data and entry.sha256 != data[key]["sha256"]
    ]
    if faults:
        hint = f"A study goes on as it began: {resume_command(path)}. {_ANEW}"
        raise RunDirError(*faults[:-1], replace(faults[-1], hint=hint))


def warn_of_versions(record: StudyRecord, versions: Mapping[str, str]) -> None:
    """Says where later trials are trained by other versions of packages than the first ones."""
    changed = [
        f"{name} {old}, now {versions[name]}"
        for name, old in record.versions.items()
        if versions.get(name, old) != old
    ]
    if changed:
        warnings.warn(
            f"the study began with {'; '.join(changed)}: values of trials may differ a little from then on",
            stacklevel=1,
        )


def resume_command(path: Path, options: Sequence[str] = ()) -> str:
    """What to type to go on with a study that was broken off."""
    return shlex.join(["dlreg", "tune", str(path), "--resume", *options])


def _read_config(path: Path) -> Config:
    content = read_plain_file(path / CONFIG, MAX_CONFIG_BYTES)
    try:
        return parse_config(content, str(path / CONFIG))
    except ConfigError as error:
        raise RunDirError(*error.faults) from None


def _changes(before: Config, now: Config) -> list[str]:
    old, new = (flat_values(config.model_dump(mode="json")) for config in (before, now))
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key) and key not in _FREE]
    return [f"{key} was {quote(old.get(key))}, now it is {quote(new.get(key))}" for key in changed]


def _trials_text(n_trials: int | None) -> str:
    if n_trials is None:
        return "as many trials as the time lets"
    return f"{n_trials:,} trial{'s' * (n_trials != 1)}"
