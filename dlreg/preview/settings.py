"""Settings that are legal, but look like a mistake."""

import math
from collections.abc import Iterator

from dlreg.config.precedence import section_of
from dlreg.config.presets import PRESETS
from dlreg.config.schema import Config
from dlreg.errors import Fault
from dlreg.evaluation.intervals import LEVEL
from dlreg.limits import ERRORS, INTERVAL_METRIC_NAMES, MORE_IS_BETTER, read_limit
from dlreg.preview.idle_keys import suspect_idle_keys
from dlreg.table.parts import Dataset
from dlreg.training.members import plan_epochs
from dlreg.wording import quote


def suspect_settings(config: Config, dataset: Dataset) -> Iterator[Fault]:
    """A fault at the place of each suspicious setting."""
    yield from _overruled_presets(config)
    yield from _useless_layers(config)
    yield from _reversed_gates(config)
    yield from _gates_of_few_rows(config, dataset)
    yield from suspect_idle_keys(config)
    yield from _large_batch(config, dataset)
    yield from _long_average(config, dataset.rows_per_epoch)
    yield from _idle_selection(config)
    yield from _idle_time_zone(config, dataset)
    yield from _idle_calendar(config, dataset)
    yield from _unscaled_days(config, dataset)


def _overruled_presets(config: Config) -> Iterator[Fault]:
    """A fault at each value that overrules one of the preset's, which were chosen together.

    A config that gives all of them itself, as a run and the best trial of a search leave it, has nothing to
    leave out: its values were chosen together too.
    """
    values, given = config.model_dump(mode="json"), config._origins.values
    presets = {section: PRESETS[config.preset].get(section, {}) for section in ("model", "training")}
    if all(set(chosen) <= set(section_of(given, section)) for section, chosen in presets.items()):
        return
    for section, chosen in presets.items():
        overruled = [name for name, value in chosen.items() if not _agrees(values[section][name], value)]
        for key in sorted(overruled):
            yield config.fault(
                f"{section}.{key} overrules the preset {config.preset}, whose values were chosen together",
                section,
                key,
                hint=f"Leave it out for {quote(chosen[key])}, or see what it does to the error",
            )


def _agrees(value: object, preset_value: object) -> bool:
    if isinstance(value, dict) and isinstance(preset_value, dict):
        return all(_agrees(value.get(key), inner) for key, inner in preset_value.items())
    return value == preset_value


def _reversed_gates(config: Config) -> Iterator[Fault]:
    """A fault at each gate that only a good run would fail."""
    for index, limit in enumerate(map(read_limit, config.gates)):
        more_is_better = limit.metric in MORE_IS_BETTER
        if limit.metric in (*ERRORS, *MORE_IS_BETTER) and limit.operator.startswith(">") == more_is_better:
            yield config.fault(
                f"gates[{index}] fails a run that is good: {limit.metric} {limit.operator} {limit.bound:g}",
                "gates",
                index,
                hint="A gate says what must not be, such as rmse>3.2 or r2<0.5",
            )


def _gates_of_few_rows(config: Config, dataset: Dataset) -> Iterator[Fault]:
    """A fault at each gate on intervals, where there are too few rows to calibrate any: it never passes."""
    n_rows = sum(len(fold.validation) for fold in dataset.folds) or dataset.n_rows["validation"]
    least = math.ceil(round(LEVEL / (1 - LEVEL), 9))
    for index, limit in enumerate(map(read_limit, config.gates)):
        if limit.metric in INTERVAL_METRIC_NAMES and n_rows < least:
            yield config.fault(
                f"gates[{index}] is about intervals, which take {least} rows to calibrate; found {n_rows}",
                "gates",
                index,
                hint="Set training.cross_validation: 5, or leave the gate out: it would always fail",
            )


def _useless_layers(config: Config) -> Iterator[Fault]:
    if config.model.activation == "linear" and config.model.hidden_layers:
        yield config.fault(
            "model.activation is linear: however many hidden layers, the network is a linear regression",
            "model",
            "activation",
            hint="Choose relu, or set model.hidden_layers to [] if that is meant",
        )


def _large_batch(config: Config, dataset: Dataset) -> Iterator[Fault]:
    n_train, batch_size = dataset.parts["train"].rows.size, config.training.batch_size
    if isinstance(batch_size, int) and batch_size > n_train and config.preset == "standard":
        yield config.fault(
            f"training.batch_size is {batch_size:,}, above the {n_train:,} training rows: "
            "an epoch is one step",
            "training",
            "batch_size",
            hint="A smaller batch takes more steps per epoch",
        )


def _long_average(config: Config, n_rows: int) -> Iterator[Fault]:
    """A fault where the average is over more steps than there are: it stays near the first weights."""
    plan, momentum = plan_epochs(config, n_rows), config.training.ema_momentum
    n_steps = plan.epochs * plan.steps_per_epoch
    if momentum is not None and n_steps * (1 - momentum) < 1:
        yield config.fault(
            f"training.ema_momentum {momentum:g} averages the weights of some {1 / (1 - momentum):,.0f} "
            f"steps, and there are {n_steps:,} at most",
            "training",
            "ema_momentum",
            hint="A smaller one lets go of the first weights sooner",
        )


def _idle_selection(config: Config) -> Iterator[Fault]:
    """A fault where there is one network to select from: a preset selects, and may be given fewer."""
    if config.model.ensemble_selection == "greedy" and config.model.independent_members == 1:
        yield config.fault(
            "model.ensemble_selection greedy has one network of each embedding and fold to select from",
            "model",
            "ensemble_selection",
            hint="Set model.ensemble to 16, with independent members",
        )


def _idle_time_zone(config: Config, dataset: Dataset) -> Iterator[Fault]:
    # A column to split by need not be one that is learnt from.
    zone, columns = config.data.time_zone, dataset.columns
    if zone and config.data.split_by is None and not any(column.time_zone for column in columns):
        yield config.fault(
            f"data.time_zone is {zone}, but no column of dates has an offset from UTC",
            "data",
            "time_zone",
            hint="Leave it out: dates without one are taken as they are",
        )


def _idle_calendar(config: Config, dataset: Dataset) -> Iterator[Fault]:
    """A fault where the config, and not its preset, asks for parts of dates or holidays without dates."""
    has_dates = any(column.kind == "date" for column in dataset.columns)
    if config.data.holidays and not has_dates:
        yield config.fault(
            f"data.holidays is {config.data.holidays}, but no column holds dates",
            "data",
            "holidays",
            hint="Leave it out, or set the format of a column in data.dates",
        )
    preset_dates = PRESETS[config.preset].get("preprocessing", {}).get("dates", "cycles")
    if config.preprocessing.dates != preset_dates and not has_dates:
        yield config.fault(
            f"preprocessing.dates is {config.preprocessing.dates}, but no column holds dates",
            "preprocessing",
            "dates",
            hint="Leave it out, or set the format of a column in data.dates",
        )


def _unscaled_days(config: Config, dataset: Dataset) -> Iterator[Fault]:
    dates = [column.name for column in dataset.columns if column.kind == "date"]
    if dates and config.preprocessing.numeric == "none":
        yield config.fault(
            f"preprocessing.numeric is none: the days since 1970 of {dates[0]!r} stay as they are, far "
            "larger than what a network learns well from",
            "preprocessing",
            "numeric",
            hint="Choose standard, or leave the column out with data.exclude",
        )
