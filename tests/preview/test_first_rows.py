"""What the first rows rule out is no other than what all rows show."""

import numpy as np
import pytest

from dlreg.preview.first_rows import FIRST_ROWS, are_whole, count_values


@pytest.mark.parametrize("place", [0, FIRST_ROWS - 1, FIRST_ROWS, 3 * FIRST_ROWS - 1])
def test_one_number_with_decimals_is_found_wherever_it_stands(place):
    values = np.arange(3.0 * FIRST_ROWS)
    values[[5, -5]] = np.nan
    assert are_whole(values)
    values[place] = 0.5
    assert not are_whole(values)


@pytest.mark.parametrize("values", [np.empty(0), np.full(9, np.nan), np.full(9, -3.0)])
def test_columns_without_decimals_are_whole(values):
    assert are_whole(values)


@pytest.mark.parametrize("place", [1, 2 * FIRST_ROWS])
def test_few_values_are_counted_in_all_rows(place):
    values = np.zeros(3 * FIRST_ROWS)
    assert count_values(values, most=2) == 1
    values[place] = 1.0
    assert count_values(values, most=2) == 2
    values[[7, -1]] = 2.0
    assert count_values(values, most=2) == 3
