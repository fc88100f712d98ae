"""What is wrong with a search: keys that cannot be searched, values that they would not take, its metric."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlreg.config.contradictions import Contradiction, contradictions, lacking_parts
from dlreg.config.keys import SECTIONS, Node, leaves_of, nodes_at, properties_of, words_of
from dlreg.config.overrides import PARAMETERS, replaced
from dlreg.config.places import KeyPath, Origins, Place, Position
from dlreg.config.precedence import over_defaults, over_preset, section_of, validated
from dlreg.config.presets import PRESETS
from dlreg.config.sentences import key_path, schema_faults
from dlreg.config.suggestions import hint_for_unknown_key
from dlreg.config.yaml_source import YamlDocument
from dlreg.errors import ConfigError, Fault
from dlreg.limits import LimitError, read_metric
from dlreg.wording import quote

# Trials are put side by side by the error on the same rows.
_OF_ROWS = ("training.validation_split", "training.cross_validation")
_MAKE_ROWS = (("data", "validation_path"), ("training", "validation_split"), ("training", "cross_validation"))
_SAME_ROWS = "it decides which rows validate, and all trials are measured on the same"
# The value of a range is a whole number where its key takes no other.
_KINDS = ("integer", "number")


def find_search_faults(
    given: Mapping[str, Any], origins: Origins, wrong: set[KeyPath], known: Sequence[Contradiction]
) -> Iterator[tuple[KeyPath, Fault]]:
    """Each fault of the section `search` that the schema cannot express, and the key at fault.

    Args:
        given: What a file and a command line say, before preset and defaults; may be wrong in any way.
        origins: Where it stands.
        wrong: The keys at which the schema has found a fault.
        known: What contradicts each other whatever is tried.
    """
    search = section_of(given, "search")
    if not search:
        return
    parameters = section_of(search, "parameters")
    # Numbers can be judged whatever is wrong with their distribution.
    judged = {key for key in wrong if key[3:] != ("distribution",)}
    sound = {
        name: entry
        for name, entry in parameters.items()
        if not any(key[:3] == (*PARAMETERS, name) for key in judged)
    }
    searchable = {}
    for name, entry in parameters.items():
        if fault := _key_fault(name, parameters, origins):
            yield (*PARAMETERS, name), fault
        elif name in sound:
            searchable[name] = entry
    for name, entry in searchable.items():
        for fault in _entry_faults(name, entry, search, origins):
            yield (*PARAMETERS, name), fault
        for fault in _value_faults(name, entry, given, origins, set(searchable), known):
            yield (*PARAMETERS, name), fault
    yield from _metric_faults(search, given, origins, wrong, searchable)


def is_searchable(key: str) -> bool:
    """Whether a dotted key may be searched."""
    return _unsearchable(key) is None and bool(nodes_at(tuple(key.split("."))))


def takes_whole_numbers(key: str) -> bool | None:
    """Whether the numbers that a dotted key takes are whole; None where it takes none."""
    kinds = {leaf.get("type") for leaf in leaves_of(nodes_at(tuple(key.split("."))))}
    return "number" not in kinds if kinds & set(_KINDS) else None


def _key_fault(name: str, parameters: Mapping[str, Any], origins: Origins) -> Fault | None:
    """Why a key cannot be searched; None where it can."""
    place: KeyPath = (*PARAMETERS, name)
    path = tuple(name.split("."))
    nodes = nodes_at(path) if all(path) else []
    if not nodes:
        # What has no keys is no place to look for one.
        inside = path[:-1] if properties_of(nodes_at(path[:-1])) else ()
        hint = hint_for_unknown_key((*inside, path[-1]), None, _searchable_keys(inside))
        return origins.fault(
            f"search.parameters names an unknown key {quote(name)}", place, hint, at_key=True
        )
    if path[0] in SECTIONS and len(path) == 1:
        keys = ", ".join(f"{name}.{key}" for key in list(properties_of(nodes))[:4])
        hint = f"Name its keys one by one, such as {keys}."
        return origins.fault(
            f"{name} is a section, a search tries values of its keys", place, hint, at_key=True
        )
    if reason := _unsearchable(name):
        why, hint = reason
        return origins.fault(f"{name} cannot be searched: {why}", place, hint, at_key=True)
    if above := next((other for other in parameters if name.startswith(f"{other}.") and "." in other), None):
        hint = f"Search {above} as a whole, or its keys one by one."
        return origins.fault(f"{name} is a part of {above}, which is searched too", place, hint, at_key=True)
    return None


def _searchable_keys(inside: KeyPath) -> list[str]:
    """The keys of a section, or of one of its mappings, that may be searched; of a config by section."""
    if not inside:
        return ["preset", *(f"{name}.KEY" for name in SECTIONS if is_searchable(name))]
    names = list(properties_of(nodes_at(inside)))
    return [name for name in names if is_searchable(".".join(map(str, (*inside, name))))]


def _unsearchable(name: str) -> tuple[str, str] | None:
    section = name.partition(".")[0]
    by_hand = f"Set it for all trials: --set {name}=VALUE."
    if name in _OF_ROWS:
        return _SAME_ROWS, by_hand
    if section == "data":
        return "a search reads its table once, and all trials learn from the same rows", by_hand
    if name == "training.time_limit":
        why = "it has epochs and networks chosen by the clock, which no trial does"
        return why, "Search training.epochs and model.ensemble in its place."
    if section == "run":
        return "it makes no other model", by_hand
    if section == "gates":
        return "it judges what has been trained", "Set it for all trials."
    if section == "search":
        return "a search does not search itself", by_hand
    return None


def _entry_faults(
    name: str, entry: Mapping[str, Any], search: Mapping[str, Any], origins: Origins
) -> Iterator[Fault]:
    """Ranges without numbers, or that hold none; values given twice."""
    place = (*PARAMETERS, name)
    if "values" in entry:
        first: dict[str, int] = {}
        for index, value in enumerate(entry["values"]):
            if first.setdefault(_spelling(value), index) != index:
                message = f"search.parameters.{name} has {quote(value)} twice"
                yield origins.fault(message, (*place, "values", index), "Remove one of them.")
        return
    leaves = leaves_of(nodes_at(tuple(name.split("."))))
    if takes_whole_numbers(name) is None:
        message = f"{name} is no number, there is no range to search"
        yield origins.fault(message, place, f"Name what is tried, such as {_example(leaves)}.", at_key=True)
        return
    if search.get("method") == "grid":
        message = f"search.method grid tries what is named, and {name} has a range"
        hint = (
            f"Name what is tried, such as values: [{entry['min']}, {entry['max']}], or choose tpe or random."
        )
        yield origins.fault(message, place, hint, at_key=True)
    if entry["min"] >= entry["max"]:
        message = f"search.parameters.{name}: min must be below max, found {entry['min']} and {entry['max']}"
        yield origins.fault(message, (*place, "max"), "Swap them, or set the key itself to a single value.")
    if entry.get("distribution") == "log_uniform" and entry["min"] <= 0:
        message = f"search.parameters.{name}: min must be above 0 for log_uniform, found {entry['min']}"
        yield origins.fault(message, (*place, "min"), "Raise min, such as to 1e-6, or choose uniform.")


def _spelling(value: Any) -> str:
    """The same text for equal values: a grid would count 0 and 0.0 as two points, and try one."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _example(leaves: Sequence[Node]) -> str:
    kinds = {leaf.get("type") for leaf in leaves}
    words = words_of(leaves)[:3] or (["true", "false"] if "boolean" in kinds else ["[64, 64]", "[128, 128]"])
    return f"values: [{', '.join(map(str, words))}]"


