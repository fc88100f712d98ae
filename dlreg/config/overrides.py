"""`--set` and `--search`: texts of a command line, and the config's values with theirs in place."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dlreg.config.places import KeyPath, Place, Position
from dlreg.config.yaml_source import YamlDocument, parse_scalar_or_flow
from dlreg.errors import ConfigError, Fault, UsageError
from dlreg.wording import quote

# The values of these may be one character.
_CHARACTERS = tuple(("data", key) for key in ("delimiter", "decimal", "thousands", "comment", "path"))
# What is tried of a key, whose name has dots of its own, stands below these.
PARAMETERS: KeyPath = ("search", "parameters")
_OF_A_PARAMETER = ("min", "max", "distribution", "values")
# 1e-4..1e-1:log
_RANGE = re.compile(r"([^\[\]{}\"',]*?)\.\.([^\[\]{}\"',:]*)(?::(.*))?", re.DOTALL)
_DISTRIBUTIONS = {"log": "log_uniform"}


class Given(NamedTuple):
    """What a file and a command line say, before preset and defaults, and where it stands."""

    values: Mapping[str, Any]
    places: Mapping[KeyPath, Place]


class Override(NamedTuple):
    """A text of the command line that replaces the value of a key.

    Attributes:
        key: The key it is for.
        text: The value as it is written.
        source: What faults name as the place.
        parse: Reads the text; raises a ConfigError where it cannot be read.
    """

    key: KeyPath
    text: str
    source: str
    parse: Callable[[str, str], YamlDocument] = parse_scalar_or_flow

    def document(self) -> YamlDocument:
        """The value, with its places.

        Raises:
            ConfigError: It cannot be read.
        """
        return self.parse(self.text, self.source)


def read_override(override: str) -> Override:
    """Takes a `KEY=VALUE` text of `--set` apart.

    Raises:
        UsageError: It is not `KEY=VALUE`.
    """
    key, equals, text = override.partition("=")
    parts = tuple(key.strip().split("."))
    # A shell takes the quotes from data.decimal=",", which YAML needs.
    if parts in _CHARACTERS and len(text) == 1:
        text = json.dumps(text)
    if not equals or not all(parts):
        hint = "For example --set training.epochs=50."
        raise UsageError(Fault(f"--set takes KEY=VALUE, found {quote(override)}", hint=hint))
    return Override(_whole_parameter(parts), text, f"--set {'.'.join(parts)}")


def read_searches(searches: Sequence[str]) -> list[Override]:
    """Takes the texts of `--search` apart.

    Raises:
        UsageError: One is not `KEY=…`, or two are of the same key.
    """
    read = [_read_search(search) for search in searches]
    names = [str(search.key[-1]) for search in read]
    if twice := next((name for name in names if names.count(name) > 1), None):
        hint = "Say all that is tried of it in one --search."
        raise UsageError(Fault(f"--search names {quote(twice)} twice", hint=hint))
    return read


def _read_search(search: str) -> Override:
    """Takes a `KEY=MIN..MAX`, `KEY=MIN..MAX:log` or `KEY=VALUE,VALUE…` text of `--search` apart.

    Raises:
        UsageError: It is not `KEY=…`.
    """
    key, equals, text = search.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        hint = "For example --search training.learning_rate=1e-4..1e-1:log, or model.dropout=0,0.1,0.2."
        message = f"--search takes KEY=MIN..MAX or KEY=VALUE,VALUE…, found {quote(search)}"
        raise UsageError(Fault(message, hint=hint))
    return Override((*PARAMETERS, key), text, f"--search {key}", _parse_search)


def _whole_parameter(parts: KeyPath) -> KeyPath:
    if parts[:2] != PARAMETERS or len(parts) == 2:
        return parts
    is_inner = len(parts) > 3 and parts[-1] in _OF_A_PARAMETER
    name, inner = (parts[2:-1], parts[-1:]) if is_inner else (parts[2:], ())
    return (*PARAMETERS, ".".join(map(str, name)), *inner)


def _parse_search(text: str, source: str) -> YamlDocument:
    if match := _RANGE.fullmatch(text):
        # 1e-4...1e-1 may be meant to end at 0.1, and 0...5 at 0.5.
        if "..." in text:
            message = f"a range has two dots between its numbers, found {quote(text)}"
            raise ConfigError(Fault(message, source, hint="Such as 1e-4..1e-1, or 0..0.5."))
        minimum, maximum, distribution = (
            part.strip() if part is not None else None for part in match.groups()
        )
        parts = {
            "min": minimum,
            "max": maximum,
            "distribution": distribution and _DISTRIBUTIONS.get(distribution, distribution),
        }
        documents = {
            name: parse_scalar_or_flow(part, source) for name, part in parts.items() if part is not None
        }
        nowhere = Place(source, Position(), Position())
        return YamlDocument(
            source,
            {name: document.value for name, document in documents.items()},
            {(): nowhere}
            | {
                (name, *key): place
                for name, document in documents.items()
                for key, place in document.places.items()
            },
            tuple(fault for document in documents.values() for fault in document.faults),
        )
    listed = parse_scalar_or_flow(f"[{text}]", source)
    items = listed.value
    if (
        isinstance(items, list)
        and len(items) == 1
        and isinstance(items[0], dict)
        and set(items[0]) & set(_OF_A_PARAMETER)
    ):
        # It is spelled out as in the config.
        return YamlDocument(
            source, items[0], {key[1:]: place for key, place in listed.places.items() if key}, listed.faults
        )
    nowhere = Place(source, Position(), Position())
    places = {(): nowhere} | {("values", *key): place for key, place in listed.places.items()}
    return YamlDocument(source, {"values": items}, places, listed.faults)


def with_override(given: Given, key: KeyPath, override: YamlDocument) -> Given:
    """The value of an override in place of what is given of its key.

    Raises:
        ConfigError: A value stands where the key leads through.
    """
    values = replaced(given.values, key, override)
    above = {key[:depth]: Place(override.source, Position(), Position()) for depth in range(1, len(key))}
    beside = {path: place for path, place in given.places.items() if path[: len(key)] != key}
    below = {(*key, *path): place for path, place in override.places.items()}
    return Given(values, above | beside | below)


def replaced(
    section: Mapping[str, Any], key: KeyPath, override: YamlDocument, depth: int = 0
) -> dict[str, Any]:
    """A copy of a section with the value of an override, whose key is followed from `depth` on.

    Raises:
        ConfigError: A value stands where the key leads through.
    """
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
    return {**section, name: replaced(inner or {}, key, override, depth + 1)}
