"""What is wrong with text that is no YAML, and a way out, in place of PyYAML's own words."""

import re
from typing import NamedTuple

import yaml

from dlreg.config.places import Position
from dlreg.errors import Fault


class _Mistake(NamedTuple):
    """A mistake that PyYAML's parser reports.

    Attributes:
        problem: A regular expression for what PyYAML says.
        message: What is wrong; may refer to the groups of `problem`, as may the hint.
        hint: A way out.
        at_start: Whether it is found where the construct starts instead of where PyYAML stops.
    """

    problem: str
    message: str
    hint: str
    at_start: bool = False


_MISTAKES = (
    _Mistake("escape", "a backslash that starts no escape", "Write it twice, or use single quotes."),
    _Mistake(r"'\\t'", "a tab where only blanks may stand", "Indent with blanks."),
    _Mistake(r"character '(.)'", r"a value cannot start with \1", "Put text that starts so in quotes."),
    _Mistake(
        "find expected ':'",
        "this is not `key: value`",
        "Put a colon and a blank after the key.",
        at_start=True,
    ),
    _Mistake("(values|keys) are not", "a colon out of place", "Quote text with `: `, check the indentation."),
    _Mistake("sequence entries", "a list item out of place", "Put it on a line of its own."),
    _Mistake("<block end>", "this does not continue what is above it", "Check indentation and quotes."),
    _Mistake(
        r"'([\]}])'",
        r"a bracket without its \1",
        r"Close it with \1, or quote text that holds brackets.",
        at_start=True,
    ),
    _Mistake("unexpected end|separator", "a quote without its end", "Close it.", at_start=True),
    _Mistake("<document start>", "something follows the end of the value", "Check brackets and quotes."),
    _Mistake("numeric character", "text cannot start with &, * or !", "Put it in quotes.", at_start=True),
    _Mistake("node content", "a value is missing here", "Write it, or check for a stray comma or bracket."),
)


def syntax_fault(error: yaml.MarkedYAMLError, source: str) -> Fault:
    """The fault behind an error of PyYAML's, at its place; `source` names the file."""
    problem = error.problem or "not valid YAML"
    for mistake in _MISTAKES:
        if match := re.search(mistake.problem, problem):
            mark = (mistake.at_start and error.context_mark) or error.problem_mark
            message, hint = match.expand(mistake.message), match.expand(mistake.hint)
            return Fault(message, source, *position_of(mark), hint)
    mark = error.problem_mark or error.context_mark
    hint = "Text with special characters needs quotes."
    return Fault(f"not valid YAML: {problem}", source, *position_of(mark), hint)


def position_of(mark: yaml.Mark | None) -> Position:
    """The place of one of PyYAML's marks, which count from 0."""
    return Position(mark.line + 1, mark.column + 1) if mark else Position()
