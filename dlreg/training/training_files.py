"""The preprocessed rows of a training on disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlreg.config.schema import Config
from dlreg.features.preprocessing import Preprocessing
from dlreg.table.parts import Part
from dlreg.table.stored_dataset import StoredDataset
from dlreg.training.recipe import scaled_target
from dlreg.training.rows_on_disk import DiskRows, ShuffledRows, write_rows, write_shuffled


@dataclass(frozen=True)
class TrainingFiles:
    """The preprocessed rows of a training on disk.

    Attributes:
        train: Shuffled.
        validation: In the order of the table.
    """

    train: ShuffledRows
    validation: DiskRows

    @property
    def with_validation(self) -> ShuffledRows:
        """The training rows and the validation rows, which are not shuffled, side by side."""
        return ShuffledRows((*self.train.folds, self.validation))

    @property
    def are_whole(self) -> bool:
        """Whether all files are there, and as large as they were written."""
        return all(rows.is_whole for rows in (*self.train.folds, self.validation))


def write_training_rows(
    folder: Path,
    config: Config,
    dataset: StoredDataset,
    preprocessing: Preprocessing,
    on_rows: Callable[[int], None] = lambda _: None,
) -> None:
    """Preprocesses the training and validation rows, block by block, and writes them into a folder.

    Args:
        folder: Where to.
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        on_rows: Told of the rows written so far.

    Raises:
        DataError: A number too large for single precision.
        OSError: The disk is full, or the system refuses.
    """

    def preprocess(part: Part) -> tuple[np.ndarray, np.ndarray]:
        return preprocessing.transform(part.cells), scaled_target(preprocessing, part.y_true)

    def training_rows() -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
        n_rows = 0
        for part, folds in dataset.folded_blocks():
            yield preprocess(part), folds
            n_rows += len(part.rows)
            on_rows(n_rows)

    files = training_files(folder, dataset, preprocessing)
    write_shuffled(files.train, training_rows(), config.training.seed)
    write_rows(files.validation, (preprocess(part) for _, part in dataset.blocks("validation")))


def training_files(folder: Path, dataset: StoredDataset, preprocessing: Preprocessing) -> TrainingFiles:
    """The files that `write_training_rows` writes into a folder."""
    n_features = len(preprocessing.feature_names)
    sizes = dataset.fold_sizes or (dataset.n_rows["train"],)
    return TrainingFiles(
        ShuffledRows(
            tuple(DiskRows(folder, f"train-{fold}", size, n_features) for fold, size in enumerate(sizes))
        ),
        DiskRows(folder, "validation", dataset.n_rows["validation"], n_features),
    )
