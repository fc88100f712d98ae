"""What a training holds on the device: parameters, statistics, slots and averages, and what was best.

In a checkpoint they are plain arrays with names: `0.parameters.1` is the second tensor of the first variant's
parameters, `0.slots.0.1` the same of the optimizer's first slot, and `0.best.parameters.1` the same of each
member's best epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import prod
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dlreg.engine.packing import Packing
from dlreg.model.weights import Weights


class VariantState(NamedTuple):
    """What an epoch reads and returns of one variant.

    If all variants together have several members, every tensor has an axis of members in front.

    Attributes:
        parameters: As `Packing` holds them.
        statistics: Moving means and variances of batch normalisation.
        slots: For each slot of the optimizer, the like of the parameters.
        averages: The moving averages of the parameters, the like of them; none where nothing is averaged.
    """

    parameters: list[tf.Tensor]
    statistics: list[tf.Tensor]
    slots: list[list[tf.Tensor]]
    averages: list[tf.Tensor]

    @property
    def predicting(self) -> list[tf.Tensor]:
        """The parameters that predict: their averages, where there are any."""
        return self.averages or self.parameters


class TrainingState(NamedTuple):
    """Where a training stands between two epochs, on the device.

    Attributes:
        last: The state of each variant after the last epoch.
        best: For each member the states of all variants after the epoch whose weights are kept for it.
    """

    last: list[VariantState]
    best: tuple[list[VariantState], ...]


def initial_states(
    packings: Sequence[Packing], weights: Sequence[Weights], n_slots: int, *, averages: bool
) -> list[VariantState]:
    """The members' weights, stacked variant by variant, with slots of zeros, and averages if asked for."""
    members = iter(weights)
    states = []
    for packing in packings:
        variant_weights = [next(members) for _ in range(prod(packing.axes))]
        parameters, statistics = (
            [np.stack(values) if packing.axes else values[0] for values in zip(*member_values, strict=True)]
            for member_values in zip(*variant_weights, strict=True)
        )
        tensors = [tf.constant(array) for array in packing.pack(parameters)]
        slots = [[tf.zeros_like(tensor) for tensor in tensors] for _ in range(n_slots)]
        states.append(
            VariantState(
                tensors, [tf.constant(array) for array in statistics], slots, tensors if averages else []
            )
        )
    return states


def weights_of_members(
    packings: Sequence[Packing], states_of_members: Sequence[Sequence[VariantState]]
) -> list[Weights]:
    """Each member's weights, those that predict.

    Args:
        packings: How the parameters of each variant are held.
        states_of_members: For each member the states of all variants from which its weights are taken.
    """
    weights: list[Weights] = []
    for number, packing in enumerate(packings):
        for place in range(prod(packing.axes)):
            state = states_of_members[len(weights)][number]
            member = (place,) if packing.axes else ()
            packed, statistics = (
                [tensor.numpy()[member] for tensor in tensors]
                for tensors in (state.predicting, state.statistics)
            )
            weights.append(Weights([np.asarray(array) for array in packing.unpack(packed)], statistics))
    return weights


def tensors_of(states: Sequence[VariantState]) -> list[tf.Tensor]:
    """Every tensor of some states, in one list."""
    return [
        tensor
        for state in states
        for tensors in (state.parameters, state.statistics, *state.slots, state.averages)
        for tensor in tensors
    ]


def as_states(tensors: Iterable[tf.Tensor], template: Sequence[VariantState]) -> list[VariantState]:
    """Turns the list of `tensors_of` into states again, each like its `template`."""
    tensors = iter(tensors)

    def as_many_as(group: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        return list(islice(tensors, len(group)))

    return [
        VariantState(
            as_many_as(state.parameters),
            as_many_as(state.statistics),
            [as_many_as(slot) for slot in state.slots],
            as_many_as(state.averages),
        )
        for state in template
    ]


def named_arrays(packings: Sequence[Packing], training_state: TrainingState) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint: the states, and each member's best parameters and statistics."""
    best = initial_states(packings, weights_of_members(packings, training_state.best), 0, averages=False)
    arrays: dict[str, np.ndarray] = {}
    for number, (state, best_state) in enumerate(zip(training_state.last, best, strict=True)):
        arrays |= {f"{number}.{name}": tensor.numpy() for name, tensor in _named(state).items()}
        arrays |= {f"{number}.best.{name}": tensor.numpy() for name, tensor in _named(best_state).items()}
    return arrays


def restored(arrays: Mapping[str, np.ndarray], template: TrainingState) -> TrainingState:
    """Turns what `named_arrays` gave into a state; `template` is any other one of the same training."""

    def tensors(prefix: str, n_tensors: int) -> list[tf.Tensor]:
        return [tf.constant(arrays[f"{prefix}.{number}"]) for number in range(n_tensors)]

    states: list[VariantState] = []
    best: list[VariantState] = []
    for number, state in enumerate(template.last):
        n_parameters, n_statistics = len(state.parameters), len(state.statistics)
        slots = [tensors(f"{number}.slots.{slot}", n_parameters) for slot in range(len(state.slots))]
        averages = tensors(f"{number}.averages", len(state.averages))
        # What was best is kept as what predicted.
        for prefix, restored_states, own_averages in (
            (f"{number}.", states, averages),
            (f"{number}.best.", best, []),
        ):
            parameters = tensors(f"{prefix}parameters", n_parameters)
            statistics = tensors(f"{prefix}statistics", n_statistics)
            restored_states.append(VariantState(parameters, statistics, slots, own_averages))
    return TrainingState(states, (best,) * len(template.best))


def _named(state: VariantState) -> dict[str, tf.Tensor]:
    groups = {
        "parameters": state.parameters,
        "statistics": state.statistics,
        "averages": state.averages,
    }
    groups |= {f"slots.{slot}": tensors for slot, tensors in enumerate(state.slots)}
    return {
        f"{name}.{number}": tensor for name, group in groups.items() for number, tensor in enumerate(group)
    }
