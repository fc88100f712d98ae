"""Means and sums of squared deviations that merge, so that rows may come block by block."""

from typing import Any


def merge_squares(first: tuple[int, Any, Any], second: tuple[int, Any, Any]) -> tuple[int, Any, Any]:
    """Count, mean and sum of squared deviations of numbers, from those of two parts of them.

    Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, The American Statistician 37
    (1983).

    Args:
        first: Of the one part; means and squares are numbers, or one for each column, `(n_columns,)`.
        second: Of the other.
    """
    (n_first, mean_first, squares_first), (n_second, mean_second, squares_second) = first, second
    n, shift = n_first + n_second, mean_second - mean_first
    squares = squares_first + squares_second + shift**2 * n_first * n_second / n
    return n, mean_first + shift * n_second / n, squares
