"""The rows that come from the CSV of `data.path`, and the CSV as a place to look cells up in."""

from dlreg.config.schema import Config
from dlreg.table.csv_format import csv_format_of
from dlreg.table.parts import Dataset, Part
from dlreg.table.source import unread_table
from dlreg.table.table import Table
from dlreg.table.table_names import shown_path


def parts_of_csv(config: Config, dataset: Dataset) -> tuple[Part, ...]:
    """All parts but those that come from a file of their own."""
    own_files = {"test": config.data.test_path, "validation": config.data.validation_path}
    return tuple(part for name, part in dataset.parts.items() if not own_files.get(name))


def csv_as_written(config: Config) -> Table:
    """The CSV without its frame: numbers no longer tell how they were written, or in which line."""
    return unread_table(shown_path(config.data.path), csv_format_of(config.data))
