"""What was compiled for some numbers serves all others, to the same bits."""

from dataclasses import replace

import numpy as np
import pytest

from dlreg.engine import epoch
from dlreg.engine.losses import AbsoluteError
from dlreg.engine.program import Program
from dlreg.engine.update_rules import build_optimizer
from dlreg.features.target import TargetScaling
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.training.loop import Recipe, fit
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import TrainingData, TrainingRows, shuffled_rows

X = np.random.default_rng(4).normal(size=(70, 3)).astype(np.float32)
Y = (X[:, :1] - np.sin(X[:, 1:2])).astype(np.float32)
OPTIMIZERS = {
    "adamw": (
        {"weight_decay": 0.01, "clip_norm": 1.0, "beta_1": 0.9},
        {"weight_decay": 0.2, "clip_norm": 0.1, "beta_1": 0.5},
    ),
    "nadam": ({"beta_1": 0.9}, {"beta_1": 0.6, "beta_2": 0.9}),
    "muon": ({"ema_momentum": 0.9}, {"ema_momentum": 0.5, "beta_1": 0.5}),
    "rmsprop": ({"momentum": 0.5}, {"momentum": 0.1}),
    "sgd": ({"momentum": 0.5}, {"momentum": 0.9}),
}


def train(name, options, *, dropout, l2, seed, learning_rate, scale=(0.0, 1.0), n_members=1):
    networks = [Network(3, [8, 6], dropout=dropout, l2=l2)]
    if n_members > 1:
        networks.append(replace(networks[0], embedding=Periodic(3), dropout=dropout / 2))
    variants = [Variant(network, n_members) for network in networks]
    members = n_members * len(variants)
    recipe = Recipe(
        variants,
        [weights for variant in variants for weights in initial_weights(variant.network, seed, n_members)],
        build_optimizer(name, **options),
        build_schedule("constant", learning_rate, epochs=3, steps_per_epoch=4),
        3,
        16,
        seed,
        metrics={"mae": AbsoluteError(TargetScaling("log", *scale))},
    )
    rows = TrainingRows(X[:50], Y[:50])
    order = shuffled_rows([np.arange(50)] * members, seed)
    trained = fit(recipe, TrainingData(rows, TrainingRows(X[50:], Y[50:]), order))
    return trained.weights, trained.progress.history


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_other_numbers_need_no_compilation_and_change_nothing(name, n_members):
    first, second = OPTIMIZERS[name]
    wanted = {"dropout": 0.4, "l2": 0.01, "seed": 9, "learning_rate": 0.02, "scale": (3.0, 0.1)}
    wanted["n_members"] = n_members
    epoch.compiled_epoch.cache_clear()
    alone = train(name, second, **wanted)
    epoch.compiled_epoch.cache_clear()
    other = train(name, first, dropout=0.1, l2=0.3, seed=1, learning_rate=0.001, n_members=n_members)
    reused = train(name, second, **wanted)
    assert epoch.compiled_epoch.cache_info().misses == 1
    assert reused[1] == alone[1] != other[1]
    for weights, expected in zip(reused[0], alone[0], strict=True):
        for array, same in zip(weights.parameters, expected.parameters, strict=True):
            np.testing.assert_array_equal(array, same)


def test_what_is_compiled_in_makes_another_program():
    network, adam = Network(3, (8,)), build_optimizer("adam")
    bins = fit_embedding("piecewise_linear", X)

    def program(network=network, optimizer=adam, measures=(abs,), n_rows=50, batch_size=16, seed=1):
        return Program((Variant(network, 1),), optimizer, measures, n_rows, batch_size, seed)

    assert program() == program(replace(network, hidden_layers=[8]), seed=2)
    assert program(replace(network, dropout=0.1)) == program(replace(network, dropout=0.2))
    assert program(replace(network, embedding=bins)) == program(
        replace(network, embedding=fit_embedding("piecewise_linear", X.copy()))
    )
    in_units, in_others = (
        (AbsoluteError(TargetScaling("none", *numbers)),) for numbers in ((0.0, 1.0), (2, 3))
    )
    assert program(measures=in_units) == program(measures=in_others)
    others = [
        program(replace(network, hidden_layers=(9,))),
        program(replace(network, dropout=0.1)),
        program(replace(network, l2=0.1)),
        program(replace(network, activation="gelu")),
        program(replace(network, embedding=bins)),
        program(replace(network, embedding=fit_embedding("piecewise_linear", X * 2))),
        program(optimizer=build_optimizer("nadam")),
        program(optimizer=build_optimizer("adam", weight_decay=0.1)),
        program(optimizer=build_optimizer("adam", weight_decay=0.1, decays=["weights"])),
        program(optimizer=build_optimizer("adam", clip_norm=1.0)),
        program(optimizer=build_optimizer("adam", ema_momentum=0.9)),
        program(optimizer=build_optimizer("muon")),
        program(optimizer=build_optimizer("adam", factors={"biases": 0.1})),
        program(optimizer=build_optimizer("adam", scales_weights=True)),
        program(measures=(AbsoluteError(TargetScaling("none", 0.0, 1.0)),)),
        program(measures=(AbsoluteError(TargetScaling("log", 0.0, 1.0)),)),
        program(n_rows=51),
        program(batch_size=17),
    ]
    assert len({program(), *others}) == len(others) + 1
