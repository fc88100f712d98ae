"""What configs differ in: by more than their presets."""

from dlreg.config.differences import differing_keys, differing_values, flat_config
from dlreg.config.reading import parse_config

BASE = "data: {path: a.csv, target: y}\n"


def config(text: str = ""):
    return parse_config((BASE + text).encode(), "config.yaml")


def test_a_key_of_a_section_has_its_name_with_a_dot():
    values = flat_config(config("model: {hidden_layers: [8]}\n"))
    assert values["model.hidden_layers"] == [8]
    assert values["preset"] == "standard"
    assert values["training.early_stopping"] == {"patience": 20, "min_delta": 0.0}


def test_values_that_are_the_same_everywhere_are_no_difference():
    assert differing_values([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1}]) == {"b": [2, 3, None]}
    assert differing_values([{"a": 1}]) == {}


def test_what_a_preset_sets_says_no_more_than_the_preset():
    assert differing_keys([config(), config("preset: fast\n")]) == {"preset": ["standard", "fast"]}
    rates = differing_keys([config(), config("preset: fast\ntraining: {learning_rate: 0.1}\n")])
    assert rates == {"preset": ["standard", "fast"], "training.learning_rate": [0.001, 0.1]}
