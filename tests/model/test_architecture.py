"""The shape of a network, against the one that Keras builds."""

import numpy as np
import pytest

from dlreg.model.architecture import Network, count_parameters
from dlreg.model.embeddings import FEW_NUMBERS, fit_embedding
from dlreg.model.keras_model import build_model


@pytest.mark.parametrize("hidden_layers", [(), (5,), (16, 8, 1)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_parameters_are_counted_as_keras_does(hidden_layers, batch_norm):
    network = Network(7, hidden_layers, dropout=0.1, batch_norm=batch_norm)
    assert count_parameters(network) == build_model(network).count_params()


@pytest.mark.parametrize("embedding", ["none", "periodic", "piecewise_linear"])
@pytest.mark.parametrize("n_numbers", [4, FEW_NUMBERS + 1])
def test_parameters_of_embeddings_and_factors_are_counted_as_keras_does(embedding, n_numbers):
    numbers = np.random.default_rng(1).normal(size=(50, n_numbers))
    network = Network(
        n_numbers + 2,
        (6, 3),
        "mish",
        parametric_activation=True,
        feature_scale=True,
        embedding=fit_embedding(embedding, numbers),
        categories=(10, 11),
    )
    assert count_parameters(network) == build_model(network).count_params()
