"""What may be tried of each key, and what else a config says of its search."""

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from dlreg.config.checks import seconds_of
from dlreg.config.contradictions import lacking_parts
from dlreg.config.reading import overrides_of as overrides_of
from dlreg.config.reading import trial_config as trial_config
from dlreg.config.schema import Config
from dlreg.config.search_faults import takes_whole_numbers
from dlreg.config.sections.search import SearchRange, SearchValues
from dlreg.errors import ConfigError
from dlreg.limits import MORE_IS_BETTER, read_metric
from dlreg.search.default_space import default_space


@dataclass(frozen=True)
class Range:
    """Numbers from a minimum to a maximum, both included.

    Attributes:
        minimum: The least.
        maximum: The largest.
        is_log: Whether they are drawn evenly by their logarithm.
        is_integer: Whether they are whole numbers.
    """

    minimum: float
    maximum: float
    is_log: bool = False
    is_integer: bool = False


@dataclass(frozen=True)
class Choices:
    """Some values, in no order.

    Attributes:
        values: Plain values, as JSON has them.
    """

    values: tuple[Any, ...]


# By dotted key.
Space = Mapping[str, Range | Choices]


def is_finite(space: Space) -> bool:
    """Whether a space is one of choices and whole numbers alone, so that everything can be tried."""
    return all(isinstance(tried, Choices) or tried.is_integer for tried in space.values())


def levels_of(tried: Range | Choices) -> tuple[Any, ...] | range:
    """The values of a finite space that may be tried of a key."""
    if isinstance(tried, Choices):
        return tried.values
    if not tried.is_integer:
        raise ValueError(f"a grid has no points between {tried.minimum} and {tried.maximum}")
    return range(int(tried.minimum), int(tried.maximum) + 1)


def count_trials(space: Space, *, own_is_inside: bool) -> int:
    """How many different trials a finite space makes, with the config's own where that is no point of it."""
    return math.prod(len(levels_of(tried)) for tried in space.values()) + (not own_is_inside)


def is_within(values: Mapping[str, Any], space: Space) -> bool:
    """Whether there is a value for every key of the space, and each is one that may be tried."""
    return all(key in values and _is_one_of(values[key], tried) for key, tried in space.items())


def brought_inside(own_values: Mapping[str, Any], space: Space) -> dict[str, Any] | None:
    """The config's own values, but where they lie outside of the space what alone may be tried there.

    Returns:
        None where all lie inside, or where there is a choice.
    """
    outside = {key: space[key] for key in space if not _is_one_of(own_values.get(key), space[key])}
    inside = {
        key: tried.values[0]
        for key, tried in outside.items()
        if isinstance(tried, Choices) and len(tried.values) == 1
    }
    return {**own_values, **inside} if outside and len(inside) == len(outside) else None


def _is_one_of(value: Any, tried: Range | Choices) -> bool:
    if isinstance(tried, Choices):
        return any(is_same(value, choice) for choice in tried.values)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return tried.minimum <= value <= tried.maximum and (not tried.is_integer or value == int(value))


def is_same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal: 1 and 1.0 are, 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


@dataclass(frozen=True)
class Search:
    """What is searched, for how long, and what the best trial is best in.

    Attributes:
        metric: With its part, such as `validation.rmse`.
        trials: How many there are at most, the config as it stands among them; None for as many as
            `time_limit` allows.
        time_limit: In seconds; None for as long as the trials take.
        method: How values are chosen.
        space: What is tried of each key.
        storage: The URL of a database; None for a file in the study directory.
        prune: Whether trials end early that fall behind.
        is_default: Whether the space is the one that suits the config, which names none.
        notes: What may be misread, to be told once.
    """

    metric: str
    trials: int | None
    time_limit: float | None
    method: Literal["tpe", "random", "grid"]
    space: Space
    storage: str | None
    prune: bool
    is_default: bool
    notes: tuple[str, ...] = ()

    @property
    def maximise(self) -> bool:
        """Whether more of the metric is better."""
        return self.metric.partition(".")[2] in MORE_IS_BETTER


@dataclass(frozen=True)
class OwnValue:
    """The value that a config itself has of a searched key.

    Attributes:
        value: A plain value, as JSON has it; None too where the config has no such key, as
            `training.schedule.warmup_epochs` with a constant schedule.
        is_inside: Whether it lies in the space.
    """

    value: Any
    is_inside: bool


