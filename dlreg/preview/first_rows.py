"""What the first rows of a column of numbers rule out, so that it need not be looked for in all of them."""

import numpy as np

FIRST_ROWS = 1000


def are_whole(values: np.ndarray) -> bool:
    """Whether all numbers of a column are whole.

    Args:
        values: The column, shape `(n_rows,)`; NaN where there is no number.
    """
    return all(
        bool((np.isnan(part) | (part == np.round(part))).all()) for part in (values[:FIRST_ROWS], values)
    )


def count_values(values: np.ndarray, most: int) -> int:
    """How many different numbers there are, or in the first rows alone if those are more than `most`.

    Args:
        values: The numbers, shape `(n_rows,)`.
        most: The most that make a difference.
    """
    n_first = np.unique(values[:FIRST_ROWS]).size
    return n_first if n_first > most else np.unique(values).size
