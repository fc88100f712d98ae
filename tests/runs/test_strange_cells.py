"""What a run was not trained for is counted by column, and adds up over blocks of rows."""

import numpy as np
import pytest

from dlreg.errors import DataError
from dlreg.runs.strange_cells import (
    StrangeCells,
    count_strange_cells,
    refuse_strange,
    refuse_unseen,
    strange_sentences,
)
from dlreg.runs.trained_run import TrainedModel
from dlreg.table.column import Column

COLUMNS = [
    Column("area", "number"),
    Column("flat", "number"),
    Column("town", "category"),
    Column("sea", "category"),
]
LEVELS = {"town": {"Oak", "Elm"}, "sea": {"", "x"}}
RUN = TrainedModel(None, COLUMNS, None, LEVELS, {"area": (0.0, 100.0), "flat": (3.0, 3.0)}, None, None)


def cells(**columns):
    return {
        name: np.array(values, dtype=object if isinstance(values[0], str) else float).reshape(-1, 1)
        for name, values in columns.items()
    }


def test_each_way_is_counted():
    strange = count_strange_cells(
        RUN,
        cells(
            town=["Oak", "Ash", "", "Ash", "Fir", "Elm"],
            sea=["", "x", "", "y", "", "x"],
            area=[0, 150, 150.1, -50, -50.1, np.nan],
            flat=[3, 3, 3, 3, 3, 3.1],
            day=["", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01"],
        ),
    )
    assert strange.as_json() == {
        "missing": {"town": 1, "area": 1, "day": 1},
        "outside": {"area": 2, "flat": 1},
        "unseen": {"town": 3, "sea": 1},
    }
    assert strange.texts == {"town": ("Ash", "Fir"), "sea": ("y",)}
    # Where a missing cell is a level of its own, it is not strange.
    assert strange.known == {"town": 5, "sea": 3}


def test_many_rows_are_counted_as_few():
    some = {"town": ["Oak", "Ash", ""], "area": [0, 150.1, np.nan]}
    few = count_strange_cells(RUN, cells(**some)).as_json()
    many = count_strange_cells(RUN, cells(**{name: values * 20 for name, values in some.items()})).as_json()
    assert many == {way: {name: 20 * n for name, n in counts.items()} for way, counts in few.items()}


def test_blocks_add_up_to_the_whole():
    town, area = ["Oak", "Ash", "", "Fir", "Yew"], [1, 999, np.nan, 2, -999]
    whole = count_strange_cells(RUN, cells(town=town, area=area))
    blocks = [count_strange_cells(RUN, cells(town=town[i : i + 1], area=area[i : i + 1])) for i in range(5)]
    assert sum(blocks, StrangeCells()) == whole
    # Whichever column is the first to have any.
    cells_of_columns = [cells(town=["Oak", ""], area=[np.nan, 1.0]), cells(town=["", "Oak"], area=[1.0, 1.0])]
    for blocks in (cells_of_columns, cells_of_columns[::-1]):
        added = sum((count_strange_cells(RUN, block) for block in blocks), StrangeCells())
        assert list(added.as_json()["missing"].items()) == [("town", 2), ("area", 1)]


@pytest.mark.parametrize(
    ("town", "max_unseen", "is_refused"),
    [
        (["Ash", "Fir", ""], None, True), (["Ash", "Oak", ""], None, False), (["Ash", "Oak"], 0.5, False),
        (["Ash", "Oak"], 0.4, True), (["Ash", "Fir"], 1, False), (["Oak", ""], 0, False), (["Ash", "Oak"], 0, True),
    ],
)  # fmt: skip
def test_too_many_unseen_levels_are_refused(town, max_unseen, is_refused):
    strange = count_strange_cells(RUN, cells(town=town))
    if not is_refused:
        refuse_unseen(strange, "new.csv", max_unseen)
        return
    with pytest.raises(DataError, match="'Ash'") as caught:
        refuse_unseen(strange, "new.csv", max_unseen)
    assert caught.value.faults[0].path == "new.csv"


def test_every_column_is_told_of():
    strange = count_strange_cells(RUN, cells(town=["Ash", "Oak"], area=[np.nan, 1e9]))
    sentences = list(strange_sentences(RUN, strange))
    assert sentences == [
        "1 cell is missing in column 'area': what stands in was fitted in training",
        "1 cell of 'area' is far outside of the training range, 0 to 100",
        "1 cell unseen in town: a level that no training row has, such as 'Ash'",
    ]
    with pytest.raises(DataError) as caught:
        refuse_strange(RUN, strange, "new.csv")
    assert [fault.message for fault in caught.value.faults] == sentences
    refuse_strange(RUN, count_strange_cells(RUN, cells(town=["Oak"])), "new.csv")


def test_nothing_stands_in_for_a_missing_category_of_which_training_had_none():
    strange = count_strange_cells(RUN, cells(town=["", "Oak", ""]))
    assert list(strange_sentences(RUN, strange)) == [
        "2 cells are missing in column 'town': none of its levels"
    ]
