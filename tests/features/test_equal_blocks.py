"""Rows in blocks of one size are the same rows."""

import numpy as np
import pytest

from dlreg.features.equal_blocks import in_equal_blocks


@pytest.mark.parametrize("ends", [[], [1], [0, 5, 5, 10], [4, 11, 12], range(23), [0, 20]])
def test_rows_are_in_equal_blocks_however_they_came(ends):
    rows = np.arange(46).reshape(23, 2)
    blocks = [rows[start:end] for start, end in zip([0, *ends], [*ends, 23], strict=True)]
    equal = list(in_equal_blocks(blocks, 5))
    assert [len(block) for block in equal] == [5, 5, 5, 5, 3]
    assert np.concatenate(equal).tolist() == rows.tolist()
    assert [len(block) for block in in_equal_blocks([*blocks, rows[:2]], 5)] == [5] * 5
    assert list(in_equal_blocks([rows[:0]], 5)) == []
