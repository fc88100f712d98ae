"""Permutation importance: what a column is worth, known beforehand for a network known beforehand."""

import numpy as np
import pytest

from dlreg.evaluation.permutation import permutation_importance


def linear(cells):
    """3 a + b, whatever c is."""
    return 3 * cells["a"][:, 0] + cells["b"][:, 0]


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    cells = {name: generator.normal(size=(4000, 1)) for name in ("c", "b", "a")}
    return cells, linear(cells) + generator.normal(size=4000)


def test_the_importance_is_the_error_that_a_permuted_column_adds(rows):
    """Permuted, a column of variance σ² and weight w adds 2 w² σ² to the mean squared error."""
    cells, y = rows
    value, increases = permutation_importance(linear, cells, y, "mse", repeats=20)
    assert value == pytest.approx(np.mean((y - linear(cells)) ** 2))
    for name, weight in {"a": 3, "b": 1}.items():
        assert np.mean(increases[name]) == pytest.approx(2 * weight**2 * cells[name].var(), rel=0.03)
    assert increases["c"] == [0.0] * 20
    root, roots = permutation_importance(linear, cells, y, "rmse", repeats=20)
    assert np.add(roots["a"], root) ** 2 == pytest.approx(np.add(increases["a"], value))
    share, falls = permutation_importance(linear, cells, y, "r2", repeats=20)
    assert share == pytest.approx(1 - value / y.var())
    assert np.array(falls["a"]) * y.var() == pytest.approx(np.array(increases["a"]))


def test_permutations_are_the_same_every_time_and_for_every_column(rows):
    cells, y = rows
    first, again = (permutation_importance(linear, cells, y, "mae", repeats=3) for _ in range(2))
    assert first == again
    assert len(set(first[1]["a"])) == 3
    alone = permutation_importance(linear, {name: cells[name] for name in ("a", "b")}, y, "mae", repeats=3)
    assert alone[1]["a"] == first[1]["a"]


def test_a_metric_without_a_value_has_no_importance(rows):
    cells, y = rows
    value, increases = permutation_importance(
        lambda cells: cells["a"][:, 0] * np.nan, cells, y, "r2", repeats=1
    )
    assert np.isnan([value, *increases["a"]]).all()
