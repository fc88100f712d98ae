"""Partial dependence, held against scikit-learn's."""

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import partial_dependence as reference

from dlreg.evaluation.dependence import partial_dependence


def test_it_is_scikit_learns():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(80, 3))
    model = RandomForestRegressor(20, random_state=0).fit(x, x[:, 0] * x[:, 1])
    values = np.array([-1.0, 0.0, 2.0])
    cells = {f"x{place}": x[:, [place]] for place in range(3)}
    found = partial_dependence(lambda c: model.predict(np.hstack(list(c.values()))), cells, "x1", values)
    expected = reference(model, x, [1], custom_values={1: values}, method="brute", kind="average")["average"][
        0
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_texts_are_set_as_they_are():
    cells = {"zone": np.array([["a"], ["b"], [""]], dtype=object), "x": np.array([[1.0], [2.0], [3.0]])}
    seen = []

    def predict(rows):
        seen.append(rows)
        return (rows["zone"][:, 0] == "b") * 10 + rows["x"][:, 0]

    values = np.array(["b", ""], dtype=object)
    np.testing.assert_allclose(partial_dependence(predict, cells, "zone", values), [12.0, 2.0])
    assert list(seen[0]) == ["zone", "x"] and seen[0]["zone"].dtype == object
