"""The ONNX graph gives what scikit-learn and Keras give, from the raw cells on."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from support.pipelines import N_ROWS, N_TRAIN, SCALINGS, drawn, fit
from support.tables import part_of

from dlreg.errors import DataError
from dlreg.features.encoding import MOST_LEVELS
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import trained_model
from dlreg.pipeline.export import refuse_large
from dlreg.pipeline.limits import MAX_TEXTS_PER_OPERATOR
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column


def both_ways(preprocessing, cells, **network):
    """Predictions by scikit-learn and Keras, and by the exported pipeline."""
    x = preprocessing.transform(cells)
    exported, model = drawn(preprocessing, Network(x.shape[1], **{"hidden_layers": [16]} | network))
    scaled = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    return preprocessing.target.inverse(scaled), Pipeline(exported.SerializeToString()).predict(cells)


@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
@pytest.mark.parametrize("numeric", SCALINGS)
def test_every_preprocessing_predicts_as_scikit_learn_and_keras(table, numeric, categorical):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    expected, predicted = both_ways(fit(columns, cells, y, numeric=numeric, categorical=categorical), cells)
    assert np.max(np.abs(predicted - expected)) < 1e-5 * y.std()


@pytest.mark.parametrize("target", ["standard", "minmax", "log", "log1p", "none"])
def test_every_target_scaling_is_undone(table, target):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 2.0, N_ROWS)
    expected, predicted = both_ways(fit(columns, cells, y, target=target, missing="mean"), cells)
    assert np.max(np.abs(predicted - expected)) < 1e-5 * y.std()


@pytest.mark.parametrize("target", ["standard", "log1p"])
def test_an_ensemble_gives_the_mean_and_the_spread_of_its_members(table, target):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, size=N_ROWS)
    preprocessing = fit(columns, cells, y, target=target)
    x = preprocessing.transform(cells)
    network = Network(x.shape[1], [6])
    exported, together = drawn(preprocessing, network, n_members=3)
    members = [trained_model(network, [weights]) for weights in initial_weights(network, 2, 3)]
    scaled = np.column_stack([member.predict(x, verbose=0) for member in members]).astype(np.float64)
    pipeline = Pipeline(exported.SerializeToString())
    mean, spread = (pipeline.run(cells)[name] for name in ("prediction", "spread"))
    assert mean == pytest.approx(preprocessing.target.inverse(scaled.mean(axis=1)), rel=1e-5)
    assert spread == pytest.approx(preprocessing.target.inverse(scaled).std(axis=1), rel=1e-4)
    assert (pipeline.predict(cells) == mean).all()
    mean = together.predict(x, verbose=0)[:, 0]
    assert mean == pytest.approx(scaled.mean(axis=1), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("embedding", ["none", "periodic", "piecewise_linear"])
def test_every_column_is_read_whatever_the_order_of_the_categories(embedding):
    generator = np.random.default_rng(3)
    levels = {"city": list("abcdefghijkl"), "grade": ["low", "mid", "top"], "open": ["no", "yes"]}
    levels["zone"] = list("ABCDEFGHIJK")
    columns = (Column("size", "number"), *(Column(name, "category") for name in levels))
    cells = {
        name: generator.choice(np.array(known, dtype=object), (N_ROWS, 1)) for name, known in levels.items()
    }
    cells["size"] = generator.normal(size=(N_ROWS, 1))
    y = generator.normal(size=N_ROWS)
    preprocessing = fit(columns, cells, y, categorical="embedding")
    x = preprocessing.transform(cells)
    width = x.shape[1]
    assert preprocessing.embedded_levels == (12, 11)
    network = Network(
        width,
        [16],
        "mish",
        embedding=fit_embedding(embedding, x[:N_TRAIN, : preprocessing.n_numbers]),
        categories=preprocessing.embedded_levels,
    )
    exported, model = drawn(preprocessing, network)
    pipeline = Pipeline(exported.SerializeToString())
    predicted = pipeline.predict(cells)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert predicted == pytest.approx(expected, abs=1e-4 * y.std())
    for name, values in cells.items():
        moved = np.roll(values, 1, axis=0)
        differs = (moved != values)[:, 0]
        predicted_of_moved = pipeline.predict({**cells, name: moved})
        assert (predicted_of_moved != predicted).tolist() == differs.tolist(), name


def test_cells_that_training_never_saw_count_as_missing_or_unseen(table):
    columns, cells = table
    y = np.random.default_rng(1).normal(size=N_ROWS)
    preprocessing = fit(columns, cells, y)
    exported, model = drawn(preprocessing, Network(len(preprocessing.feature_names), [16]))
    pipeline = Pipeline(exported.SerializeToString())
    odd = {name: values[30:40].copy() for name, values in cells.items()}
    missing = {name: values.copy() for name, values in odd.items()}
    odd["iso"][:, 0] = [
        "2023-02-29",
        "nonsense",
        "2023-13-01",
        "2023-00-10",
        "2023-1-0",
        "x",
        "1",
        "-",
        " ",
        "2023",
    ]
    missing["iso"][:] = ""
    odd["european"][:, 0], missing["european"][:] = "01/01/2020 25:00", ""
    assert pipeline.predict(odd) == pytest.approx(pipeline.predict(missing), rel=1e-12)
    odd["풍속"][:], missing["풍속"][:] = "maybe", "never"
    assert (pipeline.predict(odd) == pipeline.predict(missing)).all()
    x = preprocessing.transform(missing)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert pipeline.predict(missing) == pytest.approx(expected, rel=1e-5)


def test_inputs_are_the_columns_by_name_and_type(table):
    columns, cells = table
    preprocessing = fit(columns, cells, np.arange(N_ROWS, dtype=float))
    exported, _ = drawn(preprocessing, Network(len(preprocessing.feature_names), []))
    onnx.checker.check_model(exported, full_check=True)
    session = ort.InferenceSession(exported.SerializeToString())
    types = {"number": "tensor(double)"}
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        (column.name, types.get(column.kind, "tensor(string)"), ["N", 1]) for column in columns
    ]
    (output,) = session.get_outputs()
    assert output.name == "dlreg/_prediction"  # one of the columns has that name
    assert (output.type, output.shape) == ("tensor(double)", ["N", 1])


def test_numbers_keep_double_precision_until_they_are_scaled():
    ids = 1e15 + np.arange(40.0)
    columns = (Column("id", "number"),)
    cells = {"id": ids.reshape(-1, 1)}
    settings = {"numeric": "standard", "missing": "median", "categorical": "onehot", "target": "none"}
    preprocessing = fit_preprocessing(part_of(cells, np.arange(40.0)), columns, **settings)
    exported, _ = drawn(preprocessing, Network(1, []))
    predicted = Pipeline(exported.SerializeToString()).predict(cells)
    assert len(set(predicted)) == 40


def test_a_hundred_thousand_levels_are_written_and_read():
    levels = np.array([f"customer {number}" for number in range(100_000)], dtype=object)
    cells = {"c": levels[:, None]}
    preprocessing = fit_preprocessing(
        part_of(cells, np.arange(100_000.0)), [Column("c", "category")], numeric="standard", missing="median",
        categorical="embedding", target="standard",
    )  # fmt: skip
    refuse_large(preprocessing)
    x = preprocessing.transform(cells)
    assert sorted(x[:, 0].tolist()) == list(range(100_000))
    exported, model = drawn(preprocessing, Network(1, [4], categories=preprocessing.embedded_levels))
    pipeline = Pipeline(exported.SerializeToString(), n_columns=1)
    some = slice(None, None, 977)
    expected = preprocessing.target.inverse(model.predict(x[some], verbose=0)[:, 0].astype(np.float64))
    assert pipeline.predict({"c": levels[some, None]}) == pytest.approx(expected, rel=1e-5)
    unseen = pipeline.predict({"c": np.array([["customer"]], dtype=object)})
    origin = model.predict(np.array([[100_000.0]], np.float32), verbose=0)[:, 0].astype(np.float64)
    assert unseen == pytest.approx(preprocessing.target.inverse(origin), rel=1e-5)


def test_an_operator_may_have_as_many_texts_as_a_category_levels():
    assert max(MOST_LEVELS.values()) == MAX_TEXTS_PER_OPERATOR


def levels_of(n_columns, length):
    """Categories of a thousand levels of this length each, with their cells."""
    columns = [Column(f"c{k}", "category") for k in range(n_columns)]
    levels = np.array([f"{level:0{length}}" for level in range(1000)], dtype=object)
    return columns, {column.name: levels[:, None] for column in columns}


@pytest.mark.parametrize(
    ("n_columns", "length", "fits"), [(1, 200, True), (1, 900, False), (2, 900, False), (40, 20, True)]
)
def test_a_pipeline_too_large_to_be_read_is_refused_before_training(n_columns, length, fits):
    columns, cells = levels_of(n_columns, length)
    preprocessing = fit_preprocessing(
        part_of(cells, np.arange(1000.0)), columns, numeric="standard", missing="median",
        categorical="ordinal", target="standard",
    )  # fmt: skip
    if not fits:
        with pytest.raises(DataError, match=r"dates and categories take .* in the pipeline"):
            refuse_large(preprocessing)
        return
    refuse_large(preprocessing)
    exported, _ = drawn(preprocessing, Network(len(preprocessing.feature_names), [4]))
    assert Pipeline(exported.SerializeToString(), n_columns=n_columns).inputs.keys() == cells.keys()
