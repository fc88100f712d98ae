"""The rows that a run was split into, read from its CSV again, and what it predicts for them."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dlreg.config.sections.data import DataConfig
from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.results import PartSums, Predictions, join_predictions, sum_blocks
from dlreg.evaluation.usable import Unusable
from dlreg.files.table_files import STANDARD_INPUT
from dlreg.runs.contents import (
    check_split,
    read_split_rule,
    split_json,
    split_rule_json,
)
from dlreg.runs.names import OUT_OF_FOLD, SPLIT, VALIDATION
from dlreg.runs.own_table import files_of_data, find_change, reading_once, recorded_file, warn_of_reading
from dlreg.runs.tables import PredictedRows, read_prediction_blocks, read_predictions
from dlreg.runs.trained_run import TrainedRun
from dlreg.table.dataset import load_dataset
from dlreg.table.division import PARTS, Division
from dlreg.table.parts import Dataset, Part, join_parts
from dlreg.table.row_draws import draw
from dlreg.table.row_stream import Recognised, stream_rows
from dlreg.table.splits import validated_rows
from dlreg.table.stored_dataset import sampled_share
from dlreg.table.table_names import file_of_part, shown_path
from dlreg.training.members import members_of


class OwnRows(NamedTuple):
    """Rows that a run was split into.

    Attributes:
        parts: `train`, `validation` and `test`; of a table on disk a sample of each.
        n_rows: How many rows each part has.
    """

    parts: dict[str, Part]
    n_rows: dict[str, int]


class OwnResults(NamedTuple):
    """What a run predicts for the rows it was split into.

    Attributes:
        sums: What the metrics of each part are made of: `train`, `validation`, `test`, and with
            cross-validation `out_of_fold`, as the run recorded it.
        kept: The predictions themselves, of the parts whose are asked for.
    """

    sums: dict[str, PartSums]
    kept: dict[str, Predictions]


def read_own_rows(run: TrainedRun) -> OwnRows:
    """The rows that a run was split into. It warns of the file it reads.

    Raises:
        RunDirError: Its table is gone or has changed since, or the split is not the config's.
    """
    if not run.config.data.is_on_disk:
        dataset = _read_own_dataset(run)
        return OwnRows(dataset.parts, dataset.n_rows)
    n_rows: dict[str, int] = {**read_split_rule(run.path, run.record).rows}
    blocks = {name: list[Part]() for name in PARTS}
    for name, part in _stream_own_rows(run):
        blocks[name].append(_sampled(run, part, sum(n_rows.values())))
    return OwnRows({name: join_parts(parts, run.columns) for name, parts in blocks.items()}, n_rows)


def measure_own_rows(run: TrainedRun, keep: Collection[str] = ()) -> OwnResults:
    """Predicts the rows that a run was split into. It warns of the file it reads.

    Args:
        run: The trained run.
        keep: The parts whose predictions are returned.

    Raises:
        RunDirError: Its table is no longer what it was trained on, or a file of it is damaged.
    """
    if run.config.data.is_on_disk:
        return _measure_stream(run, keep)
    dataset = _read_own_dataset(run)
    predict = own_predictions(run)
    parts = {name: predict(name, part) for name, part in dataset.parts.items()}
    if dataset.folds:
        y_validated = parts["train"].y_true[validated_rows(dataset.folds)]
        parts["out_of_fold"] = _read_out_of_fold(run, y_validated)
    return OwnResults(sum_blocks(parts.items()), {name: parts[name] for name in keep})


def _measure_stream(run: TrainedRun, keep: Collection[str]) -> OwnResults:
    blocks: dict[str, list[Predictions]] = {name: [] for name in keep if name in PARTS}
    validated: list[np.ndarray] = []
    predict = own_predictions(run)
    n_rows = sum(read_split_rule(run.path, run.record).rows.values())

    def predicted() -> Iterator[tuple[str, Predictions]]:
        for name, part in _stream_own_rows(run):
            predictions = predict(name, part)
            if name in blocks:
                blocks[name].append(predictions)
            if name == "train":
                validated.append(_sampled(run, part, n_rows).y_true)
            yield name, predictions

    sums = dict.fromkeys(PARTS, PartSums()) | sum_blocks(predicted())
    kept = {name: join_predictions(parts) for name, parts in blocks.items()}
    if run.config.training.cross_validation:
        out_of_fold = _read_out_of_fold(run, np.concatenate(validated))
        sums |= sum_blocks([("out_of_fold", out_of_fold)])
        kept |= {"out_of_fold": out_of_fold} if "out_of_fold" in keep else {}
    return OwnResults(sums, kept)


def _sampled(run: TrainedRun, part: Part, n_rows: int) -> Part:
    """Those rows of a part of a table on disk that are in the sample of all `n_rows`."""
    share = sampled_share(n_rows, len(run.columns))
    return part.take(draw(run.config.training.seed, "sample", part.rows) < share)


def _stream_own_rows(run: TrainedRun) -> Iterator[tuple[str, Part]]:
    """The rows of a table on disk block by block, each with its part; at the end the split is checked."""
    config, rule = run.config, read_split_rule(run.path, run.record).rule
    division = Division(**rule.model_dump())
    n_folds = config.training.cross_validation
    asked = (config.data.split, config.training.seed, config.data.test_split or 0.0, n_folds)
    if (rule.method, rule.seed, rule.test_split, rule.n_folds) != asked:
        raise RunDirError(Fault("the split differs from the config's", str(run.path / SPLIT)))
    recognised = Recognised(run.columns, run.target_unit, ())
    n_rows, digest = dict.fromkeys(PARTS, 0), hashlib.sha256()
    with _reading_own_files(run):
        for key, file in files_of_data(config).items():
            own_part = key.removeprefix("data.").removesuffix("_path")
            is_part = own_part in PARTS
            for block in stream_rows(config, shown_path(file), recognised, is_divided=not is_part):
                if is_part:
                    n_rows[own_part] += len(block.part.rows)
                    yield own_part, block.part
                    continue
                divided = division.divide(block.part.rows, block.keys)
                digest.update(bytes(divided))
                for code, name in enumerate(PARTS):
                    if (places := np.flatnonzero(divided.parts == code)).size:
                        n_rows[name] += len(places)
                        yield name, block.part.take(places)
    expected = split_rule_json(division, n_rows, digest.hexdigest(), config.data, members_of(config))
    check_split(run.path, run.record, expected, 0)


@contextmanager
def _reading_own_files(run: TrainedRun) -> Iterator[None]:
    with reading_once(run.config):
        for key, file in files_of_data(run.config).items():
            warn_of_reading(file)
            _refuse_change(run, key, file)
        yield


def _read_own_dataset(run: TrainedRun) -> Dataset:
    with _reading_own_files(run):
        dataset = load_dataset(run.config)
    expected = split_json(dataset, run.config.data, members_of(run.config))
    check_split(run.path, run.record, expected, sum(dataset.n_rows.values()))
    return dataset


def unusable_faults(parts: Mapping[str, Unusable], data: DataConfig) -> list[Fault]:
    """A fault of each part of a run's own rows with predictions that are no numbers to use."""
    return [fault for name, part in parts.items() for fault in part.faults(file_of_part(data, name), name)]


