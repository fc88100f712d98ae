"""The statements of a C function, written down one after the other."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from dlreg.exports.c.literals import number_literal
from dlreg.exports.c.source import Source
from dlreg.exports.c.values import C_TYPES, Indices, Numbers, Texts, linear

# A longer expression gets a name of its own: compilers nest no more than so many brackets.
MOST_CHARACTERS_INLINE = 400


class Body:
    """Collects the statements of a function.

    Args:
        source: Takes the tables and helpers that they need.

    Attributes:
        source: The same.
        lines: The statements.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines: list[str] = []
        self._n_names = 0

    def fresh(self, prefix: str = "v") -> str:
        """A name for a variable."""
        self._n_names += 1
        return f"{prefix}{self._n_names}"

    def add(self, *lines: str, loops: Iterable[tuple[str, int]] = ()) -> None:
        """Adds statements, within loops over indices."""
        heads = [f"for (size_t {index} = 0; {index} < {length}; {index}++)" for index, length in loops]
        for depth, head in enumerate(heads):
            self.lines.append("    " * depth + head + " {")
        self.lines += ["    " * len(heads) + line for line in lines]
        self.lines += ["    " * depth + "}" for depth in reversed(range(len(heads)))]

    def constant(self, values: np.ndarray, element_type: int) -> Numbers:
        """A constant tensor of numbers."""
        c_type = C_TYPES[element_type]
        flat = values.reshape(-1)
        if flat.size == 1:
            literal = number_literal(flat[0], c_type)
            literal = f"({literal})" if literal[0] in "-(" else literal
            return Numbers(c_type, values.shape, lambda _: literal, is_simple=True, constant=values)
        # Written when it is first used: the weights of a network are much text.
        table = cache(lambda: self.source.numbers(values, c_type))

        def at(indices: Indices) -> str:
            return f"{table()}[{linear(values.shape, indices)}]"

        return Numbers(c_type, values.shape, at, is_simple=True, is_stored=True, constant=values)

    def stored(self, value: Numbers) -> Numbers:
        """The same value in a variable, unless it costs nothing to ask for its elements again."""
        if value.is_simple:
            return value
        if value.n_elements == 1:
            name = self.fresh()
            self.add(f"const {value.c_type} {name} = {value.scalar()};")
            return Numbers(value.c_type, value.dims, lambda _: name, is_simple=True)
        return self.copied(value)

    def copied(self, value: Numbers) -> Numbers:
        """The same value in an array of its own."""
        result, name = self.array(value.c_type, value.dims)
        indices, loops = loops_over(value.dims)
        self.add(f"{name}[{linear(value.dims, indices)}] = {value.at(indices)};", loops=loops)
        return result

    def array(self, c_type: str, dims: tuple[int, ...]) -> tuple[Numbers, str]:
        """A variable of some axes, still to be filled, and its name."""
        name = self.fresh()
        n_elements = int(np.prod(dims, dtype=int))
        self.add(f"{c_type} {name}[{n_elements}];")

        def at(indices: Indices) -> str:
            return f"{name}[{linear(dims, indices)}]"

        return Numbers(c_type, dims, at, is_simple=True, is_stored=True), name

    def short(self, value: Numbers) -> Numbers:
        """The same value, in a variable if its expression is long."""
        if value.is_simple or value.choice:
            return value
        return (
            self.stored(value) if len(value.at(("i",) * len(value.dims))) > MOST_CHARACTERS_INLINE else value
        )

    def text(self, texts: Texts, place: int = 0) -> str:
        """A text of a tensor as a variable."""
        element = texts.elements[place]
        if isinstance(element, str):
            return element
        return self.text_variable(f"{{{self.source.text_value(element)[1:-1]}}}")

    def text_variable(self, initialiser: str) -> str:
        """A new variable that holds a text."""
        name = self.fresh("t")
        self.add(f"const struct text {name} = {initialiser};")
        return name


def loops_over(dims: Sequence[int]) -> tuple[Indices, list[tuple[str, int]]]:
    """An index for each axis, and the loops that run through those of more than one element."""
    loops = [(f"i{axis}", length) for axis, length in enumerate(dims) if length > 1]
    return tuple(f"i{axis}" if length > 1 else "0" for axis, length in enumerate(dims)), loops
