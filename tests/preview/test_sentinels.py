"""Numbers that stand for a missing value are found, named as they are written, and gone when the hint is followed."""

import json
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.tables import folder_with, plain_table

from dlreg.commands.check import check
from dlreg.preview.sentinels import find_sentinels

N = 300


def numbers(kind: str, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return {
        "prices": np.exp(generator.normal(12.0, 0.5, N)).round(),
        "shares": generator.random(N).round(4),
        "temperatures": generator.normal(15.0, 8.0, N).round(1),
        "counts": generator.poisson(4.0, N).astype(float),
        "grades": generator.integers(1, 6, N).astype(float),
        "years": generator.integers(1950, 2024, N).astype(float),
    }[kind]


KINDS = ("prices", "shares", "temperatures", "counts", "grades", "years")
MARKS = {
    "prices": (-999, -9999, -1, -99.9, 9999999999),
    "shares": (-999, 99, 9999, 99.99, -32768, 65535, -200),
    "temperatures": (-999, 999, -9999, 9999.9, 2147483647),
    "counts": (-99, 99, 999, 9999),
    "grades": (-9999, 99, 999, -99),
    "years": (-999, 9999, -1),
}


@pytest.mark.parametrize(("kind", "mark"), [(kind, mark) for kind in KINDS for mark in MARKS[kind]])
def test_a_mark_is_found_among_numbers_of_any_kind(kind, mark):
    values = numbers(kind)
    values[[3, 50, 51, 200]] = mark
    values[[7, 100]] = np.nan
    assert find_sentinels(values) == [mark]


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_numbers_without_a_mark_have_none(kind, seed):
    assert find_sentinels(numbers(kind, seed)) == []


ORDINARY = {
    "a single code near the others": np.r_[numbers("temperatures"), 99.9],
    "a code among the others": np.r_[numbers("years"), np.full(20, 1999.0), np.full(20, 999.0), np.arange(700, 1500)],
    "a cap": np.minimum(numbers("prices"), np.quantile(numbers("prices"), 0.9)),
    "zeros below prices": np.r_[numbers("prices"), np.zeros(50)],
    "minus one among small numbers": np.r_[numbers("grades"), np.full(20, -1.0)],
    "two levels": np.repeat([0.0, 999.0], 50),
    "yes and no": np.repeat([0.0, 1.0], 50),
    "one value": np.full(30, 999.0),
    "differences": np.r_[numbers("temperatures") - 15, np.full(3, -99.0), np.linspace(-110, 120, 200)],
    "too few rows": np.array([1.0, 2.0, 3.0, 4.0, -999.0, -999.0]),
    "nothing": np.full(30, np.nan),
    "empty": np.empty(0),
}  # fmt: skip


@pytest.mark.parametrize("values", ORDINARY.values(), ids=ORDINARY.keys())
def test_what_is_a_number_like_the_others_is_no_mark(values):
    assert find_sentinels(values) == []


def test_several_marks_of_a_column_are_found():
    values = numbers("shares")
    values[:4], values[4:9], values[9:12] = -999, -9999, 99999
    assert sorted(find_sentinels(values)) == [-9999, -999, 99999]


@given(st.sampled_from([-999.0, 9999.0, -99999.0]), st.floats(-6, 6), st.integers(2, 40), st.integers(0, 999))
@example(-999.0, 0.0, 2, 0)
@settings(max_examples=100, deadline=None)
def test_scale_and_place_of_the_others_do_not_matter_while_they_are_near_each_other(
    mark, centre, repeats, seed
):
    others = centre + np.random.default_rng(seed).normal(size=N)
    assert find_sentinels(np.r_[others, np.full(repeats, mark)]) == [mark]


def followed(path, warning):
    texts = re.search(r"data\.missing_values: (\[.*?\])", warning.hint).group(1)
    return check(path, [f"data.missing_values={texts}"]), json.loads(texts)


@pytest.mark.parametrize("column", ["a", "y"])
@pytest.mark.parametrize("written", [("-999",), ("-999", "-999.0"), ("9999.00",), ("-9.999e3",)])
def test_the_hint_holds_the_texts_of_the_file_and_helps_when_it_is_followed(tmp_path, column, written):
    table = plain_table().astype({column: object})
    marked = [10, 11, 60, 150]
    table.loc[marked, column] = [written[n % len(written)] for n in range(4)]
    path = folder_with(tmp_path, table)
    (warning,) = check(path).warnings
    assert f"{column!r} is {written[0]} in 4 rows" in warning.message
    report, texts = followed(path, warning)
    assert set(texts) == set(written)
    assert report.warnings == ()
    assert any(note.startswith("4 of 200 ") for note in report.notes)


def test_decimal_commas_stay_as_they_are_written(tmp_path):
    table = plain_table().round(3)
    cells = {name: table[name].astype(str).str.replace(".", ",") for name in table}
    cells["b"][[4, 5, 6]] = "-999,0"
    path = folder_with(tmp_path, table.assign(**cells), decimal=",")
    (warning,) = check(path).warnings
    report, texts = followed(path, warning)
    assert texts == ["-999,0"]
    assert report.warnings == ()


def test_columns_are_told_together_and_what_is_already_missing_stays(tmp_path):
    table = plain_table()
    table.loc[[1, 2], "a"], table.loc[[3, 4, 5], "b"], table.loc[[9, 99], "y"] = 9999, -999, -999
    path = folder_with(tmp_path, table.round(3), missing_values=["?"])
    (warning,) = check(path).warnings
    assert warning.message.startswith(
        "'y' is -999.0 in 2 rows, 'a' is 9999.0 in 2 rows, 'b' is -999.0 in 3 rows"
    )
    report, texts = followed(path, warning)
    assert texts[0] == "?"
    assert report.warnings == ()


def test_marks_in_many_columns_are_counted(tmp_path):
    table = plain_table()
    generator = np.random.default_rng(5)
    table = table.assign(**{f"c{n}": generator.normal(size=200) for n in range(8)})
    table.loc[[20, 30], [f"c{n}" for n in range(8)]] = -999
    (warning,) = check(folder_with(tmp_path, table)).warnings
    assert "'c4' is -999.0 in 2 rows and 3 more" in warning.message
