"""What a compiled epoch computes, and what it reads."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import tensorflow as tf

from dlreg.engine.losses import Metric, structure_of
from dlreg.engine.optimizer import Optimizer
from dlreg.engine.packing import Packing, packing_of
from dlreg.model.architecture import Variant, hashable_network

# Pads the validation rows of a member that has fewer than another.
NO_ROW = -1


@dataclass(frozen=True, eq=False)
class Program:
    """What one epoch computes. Two of them are equal if one compiled program serves both.

    Attributes:
        variants: What is trained; the members of the first variant come first. The networks may differ in
            what their first layer reads, and in dropout.
        optimizer: How a step moves the parameters.
        measures: The loss, then further means to report.
        n_rows: Training rows of an epoch, the same for every member.
        batch_size: Rows of a step, at most `n_rows`.
        seed: Of dropout.
    """

    variants: tuple[Variant, ...]
    optimizer: Optimizer
    measures: tuple[Metric, ...]
    n_rows: int
    batch_size: int
    seed: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.structure == other.structure

    def __hash__(self) -> int:
        return hash(self.structure)

    @cached_property
    def structure(self) -> Hashable:
        """What is compiled of it: all but the numbers that are read with the rows."""
        networks = [
            hashable_network(network, dropout=float(network.dropout > 0), l2=float(network.l2 > 0))
            for network, _ in self.variants
        ]
        n_members = [variant.n_members for variant in self.variants]
        return (
            tuple(zip(networks, n_members, strict=True)),
            self.optimizer.structure,
            tuple(map(structure_of, self.measures)),
            self.n_rows,
            self.batch_size,
        )

    @cached_property
    def n_members(self) -> int:
        """Networks trained side by side, of all variants together."""
        return sum(variant.n_members for variant in self.variants)

    @cached_property
    def n_sharing(self) -> int:
        """How many members share the weights of each network."""
        return self.variants[0].network.shared_members

    @cached_property
    def n_orders(self) -> int:
        """In how many orders rows are met: each network's, or that of each member that shares its weights."""
        return self.n_members * self.n_sharing

    @cached_property
    def n_steps(self) -> int:
        """Batches of an epoch."""
        return -(-self.n_rows // self.batch_size)

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """The axis of members in front of every tensor, if there are several."""
        return (self.n_members,) if self.n_members > 1 else ()

    @cached_property
    def packings(self) -> list[Packing]:
        """How the parameters of each variant are held."""
        return [
            packing_of(variant, alone=not self.axes, moves_matrices=self.optimizer.moves_matrices)
            for variant in self.variants
        ]


class EpochInputs(NamedTuple):
    """What an epoch reads beside the states; with one member the axis of members is left out.

    Attributes:
        x: Preprocessed training rows, float32 of shape `(n_train, n_features)`.
        y: Their scaled targets, `(n_train, 1)`.
        x_validation: Rows to validate on, `(n_validation, n_features)`; there may be none.
        y_validation: Their scaled targets, `(n_validation, 1)`.
        validation_rows: The validation rows of each member, `(n_members, n_rows)`, padded with `NO_ROW`; None
            where all of them are everyone's.
        rows: The training rows of each step, `(n_steps, n_members, batch_size)`; members that share weights
            have a row each for every place of the batch, `(n_steps, n_members, batch_size · n_sharing)`.
        scalars: The learning rate, then the optimizer's coefficients, of each step,
            `(n_steps, n_scalars, n_members)`.
        dropout: The share of values dropped in each step, `(n_steps, n_members)`.
        first_step: How many steps there were before this epoch.
        l2: The penalty, a scalar.
        seed: Of dropout, a scalar of uint32.
        numbers: What each measure reads, `(n_measures, 2)`.
    """

    x: tf.Tensor
    y: tf.Tensor
    x_validation: tf.Tensor
    y_validation: tf.Tensor
    validation_rows: tf.Tensor | None
    rows: tf.Tensor
    scalars: tf.Tensor
    dropout: tf.Tensor
    first_step: tf.Tensor
    l2: tf.Tensor
    seed: tf.Tensor
    numbers: tf.Tensor


class PoolInputs(NamedTuple):
    """What the part of an epoch reads that trains on a pool of rows, beside the states.

    A pool may hold fewer rows than there is room for: so that all of an epoch are trained on by one program.

    Attributes:
        x: Room for preprocessed rows, float32 of shape `(n_room, n_features)`.
        y: For their scaled targets, `(n_room, 1)`.
        rows: The training rows of each step, as in `EpochInputs`; steps without any are not taken.
        scalars: As in `EpochInputs`.
        dropout: As in `EpochInputs`.
        first_step: How many steps there were before this pool.
        l2: As in `EpochInputs`.
        seed: As in `EpochInputs`.
        numbers: As in `EpochInputs`.
        n_rows: How many of `rows` each member has, a scalar.
    """

    x: tf.Tensor
    y: tf.Tensor
    rows: tf.Tensor
    scalars: tf.Tensor
    dropout: tf.Tensor
    first_step: tf.Tensor
    l2: tf.Tensor
    seed: tf.Tensor
    numbers: tf.Tensor
    n_rows: tf.Tensor


class MeasureInputs(NamedTuple):
    """Rows to measure; there may be fewer than there is room for.

    Attributes:
        x: Room for preprocessed rows, float32 of shape `(n_room, n_features)`.
        y: For their scaled targets, `(n_room, 1)`.
        rows: Of each member the positions of those it is measured on, `(n_members, n)`, padded with `NO_ROW`;
            None for the first `n_rows` of all.
        n_rows: How many of x there are, a scalar; None where `rows` tells.
        l2: As in `EpochInputs`.
        numbers: As in `EpochInputs`.
    """

    x: tf.Tensor
    y: tf.Tensor
    rows: tf.Tensor | None
    n_rows: tf.Tensor | None
    l2: tf.Tensor
    numbers: tf.Tensor
