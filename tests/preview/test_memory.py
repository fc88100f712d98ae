"""A training is refused where there is less memory than it needs, with both figures."""

import pytest

from dlreg.errors import StorageError
from dlreg.memory import Room
from dlreg.preview import memory
from dlreg.preview.plan import Plan

PLAN = Plan({}, {}, 1, 1, 1, 1, 0, memory_bytes=3_000_000_000, threads=1)


@pytest.mark.parametrize(
    ("room", "message"),
    [
        (Room("this machine", "memory", 200_000_000, 2_900_000_000, "Take a larger one"), None),
        (
            Room("the container", "memory", 200_000_000, 2_700_000_000, "Raise it"),
            "the training needs about 3.0 GB of memory, and the container leaves 2.9 GB. Raise it; or leave out",
        ),
        (Room("ulimit -v", "address space", 900_000_000, 9_000_000_000, "Raise it"), None),
        (
            Room("ulimit -v", "address space", 900_000_000, 4_000_000_000, "Raise it"),
            "of address space, and ulimit",
        ),
    ],
)
def test_a_training_needs_what_its_plan_says(monkeypatch, room, message):
    monkeypatch.setattr(memory, "rooms", lambda: [room])
    monkeypatch.setattr(memory, "usable_cores", lambda: 2)
    if message is None:
        memory.refuse_too_little_memory(PLAN)
    else:
        with pytest.raises(StorageError, match=message.replace(".", "\\.")):
            memory.refuse_too_little_memory(PLAN)


def test_where_nothing_limits_memory_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "rooms", list)
    assert memory.too_little_memory(PLAN) is None


@pytest.mark.parametrize(("gigabytes", "n_fitting"), [(1, 1), (6.5, 2), (31, 10)])
def test_so_many_processes_fit_as_memory_is_left_for(monkeypatch, gigabytes, n_fitting):
    rooms = [
        Room("the container", "memory", 0, int(gigabytes * 1e9), ""),
        Room("this machine", "memory", 0, 60_000_000_000, ""),
        Room("ulimit -v", "address space", 0, 1, ""),
    ]
    monkeypatch.setattr(memory, "rooms", lambda: rooms)
    assert memory.count_fitting(3_000_000_000) == n_fitting


def test_where_the_system_does_not_tell_as_many_fit_as_there_are_cores(monkeypatch):
    monkeypatch.setattr(memory, "rooms", list)
    monkeypatch.setattr(memory, "usable_cores", lambda: 5)
    assert memory.count_fitting(3_000_000_000) == 5
