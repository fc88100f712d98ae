"""How members, and a ridge regression and trees beside them, make one prediction."""

from collections.abc import Sequence
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


def mean_of(
    variant_of_member: Sequence[int], counts: np.ndarray, limits: tuple[float, float] | None = None
) -> Mixture:
    """The mean of all variants, of each the mean of its members.

    Args:
        variant_of_member: Which variant each member belongs to.
        counts: How often each counts in that, shape `(n_members,)`.
        limits: Of the mixture.
    """
    sizes = np.bincount(variant_of_member, counts)
    return Mixture(counts / (len(sizes) * sizes[np.asarray(variant_of_member)]), limits=limits)


def divide_shares(shares: np.ndarray, variant_of_member: Sequence[int], counts: np.ndarray) -> np.ndarray:
    """The weight of each member, where each variant has a share of the prediction, shape `(n_members,)`.

    Args:
        shares: Of each variant; there may be others behind.
        variant_of_member: As `mean_of` takes it.
        counts: As `mean_of` takes it.
    """
    of_member = np.asarray(variant_of_member)
    return np.asarray(shares[of_member] * counts / np.bincount(of_member, counts)[of_member])
