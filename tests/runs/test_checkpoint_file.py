"""Checkpoint files that a stranger may have written: read back as they were written, or refused."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from dlreg.errors import RunDirError
from dlreg.runs.checkpoint_file import from_file, to_bytes
from dlreg.training.checkpoint import Checkpoint

EPOCHS = 9
ORIGIN = {"config": "a", "data": {"data.path": "b"}, "versions": {"dlreg": "1"}}
SHAPES = {
    "0.parameters.0": (4, 6), "0.parameters.1": (6,), "slots.0.0": (4, 6), "slots.1.0": (4, 6),
    "best.0.parameters.0": (4, 6),
}  # fmt: skip


@pytest.fixture
def written():
    """The file after the fourth epoch, and what it holds."""
    generator = np.random.default_rng(4)
    tensors = {name: generator.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    checkpoint = Checkpoint(tensors, generator.normal(size=(4, 5, 1)))
    return to_bytes(checkpoint, ORIGIN), checkpoint


def from_bytes(content, template, epochs=EPOCHS):
    file = io.BytesIO(content)
    path = Path("checkpoint.safetensors")
    return from_file(file, len(content), template, ORIGIN, epochs=epochs, path=path)


def test_a_checkpoint_is_read_back_to_the_bit(written):
    content, checkpoint = written
    read = from_bytes(content, checkpoint)
    assert read.values.tobytes() == checkpoint.values.tobytes()
    assert {name: tensor.tobytes() for name, tensor in read.tensors.items()} == {
        name: tensor.tobytes() for name, tensor in checkpoint.tensors.items()
    }


def with_tensor(checkpoint, name, value):
    return checkpoint._replace(tensors={**checkpoint.tensors, name: value})


def header_of(content):
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(content, change):
    header, data = header_of(content)
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def bend(name, key, value):
    return lambda content, _: with_header(content, lambda header: header[name].__setitem__(key, value))


FIRST = "0.parameters.0"


HOSTILE = {
    "nothing": lambda *_: b"",
    "four bytes": lambda content, _: content[:4],
    "cut short": lambda content, _: content[:-7],
    "cut in the header": lambda content, _: content[:100],
    "longer": lambda content, _: content + b"\0" * 8,
    "another format": lambda content, _: b"PK\x03\x04" + content,
    "a header beyond the file": lambda content, _: (1 << 40).to_bytes(8, "little") + content[8:],
    "a negative header": lambda content, _: b"\xff" * 8 + content[8:],
    "a huge header": lambda content, _: (2 << 20).to_bytes(8, "little") + b" " * (2 << 20) + content,
    "a nested header": lambda *_: (50_000).to_bytes(8, "little") + b"[" * 50_000,
    "a list for a header": lambda *_: (2).to_bytes(8, "little") + b"[]",
    "no metadata": lambda _, c: save({**c.tensors, "values": c.values}),
    "metadata of others": lambda _, c: save({**c.tensors, "values": c.values}, {"dlreg": "[1]"}),
    "a shape that lies": bend(FIRST, "shape", [2**31, 2**31]),
    "a shape of no numbers": bend(FIRST, "shape", [0, 2**62]),
    "a shape of text": bend(FIRST, "shape", "46"),
    "another dtype": bend(FIRST, "dtype", "F16"),
    "no dtype": bend(FIRST, "dtype", None),
    "offsets beyond the file": bend(FIRST, "data_offsets", [0, 1 << 50]),
    "offsets of another": bend(FIRST, "data_offsets", [0, 96]),
    "no tensor": lambda content, _: with_header(content, lambda header: header.pop(FIRST)),
    "one tensor more": lambda _, c: to_bytes(with_tensor(c, "evil", np.zeros(3, np.float32)), ORIGIN),
    "a wrong shape": lambda _, c: to_bytes(with_tensor(c, FIRST, np.zeros((6, 4), np.float32)), ORIGIN),
    "double precision": lambda _, c: to_bytes(with_tensor(c, FIRST, np.zeros((4, 6))), ORIGIN),
    "not a number": lambda _, c: to_bytes(with_tensor(c, FIRST, np.full((4, 6), np.nan, np.float32)), ORIGIN),
    "an infinite slot": lambda _, c: to_bytes(with_tensor(c, "slots.1.0", np.full((4, 6), np.inf, np.float32)), ORIGIN),
    "no epochs": lambda _, c: to_bytes(c._replace(values=c.values[:0]), ORIGIN),
    "values of another network": lambda _, c: to_bytes(c._replace(values=c.values[:, :3]), ORIGIN),
    "another run": lambda _, c: to_bytes(c, {**ORIGIN, "config": "z"}),
    "more epochs than asked for": lambda _, c: to_bytes(c._replace(values=np.repeat(c.values, 9, 0)), ORIGIN),
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_is_no_checkpoint_of_this_training_is_refused(written, make):
    with pytest.raises(RunDirError) as raised:
        from_bytes(bytes(make(*written)), written[1])
    assert len(str(raised.value)) < 400


def test_every_flipped_bit_is_noticed(written):
    content, like = written
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        with pytest.raises(RunDirError):
            from_bytes(bytes(changed), like)
