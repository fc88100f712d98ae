"""Update rules that treat parameters unlike: the matrices of hidden layers, and all else."""

import keras
import numpy as np
import pytest
from support.training import train_on

from dlreg.engine.update_rules import MUON_SCALE, build_optimizer
from dlreg.model.architecture import Network, Variant, parameter_specs
from dlreg.model.embeddings import Periodic
from dlreg.model.initial_weights import initial_weights
from dlreg.training.schedules import build_schedule

RATE, N_ROWS = 0.01, 40
GENERATOR = np.random.default_rng(3)
X = np.column_stack([GENERATOR.normal(size=(N_ROWS, 3)), np.arange(N_ROWS) % 4]).astype(np.float32)
Y = (X[:, :1] - np.sin(2 * X[:, 1:2])).astype(np.float32)
NETWORK = Network(
    4,
    [9, 9, 5],
    "mish",
    embedding=Periodic(3),
    categories=(4,),
    feature_scale=True,
    parametric_activation=True,
)


def one_step(optimizer, n_members):
    """What one step over all rows adds to each parameter of each member."""
    initial = initial_weights(NETWORK, 3, n_members)
    weights, *_ = train_on(
        (X, Y),
        (X[:0], Y[:0]),
        variants=[Variant(NETWORK, n_members)],
        initial=initial,
        optimizer=optimizer,
        schedule=build_schedule("constant", RATE, epochs=1, steps_per_epoch=1),
        epochs=1,
        batch_size=N_ROWS,
        seed=1,
        order_of_rows=lambda *_: np.arange(N_ROWS),
    )
    return [
        [after - before for after, before in zip(own.parameters, start.parameters, strict=True)]
        for own, start in zip(weights, initial, strict=True)
    ]


@pytest.mark.parametrize("n_members", [1, 2])
def test_muon_moves_matrices_of_hidden_layers_by_orthogonal_steps_and_all_else_as_adam(n_members):
    gradients = one_step(build_optimizer("sgd"), n_members)
    moved, expected = (
        one_step(build_optimizer("muon"), n_members),
        one_step(build_optimizer("adam"), n_members),
    )
    keras_muon = keras.optimizers.Muon()
    for member in range(n_members):
        orthogonal = []
        for spec, step, adam_step, gradient in zip(
            parameter_specs(NETWORK), moved[member], expected[member], gradients[member], strict=True
        ):
            if spec.layer not in ("hidden_1", "hidden_2", "hidden_3") or spec.kind != "kernel":
                assert step == pytest.approx(adam_step, abs=1e-6), spec
                continue
            orthogonal.append(spec.layer)
            scale = RATE * MUON_SCALE * np.sqrt(max(spec.shape))
            theirs = np.array(keras_muon.zeropower_via_newtonschulz5(keras.ops.array(gradient), 5))
            assert step == pytest.approx(scale * theirs, abs=2e-4), spec
            # Singular values that are far from 0 come near 1, in the directions of the gradient's.
            left, values, right = np.linalg.svd(gradient, full_matrices=False)
            turned = (left.T @ step @ right.T / scale)[values > 0.05 * values.max()]
            assert (np.abs(turned.max(axis=1) - 1) < 0.4).all(), spec
        assert orthogonal == ["hidden_1", "hidden_2", "hidden_3"]
