"""Numbers that their text tells to be something else: codes, grouped digits, a first row without names."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.preview.first_rows import FIRST_ROWS, are_whole
from dlreg.preview.suspicion import Suspicion
from dlreg.table.csv_format import CsvFormat, csv_format_of
from dlreg.table.parts import Dataset
from dlreg.table.source import read_sample
from dlreg.table.table_names import shown_path
from dlreg.table.written_cells import (
    LEAST_MARKS,
    grouped_among_whole,
    has_leading_zeros,
    is_row_of_data,
    may_be_grouped,
)
from dlreg.wording import shorten


def suspect_written(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    """Looks at the text of numbers that are whole, or have at most three decimals."""
    numbers = _numbers(config, dataset)
    whole = [name for name, values in numbers.items() if _are_whole(values)]
    grouped = [name for name, values in numbers.items() if _may_be_thousands(values)]
    mixed = [name for name, values in numbers.items() if _may_hold_thousands(values)]
    if not whole and not grouped and not mixed:
        return
    csv_format = csv_format_of(config.data)
    sample = read_sample(shown_path(config.data.path), csv_format)
    yield from _no_header(list(sample.columns), sample, csv_format)
    for name in whole:
        if name not in config.data.types and has_leading_zeros(sample[name]):
            code = _example(sample[name][sample[name].str.match(r"\s*0[0-9]", na=False)])
            yield Suspicion(
                f"column {name!r} has cells such as {code!r}: leading zeros are lost in a number",
                f"If these are codes, set data.types: {{{name}: category}}; if not, {{{name}: number}}",
            )
    if csv_format.thousands is None:
        for name in grouped:
            if may_be_grouped(sample[name], csv_format.decimal):
                yield _grouped(name, _example(sample[name]), csv_format.decimal)
        for name in mixed:
            cells = grouped_among_whole(sample[name], csv_format.decimal)
            if len(cells):
                yield _grouped_among_whole(name, cells, csv_format.decimal)


def _numbers(config: Config, dataset: Dataset) -> dict[str, np.ndarray]:
    """The training rows of each column of numbers, and of the target, whose text may tell something."""
    train = dataset.parts["train"]
    columns = {
        column.name: train.cells[column.name][:, 0] for column in dataset.columns if column.kind == "number"
    }
    columns[config.data.target] = train.y_true
    return {name: values for name, values in columns.items() if _may_tell(values[:FIRST_ROWS])}


def _may_tell(values: np.ndarray) -> bool:
    """Whether one of the tests below may hold: each fails at numbers below 1 or from 1,000 with decimals."""
    sizes = np.abs(values)
    has_decimals = sizes % 1 > 0
    return not (has_decimals & ((sizes < 1) | (sizes >= 1000))).any()


def _are_whole(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return known.size > 0 and known.min() >= 0 and are_whole(known)


def _may_be_thousands(values: np.ndarray) -> bool:
    """Whether all numbers may have been written with three decimals, and three digits before them at most."""
    known = np.abs(values[~np.isnan(values)])
    if known.size < LEAST_MARKS or known.min() < 1 or known.max() >= 1000:
        return False
    return bool((np.abs(known * 1000 - np.round(known * 1000)) < 1e-6).all())


def _may_hold_thousands(values: np.ndarray) -> bool:
    """Whether numbers are whole but for some below 1,000 that have at most three decimals."""
    known = np.abs(values[~np.isnan(values)])
    others = known[known % 1 != 0]
    if not others.size or others.size == known.size or others.min() < 1 or others.max() >= 1000:
        return False
    return bool((np.abs(others * 1000 - np.round(others * 1000)) < 1e-6).all())


def _grouped_among_whole(name: str, cells: "pd.Series[str]", decimal: str) -> Suspicion:
    example = _example(cells)
    return Suspicion(
        f"{len(cells):,} cells of column {name!r} have three digits after a {decimal!r}, as {example!r}, and "
        f"all others are whole: they may be such as {example.replace(decimal, '')}, grouped by thousands",
        "If so, write all numbers alike; if not, nothing is wrong",
    )


def _grouped(name: str, example: str, decimal: str) -> Suspicion:
    other = "," if decimal == "." else "."
    number = example.replace(decimal, "")
    return Suspicion(
        f"every cell of column {name!r} has three digits after its {decimal!r}, as {example!r}: "
        f"it may be {number}, grouped by thousands",
        f'If so, set data.decimal: "{other}" and data.thousands: "{decimal}"; if not, nothing is wrong',
    )


def _no_header(names: list[str], sample: pd.DataFrame, csv_format: CsvFormat) -> Iterator[Suspicion]:
    if is_row_of_data(names, sample, csv_format):
        yield Suspicion(
            f"the first line looks like a row of data, not like names: {shorten(', '.join(names))}",
            "Set data.header: false and data.names to a name for each column, or that row is lost",
        )


def _example(cells: "pd.Series[str]") -> str:
    return shorten(cells.dropna().iloc[0].strip())
