"""The target's scale: fitted on training rows, undone for predictions."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dlreg.errors import DataError, Fault
from dlreg.moments import merge_squares

TargetMethod = Literal["standard", "minmax", "log", "log1p", "none"]


@dataclass(frozen=True)
class TargetScaling:
    """How the target is scaled: (transform(y) - offset) / scale, where transform is log, log1p or nothing."""

    method: TargetMethod
    offset: float
    scale: float

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Target units to scaled units, any shape.

        Raises:
            DataError: A value that has no logarithm.
        """
        if self.method in ("log", "log1p"):
            smallest = 0.0 if self.method == "log" else -1.0
            if y.min(initial=np.inf) <= smallest:
                other = ", or to log1p" if self.method == "log" and y.min() > -1 else ""
                message = (
                    f"preprocessing.target: {self.method} needs values above {smallest:g}, found {y.min():g}"
                )
                raise DataError(Fault(message, hint=f"Set preprocessing.target to standard{other}"))
            y = np.log(y) if self.method == "log" else np.log1p(y)
        return (y - self.offset) / self.scale

    def inverse(self, y: Any, exp: Any = np.exp, expm1: Any = np.expm1) -> Any:
        """Scaled units to target units, any shape; the functions make it work on tensors too."""
        y = y * self.scale + self.offset
        return exp(y) if self.method == "log" else expm1(y) if self.method == "log1p" else y


def fit_target(y: np.ndarray, method: TargetMethod) -> TargetScaling:
    """Fits the target's scale on training rows, `y` of shape `(n_rows,)`.

    Raises:
        DataError: The target does not vary, or has values without a logarithm.
    """
    transformed = TargetScaling(method, 0.0, 1.0).forward(y)
    offset, scale = float(transformed.mean()), float(transformed.std())
    if method == "none":
        offset, scale = 0.0, 1.0
    if method == "minmax":
        offset, scale = float(y.min()), float(np.ptp(y))
    # The scale of numbers that hardly differ may still be 0.
    if np.ptp(y) == 0 or scale == 0:
        hint = "Choose another data.target, or other units for it"
        raise DataError(Fault(f"the target is {y[0]:g} in every training row: nothing to learn", hint=hint))
    return TargetScaling(method, offset, scale)


@dataclass(frozen=True)
class Moments:
    """What the scale of a target is made of; that of more rows is made of the sum.

    Attributes:
        n: How many rows there are.
        mean: Of the transformed target.
        squares: The sum of the squared deviations from it.
        low: The least target, in its own units.
        high: The greatest.
    """

    n: int
    mean: float
    squares: float
    low: float
    high: float

    def __add__(self, other: "Moments") -> "Moments":
        """Those of more rows."""
        merged = merge_squares((self.n, self.mean, self.squares), (other.n, other.mean, other.squares))
        return Moments(*merged, min(self.low, other.low), max(self.high, other.high))


def moments_of(y: np.ndarray, method: TargetMethod) -> Moments:
    """What the scale of some rows, `(n_rows,)`, is made of.

    Raises:
        DataError: A value that has no logarithm.
    """
    transformed = TargetScaling(method, 0.0, 1.0).forward(y)
    mean = float(transformed.mean())
    return Moments(len(y), mean, float(np.sum((transformed - mean) ** 2)), float(y.min()), float(y.max()))


def target_scaling_of(moments: Moments, method: TargetMethod) -> TargetScaling:
    """The target's scale, as `fit_target` fits it, from what it is made of.

    Raises:
        DataError: The target does not vary.
    """
    of_ends = fit_target(np.array([moments.low, moments.high]), method)
    if method in ("none", "minmax"):
        return of_ends
    return TargetScaling(method, moments.mean, float(np.sqrt(moments.squares / moments.n)))
