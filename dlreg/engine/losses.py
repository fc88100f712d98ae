"""What training minimises, and what else is measured of every batch."""

from collections.abc import Callable
from typing import Any

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


def absolute_error(inverse: Callable[..., Any]) -> Metric:
    """|y_true - y_pred| in the target's own units.

    Args:
        inverse: Undoes the target's scaling: called with scaled values and, to work on tensors, with the
            functions `exp` and `expm1`.
    """
    ops = keras.ops

    def metric(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        true, predicted = (inverse(y, ops.exp, ops.expm1) for y in (y_true, y_pred))
        return ops.absolute(true - predicted)

    return metric