def _tried(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """What is to be looked at of a key: each value, or the ends of a range; with its place."""
    place = (*PARAMETERS, name)
    if "values" in entry:
        yield from (((*place, "values", index), value) for index, value in enumerate(entry["values"]))
    elif (is_whole := takes_whole_numbers(name)) is not None:
        for end in ("min", "max"):
            value = entry[end]
            yield (*place, end), int(value) if is_whole and value == int(value) else value


def _value_faults(
    name: str,
    entry: Mapping[str, Any],
    given: Mapping[str, Any],
    origins: Origins,
    searched: set[str],
    known: Sequence[Contradiction],
) -> Iterator[Fault]:
    """Values that the key would not take, or that contradict what no trial changes."""
    path = tuple(name.split("."))
    for place, value in _tried(name, entry):
        try:
            values = _with_value(given, path, value)
        except ConfigError as error:
            (fault,) = error.faults
            yield origins.fault(fault.message, place, fault.hint)
            return
        over_the_preset = over_preset(values)
        _, errors = validated(over_the_preset)
        # A schedule whose keys do not go together is at fault itself.
        own = [error for error in errors if key_path(error)[:2] == path[:2]]
        if own:
            yield from schema_faults(own, _moved(origins, place, path), is_default_told=False)
            continue
        sections = {section: section_of(values, section) for section in SECTIONS}
        for found in contradictions(sections, over_defaults(over_the_preset), values.get("gates")):
            if found in known or _is_open(found, searched - {name}):
                continue
            yield origins.fault(f"with {name} {quote(value)}: {found.message}", place, found.hint)


def _with_value(given: Mapping[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    return replaced(given, path, YamlDocument("search", value, {}, ()))


def _is_open(found: Contradiction, searched: set[str]) -> bool:
    """Whether another key that is searched may resolve a contradiction."""
    keys = [".".join(map(str, key)) for key in (found.key, found.other)]
    return "preset" in searched or any(
        key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.")
        for key in keys
        for name in searched
    )


def _moved(origins: Origins, place: KeyPath, path: KeyPath) -> Origins:
    """Origins in which a searched value stands at its own key."""
    places = {
        (*path, *key[len(place) :]): value
        for key, value in origins.places.items()
        if key[: len(place)] == place
    }
    # What is not written itself stands where the value does.
    nowhere = Place(str(origins.source), Position(), Position())
    for depth in range(1, len(path) + 1):
        places.setdefault(path[:depth], origins.places.get(place, nowhere))
    return Origins(origins.source, places)


def _metric_faults(
    search: Mapping[str, Any],
    given: Mapping[str, Any],
    origins: Origins,
    wrong: set[KeyPath],
    searchable: Mapping[str, Any],
) -> Iterator[tuple[KeyPath, Fault]]:
    """A metric of rows that there will not be, in every trial or with some presets."""
    try:
        part, _ = read_metric(search.get("metric", "rmse"))
    except (LimitError, TypeError):
        return
    if any(key[:2] in _MAKE_ROWS for key in wrong):
        return
    key: KeyPath = ("search", "metric")
    lacking = lacking_parts(over_defaults(over_preset(given)))
    parts = [name for name in ("validation", "out_of_fold") if name not in lacking]
    if part is None and not parts:
        message = "there will be no rows to choose the best trial by"
        hint = "Set training.validation_split, or training.cross_validation to 5."
        yield key, origins.fault(message, ("training", "validation_split"), hint)
    elif part in lacking:
        message = f"search.metric is of {part} rows, and there will be none"
        ways = " or ".join([*parts, "train"])
        hint = f"Set {'.'.join(map(str, lacking[part]))}, or choose by {ways}."
        yield key, origins.fault(message, key, hint)
    else:
        part = part or parts[0]
        for index, preset in enumerate(searchable.get("preset", {}).get("values", ())):
            values = over_defaults(over_preset({**given, "preset": preset}))
            if isinstance(preset, str) and preset in PRESETS and part in lacking_parts(values):
                place = (*PARAMETERS, "preset", "values", index)
                message = f"with preset {preset} there are no {part} rows to choose the best trial by"
                hint = "Set training.cross_validation to 5, which then holds for all presets."
                yield place, origins.fault(message, place, hint)
