"""Means and squares of blocks are those of all numbers."""

from functools import reduce

import numpy as np
import pytest

from dlreg.moments import merge_squares


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_blocks_of_any_size_have_the_moments_of_all_numbers(offset):
    numbers = offset + np.random.default_rng(3).normal(size=(1000, 4))
    blocks = np.split(numbers, [1, 3, 700, 701])
    n, mean, squares = reduce(
        merge_squares,
        [(len(b), b.mean(axis=0), np.square(b - b.mean(axis=0)).sum(axis=0)) for b in blocks],
    )
    assert n == 1000
    np.testing.assert_allclose(mean, numbers.mean(axis=0), rtol=1e-12)
    # A sum of squares less the square of the sum would have no right digit at 1e8.
    np.testing.assert_allclose(squares / n, numbers.var(axis=0), rtol=1e-6)
