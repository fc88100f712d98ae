"""The keys of the config, looked up in the JSON Schema of `dlreg.config.schema`.

A node is what the JSON Schema says about a value; its leaves are the alternatives behind it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dlreg.config.places import KeyPath
from dlreg.config.schema import Config
from dlreg.wording import shorten

Node = Mapping[str, Any]

# Keys that stand by themselves, and those that hold others.
_SINGLE = ("preset", "gates")
SECTIONS = tuple(name for name in Config.model_fields if name not in _SINGLE)
PATHS = (
    ("data", "path"),
    ("data", "test_path"),
    ("data", "validation_path"),
    ("data", "cache"),
    ("run", "dir"),
)
# What a CSV, a file system or a clock names may look like a number, `target: 2020`: it counts as written.
NAMES_AS_WRITTEN = (
    *PATHS,
    *(
        ("data", key)
        for key in (
            "target",
            "split_by",
            "features",
            "exclude",
            "names",
            "sheet",
            "missing_values",
            "time_zone",
        )
    ),
)


def override_keys() -> dict[str, str]:
    """Every key that `--set` takes, dotted, with what it means."""
    keys: dict[str, str] = {name: _meaning(nodes_at((name,))[0]) for name in _SINGLE}
    for name in section_keys():
        nodes = nodes_at(tuple(name.split(".")))
        keys[name] = _meaning(nodes[0])
        for inner, node in properties_of(nodes).items():
            keys[f"{name}.{inner}"] = _meaning(node)
    return keys


def named_values(key: str) -> list[str]:
    """The values of a dotted key that have names; none where it takes numbers or any text."""
    leaves = leaves_of(nodes_at(tuple(key.split("."))))
    kinds = {leaf.get("type") for leaf in leaves}
    booleans = ["true", "false"] if "boolean" in kinds else []
    return words_of(leaves) + booleans + (["null"] if "null" in kinds else [])


@cache
def section_keys() -> list[str]:
    """The keys of all sections, dotted."""
    return [f"{section}.{name}" for section in SECTIONS for name in properties_of(nodes_at((section,)))]


def nodes_at(key: KeyPath) -> list[Node]:
    """What the JSON Schema says about the values a key may have, one node for each way to get there."""
    nodes: list[Node] = [_schema()]
    for part in key:
        leaves = leaves_of(nodes)
        if isinstance(part, int):
            nodes = [leaf["items"] for leaf in leaves if "items" in leaf]
        else:
            children = [
                leaf.get("properties", {}).get(part, leaf.get("additionalProperties")) for leaf in leaves
            ]
            nodes = [child for child in children if child]
    return nodes


def leaves_of(nodes: Sequence[Node]) -> list[Node]:
    """The alternatives behind each of some nodes."""
    return [leaf for node in nodes for leaf in _leaves(node)]


def properties_of(nodes: Sequence[Node], variant: str | int | None = None) -> dict[str, Node]:
    """The keys of the mappings a value may be; of mappings with names that of `variant` if one is given."""
    mappings = [leaf.get("properties", {}) for leaf in leaves_of(nodes)]
    return {
        key: node
        for mapping in mappings
        if variant is None or "name" not in mapping or mapping["name"].get("const") == variant
        for key, node in mapping.items()
    }


def words_of(leaves: Sequence[Node]) -> list[str]:
    """The words among which a value is chosen; none where any number or text will do."""
    return [word for leaf in leaves for word in leaf.get("enum", [leaf["const"]] if "const" in leaf else [])]


def dotted(key: KeyPath) -> str:
    """A key as messages name it, such as `data.features[2]`."""
    parts = (f"[{part}]" if isinstance(part, int) else "." + (shorten(part) or '""') for part in key)
    return "".join(parts).removeprefix(".")


@cache
def _schema() -> Node:
    return Config.model_json_schema()


def _leaves(node: Node) -> list[Node]:
    if "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    alternatives = node.get("anyOf") or node.get("oneOf")
    return leaves_of(alternatives) if alternatives else [node]


def _meaning(node: Node) -> str:
    """What a key means; of a mapping of its own, what that is."""
    return str(node.get("description") or _leaves(node)[0].get("description", ""))
