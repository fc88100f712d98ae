"""How members, and a ridge regression and trees beside them, make one prediction."""

from dataclasses import dataclass

import numpy as np

from dlreg.model.trees import Trees


@dataclass(frozen=True, eq=False)
class Ridge:
    """A linear regression on preprocessed rows, in scaled target units, and its share of the prediction."""

    weight: float
    coefficients: np.ndarray
    intercept: float


@dataclass(frozen=True, eq=False)
class Mixture:
    """A weighted sum of members, a ridge regression and trees beside them, in scaled target units.

    Attributes:
        weights: Of each member, shape `(n_members,)`.
        ridge: Beside them, if there is one.
        limits: The least and the greatest prediction, if there are any.
        trees: Beside the members, if there are any.
    """

    weights: np.ndarray
    ridge: Ridge | None = None
    limits: tuple[float, float] | None = None
    trees: Trees | None = None

    @property
    def is_one_member(self) -> bool:
        """Whether the prediction is that of a single member."""
        return self.ridge is None and self.trees is None and self.weights.tolist() == [1.0]


def mean_of(n_members: int, limits: tuple[float, float] | None) -> Mixture:
    """The plain mean of all members."""
    return Mixture(np.full(n_members, 1 / n_members), limits=limits)
