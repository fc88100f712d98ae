"""The messages for what the schema refuses, put together from its JSON Schema.

A message cannot drift from what is checked: the schema is the one place of types, ranges and choices.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import Discriminator
from pydantic_core import ErrorDetails

from dlreg.config.checks import RefusedError
from dlreg.config.keys import SECTIONS, Node, dotted, leaves_of, nodes_at, words_of
from dlreg.config.places import KeyPath, Origins, Place
from dlreg.config.schema import Config
from dlreg.config.suggestions import hint_for_unknown_key, hint_for_value
from dlreg.errors import MOST_OF_A_KIND, Fault
from dlreg.wording import quote, shorten


def _unions() -> Iterator[tuple[KeyPath, int]]:
    for section in SECTIONS:
        model: Any = Config.model_fields[section].annotation
        for key, field in model.model_fields.items():
            inner = get_args(field.annotation)
            of_columns = [getattr(item, "__metadata__", ()) for item in inner]
            of_keys = [
                below.metadata for item in inner for below in getattr(item, "model_fields", {}).values()
            ]
            if field.discriminator or _are_unions([field.metadata]):
                yield (section, key), 2
            elif _are_unions([*of_columns, *of_keys]):
                yield (section, key), 3


def _are_unions(fields: Sequence[Sequence[Any]]) -> bool:
    """Whether any of these has alternatives that pydantic tells apart, by what is said of each."""
    return any(isinstance(item, Discriminator) for metadata in fields for item in metadata)


# Where pydantic puts the chosen alternative into its error locations: below these keys, or below the column
# or the key of a mapping.
_UNIONS = dict(_unions())


def schema_faults(
    errors: Sequence[ErrorDetails], origins: Origins, *, is_default_told: bool = True
) -> Iterator[Fault]:
    """The faults behind what pydantic found wrong, each at its place.

    Args:
        errors: What it found.
        origins: Where the values stand.
        is_default_told: Whether leaving a value out is a way out.
    """
    keys = [key_path(error) for error in errors]
    n_unknown = 0
    for key, error in zip(keys, errors, strict=True):
        if error["type"] == "extra_forbidden":
            n_unknown += 1
            yield _unknown_key(error, key, origins, with_hint=n_unknown <= MOST_OF_A_KIND)
        # pydantic counts a list without its wrong items, and then calls it too short.
        elif error["type"] != "too_short" or not any(other[: len(key)] == key != other for other in keys):
            yield _wrong_value(error, key, origins, is_default_told=is_default_told)


def key_path(error: ErrorDetails) -> KeyPath:
    """The key of the value that pydantic found wrong."""
    key = error["loc"]
    if depth := _UNIONS.get(key[:2]):
        key = key[:depth] + key[depth + 1 :]
    return (*key, "name") if error["type"].startswith("union_tag") else key


def _unknown_key(error: ErrorDetails, key: KeyPath, origins: Origins, *, with_hint: bool) -> Fault:
    variant = error["loc"][2] if _UNIONS.get(error["loc"][:2]) == 2 else None
    # To look for what was meant takes a while, and further faults of this kind are only counted.
    hint = hint_for_unknown_key(key, variant) if with_hint else None
    return origins.fault(f"unknown key {dotted(key)}", key, hint, at_key=True)


def _wrong_value(error: ErrorDetails, key: KeyPath, origins: Origins, *, is_default_told: bool) -> Fault:
    name = dotted(key)
    nodes = nodes_at(key)
    leaves = leaves_of(nodes)
    if error["type"] in ("missing", "union_tag_not_found"):
        hint = f"It is {_description(leaves)}." if words_of(leaves) else nodes[0]["description"]
        return origins.fault(f"{name} is required", key[:-1], hint, at_key=True)
    value = error["input"]
    if error["type"] == "union_tag_invalid":
        value = value["name"]
    spelling = _as_spelled(value, origins.places.get(key))
    refused = error.get("ctx", {}).get("error")
    if isinstance(refused, RefusedError):
        return origins.fault(f"{name} {refused.expected}, found {spelling}", key, refused.hint)
    message = f"{name} must be {_description(leaves)}, found {spelling}"
    return origins.fault(message, key, hint_for_value(value, key, is_default_told=is_default_told))


def _as_spelled(value: Any, place: Place | None) -> str:
    """A value as a message names it: a number as it is spelled in the file."""
    if value is None or isinstance(value, str | list | dict) or place is None or place.written is None:
        return quote(value)
    return shorten(place.written)


def _description(leaves: Sequence[Node]) -> str:
    """Alternatives of the JSON Schema in words, to follow "must be"."""
    words = [word if word[0].isalpha() else quote(word) for word in words_of(leaves)]
    choice = [f"one of {', '.join(words)}" if len(words) > 1 else word for word in words[:1]]
    others = [_kind(leaf) for leaf in leaves if not words_of([leaf])]
    return " or ".join(dict.fromkeys(choice + others))


def _kind(leaf: Node) -> str:
    match leaf:
        case {"type": "array"}:
            least, most = leaf.get("minItems"), leaf.get("maxItems")
            size = f" of at least {least}" if least else f" of at most {most}" if most else ""
            # Of what may be anything nothing is said.
            item = f", each item {_description(leaves_of([leaf['items']]))}" if leaf["items"] else ""
            return f"a list{size}{item}"
        case {"type": "integer"}:
            return f"a whole number{_range(leaf)}"
        case {"type": "number"}:
            return f"a number{_range(leaf)}"
        case {"type": "object", "title": "Parameters"}:
            return "a mapping from keys to what is tried of each"
        case {"type": "object", "additionalProperties": values} if values:
            return f"a mapping from columns to {_description(leaves_of([values]))}"
        case {"format": "path"}:
            return "a path"
    return {"boolean": "true or false", "null": "null", "object": "a mapping", "string": "text"}[leaf["type"]]


def _range(leaf: Node) -> str:
    words = {
        "minimum": "from" if "maximum" in leaf else "of at least",
        "exclusiveMinimum": "above",
        "maximum": "to" if "minimum" in leaf else "up to",
        "exclusiveMaximum": "and below",
    }
    return "".join(f" {word} {leaf[bound]}" for bound, word in words.items() if bound in leaf)
