"""JSON as dlreg writes it, and as it reads it back from files that a stranger may have written."""

import json
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from dlreg.config.checks import RefusedError
from dlreg.errors import Fault, RunDirError

# A value takes up to a hundred bytes once it is read, and some twenty in a file of dlreg's.
MAX_VALUES = 1_000_000
BYTES_PER_VALUE = 20

# Values without a comma in their text.
_SCALARS = {int, float, bool, type(None)}

_Shape = TypeVar("_Shape", bound=BaseModel)


def to_json(value: Any) -> bytes:
    """JSON as dlreg writes it: readable, names as they are, no NaN."""
    return (_indented(value, "\n") + "\n").encode()


def _indented(value: Any, margin: str) -> str:
    """As `json.dumps` with `indent=2`, which takes twenty times as long and as much memory for many numbers.

    Args:
        value: Plain values; the names of mappings are texts.
        margin: The line feed and the blanks before a closing bracket.
    """
    inner = f"{margin}  "
    if isinstance(value, dict) and value:
        items = [f"{_dumped(name)}: {_indented(item, inner)}" for name, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(items)}{margin}}}"
    if isinstance(value, (list, tuple)) and value:
        if {type(item) for item in value} <= _SCALARS:
            items = [_dumped(value)[1:-1].replace(", ", f",{inner}")]
        else:
            items = [_indented(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{margin}]"
    return _dumped(value)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_json(content: bytes, shape: type[_Shape], path: Path) -> _Shape:
    """Reads JSON of a given shape.

    Args:
        content: The bytes of the file.
        shape: A class of `dlreg.runs.shapes`.
        path: The file, for messages.

    Raises:
        RunDirError: It is no JSON, not of that shape, or made to take far more memory than its size.
    """
    if sum(content.count(mark) for mark in (b"[", b"{", b",", b":")) > max(
        MAX_VALUES, len(content) // BYTES_PER_VALUE
    ):
        raise RunDirError(Fault("the file is not one of dlreg's: too many values for its size", str(path)))
    try:
        return shape.model_validate(json.loads(content, parse_constant=_refuse_constant))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        refused = first.get("ctx", {}).get("error")
        reason = refused.expected if isinstance(refused, RefusedError) else refused or first["msg"]
        place = ".".join(map(str, first["loc"]))[:100]
        raise _damaged(path, f"{place}: {reason}" if place else str(reason)) from None
    except (ValueError, RecursionError, OverflowError):
        raise _damaged(path, "it is not the JSON that dlreg writes") from None


def _damaged(path: Path, reason: str) -> RunDirError:
    hint = "Restore it or train again"
    return RunDirError(Fault(f"the file is damaged: {reason}", str(path), hint=hint))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
