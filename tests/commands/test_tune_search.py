"""How many trials run at once."""

import warnings

import pytest

from dlreg.commands import tune_search
from dlreg.preview.plan import Plan


def count_jobs(monkeypatch, wanted, *, cores, fitting, threads=1):
    monkeypatch.setattr(tune_search, "usable_cores", lambda: cores)
    monkeypatch.setattr(tune_search, "count_fitting", lambda _: fitting)
    plan = Plan({}, {}, 1, 1, 1, 1, 0, memory_bytes=3_000_000_000, threads=threads)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        return tune_search._count_jobs(wanted, plan), [str(note.message) for note in notes]


@pytest.mark.parametrize(
    ("wanted", "options", "n_jobs"),
    [
        (None, {"cores": 4, "fitting": 10}, 4),
        (None, {"cores": 4, "fitting": 10, "threads": 4}, 1),
        (None, {"cores": 4, "fitting": 10, "threads": 3}, 1),
        (7, {"cores": 4, "fitting": 10}, 7),
    ],
)
def test_as_many_as_there_are_cores_or_as_asked_for(monkeypatch, wanted, options, n_jobs):
    assert count_jobs(monkeypatch, wanted, **options) == (n_jobs, [])


def test_no_more_than_memory_is_left_for_and_it_is_told(monkeypatch):
    said = "a trial needs about 3.0 GB of memory, and there is enough for 2: "
    assert count_jobs(monkeypatch, None, cores=8, fitting=2) == (2, [f"{said}2 will run at once"])
    assert count_jobs(monkeypatch, 4, cores=8, fitting=2) == (4, [f"{said}--jobs 4 may run out of it"])
