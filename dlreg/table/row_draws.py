"""Random numbers of rows: a function of the seed and the row's number, whatever other rows there are.

SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014) of the row's
number, from a start that NumPy's `SeedSequence` makes of the seed and the name of what is drawn.
"""

from typing import Literal

import numpy as np

Purpose = Literal["test", "validation", "sample", "group", "fold"]
_PURPOSES: tuple[Purpose, ...] = ("test", "validation", "sample", "group", "fold")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXES = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def draw(seed: int, purpose: Purpose, rows: np.ndarray) -> np.ndarray:
    """A number from 0 to 1, 1 left out, for each of some rows: uniform, and independent for each purpose.

    Args:
        seed: Of the run.
        purpose: What is drawn.
        rows: The rows' numbers, or any others that tell what is to be drawn together, shape `(n_rows,)`.

    Returns:
        float64 of shape `(n_rows,)`.
    """
    start = np.random.SeedSequence((seed, _PURPOSES.index(purpose))).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        # In place: new arrays of a block take longer than the arithmetic.
        bits = rows.astype(np.uint64)
        bits += np.uint64(1)
        bits *= _STEP
        bits += start
        for shift, factor in _MIXES:
            bits ^= bits >> np.uint64(shift)
            bits *= np.uint64(factor)
        bits ^= bits >> np.uint64(31)
    # A double has 53 bits.
    bits >>= np.uint64(11)
    return np.asarray(bits * 2.0**-53)