def search_of(config: Config, n_rows: int | None = None) -> Search:
    """What a config says of its search, with what it leaves open settled.

    Args:
        config: Whole and without faults.
        n_rows: Of the training, on which the space depends where the config names none; None where it is
            not known.

    Raises:
        ConfigError: There are no rows to choose the best trial by, and the config names no metric of others.
    """
    search = config.search
    lacking = lacking_parts(config.model_dump(include={"data", "training"}))
    part, metric = read_metric(search.metric)
    if part is None:
        part = next((name for name in ("validation", "out_of_fold") if name not in lacking), None)
    if part is None:
        message = "there are no validation rows to choose the best trial by"
        hint = (
            "Set training.validation_split, or training.cross_validation to 5, or search.metric: train.rmse."
        )
        raise ConfigError(config.fault(message, "training", "validation_split", hint=hint))
    limit = search.time_limit
    space = _space_of(search.parameters or default_space(config, n_rows))
    trials, few_note = search.trials, None
    # Several drivers of a database do not know what the others are about to try.
    if search.method == "grid" or (not search.storage and is_finite(space)):
        own_is_inside = all(own.is_inside for own in own_values(config, space).values())
        n_combinations = count_trials(space, own_is_inside=own_is_inside)
        if trials is not None and trials > n_combinations:
            few_note = (
                f"search.trials is {trials:,}, but there are no more than {n_combinations:,} combinations of "
                "values: each is tried once"
            )
        trials = min(trials or n_combinations, n_combinations)
    seed_note = None
    if "training.seed" in space:
        seed_note = (
            "training.seed is searched, and it draws the validation rows too: trials are measured on "
            "other rows, and the best may only have had the easiest"
        )
    train_note = None
    if part == "train":
        train_note = (
            f"search.metric is {part}.{metric}: trials are chosen by the rows they learn from, and the best "
            "may only have learnt these by heart"
        )
    return Search(
        metric=f"{part}.{metric}",
        trials=trials,
        time_limit=None if limit is None else seconds_of(limit),
        method=search.method,
        space=space,
        storage=search.storage,
        prune=not config.training.cross_validation if search.prune is None else search.prune,
        is_default=not search.parameters,
        notes=tuple(note for note in (train_note, seed_note, few_note) if note),
    )


def spelled_out(config: Config, n_rows: int | None = None) -> Config:
    """The config with what its search leaves open spelled out: the space, the part of the metric, pruning.

    Args:
        config: Whole and without faults.
        n_rows: Of the training, see `search_of`.

    Raises:
        ConfigError: There are no rows to choose the best trial by.
    """
    settled = search_of(config, n_rows)
    parameters = config.search.parameters or default_space(config, n_rows)
    values = {
        "metric": settled.metric,
        "trials": settled.trials,
        "prune": settled.prune,
        "parameters": dict(parameters),
    }
    return config.model_copy(update={"search": config.search.model_copy(update=values)})


def settle_refit(config: Config, keys: Collection[str]) -> Config:
    """The config with what `training.refit: auto` means spelled out, where searched keys would change that.

    Without it a number of epochs would be tried against none, and always without refitting.

    Args:
        config: Whole and without faults.
        keys: What is searched. A preset has a refitting of its own.
    """
    goes_by = any(key == "training.epochs" or key.startswith("training.refit.") for key in keys)
    if config.training.refit != "auto" or not goes_by or "preset" in keys:
        return config
    training = config.training.model_copy(update={"refit": config.refitting})
    return config.model_copy(update={"training": training})


def own_values(config: Config, space: Space) -> dict[str, OwnValue]:
    """The config's own value of each searched key, which trial 0 is trained with."""
    config = settle_refit(config, space)
    own, values = trial_config(config, {}), config.model_dump(mode="json")
    return {key: _own_value(own, key, _value_at(values, key), wanted) for key, wanted in space.items()}


def _own_value(own: Config, key: str, value: Any, wanted: Range | Choices) -> OwnValue:
    if isinstance(wanted, Range):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return OwnValue(value, is_number and wanted.minimum <= value <= wanted.maximum)
    for choice in wanted.values:
        # A mapping may leave out defaults, a schedule may be named alone: what counts is what comes of it.
        with suppress(ConfigError):
            if choice == value or trial_config(own, {key: choice}) == own:
                return OwnValue(choice, is_inside=True)
    return OwnValue(value, is_inside=False)


def _value_at(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _space_of(parameters: Mapping[str, SearchRange | SearchValues]) -> Space:
    return {key: _range_or_choices(key, entry) for key, entry in parameters.items()}


def _range_or_choices(key: str, entry: SearchRange | SearchValues) -> Range | Choices:
    if isinstance(entry, SearchValues):
        return Choices(entry.values)
    is_whole = bool(takes_whole_numbers(key))
    return Range(entry.min, entry.max, entry.distribution == "log_uniform", is_whole)
