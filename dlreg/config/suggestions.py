"""What a wrong value of a config seems to mean: the way out that a message offers."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from dlreg.config.yaml_source import core_scalar, shortened

_Node = Mapping[str, Any]
# What other tools call a choice of dlreg's, where the letters are not alike.
_OTHER_WORDS = {
    **dict.fromkeys(("mean_squared_error", "squared_error", "l2", "rmse"), "mse"),
    **dict.fromkeys(("mean_absolute_error", "absolute_error", "l1"), "mae"),
    **dict.fromkeys(("logcosh", "log-cosh"), "log_cosh"),
    **dict.fromkeys(("zscore", "z-score", "standardize", "standardscaler"), "standard"),
    **dict.fromkeys(("normalize", "min-max", "minmaxscaler"), "minmax"),
    **dict.fromkeys(("int", "integer", "float", "double", "numeric", "continuous"), "number"),
    **dict.fromkeys(("str", "string", "text", "object", "bool", "boolean", "factor"), "category"),
    **dict.fromkeys(("datetime", "timestamp", "time", "day"), "date"),
    **dict.fromkeys(("dummy", "one_hot"), "onehot"),
    **dict.fromkeys(("last", "tail", "sequential"), "ordered"),
}
# 20 for a fraction means 20 %; what 1.5 means is anyone's guess.
LEAST_PERCENT = 5
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


def meant_word(value: str, words: Sequence[str]) -> str | None:
    """The one of some words that a text is a misspelling or another name of, if there is one."""
    word = value.strip().lower()
    if (other := _OTHER_WORDS.get(word)) in words:
        return other
    return next(iter(get_close_matches(word, words, 1)), None)


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
    if leaf["type"] == "number" and leaf.get("exclusiveMaximum") == 1 and LEAST_PERCENT <= number < 100:
        number /= 100
    if leaf["type"] == "integer":
        if number != int(number):
            return None
        number = int(number)
    low, high = leaf.get("minimum", -math.inf), leaf.get("maximum", math.inf)
    above, below = leaf.get("exclusiveMinimum", -math.inf), leaf.get("exclusiveMaximum", math.inf)
    return f"{number:.15g}" if low <= number <= high and above < number < below else None
