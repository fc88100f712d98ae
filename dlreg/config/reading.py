"""The config as a file: reading it, `--set`, every fault with its place, writing it resolved.

The schema is `dlreg.config.schema`'s. Sentences about wrong values are put together here
from the schema itself, so that they cannot drift from what is checked.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dlreg.config.contradictions import Contradiction, contradictions
from dlreg.config.presets import PRESETS
from dlreg.config.schema import (
    LOCAL_PATH,
    Config,
    Origins,
    RefusedError,
    shown,
)
from dlreg.config.suggestions import meant_items, meant_scalar, meant_word
from dlreg.config.yaml_source import (
    KeyPath,
    Place,
    Position,
    YamlDocument,
    core_scalar,
    decode_yaml,
    parse_scalar_or_flow,
    read_yaml,
    shortened,
)
from dlreg.errors import ConfigError, Fault, UsageError

_PATHS = (("data", "path"), ("data", "test_path"), ("run", "dir"))
# What a CSV or a file system names may look like a number, `target: 2020`: it counts as written.
NAMES_AS_WRITTEN = (
    *_PATHS,
    *(("data", key) for key in ("target", "split_by", "features", "exclude", "missing_values")),
)
# A table can be read and looked through whatever is wrong with these.
_SPLIT_KEYS = tuple((key,) for key in ("test_split", "test_path", "split", "split_by"))
_SECTIONS = ("data", "preprocessing", "model", "training", "run")
# pydantic puts the chosen member of these unions into its error locations.
_UNIONS = (
    ("data", "features"),
    ("preprocessing", "embedding"),
    ("model", "dropout"),
    ("training", "schedule"),
    ("training", "epochs"),
)

# What other tools call it, where the letters are not alike.
_OTHER_NAMES = {
    **dict.fromkeys(("lr", "eta", "learning_rate_init"), "training.learning_rate"),
    **dict.fromkeys(("random_state", "random_seed"), "training.seed"),
    **dict.fromkeys(("max_iter", "max_epochs", "n_epochs", "num_epochs"), "training.epochs"),
    **dict.fromkeys(("units", "layers", "neurons", "hidden_sizes"), "model.hidden_layers"),
    **dict.fromkeys(("label", "y", "dependent"), "data.target"),
    **dict.fromkeys(("file", "csv", "filename"), "data.path"),
    **dict.fromkeys(("sep", "separator"), "data.delimiter"),
    **dict.fromkeys(("na_values", "null_values"), "data.missing_values"),
    **dict.fromkeys(("test_size", "test_fraction"), "data.test_split"),
    **dict.fromkeys(("val_split", "validation_fraction"), "training.validation_split"),
}

_Node = Mapping[str, Any]


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
    pairs = [_split_override(override) for override in overrides]
    return _understand(read_yaml(path), pairs)


def parse_config(content: bytes, source: str) -> Config:
    """Reads the bytes of a config as `load_config` reads a file called `source`.

    Raises:
        ConfigError: With every fault there is, in the order of the file.
    """
    config, faults = _understand(decode_yaml(content, source), ())
    if faults or config is None:
        raise ConfigError(*faults)
    return config


def _understand(document: YamlDocument, pairs: Iterable[tuple[list[str], str]]) -> Reading:
    given, places, faults = document.value, dict(document.places), list(document.faults)
    del places[()]
    wrong: set[KeyPath] = set()
    for keys, text in pairs:
        try:
            override = parse_scalar_or_flow(text, f"--set {'.'.join(keys)}")
            faults += override.faults
            _put(given, places, keys, override)
        except ConfigError as error:
            faults += error.faults
            wrong.add(tuple(keys))
    _resolve_names(given, places, document.source)
    origins = Origins(document.source, places)
    values = _over_preset(given)
    # What cannot stand in a config at all has been said, and makes no second fault as a value.
    said = {(fault.path, fault.line, fault.column) for fault in faults}
    contradicting = list(contradictions(*_with_defaults(given, values)))
    found = [_contradiction_fault(contradiction, origins) for contradiction in contradicting]
    wrong |= {contradiction.key for contradiction in contradicting}
    try:
        config: Config | None = Config.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        found += _schema_faults(errors, origins)
        wrong |= {_key_path(each) for each in errors}
    if wrong:
        config = _without(given, wrong)
    if config:
        config._origins = origins
    faults += [fault for fault in found if (fault.path, fault.line, fault.column) not in said]
    in_file = document.source
    faults.sort(key=lambda at: (at.path != in_file, at.line or 0, at.column or 0))
    return Reading(config, tuple(faults))


def _without(given: Mapping[str, Any], wrong: Iterable[KeyPath]) -> Config | None:
    """The config without what is wrong in it; None where the table cannot be read without it."""
    keys = {key[:2] for key in wrong}
    if any(key[0] == "data" and key[1:] not in _SPLIT_KEYS for key in keys):
        return None
    kept = {
        name: {key: value for key, value in section.items() if (name, key) not in keys}
        if isinstance(section, dict)
        else section
        for name, section in given.items()
        if (name,) not in keys
    }
    try:
        return Config.model_validate(_over_preset(kept))
    except ValidationError:
        return None


def dump_config(config: Config) -> str:
    """The resolved config as YAML: loading it gives an equal config but for `run.dir`."""
    values = config.model_dump(mode="json")
    values["run"]["dir"] = None
    return (
        f"# The resolved config of dlreg: every default spelled out, every path absolute.\n{to_yaml(values)}"
    )


def to_yaml(value: Any) -> str:
    """A mapping, list or scalar as YAML that `dlreg.config.yaml_source` reads back unchanged."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=2**31
    )
    # PyYAML marks the end of a document that is a plain scalar.
    return str(text).removesuffix("...\n")


