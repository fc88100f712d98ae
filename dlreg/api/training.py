"""From a config to a run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlreg.api.arguments import check_config, check_path
from dlreg.api.backend import borrowing, importing
from dlreg.api.notes import told_in_python
from dlreg.api.progress import notebook_bar
from dlreg.api.run import Run, load
from dlreg.commands import train as command
from dlreg.commands.check import checked_config
from dlreg.config.mapping_source import CONFIG
from dlreg.config.reading import read_values
from dlreg.errors import UsageError, warn
from dlreg.evaluation.gates import judge_limits, limits_of_config, refuse_failed
from dlreg.runs.interruption import Interruption
from dlreg.runs.names import CHECKPOINT
from dlreg.runs.resuming import find_config, read_complete


def train(
    config: str | Path | Mapping[str, Any],
    *,
    run_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Run:
    """Trains a network and writes its run directory, as `dlreg train` does; in a notebook with a bar.

    Args:
        config: The YAML file, or what would stand in it; its relative paths start from the working folder.
            To resume, it may be the run directory.
        run_dir: Where to write; None for the config's, or else `runs/NAME-1`, `-2`, …
        overrides: Values by dotted key, such as `{"training.epochs": 50}`.
        overwrite: Replace the run that stands there, once the new one is complete.
        resume: Go on with the unfinished run that stands there; a complete one is loaded. Where no checkpoint
            stands, the training starts at epoch 0, and a warning says so.

    Returns:
        The complete run. What a user should know of the rows is warned of, as a `DlregWarning`.

    Raises:
        UsageError: Arguments contradict each other, or are not of the types above.
        ConfigError: The config has faults.
        DataError: The table cannot be used.
        RunDirError: The run to resume is of another config or other data, or damaged.
        StorageError: The run directory is in use or cannot be written, or there is too little memory.
        DivergedError: The loss is not finite any more.
        GateError: The run is complete, and worse than the config's `gates` let pass.
        KeyboardInterrupt: The training was interrupted; `resume=True` goes on with it.
    """
    check_config(config, overrides)
    if run_dir is not None:
        check_path("run_dir", run_dir)
    if resume and overwrite:
        raise UsageError("resume=True goes on with a run, overwrite=True starts anew: give one of them")
    path = None if run_dir is None else Path(run_dir)
    with told_in_python(), notebook_bar() as listener:
        if resume and not isinstance(config, Mapping):
            config, path = find_config(Path(config), path)
        source = CONFIG if isinstance(config, Mapping) else str(config)
        settings = checked_config(source, read_values(config, overrides or {}))
        summary = read_complete(settings, path) if resume else None
        if not summary:
            folder = path or settings.run.dir
            if resume and folder and not os.path.lexists(folder / CHECKPOINT):
                warn(f"{folder}: there is no checkpoint to go on from, the training starts at epoch 0")
            # Without handlers of signals: Python's own raises KeyboardInterrupt.
            with borrowing():
                summary = command.train(
                    settings,
                    path,
                    name=Path(settings.data.path if isinstance(config, Mapping) else config).stem,
                    overwrite=overwrite,
                    resume=resume,
                    interruption=Interruption(),
                    listener=listener,
                    importing=importing,
                ).as_json()
        refuse_failed(judge_limits(limits_of_config(settings.gates)[0], summary["metrics"]))
    return load(summary["run_dir"])
