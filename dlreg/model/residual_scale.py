"""The expected size of a row's error, from what the network reads and what it predicts."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ResidualScale:
    """The expected size of a row's error: exp(clip(x · a + h(y_pred) · b + c)).

    h is the piecewise-linear encoding of the prediction (Gorishniy, Rubachev and Babenko, On Embeddings for
    Numerical Features in Tabular Deep Learning, 2022): hⱼ = clip((y_pred - kⱼ) / (kⱼ₊₁ - kⱼ), 0, 1).

    Attributes:
        features: a, shape `(n_features,)`; x has a column for each level, see `dlreg.model.levels`.
        knots: k, in the target's units, ascending; none or at least two.
        bins: b, one number for each pair of neighbouring knots.
        intercept: c.
        limits: The least and the greatest logarithm, which are those seen when it was fitted.
    """

    features: np.ndarray
    knots: np.ndarray
    bins: np.ndarray
    intercept: float
    limits: tuple[float, float]

    def __call__(self, x: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The scale of rows: preprocessed, shape `(n_rows, n_features)`, and what is predicted for them."""
        logarithm = x @ self.features + encode_prediction(y_pred, self.knots) @ self.bins + self.intercept
        return np.asarray(np.exp(np.clip(logarithm, *self.limits)))

    def to_the_power(self, power: float) -> "ResidualScale":
        """The scale raised to a power; one below 1 varies less from row to row."""
        low, high = self.limits
        return ResidualScale(
            self.features * power,
            self.knots,
            self.bins * power,
            self.intercept * power,
            (low * power, high * power),
        )


def encode_prediction(y_pred: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The piecewise-linear encoding h of `ResidualScale`, from `(n_rows,)` to `(n_rows, n_bins)`."""
    if not len(knots):
        return np.empty((len(y_pred), 0))
    return np.asarray(np.clip((y_pred[:, None] - knots[:-1]) / np.diff(knots), 0.0, 1.0))
