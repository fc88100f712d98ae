"""What a wrong value of a config seems to mean: the way out that a message offers."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from dlreg.yaml_source import core_scalar, shortened

_Node = Mapping[str, Any]
_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "1", "true"), "true"),
    **dict.fromkeys(("no", "off", "0", "false"), "false"),
}
_NULLS = dict.fromkeys(("none", "off", "no", "false", "null"), "null")


def meant_scalar(value: object, leaves: Sequence[_Node]) -> str | None:
    """How YAML writes what a value seems to mean: a number, true, false or null.

    Args:
        value: What was found.
        leaves: The alternatives of the JSON Schema for it.

    Returns:
        The text to write, None where nothing that is allowed comes near.
    """
    kinds = {leaf["type"] for leaf in leaves}
    word = str(value).lower()
    if "boolean" in kinds and word in _BOOLEANS:
        return _unquoted(_BOOLEANS[word], value)
    if "null" in kinds and word in _NULLS:
        return _unquoted("null", value)
    number = _meant_number(value)
    for leaf in leaves if number is not None else ():
        if text := _number_of(leaf, number):
            return _unquoted(text, value)
    return None


def meant_items(value: str | float) -> str:
    """The items, between commas, of a list that stands as one text or has a single item."""
    items = re.findall(r"[^\s,;()\[\]{}]+", value) if isinstance(value, str) and "," in value else []
    return ", ".join(map(shortened, items)) or shortened(str(value).strip("([{ "))


def _unquoted(text: str, value: object) -> str:
    return f"{text} without quotes" if text == value else text


def _meant_number(value: object) -> Any:
    """The finite number that a value is, or that people see in it: 20%, 1,000, 0,5, １２, 1e−3."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = unicodedata.normalize("NFKC", str(value)).replace("−", "-").strip()
    text, is_percent = text.removesuffix("%").rstrip(), text.endswith("%")
    if re.fullmatch("[-+]?[1-9][0-9]{0,2}([,_' ][0-9]{3})+", text):
        text = re.sub("[,_' ]", "", text)
    number = core_scalar(re.sub("^([-+]?[0-9]+),([0-9]+)$", r"\1.\2", text))
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return number / 100 if is_percent else number


def _number_of(leaf: _Node, number: Any) -> str | None:
    """A number as this part of the schema takes it: 100.0 as whole, 20 as the fraction 0.2."""
    if leaf["type"] not in ("integer", "number"):
        return None
    if leaf["type"] == "number" and leaf.get("exclusiveMaximum") == 1 and 1 < number < 100:
        number /= 100
    if leaf["type"] == "integer":
        if number != int(number):
            return None
        number = int(number)
    low, high = leaf.get("minimum", -math.inf), leaf.get("maximum", math.inf)
    above, below = leaf.get("exclusiveMinimum", -math.inf), leaf.get("exclusiveMaximum", math.inf)
    return f"{number:.15g}" if low <= number <= high and above < number < below else None
