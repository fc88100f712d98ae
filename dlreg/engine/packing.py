"""The parameters of a variant while it trains: all but the large ones are held as one vector.

An optimizer that moves the matrices of hidden layers as matrices has each of these as a tensor of its own.

The optimizer's step is then a fused operation for the vector and one for each large tensor, not one for
every tensor: there is less to compile. And the call of an epoch hands over three tensors where it would
be three for each parameter, which on a small table takes longer than the epoch.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from dlreg.model.architecture import ParameterGroup, Variant, parameter_specs

# A parameter of up to so many numbers is part of the vector; copying a larger one lengthens each step.
PACKED_SIZE = 4096
T = TypeVar("T")


class Packing(NamedTuple):
    """Packs the parameters of one variant into few tensors, and unpacks them.

    Attributes:
        axes: The axis of members, if there is one.
        shapes: The parameters' shapes without it.
        groups: What each parameter shares its learning rate with, and its fan-in.
        are_matrices: Which parameters the optimizer moves as matrices.
    """

    axes: tuple[int, ...]
    shapes: list[tuple[int, ...]]
    groups: list[tuple[ParameterGroup, int]]
    are_matrices: list[bool]

    def pack(self, parameters: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays that hold parameters of shape `(…)` or `(n_members, …)`: a vector, and large ones."""
        small, large = self._divided(parameters)
        return [np.concatenate([array.reshape(*self.axes, -1) for array in small], axis=-1), *large]

    def unpack(self, packed: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The parameters of one member or of all, in the order of `parameter_specs`."""
        shapes, _ = self._divided(self.shapes)
        # The gradient of a split is one concatenation; that of slices would be a sum of padded tensors.
        parts = tf.split(packed[0], list(map(prod, shapes)), axis=-1)
        small = (
            tf.reshape(part, (*part.shape[:-1], *shape)) for part, shape in zip(parts, shapes, strict=True)
        )
        large = iter(packed[1:])
        return [next(small if is_small else large) for is_small in self._are_small]

    def spread(self, values: Sequence[float]) -> list[float | np.ndarray]:
        """Turns one factor per parameter into one, or an array `(n_packed,)`, per tensor that holds them."""
        small, large = self._divided(values)
        if len(set(small)) == 1:
            return [small[0], *large]
        sizes = list(map(prod, self._divided(self.shapes)[0]))
        return [np.repeat(np.array(small, dtype=np.float32), sizes), *large]

    @property
    def held_matrices(self) -> list[bool]:
        """Which of the tensors that hold the parameters is a matrix that the optimizer moves as one."""
        return [False, *self._divided(self.are_matrices)[1]]

    @property
    def _are_small(self) -> list[bool]:
        return [
            prod(shape) <= PACKED_SIZE and not is_matrix
            for shape, is_matrix in zip(self.shapes, self.are_matrices, strict=True)
        ]

    def _divided(self, values: Sequence[T]) -> tuple[list[T], list[T]]:
        pairs = list(zip(values, self._are_small, strict=True))
        return [value for value, is_small in pairs if is_small], [
            value for value, is_small in pairs if not is_small
        ]


def packing_of(variant: Variant, *, alone: bool, moves_matrices: bool = False) -> Packing:
    """How a variant's parameters are held.

    Args:
        variant: Its network and the number of its members.
        alone: Whether there is one member in all variants together, and so no axis of members.
        moves_matrices: Whether the optimizer moves the matrices of hidden layers as matrices.
    """
    specs = list(parameter_specs(variant.network))
    groups = [(spec.group, spec.fan_in) for spec in specs]
    are_matrices = [moves_matrices and spec.is_hidden_matrix for spec in specs]
    axes = () if alone else (variant.n_members,)
    return Packing(axes, [spec.shape for spec in specs], groups, are_matrices)
