"""What training minimises, and what else is measured of every batch."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import keras
import tensorflow as tf

# From y_true and y_pred of shape (…, n_rows, n) to a mean per row; the last axis may be kept, to be averaged.
Metric = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
LOSSES: dict[str, Metric] = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log_cosh": keras.losses.log_cosh,
}


class Scaling(Protocol):
    """How the target was scaled, a frozen dataclass."""

    @property
    def method(self) -> Any:
        """What tells how numbers are used."""

    @property
    def offset(self) -> Any:
        """The first number."""

    @property
    def scale(self) -> Any:
        """The second."""

    def inverse(self, y: Any, exp: Any, expm1: Any) -> Any:
        """Undoes it, with the functions that work on y."""


@dataclass(frozen=True)
class AbsoluteError:
    """|y_true - y_pred| in the target's own units.

    Attributes:
        scaling: Of the target; its numbers are read with the rows.
    """

    scaling: Scaling

    @property
    def structure(self) -> Hashable:
        """What is compiled of it."""
        return AbsoluteError, self.scaling.method

    @property
    def numbers(self) -> tuple[float, float]:
        """What it reads with the rows: the offset and the scale."""
        return self.scaling.offset, self.scaling.scale

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Of each row, the shape of `y_pred`."""
        ops = keras.ops
        true, predicted = (self.scaling.inverse(y, ops.exp, ops.expm1) for y in (y_true, y_pred))
        return ops.absolute(true - predicted)


def structure_of(measure: Metric) -> Hashable:
    """What is compiled of a measure: all but the numbers that it reads with the rows."""
    return measure.structure if isinstance(measure, AbsoluteError) else measure


def numbers_of(measures: Sequence[Metric]) -> list[tuple[float, float]]:
    """What each measure reads with the rows; one that reads nothing has two numbers all the same."""
    return [measure.numbers if isinstance(measure, AbsoluteError) else (0.0, 1.0) for measure in measures]


def with_numbers(measure: Metric, numbers: tf.Tensor) -> Metric:
    """The measure that reads these numbers, a tensor of shape `(2,)`."""
    if not isinstance(measure, AbsoluteError):
        return measure
    scaling: Any = measure.scaling
    return AbsoluteError(replace(scaling, offset=numbers[0], scale=numbers[1]))
