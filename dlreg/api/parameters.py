"""The parameters of `dlreg.Regressor`: keys of the config, by their last name."""

from collections.abc import Mapping
from typing import Any

from dlreg.config.schema import Config

SECTIONS = ("preprocessing", "model", "training")
# No two of these sections have a key of the same name.
KEYS: Mapping[str, tuple[str, str]] = {
    name: (section, name)
    for section in SECTIONS
    for name in type(Config.model_fields[section].default).model_fields
}


def config_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What parameters say, as a config has it.

    Args:
        parameters: By name. None leaves a key as it is by preset and default; False stands for the null of a
            key whose values are no words for yes and no, such as `early_stopping`.
    """
    values: dict[str, Any] = {section: {} for section in SECTIONS}
    for name, value in parameters.items():
        if name in KEYS and value is not None:
            section, key = KEYS[name]
            values[section][key] = None if value is False and name in _MAY_BE_NULL else value
    return values if parameters.get("preset") is None else {**values, "preset": parameters["preset"]}


_MAY_BE_NULL = frozenset(
    {
        "sample",
        "clip_norm",
        "ema_momentum",
        "cross_validation",
        "refit",
        "early_stopping",
        "auto_steps",
        "time_limit",
    }
)
