"""Defaults < preset < file: which value counts."""

from copy import deepcopy

import pytest

from dlreg.config.precedence import over_defaults, over_preset, section_of
from dlreg.config.presets import PRESETS


def test_what_is_given_overrules_the_preset_key_by_key() -> None:
    given = {"preset": "fast", "training": {"learning_rate_factors": {"biases": 9}}, "model": {"blend": None}}
    before = deepcopy(given), deepcopy(dict(PRESETS))
    values = over_preset(given)
    assert values["training"]["learning_rate_factors"]["biases"] == 9
    assert values["training"]["learning_rate_factors"]["embeddings"] == 0.1
    assert values["model"]["blend"] is None
    assert values["model"]["hidden_layers"] == [64, 64]
    assert (given, dict(PRESETS)) == before


@pytest.mark.parametrize(
    ("given", "section", "key", "value"),
    [
        ({"data": {"test_path": "t.csv"}}, "data", "test_split", None),
        ({"data": {"validation_path": "v.csv"}}, "training", "validation_split", 0.0),
        (
            {"data": {"validation_path": "v.csv"}, "training": {"validation_split": 0.1}},
            "training",
            "validation_split",
            0.1,
        ),
        ({"data": {"test_path": "t.csv", "test_split": 0.1}}, "data", "test_split", 0.1),
        ({"training": {"cross_validation": 5}}, "training", "validation_split", 0.0),
        ({"preset": "accurate"}, "training", "validation_split", 0.0),
    ],
)
def test_a_given_value_switches_off_the_default_of_another(
    given: dict, section: str, key: str, value: object
) -> None:
    assert over_preset(given)[section][key] == value


@pytest.mark.parametrize("given", [{}, {"preset": 3}, {"preset": "slow"}, {"data": None, "model": [1]}])
def test_whatever_is_wrong_the_defaults_stand_below(given: dict) -> None:
    values = over_defaults(over_preset(given))
    assert values["data"]["test_split"] == 0.2
    assert values["model"]["hidden_layers"] == [64, 64]
    assert section_of(given, "model") == {}
