"""All that the rest of a training depends on, between two epochs."""

from typing import NamedTuple

import numpy as np


class Checkpoint(NamedTuple):
    """The state of a training between two epochs: with its config and its rows, all that the rest needs.

    Attributes:
        tensors: By name, float32: parameters, statistics, the optimizer's slots, and each member's best
            parameters and statistics.
        values: What was recorded, float64 of shape `(n_epochs, n_values, n_members)`.
    """

    tensors: dict[str, np.ndarray]
    values: np.ndarray


def is_finite(checkpoint: Checkpoint) -> bool:
    """Whether all of its tensors are finite; a recorded metric need not be."""
    return all(bool(np.isfinite(tensor).all()) for tensor in checkpoint.tensors.values())
