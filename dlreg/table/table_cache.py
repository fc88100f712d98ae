"""The tables that are kept on disk: under a name made of all that their cells depend on."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dlreg import __version__
from dlreg.config.schema import Config
from dlreg.errors import Fault, StorageError
from dlreg.files.cache_folder import cache_folder
from dlreg.files.kept_folder import clear_kept, kept_folder, list_kept
from dlreg.files.table_files import fingerprint
from dlreg.table.cell_store import StoredTable, open_stored, store_rows
from dlreg.table.row_stream import Recognised, recognise_opening, stream_rows
from dlreg.table.table_names import shown_path

# What does not change which cells are stored.
_OTHER_KEYS = {"path", "test_path", "validation_path", "test_split", "cache"}
# Changes whenever what is stored does.
FORMAT = 2


def folder_of(config: Config) -> Path:
    """The folder of the tables that a config keeps on disk.

    Raises:
        StorageError: There is no home folder to keep them in, and the config names none.
    """
    if isinstance(config.data.cache, Path):
        return config.data.cache
    folder = cache_folder()
    if folder is None:
        hint = "Set data.cache to a folder with room for it"
        raise StorageError(Fault("there is no home folder in which a table could be kept", hint=hint))
    return folder / "tables"


@contextmanager
def stored_tables(
    config: Config, on_rows: Callable[[int], None] = lambda _: None
) -> Iterator[Mapping[str, StoredTable]]:
    """The tables of a config on disk, as `stored_dataset.divide_stored` takes them, while the block lasts.

    Args:
        config: Names the files.
        on_rows: Told of the rows written so far, where a table is new.

    Raises:
        DataError: A table cannot be used, at the first fault.
        StorageError: A file cannot be read.
        OSError: The disk is full, or the system refuses.
    """
    base = folder_of(config)
    files = {"": config.data.path, "validation": config.data.validation_path, "test": config.data.test_path}
    tables: dict[str, StoredTable] = {}
    with ExitStack() as stack:
        for part, path in files.items():
            if path is None:
                continue

            def make(folder: Path, path: Path = path) -> None:
                recognised = tables[""].recognised if tables else recognise_opening(config)
                _store(folder, config, path, recognised, on_rows)

            tables[part] = open_stored(stack.enter_context(kept_folder(base, _name(config, path), make)))
        yield tables


def is_kept(config: Config) -> bool:
    """Whether the table of a config is on disk already."""
    return (folder_of(config) / _name(config, config.data.path)).is_dir()


@contextmanager
def training_folder(
    config: Config, depends_on: Mapping[str, Any], make: Callable[[Path], None]
) -> Iterator[Path]:
    """A folder of preprocessed rows, while the block lasts; of a table the last one used is kept.

    Args:
        config: Of the run.
        depends_on: All that the rows depend on beside their table, in plain values.
        make: Fills the folder, if it is new.

    Raises:
        OSError: The disk is full, or the system refuses.
    """
    base, of_table = folder_of(config), f"rows-{_key(config, config.data.path)}-"
    name = of_table + _digest(json.dumps(depends_on, sort_keys=True, default=str))
    for other in list_kept(base):
        # They are as large as the table, and other settings make others.
        if other.path.name.startswith(of_table) and other.path.name != name:
            clear_kept(base, other.path.name)
    with kept_folder(base, name, make) as folder:
        yield folder


def _store(
    folder: Path, config: Config, path: Path, recognised: Recognised, on_rows: Callable[[int], None]
) -> None:
    shown = shown_path(path)
    rows = stream_rows(config, shown, recognised, is_divided=path == config.data.path)
    store_rows(folder, recognised, rows, config.data.target, shown, config.data.types, on_rows)


def _name(config: Config, path: Path) -> str:
    return f"table-{_key(config, path)}"


def _key(config: Config, path: Path) -> str:
    data = config.data.model_dump(mode="json", exclude=_OTHER_KEYS)
    # A file of its own for some rows has the columns of the first.
    files = [fingerprint(file).sha256 for file in dict.fromkeys([config.data.path, path])]
    return _digest(json.dumps([FORMAT, __version__, files, data], sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
