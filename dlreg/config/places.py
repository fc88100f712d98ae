"""Where the keys and values of a config stand, so that a fault can point at them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dlreg.errors import Fault

KeyPath = tuple[str | int, ...]


class Position(NamedTuple):
    """1-based line and column; both None for what does not stand in a file."""

    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a key and its value stand.

    Attributes:
        source: The file, or what else the text came from.
        key: Position of the key; for a list item that of the value.
        value: Position of the value.
        written: A scalar as it is spelled in the text, None for mappings and lists.
    """

    source: str
    key: Position
    value: Position
    written: str | None = None


@dataclass(frozen=True)
class Origins:
    """Where each value of a config came from; two of them are always equal.

    Attributes:
        source: The config file as the user named it.
        places: Where each given value stands, in the file or after a `--set`.
        values: What is given there, names as written and paths absolute, before preset and defaults.
    """

    source: str | None = field(default=None, compare=False)
    places: Mapping[KeyPath, Place] = field(default_factory=dict, compare=False)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def fault(self, message: str, key: KeyPath, hint: str | None = None, *, at_key: bool = False) -> Fault:
        """A fault at a key's value, or at the key itself; at the file where it is not given."""
        # A key below a value that is given as a whole stands where that value does; a section is no value.
        enclosing = (key[:length] for length in range(len(key) - 1, 1, -1))
        for candidate in (key, *enclosing):
            if place := self.places.get(candidate):
                return Fault(message, place.source, *(place.key if at_key else place.value), hint)
        return Fault(message, self.source, *Position(), hint)
