"""Whether a training would find the memory that it needs, before anything is paid for."""

from collections.abc import Mapping
from typing import NamedTuple

from dlreg.errors import Fault, StorageError
from dlreg.memory import Room, format_bytes, rooms
from dlreg.preview.plan import Plan
from dlreg.processor import usable_cores

# What TensorFlow, XLA and their threads map beyond what they use, measured: in all, and for each core.
_MAPPED: Mapping[str, tuple[int, int]] = {
    "memory": (0, 0),
    "address space": (2_850_000_000, 140_000_000),
    "data": (600_000_000, 140_000_000),
}


def refuse_too_little_memory(plan: Plan) -> None:
    """Refuses a training that would take more memory than there is.

    Raises:
        StorageError: With both figures.
    """
    if fault := too_little_memory(plan):
        raise StorageError(fault)


def too_little_memory(plan: Plan) -> Fault | None:
    """What to say of a training that would take more memory than there is; None of any other."""
    shortage = find_shortage(plan.memory_bytes)
    if shortage is None:
        return None
    hint = f"{shortage.hint}; or leave out columns with data.exclude, or take fewer rows"
    return Fault(f"the training {shortage.sentence}", hint=hint)


def count_fitting(memory_bytes: int) -> int:
    """How many processes that use so much memory, libraries included, fit beside this one; at least one.

    As many as there are cores where the system does not tell.
    """
    fitting = [room.left // memory_bytes for room in rooms() if room.counts == "memory"]
    return max(1, min(fitting, default=usable_cores()))


class Shortage(NamedTuple):
    """That memory is too little.

    Attributes:
        sentence: What is needed and what is there, in words, without a subject.
        hint: What to do for more.
    """

    sentence: str
    hint: str


def find_shortage(memory_bytes: int) -> Shortage | None:
    """Whether a training that uses so much memory, libraries included, finds too little; None if not."""
    short = [room for room in rooms() if room.held + room.left < _bytes_needed(memory_bytes, room)]
    if not short:
        return None
    room = min(short, key=lambda room: room.left)
    needed, left = (format_bytes(n) for n in (_bytes_needed(memory_bytes, room), room.held + room.left))
    return Shortage(f"needs about {needed} of {room.counts}, and {room.limit} leaves {left}", room.hint)


def _bytes_needed(memory_bytes: int, room: Room) -> int:
    whole, per_core = _MAPPED[room.counts]
    return memory_bytes + whole + per_core * usable_cores()
