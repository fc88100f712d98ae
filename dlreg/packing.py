"""How the parameters of one view are held while it trains: those of a small network as one vector.

The optimizer's step is then a single fused operation, and the call of an epoch hands over three tensors
where it would be three for each layer, which on a small table takes longer than the epoch.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dlreg.network import Group, Network, parameter_specs

# Up to here one long vector is faster than a tensor per layer.
PACKED_PARAMETERS = 16384


class View(NamedTuple):
    """Members of one kind of network, side by side.

    Attributes:
        network: What each of them computes.
        n_members: How many there are.
    """

    network: Network
    n_members: int


class State(NamedTuple):
    """What an epoch starts from and leaves, for one view; several members have an axis in front.

    That axis is there in every view if all views together have several members.

    Attributes:
        parameters: As `Packing` holds them.
        statistics: Moving means and variances of batch normalisation.
        slots: For each slot of the optimizer, the like of the parameters.
    """

    parameters: list[tf.Tensor]
    statistics: list[tf.Tensor]
    slots: list[list[tf.Tensor]]


class Packing(NamedTuple):
    """The way from the parameters of one view to the tensors that hold them, and back.

    Attributes:
        axes: The axis of members, if there is one.
        shapes: The parameters' shapes without it.
        joined: Whether they are one vector per member.
        groups: What each parameter shares its learning rate with, and its fan-in.
    """

    axes: tuple[int, ...]
    shapes: list[tuple[int, ...]]
    joined: bool
    groups: list[tuple[Group, int]]

    def pack(self, parameters: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays that hold parameters of shape `(…)` or `(n_members, …)`."""
        if not self.joined:
            return list(parameters)
        return [np.concatenate([each.reshape(*self.axes, -1) for each in parameters], axis=-1)]

    def unpack(self, held: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The parameters of one member or of all, in the order of `dlreg.network.parameter_specs`."""
        if not self.joined:
            return list(held)
        # Its gradient joins the parts again; that of slices would add them up.
        parts = tf.split(held[0], list(map(prod, self.shapes)), axis=-1)
        return [
            tf.reshape(part, (*part.shape[:-1], *shape))
            for part, shape in zip(parts, self.shapes, strict=True)
        ]

    def spread(self, values: Sequence[float]) -> Sequence[float | np.ndarray]:
        """A number per parameter as what multiplies the tensors that hold them."""
        if not self.joined or len(set(values)) == 1:
            return values[:1] if self.joined else values
        return [np.repeat(np.array(values, dtype=np.float32), list(map(prod, self.shapes)))]


def packing_of(view: View, *, alone: bool) -> Packing:
    """How a view's parameters are held.

    Args:
        view: Its network and the number of its members.
        alone: Whether there is one member in all views together, and so no axis of members.
    """
    specs = list(parameter_specs(view.network))
    shapes = [spec.shape for spec in specs]
    joined = sum(map(prod, shapes)) <= PACKED_PARAMETERS
    groups = [(spec.group, spec.fan_in) for spec in specs]
    return Packing(() if alone else (view.n_members,), shapes, joined, groups)
