"""A config, or the value of one of its keys, as values of Python instead of text."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from dlreg.config.overrides import Override
from dlreg.config.places import KeyPath, Place, Position
from dlreg.config.yaml_source import MAX_DEPTH, YamlDocument
from dlreg.errors import ConfigError, Fault

# What faults name as the place.
CONFIG = "the config"


def mapping_document(config: Mapping[str, Any]) -> YamlDocument:
    """A whole config, as if it had been read from a file.

    Raises:
        ConfigError: It is nested too deep, as what contains itself.
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
    plain = _plain(value, source, (), places)
    return YamlDocument(source, plain, places, ())


def _plain(value: Any, source: str, path: KeyPath, places: dict[KeyPath, Place]) -> Any:
    """A value as YAML would give it, and where each part of it stands: in no line."""
    if len(path) > MAX_DEPTH:
        raise ConfigError(
            Fault(f"values nested deeper than {MAX_DEPTH}", source, hint="A config needs three.")
        )
    # A number of NumPy, and an array of them.
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    is_single = not isinstance(value, Mapping | list | tuple | set | frozenset)
    places[path] = Place(source, Position(), Position(), str(value) if is_single else None)
    if isinstance(value, Mapping):
        return {str(key): _plain(each, source, (*path, str(key)), places) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, source, (*path, place), places) for place, each in enumerate(value)]
    return str(value) if isinstance(value, PurePath) else value
