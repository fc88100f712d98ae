"""Columns that grow block by block are those of the table read at once."""

import numpy as np
import pandas as pd
import pytest

from dlreg.table.growing_columns import GrowingColumns, places_of_booleans, places_of_text

NUMBERS = pd.DataFrame({0: [1, 2, 3], 1: [0.5, np.nan, 2.0], 2: [7, 8, 9]})
TEXTS = pd.DataFrame({0: ["a", "b"]}, dtype="str")


def grown(*frames: pd.DataFrame) -> GrowingColumns:
    columns = GrowingColumns()
    for frame in frames:
        columns.append(frame)
    return columns


def test_many_blocks_are_one_table_and_each_column_keeps_its_type():
    columns = grown(*(NUMBERS.iloc[:size] for size in (3, 1, 2, 3)))
    frame = columns.to_frame(["a", "b", "c"])
    expected = pd.concat([NUMBERS.iloc[:size] for size in (3, 1, 2, 3)], ignore_index=True)
    pd.testing.assert_frame_equal(frame, expected.set_axis(["a", "b", "c"], axis="columns"))
    assert columns.mixed == set()


@pytest.mark.parametrize("first", ["whole", "broken"])
def test_whole_numbers_and_others_of_one_column_become_floats(first):
    whole, broken = pd.DataFrame({0: [1, 2]}), pd.DataFrame({0: [0.5]})
    frames = (whole, broken) if first == "whole" else (broken, whole)
    columns = grown(*frames)
    assert columns.to_frame(["x"])["x"].tolist() == pd.concat(frames)[0].tolist()
    assert columns.mixed == set()


def test_whole_numbers_beyond_those_of_a_double_stay_exact_beside_columns_of_floats():
    frame = pd.DataFrame({0: [2**60 + 1], 1: [0.5], 2: np.array([2**64 - 1], dtype=np.uint64)})
    table = grown(frame, frame).to_frame(["x", "y", "z"])
    assert [int(table["x"].iloc[1]), int(table["z"].iloc[1])] == [2**60 + 1, 2**64 - 1]


def test_a_block_without_any_value_does_not_make_a_column_mixed():
    gaps = pd.DataFrame({0: [np.nan, np.nan]})
    for frames in ((gaps, TEXTS), (TEXTS, gaps)):
        columns = grown(*frames)
        assert columns.mixed == set()
        cells = columns.to_frame(["x"])["x"]
        assert cells.dtype == "str" and cells.isna().sum() == 2 and cells.dropna().tolist() == ["a", "b"]


def test_text_among_numbers_and_true_and_false_are_to_be_read_again():
    assert grown(NUMBERS[[0]], TEXTS).mixed == {0}
    assert grown(pd.DataFrame({0: [1.0], 1: [True]})).mixed == {1}
    assert grown(pd.DataFrame({0: np.array([True, np.nan], dtype=object)})).mixed == {0}


def test_columns_of_text_and_of_booleans_are_told_from_numbers():
    frame = pd.DataFrame({0: [1], 1: [True], 2: ["a"], 3: [0.5]})
    assert list(places_of_text(frame)) == [2]
    assert places_of_booleans(frame) == {1}
