"""The parameters of the estimator are the keys of the config: no other, and none left out."""

import inspect

import dlreg
from dlreg.api.parameters import _MAY_BE_NULL, KEYS, SECTIONS, config_of
from dlreg.config.keys import leaves_of, nodes_at, section_keys


def test_every_key_of_the_three_sections_is_a_parameter():
    keys = [tuple(key.split(".")) for key in section_keys() if key.split(".")[0] in SECTIONS]
    assert list(KEYS.values()) == keys
    # By its last name each is one key alone.
    assert len(KEYS) == len(keys)
    assert list(inspect.signature(dlreg.Regressor).parameters) == ["preset", *KEYS, "verbose"]


def test_the_keys_that_may_be_null_are_those_of_the_schema():
    nullable = {
        name
        for name, key in KEYS.items()
        if any(leaf.get("type") == "null" for leaf in leaves_of(nodes_at(key)))
    }
    assert nullable == _MAY_BE_NULL


def test_none_leaves_a_key_as_it_is_and_false_is_null_where_there_is_one():
    given = {"preset": "fast", "epochs": 3, "seed": None, "early_stopping": False, "batch_norm": False}
    assert config_of(given) == {
        "preset": "fast",
        "preprocessing": {},
        "model": {"batch_norm": False},
        "training": {"epochs": 3, "early_stopping": None},
    }
