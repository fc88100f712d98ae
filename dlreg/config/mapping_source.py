"""A config, or the value of one of its keys, as values of Python instead of text."""

from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from types import NoneType
from typing import Any

from dlreg.config.overrides import Override
from dlreg.config.places import KeyPath, Place, Position
from dlreg.config.yaml_source import MAX_DEPTH, YamlDocument
from dlreg.errors import ConfigError, Fault

# What faults name as the place.
CONFIG = "the config"
# What a value of YAML is, beside lists and mappings.
_SCALARS = (str, int, float, date, NoneType, PurePath)


def mapping_document(config: Mapping[str, Any]) -> YamlDocument:
    """A whole config, as if it had been read from a file.

    Raises:
        ConfigError: It is nested too deep, as what contains itself, or has values that YAML has not.
    """
    return _document(config, CONFIG)


def value_overrides(overrides: Mapping[str, Any]) -> list[Override]:
    """Values by dotted key, as if they had been given to `--set`."""
    return [_override(str(key), value) for key, value in overrides.items()]


def _override(key: str, value: Any) -> Override:
    def parse(_: str, source: str) -> YamlDocument:
        return _document(value, source)

    return Override(tuple(key.split(".")), "", f"overrides[{key!r}]", parse)


def _document(value: Any, source: str) -> YamlDocument:
    places: dict[KeyPath, Place] = {}
    faults: list[Fault] = []
    plain = _plain(value, source, (), places, faults)
    if faults:
        raise ConfigError(*faults)
    return YamlDocument(source, plain, places, ())


def _plain(value: Any, source: str, path: KeyPath, places: dict[KeyPath, Place], faults: list[Fault]) -> Any:
    """A value as YAML would give it, and where each part of it stands: in no line."""
    if len(path) > MAX_DEPTH:
        raise ConfigError(
            Fault(f"values nested deeper than {MAX_DEPTH}", source, hint="A config needs three.")
        )
    # A number of NumPy, and an array of them.
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    text = str(value) if isinstance(value, _SCALARS) else None
    places[path] = Place(source, Position(), Position(), text)
    if isinstance(value, Mapping):
        return {
            str(key): _plain(each, source, (*path, str(key)), places, faults) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(each, source, (*path, place), places, faults) for place, each in enumerate(value)]
    if not isinstance(value, _SCALARS):
        faults.append(_no_value_fault(value, source, path))
    return str(value) if isinstance(value, PurePath) else value


def _no_value_fault(value: Any, source: str, path: KeyPath) -> Fault:
    """The fault of a value that no YAML could hold; it is not shown, for it may be a table."""
    kind, key = type(value), ".".join(map(str, path))
    hints = {
        "DataFrame": "Give the path of a file; dlreg.Regressor takes data frames",
        "set": "Give a list",
        "frozenset": "Give a list",
    }
    message = f"expected text, a number, true or false, a list or a mapping; found a {kind.__name__}"
    return Fault(f"{key}: {message}" if key else message, source, hint=hints.get(kind.__name__))
