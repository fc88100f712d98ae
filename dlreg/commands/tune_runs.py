"""The runs that a study leaves: trained by `train`, as anybody would train them from their config."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dlreg.commands.train import train
from dlreg.config.schema import Config
from dlreg.errors import DivergedError, Fault, RunDirError, StorageError
from dlreg.runs.interruption import Interruption
from dlreg.runs.resuming import read_complete
from dlreg.training.listener import Listener

Importing = Callable[[Path | None], AbstractContextManager[None]]


def train_run(
    config: Config,
    path: Path,
    what: str,
    interruption: Interruption,
    listener: Listener,
    importing: Importing,
) -> tuple[Mapping[str, Any], list[str]]:
    """Trains a config to a run directory; one that is complete stays, an unfinished one goes on.

    Args:
        config: The config, whose `data.cache` is settled.
        path: The run directory; a run of another config in it is replaced.
        what: In words, for the listener.
        interruption: Says when to stop.
        listener: Told of progress.
        importing: Prepares the process while TensorFlow is imported.

    Returns:
        What `train --json` tells, and the notes of the training.

    Raises:
        DlregError: As of `train`.
        StorageError: The run directory is a link, which may lead to a run of somebody else.
    """
    # What is known by then is told by the caller, once.
    with warnings.catch_warnings(record=True) as notes:
        summary = _train(config, path, what, interruption, listener, importing)
    return summary, [str(note.message) for note in notes]


def _train(
    config: Config,
    path: Path,
    what: str,
    interruption: Interruption,
    listener: Listener,
    importing: Importing,
) -> Mapping[str, Any]:
    if path.is_symlink():
        hint = "Remove the link: a study's own runs are directories in it"
        raise StorageError(Fault("expected a run directory of the study, found a link", str(path), hint=hint))
    try:
        complete, is_other = read_complete(config, path), False
    except (RunDirError, DivergedError):
        complete, is_other = None, True
    if complete:
        return complete
    listener.on_stage(f"training {what}")
    return train(
        config,
        path,
        name=path.name,
        overwrite=is_other,
        resume=not is_other,
        interruption=interruption,
        listener=listener,
        importing=importing,
    ).as_json()
