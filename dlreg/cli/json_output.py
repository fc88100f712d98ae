"""What a command prints on stdout for a script: one JSON object, without the libraries that tables take."""

import json
from typing import Any

# Of every JSON object on stdout; it grows when a name in one of them changes its meaning.
JSON_VERSION = 1


def print_json(value: dict[str, Any]) -> None:
    """One JSON object, for a script; what could steer a terminal is escaped."""
    print(_dumped(value, indent=2))


def print_json_line(value: dict[str, Any]) -> None:
    """The same on one line and at once, by a command that goes on."""
    print(_dumped(value), flush=True)


def _dumped(value: dict[str, Any], indent: int | None = None) -> str:
    text = json.dumps(
        {"schema_version": JSON_VERSION, **value}, indent=indent, ensure_ascii=False, allow_nan=False
    )
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
