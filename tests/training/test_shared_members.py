"""Members that share their weights are trained as plain Keras trains them, each by its own prediction."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.training import train_on

from dlreg.engine.losses import AbsoluteError
from dlreg.engine.update_rules import build_optimizer
from dlreg.features.target import TargetScaling
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import model_variables, trained_model
from dlreg.training.progress import EarlyStopping
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import shuffled_rows

N_ROWS, BATCH_SIZE, EPOCHS = 53, 16, 4
LEARNT = {
    "activation": "mish", "parametric_activation": True, "feature_scale": True, "initializer": "he_normal"
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(N_ROWS + 20, 4)).astype(np.float32)
    x[:, -1] = generator.integers(4, size=len(x))
    y = (x[:, :1] - np.sin(2 * x[:, 1:2]) + 0.3 * x[:, -1:]).astype(np.float32)
    return (x[:N_ROWS], y[:N_ROWS]), (x[N_ROWS:], y[N_ROWS:])


def networks(x):
    bins = fit_embedding("piecewise_linear", x[:, :3])
    return {
        "plain": Network(4, [12, 8], shared_members=3),
        "penalty": Network(4, [12, 8], shared_members=3, l2=0.02),
        "periodic, category": Network(4, [8], embedding=Periodic(3), categories=(4,), shared_members=5, **LEARNT),
        "bins": Network(4, [8, 6], embedding=bins, shared_members=2, **LEARNT),
        "a parameter larger than are packed": Network(4, [100, 50], "gelu", shared_members=4),
    }  # fmt: skip


def order(member, epoch):
    """The rows of a member in an epoch."""
    return np.random.default_rng((epoch, member)).permutation(N_ROWS)


def train(rows, network, *, initial=None, epochs=EPOCHS, **options):
    initial = initial or initial_weights(network, 3)
    return train_on(
        *rows,
        variants=[Variant(network, len(initial))],
        initial=initial,
        optimizer=build_optimizer("adam"),
        schedule=build_schedule("constant", 0.01, epochs=epochs, steps_per_epoch=1),
        **{
            "order_of_rows": order,
            "epochs": epochs,
            "batch_size": BATCH_SIZE,
            "seed": 3,
            "metrics": {"mae": AbsoluteError(TargetScaling("none", 0.0, 1.0))},
        }
        | options,
    )


def keras_history(rows, network, initial):
    """The losses of each epoch by a tape over the Keras model, every member's own prediction in the loss."""
    (x, y), (x_validation, y_validation) = rows
    model = trained_model(network, [initial])
    of_each = keras.Model(model.inputs, model.get_layer("output").output)
    parameters, _ = model_variables(network, model)
    optimizer, history = keras.optimizers.Adam(0.01), {"loss": [], "mae": [], "val_loss": [], "val_mae": []}
    for epoch in range(EPOCHS):
        losses, errors = [], []
        for start in range(0, N_ROWS, BATCH_SIZE):
            batch = slice(start, start + BATCH_SIZE)
            with tf.GradientTape() as tape:
                # Each member meets rows of its own.
                met = [order(member, epoch)[batch] for member in range(network.shared_members)]
                members = [of_each([x[rows]], training=True)[:, place] for place, rows in enumerate(met)]
                penalty = tf.add_n([*model.losses, tf.zeros(())])
                loss = tf.reduce_mean([
                    tf.reduce_mean((y_pred - y[rows, 0]) ** 2)
                    for y_pred, rows in zip(members, met, strict=True)
                ]) + penalty  # fmt: skip
            # Those of embedded levels come in pieces, which Keras squares one by one.
            gradients = map(tf.convert_to_tensor, tape.gradient(loss, parameters))
            optimizer.apply_gradients(zip(gradients, parameters, strict=True))
            losses.append(float(loss) * len(x[batch]))
            y_pred, y_true = np.stack(members), np.stack([y[rows, 0] for rows in met])
            errors.append(float(np.abs(y_pred - y_true).mean()) * len(x[batch]))
        y_pred = model(x_validation).numpy()
        penalty = float(tf.add_n([*model.losses, tf.zeros(())]))
        history["loss"].append(sum(losses) / N_ROWS)
        history["mae"].append(sum(errors) / N_ROWS)
        history["val_loss"].append(float(np.mean((y_pred - y_validation) ** 2)) + penalty)
        history["val_mae"].append(float(np.abs(y_pred - y_validation).mean()))
    return history, [parameter.numpy() for parameter in parameters]


