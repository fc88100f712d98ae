"""Whatever a column or a level is called: names that C takes, literals and comments that end where they should."""

import ast
import re

from hypothesis import example, given
from hypothesis import strategies as st

from dlreg.exports.c.literals import (
    comment_text,
    identifiers,
    is_identifier,
    number_literal,
    text_literal,
)


@given(st.lists(st.text(), max_size=30))
@example(["M", "m", "M_2", "column_M_2"])
def test_names_are_identifiers_and_no_two_are_alike(names):
    given_names = identifiers(names)
    assert len(given_names) == len(names)
    assert all(is_identifier(name) and len(name) < 70 for name in given_names)
    assert len({name.lower() for name in given_names}) == len(names)


def test_names_stay_as_they_are_where_c_takes_them():
    names = [
        "distance_km",
        "Zone",
        "zone",
        "2nd",
        "double",
        "NAN",
        "a b",
        "Straße",
        "풍속",
        "",
        "_x",
        "errno",
    ]
    assert identifiers(names) == [
        "distance_km", "Zone", "zone_2", "column_2nd", "double_", "NAN_", "a_b", "Stra_u00df_e",
        "ud48d_uc18d", "column", "x", "errno_",
    ]  # fmt: skip


@given(st.binary())
def test_a_text_is_read_back_from_its_literal(text):
    literal = text_literal(text)
    # Python reads the same escapes.
    assert ast.literal_eval(f"b{literal}") == text
    assert literal.isascii() and literal.isprintable()
    assert "??" not in literal and '"' not in literal[1:-1]


@given(st.text(alphabet=st.sampled_from("*/\\?\n\r\u2028\u202e\x00a !=")) | st.text())
def test_a_comment_ends_where_it_should(text):
    shown = comment_text(text)
    assert not re.search(r"\*/|/\*|\?\?|[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e]", f"{shown}")
    assert not re.search(r"\*/", f"/* {shown} */"[2:-2])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_from_its_literal(number):
    assert float(number_literal(number, "double")) == number
    assert re.search(r"[.e]", number_literal(number, "double"))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_precision_number_too(number):
    import numpy as np

    literal = number_literal(number, "float")
    assert literal[-1] == "f" and np.float32(literal[:-1]) == np.float32(number)


def test_what_is_no_number_and_the_ends_of_integers():
    assert number_literal(float("nan"), "float") == "(float)NAN"
    assert number_literal(-float("inf"), "double") == "(double)-INFINITY"
    assert number_literal(-(1 << 63), "int64_t") == "INT64_MIN"
    assert number_literal(1 << 40, "int64_t") == "INT64_C(1099511627776)"
