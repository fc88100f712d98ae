"""Numbers as vectors: what a network of dense layers needs to follow steps and waves in a column."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

EmbeddingName = Literal["none", "periodic", "piecewise_linear"]
# RealMLP's, https://arxiv.org/abs/2407.04491, appendix A.
FREQUENCIES, FREQUENCY_SCALE, PERIODIC_WIDTH = 16, 0.1, 3
BINS = 16
# Of more numbers than these each has its bins mixed before the first layer, which would be most of a step.
FEW_NUMBERS = 32
# The mixtures, and the height of the bins that they mix: the taller, the faster a mixture learns.
BIN_MIXTURES, MIXED_HEIGHT = 3, 8.0
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

    Of more than `FEW_NUMBERS` numbers each has its shares mixed to `BIN_MIXTURES` values by a learnt matrix
    of its own, so that the first layer is narrow. The shares then go from 0 to `MIXED_HEIGHT`.

    Attributes:
        slopes: 1 / (eⱼ₊₁ - eⱼ), times `height`, shape `(n_numbers, n_bins)`; 0 for bins that a column does
            not have.
        offsets: -eⱼ / (eⱼ₊₁ - eⱼ), times `height`, the same shape.
    """

    slopes: np.ndarray
    offsets: np.ndarray

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PiecewiseLinear)
            and np.array_equal(self.slopes, other.slopes)
            and np.array_equal(self.offsets, other.offsets)
        )

    def __hash__(self) -> int:
        return hash((self.slopes.tobytes(), self.offsets.tobytes()))

    @property
    def n_numbers(self) -> int:
        """How many of a row's first features are embedded."""
        return len(self.slopes)

    @property
    def n_mixtures(self) -> int:
        """How many mixtures of its bins there are for each number; 0 where the bins go on as they are."""
        return BIN_MIXTURES if self.n_numbers > FEW_NUMBERS else 0

    @property
    def height(self) -> float:
        """The share of a bin that lies below a number altogether."""
        return MIXED_HEIGHT if self.n_mixtures else 1.0

    @property
    def width(self) -> int:
        """Outputs for all numbers together."""
        return self.n_numbers + (self.n_numbers * self.n_mixtures or int(self.slopes.size))


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
    embedding = PiecewiseLinear(*np.zeros((2, numbers.shape[1], BINS), dtype=np.float32))
    for column, values in enumerate(numbers.T):
        # Edges that are values of the column: of few values each has a bin of its own.
        shares = np.linspace(0, 1, BINS + 1)
        edges = np.unique(np.quantile(values.astype(np.float64), shares, method="inverted_cdf"))
        slope = embedding.height / np.diff(edges)
        embedding.slopes[column, : len(slope)] = slope
        embedding.offsets[column, : len(slope)] = -edges[:-1] * slope
    return embedding


def describe_embedding(embedding: Embedding | None) -> dict[str, Any]:
    """What was fitted, in plain values."""
    if not isinstance(embedding, PiecewiseLinear):
        return {}
    return {"slopes": embedding.slopes.tolist(), "offsets": embedding.offsets.tolist()}
