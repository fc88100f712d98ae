"""The target's scale: fitted on training rows, undone for predictions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dlreg.errors import DataError, Fault

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


def fit_target_on_blocks(blocks: Iterable[np.ndarray], method: TargetMethod) -> TargetScaling:
    """Fits the target's scale exactly to training rows that come block by block, `(n_rows,)` each.

    The means and sums of squares of blocks are merged as by Chan, Golub and LeVeque, Algorithms for Computing
    the Sample Variance, The American Statistician 37 (1983).

    Raises:
        DataError: As `fit_target`.
    """
    transform = TargetScaling(method, 0.0, 1.0).forward
    n_rows, mean, squares, low, high = 0, 0.0, 0.0, np.inf, -np.inf
    for y in blocks:
        transformed = transform(y)
        n_both = n_rows + len(y)
        shift = float(transformed.mean()) - mean
        squares += (
            float(np.sum((transformed - transformed.mean()) ** 2)) + shift**2 * n_rows * len(y) / n_both
        )
        mean += shift * len(y) / n_both
        n_rows, low, high = n_both, min(low, float(y.min())), max(high, float(y.max()))
    ends = np.array([low, high])
    if method in ("none", "minmax"):
        return fit_target(ends, method)
    # It refuses what does not vary.
    fit_target(ends, method)
    return TargetScaling(method, mean, float(np.sqrt(squares / n_rows)))
