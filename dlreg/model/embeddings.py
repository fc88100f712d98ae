"""Numbers as vectors: what a network of dense layers needs to follow steps and waves in a column."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

EmbeddingName = Literal["none", "periodic", "piecewise_linear"]
# RealMLP's, https://arxiv.org/abs/2407.04491, appendix A.
FREQUENCIES, FREQUENCY_SCALE, PERIODIC_WIDTH = 16, 0.1, 3
BINS = 16
CATEGORY_WIDTH = 8


@dataclass(frozen=True)
class Periodic:
    """Each number x beside three learnt mixtures of cos(2π w x + b), for 16 learnt pairs of w and b.

    Periodic embeddings: Gorishniy, Rubachev and Babenko, 2022 (https://arxiv.org/abs/2203.05556); in this
    form, with a phase and x itself, Holzmüller, Grinsztajn and Steinwart, 2024
    (https://arxiv.org/abs/2407.04491).

    Attributes:
        n_numbers: How many of a row's first features are embedded.
    """

    n_numbers: int

    @property
    def width(self) -> int:
        """Outputs for all numbers together."""
        return self.n_numbers * (1 + PERIODIC_WIDTH)


@dataclass(frozen=True, eq=False)
class PiecewiseLinear:
    """Each number beside the share of each quantile bin that lies below it.

    With bin edges e₀ < … < eₖ, share j is (x - eⱼ) / (eⱼ₊₁ - eⱼ), clipped to [0, 1]: Gorishniy, Rubachev
    and Babenko, 2022 (https://arxiv.org/abs/2203.05556). A dense layer on top of it is linear in each bin, so
    it bends where the data are; the number itself is for what is straight throughout.

    Attributes:
        slopes: 1 / (eⱼ₊₁ - eⱼ), shape `(n_numbers, n_bins)`; 0 for bins that a column does not have.
        offsets: -eⱼ / (eⱼ₊₁ - eⱼ), the same shape.
    """

    slopes: np.ndarray
    offsets: np.ndarray

    @property
    def n_numbers(self) -> int:
        """How many of a row's first features are embedded."""
        return len(self.slopes)

    @property
    def width(self) -> int:
        """Outputs for all numbers together."""
        return self.n_numbers + int(self.slopes.size)


Embedding = Periodic | PiecewiseLinear


def fit_embedding(name: EmbeddingName, numbers: np.ndarray) -> Embedding | None:
    """Fits an embedding to training rows.

    Args:
        name: Which one.
        numbers: The scaled numbers of the training rows, shape `(n_rows, n_numbers)`.

    Returns:
        None for `none`, or where there are no numbers.
    """
    if name == "none" or not numbers.shape[1]:
        return None
    if name == "periodic":
        return Periodic(numbers.shape[1])
    slopes, offsets = np.zeros((2, numbers.shape[1], BINS), dtype=np.float32)
    for column, values in enumerate(numbers.T):
        # Edges that are values of the column: of few values each has a bin of its own.
        shares = np.linspace(0, 1, BINS + 1)
        edges = np.unique(np.quantile(values.astype(np.float64), shares, method="inverted_cdf"))
        slope = 1 / np.diff(edges)
        slopes[column, : len(slope)] = slope
        offsets[column, : len(slope)] = -edges[:-1] * slope
    return PiecewiseLinear(slopes, offsets)


def describe_embedding(embedding: Embedding | None) -> dict[str, Any]:
    """What was fitted, in plain values."""
    if not isinstance(embedding, PiecewiseLinear):
        return {}
    return {"slopes": embedding.slopes.tolist(), "offsets": embedding.offsets.tolist()}
