"""What a network computes in plain tensors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlreg.engine.forward import Batch, forward, forward_together, predict
from dlreg.engine.gradients import MIXED_TOGETHER
from dlreg.model.architecture import Network
from dlreg.model.embeddings import Periodic
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import trained_model


def test_dropout_drops_its_share_and_keeps_the_mean():
    network, rows = Network(1, [2000], "linear", dropout=0.3), tf.ones((64, 1))
    one = [tf.ones((1, 2000)), tf.zeros(2000), tf.ones((2000, 1)) / 2000, tf.zeros(1)]

    def mean_output(step, rate=0.3):
        batch = Batch(
            tf.ones(64), tf.constant(64.0), tf.constant(7, tf.uint32), tf.constant(step), tf.constant(rate)
        )
        return forward(network, one, [], rows, batch)[0].numpy()[:, 0]

    outputs = np.concatenate([mean_output(step) for step in range(20)])
    assert outputs.mean() == pytest.approx(1.0, abs=0.002)
    # Of n values kept with probability p and divided by it, the mean's variance is (1 - p) / (p n).
    assert outputs.std() == pytest.approx(np.sqrt(0.3 / 0.7 / 2000), rel=0.1)
    assert (mean_output(3) == mean_output(3)).all()
    assert not (mean_output(3) == mean_output(4)).any()
    assert mean_output(3, 0.0) == pytest.approx(1.0, abs=1e-5)


def test_networks_computed_together_are_as_each_by_itself():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(5, 20, 3)).astype(np.float32)
    networks = [
        Network(3, [6, 4], "gelu", batch_norm=True, embedding=embedding, dropout=dropout)
        for embedding, dropout in ((Periodic(3), 0.0), (None, 0.5))
    ]
    members, rows = [3, 2], [x[:3], x[3:]]
    weights = [initial_weights(network, 5, n) for network, n in zip(networks, members, strict=True)]
    parameters, statistics = (
        [[tf.constant(np.stack(values)) for values in zip(*part, strict=True)] for part in parts]
        for parts in (
            [[member.parameters for member in member_weights] for member_weights in weights],
            [[member.statistics for member in member_weights] for member_weights in weights],
        )
    )

    def batch(rates):
        seed = tf.constant(1, tf.uint32)
        return Batch(tf.ones(20), tf.constant(20.0), seed, tf.constant(0), tf.constant(rates))

    for given in (None, batch([0.0] * 5)):
        together, updated = forward_together(networks, parameters, statistics, rows, given)
        for number, network in enumerate(networks):
            own = given and batch([0.0] * members[number])
            alone = forward(network, parameters[number], statistics[number], rows[number], own)
            y_pred = together[:3] if number == 0 else together[3:]
            np.testing.assert_allclose(y_pred, alone[0], atol=1e-6)
            assert len(updated[number]) == len(alone[1]) == (4 if given else 0)
            for statistic, expected in zip(updated[number], alone[1], strict=True):
                np.testing.assert_allclose(statistic, expected, atol=1e-6)
    dropped = forward_together(networks, parameters, statistics, rows, batch([0.0] * 3 + [0.5] * 2))[0]
    plain = forward_together(networks, parameters, statistics, rows, batch([0.0] * 5))[0]
    np.testing.assert_array_equal(dropped[:3], plain[:3])
    assert not np.isclose(dropped[3:], plain[3:]).any()


def test_fast_forms_of_mish_and_of_the_cosine_are_exact_to_rounding():
    x = np.concatenate([np.linspace(-30, 30, 2001), [-1e4, 1e4]]).astype(np.float32)[:, None]
    one = [tf.ones((1, 1)), tf.zeros(1), tf.ones((1, 1)), tf.zeros(1)]
    outputs = forward(Network(1, [1], "mish"), one, [], tf.constant(x))[0]
    assert outputs.numpy() == pytest.approx(np.asarray(keras.activations.mish(x)), rel=1e-5, abs=1e-6)
    network = Network(1, [3], "relu", embedding=Periodic(1))
    (weights,) = initial_weights(network, 1)
    waves = np.linspace(-9, 9, 500, dtype=np.float32)[:, None]
    expected = trained_model(network, [weights]).predict(waves, verbose=0)
    assert predict(network, [weights], waves)[0] == pytest.approx(expected[:, 0], abs=3e-6)


def test_waves_of_more_numbers_than_are_mixed_together_are_as_in_keras():
    generator = np.random.default_rng(4)
    n_numbers = MIXED_TOGETHER + 3
    network = Network(n_numbers, [6], embedding=Periodic(n_numbers), initializer="he_normal")
    (weights,) = initial_weights(network, 3)
    x = generator.normal(size=(20, n_numbers)).astype(np.float32)
    expected = trained_model(network, [weights]).predict(x, verbose=0)[:, 0]
    assert predict(network, [weights], x)[0] == pytest.approx(expected, abs=1e-5)
