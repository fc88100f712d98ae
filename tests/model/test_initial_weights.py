"""Where weights start."""

from dataclasses import replace

import numpy as np
import pytest

from dlreg.model.architecture import Network, parameter_specs
from dlreg.model.embeddings import FEW_NUMBERS, Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import build_model, model_variables


def test_he_normal_starts_as_it_says():
    network = Network(
        221,
        [400, 200],
        embedding=Periodic(50),
        categories=(80,),
        initializer="he_normal",
        feature_scale=True,
    )
    (weights,) = initial_weights(network, 0)
    drawn = {}
    for spec, value in zip(parameter_specs(network), weights.parameters, strict=True):
        drawn[spec.layer, spec.kind] = value
        assert value.shape == spec.shape
    assert drawn["hidden_1", "kernel"].std() == pytest.approx(np.sqrt(2 / 378), rel=0.02)
    assert drawn["hidden_2", "kernel"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert drawn["output", "kernel"].std() == pytest.approx(0.1 / np.sqrt(200), rel=0.2)
    assert drawn["hidden_1", "bias"].min() == pytest.approx(-1, abs=0.02)
    assert drawn["frequencies", "kernel"].std() == pytest.approx(0.2 * np.pi, rel=0.1)
    assert np.ptp(drawn["frequencies", "bias"]) == pytest.approx(2 * np.pi, rel=0.02)
    assert drawn["category_1", "kernel"].std() == pytest.approx(0.1, rel=0.1)
    assert (drawn["feature_scale", "kernel"] == 1).all()
    assert (drawn["output", "bias"] == 0).all()


def factors_of(network, initializer="glorot_uniform"):
    (weights,) = initial_weights(replace(network, initializer=initializer), 5)
    specs = [spec.layer for spec in parameter_specs(network)]
    return weights.parameters[specs.index("member_scale")]


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal"])
def test_members_that_share_weights_start_at_signs_or_where_anything_is_embedded_at_numbers(initializer):
    signs = factors_of(Network(40, [8], shared_members=30), initializer)
    assert signs.shape == (30, 40)
    assert set(signs.ravel().tolist()) == {-1.0, 1.0}
    assert abs(signs.mean()) < 0.1
    network = Network(52, [8], embedding=Periodic(40), categories=(9,), shared_members=30)
    factors = factors_of(network, initializer)
    assert factors.shape == (30, network.width)
    assert (factors.mean(), factors.std()) == pytest.approx((0, 1), abs=0.1)
    # A number, its three mixtures, and all values of a level have the same factor.
    np.testing.assert_array_equal(factors[:, 40:160], np.repeat(factors[:, :40], 3, axis=1))
    np.testing.assert_array_equal(factors[:, -8:], np.repeat(factors[:, -8:-7], 8, axis=1))
    assert len(np.unique(factors)) == 30 * 52


def test_mixtures_of_bins_start_about_as_large_as_the_numbers_beside_them():
    numbers = np.random.default_rng(3).normal(size=(500, 4 * FEW_NUMBERS))
    embedding = fit_embedding("piecewise_linear", numbers)
    for initializer in ("he_normal", "glorot_uniform"):
        network = Network(numbers.shape[1], embedding=embedding, initializer=initializer)
        (weights,) = initial_weights(network, 4)
        (kernel,) = (
            value
            for spec, value in zip(parameter_specs(network), weights.parameters, strict=True)
            if spec.layer == "bin_mixtures"
        )
        shares = np.clip(numbers[..., None] * embedding.slopes + embedding.offsets, 0, embedding.height)
        mixtures = np.einsum("rnb,nbm->rnm", shares, kernel)
        assert np.sqrt(np.mean(mixtures**2)) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("embedding", [None, Periodic(2)])
@pytest.mark.parametrize("parametric_activation", [False, True])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("hidden_layers", [(), (7,), (7, 6, 5)])
def test_glorot_uniform_is_what_keras_draws_for_its_layers(
    hidden_layers, dropout, batch_norm, parametric_activation, embedding
):
    network = Network(
        3,
        hidden_layers,
        dropout=dropout,
        batch_norm=batch_norm,
        parametric_activation=parametric_activation,
        embedding=embedding,
    )
    (weights,) = initial_weights(network, seed=11)
    parameters, statistics = model_variables(network, build_model(network, seed=11))
    for spec, value, variable in zip(parameter_specs(network), weights.parameters, parameters, strict=True):
        if spec.group != "embeddings":
            np.testing.assert_array_equal(value, variable.numpy())
        assert (value.shape, value.dtype) == (variable.shape, variable.dtype)
    for value, variable in zip(weights.statistics, statistics, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())