def knows_validation(run: TrainedRun) -> bool:
    """Whether a run learnt its validation rows in the end; it then kept what it had predicted for them."""
    return VALIDATION in run.record["files"]


def own_predictions(run: TrainedRun) -> Callable[[str, Part], Predictions]:
    """A function that predicts rows of a part that a run was split into, by the name of the part.

    Of validation rows that were learnt in the end it tells what the run predicted for them before. These may
    be asked for block by block, and some left out, but in their order. It raises `RunDirError` where the run
    kept no such rows.
    """
    blocks = read_prediction_blocks(run.path, run.record, VALIDATION) if knows_validation(run) else None
    known = PredictedRows(*np.empty((3, 0)))

    def predict(name: str, part: Part) -> Predictions:
        nonlocal known
        if name != "validation" or blocks is None:
            return run.predict(part)
        while part.rows.size and not (known.rows.size and known.rows[-1] >= part.rows[-1]):
            block = next(blocks, None)
            if block is None:
                raise RunDirError(_other_rows(run, VALIDATION))
            known = PredictedRows(*map(np.concatenate, zip(known, block, strict=True)))
            # Of rows in their order no more are read than there are up to those that are asked for.
            if (np.diff(known.rows) <= 0).any():
                raise RunDirError(_other_rows(run, VALIDATION))
        places = np.searchsorted(known.rows, part.rows)
        rows, y_true, y_pred = (column[places] for column in known)
        if not (np.array_equal(rows, part.rows) and np.array_equal(y_true, part.y_true)):
            raise RunDirError(_other_rows(run, VALIDATION))
        known = PredictedRows(*(column[places[-1] + 1 :] for column in known)) if places.size else known
        return Predictions(y_true, y_pred, rows=part.rows)

    return predict


def _read_out_of_fold(run: TrainedRun, y_validated: np.ndarray) -> Predictions:
    _, y_true, y_pred = read_predictions(run.path, run.record, OUT_OF_FOLD, most_rows=len(y_validated))
    if not np.array_equal(y_true, y_validated):
        raise RunDirError(_other_rows(run, OUT_OF_FOLD))
    return Predictions(y_true, y_pred)


def _other_rows(run: TrainedRun, name: str) -> Fault:
    message = "its y_true are not those of the rows that it is about"
    return Fault(message, str(run.path / name), hint="Train again")


def _refuse_change(run: TrainedRun, key: str, file: Path) -> None:
    if str(file) == STANDARD_INPUT:
        hint = "Give a CSV to measure on to evaluate --data"
        raise RunDirError(
            Fault("the run was trained from standard input, which is gone", str(run.path), hint=hint)
        )
    change = find_change(file, recorded_file(run.path, run.record, key))
    if change == "gone":
        hint = "Put it back, or give another CSV to evaluate --data"
        raise RunDirError(Fault(f"the run's {key} is gone", str(file), hint=hint))
    if change == "changed":
        hint = "Train again, or measure on this file with evaluate --data"
        raise RunDirError(Fault("the file has changed since the run was made", str(file), hint=hint))
