"""Reading a config: a file and `--set` to values, or to every fault with its place."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dlreg.config.checks import LOCAL_PATH
from dlreg.config.contradictions import Contradiction, contradictions
from dlreg.config.keys import NAMES_AS_WRITTEN, PATHS, SECTIONS
from dlreg.config.places import KeyPath, Origins, Place, Position
from dlreg.config.precedence import over_defaults, over_preset, section_of
from dlreg.config.schema import CACHE_WORDS, Config
from dlreg.config.sentences import key_path, schema_faults
from dlreg.config.writing import dump_config
from dlreg.config.yaml_source import YamlDocument, decode_yaml, parse_scalar_or_flow, read_yaml
from dlreg.errors import ConfigError, Fault, UsageError
from dlreg.files.table_files import STANDARD_INPUT
from dlreg.wording import quote

# A table can be read and checked even if these are wrong.
_SPLIT_KEYS = tuple((key,) for key in ("test_split", "test_path", "validation_path", "split", "split_by"))

# The values of these may be one character.
_CHARACTERS = tuple(("data", key) for key in ("delimiter", "decimal", "thousands", "comment", "path"))


class Reading(NamedTuple):
    """A config file, as far as it can be understood.

    Attributes:
        config: The whole config, with defaults in place of what is at fault; None where the faults leave
            open which table is meant or how it is written.
        faults: Every fault there is, in the order of the file.
    """

    config: Config | None
    faults: tuple[Fault, ...]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a config file and checks it whole.

    Args:
        path: The YAML file.
        overrides: `KEY=VALUE` texts as given to `--set`: dotted keys, values in YAML.

    Returns:
        The config with absolute paths: those in the file start from its folder,
        those of `overrides` from the working directory.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`.
        ConfigError: With every fault there is, in the order of the file.
    """
    config, faults = read_config(path, overrides)
    if faults or config is None:
        raise ConfigError(*faults)
    return config


def read_config(path: str | Path, overrides: Sequence[str] = ()) -> Reading:
    """Reads a config file as `load_config` does, and tells its faults instead of raising them.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`.
        ConfigError: The file cannot be read, or is not YAML.
    """
    parsed = [_split_override(override) for override in overrides]
    return _understand(read_yaml(path), parsed)


def parse_config(content: bytes, source: str) -> Config:
    """Reads the bytes of a config as `load_config` reads a file called `source`.

    Raises:
        ConfigError: With every fault there is, in the order of the file.
    """
    config, faults = _understand(decode_yaml(content, source), ())
    if faults or config is None:
        raise ConfigError(*faults)
    return config


def override_config(config: Config, overrides: Sequence[str]) -> Config:
    """A config with other values for some keys, as `load_config` takes them.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`.
        ConfigError: With every fault there is.
    """
    parsed = [_split_override(override) for override in overrides]
    changed, faults = _understand(decode_yaml(dump_config(config).encode(), "config"), parsed)
    if faults or changed is None:
        raise ConfigError(*faults)
    return changed


class _Given(NamedTuple):
    """What a file and `--set` say, before preset and defaults, and where it stands."""

    values: Mapping[str, Any]
    places: Mapping[KeyPath, Place]


def _understand(document: YamlDocument, overrides: Iterable[tuple[KeyPath, str]]) -> Reading:
    given = _Given(document.value, {key: place for key, place in document.places.items() if key})
    faults = list(document.faults)
    wrong: set[KeyPath] = set()
    for key, text in overrides:
        try:
            override = parse_scalar_or_flow(text, f"--set {'.'.join(map(str, key))}")
            faults += override.faults
            given = _with_override(given, key, override)
        except ConfigError as error:
            faults += error.faults
            wrong.add(key)
    values = _with_names_as_written(given, document.source)
    origins = Origins(document.source, given.places)
    over_the_preset = over_preset(values)
    config, errors = _validated(over_the_preset)
    sections = {name: section_of(values, name) for name in SECTIONS}
    contradicting = list(contradictions(sections, over_defaults(over_the_preset), values.get("gates")))
    # Where the YAML itself is at fault, a second fault of the value would say nothing more.
    said = {(fault.path, fault.line, fault.column) for fault in faults}
    wrong_values = [_contradiction_fault(contradiction, origins) for contradiction in contradicting]
    wrong_values += schema_faults(errors, origins)
    faults += [fault for fault in wrong_values if (fault.path, fault.line, fault.column) not in said]
    faults.sort(key=lambda fault: (fault.path != document.source, fault.line or 0, fault.column or 0))
    wrong |= {contradiction.key for contradiction in contradicting} | set(map(key_path, errors))
    if wrong:
        config = _without(values, wrong)
    if config:
        config._origins = origins
    return Reading(config, tuple(faults))


