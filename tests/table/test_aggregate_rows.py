"""A sum or a mean of all other rows is the same one, however the rows are cut into blocks."""

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pandas as pd
import pytest

from dlreg.table.aggregate_rows import TargetSums, find_aggregates, sum_targets
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_table

N_ROWS = 200


def table_of(folder, y, x):
    pd.DataFrame({"x": x, "y": y}).to_csv(folder / "table.csv", index=False)
    return read_table(str(folder / "table.csv"), CsvFormat())


def found_in_blocks(table, cuts):
    y = table.frame["y"].to_numpy()
    blocks = []
    for start, end in zip([0, *cuts], [*cuts, len(y)], strict=True):
        known = np.flatnonzero(~np.isnan(y[start:end]))
        block = replace(table, frame=table.frame[start:end])
        blocks.append(sum_targets(block, known, y[start:end][known], start))
    return list(find_aggregates(reduce(add, blocks, TargetSums()), table, "y"))


def numbers(kind, place, sign):
    generator = np.random.default_rng(11)
    y = sign * generator.uniform(1, 100, N_ROWS).round(2)
    y[[20, 90]] = np.nan
    x = generator.uniform(0, 1, N_ROWS).round(3)
    if kind == "sum":
        y[place] = np.nansum(np.delete(y, place)).round(2)
    else:
        y[place], x[place] = np.nanmean(np.delete(y, place)).round(2), np.nan
    return y, x


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("kind", "place"), [("sum", 0), ("sum", 77), ("sum", 199), ("mean", 0), ("mean", 199)]
)
def test_it_is_found_however_rows_are_cut(tmp_path, kind, place, sign):
    y, x = numbers(kind, place, sign)
    table = table_of(tmp_path, y, x)
    # What most rows have, a row that is alone in its block does not tell.
    alone = ([1], [199]) if kind == "sum" else ()
    for cuts in ([], [77], [78], [50, 50, 100, 150], range(10, 200, 10), *alone):
        ((row, reason),) = found_in_blocks(table, [*cuts])
        assert row == place
        assert f"the {kind} of all others, {y[place]:g}" in reason


@pytest.mark.parametrize("cuts", [[], [100], [40, 80, 120, 160]])
def test_what_is_neither_is_not_found(tmp_path, cuts):
    y, x = numbers("mean", 199, 1)
    # The mean without a gap, a gap without the mean, and the mean between other rows.
    assert not found_in_blocks(table_of(tmp_path, y, np.nan_to_num(x)), cuts)
    assert not found_in_blocks(table_of(tmp_path, [*y[:-1], y[-1] + 0.5], x), cuts)
    assert not found_in_blocks(table_of(tmp_path, [*y[150:], *y[:150]], [*x[150:], *x[:150]]), cuts)
    # Half the sum twice, and numbers of both signs.
    assert not found_in_blocks(table_of(tmp_path, [50, 50, *[0] * 198], np.nan_to_num(x)), cuts)
    y, x = numbers("sum", 77, 1)
    y[5] = -0.01
    assert not found_in_blocks(table_of(tmp_path, y, x), cuts)


def test_few_rows_are_not_told_apart(tmp_path):
    table = table_of(tmp_path, [1, 2, 3, 6], [0, 0, 0, 0])
    assert not found_in_blocks(table, [2])
