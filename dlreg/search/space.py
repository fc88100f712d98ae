"""What may be tried of each key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """Numbers from a minimum to a maximum, both included.

    Attributes:
        minimum: The least.
        maximum: The largest.
        is_log: Whether they are drawn evenly by their logarithm.
        is_integer: Whether they are whole numbers.
    """

    minimum: float
    maximum: float
    is_log: bool = False
    is_integer: bool = False


@dataclass(frozen=True)
class Choices:
    """Some values, in no order.

    Attributes:
        values: Plain values, as JSON has them.
    """

    values: tuple[Any, ...]


# By dotted key.
Space = Mapping[str, Range | Choices]
