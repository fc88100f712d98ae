"""Values that the members of an ensemble draw, each its own, in place of the config's.

Networks that differ in how they learnt make different mistakes, and what suits a table need not be known
beforehand: as in random search (Bergstra and Bengio, 2012, https://jmlr.org/papers/v13/bergstra12a.html), but
what was drawn is trained side by side and predicts together, see `dlreg.training.selection`.
"""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np

from dlreg.config.schema import Config
from dlreg.config.sections.model import SampledRange
from dlreg.training.members import Member, members_of

# Keeps these draws apart from all others of a seed.
_STREAM = 7


class MemberValues(NamedTuple):
    """What each member learns by, shape `(n_members,)` each."""

    learning_rate: np.ndarray
    weight_decay: np.ndarray
    dropout: np.ndarray


def member_values(config: Config) -> MemberValues:
    """The values of each member: those of the config, or what it draws from `model.sample`.

    Members that differ in nothing but the fold they leave out have the same; the first of each embedding and
    fold has the config's own.
    """
    members, training, sample = members_of(config), config.training, config.model.sample
    dropouts = list(islice(cycle(config.model.dropouts), len(config.preprocessing.embeddings)))
    own = MemberValues(
        np.full(len(members), training.learning_rate),
        np.full(len(members), training.weight_decay),
        np.array([dropouts[member.variant] for member in members]),
    )
    if sample is None:
        return own
    ranges = (sample.learning_rate, sample.weight_decay, sample.dropout)
    return MemberValues(
        *(
            values if drawn_from is None else _drawn(members, values, drawn_from, (training.seed, key))
            for key, (values, drawn_from) in enumerate(zip(own, ranges, strict=True))
        )
    )


def _drawn(
    members: Sequence[Member], own: np.ndarray, drawn_from: SampledRange, seed: tuple[int, int]
) -> np.ndarray:
    values = own.copy()
    for place, member in enumerate(members):
        if member.number:
            generator = np.random.default_rng((*seed, _STREAM, member.variant, member.number))
            values[place] = _between(drawn_from, generator.random())
    return values


def _between(drawn_from: SampledRange, share: float) -> float:
    if drawn_from.distribution == "log_uniform":
        return float(drawn_from.min * (drawn_from.max / drawn_from.min) ** share)
    return drawn_from.min + (drawn_from.max - drawn_from.min) * share