class _Dumper(yaml.SafeDumper):
    """Writes what `dlreg.config.yaml_source` reads back unchanged."""

    def represent_text(self, text: str) -> yaml.Node:
        # PyYAML quotes what YAML 1.1 would misread; this adds what YAML 1.2 would.
        plain = text.isprintable() and core_scalar(text) is text
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')

    def represent_items(self, items: list[Any]) -> yaml.Node:
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=len(str(items)) < 80)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_items)


def override_keys() -> dict[str, str]:
    """Every key that `--set` takes, dotted, with what it means."""
    keys: dict[str, str] = {"preset": _meaning(_nodes(("preset",))[0])}
    for name in _section_keys():
        path = tuple(name.split("."))
        keys[name] = _meaning(_nodes(path)[0])
        for inner, node in _properties(_nodes(path)).items():
            keys[f"{name}.{inner}"] = _meaning(node)
    return keys


def _meaning(node: _Node) -> str:
    """What a key means; of a mapping of its own, what that is."""
    return str(node.get("description") or _leaves(node)[0].get("description", ""))


def named_values(key: str) -> list[str]:
    """The values of a dotted key that have names; none where it takes numbers or any text."""
    leaves = [leaf for node in _nodes(tuple(key.split("."))) for leaf in _leaves(node)]
    words = _words(leaves)
    words += ["true", "false"] if any(leaf.get("type") == "boolean" for leaf in leaves) else []
    return words + (["null"] if any(leaf.get("type") == "null" for leaf in leaves) else [])


def _split_override(override: str) -> tuple[list[str], str]:
    key, equals, text = override.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        hint = "For example --set training.epochs=50."
        raise UsageError(Fault(f"--set takes KEY=VALUE, found {shown(override)}", hint=hint))
    return keys, text


def _put(
    given: dict[str, Any], places: dict[KeyPath, Place], keys: list[str], override: YamlDocument
) -> None:
    """Puts the value of a `--set` in place of what the file says under its key."""
    path = tuple(keys)
    section = given
    for depth, key in enumerate(path[:-1], start=1):
        places.setdefault(path[:depth], Place(override.source, Position(), Position()))
        inner = section.get(key)
        if path[:depth] == ("training", "schedule") and isinstance(inner, str):
            inner = {"name": inner}
        if not isinstance(inner, dict) and inner is not None:
            above = ".".join(path[:depth])
            message = f"{above} is {shown(inner)}, it has no key {shown(path[depth])}"
            raise ConfigError(Fault(message, override.source, hint=f"Set {above} as a whole."))
        section[key] = inner or {}
        section = section[key]
    section[path[-1]] = override.value
    for replaced in [place for place in places if place[: len(path)] == path]:
        del places[replaced]
    places.update({(*path, *inside): place for inside, place in override.places.items()})


def _resolve_names(given: dict[str, Any], places: Mapping[KeyPath, Place], source: str) -> None:
    """Takes names as they are written, and paths from where they are given."""
    for section, key in NAMES_AS_WRITTEN:
        if key in _section(given, section):
            given[section][key] = _as_written(given[section][key], (section, key), places)
    for section, key in _PATHS:
        path = _section(given, section).get(key)
        # What is no local path stays as it is, for the schema to refuse.
        if isinstance(path, str) and LOCAL_PATH.fullmatch(path):
            folder = Path(source).parent if places[section, key].source == source else Path()
            given[section][key] = os.path.normpath((folder / path).absolute())


def _as_written(value: Any, key: KeyPath, places: Mapping[KeyPath, Place]) -> Any:
    if isinstance(value, list):
        return [_as_written(item, (*key, index), places) for index, item in enumerate(value)]
    return value if value is None or isinstance(value, str | dict) else places[key].written


