"""The expected size of a row's error, from what the network reads and what it predicts."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class ResidualScale:
    """The expected size of a row's error: exp(clip(x · a + h(y_pred) · b + c)) · clip(s)^p.

    h is the piecewise-linear encoding of the prediction (Gorishniy, Rubachev and Babenko, On Embeddings for
    Numerical Features in Tabular Deep Learning, 2022): hⱼ = clip((y_pred - kⱼ) / (kⱼ₊₁ - kⱼ), 0, 1). s is the
    standard deviation of the members' predictions.

    Attributes:
        features: a, shape `(n_features,)`; x has a column for each level, see `dlreg.model.levels`.
        knots: k, in the target's units, ascending; none or at least two.
        bins: b, one number for each pair of neighbouring knots.
        intercept: c.
        limits: The least and the greatest logarithm, which are those seen when it was fitted.
        spread_quarters: 4 p, from 0 to 3, so that square roots are enough to compute it.
        spread_limits: The least and the greatest s, in the target's units.
    """

    features: np.ndarray
    knots: np.ndarray
    bins: np.ndarray
    intercept: float
    limits: tuple[float, float]
    spread_quarters: int = 0
    spread_limits: tuple[float, float] = (0.0, 0.0)

    def __call__(self, x: np.ndarray, y_pred: np.ndarray, spread: np.ndarray | None = None) -> np.ndarray:
        """The scale of rows.

        Args:
            x: Preprocessed, shape `(n_rows, n_features)`.
            y_pred: What is predicted for them, shape `(n_rows,)`.
            spread: Of the members' predictions, the same shape; needed where it counts.
        """
        logarithm = x @ self.features + encode_prediction(y_pred, self.knots) @ self.bins + self.intercept
        scale = np.exp(np.clip(logarithm, *self.limits))
        if self.spread_quarters and spread is not None:
            scale = scale * np.clip(spread, *self.spread_limits) ** (self.spread_quarters / 4)
        return np.asarray(scale)

    def to_the_power(self, power: float) -> "ResidualScale":
        """The scale raised to a power, but for the spread; one below 1 varies less from row to row."""
        low, high = self.limits
        return replace(
            self,
            features=self.features * power,
            bins=self.bins * power,
            intercept=self.intercept * power,
            limits=(low * power, high * power),
        )


def encode_prediction(y_pred: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The piecewise-linear encoding h of `ResidualScale`, from `(n_rows,)` to `(n_rows, n_bins)`."""
    if not len(knots):
        return np.empty((len(y_pred), 0))
    return np.asarray(np.clip((y_pred[:, None] - knots[:-1]) / np.diff(knots), 0.0, 1.0))
