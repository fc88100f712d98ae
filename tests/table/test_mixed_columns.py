"""Words among numbers: which mean a missing value, and when a column can do without their cells."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg.table.csv_format import CsvFormat
from dlreg.table.mixed_columns import MOST_WORDS, examine_numbers, means_missing


def examine(*cells, **options):
    return examine_numbers(pd.Series(cells, dtype="str"), CsvFormat(), **options)


@pytest.mark.parametrize(
    "word",
    ["-", "—", "?", ".", "*", "…", "n/a*", "N.A.", "n. d.", "#DIV/0!", "#WERT!", "#N/V", "unknown", "Missing", "k. A.",
     "keine Angabe", "inconnu", "없음", "不明", "無し", "tba"],
)  # fmt: skip
def test_some_words_can_only_mean_missing(word):
    assert means_missing(word)


@pytest.mark.parametrize("word", ["M", "crew", "<5", "low", "5 (est.)", "yes", "no", "0", "Nancy", "ankara"])
def test_other_words_may_mean_something(word):
    assert not means_missing(word)


def test_numbers_alone_have_no_words():
    mixture = examine("5%", "6.5 %", "7%")
    assert (mixture.kind, dict(mixture.words)) == ("number", {})


@pytest.mark.parametrize("cells", [["Oak", "Elm", "Ash"], ["a1", "b2"], ["5", "a", "b", "c"], ["2023-01-01"]])
def test_columns_of_few_numbers_are_none_of_numbers(cells):
    assert examine(*cells) is None


@given(
    numbers=st.lists(st.decimals(0, 999, places=1), min_size=40, max_size=60, unique=True),
    word=st.sampled_from(["-", "<5", "#REF!", "broken", "결측", "5 (est.)"]),
    count=st.integers(1, 15),
)
def test_a_word_costs_its_cells_alone(numbers, word, count):
    mixture = examine(*(f"{number:f}" for number in numbers), *[word, f" {word} "] * count)
    is_few = 2 * count * (3 if any(c.isdigit() for c in word) else 2) <= len(numbers) + 2 * count
    assert mixture.words == {word: 2 * count}
    assert mixture.kind == ("number" if is_few else None)


def test_more_different_words_than_can_be_listed_leave_the_column_out():
    numbers = [f"{number}.5" for number in range(500)]
    assert examine(*numbers, *(f"remark {'x' * number}" for number in range(MOST_WORDS))).kind == "number"
    mixture = examine(*numbers, *(f"remark {'x' * number}" for number in range(MOST_WORDS + 1)))
    assert (mixture.kind, mixture.reason) == (None, "51 different texts stand among its numbers")


def test_few_whole_numbers_and_levels_are_a_category_but_not_as_target():
    cells = ["1", "2", "3+"] * 9
    assert examine(*cells).kind == "category"
    assert examine(*cells, is_target=True).kind != "category"


def test_bare_numbers_among_thousands_are_words():
    mixture = examine(*(f"{number}k" for number in range(1, 40)), "800")
    assert mixture.kind is None
    assert "'800'" in mixture.reason
