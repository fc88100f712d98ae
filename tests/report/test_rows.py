"""What parts of a table have in common."""

import numpy as np
import pytest

from dlreg.report.rows import count_repeated, share_before_latest
from dlreg.table.column import Column
from dlreg.table.parts import Part


def part(x, zone, y):
    cells = {
        "x": np.array(x, dtype=float).reshape(-1, 1),
        "zone": np.array(zone, dtype=object).reshape(-1, 1),
    }
    return Part(np.arange(len(y)), cells, np.array(y, dtype=float))


def days(*texts):
    return Part(
        np.arange(len(texts)), {"day": np.array(texts, dtype=object).reshape(-1, 1)}, np.zeros(len(texts))
    )


TRAIN = part([1, 2, np.nan, 4], ["a", "b", "c", ""], [10, 20, 30, 40])


@pytest.mark.parametrize(
    ("held_out", "expected"),
    [
        (part([1, 2, np.nan], ["a", "b", "c"], [10, 20, 30]), 3),
        (part([1, 1], ["a", "a"], [10, 10]), 2),
        (part([1], ["b"], [10]), 0),
        (part([1], ["a"], [11]), 0),
        (part([2], ["a"], [10]), 0),
        # Each cell of it is in some training row.
        (part([1], ["b"], [20]), 0),
        (part([4], [""], [40]), 1),
        (part([], [], []), 0),
    ],
)
def test_rows_are_repeated_that_are_equal_in_every_cell(held_out, expected):
    assert count_repeated(TRAIN, held_out) == expected


def test_of_many_rows_the_repeated_ones_are_counted_as_by_a_set():
    generator = np.random.default_rng(1)
    parts = [
        part(generator.integers(0, 9, n), generator.choice(list("abc"), n), generator.integers(0, 5, n))
        for n in (1500, 400)
    ]
    known, asked = (
        list(zip(p.cells["x"][:, 0], p.cells["zone"][:, 0], p.y_true, strict=True)) for p in parts
    )
    assert count_repeated(*parts) == sum(row in set(known) for row in asked) > 0


@pytest.mark.parametrize(
    ("train", "held_out", "expected"),
    [
        (("2024-01-01", "2024-03-01"), ("2024-02-01", "2024-04-01"), 0.5),
        (("2024-01-01",), ("2024-01-01", "2024-01-02"), 0.0),
        (("2024-01-01", ""), ("", "2023-01-02"), 1.0),
        (("",), ("2024-01-01",), None),
    ],
)
def test_rows_are_before_the_latest_training_row(train, held_out, expected):
    assert share_before_latest(Column("day", "date", "%Y-%m-%d"), days(*train), days(*held_out)) == expected
