"""Texts of one meaning: the function that reads them and the pattern that knows them say the same."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlreg.table.spelling import any_of, are_booleans, canonical_text, level_pattern

BLANKS = st.text("\t\n \xa0\u2003\u200b\u202f\u3000\ufeff", max_size=3)
# Letters of several scripts, some with capitals that are no single letter; digits, signs, and what RE2 reads.
LETTERS = "aZéÉßẞſKıİσςΣдДあ한1203.,+-_[](){}*?|\\^$ '\"#\n"
TEXTS = st.one_of(
    st.text(LETTERS, max_size=6), st.from_regex(r"[+-]?[0-9]{1,3}([.,]0{0,3})?", fullmatch=True)
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" Elm", "Elm"), ("Elm\xa0", "Elm"), ("\u3000大阪\t", "大阪"), ("New  York ", "New  York"), ("\ufeffAsh", "Ash"),
        ("3", "3"), ("3.0", "3"), ("3.", "3"), ("+3.00", "3"), ("3,0", "3"), ("-3.0", "-3"), ("-0.0", "0"),
        ("3.5", "3.5"), ("3,000", "3,000"), ("07030", "07030"), ("1e3", "1e3"), ("elm", "elm"), ("", ""), (" ", ""),
    ],
)  # fmt: skip
def test_blanks_around_and_the_way_a_whole_number_is_written_do_not_count(text, meant):
    assert canonical_text(text) == meant


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        ("True TRUE true yes Y on 1 1.0 oui Ja WAHR 예 はい 是 да sí", "true"),
        ("False FALSE false no N off 0 0.0 non Nein falsch 아니오 いいえ 否 нет", "false"),
        ("maybe 2 10", None),
    ],
)
def test_yes_and_no_in_any_spelling(texts, meant):
    for text in texts.split():
        assert canonical_text(f" {text}", is_boolean=True) == (meant or text)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["True", "FALSE"], True), (["Yes", "no "], True), (["ja", "NEIN"], True), (["TRUE", "1", "0.0"], True),
        (["예", "아니오"], True), (["yes"], True), (["T", "Y"], False), (["yes", "maybe"], False), ([], False),
        (["1", "0"], False), (["True", "False", "nein", "1"], True), (["yes", "no", "maybe", "ja"], False), (["ja", "no"], False), (["x"], False),
    ],
)  # fmt: skip
def test_a_column_is_boolean_by_the_words_of_one_language(texts, expected):
    assert are_booleans(texts) is expected


@given(text=st.text(LETTERS, max_size=6), capitals=st.lists(st.booleans(), min_size=6, max_size=6))
@example("ß", [True] * 6)
def test_case_is_folded_letter_by_letter(text, capitals):
    respelt = "".join(
        letter.swapcase()
        if swap and len(letter.swapcase()) == 1 and letter.swapcase().swapcase() == letter
        else letter
        for letter, swap in zip(text, capitals, strict=False)
    )
    assert canonical_text(respelt, fold_case=True) == canonical_text(text, fold_case=True)


@given(TEXTS, TEXTS, BLANKS, BLANKS, st.booleans(), st.booleans())
@example("true", "TRUE", "", "", True, False)
@example("K", "k", "", "", False, True)
@example("σ", "ς", "", "", False, True)
def test_the_pattern_of_a_level_fits_what_becomes_that_level_and_nothing_else(
    text, other, before, after, is_boolean, fold_case
):
    options = {"is_boolean": is_boolean, "fold_case": fold_case}
    level = canonical_text(text, **options)
    pattern = any_of([level_pattern(level, **options)])
    assert re.fullmatch(pattern, f"{before}{text}{after}")
    for candidate in (other, text.upper(), text.lower(), f"{other}{after}"):
        means_the_same = canonical_text(candidate, **options) == level
        assert bool(re.fullmatch(pattern, candidate)) == means_the_same
    assert canonical_text(level, **options) == level
