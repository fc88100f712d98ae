"""Encoders: outputs in order, levels never seen, and which categories a network is to embed."""

import numpy as np
import pytest

from dlreg.features import encoding
from dlreg.features.encoding import Category, divide_levels, fit_encoder
from dlreg.features.numbers import Feature


def categories(**levels):
    """A category of each of these levels, and rows that hold them."""
    categories_of_levels = []
    for index, (name, known) in enumerate(levels.items()):
        values = np.resize(np.array(list(known), dtype=object), 30)
        categories_of_levels.append(
            Category(Feature(f"t{index}", name, "text"), values, np.array(sorted(known), dtype=object))
        )
    return categories_of_levels


def test_one_hot_outputs_are_named_by_level_and_unseen_levels_are_zeros():
    encoder = fit_encoder("onehot", categories(size="SML", open=["no", "yes"]), "standard")
    assert encoder.names == ("size=L", "size=M", "size=S", "open=no", "open=yes")
    rows = np.array([["M", "yes"], ["XL", "no"]], dtype=object)
    assert encoder.transform(rows).tolist() == [[0, 1, 0, 0, 1], [0, 0, 0, 1, 0]]
    assert encoder.embedded_levels == ()
    assert encoder.describe(1) == {"levels": ["no", "yes"]}


def test_embedded_categories_are_the_last_each_as_the_position_of_its_level():
    encoder = fit_encoder("embedding", categories(a="abcdefghijkl", b="xy", c="ABCDEFGHIJ"), "standard")
    assert [feature.name for feature in encoder.features] == ["b", "a", "c"]
    assert encoder.embedded_levels == (12, 10)
    assert encoder.names == ("b=x", "b=y", "a", "c")
    rows = np.array([["y", "c", "J"], ["z", "never", "A"]], dtype=object)
    assert encoder.transform(rows).tolist() == [[0, 1, 2, 9], [0, 0, 12, 0]]


@pytest.mark.parametrize(("numeric", "unseen"), [("none", -1.0), ("minmax", -0.5)])
def test_positions_of_levels_are_scaled_as_numbers(numeric, unseen):
    encoder = fit_encoder("ordinal", categories(size="SML"), numeric)
    assert encoder.names == ("size",)
    rows = np.array([["L"], ["S"], ["never"]], dtype=object)
    assert encoder.transform(rows)[:, 0].tolist() == [0.0, 2.0 if numeric == "none" else 1.0, unseen]
    assert encoder.describe(0)["levels"] == ["L", "M", "S"]


def test_of_too_many_levels_the_most_frequent_are_told_apart_and_ties_go_by_name(monkeypatch):
    monkeypatch.setitem(encoding.MOST_LEVELS, "onehot", 3)
    counts = {"a": 1, "b": 5, "": 2, "d": 1, "c": 1}
    assert divide_levels(counts, "onehot") == (["", "a", "b"], ("c", "d"))
    assert divide_levels(counts, "embedding") == (["", "a", "b", "c", "d"], ())


@pytest.mark.parametrize("method", ["onehot", "embedding", "ordinal"])
def test_a_rare_level_is_encoded_as_one_never_seen(method):
    values = np.array(list("aabbc"), dtype=object)
    category = Category(Feature("t0", "x", "text"), values, np.array(["a", "b"], dtype=object), ("c",))
    encoder = fit_encoder(method, [category], "none")
    rare, unseen = encoder.transform(np.array([["c"], ["never"]], dtype=object))
    assert rare.tolist() == unseen.tolist()
    assert encoder.describe(0)["rare_levels"] == ["c"]
