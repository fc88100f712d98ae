"""The ONNX graph gives what scikit-learn and Keras give, from the raw cells on."""

import typing
from dataclasses import replace

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from support.tables import part_of

from dlreg.config.schema import Activation, NumericScaling
from dlreg.engine.forward import predict
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.features.scaling import SOFT_LIMIT
from dlreg.features.target import TargetScaling
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import combined_model, keras_file, trained_model
from dlreg.model.mixture import Mixture, Ridge, mean_of
from dlreg.model.residual_scale import ResidualScale
from dlreg.model.weights import TrainedVariant, Weights
from dlreg.pipeline import vetting as onnx_safety
from dlreg.pipeline.export import export_pipeline
from dlreg.pipeline.networks import ACTIVATIONS, network_graph
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column
from dlreg.table.columns import read_cells, recognise_columns
from dlreg.table.csv_file import read_table
from dlreg.table.csv_format import CsvFormat

N_TRAIN, N_ROWS = 150, 220
# All but none: as they are, the table's billions are too large for a network's single precision.
SCALINGS = [name for name in typing.get_args(NumericScaling) if name != "none"]
DATE_FORMATS = {
    "iso": "%Y-%m-%d",
    "european": "%d/%m/%Y %H:%M",
    "packed": "%Y%m%d%H%M%S",
    "named": "%d-%b-%y",
    "wordy": "on %B %d, %Y at %H:%M:%S.%f!",
    "zoned": "%Y-%m-%dT%H:%M:%SZ",
    "year": "%Y",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of every kind of column; moments from 1906 to 2065, money in billions, odd names."""
    generator = np.random.default_rng(0)
    moments = pd.to_datetime(generator.integers(-2_000_000_000, 3_000_000_000, N_ROWS), unit="s")
    frame = pd.DataFrame({name: moments.strftime(date_format) for name, date_format in DATE_FORMATS.items()})
    frame["Wind speed (m/s)"] = generator.normal(size=N_ROWS) * 1e9 + 1e12
    frame["whole"] = generator.integers(0, 5, N_ROWS)
    frame["constant"] = 7
    frame["prediction"] = generator.choice(["a", "b", "", 'q"x', " blank "], N_ROWS)
    frame["풍속"] = generator.choice(["yes", "no"], N_ROWS)
    frame["dlreg/0"] = generator.normal(size=N_ROWS)
    frame.loc[3:9, ["Wind speed (m/s)", "dlreg/0"]] = np.nan
    frame.loc[12:20, ["iso", "wordy"]] = ""
    path = tmp_path_factory.mktemp("onnx") / "table.csv"
    frame.to_csv(path, index=False)
    table = read_table(str(path), CsvFormat(), {*DATE_FORMATS, "prediction"})
    columns = recognise_columns(table, table.frame.columns, {}, DATE_FORMATS)
    return columns, read_cells(table, columns)


def fit(columns, cells, y, **options):
    settings = {"numeric": "standard", "missing": "median", "categorical": "onehot", "target": "standard"}
    train = {name: values[:N_TRAIN] for name, values in cells.items()}
    return fit_preprocessing(part_of(train, y[:N_TRAIN]), columns, **settings | options)


def both_ways(preprocessing, cells, **network):
    """Predictions by scikit-learn and Keras, and by the exported pipeline."""
    x = preprocessing.transform(cells)
    exported, model = drawn(preprocessing, Network(x.shape[1], **{"hidden_layers": [16]} | network))
    scaled = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    return preprocessing.target.inverse(scaled), Pipeline(exported.SerializeToString()).predict(cells)


def drawn(preprocessing, network, *, n_members=1, mixture=None):
    """A pipeline and a Keras model of one network with random weights."""
    weights = initial_weights(network, 2, n_members)
    mixture = mixture or mean_of(n_members, None)
    exported = export_pipeline(preprocessing, [TrainedVariant(network, weights)], mixture)
    return exported, combined_model([trained_model(network, weights)], mixture)


@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
@pytest.mark.parametrize("numeric", SCALINGS)
def test_every_preprocessing_predicts_as_scikit_learn_and_keras(table, numeric, categorical):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    expected, found = both_ways(fit(columns, cells, y, numeric=numeric, categorical=categorical), cells)
    assert np.max(np.abs(found - expected)) < 1e-5 * y.std()


@pytest.mark.parametrize("target", ["standard", "minmax", "log", "log1p", "none"])
def test_every_target_scaling_is_undone(table, target):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 2.0, N_ROWS)
    expected, found = both_ways(fit(columns, cells, y, target=target, missing="mean"), cells)
    assert np.max(np.abs(found - expected)) < 1e-5 * y.std()


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


def some_scale(n_features):
    generator = np.random.default_rng(4)
    weights = 0.1 * generator.normal(size=n_features)
    return ResidualScale(
        weights, np.array([0.0, 2.0, 3.0, 9.0]), np.array([0.5, -0.2, 0.3]), -0.7, (-1.2, 0.1)
    )


@pytest.mark.parametrize("name", ["year of nothing", "residual_scale"])
@pytest.mark.parametrize("without", ["nothing", "features", "knots"])
def test_the_scale_of_residuals_is_a_further_output(table, name, without):
    columns, cells = table
    cells = {name if column == "whole" else column: values for column, values in cells.items()}
    columns = [Column(name, "number") if column.name == "whole" else column for column in columns]
    preprocessing = fit(columns, cells, np.random.default_rng(1).gamma(2.0, size=N_ROWS), target="log1p")
    x = preprocessing.transform(cells)
    scale = some_scale(x.shape[1])
    if without == "features":
        scale = replace(scale, features=np.empty(0))
    elif without == "knots":
        scale = replace(scale, knots=np.empty(0), bins=np.empty(0))
    for n_members in (1, 2):
        model, _ = drawn(preprocessing, Network(x.shape[1], [6]), n_members=n_members)
        before = Pipeline(model.SerializeToString()).run(cells)
        after = Pipeline(add_residual_scale(model, scale).SerializeToString()).run(cells)
        assert list(after) == [*before, "residual_scale"]
        assert all((after[output] == before[output]).all() for output in before)
        given = x[:, : len(scale.features)].astype(np.float64)
        expected = scale(given, before["prediction"])
        assert after["residual_scale"] == pytest.approx(expected, rel=1e-5)
        assert len(set(expected.round(6))) > 10


@pytest.mark.parametrize("n_members", [1, 3])
def test_batch_norm_and_dropout_are_exported_as_they_predict(table, n_members):
    columns, cells = table
    y = np.random.default_rng(1).normal(size=N_ROWS)
    preprocessing = fit(columns, cells, y)
    x = preprocessing.transform(cells)
    network = Network(x.shape[1], [8, 4], batch_norm=True, dropout=0.4)
    generator = np.random.default_rng(3)
    weights = [
        Weights(
            *([np.abs(generator.normal(size=each.shape)).astype("f4") for each in part] for part in initial)
        )
        for initial in initial_weights(network, 2, n_members)
    ]
    members = trained_model(network, weights).predict(x, verbose=0)
    for found, own in zip(members.T, weights, strict=True):
        alone = trained_model(network, [own]).predict(x, verbose=0)[:, 0]
        assert found == pytest.approx(alone, rel=1e-5, abs=1e-6)
    expected = preprocessing.target.inverse(members.mean(axis=1).astype(np.float64))
    exported = export_pipeline(preprocessing, [TrainedVariant(network, weights)], mean_of(n_members, None))
    found = Pipeline(exported.SerializeToString()).predict(cells)
    assert found == pytest.approx(expected, rel=1e-5)


EMBEDDED = {
    "activation": "mish", "parametric_activation": True, "feature_scale": True, "initializer": "he_normal"
}  # fmt: skip


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("embedding", ["none", "periodic", "piecewise_linear"])
def test_embeddings_are_one_thing_in_keras_onnx_and_the_loop(table, embedding, n_members):
    columns, cells = table
    y = np.random.default_rng(1).normal(size=N_ROWS)
    options = {"numeric": "robust_clip", "missing_indicator": True, "categorical": "embedding"}
    preprocessing = fit(columns, cells, y, **options, clip_predictions=True)
    x = preprocessing.transform(cells)
    assert np.abs(x[:, : preprocessing.n_numbers]).max() < SOFT_LIMIT
    network = Network(
        x.shape[1],
        [16, 8],
        embedding=fit_embedding(embedding, x[:N_TRAIN, : preprocessing.n_numbers]),
        categories=((x.shape[1] - 5, 5),),
        **EMBEDDED,
    )
    mixture = Mixture(
        np.full(n_members, 0.7 / n_members), Ridge(0.3, np.full(x.shape[1], 0.1), 0.2), preprocessing.limits
    )
    exported, model = drawn(preprocessing, network, n_members=n_members, mixture=mixture)
    scaled = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    assert scaled.min() >= preprocessing.limits[0] - 1e-6
    found = Pipeline(exported.SerializeToString()).predict(cells)
    assert np.max(np.abs(found - preprocessing.target.inverse(scaled))) < 1e-5 * y.std()
    weights = initial_weights(network, 2, n_members)
    members = np.array([trained_model(network, [each]).predict(x, verbose=0)[:, 0] for each in weights])
    assert predict(network, weights, x) == pytest.approx(members, abs=2e-5)
    onnx_safety.vet_model(exported.SerializeToString())


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
    assert preprocessing.embedded_categories == ((width - 23, 12), (width - 11, 11))
    network = Network(
        width,
        [16],
        "mish",
        embedding=fit_embedding(embedding, x[:N_TRAIN, : preprocessing.n_numbers]),
        categories=preprocessing.embedded_categories,
    )
    exported, model = drawn(preprocessing, network)
    pipeline = Pipeline(exported.SerializeToString())
    predicted = pipeline.predict(cells)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert predicted == pytest.approx(expected, abs=1e-4 * y.std())
    for name, values in cells.items():
        moved = np.roll(values, 1, axis=0)
        differs = (moved != values)[:, 0]
        found = pipeline.predict({**cells, name: moved})
        assert (found != predicted).tolist() == differs.tolist(), name


def test_categories_that_would_hide_other_features_are_refused():
    with pytest.raises(ValueError, match="not the last features"):
        Network(15, categories=((2, 10),))


def test_embedded_models_load_in_stock_keras_in_safe_mode(tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    for embedding in ("periodic", "piecewise_linear"):
        network = Network(7, [8], embedding=fit_embedding(embedding, x), categories=((5, 2),), **EMBEDDED)
        weights = initial_weights(network, 1, 2)
        mixture = Mixture(np.full(2, 0.5), Ridge(0.1, np.full(7, 0.1), 0.0), (-1.0, 1.0))
        model = combined_model([trained_model(network, weights)], mixture)
        (tmp_path / "model.keras").write_bytes(keras_file(model))
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        rows = np.random.default_rng(1).normal(size=(9, 7)).astype(np.float32)
        assert (loaded.predict(rows, verbose=0) == model.predict(rows, verbose=0)).all()


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
    assert [(each.name, each.type, each.shape) for each in session.get_inputs()] == [
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
    found = Pipeline(exported.SerializeToString()).predict(cells)
    assert len(set(found)) == 40


@pytest.mark.parametrize("activation", typing.get_args(Activation))
def test_every_activation_of_the_config_is_keras_own(activation):
    x = np.concatenate([np.linspace(-9, 9, 3601), [-60.0, 60.0]]).astype(np.float32).reshape(-1, 1)
    one, zero = np.ones((1, 1), dtype=np.float32), np.zeros(1, dtype=np.float32)
    as_it_is = [TrainedVariant(Network(1, [1], activation), [Weights([one, zero, one, zero], [])])]
    graph = network_graph(as_it_is, mean_of(1, None), TargetScaling("none", 0.0, 1.0), ["y"])
    onnx.checker.check_model(graph, full_check=True)
    (found,) = ort.InferenceSession(graph.SerializeToString()).run(None, {"rows": x.astype(np.float64)})
    expected = np.asarray(keras.activations.get(activation)(x))
    assert found == pytest.approx(expected, rel=2e-6, abs=1e-6)


def test_no_activation_is_exported_that_the_config_cannot_name():
    assert set(ACTIVATIONS) <= set(typing.get_args(Activation))


@pytest.fixture(scope="module")
def exported(table):
    """A pipeline of every preprocessing and target; every activation is in one of them."""
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    choices = [
        {"numeric": numeric, "categorical": categorical}
        for numeric in SCALINGS
        for categorical in ("onehot", "ordinal")
    ]
    choices += [{"target": "log", "numeric": "none"}, {"target": "log1p", "missing": "mean"}]
    models = []
    for index, activation in enumerate(typing.get_args(Activation)):
        preprocessing = fit(
            columns, cells, y, **choices[index % len(choices)], clip_predictions=index % 2 == 0
        )
        n_features = len(preprocessing.feature_names)
        numbers = preprocessing.transform(cells)[:, : preprocessing.n_numbers]
        embedding = fit_embedding(("none", "periodic", "piecewise_linear")[index % 3], numbers)
        network = Network(n_features, [4], activation, batch_norm=index % 2 == 1, embedding=embedding)
        pipeline, _ = drawn(preprocessing, network, n_members=1 + index % 2)
        models.append(add_residual_scale(pipeline, some_scale(n_features)))
    return models


def test_whatever_is_exported_is_allowed_to_run(exported):
    for model in exported:
        _, rows = onnx_safety.vet_model(model.SerializeToString())
        assert rows > 500


def test_no_operator_is_allowed_that_is_not_exported(exported):
    emitted = {}
    for model in exported:
        for node in model.graph.node:
            names = emitted.setdefault((node.domain, node.op_type), set())
            names |= {attribute.name for attribute in node.attribute}
    assert emitted == onnx_safety.OPERATORS


def test_a_wide_network_is_given_fewer_rows_at_a_time(table):
    columns, cells = table
    y = np.random.default_rng(1).normal(size=N_ROWS)
    preprocessing = fit(columns, cells, y)
    features = len(preprocessing.feature_names)
    exported, model = drawn(preprocessing, Network(features, [90_000], "linear"))
    exported = exported.SerializeToString()
    _, rows = onnx_safety.vet_model(exported)
    assert 10 < rows < N_ROWS
    x = preprocessing.transform(cells)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert Pipeline(exported).predict(cells) == pytest.approx(expected, rel=1e-4, abs=1e-4)
