"""How messages put what a user wrote."""

import re
from pathlib import Path

import pytest

from dlreg.wording import format_number, format_share, nearest_word, quote, shorten


def test_long_text_is_shortened_to_sixty_characters() -> None:
    assert shorten("x" * 60) == "x" * 60
    assert shorten("x" * 61) == "x" * 59 + "…"


@pytest.mark.parametrize(
    ("value", "text"), [("a", '"a"'), (3, "3"), (None, "null"), (["가", True], '["가", true]'), ("é" * 99, '"' + "é" * 58 + "…")]
)  # fmt: skip
def test_values_are_quoted_in_flow_style(value: object, text: str) -> None:
    assert quote(value) == text


def test_the_nearest_word_is_the_one_as_it_is_spelled_among_the_words() -> None:
    assert nearest_word("LOS", ["Loss", "epochs"]) == "Loss"
    assert nearest_word("z", ["Loss", "epochs"]) is None
    assert nearest_word("a b", ["ab"], fold=lambda word: word.replace(" ", "")) == "ab"
    assert nearest_word("lss", ["loss"], cutoff=0.9) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (12345, "12,345"), (1.23456, "1.235"), (12345.6, "12,346"), (1e20, "1.000e+20")],
)
def test_numbers_have_the_digits_that_are_read(value: float | None, text: str) -> None:
    assert format_number(value) == text
    assert format_share(0.9049) == "90.5%"


def test_percent_is_written_without_a_blank():
    root = Path(__file__).parents[1]
    texts = [root / "README.md", *(root / "dlreg" / "docs").glob("*.md"), *(root / "dlreg").rglob("*.py")]
    assert len(texts) > 200
    # But cells of a table, in backquotes, may have any spelling.
    lines = [
        f"{path.name}: {line}" for path in texts for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [line for line in lines if re.search("[0-9}] %(?!`)", line)] == []
