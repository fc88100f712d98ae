"""The Keras model that a run keeps is one of stock layers."""

import keras
import numpy as np

from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import combined_model, keras_file, trained_model
from dlreg.model.mixture import Mixture, Ridge

EMBEDDED = {
    "activation": "mish", "parametric_activation": True, "feature_scale": True, "initializer": "he_normal"
}  # fmt: skip


def test_embedded_models_load_in_stock_keras_in_safe_mode(tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    for embedding, n_sharing in (("periodic", 1), ("piecewise_linear", 1), ("periodic", 3), ("none", 3)):
        fitted = fit_embedding(embedding, x)
        network = Network(6, [8], embedding=fitted, categories=(2,), shared_members=n_sharing, **EMBEDDED)
        weights = initial_weights(network, 1, 2)
        mixture = Mixture(np.full(2, 0.5), Ridge(0.1, np.full(7, 0.1), 0.0), (-1.0, 1.0))
        model = combined_model([trained_model(network, weights)], mixture, network.categories)
        (tmp_path / "model.keras").write_bytes(keras_file(model))
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        rows = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)
        rows[:, -1] = np.arange(9) % 3
        assert (loaded.predict(rows, verbose=0) == model.predict(rows, verbose=0)).all()
