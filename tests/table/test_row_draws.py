"""Numbers drawn for rows depend on seed, purpose and row alone, and are uniform."""

import numpy as np
import pytest

from dlreg.table.row_draws import draw

ROWS = np.arange(200_000)


def test_a_number_does_not_depend_on_other_rows():
    drawn = draw(7, "test", ROWS)
    chosen = np.array([5, 199_999, 0, 77])
    assert draw(7, "test", chosen).tolist() == drawn[chosen].tolist()


def splitmix(state):
    """The next number of the published generator, in Python's integers."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


@pytest.mark.parametrize("row", [0, 1, 12345, 2**40])
def test_numbers_are_those_of_the_published_generator(row):
    # A change of them would divide the rows of old runs otherwise.
    start = int(np.random.SeedSequence((42, 0)).generate_state(1, np.uint64)[0])
    expected = splitmix((start + row * 0x9E3779B97F4A7C15) % 2**64) >> 11
    assert draw(42, "test", np.array([row])).tolist() == [expected / 2**53]


@pytest.mark.parametrize("purpose", ["test", "validation", "sample", "group"])
def test_numbers_are_uniform(purpose):
    drawn = np.sort(draw(3, purpose, ROWS))
    assert drawn[0] >= 0
    assert drawn[-1] < 1
    # The statistic of Kolmogorov and Smirnov, of which 1.95 is passed once in a thousand.
    steps = np.arange(1, len(drawn) + 1) / len(drawn)
    assert np.abs(drawn - steps).max() * np.sqrt(len(drawn)) < 1.95


def test_seeds_and_purposes_are_independent():
    draws = [draw(1, "test", ROWS), draw(2, "test", ROWS), draw(1, "validation", ROWS)]
    correlations = np.corrcoef(draws)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(ROWS))
    neighbours = np.corrcoef(draws[0][1:], draws[0][:-1])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(ROWS))
