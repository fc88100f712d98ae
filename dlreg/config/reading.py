"""Reading a config: a file, `--set` and `--search` to values, or to every fault with its place."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dlreg.config.checks import LOCAL_PATH
from dlreg.config.contradictions import Contradiction, contradictions
from dlreg.config.keys import NAMES_AS_WRITTEN, PATHS, SECTIONS
from dlreg.config.mapping_source import mapping_document, value_overrides
from dlreg.config.overrides import Given, Override, read_override, read_searches, with_override
from dlreg.config.places import KeyPath, Origins, Place
from dlreg.config.precedence import over_defaults, over_preset, section_of, validated
from dlreg.config.schema import Config
from dlreg.config.search_faults import find_search_faults
from dlreg.config.sections.data import CACHE_WORDS
from dlreg.config.sections.search import SearchConfig
from dlreg.config.sentences import key_path, schema_faults
from dlreg.config.writing import dump_config
from dlreg.config.yaml_source import YamlDocument, decode_yaml, read_yaml
from dlreg.errors import ConfigError, Fault
from dlreg.files.table_files import STANDARD_INPUT

# A table can be read and checked even if these are wrong.
_SPLIT_KEYS = tuple((key,) for key in ("test_split", "test_path", "validation_path", "split", "split_by"))

# What of a config makes the model, beside its rows.
_TRAINED_BY = ("preprocessing", "model", "training")


class Reading(NamedTuple):
    """A config file, as far as it can be understood.

    Attributes:
        config: The whole config, with defaults in place of what is at fault; None where the faults leave
            open which table is meant or how it is written.
        faults: Every fault there is, in the order of the file.
    """

    config: Config | None
    faults: tuple[Fault, ...]


def load_config(path: str | Path, overrides: Sequence[str] = (), searches: Sequence[str] = ()) -> Config:
    """Reads a config file and checks it whole.

    Args:
        path: The YAML file.
        overrides: `KEY=VALUE` texts as given to `--set`: dotted keys, values in YAML.
        searches: `KEY=MIN..MAX`, `KEY=MIN..MAX:log` or `KEY=VALUE,VALUE…` texts as given to `--search`: what
            is tried of a key, in place of what the file says of it.

    Returns:
        The config with absolute paths: those in the file start from its folder,
        those of `overrides` from the working directory.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`, or one of `searches` has no `=` or a key twice.
        ConfigError: With every fault there is, in the order of the file.
    """
    config, faults = read_config(path, overrides, searches)
    if faults or config is None:
        raise ConfigError(*faults)
    return config


def read_config(path: str | Path, overrides: Sequence[str] = (), searches: Sequence[str] = ()) -> Reading:
    """Reads a config file as `load_config` does, and tells its faults instead of raising them.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`, or one of `searches` has no `=` or a key twice.
        ConfigError: The file cannot be read, or is not YAML.
    """
    parsed = [*map(read_override, overrides), *read_searches(searches)]
    return _understand(*_given_by(read_yaml(path)), parsed)


def read_values(config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any]) -> Reading:
    """Reads a config as `read_config` does, with values of Python for keys.

    Args:
        config: The YAML file, or what would stand in it; its relative paths start from the working directory.
        overrides: Values by dotted key.

    Raises:
        ConfigError: The file cannot be read, or is not YAML.
    """
    document = mapping_document(config) if isinstance(config, Mapping) else read_yaml(config)
    return _understand(*_given_by(document), value_overrides(overrides))


def parse_config(content: bytes, source: str) -> Config:
    """Reads the bytes of a config as `load_config` reads a file called `source`.

    Raises:
        ConfigError: With every fault there is, in the order of the file.
    """
    config, faults = _understand(*_given_by(decode_yaml(content, source)), ())
    if faults or config is None:
        raise ConfigError(*faults)
    return config


def override_config(config: Config, overrides: Sequence[str]) -> Config:
    """A config with other values for some keys, as `load_config` takes them.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`.
        ConfigError: With every fault there is.
    """
    document = decode_yaml(dump_config(config).encode(), "config")
    changed, faults = _understand(*_given_by(document), [read_override(override) for override in overrides])
    if faults or changed is None:
        raise ConfigError(*faults)
    return changed


def trial_config(config: Config, values: Mapping[str, Any]) -> Config:
    """The config of a trial: what reading the same file with other values for some keys gives.

    Args:
        config: As `load_config` gave it.
        values: Plain values, as JSON has them, by dotted key; none of them of `data`, `run` or `search`.

    Returns:
        The config that `load_config` gives with `overrides_of` these values, so with what another preset
        brings, but without a search and a run directory.

    Raises:
        ConfigError: The values contradict each other or the config, with every fault.
    """
    source, given = _given_of(config)
    parsed = [read_override(override) for override in overrides_of(values)]
    changed, faults = _understand(source, given, (), parsed)
    if faults or changed is None:
        raise ConfigError(*faults)
    # The rows are those of the config at hand, whatever has been settled of how they are kept.
    run = config.run.model_copy(update={"dir": None})
    return changed.model_copy(update={"data": config.data, "run": run, "gates": config.gates})


def _given_of(config: Config) -> tuple[str, Given]:
    """Where a config stands, and what its file gives beside a search, before preset and defaults."""
    origins = config._origins
    same, _ = validated(over_preset(origins.values)) if origins.values else (None, [])
    if same and all(getattr(same, name) == getattr(config, name) for name in ("preset", *_TRAINED_BY)):
        source, given = origins.source or "config", Given(origins.values, origins.places)
    else:
        # It has been changed since, or never read: then it gives every key itself.
        source, given, _ = _given_by(decode_yaml(dump_config(config).encode(), "config"))
    return source, Given(
        {name: value for name, value in given.values.items() if name != "search"}, given.places
    )


def overrides_of(values: Mapping[str, Any]) -> list[str]:
    """Values by dotted key as texts for `--set`: `KEY=JSON`."""
    return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]


def without_search(config: Config) -> Config:
    """The config without what only a search heeds."""
    return config.model_copy(update={"search": SearchConfig()})


def _given_by(document: YamlDocument) -> tuple[str, Given, tuple[Fault, ...]]:
    """Where a config stands, what it gives, and what is not allowed in its text."""
    places = {key: place for key, place in document.places.items() if key}
    return document.source, Given(document.value, places), document.faults


def _understand(
    source: str, given: Given, faults_of_text: Iterable[Fault], overrides: Iterable[Override]
) -> Reading:
    faults = list(faults_of_text)
    wrong: set[KeyPath] = set()
    for override in overrides:
        try:
            document = override.document()
            faults += document.faults
            given = with_override(given, override.key, document)
        except ConfigError as error:
            faults += error.faults
            wrong.add(override.key)
    values = _with_names_as_written(given, source)
    origins = Origins(source, given.places, values)
    over_the_preset = over_preset(values)
    config, errors = validated(over_the_preset)
    sections = {name: section_of(values, name) for name in SECTIONS}
    contradicting = list(contradictions(sections, over_defaults(over_the_preset), values.get("gates")))
    # Where the YAML itself is at fault, a second fault of the value would say nothing more.
    said = {(fault.path, fault.line, fault.column) for fault in faults}
    wrong_values = [_contradiction_fault(contradiction, origins) for contradiction in contradicting]
    wrong_values += schema_faults(errors, origins)
    refused = set(map(key_path, errors))
    of_search = list(find_search_faults(values, origins, refused, contradicting))
    wrong_values += [fault for _, fault in of_search]
    faults += [fault for fault in wrong_values if (fault.path, fault.line, fault.column) not in said]
    faults.sort(key=lambda fault: (fault.path != source, fault.line or 0, fault.column or 0))
    wrong |= {contradiction.key for contradiction in contradicting} | refused | {key for key, _ in of_search}
    if wrong:
        config = _without(values, wrong)
    if config:
        config._origins = origins
    return Reading(config, tuple(faults))


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
    config, _ = validated(over_preset(right))
    return config


def _contradiction_fault(contradiction: Contradiction, origins: Origins) -> Fault:
    message = contradiction.message
    if other := origins.places.get(contradiction.other):
        message += f" (compare {f'line {other.value.line}' if other.value.line else other.source})"
    return origins.fault(message, contradiction.key, contradiction.hint)


def _with_names_as_written(given: Given, source: str) -> dict[str, Any]:
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
