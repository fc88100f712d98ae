"""Words and numbers in messages, and the word that a mistyped one most likely meant."""

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any


def shorten(text: str) -> str:
    """Text from a file, cut to at most 60 characters for a message."""
    return text if len(text) <= 60 else f"{text[:59]}…"


def quote(value: object) -> str:
    """A value as a message shows it: in YAML's flow style, shortened."""
    return shorten(json.dumps(value, ensure_ascii=False))


def format_number(value: float | int | None) -> str:
    """A number to read: four digits of it, or all before the point; – where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3e}"


def blend_sentence(blend: Mapping[Any, float]) -> str:
    """What a prediction is a blend of, by `blend` of `run.json`."""
    words = {"ridge": "ridge regression"}
    parts = [f"{share:.0%} {words.get(name, name)}" for name, share in blend.items()]
    return f"A prediction is a blend: {', '.join(parts)}."


def without_unit(count: int, column: str) -> str:
    """That so many cells of a column have no unit, where others have one."""
    return f"{counted(count, 'cell')} {'has' if count == 1 else 'have'} no unit in column {column!r}"


def counted(count: int, noun: str) -> str:
    """A number of things, such as 1 cell or 1,234 cells."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_share(share: float) -> str:
    """A share in percent, to a tenth."""
    return f"{share:.1%}"


def nearest_word(
    word: str, words: Iterable[str], fold: Callable[[str], str] = str.lower, cutoff: float = 0.6
) -> str | None:
    """The one of some words that a mistyped word most likely meant.

    Args:
        word: What was written.
        words: What might have been meant.
        fold: Takes from a word what people overlook, such as case.
        cutoff: The similarity below which nothing was meant, from 0 (nothing in common) to 1 (equal).

    Returns:
        One of `words`, None where none is near.
    """
    folded = {fold(candidate): candidate for candidate in words}
    matches = get_close_matches(fold(word), folded, 1, cutoff)
    return folded[matches[0]] if matches else None
