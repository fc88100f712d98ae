"""A run trained again from what it recorded, and how far the result is the same."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dlreg.commands.train import train
from dlreg.config.differences import differing_values, flat_values
from dlreg.config.schema import Config
from dlreg.errors import Fault, RunDirError, StoppedError, StorageError, UsageError
from dlreg.files.table_files import STANDARD_INPUT, fingerprint
from dlreg.runs.contents import read_config
from dlreg.runs.interruption import Interruption
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import CONFIG, OUT_OF_FOLD, PREDICTIONS, RUN, VALIDATION
from dlreg.runs.own_table import files_of_data, find_change, recorded_file, warn_of_reading
from dlreg.runs.reading import check_file, read_record
from dlreg.runs.shapes import CompleteRecord
from dlreg.runs.tables import read_predictions
from dlreg.training.listener import Listener

Equality = Literal["byte", "rounding", "no"]
# Of the spread of the target. Sums that are rounded otherwise differ by some 1e-7 in an epoch.
ROUNDING = 1e-5
# What of `run.json` tells how a run came about, and may make another of it.
_FACTS = ("versions", "machine", "threads")


@dataclass(frozen=True)
class Reproduction:
    """How far a run that was trained again is the same.

    Attributes:
        equal: `byte` if all files of results are, `rounding` if predictions and metrics differ by no more
            than rounding makes them, else `no`.
        files: Of each file of results whether it is equal to the byte.
        difference: The largest between predictions of held-out rows, as a share of the spread of the target;
            None where there are no such rows, or others than before.
        metrics: By dotted name, such as `test.rmse`, its value then and now where these differ.
        facts: What `run.json` says of versions, machine and threads where it differs, then and now.
        run_dir: Where the new run stands, if it is kept.
    """

    equal: Equality
    files: Mapping[str, bool]
    difference: float | None
    metrics: Mapping[str, list[Any]]
    facts: Mapping[str, list[Any]]
    run_dir: str | None

    def as_json(self) -> dict[str, Any]:
        """The same in plain values."""
        return {name: value for name, value in vars(self).items() if name != "run_dir"} | {
            "new_run_dir": self.run_dir
        }


def reproduce(
    path: Path,
    *,
    data: str | None,
    threads: int | None,
    run_dir: Path | None,
    interruption: Interruption,
    listener: Listener,
    importing: Callable[[Path | None], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Reproduction:
    """Trains a run again from its config, on its table, with as many threads as it had.

    Args:
        path: The run directory.
        data: Where its table is now; None for where it was.
        threads: Another number of threads; None for that of the run.
        run_dir: Where to keep the new run; None for nowhere.
        interruption: Says when to stop.
        listener: Told of progress.
        importing: As `dlreg.commands.train.train` has it.

    Raises:
        RunDirError: There is no complete run, it is damaged, or its table is gone or has changed.
        StoppedError: A signal came.
        StorageError: Something stands where the new run is to be kept.
        DlregError: The training fails, as `train` does.
    """
    record = read_record(path)
    for name in record["files"]:
        check_file(path, record, name)
    config = _with_table(read_config(path, record), path, data)
    _refuse_other_tables(config, path, record, data)
    # Trackers were told of the run when it was made.
    config = config.model_copy(update={"run": config.run.model_copy(update={"log": (), "dir": None})})
    with _folder_of(run_dir, path) as folder:
        train(
            config,
            folder,
            name=path.name,
            overwrite=False,
            resume=False,
            interruption=interruption,
            listener=listener,
            importing=importing,
            threads=threads or record.get("threads"),
        )
        return _compare(path, record, folder, kept=run_dir is not None)


def _with_table(config: Config, path: Path, data: str | None) -> Config:
    if data is None and str(config.data.path) == STANDARD_INPUT:
        hint = "Give the table as a file: --data CSV"
        raise RunDirError(
            Fault("the run was trained from standard input, which is gone", str(path), hint=hint)
        )
    if data is None:
        return config
    if data == STANDARD_INPUT:
        hint = "Give the file that it is in"
        raise UsageError(Fault("--data -: the table is read twice, which standard input is not", hint=hint))
    return config.model_copy(update={"data": config.data.model_copy(update={"path": Path(data).absolute()})})


def _refuse_other_tables(config: Config, path: Path, record: Mapping[str, Any], data: str | None) -> None:
    faults = []
    for key, file in files_of_data(config).items():
        entry = recorded_file(path, record, key, hint="Train again")
        if data is None or key != "data.path":
            warn_of_reading(file)
        change = find_change(file, entry)
        if change == "gone":
            hint = "Give the file where it is now: --data CSV" if key == "data.path" else "Put it back"
            faults.append(Fault(f"{key}: there is no such table any more", str(file), hint=hint))
        elif change == "changed":
            faults.append(_changed(key, file, entry))
    if faults:
        raise RunDirError(*faults)


def _changed(key: str, file: Path, entry: Mapping[str, Any]) -> Fault:
    size = fingerprint(file).size
    sizes = f"{entry['size']:,} bytes then, {size:,} now"
    if size == entry["size"]:
        sizes = f"as many bytes, {size:,}, but others"
    message = f"{key}: the table has changed since the run was trained: {sizes}"
    return Fault(message, str(file), hint="Restore it, or give it as it was: --data CSV")


@contextmanager
def _folder_of(run_dir: Path | None, path: Path) -> Iterator[Path]:
    """Where the new run is written: a folder that is kept, or one that is not."""
    if run_dir:
        if os.path.lexists(run_dir):
            hint = "Give a --run-dir that is not there yet"
            raise StorageError(Fault("there is something already", str(run_dir), hint=hint))
        yield run_dir
        return
    with tempfile.TemporaryDirectory(prefix="dlreg-") as folder:
        try:
            yield Path(folder) / "run"
        except StoppedError as error:
            fault = Fault("training again was interrupted", str(path), hint="The run itself is unchanged")
            raise StoppedError(error.exit_code, fault) from None


def _compare(path: Path, record: Mapping[str, Any], new_path: Path, *, kept: bool) -> Reproduction:
    new = read_record(new_path)
    names = [name for name in {**record["files"], **new["files"]} if name != CONFIG]
    files = {name: _digest(record, name) == _digest(new, name) for name in names}
    metrics = differing_values([_metrics(path, record), _metrics(new_path, new)])
    facts = differing_values([_facts(record), _facts(new)])
    difference = _difference(path, record, new_path, new)
    equal: Equality = "no"
    if all(files.values()):
        equal = "byte"
    elif difference is not None and difference <= ROUNDING and all(map(_are_close, metrics.values())):
        equal = "rounding"
    return Reproduction(equal, files, difference, metrics, facts, str(new_path) if kept else None)


def _digest(record: Mapping[str, Any], name: str) -> str | None:
    entry: Mapping[str, str] = record["files"].get(name, {})
    return entry.get("sha256")


def _metrics(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    complete = read_json(to_json(record), CompleteRecord, path / RUN)
    return flat_values(complete.metrics.model_dump(mode="json"))


def _facts(record: Mapping[str, Any]) -> dict[str, Any]:
    return flat_values({name: record[name] for name in _FACTS if name in record})


def _are_close(values: list[Any]) -> bool:
    then, now = values
    if not isinstance(then, (int, float)) or not isinstance(now, (int, float)):
        return False
    return abs(then - now) <= 10 * ROUNDING * max(abs(then), abs(now))


def _difference(
    path: Path, record: Mapping[str, Any], new_path: Path, new: Mapping[str, Any]
) -> float | None:
    """The largest difference between predictions of test rows, or of those out of fold."""
    for name in (PREDICTIONS, OUT_OF_FOLD, VALIDATION):
        if not (_digest(record, name) and _digest(new, name)):
            continue
        then, now = read_predictions(path, record, name), read_predictions(new_path, new, name)
        if not then.rows.size:
            continue
        if not (np.array_equal(then.rows, now.rows) and np.array_equal(then.y_true, now.y_true)):
            return None
        spread = float(np.std(then.y_true)) or 1.0
        return float(np.max(np.abs(then.y_pred - now.y_pred))) / spread
    return None