def _section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = values.get(name)
    return section if isinstance(section, dict) else {}


def _over_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    name = given.get("preset", "standard")
    values = _merged(PRESETS.get(name, {}) if isinstance(name, str) else {}, given)
    if _section(values, "data").get("test_path") is not None:
        values["data"].setdefault("test_split", None)
    if _section(values, "training").get("cross_validation") is not None:
        values["training"].setdefault("validation_split", 0.0)
    return values


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another, key by key at every depth; neither is changed."""
    values = {key: _merged({}, value) if isinstance(value, dict) else value for key, value in below.items()}
    for key, value in above.items():
        inner = values.get(key)
        under = inner if isinstance(inner, dict) else {}
        values[key] = _merged(under, value) if isinstance(value, dict) else value
    return values


def _with_defaults(
    given: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The sections as given and over their defaults, whatever else is wrong with them."""
    defaults = {
        name: {key: node.get("default") for key, node in _properties(_nodes((name,))).items()}
        for name in _SECTIONS
    }
    sections = {name: _section(given, name) for name in defaults}
    return sections, {name: default | _section(values, name) for name, default in defaults.items()}


def _contradiction_fault(contradiction: Contradiction, origins: Origins) -> Fault:
    message = contradiction.message
    if other := origins.places.get(contradiction.other):
        message += f" (compare {f'line {other.value.line}' if other.value.line else other.source})"
    return origins.fault(message, contradiction.key, contradiction.hint)


def _schema_faults(errors: Sequence[ErrorDetails], origins: Origins) -> Iterator[Fault]:
    keys = [_key_path(error) for error in errors]
    for key, error in zip(keys, errors, strict=True):
        # pydantic counts a list without its wrong items, and then calls it too short.
        if error["type"] != "too_short" or not any(other[: len(key)] == key != other for other in keys):
            yield _schema_fault(error, key, origins)


def _key_path(error: ErrorDetails) -> KeyPath:
    key = error["loc"]
    if key[:2] in _UNIONS:
        key = key[:2] + key[3:]
    return (*key, "name") if error["type"].startswith("union_tag") else key


def _schema_fault(error: ErrorDetails, key: KeyPath, origins: Origins) -> Fault:
    name = _dotted(key)
    if error["type"] == "extra_forbidden":
        variant = error["loc"][2] if error["loc"][:2] in _UNIONS else None
        return origins.fault(f"unknown key {name}", key, _unknown_key_hint(key, variant), at_key=True)
    nodes = _nodes(key)
    leaves = [leaf for node in nodes for leaf in _leaves(node)]
    if error["type"] in ("missing", "union_tag_not_found"):
        hint = f"It is {_description(leaves)}." if _words(leaves) else nodes[0]["description"]
        return origins.fault(f"{name} is required", key[:-1], hint, at_key=True)
    value = error["input"]
    if error["type"] == "union_tag_invalid":
        value = value["name"]
    found = _found(value, origins.places.get(key))
    refused = error.get("ctx", {}).get("error")
    if isinstance(refused, RefusedError):
        return origins.fault(f"{name} {refused.expected}, found {found}", key, refused.hint)
    hint = _value_hint(value, key, nodes, leaves)
    return origins.fault(f"{name} must be {_description(leaves)}, found {found}", key, hint)


def _value_hint(value: Any, key: KeyPath, nodes: Sequence[_Node], leaves: Sequence[_Node]) -> str:
    words = _words(leaves)
    if isinstance(value, str) and (near := meant_word(value, words)):
        return f"Did you mean {near}?"
    kinds = {leaf["type"] for leaf in leaves if not _words([leaf])}
    if kinds and "string" not in kinds and (meant := meant_scalar(value, leaves)):
        return f"Write {meant}."
    if value is None and isinstance(key[-1], int):
        return "Remove it, or put it in quotes if it is text."
    if "array" in kinds and isinstance(value, str if "number" in kinds else str | int | float):
        return f"Write it as a list, [{meant_items(value)}]."
    keys = _properties(nodes)
    if keys and isinstance(value, str) and re.search("[:=]", value):
        return (
            "Write each of its keys on a line of its own, indented, with a colon and a plain blank after it."
        )
    if keys and not isinstance(value, dict):
        rest = "; leave it out for the defaults" if "default" in nodes[0] else ""
        return f"Its keys are {', '.join(keys)}{rest}."
    if "default" in nodes[0]:
        return f"Leave it out for the default, {shown(nodes[0]['default'])}."
    # An item of a list has no description of its own.
    return str(nodes[0].get("description") or _nodes(key[:2])[0]["description"])