@pytest.mark.parametrize("case", networks(np.zeros((9, 4))))
def test_losses_and_weights_equal_those_of_a_tape_over_the_keras_model(rows, case):
    network = networks(rows[0][0])[case]
    (initial,) = initial_weights(network, 3)
    weights, _, progress, _ = train(rows, network, initial=[initial], restore_best_weights=False)
    expected, parameters = keras_history(rows, network, initial)
    for name, values in expected.items():
        assert progress.history[name] == pytest.approx(values, rel=2e-5), name
    for mine, theirs in zip(weights[0].parameters, parameters, strict=True):
        np.testing.assert_allclose(mine.reshape(-1), theirs.reshape(-1)[: mine.size], atol=3e-4)


def test_the_whole_network_stops_at_one_epoch_by_the_mean_of_its_members(rows):
    network = Network(4, [12, 8], shared_members=4)
    weights, _, progress, _ = train(rows, network, epochs=300, early_stopping=EarlyStopping(patience=5))
    losses = progress.history["val_loss"]
    assert progress.epoch == progress.best_epoch + 5 < 300
    assert len(progress.best_epochs) == 1
    x, y = rows[1]
    kept = trained_model(network, weights).predict(x, verbose=0)
    assert float(np.mean((kept - y) ** 2)) == pytest.approx(min(losses), rel=1e-5)


def test_each_member_drops_values_of_its_own(rows):
    # Members that start alike stay alike, but for what is dropped.
    def spread(dropout):
        network = Network(4, [40, 40], shared_members=3, dropout=dropout)
        (initial,) = initial_weights(network, 3)
        factors, *shared, kernel, bias = initial.parameters
        alike = [np.ones_like(factors), *shared, np.repeat(kernel[:, :1], 3, axis=1), bias]
        same = {"order_of_rows": lambda *_: np.arange(N_ROWS)}
        weights, *_ = train(rows, network, initial=[initial._replace(parameters=alike)], **same)
        return float(np.ptp(weights[0].parameters[-2], axis=1).max())

    assert spread(0.0) < 1e-6
    assert spread(0.4) > 1e-3


def test_networks_of_several_members_are_what_each_is_alone(rows):
    network = Network(4, [12, 8], shared_members=3, l2=0.01)
    initial = initial_weights(network, 7, 2)
    order = shuffled_rows(2 * 3 * [np.arange(N_ROWS)], 1)
    settings = {"epochs": 30, "early_stopping": EarlyStopping(patience=3, min_delta=0.005)}
    weights, _, together, _ = train(rows, network, initial=initial, order_of_rows=order, **settings)
    for number in range(2):
        (alone,), _, progress, _ = train(
            rows,
            network,
            initial=initial[number : number + 1],
            order_of_rows=lambda place, epoch, number=number: order(3 * number + place, epoch),
            **settings,
        )
        assert together.best_epochs[number] == progress.best_epoch
        # How many members there are settles how a product is cut into pieces, and so how it is rounded.
        for mine, theirs in zip(weights[number].parameters, alone.parameters, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-3)


def test_one_member_that_shares_nothing_is_a_plain_network():
    assert Network(4, [8]) == Network(4, [8], shared_members=1)
    shapes = [value.shape for value in initial_weights(Network(4, [8]), 1)[0].parameters]
    assert shapes == [(4, 8), (8,), (8, 1), (1,)]
    assert math.prod(shapes[0]) == 32
