"""What configs differ in, key by key."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlreg.config.precedence import over_preset
from dlreg.config.schema import Config

# Where a run is kept and what it is judged by make no other model.
NOT_OF_THE_MODEL = ("run.", "gates")
# The names in these are those of columns, which may have dots of their own.
BY_COLUMN = ("data.types", "data.dates")


def flat_values(values: Mapping[str, Any], whole: Sequence[str] = (), prefix: str = "") -> dict[str, Any]:
    """Every value of nested mappings by its dotted name, such as `model.hidden_layers`.

    Args:
        values: In JSON's types.
        whole: The names of mappings that are one value.
        prefix: Begins every name.
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        is_nested = isinstance(value, dict) and value and name not in whole
        flat |= flat_values(value, whole, f"{name}.") if is_nested else {name: value}
    return flat


def flat_config(config: Config) -> dict[str, Any]:
    """Each key of a config with its value, but for those of a search; what is given by column is one."""
    return flat_values(config.model_dump(mode="json", exclude={"search"}), BY_COLUMN)


def differing_values(descriptions: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The names whose values are not the same in all descriptions.

    Args:
        descriptions: Such as those of `flat_config`.

    Returns:
        For each name its value in each of the descriptions, None where one lacks it; in their order.
    """
    names = dict.fromkeys(name for description in descriptions for name in description)
    values = {name: [description.get(name) for description in descriptions] for name in names}
    return {name: row for name, row in values.items() if any(value != row[0] for value in row)}


def differing_keys(configs: Sequence[Config]) -> dict[str, list[Any]]:
    """The keys in which configs differ by more than their presets, with the value in each of them.

    Where presets differ, so do the twenty keys that they set, which says no more than `preset` does.
    """
    flat = [_spelled_out(config) for config in configs]
    chosen = {
        key for config, values in zip(configs, flat, strict=True) for key in _beyond_preset(config, values)
    }
    return {key: values for key, values in differing_values(flat).items() if key in chosen}


def _spelled_out(config: Config) -> dict[str, Any]:
    """What makes the model, with what `training.refit: auto` comes to, so that the same is spelled alike."""
    training = config.training.model_copy(update={"refit": config.refitting})
    flat = flat_config(config.model_copy(update={"training": training}))
    return {key: value for key, value in flat.items() if not key.startswith(NOT_OF_THE_MODEL)}


def _beyond_preset(config: Config, values: Mapping[str, Any]) -> set[str]:
    data = config.data.model_dump(mode="json", include={"path", "target"})
    preset = _spelled_out(Config.model_validate(over_preset({"preset": config.preset, "data": data})))
    return {"preset"} | {key for key in {**values, **preset} if values.get(key) != preset.get(key)}
