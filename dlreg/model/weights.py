"""The weights of networks, as plain arrays."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlreg.model.architecture import Network, Variant, members_by_variant


class Weights(NamedTuple):
    """The weights of one network.

    Attributes:
        parameters: The trainable ones, in the order of `dlreg.model.architecture.parameter_specs`.
        statistics: The moving means and variances of batch normalisation, in Keras's order.
    """

    parameters: list[np.ndarray]
    statistics: list[np.ndarray]


class TrainedVariant(NamedTuple):
    """One kind of network with the trained weights of each of its members."""

    network: Network
    members: Sequence[Weights]


def trained_variants(variants: Sequence[Variant], weights: Sequence[Weights]) -> list[TrainedVariant]:
    """Each variant with the weights of its members, given those of all members."""
    return [
        TrainedVariant(variant.network, weights[members])
        for variant, members in zip(variants, members_by_variant(variants), strict=True)
    ]
