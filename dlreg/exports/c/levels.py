"""The spellings of levels as tables: as they are, as whole numbers, and in any case.

`dlreg.table.spelling` writes the patterns; a thousand of them tried one after the other would take longer
than the network, so a cell is brought into the form that a level has and looked up.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from dlreg.exports.c.source import Source
from dlreg.pipeline.refusal import refused
from dlreg.table.spelling import BLANK_CHARACTERS, BLANKS

_NUMBER = re.compile(r"(?:\\\+\?|\[\+-\]\?|(\\-))?([0-9]+)\(\?:\\\.0\*\|,00\?\)\?")
_PIECE = re.compile(r"\[(\w)(\w)\]|\\(.)|(.)", re.DOTALL)


@dataclass(frozen=True)
class Spellings:
    """What texts are worth.

    Attributes:
        exact: Those that are spelt so.
        whole: Whole numbers, as they are spelt in short.
        folded: Those whose letters may be capitals, in small ones.
        letters: The small letter of each capital among them.
    """

    exact: Mapping[bytes, float]
    whole: Mapping[bytes, float]
    folded: Mapping[bytes, float]
    letters: Mapping[str, str]


def read_patterns(terms: Iterable[tuple[str, float]]) -> Spellings:
    """The texts that fit patterns, as `dlreg.pipeline.patterns.is_level_pattern` lets them pass.

    Args:
        terms: Each pattern, and what it adds to the worth of a text that fits it.

    Raises:
        RunDirError: They are not such as dlreg writes.
    """
    tables: tuple[dict[str, float], dict[str, float], dict[str, float]] = ({}, {}, {})
    letters: dict[str, str] = {}
    for pattern, worth in terms:
        inside = pattern.removeprefix(f"{BLANKS}(?:").removesuffix(f"){BLANKS}")
        # What fits one pattern in two ways counts once.
        for text, table, capitals in set(map(_read, _alternatives(inside))):
            tables[table][text] = tables[table].get(text, 0.0) + worth
            letters |= dict(capitals)
    exact, whole, folded = tables
    _refuse_ambiguous(exact, folded, letters)
    return Spellings(_encoded(exact), _encoded(whole), _encoded(folded), letters)


def _encoded(table: Mapping[str, float]) -> dict[bytes, float]:
    return {text.encode(): worth for text, worth in table.items()}


def _refuse_ambiguous(exact: Iterable[str], folded: Iterable[str], letters: Mapping[str, str]) -> None:
    around = set(BLANK_CHARACTERS)
    if any(text[0] in around or text[-1] in around for text in (*exact, *folded) if text):
        raise refused("a level with a blank around it")
    if any(letters.keys() & set(text) for text in folded) or letters.keys() & set(letters.values()):
        raise refused("a level whose letters are capitals and small ones alike")


def _alternatives(inside: str) -> list[str]:
    """The alternatives of a pattern: an escaped bar parts none, nor does one within a number's brackets."""
    parts, start, place, depth = [], 0, 0, 0
    while place < len(inside):
        if inside[place] == "\\":
            place += 1
        elif inside[place] in "()":
            depth += 1 if inside[place] == "(" else -1
        elif inside[place] == "|" and depth == 0:
            parts.append(inside[start:place])
            start = place + 1
        place += 1
    return [*parts, inside[start:]]


def _read(alternative: str) -> tuple[str, int, tuple[tuple[str, str], ...]]:
    """The text of an alternative, which table it belongs to, and its capitals with their small letters."""
    if number := _NUMBER.fullmatch(alternative):
        return ("-" if number[1] else "") + number[2], 1, ()
    text, capitals = "", {}
    for capital, small, escaped, plain in _PIECE.findall(alternative):
        text += small or escaped or plain
        if capital:
            capitals[capital] = small
    return text, 2 if capitals else 0, tuple(capitals.items())


def spelling_function(source: Source, spellings: Spellings) -> list[str]:
    """The statements of a C function that tells what `cell`, a text, is worth."""
    lines = ["double worth = 0;", "const struct text core = without_blanks(cell);"]
    lines += _added(source, spellings.exact, "core")
    if spellings.whole:
        lines += _added(source, spellings.whole, "whole_number(core)")
    if spellings.folded:
        pairs = sorted((capital.encode(), small.encode()) for capital, small in spellings.letters.items())
        capitals, small = (source.texts(column) for column in zip(*pairs, strict=True))
        # One more than the longest: what fills it is none of them.
        capacity = max(map(len, spellings.folded)) + 1
        lines += [f"char buffer[{capacity}];"]
        call = f"folded(core, buffer, {capacity}, {capitals}, {small}, {len(pairs)})"
        lines += _added(source, spellings.folded, call)
    return [*lines, "return worth;"]


def _added(source: Source, table: Mapping[bytes, float], text: str) -> list[str]:
    if not table:
        return []
    keys = sorted(table)
    worths = source.numbers(np.array([*(table[key] for key in keys), 0.0]), "double")
    return [f"worth += {worths}[find({text}, {source.texts(keys)}, {len(keys)})];"]
