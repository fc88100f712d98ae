"""Where a training stands between two epochs, in one file that a stranger may have written.

The file is in the safetensors format (https://huggingface.co/docs/safetensors): a JSON header, then plain
numbers. Its metadata says what it is a checkpoint of, and the SHA-256 of the numbers.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

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
        checkpoint: What is kept.
        origin: What it is a checkpoint of, as JSON: config, data, versions.
    """
    arrays = {**checkpoint.tensors, VALUES: checkpoint.values}
    about = {"format": FORMAT, "origin": origin, "sha256": _sha256(arrays)}
    return bytes(save(arrays, metadata={"dlreg": json.dumps(about)}))


def from_file(
    file: BinaryIO, n_bytes: int, like: Checkpoint, origin: Mapping[str, Any], *, epochs: int, path: Path
) -> Checkpoint:
    """Reads what `to_bytes` wrote; no more than the header before that agrees with the file's size.

    Args:
        file: The file, at its beginning.
        n_bytes: How many bytes it has.
        like: A checkpoint of the same training, with tensors of the same names and shapes.
        origin: What it must be a checkpoint of.
        epochs: The most epochs it may hold.
        path: The file, for messages.

    Raises:
        RunDirError: It is damaged, of another training, of a newer format or holds too many epochs.
    """
    start = file.read(8)
    header_bytes = int.from_bytes(start, "little")
    try:
        if header_bytes > MAX_HEADER_BYTES:
            raise ValueError("its header is too large")
        text = file.read(header_bytes)
        header = json.loads(text)
        about = json.loads(header.pop("__metadata__")["dlreg"])
        found = {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}
        written, checked, of = about["format"], about["sha256"], about["origin"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, "it has no header of dlreg's") from None
    if written != FORMAT:
        message = f"the checkpoint is of format {written!r:.20}, this dlreg reads {FORMAT}"
        raise RunDirError(Fault(message, str(path), hint="Resume with the dlreg that wrote it"))
    if of != origin:
        message = "the checkpoint belongs to another run: config, data or versions differ"
        raise RunDirError(Fault(message, str(path), hint="Remove it to start at the first epoch"))
    _, values_shape = found.get(VALUES, ("", []))
    n_epochs = values_shape[0] if isinstance(values_shape, list) and values_shape else None
    expected = {name: ("F32", list(tensor.shape)) for name, tensor in like.tensors.items()}
    expected[VALUES] = ("F64", [n_epochs, *like.values.shape[1:]])
    if found != expected or type(n_epochs) is not int or n_epochs < 1:
        raise _damaged(path, "its tensors are not those of this config's network")
    if n_epochs > epochs:
        message = f"{n_epochs:,} epochs are over already, training.epochs is {epochs:,}"
        raise RunDirError(Fault(message, str(path), hint=f"Set training.epochs to {n_epochs:,} or more"))
    n_numbers = sum(tensor.nbytes for tensor in like.tensors.values())
    n_numbers += n_epochs * like.values.itemsize * math.prod(like.values.shape[1:])
    if n_bytes != len(start) + len(text) + n_numbers:
        raise _damaged(path, "it is not whole")
    file.seek(0)
    try:
        arrays = load(file.read(n_bytes))
    except (SafetensorError, ValueError):
        raise _damaged(path, "it is not whole") from None
    if _sha256(arrays) != checked:
        raise _damaged(path, "its numbers are not those that were written")
    checkpoint = Checkpoint(arrays, arrays.pop(VALUES))
    if not is_finite(checkpoint):
        raise _damaged(path, "found a number that is not finite")
    return checkpoint


def _sha256(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _damaged(path: Path, reason: str) -> RunDirError:
    hint = "Remove it to start at the first epoch"
    return RunDirError(Fault(f"the checkpoint is damaged: {reason}", str(path), hint=hint))
