"""The space of a config that names none: the few keys that matter, round the config's own values."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dlreg.config.schema import Config
from dlreg.config.sections.model import MOST_MEMBERS
from dlreg.config.sections.search import SearchRange, SearchValues

Parameters = Mapping[str, SearchRange | SearchValues]

# Above so many rows small batches take too long, and larger ones learn as well.
MANY_ROWS = 5000
# What the schema allows.
MOST_STEPS = 2**31 - 1


def default_space(config: Config, n_rows: int | None = None) -> Parameters:
    """What is tried of each key, as a config writes it; its own values lie in it, but for the ensemble.

    Args:
        config: Whole and without faults.
        n_rows: Of the training; None where it is not known.
    """
    is_recipe = config.training.schedule.name == "coslog4"
    space = _round_a_recipe(config) if is_recipe else _of_a_plain_network(config, n_rows)
    # What members draw has one value in the first of them alone.
    drawn = config.model.sample.drawn_keys if config.model.sample else ()
    return {key: tried for key, tried in space.items() if key not in drawn}


def _round_a_recipe(config: Config) -> Parameters:
    """The values of `accurate` and `fast` were chosen together: what is tried stays near them.

    Every trial but the config itself has twice the ensemble: what a network owes to its seed is less in the
    mean of two, so that its error is some 0.5% less, and tells configs apart better.

    The rest went by 5,400 trainings round `accurate` on nine real tables of 200 to 1,600 rows, held against
    test rows. Out-of-fold rows choose each fold's best epoch as well, which flatters what jumps from epoch to
    epoch: on five tables a rate above the recipe's looked 1 to 4% better on them than it was (on one 7%
    worse). Wider networks had 0.9% less error on them and 0.1% on test rows; no dropout, or dropout in every
    network, up to 0.4% more on test rows. These are left out. More dropout in the first network had 1% less,
    twice the steps 16% less on one table and within 3% as much on the others.
    """
    model, training = config.model, config.training
    rate, decay = training.learning_rate, training.weight_decay
    many = len(config.preprocessing.embeddings) > 1
    dropouts = [[0.2, 0.0]] if many else [0.1]
    own_steps = training.auto_steps
    steps = {"training.auto_steps": _choice(own_steps, [min(2 * own_steps, MOST_STEPS)])} if own_steps else {}
    return {
        "training.learning_rate": _around(rate, rate / 3, rate),
        "training.weight_decay": _around(decay, decay / 4, decay * 4)
        if decay
        else SearchRange(min=0, max=0.05),
        **(steps if training.epochs == "auto" else {}),
        "model.dropout": _choice(_plain(model.dropout), dropouts),
        "model.ensemble": SearchValues(values=(min(2 * model.ensemble, MOST_MEMBERS),)),
    }


def _of_a_plain_network(config: Config, n_rows: int | None) -> Parameters:
    """The keys of a network that has no recipe yet: what it sees, its size, and how fast it learns."""
    preprocessing, model, training = config.preprocessing, config.model, config.training
    rate = training.learning_rate
    sizes = [64, 128, 256] if n_rows is not None and n_rows > MANY_ROWS else [16, 32, 64]
    layers = [[64, 64], [128, 128], [256, 256], [128, 128, 128]]
    return {
        "training.learning_rate": _around(rate, min(3e-4, rate), max(1e-2, rate)),
        "training.weight_decay": _choice(training.weight_decay, [0.0, 1e-3, 1e-2, 1e-1]),
        "training.batch_size": _choice(training.batch_size, sizes),
        "model.hidden_layers": _choice(list(model.hidden_layers), layers),
        "model.activation": _choice(model.activation, ["relu", "silu", "gelu", "mish"]),
        "model.dropout": _choice(_plain(model.dropout), [0.0, 0.1, 0.2, 0.3]),
        "preprocessing.numeric": _choice(preprocessing.numeric, ["standard", "robust_clip", "quantile"]),
        "preprocessing.embedding": _choice(
            _plain(preprocessing.embedding), ["none", "periodic", "piecewise_linear"]
        ),
    }


def _around(own: float, minimum: float, maximum: float) -> SearchRange | SearchValues:
    """A range by the logarithm; the value alone where it is too small or large for one."""
    if not 0 < minimum < maximum < math.inf:
        return SearchValues(values=(own,))
    return SearchRange(min=minimum, max=maximum, distribution="log_uniform")


def _choice(own: Any, others: Sequence[Any]) -> SearchValues:
    """The config's own value and others."""
    return SearchValues(values=(own, *(other for other in others if other != own)))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
