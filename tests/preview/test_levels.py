"""Levels that look like one are said, with what makes one of them."""

import pytest
from support.tables import advice_on, load

from dlreg.preview.levels import suspect_levels

LINES = [
    "x,town,y",
    *(f"{i},{town},{i * i}" for i, town in enumerate(["Elm", "elm", "Oak", " Elm", "Ash"] * 8)),
]
CONTENT = "\n".join(LINES) + "\n"


@pytest.mark.parametrize(
    ("levels", "named", "way_out"),
    [
        (["Elm", "elm", "Oak"], "'Elm' and 'elm'", "data.fold_case"),
        (["ÖL", "Öl"], "'ÖL' and 'Öl'", "data.fold_case"),
        (["Caf\u00e9", "Cafe\u0301"], "'Café'", "composed"),
        (["New York", "New  York"], "'New  York' and 'New York'", "invisible"),
        ([f"{letter}{number}" for number in range(5) for letter in "aA"], "and 2 more", "data.fold_case"),
    ],
)  # fmt: skip
def test_levels_that_look_like_one(levels, named, way_out):
    suspicion = suspect_levels("town", levels)
    assert suspicion is not None
    assert named in suspicion.message
    assert way_out in suspicion.hint


def test_levels_that_do_not():
    assert suspect_levels("town", ["Elm", "Oak", "", "ß", "ss", "3", "-3"]) is None


def test_folding_the_case_is_the_way_out_that_is_told(tmp_path):
    (message,) = [text for text in advice_on(tmp_path, CONTENT) if "look like one" in text]
    assert message == "column 'town' has levels that look like one: 'Elm' and 'elm'"
    assert not [
        text for text in advice_on(tmp_path, CONTENT, data={"fold_case": True}) if "look like" in text
    ]
    parts = load(tmp_path, CONTENT, data={"fold_case": True}).parts.values()
    assert {text for part in parts for text in part.cells["town"][:, 0]} == {"elm", "oak", "ash"}
