"""Reads the bytes of an ONNX file as protobuf writes them, before any parser builds objects of them.

A part of two bytes becomes an object of a hundred, and an unknown one may be of any depth. So every part of
every message is looked at in place: what dlreg's exporter does not write is refused, the rest is counted.
The format: https://protobuf.dev/programming-guides/encoding/
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from dlreg.pipeline.refusal import refused

# Every field that dlreg's exporter fills, of every message. So there are no functions, no nested graphs, no
# tensors in attributes, no training, no data in other files and no settings.
FIELDS: Mapping[str, frozenset[str]] = {
    "ModelProto": frozenset(
        {"ir_version", "producer_name", "producer_version", "graph", "opset_import", "metadata_props"}
    ),
    "StringStringEntryProto": frozenset({"key", "value"}),
    "OperatorSetIdProto": frozenset({"domain", "version"}),
    "GraphProto": frozenset({"node", "name", "doc_string", "initializer", "input", "output", "value_info"}),
    "NodeProto": frozenset({"input", "output", "name", "op_type", "domain", "attribute"}),
    "AttributeProto": frozenset({"name", "type", "f", "i", "s", "floats", "ints", "strings"}),
    "TensorProto": frozenset(
        {"dims", "data_type", "name", "raw_data", "float_data", "int64_data", "double_data", "string_data"}
    ),
    "ValueInfoProto": frozenset({"name", "type"}),
    "TypeProto": frozenset({"tensor_type"}),
    "TypeProto.Tensor": frozenset({"elem_type", "shape"}),
    "TensorShapeProto": frozenset({"dim"}),
    "TensorShapeProto.Dimension": frozenset({"dim_value", "dim_param"}),
}
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_WIRE_TYPES: Mapping[int, int] = {
    FieldDescriptor.TYPE_INT32: _VARINT,
    FieldDescriptor.TYPE_INT64: _VARINT,
    FieldDescriptor.TYPE_UINT64: _VARINT,
    FieldDescriptor.TYPE_ENUM: _VARINT,
    FieldDescriptor.TYPE_DOUBLE: _EIGHT_BYTES,
    FieldDescriptor.TYPE_FLOAT: _FOUR_BYTES,
    FieldDescriptor.TYPE_STRING: _LENGTH,
    FieldDescriptor.TYPE_BYTES: _LENGTH,
    FieldDescriptor.TYPE_MESSAGE: _LENGTH,
}


# Numbers that a parser keeps as they are written: the memory they take is their size in the file.
_RAW = frozenset({"TensorProto.raw_data", "TensorProto.float_data", "TensorProto.double_data"})


@dataclass(frozen=True)
class _Message:
    """The fields of a message that may be set, by number, and the names of the others."""

    kind: str
    fields: Mapping[int, "_Field"]
    others: Mapping[int, str]


@dataclass(frozen=True)
class _Field:
    """How a field is written.

    Attributes:
        name: With its message, such as `NodeProto.attribute`.
        wire_type: Of one value.
        is_packable: Whether many values, all of them numbers, may be written as one part.
        is_text: Whether it has to be UTF-8.
        message: What it holds, if it is a message.
    """

    name: str
    wire_type: int
    is_packable: bool
    is_text: bool
    message: _Message | None


def _message(descriptor: Descriptor) -> _Message:
    kind = descriptor.full_name.removeprefix("onnx.")
    fields = {}
    for field in descriptor.fields:
        if field.name in FIELDS[kind]:
            wire_type = _WIRE_TYPES[field.type]
            is_packable = field.is_repeated and wire_type != _LENGTH
            is_text = wire_type == _LENGTH and not field.message_type and field.name != "raw_data"
            inner = _message(field.message_type) if field.message_type else None
            fields[field.number] = _Field(f"{kind}.{field.name}", wire_type, is_packable, is_text, inner)
    others = {field.number: field.name for field in descriptor.fields if field.number not in fields}
    return _Message(kind, fields, others)


_MODEL = _message(onnx.ModelProto.DESCRIPTOR)


@dataclass(frozen=True)
class Parts:
    """What an ONNX file is made of.

    Attributes:
        counts: How many parts there are of each field, such as `GraphProto.node`.
        total: How many there are in all.
        n_bytes: The size of the file without the numbers of its constants.
    """

    counts: Mapping[str, int]
    total: int
    n_bytes: int


def count_parts(content: bytes, most: int) -> Parts:
    """Counts the parts of an ONNX file without building any of them.

    Args:
        content: The bytes of the file.
        most: At how many parts it is refused.

    Raises:
        RunDirError: It is not written as protobuf writes, has a field that dlreg does not fill, or too many
            parts.
    """
    counts: Counter[str] = Counter()
    total, raw_bytes = _count(memoryview(content), _MODEL, counts, most)
    return Parts(counts, total, len(content) - raw_bytes)


def _count(data: memoryview, message: _Message, counts: Counter[str], most: int) -> tuple[int, int]:
    """Counts the parts of a message; returns how many there are, and the bytes of constants' numbers."""
    position, total, raw_bytes = 0, 0, 0
    while position < len(data):
        tag, position = _varint(data, position)
        field, wire_type = message.fields.get(tag >> 3), tag & 7
        if field is None:
            raise refused(f"{message.others.get(tag >> 3, 'an unknown field')} in {message.kind}")
        if wire_type != field.wire_type and not (field.is_packable and wire_type == _LENGTH):
            raise refused(f"{field.name} of wire type {wire_type}")
        n_values = 1
        match wire_type:
            case 0:
                _, position = _varint(data, position)
            case 1:
                position += 8
            case 5:
                position += 4
            case 2:
                length, start = _varint(data, position)
                position = start + length
                part = data[start:position]
                if field.message:
                    n_parts, n_bytes = _count(part, field.message, counts, most)
                    total, raw_bytes = total + n_parts, raw_bytes + n_bytes
                elif field.is_text:
                    _refuse_other_text(part, field.name)
                elif field.name in _RAW:
                    raw_bytes += length
                elif field.is_packable and field.wire_type == _VARINT:
                    # A byte is the least a whole number takes; the last byte of each is below 128.
                    n_values = 1 + int(np.count_nonzero(np.frombuffer(part, dtype=np.uint8) < 128))
        counts[field.name] += n_values
        total += n_values
        if total > most:
            raise refused(f"more than {most:,} parts")
    if position > len(data):
        raise refused("no ONNX model: it is cut short")
    return total, raw_bytes


def _refuse_other_text(part: memoryview, name: str) -> None:
    try:
        str(part, "utf-8")
    except UnicodeDecodeError:
        raise refused(f"{name} that is not UTF-8") from None


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """A whole number, and the position behind it."""
    value, shift = 0, 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    raise refused("no ONNX model")
