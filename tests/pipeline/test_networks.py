"""Networks inside the graph predict as Keras predicts."""

import typing

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from support.pipelines import N_ROWS, N_TRAIN, drawn, fit

from dlreg.config.sections.model import Activation
from dlreg.engine.forward import predict
from dlreg.features import encoding
from dlreg.features.scaling import SOFT_LIMIT
from dlreg.features.target import TargetScaling
from dlreg.model.architecture import Network
from dlreg.model.embeddings import FEW_NUMBERS, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import trained_model
from dlreg.model.levels import spread_levels
from dlreg.model.mixture import Mixture, Ridge, mean_of
from dlreg.model.weights import TrainedVariant, Weights
from dlreg.pipeline import vetting
from dlreg.pipeline.export import export_pipeline
from dlreg.pipeline.networks import ACTIVATIONS, network_graph
from dlreg.pipeline.session import Pipeline

EMBEDDED = {
    "activation": "mish", "parametric_activation": True, "feature_scale": True, "initializer": "he_normal"
}  # fmt: skip


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
            *([np.abs(generator.normal(size=array.shape)).astype("f4") for array in part] for part in initial)
        )
        for initial in initial_weights(network, 2, n_members)
    ]
    members = trained_model(network, weights).predict(x, verbose=0)
    for predicted, member_weights in zip(members.T, weights, strict=True):
        alone = trained_model(network, [member_weights]).predict(x, verbose=0)[:, 0]
        assert predicted == pytest.approx(alone, rel=1e-5, abs=1e-6)
    expected = preprocessing.target.inverse(members.mean(axis=1).astype(np.float64))
    exported = export_pipeline(
        preprocessing, [TrainedVariant(network, weights)], mean_of([0] * n_members, np.ones(n_members))
    )
    predicted = Pipeline(exported.SerializeToString()).predict(cells)
    assert predicted == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n_sharing", [1, 4])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("embedding", ["none", "periodic", "piecewise_linear"])
def test_embeddings_are_one_thing_in_keras_onnx_and_the_loop(
    monkeypatch, table, embedding, n_members, n_sharing
):
    monkeypatch.setattr(encoding, "MOST_ONEHOT_LEVELS", 2)
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
        categories=preprocessing.embedded_levels,
        shared_members=n_sharing,
        **EMBEDDED,
    )
    assert network.categories
    n_columns = spread_levels(x, network.categories).shape[1]
    ridge = Ridge(0.3, np.random.default_rng(6).normal(0.1, 0.05, n_columns), 0.2)
    mixture = Mixture(np.full(n_members, 0.7 / n_members), ridge, preprocessing.limits)
    exported, model = drawn(preprocessing, network, n_members=n_members, mixture=mixture)
    scaled = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    assert scaled.min() >= preprocessing.limits[0] - 1e-6
    predicted = Pipeline(exported.SerializeToString()).predict(cells)
    assert np.max(np.abs(predicted - preprocessing.target.inverse(scaled))) < 1e-5 * y.std()
    weights = initial_weights(network, 2, n_members)
    members = np.array(
        [trained_model(network, [member_weights]).predict(x, verbose=0)[:, 0] for member_weights in weights]
    )
    assert predict(network, weights, x) == pytest.approx(members, abs=2e-5)
    vetting.vet_model(exported.SerializeToString())


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("embeds", [False, True])
def test_members_that_share_weights_are_the_mean_of_networks_of_their_own(table, embeds, n_members):
    columns, cells = table
    preprocessing = fit(columns, cells, np.random.default_rng(1).normal(size=N_ROWS))
    x = preprocessing.transform(cells)
    embedding = fit_embedding("piecewise_linear", x[:, :2]) if embeds else None
    network = Network(x.shape[1], [9, 5], "gelu", embedding=embedding, shared_members=3)
    weights = initial_weights(network, 2, n_members)
    expected = []
    for shared in weights:
        factors, kernel, *others, output, bias = shared.parameters
        of_each = [
            Weights([member[:, None] * kernel, *others, output[:, [place]], bias[[place]]], [])
            for place, member in enumerate(factors)
        ]
        plain = Network(x.shape[1], [9, 5], "gelu", embedding=embedding)
        expected.append(
            np.mean([trained_model(plain, [one]).predict(x, verbose=0) for one in of_each], axis=0)
        )
    expected = np.concatenate(expected, axis=1)
    assert predict(network, weights, x) == pytest.approx(expected.T, abs=1e-6)
    assert trained_model(network, weights).predict(x, verbose=0) == pytest.approx(expected, abs=1e-6)
    mixture = mean_of([0] * n_members, np.ones(n_members))
    exported = export_pipeline(preprocessing, [TrainedVariant(network, weights)], mixture)
    predicted = Pipeline(exported.SerializeToString()).predict(cells)
    means = preprocessing.target.inverse(expected.mean(axis=1).astype(np.float64))
    assert predicted == pytest.approx(means, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("embedding", ["periodic", "piecewise_linear"])
def test_embeddings_of_many_numbers_are_one_thing_in_keras_onnx_and_the_loop(embedding, n_members):
    x = np.random.default_rng(5).normal(size=(40, FEW_NUMBERS + 5)).astype(np.float32)
    numbers = x[:, : FEW_NUMBERS + 2]
    network = Network(x.shape[1], [16, 8], embedding=fit_embedding(embedding, numbers), **EMBEDDED)
    weights = initial_weights(network, 2, n_members)
    expected = trained_model(network, weights).predict(x, verbose=0).T
    assert predict(network, weights, x) == pytest.approx(expected, abs=2e-5)
    variants = [TrainedVariant(network, weights)]
    graph = network_graph(
        variants,
        mean_of([0] * n_members, np.ones(n_members)),
        TargetScaling("none", 0.0, 1.0),
        ["y", "spread"],
    )
    onnx.checker.check_model(graph, full_check=True)
    y_pred, *_ = ort.InferenceSession(graph.SerializeToString()).run(None, {"rows": x.astype(np.float64)})
    assert y_pred[:, 0] == pytest.approx(expected.mean(axis=0), abs=2e-5)


@pytest.mark.parametrize("activation", typing.get_args(Activation))
def test_every_activation_of_the_config_is_keras_own(activation):
    x = np.concatenate([np.linspace(-9, 9, 3601), [-60.0, 60.0]]).astype(np.float32).reshape(-1, 1)
    one, zero = np.ones((1, 1), dtype=np.float32), np.zeros(1, dtype=np.float32)
    as_it_is = [TrainedVariant(Network(1, [1], activation), [Weights([one, zero, one, zero], [])])]
    graph = network_graph(as_it_is, mean_of([0], np.ones(1)), TargetScaling("none", 0.0, 1.0), ["y"])
    onnx.checker.check_model(graph, full_check=True)
    (predicted,) = ort.InferenceSession(graph.SerializeToString()).run(None, {"rows": x.astype(np.float64)})
    expected = np.asarray(keras.activations.get(activation)(x))
    assert predicted == pytest.approx(expected, rel=2e-6, abs=1e-6)


def test_no_activation_is_exported_that_the_config_cannot_name():
    assert set(ACTIVATIONS) <= set(typing.get_args(Activation))
