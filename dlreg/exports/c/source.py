"""Collects what stands before the functions of a C file: helpers, tables of constants and small functions."""

import re
from collections.abc import Sequence

import numpy as np

from dlreg.exports.c.helpers import HELPERS, NEEDS
from dlreg.exports.c.literals import MOST_BYTES_OF_LITERAL, number_literal, text_literal

_PER_LINE = 8
# Where the name of a table stands, until it has one.
MARK = "\0"


class Source:
    """The tables and functions of a file, each once."""

    def __init__(self) -> None:
        self._tables: dict[str, str] = {}
        self._functions: dict[str, str] = {}

    def numbers(self, values: np.ndarray, c_type: str) -> str:
        """A table of numbers; returns its name."""
        texts = [number_literal(value, c_type) for value in values.reshape(-1).tolist()]
        if c_type == "float":
            texts = [number_literal(value, c_type) for value in values.reshape(-1)]
        return self._table(c_type, texts)

    def bytes_table(self, values: Sequence[int], c_type: str = "unsigned char") -> str:
        """A table of small whole numbers; returns its name."""
        return self._table(c_type, [str(value) for value in values], per_line=24)

    def text_value(self, text: bytes) -> str:
        """A constant text as an initialiser of `struct text`."""
        if len(text) > MOST_BYTES_OF_LITERAL:
            name = self.bytes_table([byte - 256 if byte > 127 else byte for byte in text], "signed char")
            return f"{{(const char *){name}, {len(text)}}}"
        return f"{{{text_literal(text)}, {len(text)}}}"

    def texts(self, values: Sequence[bytes]) -> str:
        """A table of texts; returns its name."""
        return self._table("struct text", [self.text_value(value) for value in values], per_line=1)

    def function(self, result: str, parameters: str, statements: Sequence[str]) -> str:
        """A function that calls helpers and reads tables; returns its name."""
        lines = "\n    ".join(statements)
        content = f"static {result} {MARK}({parameters}) {{\n    {lines}\n}}\n"
        return self._functions.setdefault(content, f"function_{len(self._functions)}")

    def needed_by(self, code: str) -> str:
        """Whatever some functions call and read, in the order that a compiler needs."""
        words = _words(code)
        functions = [
            content.replace(MARK, name) for content, name in self._functions.items() if name in words
        ]
        words |= _words("".join(functions))
        tables = [content.replace(MARK, name) for content, name in self._tables.items() if name in words]
        words |= {"text"} if any("struct text" in content for content in tables) else set()
        for name in reversed(list(HELPERS)):
            words |= set(NEEDS.get(name, ())) if name in words else set()
        helpers = [content for name, content in HELPERS.items() if name in words]
        return "\n".join([*helpers, *tables, *functions])

    def _table(self, c_type: str, values: Sequence[str], per_line: int = _PER_LINE) -> str:
        lines = (", ".join(values[start : start + per_line]) for start in range(0, len(values), per_line))
        rows = ",\n    ".join(lines)
        content = f"static const {c_type} {MARK}[{len(values)}] = {{\n    {rows}}};\n"
        return self._tables.setdefault(content, f"table_{len(self._tables)}")


def _words(code: str) -> set[str]:
    """The names in code, but for columns, which may be called like a function."""
    return set(re.findall(r"\w+", re.sub(r"->\w+", "", code)))
