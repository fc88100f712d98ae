"""Trees in a pipeline add up as they do row by row, and no others are run than dlreg writes."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from support.pipelines import drawn, fit
from support.trees import leaves_of, some_trees

from dlreg.errors import RunDirError
from dlreg.model.architecture import Network
from dlreg.model.mixture import Mixture, Ridge, mean_of
from dlreg.pipeline import tree_nodes
from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.networks import tree_sum
from dlreg.pipeline.session import Pipeline
from dlreg.pipeline.vetting import vet_model
from dlreg.table.column import Column

WIDTH = 4


def rows_beside(trees, n_rows=160):
    """Rows some of whose values are thresholds themselves, are missing, or are infinite."""
    generator = np.random.default_rng(2)
    x = generator.normal(size=(n_rows, WIDTH)).astype(np.float32)
    compares = np.flatnonzero(trees.features >= 0)
    for row, node in zip(range(0, n_rows, 3), np.resize(compares, n_rows), strict=False):
        x[row, trees.features[node]] = trees.numbers[node]
    x[5, 0], x[6, 1], x[7, 2] = np.nan, np.inf, -np.inf
    return x


def run(trees, x):
    graph = Graph()
    result = tree_sum(graph, "rows", trees)
    graph.nodes.append(helper.make_node("Identity", [result], ["y"]))
    model = graph.model(
        [table_value("rows", TensorProto.FLOAT, x.shape[1])], [table_value("y", TensorProto.DOUBLE)]
    )
    onnx.checker.check_model(model, full_check=True)
    return ort.InferenceSession(model.SerializeToString()).run(None, {"rows": x})[0][:, 0]


def test_onnx_runtime_walks_down_as_the_trees_say():
    trees = some_trees(WIDTH, n_trees=30)
    x = rows_beside(trees)
    expected = trees.weight * (leaves_of(trees, x) + trees.intercept)
    assert run(trees, x) == pytest.approx(expected, abs=1e-6)


def test_trees_are_read_as_they_were_written():
    trees = some_trees(WIDTH)
    nodes = tree_nodes.tree_nodes(trees.features, trees.numbers)
    assert np.array_equal(nodes.right, trees.right)
    assert np.array_equal(nodes.roots, trees.roots)
    assert nodes.depth == trees.depth == 4
    again = tree_nodes.read_trees(tree_nodes.tree_attributes(nodes))
    assert all(map(np.array_equal, again, nodes))


@pytest.mark.parametrize("features", [[], [0], [0, -1], [0, 0, -1, -1], [-1, 0, -1]])
def test_nodes_that_are_no_whole_trees_are_refused(features):
    with pytest.raises(RunDirError, match="trees that are not whole"):
        tree_nodes.tree_nodes(features, [0.0] * len(features))


def test_a_tree_may_be_a_leaf_alone():
    assert tree_nodes.tree_nodes([-1, 0, -1, -1, -1], [0.0] * 5).roots.tolist() == [0, 1, 4]


def columns_and_cells(n_rows=220):
    generator = np.random.default_rng(0)
    columns = tuple(Column(f"n{place}", "number") for place in range(WIDTH))
    return columns, {column.name: generator.normal(size=(n_rows, 1)) for column in columns}


@pytest.fixture(scope="module")
def blended():
    """A pipeline of a network, a ridge regression and trees; the same in Keras; what it reads."""
    columns, cells = columns_and_cells()
    preprocessing = fit(columns, cells, np.random.default_rng(1).normal(5, 2, 220))
    trees = some_trees(WIDTH, n_trees=40)
    mixture = Mixture(np.full(2, 0.2), Ridge(0.3, np.linspace(-1, 1, WIDTH), 0.1), (-0.9, 1.2), trees)
    exported, keras_model = drawn(preprocessing, Network(WIDTH, [8]), n_members=2, mixture=mixture)
    return exported, keras_model, preprocessing, cells, mixture


def test_a_blend_is_one_thing_in_keras_and_the_pipeline(blended):
    exported, keras_model, preprocessing, cells, mixture = blended
    x = preprocessing.transform(cells)
    scaled = np.asarray(keras_model(x))[:, 0].astype(np.float64)
    assert Pipeline(exported.SerializeToString()).predict(cells) == pytest.approx(
        preprocessing.target.inverse(scaled), abs=1e-5
    )
    without = drawn(
        preprocessing, Network(WIDTH, [8]), n_members=2, mixture=replace(mixture, trees=None, limits=None)
    )[1]
    trees = mixture.trees
    expected = np.asarray(without(x))[:, 0] + trees.weight * (leaves_of(trees, x) + trees.intercept)
    assert scaled == pytest.approx(np.clip(expected, -0.9, 1.2), abs=1e-5)


def test_the_keras_model_loads_in_safe_mode_and_predicts_alike(blended, tmp_path):
    import keras

    keras_model, x = blended[1], np.random.default_rng(3).normal(size=(50, WIDTH)).astype(np.float32)
    keras_model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(np.asarray(loaded(x)), np.asarray(keras_model(x)))


def test_a_row_is_predicted_alike_in_any_company(blended):
    exported, _, _, cells, _ = blended
    pipeline = Pipeline(exported.SerializeToString())
    together = pipeline.predict(cells)
    for n_rows in (1, 3, 4, 7, 130):
        assert np.array_equal(
            pipeline.predict({name: cell[:n_rows] for name, cell in cells.items()}), together[:n_rows]
        )


def changed(model, name, change):
    """The pipeline with another list in its trees."""
    other = onnx.ModelProto()
    other.CopyFrom(model)
    (node,) = (node for node in other.graph.node if node.op_type == tree_nodes.OPERATOR)
    (attribute,) = (attribute for attribute in node.attribute if attribute.name == name)
    value = helper.get_attribute_value(attribute)
    node.attribute.remove(attribute)
    new = change(value if isinstance(value, int) else list(value))
    if new is not None:
        node.attribute.append(helper.make_attribute(name, new))
    return other.SerializeToString()


def put(place, value):
    def change(values):
        values[place] = value
        return values

    return change


LISTS = sorted(tree_nodes.ATTRIBUTES - {"n_targets"})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        *((name, lambda _: None, "TreeEnsembleRegressor") for name in sorted(tree_nodes.ATTRIBUTES)),
        *((name, lambda values: values[:-1], "TreeEnsembleRegressor") for name in LISTS),
        *((name, lambda values: [*values, values[-1]], "TreeEnsembleRegressor") for name in LISTS),
        # A node that is its own child, one above it, another's, or none.
        *(("nodes_truenodeids", put(0, child), "other nodes_truenodeids") for child in (0, 2, -1, 1 << 40)),
        *(("nodes_falsenodeids", put(1, child), "other nodes_falsenodeids") for child in (0, 1, -1, 1 << 40)),
        ("nodes_nodeids", put(1, 0), "other nodes_nodeids"),
        ("nodes_treeids", put(0, -1), "other nodes_treeids"),
        ("target_ids", put(0, 1), "other target_ids"),
        ("target_treeids", put(0, 1 << 62), "other target_treeids"),
        ("target_nodeids", put(0, 1 << 62), "other target_nodeids"),
        ("n_targets", lambda _: 2, "other n_targets"),
        ("n_targets", lambda _: 1 << 40, "other n_targets"),
        ("n_targets", lambda _: 1.0, "another type"),
        ("nodes_treeids", lambda values: [float(value) for value in values], "another type"),
        ("nodes_featureids", put(0, WIDTH), "features that rows do not have"),
        ("nodes_featureids", put(0, 1 << 62), "features that rows do not have"),
        ("nodes_featureids", put(0, -1), "other nodes_falsenodeids"),
        ("nodes_modes", put(0, b"BRANCH_EQ"), "other nodes_modes"),
        ("nodes_modes", put(0, b"BRANCH_GT"), "other nodes_modes"),
        ("nodes_modes", put(0, b""), "other nodes_modes"),
        ("nodes_modes", put(0, b"LEAF"), "TreeEnsembleRegressor"),
        ("nodes_values", put(0, float("nan")), "no numbers"),
        ("nodes_values", put(0, float("inf")), "no numbers"),
        ("target_weights", put(0, float("nan")), "no numbers"),
        ("target_weights", put(0, float("-inf")), "no numbers"),
        ("nodes_values", lambda values: ["1"] * len(values), "TreeEnsembleRegressor"),
    ],
)
def test_trees_that_dlreg_does_not_write_are_refused(blended, name, change, message):
    vet_model(blended[0].SerializeToString())
    with pytest.raises(RunDirError, match=message):
        vet_model(changed(blended[0], name, change))


@pytest.mark.parametrize(
    "attribute", [("aggregate_function", "AVERAGE"), ("post_transform", "PROBIT"), ("base_values", [1e30]),
                  ("nodes_hitrates", [1.0]), ("nodes_missing_value_tracks_true", [1])]
)  # fmt: skip
def test_other_attributes_of_trees_are_refused(blended, attribute):
    model = onnx.ModelProto()
    model.CopyFrom(blended[0])
    (node,) = (node for node in model.graph.node if node.op_type == tree_nodes.OPERATOR)
    node.attribute.append(helper.make_attribute(*attribute))
    with pytest.raises(RunDirError, match=f"TreeEnsembleRegressor with '{attribute[0]}'"):
        vet_model(model.SerializeToString())


def test_a_tree_that_goes_too_deep_is_refused(blended):
    for depth, message in ((64, None), (65, "65 comparisons one behind the other")):
        features = [0] * depth + [-1] * (depth + 1)
        chain = replace(some_trees(1), features=np.array(features), numbers=np.zeros(2 * depth + 1))
        if message:
            with pytest.raises(RunDirError, match=message):
                run(chain, np.zeros((3, 1), dtype=np.float32))
        else:
            assert run(chain, np.zeros((3, 1), dtype=np.float32)) == pytest.approx(0.3 * 0.25)


def test_the_largest_trees_fit_the_limits_of_one_column():
    columns, cells = columns_and_cells()
    columns, cells = columns[:1], {"n0": cells["n0"]}
    preprocessing = fit(columns, cells, np.random.default_rng(1).normal(size=220))
    features, numbers = ([0] * 30 + [-1] * 31) * 300, np.linspace(0, 1, 61 * 300)
    _, _, right, roots, _ = tree_nodes.tree_nodes(features, numbers)
    trees = replace(some_trees(1), features=np.array(features), numbers=numbers, right=right, roots=roots)
    mixture = replace(mean_of([0], np.ones(1)), trees=trees)
    content = drawn(preprocessing, Network(1, [4]), mixture=mixture)[0].SerializeToString()
    assert len(Pipeline(content, n_columns=1).predict(cells)) == 220
