"""The space of a config that names none: the few keys that matter, round the config's own recipe."""

from collections.abc import Mapping
from typing import Any

from dlreg.config.schema import Config, SearchRange, SearchValues

Parameters = Mapping[str, SearchRange | SearchValues]

# Above so many rows wider networks pay, and smaller batches cost too much.
MANY_ROWS = 5000


def default_space(config: Config, n_rows: int | None = None) -> Parameters:
    """What is tried of each key, as a config writes it.

    Args:
        config: Whole and without faults.
        n_rows: Of the training; None where it is not known.
    """
    if config.training.schedule.name == "coslog4":
        return _round_a_recipe(config)
    return _of_a_plain_network(config, n_rows)


def _round_a_recipe(config: Config) -> Parameters:
    """The values of the recipe were chosen together: what is tried stays near them."""
    rate, decay = config.training.learning_rate, config.training.weight_decay
    size, own = config.training.batch_size, list(config.model.hidden_layers)
    layers = [own, *([round(factor * width) for width in own] for factor in (2 / 3, 2))]
    dropouts = [[0.1, 0.0], [0.2, 0.0], [0.3, 0.1], [0.0, 0.0]]
    return {
        "training.learning_rate": _log(rate / 3, rate * 1.5),
        "training.weight_decay": _log(decay / 4, decay * 4) if decay else SearchRange(min=0, max=0.05),
        "training.batch_size": _values(size, max(1, size // 2)),
        "model.hidden_layers": _values(*layers),
        "model.dropout": _values(*dropouts),
        "model.ensemble": _values(1, 2),
    }


def _of_a_plain_network(config: Config, n_rows: int | None) -> Parameters:
    """The keys of a network with a rate that stays, or falls along a schedule."""
    is_large = n_rows is not None and n_rows > MANY_ROWS
    rate = config.training.learning_rate
    layers = [[64, 64], [128, 128], [256, 256], [128, 128, 128]]
    return {
        "training.learning_rate": _log(min(3e-4, rate), max(1e-2, rate)),
        "training.batch_size": _values(32, 64, 128, 256) if is_large else _values(16, 32, 64),
        "training.weight_decay": _values(0.0, 1e-3, 1e-2, 1e-1),
        "model.hidden_layers": _values(*layers),
        "model.activation": _values("relu", "silu", "gelu", "mish"),
        "model.dropout": _values(0.0, 0.1, 0.2, 0.3),
        "preprocessing.numeric": _values("standard", "robust_clip", "quantile"),
        "preprocessing.embedding": _values("none", "periodic", "piecewise_linear"),
    }


def _log(minimum: float, maximum: float) -> SearchRange:
    return SearchRange(min=minimum, max=maximum, distribution="log_uniform")


def _values(*values: Any) -> SearchValues:
    return SearchValues(values=values)
