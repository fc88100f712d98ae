"""Markdown of texts that may be anybody's: no name of a column becomes markup, a link or HTML."""

import re
from collections.abc import Iterable, Sequence

from dlreg.errors import printable

# What stands between backticks as it is, in a cell of a table too.
_PLAIN = re.compile(r"[\w./()%°€$£¥:,+=*#²³-]+( [\w./()%°€$£¥:,+=*#²³-]+)*")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
MOST_CHARACTERS = 200


def plain_text(text: str) -> str:
    """Text without markup: one line, control characters spelled out, all punctuation escaped."""
    return _PUNCTUATION.sub(r"\\\1", _shortened(text))


def sentence_text(text: str) -> str:
    """Sentences of dlreg's own, in which a name may stand: only what could be markup is escaped."""
    text = re.sub(
        r"([\\`*_{}\[\]<>#|~&$!@]|(?<=:)/|(?<=www)\.)", r"\\\1", _shortened(text, 10 * MOST_CHARACTERS)
    )
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", text)


def code(text: str) -> str:
    """A name as it is written: between backticks where that is safe, else escaped and in quotes."""
    shown = _shortened(text)
    return f"`{shown}`" if _PLAIN.fullmatch(shown) else f'"{plain_text(text)}"'


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """A table of cells that are Markdown already.

    Args:
        header: The heads of the columns.
        rows: As many cells in each.
        numbers: Whether all columns but the first are numbers, which are aligned to the right.
    """
    rules = ["---", *(["--:" if numbers else "---"] * (len(header) - 1))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rules, *rows))


def fenced(language: str, text: str) -> str:
    """A block of code, of which no line begins with what ends it."""
    return f"```{language}\n{text}```"


def _shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
