"""The walk through the JSON Schema: keys, alternatives, words."""

from typing import get_args

import pytest

from dlreg.config.keys import (
    SECTIONS,
    dotted,
    leaves_of,
    named_values,
    nodes_at,
    override_keys,
    properties_of,
    section_keys,
    words_of,
)
from dlreg.config.sections.training import Loss


def test_the_sections_are_all_keys_of_the_document_but_the_preset() -> None:
    assert SECTIONS == ("data", "preprocessing", "model", "training", "run", "search")


def test_keys_come_with_what_they_mean() -> None:
    keys = override_keys()
    assert keys["data.target"] == "The column to predict."
    assert keys["training.early_stopping.patience"] == (
        "Epochs without improvement before the end; auto for a tenth of all, 20 at least."
    )
    assert {"preset", *section_keys()} <= set(keys)
    assert all(keys.values())


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("training.loss", list(get_args(Loss))),
        ("model.blend", ["true", "false"]),
        ("run.dir", ["null"]),
        ("training.seed", []),
        ("training.schedule.name", ["constant", "cosine", "step", "plateau", "coslog4"]),
        ("no.such.key", []),
    ],
)
def test_values_with_names(key: str, values: list[str]) -> None:
    assert named_values(key) == values


def test_alternatives_and_keys_of_one_variant() -> None:
    nodes = nodes_at(("training", "schedule"))
    assert words_of(leaves_of(nodes)) == ["constant", "cosine", "step", "plateau", "coslog4"]
    assert list(properties_of(nodes, "step")) == ["name", "every_epochs", "factor"]
    assert {"patience", "warmup_epochs"} <= set(properties_of(nodes))
    assert [leaf["type"] for leaf in leaves_of(nodes_at(("model", "hidden_layers", 3)))] == ["integer"]


def test_keys_as_messages_name_them() -> None:
    assert dotted(("data", "features", 2)) == "data.features[2]"
    assert dotted(("data", "types", "x" * 99)) == f"data.types.{'x' * 59}…"
    assert dotted(("", "a")) == '"".a'
