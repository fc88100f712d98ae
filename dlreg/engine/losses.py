"""What training minimises, and what else is measured of every batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import tensorflow as tf

# From y_true and y_pred of shape (…, n_rows, 1) to a value per row; the last axis may be kept.
Metric = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
LOSSES: dict[str, Metric] = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log_cosh": keras.losses.log_cosh,
}


class Scaling(Protocol):
    """How the target was scaled; equal ones undo it alike."""

    def inverse(self, y: Any, exp: Any, expm1: Any) -> Any:
        """Undoes it, with the functions that work on y."""


@dataclass(frozen=True)
class AbsoluteError:
    """|y_true - y_pred| in the target's own units.

    Attributes:
        scaling: Of the target.
    """

    scaling: Scaling

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Of each row, the shape of `y_pred`."""
        ops = keras.ops
        true, predicted = (self.scaling.inverse(y, ops.exp, ops.expm1) for y in (y_true, y_pred))
        return ops.absolute(true - predicted)
