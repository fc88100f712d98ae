"""The networks are trained on the rows in memory, or on those on disk."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dlreg.config.schema import Config
from dlreg.errors import StorageError, located
from dlreg.features.preprocessing import Preprocessing, describe
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.steps.preparing import Prepared
from dlreg.table.cell_store import damaged_fault
from dlreg.table.parts import Dataset
from dlreg.table.stored_dataset import StoredDataset
from dlreg.table.table_cache import folder_of, training_folder
from dlreg.training.loop import Hooks, Trained
from dlreg.training.train import train_from_files, train_members
from dlreg.training.training_files import TrainingFiles, training_files, write_training_rows


@contextmanager
def open_rows(
    config: Config,
    dataset: Dataset | StoredDataset,
    preprocessing: Preprocessing,
    on_rows: Callable[[int], None],
) -> Iterator[TrainingFiles | None]:
    """The files of preprocessed rows of a table on disk, new or kept from before, while the block lasts.

    Args:
        config: Of the run.
        dataset: Its rows; of those in memory there are no files.
        preprocessing: Fitted on the training rows.
        on_rows: Told of the rows written so far, where files are new.

    Raises:
        DataError: A number too large for single precision.
        StorageError: The disk is full, or the system refuses; or the files are damaged, as by a crash.
    """
    if isinstance(dataset, Dataset):
        yield None
        return
    depends_on = {
        "preprocessing": describe(preprocessing),
        "division": dataset.division.describe(),
        "seed": config.training.seed,
    }

    def make(folder: Path) -> None:
        with located(str(config.data.path)):
            write_training_rows(folder, config, dataset, preprocessing, on_rows)

    with ExitStack() as stack:
        # What fails in the block has a place of its own.
        with reporting_storage_errors(folder_of(config)):
            folder = stack.enter_context(training_folder(config, depends_on, make))
        files = training_files(folder, dataset, preprocessing)
        if not files.are_whole:
            raise StorageError(damaged_fault(folder))
        yield files


def train_networks(
    config: Config, dataset: Dataset, prepared: Prepared, files: TrainingFiles | None, hooks: Hooks
) -> Trained:
    """Trains all members on the rows in memory, or on those in files.

    Args:
        config: Of the run.
        dataset: The rows in memory.
        prepared: The networks, and the preprocessed rows in memory.
        files: Those on disk, if there are any.
        hooks: The callbacks.
    """
    preprocessing, variants = prepared.preprocessing, prepared.variants
    if files:
        return train_from_files(config, preprocessing, variants, files, hooks)
    return train_members(config, dataset, preprocessing, variants, prepared.x, hooks, prepared.fold_x)
