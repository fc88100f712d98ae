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
    assert values["training.early_stopping.patience"] == "auto"


def test_what_is_given_by_column_is_one_value():
    types = {"a.b": "category", "c": "number"}
    text = b"data: {path: a.csv, target: y, types: {a.b: category, c: number}}\n"
    assert flat_config(parse_config(text, "config.yaml"))["data.types"] == types


def test_a_part_that_is_switched_off_differs_by_what_the_other_has():
    stopped, never = config(), config("training: {early_stopping: null}\n")
    assert differing_keys([stopped, never]) == {
        "training.early_stopping.patience": ["auto", None],
        "training.early_stopping.min_delta": [0.0, None],
    }


def test_values_that_are_the_same_everywhere_are_no_difference():
    assert differing_values([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1}]) == {"b": [2, 3, None]}
    assert differing_values([{"a": 1}]) == {}


def test_what_a_preset_sets_says_no_more_than_the_preset():
    assert differing_keys([config(), config("preset: fast\n")]) == {"preset": ["standard", "fast"]}
    rates = differing_keys([config(), config("preset: fast\ntraining: {learning_rate: 0.1}\n")])
    assert rates == {"preset": ["standard", "fast"], "training.learning_rate": [0.001, 0.1]}


def test_what_is_read_of_the_table_differs_as_every_other_key():
    less = parse_config(
        b"data: {path: a.csv, target: y, exclude: [x], split: ordered}\npreset: fast\n", "config.yaml"
    )
    assert differing_keys([config("preset: fast\n"), less]) == {
        "data.exclude": [[], ["x"]],
        "data.split": ["random", "ordered"],
    }


def test_refitting_differs_by_what_it_comes_to_and_not_by_how_it_is_written():
    auto = config("training: {learning_rate: 0.01}\n")
    written = config("training: {learning_rate: 0.01, refit: {epochs_fraction: 0.4}}\n")
    assert differing_keys([auto, written]) == {}
    never = config("training: {learning_rate: 0.01, epochs: 50}\n")
    assert differing_keys([auto, never]) == {
        "training.epochs": ["auto", 50],
        "training.refit.epochs_fraction": [0.4, None],
        "training.refit.learning_rate_fraction": [1.0, None],
    }
