"""The file of a checkpoint, which a stranger may have written.

The file is in the safetensors format (https://huggingface.co/docs/safetensors): a JSON header, then plain
numbers. Its metadata says what it is a checkpoint of, and the SHA-256 of the numbers.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dlreg.errors import Fault, RunDirError
from dlreg.training.checkpoint import Checkpoint, is_finite

FORMAT = 1
VALUES = "values"
MAX_HEADER_BYTES = 1 << 20


def to_bytes(checkpoint: Checkpoint, origin: Mapping[str, Any]) -> bytes:
    """A checkpoint as a file.

    Args:
        checkpoint: What is written.
        origin: The run that it belongs to, as JSON: config, data, versions.
    """
    arrays = {**checkpoint.tensors, VALUES: checkpoint.values}
    about = {"format": FORMAT, "origin": origin, "sha256": _sha256(arrays)}
    return bytes(save(arrays, metadata={"dlreg": json.dumps(about, allow_nan=False)}))


def from_file(
    file: BinaryIO,
    n_bytes: int,
    template: Checkpoint,
    origin: Mapping[str, Any],
    *,
    epochs: int,
    path: Path,
) -> Checkpoint:
    """Reads what `to_bytes` wrote: first the header, and the numbers only if it fits the file's size.

    Args:
        file: The file, at its beginning.
        n_bytes: How many bytes it has.
        template: A checkpoint of the same training, with tensors of the same names and shapes.
        origin: The run that it must belong to.
        epochs: The most epochs it may hold.
        path: The file, for messages.

    Raises:
        RunDirError: It is damaged, of another training, of a newer format or holds too many epochs.
    """
    header = _read_header(file, path)
    if header.format != FORMAT:
        message = f"the checkpoint is of format {header.format!r:.20}, this dlreg reads {FORMAT}"
        raise RunDirError(Fault(message, str(path), hint="Resume with the dlreg that wrote it"))
    if header.origin != origin:
        message = "the checkpoint belongs to another run: config, data or versions differ"
        raise RunDirError(Fault(message, str(path), hint="Remove it to start at the first epoch"))
    if n_bytes != header.n_bytes + _count_bytes(header.tensors, template, epochs, path):
        raise _damaged(path, "it is not whole")
    file.seek(0)
    try:
        arrays = load(file.read(n_bytes))
    except (SafetensorError, ValueError):
        raise _damaged(path, "it is not whole") from None
    if _sha256(arrays) != header.sha256:
        raise _damaged(path, "its numbers are not those that were written")
    checkpoint = Checkpoint(arrays, arrays.pop(VALUES))
    if not is_finite(checkpoint):
        raise _damaged(path, "found a number that is not finite")
    return checkpoint


class _Header(NamedTuple):
    """The header before the numbers; none of it has been checked.

    Attributes:
        n_bytes: How long it is, with the eight bytes that say so.
        tensors: The dtype and the shape of each tensor.
        format: The version of the file's format.
        origin: The run that the checkpoint belongs to.
        sha256: Of the numbers.
    """

    n_bytes: int
    tensors: dict[str, tuple[Any, Any]]
    format: Any
    origin: Any
    sha256: Any


def _read_header(file: BinaryIO, path: Path) -> _Header:
    start = file.read(8)
    size = int.from_bytes(start, "little")
    try:
        if size > MAX_HEADER_BYTES:
            raise ValueError("its header is too large")
        text = file.read(size)
        header = json.loads(text)
        about = json.loads(header.pop("__metadata__")["dlreg"])
        tensors = {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}
        n_bytes = len(start) + len(text)
        return _Header(n_bytes, tensors, about["format"], about["origin"], about["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, "it has no header of dlreg's") from None


def _count_bytes(
    tensors: Mapping[str, tuple[Any, Any]], template: Checkpoint, epochs: int, path: Path
) -> int:
    """How many bytes the numbers take, if the tensors are those of this training."""
    _, shape = tensors.get(VALUES, ("", []))
    n_epochs = shape[0] if isinstance(shape, list) and shape else None
    expected = {name: ("F32", list(tensor.shape)) for name, tensor in template.tensors.items()}
    expected[VALUES] = ("F64", [n_epochs, *template.values.shape[1:]])
    if tensors != expected or type(n_epochs) is not int or n_epochs < 1:
        raise _damaged(path, "its tensors are not those of this config's network")
    if n_epochs > epochs:
        message = f"{n_epochs:,} epochs are over already, training.epochs is {epochs:,}"
        raise RunDirError(Fault(message, str(path), hint=f"Set training.epochs to {n_epochs:,} or more"))
    n_bytes = n_epochs * template.values.itemsize * math.prod(template.values.shape[1:])
    return n_bytes + sum(tensor.nbytes for tensor in template.tensors.values())


def _sha256(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _damaged(path: Path, reason: str) -> RunDirError:
    hint = "Remove it to start at the first epoch"
    return RunDirError(Fault(f"the checkpoint is damaged: {reason}", str(path), hint=hint))
