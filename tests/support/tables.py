"""Small tables for tests: written to a folder, read through a config."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from dlreg.config.reading import load_config
from dlreg.config.writing import to_yaml
from dlreg.errors import DataError, Fault
from dlreg.preview.advice import advise
from dlreg.table.csv_format import CsvFormat
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset, Part
from dlreg.table.source import Source, read_table
from dlreg.table.table import Table

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
    return [advice.fault.message for advice in advise(config, load_dataset(config))]


def faults_of(folder: Path, content: str | bytes | None, **sections: dict[str, Any]) -> tuple[Fault, ...]:
    """The faults with which a table is refused."""
    with pytest.raises(DataError) as caught:
        load(folder, content, **sections)
    return caught.value.faults


def read(folder: Path, content: str | bytes, csv_format: CsvFormat = PLAIN, text=()) -> Table:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(str(path), csv_format, text)


def stream_source(
    content: bytes | io.RawIOBase, csv_format: CsvFormat = PLAIN, name: str = "stream"
) -> Source:
    """Bytes that come from no file, or a stream of them."""
    return Source(name, csv_format, lambda: io.BytesIO(content) if isinstance(content, bytes) else content)


def part_of(cells: dict[str, np.ndarray], y_true: np.ndarray) -> Part:
    """The first rows of a table, made without one."""
    return Part(np.arange(len(y_true)), cells, y_true)


def rows(header: str, *lines: str, times: int = 1) -> str:
    return "\n".join([header, *lines * times]) + "\n"


def make_table(n_rows: int = 240, seed: int = 11) -> pd.DataFrame:
    """Numbers, whole numbers, categories, yes/no, ISO moments, other dates, missing cells, odd names."""
    generator = np.random.default_rng(seed)
    moment = pd.Timestamp("2023-03-01") + pd.to_timedelta(generator.integers(0, 500 * 24 * 60, n_rows), "min")
    speed, level = generator.gamma(2.0, 3.0, n_rows), generator.choice(["low", "mid", "high"], n_rows)
    rain = generator.random(n_rows) < 0.4
    minutes = 20 + 4 * speed + 8 * (level == "high") + 6 * rain + 5 * np.sin(2 * np.pi * moment.hour / 24)
    frame = pd.DataFrame(
        {
            "id": [f"r{number:04}" for number in range(n_rows)],
            "Wind speed (m/s)": np.round(speed, 3),
            "풍속 등급": level,
            "비": np.where(rain, "Yes", "No"),
            "moment": moment.strftime("%Y-%m-%d %H:%M"),
            "day": moment.strftime("%d/%m/%Y"),
            "year": moment.year,
            "소요 시간": np.round(minutes + generator.normal(0, 1, n_rows), 2),
        }
    ).astype({"Wind speed (m/s)": object, "풍속 등급": object, "moment": object})
    for name in ("Wind speed (m/s)", "풍속 등급", "moment"):
        frame.loc[generator.random(n_rows) < 0.05, name] = ""
    return frame


def plain_table(n_rows: int = 200, seed: int = 3) -> pd.DataFrame:
    """Two columns of numbers, `a` and `b`, and the target `y`, in which nothing is suspicious."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({"a": generator.normal(size=n_rows), "b": generator.normal(size=n_rows)})
    return table.assign(y=table["a"] + table["b"] ** 2 + generator.normal(0, 0.1, n_rows))


def table_of_kinds(n_rows: int = 400, seed: int = 3) -> pd.DataFrame:
    """Two numbers, `x` and `z`, a `kind` of twenty levels, and the target `y`, which depends on all of them."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, n_rows)).round(3)
    kind = generator.integers(20, size=n_rows)
    table = pd.DataFrame({"x": x, "z": z, "kind": [f"k{number}" for number in kind]})
    y = np.sin(2 * x) + 0.5 * z + 0.1 * kind + generator.normal(0, 0.1, n_rows)
    return table.assign(y=y.round(3))


def folder_with(folder: Path, table: pd.DataFrame, config: str = "", **data: Any) -> Path:
    """The config of a folder with `table.csv`: its section `data`, to which `config` is appended."""
    table.to_csv(folder / "table.csv", index=False)
    head = to_yaml({"data": {"path": "table.csv", "target": "y", **data}})
    (folder / "config.yaml").write_text(head + config, encoding="utf-8")
    return folder / "config.yaml"
