"""Numbers as people write them, taken apart: unit, brackets, signs and digits of any script."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg.table.kinds.units import counts_multiples, folded_unit, split_number


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("71.62", "71.62", ""),
        (" 7 ", "7", ""),
        ("+5", "5", ""),
        (".5", ".5", ""),
        ("-1e-3", "-1e-3", ""),
        ("16.6%", "16.6", "%"),
        ("16,6 %", "16,6", "%"),
        ("3‰", "3", "‰"),
        ("€71.62", "71.62", "€"),
        ("71,62 €", "71,62", "€"),
        ("EUR 5", "5", "EUR"),
        ("5 EUR", "5", "EUR"),
        ("CHF 1’200.50", "1'200.50", "CHF"),
        ("US$ 5", "5", "US$"),
        ("R$5", "5", "R$"),
        ("₩3,000", "3,000", "₩"),
        ("3,000원", "3,000", "원"),
        ("￥５，０００", "5,000", "¥"),
        ("5円", "5", "円"),
        ("3万円", "3", "万円"),
        ("113 m2", "113", "m2"),
        ("113 m²", "113", "m²"),
        ("113㎡", "113", "m2"),
        ("90 km/h", "90", "km/h"),
        ("6.5 l/100 km", "6.5", "l/100 km"),
        ("5 µg/m³", "5", "µg/m³"),
        ("98.6 °F", "98.6", "°F"),
        ("20℃", "20", "°C"),
        ("3 sq. ft", "3", "sq. ft"),
        ("$1.2M", "1.2", "$ M"),
        ("3 Mio. €", "3", "Mio. €"),
        ("(79.01)", "-79.01", ""),
        ("($79.01)", "-79.01", "$"),
        ("$(79.01)", "-79.01", "$"),
        ("(5 %)", "-5", "%"),
        ("79.01-", "-79.01", ""),
        ("−5", "-5", ""),
        ("–5", "-5", ""),
        ("－５", "-5", ""),
        ("- 5", "-5", ""),
        ("-$5", "-5", "$"),
        ("$-5", "-5", "$"),
        ("１２", "12", ""),
        ("٣", "3", ""),
        ("१२", "12", ""),
        ("1\u202f234\u00a0€", "1 234", "€"),
        ("\u200e-5", "-5", ""),
    ],
)
def test_a_number_is_taken_apart(text, number, unit):
    assert split_number(text) == (number, unit)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "−", "€", "kg", "x", "inf", "nan",
        "<5", ">100", "~5", "±5", "5 (est.)", "5 (2)", "n/a*", "#DIV/0!",
        "18-25", "5-kg", "2-door", "65+", "5 to 6", "5 ft 3 in", "5 + 3", "1/2", "½", "2 1/2",
        "3e", "3 E", "3d5", "0x1F", "5²", "5 ²", "5①",
        "12:30", "2023-01-01", "1 Mar 2023", "room 5", "A12", "id-5", "10.0.0.1/8",
        "--5", "-(5)", "(-5)", "(5)-", "-5-", "((5))", "(5", "5)",
        "5 of a very long remark here", "5 " + "m" * 30, "1" * 200_000, "(" + "1" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_number_is_left_alone(text):
    assert split_number(text) is None


UNITS = ["", "%", "€", "$", "kg", "m2", "km/h", "°C", "평", "l/100 km"]
DIGIT_SETS = [
    "0123456789",
    "".join(chr(0xFF10 + digit) for digit in range(10)),
    "".join(unicodedata.lookup(f"ARABIC-INDIC DIGIT {name}") for name in (
        "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")),
]  # fmt: skip


@given(
    number=st.decimals(0, 10**6, places=2),
    unit=st.sampled_from(UNITS),
    blank=st.sampled_from(["", " ", "\u00a0", "\u202f", "  "]),
    digits=st.sampled_from(DIGIT_SETS),
    negate=st.sampled_from(["{}", "-{}", "−{}", "({})", "{}-", "－{}"]),
    padding=st.sampled_from(["", " ", "\t"]),
)
def test_however_a_number_is_written_its_value_is_the_same(number, unit, blank, digits, negate, padding):
    plain = f"{number:f}"
    if negate == "{}-" and unit:
        negate = "-{}"
    written = negate.format(
        plain.translate(str.maketrans("0123456789", digits)) + (blank + unit if unit else "")
    )
    taken_apart = split_number(padding + written + padding)
    assert taken_apart is not None
    assert float(taken_apart.number) == (float(plain) if negate == "{}" else -float(plain))
    assert folded_unit(taken_apart.unit) == folded_unit(unit)


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_or_left_alone(text):
    taken_apart = split_number(text)
    if taken_apart:
        assert taken_apart.number.isascii()
        # Every digit that was there counts, or belongs to the unit.
        assert any(character.isdecimal() for character in text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m²", "m2"),
        ("m^2", "m2"),
        ("km / h", "km/h"),
        ("lbs", "lb"),
        ("day", "days"),
        ("Mio. €", "Mio €"),
        ("ft.", "ft"),
    ],
)
def test_units_that_differ_in_spelling_alone_are_one(one, other):
    assert folded_unit(one) == folded_unit(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$", "€"),
        ("m", "ms"),
        ("mW", "MW"),
        ("kg", "g"),
        ("k", ""),
        ("US$", "A$"),
        ("m2", "m3"),
        ("st", "nd"),
        ("lb", "kg"),
    ],
)
def test_units_that_differ_are_two(one, other):
    assert folded_unit(one) != folded_unit(other)


@pytest.mark.parametrize(
    "unit", ["k", "K", "M", "Mio. €", "$ M", "k€", "万円", "억", "million", "Tsd. EUR", "bn"]
)
def test_some_units_stand_for_thousands(unit):
    assert counts_multiples(unit)


@pytest.mark.parametrize("unit", ["", "%", "€", "kg", "m", "km", "mm", "円", "EUR", "MW", "min"])
def test_most_units_do_not(unit):
    assert not counts_multiples(unit)
