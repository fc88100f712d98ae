"""Columns that look like a mistake: ids, the target in disguise, numbers that are something else."""

from datetime import UTC, datetime

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import advice_on, load, rows, write_config

from dlreg.config.reading import load_config
from dlreg.preview.advice import advise
from dlreg.preview.columns import counts_rows
from dlreg.preview.first_rows import FIRST_ROWS
from dlreg.preview.leaks import LEAK_CORRELATION, equals_target
from dlreg.table.dataset import load_dataset


def column_of(*cells: str) -> str:
    """A table with the column `x` of these cells, repeated to twelve rows, and a target."""
    return "x,y\n" + "".join(f'"{cells[n % len(cells)]}",{n}\n' for n in range(12))


def faults_on(folder, content, data):
    """What looks like a mistake, with the way out."""
    config = load_config(write_config(folder, content, data=data))
    return [advice.fault for advice in advise(config, load_dataset(config))]


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


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.02, 1.0])
@pytest.mark.parametrize("shape", ["alike", "constant first", "far first", "gaps"])
def test_the_target_in_other_units_is_found_by_the_correlation_of_all_rows(shape, noise, seed):
    generator = np.random.default_rng(seed)
    y_true = generator.normal(5, 2, 3 * FIRST_ROWS)
    values = 3 - 7 * y_true + 14 * noise * generator.normal(size=len(y_true))
    if shape == "constant first":
        values[:FIRST_ROWS], y_true[:FIRST_ROWS] = -32, 5
    if shape == "far first":
        values[:10] = generator.permutation(values[:10])
        y_true[10:] *= 100
        values[10:] *= 100
    if shape == "gaps":
        values[generator.random(len(values)) < 0.3] = np.nan
    known = ~np.isnan(values)
    correlation = abs(np.corrcoef(values[known], y_true[known])[0, 1])
    assert equals_target(values, y_true) == (correlation > LEAK_CORRELATION)


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


@pytest.mark.parametrize(
    ("cells", "data", "hint"),
    [
        (["1700000000", "1600000000"], {}, "{x: \"epoch_seconds\"}"),
        (["1700000000000", "1600000000000"], {}, "{x: \"epoch_milliseconds\"}"),
        (["20230101", "20230228"], {}, '{x: "%Y%m%d"}'),
        (["08:15", "23:59"], {}, '{x: "%H:%M"}'),
        (["8:15 pm", "11:59 AM"], {}, '{x: "%I:%M %p"}'),
    ],
)  # fmt: skip
def test_the_format_of_what_looks_like_dates_works(tmp_path, cells, data, hint):
    (fault,) = (
        fault for fault in faults_on(tmp_path, column_of(*cells), data) if "looks like" in fault.message
    )
    assert hint in fault.hint
    given = yaml.safe_load(fault.hint.partition("data.dates: ")[2])
    (column,) = load(tmp_path, column_of(*cells), data={"dates": given}).columns
    assert column.kind == "date"
    assert not any(
        "looks like" in message for message in advice_on(tmp_path, column_of(*cells), data={"dates": given})
    )


@pytest.mark.parametrize(
    "cells", [["1700000000", "1700000000"], ["1700000000.5", "1600000000"], ["999", "1700000000"]]
)
def test_other_large_numbers_are_none(tmp_path, cells):
    assert not any("looks like dates" in message for message in advice_on(tmp_path, column_of(*cells)))


def test_years_of_two_digits_to_come_are_pointed_out(tmp_path):
    this_year = datetime.now(UTC).year
    given = {"dates": {"x": "%d-%b-%y"}}
    content = column_of("20-Aug-52", "1-JAN-99", f"31-Dec-{this_year % 100:02}")
    (fault,) = (fault for fault in faults_on(tmp_path, content, given) if "years to come" in fault.message)
    assert "4 of 12 dates in column 'x' are read as years to come, up to 2052" in fault.message
    entry = yaml.safe_load(fault.hint.partition("data.dates: ")[2].partition(";")[0])
    assert entry == {"x": {"format": "%d-%b-%y", "latest": this_year}}
    for dates in (entry, {"x": {"format": "%d-%b-%y", "latest": 2068}}):
        assert not any(
            "to come" in message for message in advice_on(tmp_path, content, data={"dates": dates})
        )
    calm = column_of("20-Aug-99", f"31-Dec-{this_year % 100:02}")
    assert not any("to come" in message for message in advice_on(tmp_path, calm, data=given))
