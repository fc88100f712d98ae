"""The weights of networks, as plain arrays."""

from collections.abc import Collection, Sequence
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


def trained_variants(
    variants: Sequence[Variant], weights: Sequence[Weights], chosen: Collection[int] | None = None
) -> list[TrainedVariant]:
    """Each variant with the weights of its members.

    Args:
        variants: Of the run.
        weights: Of all members, counted through the variants.
        chosen: The members that are to be among them; None for all.
    """
    every = range(len(weights))
    return [
        TrainedVariant(
            variant.network,
            [weights[number] for number in every[members] if chosen is None or number in chosen],
        )
        for variant, members in zip(variants, members_by_variant(variants), strict=True)
    ]