def _unknown_key_hint(key: KeyPath, variant: str | int | None) -> str:
    word, own = str(key[-1]), list(_properties(_nodes(key[:-1]), variant))
    everywhere = _section_keys()
    if meant := _OTHER_NAMES.get(word.lower()):
        return f"Did you mean {meant}?"
    if re.match(r"\w+:", word):
        return "Put a blank after the colon."
    if word in everywhere:
        section, _, name = word.partition(".")
        return f"Write {name} below {section}, indented."
    if elsewhere := [name for name in everywhere if name.endswith(f".{word}")]:
        return f"Did you mean {' or '.join(elsewhere)}?"
    if near := _near(word, own):
        return f"Did you mean {_dotted((*key[:-1], near))}?"
    if near := _near(word, [name.partition(".")[2] for name in everywhere], 0.8):
        return f"Did you mean {next(name for name in everywhere if name.endswith(f'.{near}'))}?"
    return f"The keys here are {', '.join(own)}."


@cache
def _section_keys() -> list[str]:
    return [f"{section}.{name}" for section in _SECTIONS for name in _properties(_nodes((section,)))]


def _near(word: str, words: Sequence[str], cutoff: float = 0.6) -> str | None:
    matches = get_close_matches(word.lower(), words, 1, cutoff)
    return matches[0] if matches else None


def _found(value: Any, place: Place | None) -> str:
    if value is None or isinstance(value, str | list | dict) or place is None or place.written is None:
        return shown(value)
    return shortened(place.written)


def _dotted(key: KeyPath) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else "." + (shortened(part) or '""') for part in key)
    return "".join(parts).removeprefix(".")


@cache
def _schema() -> _Node:
    return Config.model_json_schema()


def _leaves(node: _Node) -> list[_Node]:
    """The alternatives of a part of the JSON Schema, references followed."""
    if "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    members = node.get("anyOf") or node.get("oneOf")
    return [leaf for member in members for leaf in _leaves(member)] if members else [node]


def _nodes(key: KeyPath) -> list[_Node]:
    """What the JSON Schema says about the values a key may have."""
    nodes = [_schema()]
    for part in key:
        leaves = [leaf for node in nodes for leaf in _leaves(node)]
        if isinstance(part, int):
            nodes = [leaf["items"] for leaf in leaves if "items" in leaf]
        else:
            children = [
                leaf.get("properties", {}).get(part, leaf.get("additionalProperties")) for leaf in leaves
            ]
            nodes = [child for child in children if child]
    return nodes


def _properties(nodes: Sequence[_Node], variant: str | int | None = None) -> _Node:
    """The keys of the mappings a value may be, of the one named `variant` if there is one."""
    properties = [leaf.get("properties", {}) for node in nodes for leaf in _leaves(node)]
    return {
        key: node
        for mapping in properties
        if variant is None or mapping.get("name", {}).get("const") == variant
        for key, node in mapping.items()
    }


def _words(leaves: Sequence[_Node]) -> list[str]:
    return [word for leaf in leaves for word in leaf.get("enum", [leaf["const"]] if "const" in leaf else [])]


def _description(leaves: Sequence[_Node]) -> str:
    """Parts of the JSON Schema in words, to follow "must be"."""
    words = [word if word[0].isalpha() else shown(word) for word in _words(leaves)]
    choice = [f"one of {', '.join(words)}" if len(words) > 1 else word for word in words[:1]]
    others = [_kind(leaf) for leaf in leaves if not _words([leaf])]
    return " or ".join(dict.fromkeys(choice + others))


def _kind(leaf: _Node) -> str:
    match leaf:
        case {"type": "array"}:
            least, most = leaf.get("minItems"), leaf.get("maxItems")
            size = f" of at least {least}" if least else f" of at most {most}" if most else ""
            return f"a list{size}, each item {_description(_leaves(leaf['items']))}"
        case {"type": "integer"}:
            return f"a whole number{_range(leaf)}"
        case {"type": "number"}:
            return f"a number{_range(leaf)}"
        case {"type": "object", "additionalProperties": values} if values:
            return f"a mapping from columns to {_description(_leaves(values))}"
        case {"format": "path"}:
            return "a path"
    return {"boolean": "true or false", "null": "null", "object": "a mapping", "string": "text"}[leaf["type"]]


def _range(leaf: _Node) -> str:
    words = {
        "minimum": "from" if "maximum" in leaf else "of at least",
        "exclusiveMinimum": "above",
        "maximum": "to" if "minimum" in leaf else "up to",
        "exclusiveMaximum": "and below",
    }
    return "".join(f" {word} {leaf[bound]}" for bound, word in words.items() if bound in leaf)
