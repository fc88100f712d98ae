"""Rows that stand in a table twice are said, unless rows of its kind repeat by themselves."""

import numpy as np
from support.tables import advice_on

ALL_TRAIN = {"data": {"test_split": 0}, "training": {"validation_split": 0}}


def lines(*, places, n_values=None):
    generator = np.random.default_rng(4)
    x = generator.normal(size=40).round(3) if n_values is None else generator.integers(0, n_values, 40)
    rows = [f"{value},{2 * value}" for value in x]
    for source, place in places:
        rows.insert(place, rows[source])
    return "\n".join(["x,y", *rows]) + "\n"


def copies(folder, content, **sections):
    return [message for message in advice_on(folder, content, **sections) if "copies" in message]


def test_a_row_that_was_pasted_twice(tmp_path):
    assert copies(tmp_path, lines(places=[]), **ALL_TRAIN) == []
    assert copies(tmp_path, lines(places=[(3, 20), (5, 30)]), **ALL_TRAIN) == [
        "2 training rows are copies of others, the same in every column that is used"
    ]


def test_rows_of_few_values_repeat_by_themselves(tmp_path):
    assert copies(tmp_path, lines(places=[(3, 20)], n_values=5), **ALL_TRAIN) == []


def test_copies_in_two_parts_are_told_as_such(tmp_path):
    content = lines(places=[(place, 40) for place in range(20)])
    messages = advice_on(tmp_path, content)
    assert any("also among the training or validation rows" in message for message in messages)
    assert copies(tmp_path, content) == []
