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


DATED = TrainedModel(
    None,
    [Column("day", "date", "%d/%m/%Y"), Column("at", "date", "%Y-%m-%d %H:%M:%S")],
    None,
    {},
    {"day": (19723.0, 19733.0), "at": (19723.25, 19724.25)},
    None,
    None,
)


@pytest.mark.parametrize("times", [1, 40])
def test_dates_far_outside_of_those_of_training_are_counted(times):
    # Ten days from the first of 2024 on, and so five before and after them are near.
    days = ["27/12/2023", "26/12/2023", "16/01/2024", "17/01/2024", "05/01/2024", "", "05/01/1999"]
    others = [f"{day:02}/01/2024" for day in range(1, 11)] * (times - 1)
    at = ["2024-01-01 06:00:00", "2024-01-02 18:00:00", "2024-01-02 18:00:01", "2031-05-01 00:00:00"]
    strange = count_strange_cells(DATED, cells(day=[*days, *days, *others], at=at * times))
    assert strange.as_json() == {
        "missing": {"day": 2},
        "outside": {"day": 6, "at": 2 * times},
        "unseen": {},
    }


def test_dates_are_told_of_as_dates():
    strange = count_strange_cells(DATED, cells(day=["05/01/1999"], at=["1999-01-05 00:00:00"]))
    assert list(strange_sentences(DATED, strange)) == [
        "1 cell of 'day' is far outside of the training range, 2024-01-01 to 2024-01-11",
        "1 cell of 'at' is far outside of the training range, 2024-01-01 06:00:00 to 2024-01-02 06:00:00",
    ]