def _validated(values: Mapping[str, Any]) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(values: Mapping[str, Any], wrong: Iterable[KeyPath]) -> Config | None:
    """The config with defaults in place of what is wrong; None where the table could not be read then."""
    keys = {key[:2] for key in wrong}
    if any(key[0] == "data" and key[1:] not in _SPLIT_KEYS for key in keys):
        return None
    right = {
        name: {key: value for key, value in section.items() if (name, key) not in keys}
        if isinstance(section, dict)
        else section
        for name, section in values.items()
        if (name,) not in keys and (isinstance(section, dict) or all(key[0] != name for key in keys))
    }
    config, _ = _validated(over_preset(right))
    return config


def _contradiction_fault(contradiction: Contradiction, origins: Origins) -> Fault:
    message = contradiction.message
    if other := origins.places.get(contradiction.other):
        message += f" (compare {f'line {other.value.line}' if other.value.line else other.source})"
    return origins.fault(message, contradiction.key, contradiction.hint)


def _split_override(override: str) -> tuple[KeyPath, str]:
    key, equals, text = override.partition("=")
    parts = tuple(key.strip().split("."))
    # A shell takes the quotes from data.decimal=",", which YAML needs.
    if parts in _CHARACTERS and len(text) == 1:
        text = json.dumps(text)
    if not equals or not all(parts):
        hint = "For example --set training.epochs=50."
        raise UsageError(Fault(f"--set takes KEY=VALUE, found {quote(override)}", hint=hint))
    return parts, text


def _with_override(given: _Given, key: KeyPath, override: YamlDocument) -> _Given:
    """The value of a `--set` in place of what the file says under its key."""
    values = _replaced(given.values, key, 0, override)
    above = {key[:depth]: Place(override.source, Position(), Position()) for depth in range(1, len(key))}
    beside = {path: place for path, place in given.places.items() if path[: len(key)] != key}
    below = {(*key, *path): place for path, place in override.places.items()}
    return _Given(values, above | beside | below)


def _replaced(section: Mapping[str, Any], key: KeyPath, depth: int, override: YamlDocument) -> dict[str, Any]:
    """A copy of a section with the value of a `--set`, whose key is followed from `depth` on."""
    name = str(key[depth])
    if depth == len(key) - 1:
        return {**section, name: override.value}
    path, inner = key[: depth + 1], section.get(name)
    if path == ("training", "schedule") and isinstance(inner, str):
        inner = {"name": inner}
    if not isinstance(inner, dict) and inner is not None:
        above = ".".join(map(str, path))
        message = f"{above} is {quote(inner)}, it has no key {quote(key[depth + 1])}"
        raise ConfigError(Fault(message, override.source, hint=f"Set {above} as a whole."))
    return {**section, name: _replaced(inner or {}, key, depth + 1, override)}


def _with_names_as_written(given: _Given, source: str) -> dict[str, Any]:
    """The values with names as text even if they look like numbers, and with absolute paths."""
    values = dict(given.values)
    for section, key in NAMES_AS_WRITTEN:
        if key in section_of(values, section):
            value = _as_written(values[section][key], (section, key), given.places)
            # What is no local path stays as it is, for the schema to refuse.
            is_word = (section, key) == ("data", "cache") and value in CACHE_WORDS
            is_path = (section, key) in PATHS and isinstance(value, str) and not is_word
            is_standard_input = section == "data" and value == STANDARD_INPUT
            if is_path and not is_standard_input and LOCAL_PATH.fullmatch(value):
                folder = Path(source).parent if given.places[section, key].source == source else Path()
                value = os.path.normpath((folder / value).absolute())
            values[section] = {**values[section], key: value}
    return values


def _as_written(value: Any, key: KeyPath, places: Mapping[KeyPath, Place]) -> Any:
    if isinstance(value, list):
        return [_as_written(item, (*key, index), places) for index, item in enumerate(value)]
    return value if value is None or isinstance(value, str | dict) else places[key].written
