"""Small tables for tests: written to a folder, read through a config."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dlreg.advice import advise
from dlreg.config_file import load_config
from dlreg.csv_file import Table, read_table
from dlreg.csv_scan import CsvFormat
from dlreg.dataset import Dataset, load_dataset
from dlreg.errors import DataError, Fault

PLAIN = CsvFormat()


def write_config(folder: Path, content: str | bytes | None, **sections: dict[str, Any]) -> Path:
    """A folder with `table.csv` of this content and a config that reads it; the target is `y`."""
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (folder / "table.csv").write_bytes(data)
    given = {**sections, "data": {"path": "table.csv", "target": "y", **sections.get("data", {})}}
    (folder / "config.yaml").write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    return folder / "config.yaml"


def load(folder: Path, content: str | bytes | None, **sections: dict[str, Any]) -> Dataset:
    return load_dataset(load_config(write_config(folder, content, **sections)))


def advice_on(folder: Path, content: str | bytes | None, **sections: dict[str, Any]) -> list[str]:
    """What looks like a mistake in a table that is accepted."""
    config = load_config(write_config(folder, content, **sections))
    return [each.fault.message for each in advise(config, load_dataset(config))]


def faults_of(folder: Path, content: str | bytes | None, **sections: dict[str, Any]) -> tuple[Fault, ...]:
    """The faults with which a table is refused."""
    with pytest.raises(DataError) as caught:
        load(folder, content, **sections)
    return caught.value.faults


def read(folder: Path, content: str | bytes, csv_format: CsvFormat = PLAIN, text=()) -> Table:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(str(path), csv_format, text)


def rows(header: str, *lines: str, times: int = 1) -> str:
    return "\n".join([header, *lines * times]) + "\n"
