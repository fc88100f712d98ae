"""The rows of a config for a training: in memory if they fit, else on disk."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dlreg.config.schema import Config
from dlreg.config.sections.data import FORWARD_METHODS
from dlreg.errors import Fault, StorageError, warn
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.memory import format_bytes
from dlreg.preview.idle_keys import refuse_idle_keys
from dlreg.preview.memory import find_shortage
from dlreg.preview.room import TableSize, estimate_size
from dlreg.table.cell_store import UnstoredTable
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset
from dlreg.table.row_stream import recognise_opening
from dlreg.table.stored_dataset import StoredDataset, divide_stored
from dlreg.table.table_cache import folder_of, is_kept, stored_tables
from dlreg.table.table_names import shown_path


def settle_cache(config: Config) -> Config:
    """The config with `data.cache` as it will be: `memory`, or `disk` if the table does not fit there.

    Raises:
        StorageError: It does not fit in memory, and cannot be trained from disk.
    """
    data = config.data
    if data.cache != "auto":
        return config
    size = estimate_size(config)
    shortage = find_shortage(size.memory_bytes) if size else None
    cache = "memory" if shortage is None else "disk"
    if size and shortage:
        message = f"a training from memory {shortage.sentence}"
        if config.training.cross_validation and data.split in FORWARD_METHODS:
            hint = f"{shortage.hint}; or set training.cross_validation to null to train from disk"
            raise StorageError(Fault(message, str(data.path), hint=hint))
        room = f"about {format_bytes(size.disk_bytes)} in {folder_of(config)}"
        warn(f"{message}: rows are kept on disk, {room}")
    return config.model_copy(update={"data": data.model_copy(update={"cache": cache})})


@contextmanager
def open_dataset(config: Config, on_stage: Callable[[str], None]) -> Iterator[Dataset | StoredDataset]:
    """The rows of a config whose `data.cache` is settled, while the block lasts.

    Raises:
        ConfigError: A key is for files of another form.
        DataError: The table cannot be used.
        StorageError: It cannot be read, or kept.
    """
    refuse_idle_keys(config)
    if not config.data.is_on_disk:
        yield load_dataset(config)
        return
    base, path = folder_of(config), config.data.path

    def on_rows(n_rows: int) -> None:
        on_stage(f"reading {path}: {n_rows:,} rows")

    with ExitStack() as stack:
        # What fails in the block has a place of its own.
        with reporting_storage_errors(base):
            if not is_kept(config):
                _refuse_full_disk(base, estimate_size(config))
            dataset = divide_stored(config, stack.enter_context(stored_tables(config, on_rows)))
        yield dataset


def look_at_dataset(config: Config) -> Dataset | StoredDataset:
    """The rows of a config whose `data.cache` is settled, to look at: nothing is written.

    Raises:
        ConfigError: A key is for files of another form.
        DataError: The table cannot be used.
        StorageError: It cannot be read.
    """
    refuse_idle_keys(config)
    if not config.data.is_on_disk:
        return load_dataset(config)
    size, recognised = estimate_size(config), recognise_opening(config)
    data = config.data
    files = {"": data.path, "validation": data.validation_path, "test": data.test_path}
    # Of a small table every row is looked at.
    n_rows = size.n_rows if size else 1
    return divide_stored(
        config,
        {
            part: UnstoredTable(config, shown_path(path), recognised, n_rows)
            for part, path in files.items()
            if path
        },
    )


def _refuse_full_disk(base: Path, size: TableSize | None) -> None:
    folder = base
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size and size.disk_bytes > free:
        message = (
            f"the rows take about {format_bytes(size.disk_bytes)} of disk, {format_bytes(free)} are free"
        )
        hint = "Free some space with dlreg cache --clear, or set data.cache to a folder on another disk"
        raise StorageError(Fault(message, str(base), hint=hint))
