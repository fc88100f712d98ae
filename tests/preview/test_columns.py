"""Columns that look like a mistake: ids, the target in disguise, numbers that are something else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import advice_on, rows

from dlreg.preview.columns import counts_rows


def column_of(*cells: str) -> str:
    """A table with the column `x` of these cells, repeated to twelve rows, and a target."""
    return "x,y\n" + "".join(f'"{cells[n % len(cells)]}",{n}\n' for n in range(12))


@given(st.lists(st.integers(-5, 5), min_size=0, max_size=40))
@settings(max_examples=100, deadline=None)
def test_ids_are_consecutive_numbers(values):
    numbers = np.array(values, dtype=float)
    counts = counts_rows(numbers, np.arange(len(values)))
    assert counts == (
        len(values) >= 10 and sorted(values) == list(range(min(values), min(values) + len(values)))
    )


def test_a_constant_column_is_pointed_out(tmp_path):
    advice = advice_on(tmp_path, rows("x,c,k,y", *(f"{n},7,same,{n % 7}" for n in range(30))))
    for name in ("c", "k"):
        assert f"column {name!r} has one value in every training row: it cannot help" in advice


def test_a_column_that_equals_the_target_is_pointed_out(tmp_path):
    advice = advice_on(tmp_path, rows("x,copy,y", *(f"{n % 5},{n}.0,{n}" for n in range(30)), "1,2,"))
    assert any(message.startswith("column 'copy' equals the target 'y'") for message in advice)


def test_numbers_beyond_double_precision_are_said_to_be_rounded(tmp_path):
    advice = advice_on(tmp_path, column_of("9007199254740993", "9007199254740994"))
    assert any("beyond 2^53" in message and "'x'" in message for message in advice)
    advice = advice_on(tmp_path, column_of("9007199254740992", "1"))
    assert not any("beyond 2^53" in message for message in advice)


def test_numbers_written_as_dates_or_with_a_unit_are_pointed_out(tmp_path):
    assert "looks like dates" in str(advice_on(tmp_path, column_of("20230101", "20230228")))
    assert "with a unit" in str(advice_on(tmp_path, column_of("3 kg", "4 kg")))
    assert "looks like dates" not in str(advice_on(tmp_path, column_of("20230101", "20230230")))
    assert "with a unit" not in str(advice_on(tmp_path, column_of("3 doors", "4 wheels")))
