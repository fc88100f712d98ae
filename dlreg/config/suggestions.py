"""What a wrong key or value of a config seems to mean: the way out that a message offers."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from dlreg.config.keys import (
    Node,
    dotted,
    leaves_of,
    nodes_at,
    properties_of,
    section_keys,
    words_of,
)
from dlreg.config.places import KeyPath
from dlreg.config.yaml_source import core_scalar
from dlreg.wording import nearest_word, quote, shorten

# What other tools call a key of dlreg's, where the letters are not alike.
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
    **dict.fromkeys(("log", "loguniform", "log_uniform_values", "reciprocal"), "log_uniform"),
    **dict.fromkeys(("bayes", "bayesian", "optuna"), "tpe"),
}
# 20 for a fraction means 20%; what 1.5 means is anyone's guess.
_LEAST_PERCENT = 5
_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "1", "true"), "true"),
    **dict.fromkeys(("no", "off", "0", "false"), "false"),
}
_NULLS = dict.fromkeys(("none", "off", "no", "false", "null"), "null")


def hint_for_unknown_key(
    key: KeyPath, variant: str | int | None, possible: Sequence[str] | None = None
) -> str:
    """A way out for a key that the config does not have.

    Args:
        key: The unknown key.
        variant: The name of the mapping it stands in, where several are possible there.
        possible: The keys that come into question; None for all that there are.
    """
    word, known = str(key[-1]), list(possible or properties_of(nodes_at(key[:-1]), variant))
    everywhere = section_keys()
    if meant := _OTHER_NAMES.get(word.lower()):
        return f"Did you mean {meant}?"
    if re.match(r"\w+:", word):
        return "Put a blank after the colon."
    if word in everywhere:
        section, _, name = word.partition(".")
        return f"Write {name} below {section}, indented."
    if elsewhere := [name for name in everywhere if name.endswith(f".{word}")]:
        return f"Did you mean {' or '.join(elsewhere)}?"
    if near := nearest_word(word, known):
        return f"Did you mean {dotted((*key[:-1], near))}?"
    if near := nearest_word(word, [name.partition(".")[2] for name in everywhere], cutoff=0.8):
        return f"Did you mean {next(name for name in everywhere if name.endswith(f'.{near}'))}?"
    return f"The keys here are {', '.join(known)}."


def hint_for_value(value: Any, key: KeyPath, *, is_default_told: bool = True) -> str:
    """A way out for a value that its key does not take.

    Args:
        value: What was found.
        key: The key it is for.
        is_default_told: Whether leaving it out is a way out.
    """
    nodes = nodes_at(key)
    leaves = leaves_of(nodes)
    words = words_of(leaves)
    if isinstance(value, str) and (near := meant_word(value, words)):
        return f"Did you mean {near}?"
    kinds = {leaf["type"] for leaf in leaves if not words_of([leaf])}
    if kinds and "string" not in kinds and (meant := meant_scalar(value, leaves)):
        return f"Write {meant}."
    if value is None and isinstance(key[-1], int):
        return "Remove it, or put it in quotes if it is text."
    if "array" in kinds and isinstance(value, str if "number" in kinds else str | int | float):
        return f"Write it as a list, [{_meant_items(value)}]."
    keys = properties_of(nodes)
    if keys and isinstance(value, str) and re.search("[:=]", value):
        return (
            "Write each of its keys on a line of its own, indented, with a colon and a plain blank after it."
        )
    if keys and not isinstance(value, dict):
        rest = "; leave it out for the defaults" if "default" in nodes[0] and is_default_told else ""
        return f"Its keys are {', '.join(keys)}{rest}."
    if "default" in nodes[0] and is_default_told:
        return f"Leave it out for the default, {quote(nodes[0]['default'])}."
    # An item of a list has no description of its own.
    above = (nodes_at(key[:length])[0] for length in range(len(key), 0, -1))
    return str(next(node["description"] for node in above if "description" in node))


def meant_scalar(value: object, leaves: Sequence[Node]) -> str | None:
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
    word = value.strip()
    if (other := _OTHER_WORDS.get(word.lower())) in words:
        return other
    return nearest_word(word, words)


def _meant_items(value: str | float) -> str:
    """The items, between commas, of a list that stands as one text or has a single item."""
    items = re.findall(r"[^\s,;()\[\]{}]+", value) if isinstance(value, str) and "," in value else []
    return ", ".join(map(shorten, items)) or shorten(str(value).strip("([{ "))


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


def _number_of(leaf: Node, number: Any) -> str | None:
    """A number as this part of the schema takes it: 100.0 as whole, 20 as the fraction 0.2."""
    if leaf["type"] not in ("integer", "number"):
        return None
    if leaf["type"] == "number" and leaf.get("exclusiveMaximum") == 1 and _LEAST_PERCENT <= number < 100:
        number /= 100
    if leaf["type"] == "integer":
        if number != int(number):
            return None
        number = int(number)
    low, high = leaf.get("minimum", -math.inf), leaf.get("maximum", math.inf)
    above, below = leaf.get("exclusiveMinimum", -math.inf), leaf.get("exclusiveMaximum", math.inf)
    return f"{number:.15g}" if low <= number <= high and above < number < below else None
