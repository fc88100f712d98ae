"""The JSON Schema of the config, for editors that check YAML as it is typed."""

import copy
from collections.abc import Iterator
from typing import Any

from dlreg.config.checks import WHITESPACE
from dlreg.config.keys import NAMES_AS_WRITTEN
from dlreg.config.schema import Config
from dlreg.limits import CHOOSING_PARTS, METRIC_NAMES

METRIC = rf"^(({'|'.join(CHOOSING_PARTS)})\.)?({'|'.join(METRIC_NAMES[1:])})$"
TIME = r"^([0-9.]+|([0-9.]+d)?([0-9.]+h)?([0-9.]+m)?([0-9.]+s)?)$"
DATABASE = r"^(?!sqlite(\+\w+)?:///(?!/))[a-z][a-z0-9+]*://[^\s]+$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """The JSON Schema of what `load_config` takes; it cannot express values that exclude each other."""
    schema = copy.deepcopy(Config.model_json_schema())
    for definition in (schema, *schema["$defs"].values()):
        for node in definition["properties"].values():
            # An editor shows the description beside a reference, not the one it refers to.
            if "$ref" in node:
                node.setdefault("description", _definition(schema, node).get("description"))
    for section, key in NAMES_AS_WRITTEN:
        for node in _texts(_properties(schema, section)[key]):
            # A column may be called 2020: what is written counts, not its type.
            node["type"] = ["string", "number", "boolean"]
            if node.get("format") == "path":
                node["minLength"] = 1
    _properties(schema, "data")["delimiter"] |= {"pattern": f"^(.|{WHITESPACE})$"}
    for node in _texts(_properties(schema, "data")["comment"]):
        node["pattern"] = r'^[^\s"]{1,20}$'
    search, training = (_properties(schema, section) for section in ("search", "training"))
    for node, pattern in (
        (search["metric"], METRIC),
        (search["time_limit"], TIME),
        (search["storage"], DATABASE),
        (training["time_limit"], TIME),
    ):
        for text in _texts(node):
            text["pattern"] = pattern
    for name, definition in schema["$defs"].items():
        if name.endswith("Schedule"):
            definition["required"] = ["name"]
    title = {"title": "dlreg config", "description": "What one run of dlreg train needs to know."}
    return {"$schema": DIALECT, **schema, **title}


def _definition(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    return dict(schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {}))


def _properties(schema: dict[str, Any], section: str) -> dict[str, Any]:
    properties: dict[str, Any] = _definition(schema, schema["properties"][section])["properties"]
    return properties


def _texts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parts of a key's schema that take any text."""
    if node.get("type") == "string" and "const" not in node and "enum" not in node:
        yield node
    for inner in (
        *node.get("anyOf", ()),
        *node.get("oneOf", ()),
        *([node["items"]] if "items" in node else ()),
    ):
        yield from _texts(inner)
