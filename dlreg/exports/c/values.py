"""What a tensor of one row is in C: an expression for each of its elements."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from onnx import TensorProto

# What the elements of a tensor are in C.
C_TYPES: Mapping[int, str] = {
    TensorProto.FLOAT: "float",
    TensorProto.DOUBLE: "double",
    TensorProto.INT64: "int64_t",
    TensorProto.BOOL: "int",
}
# One index for each axis, as an expression.
Indices = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Choice:
    """A number that depends on the spelling of a text: the sum of those whose pattern it fits.

    Attributes:
        text: The variable.
        terms: Patterns with their numbers.
    """

    text: str
    terms: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A tensor of numbers or flags.

    Attributes:
        c_type: Of an element.
        dims: The length of each axis, where there is one row.
        at: The expression of the element at some indices.
        is_simple: Whether its elements cost nothing to ask for again.
        is_stored: Whether they lie in memory, row by row.
        constant: Its elements, if they are known.
        choice: What it depends on, if on the spelling of a text alone.
    """

    c_type: str
    dims: tuple[int, ...]
    at: Callable[[Indices], str]
    is_simple: bool = False
    is_stored: bool = False
    constant: np.ndarray | None = None
    choice: Choice | None = None

    @property
    def n_elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.dims)

    def scalar(self) -> str:
        """The only element."""
        return self.at(("0",) * len(self.dims))


@dataclass(frozen=True, eq=False)
class Texts:
    """A tensor of a few texts.

    Attributes:
        dims: The length of each axis, where there is one row.
        elements: Variables of `struct text`, or constant texts.
        named: Of a text that was looked up: all that it may be, and the number of the one it is.
    """

    dims: tuple[int, ...]
    elements: tuple[str | bytes, ...]
    named: tuple[tuple[bytes, ...], str] | None = None


Value = Numbers | Texts


def linear(dims: Sequence[int], indices: Indices) -> str:
    """The place of an element among all, row by row."""
    terms = []
    stride = math.prod(dims)
    for length, index in zip(dims, indices, strict=True):
        stride //= length
        if index != "0":
            factor = f"({index})" if " " in index else index
            terms.append(index if stride == 1 else f"{factor} * {stride}")
    return " + ".join(terms) or "0"


def broadcast(value: Numbers, indices: Indices) -> str:
    """An element of a value that is broadcast to more axes, or longer ones."""
    own = indices[len(indices) - len(value.dims) :]
    return value.at(
        tuple("0" if length == 1 else index for length, index in zip(value.dims, own, strict=True))
    )


def squeezed(value: Numbers, dims: tuple[int, ...]) -> Numbers | None:
    """The same elements on other axes, where only axes of one element come or go; else None."""
    if [length for length in value.dims if length > 1] != [length for length in dims if length > 1]:
        return None

    def at(indices: Indices) -> str:
        used = iter([index for length, index in zip(dims, indices, strict=True) if length > 1])
        return value.at(tuple("0" if length == 1 else next(used) for length in value.dims))

    constant = None if value.constant is None else value.constant.reshape(dims)
    return replace(value, dims=dims, at=at, constant=constant)
