"""The config of every key with its default and meaning, as the README shows it: made from the schema."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from dlreg.config.keys import Node, leaves_of, nodes_at, properties_of, words_of
from dlreg.config.places import KeyPath
from dlreg.config.schema import Config
from dlreg.config.sections.values import Remark
from dlreg.config.writing import to_yaml

_WIDTH = 110
_COMMENT_COLUMN = 30
# What stands for the keys without a default.
_EXAMPLES: Mapping[KeyPath, str] = {
    ("data", "path"): "../data/diabetes.csv",
    ("data", "target"): "progression",
}


def full_config() -> str:
    """A config of every key with its default; reading it gives the defaults.

    Beside each key stand the words to choose from, the key's description in the schema, and its `Remark`.
    """
    lines = ["# Every key with its default. Only data.path and data.target are required."]
    for key, node in properties_of(nodes_at(())).items():
        lines += _entry((key,), node, node.get("default", {}))
    return "".join(f"{line}\n" for line in lines)


def _entry(path: KeyPath, node: Node, default: Any) -> Iterator[str]:
    """The lines of a key: its value or the keys below it, what it means, and what else it takes."""
    start = f"{'  ' * (len(path) - 1)}{path[-1]}:"
    keys = properties_of([node])
    if isinstance(default, dict) and keys and "name" not in keys:
        yield from _commented(start, _meaning(path, node))
        for key, inner in keys.items():
            yield from _entry((*path, key), inner, inner.get("default", _EXAMPLES.get((*path, key))))
        return
    value = default["name"] if "name" in keys else default
    yield from _commented(f"{start} {_flow(value)}", _meaning(path, node))
    for leaf in leaves_of([node]):
        if "properties" in leaf:
            yield from _commented("", f"{_mapping(leaf)}: {_sentence(leaf)}", indent="  ")


def _commented(text: str, comment: str, indent: str = "") -> list[str]:
    """A line with a comment beside it, which goes on below where it is long."""
    first = f"{text}  ".ljust(_COMMENT_COLUMN) + f"# {indent}"
    below = f"{' ' * _COMMENT_COLUMN}#   {indent}"
    return textwrap.wrap(
        comment, _WIDTH, initial_indent=first, subsequent_indent=below, break_on_hyphens=False
    )


def _meaning(path: KeyPath, node: Node) -> str:
    texts = [_sentence(node), *_remarks(path)]
    choice = _choice(node)
    return f"{choice} – {'; '.join(texts)}" if choice else "; ".join(texts)


def _choice(node: Node) -> str:
    """The words among which a value is chosen, for each column if it is a mapping of columns."""
    leaves = leaves_of([node])
    words = [_flow(word) for word in words_of(leaves)]
    if len(words) > 1:
        return " | ".join(words)
    if values := [leaf["additionalProperties"] for leaf in leaves if leaf.get("additionalProperties")]:
        mappings = [", ".join(leaf.get("properties", ())) for leaf in leaves_of(values)]
        if all(mappings):
            return f"{{key: {' | '.join(f'{{{keys}}}' for keys in mappings)}}}"
        return f"{{column: {_choice(values[0]) or 'format'}}}"
    return ""


def _sentence(node: Node) -> str:
    """A description of the schema as it goes on in a line."""
    text = str(node.get("description") or leaves_of([node])[0]["description"]).removesuffix(".")
    return text[0].lower() + text[1:]


def _remarks(path: KeyPath) -> list[str]:
    if len(path) != 2:
        return []
    section: Any = Config.model_fields[str(path[0])].annotation
    metadata = section.model_fields[path[1]].metadata
    return [remark.text for remark in metadata if isinstance(remark, Remark)]


def _mapping(leaf: Node) -> str:
    values = {key: node.get("default") for key, node in leaf["properties"].items()}
    return f"{{{', '.join(f'{key}: {_flow(value)}' for key, value in values.items())}}}"


def _flow(value: Any) -> str:
    if isinstance(value, str):
        return value if value[-1].isalnum() else json.dumps(value)
    return to_yaml(value).rstrip("\n")
