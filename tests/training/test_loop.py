"""The compiled loop is Keras's mathematics: the same losses as `Model.fit` on the same order of rows."""

import math
from typing import get_args

import keras
import numpy as np
import pytest
from support.training import train_on

from dlreg.config.sections.training import Loss
from dlreg.engine.packing import PACKED_SIZE
from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant, parameter_specs
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import build_model, trained_model
from dlreg.training.progress import EarlyStopping, Plateau, Progress
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import shuffled_rows

SMALL, ADAM = Network(4, [12, 8]), build_optimizer("adam")
N_ROWS, BATCH_SIZE, EPOCHS = 83, 16, 5
STEPS = math.ceil(N_ROWS / BATCH_SIZE)
KERAS_LOSSES = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
    "log_cosh": keras.losses.LogCosh,
}
KERAS_OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "nadam": keras.optimizers.Nadam,
    "muon": keras.optimizers.Muon,
}


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(N_ROWS + 30, 4)).astype(np.float32)
    y = (x[:, :1] * 1.5 - np.sin(2 * x[:, 1:2]) + 0.1 * generator.normal(size=(len(x), 1))).astype(np.float32)
    return x[:N_ROWS], y[:N_ROWS], x[N_ROWS:], y[N_ROWS:]


def train(
    rows,
    *,
    network=SMALL,
    optimizer=ADAM,
    learning_rate=0.01,
    schedule=None,
    initial=None,
    order=None,
    **options,
) -> tuple:
    """The trained stock Keras model (of the first member), and the progress."""
    options = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": 3} | options
    initial = initial or initial_weights(network, 3)
    weights, _, progress, _ = train_on(
        rows[:2],
        rows[2:],
        variants=[Variant(network, len(initial))],
        initial=initial,
        optimizer=optimizer,
        schedule=schedule
        or build_schedule("constant", learning_rate, epochs=options["epochs"], steps_per_epoch=1),
        order_of_rows=order or (lambda *_: np.arange(len(rows[0]))),
        **options,
    )
    return trained_model(network, weights[:1]), progress


def keras_history(rows, network, optimizer, loss="mse", callbacks=()) -> dict:
    model = build_model(network, seed=3)
    model.compile(optimizer, KERAS_LOSSES[loss](), metrics=["mae"])
    x, y, x_validation, y_validation = rows
    return model.fit(
        x,
        y,
        validation_data=(x_validation, y_validation),
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    ).history


def keras_optimizer(name, learning_rate, *, clip_norm=None, ema_momentum=None, weight_decay=None, **options):
    if name == "muon":
        # All but the kernels of hidden layers move as by Adam.
        options |= {"exclude_layers": ["output"], "adam_weight_decay": weight_decay}
        options |= {"adam_beta_1": options.pop("beta_1", 0.9), "adam_beta_2": options.pop("beta_2", 0.999)}
    if ema_momentum is not None:
        options |= {"use_ema": True, "ema_momentum": ema_momentum}
    return KERAS_OPTIMIZERS[name](
        learning_rate, global_clipnorm=clip_norm, weight_decay=weight_decay, **options
    )


schedules = keras.optimizers.schedules
CASES = {
    "adam": {},
    "sgd": {"optimizer": {"name": "sgd"}},
    "sgd, momentum, clipped": {"optimizer": {"name": "sgd", "momentum": 0.9, "clip_norm": 0.3}},
    "adam, clipped, decayed": {"optimizer": {"name": "adam", "weight_decay": 0.1, "clip_norm": 0.1}},
    "adamw": {"optimizer": {"name": "adamw", "weight_decay": 0.05}},
    "rmsprop": {"optimizer": {"name": "rmsprop"}},
    "rmsprop, momentum": {"optimizer": {"name": "rmsprop", "momentum": 0.5}},
    "nadam": {"optimizer": {"name": "nadam"}},
    "muon": {"optimizer": {"name": "muon"}},
    "muon, clipped, decayed, batch norm": {
        "model": {"hidden_layers": [12, 12, 5], "batch_norm": True},
        "optimizer": {"name": "muon", "weight_decay": 0.05, "clip_norm": 0.1, "beta_1": 0.8, "beta_2": 0.9},
    },
    "muon, a parameter larger than are packed": {
        "model": {"hidden_layers": [100, 160, 8], "activation": "gelu"},
        "optimizer": {"name": "muon"},
    },
    "averaged": {"optimizer": {"name": "adam", "ema_momentum": 0.9}},
    "averaged, batch norm, decayed": {
        "model": {"batch_norm": True},
        "optimizer": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.05, "ema_momentum": 0.8},
    },
    "averaged, muon": {"optimizer": {"name": "muon", "ema_momentum": 0.95}},
    "l2": {"model": {"l2": 0.02}},
    "batch norm": {"model": {"batch_norm": True}},
    "batch norm, l2, adamw": {
        "model": {"batch_norm": True, "l2": 0.01},
        "optimizer": {"name": "adamw", "weight_decay": 0.01},
    },
    "linear regression": {"model": {"hidden_layers": []}},
    "a parameter larger than are packed": {"model": {"hidden_layers": [100, 160, 8], "activation": "gelu"}},
    "the same, batch norm, clipped": {
        "model": {"hidden_layers": [100, 160, 8], "batch_norm": True},
        "optimizer": {"name": "adam", "clip_norm": 0.1},
    },
    "gelu": {"model": {"activation": "gelu"}},
    **{loss: {"loss": loss} for loss in KERAS_LOSSES},
    "cosine": {
        "schedule": ("cosine", {"warmup_epochs": 0, "final_fraction": 0.1}),
        "keras_schedule": schedules.CosineDecay(0.01, EPOCHS * STEPS, alpha=0.1),
    },
    "cosine with warm-up": {
        "schedule": ("cosine", {"warmup_epochs": 2, "final_fraction": 0.0}),
        "keras_schedule": schedules.CosineDecay(
            0.0, (EPOCHS - 2) * STEPS, warmup_target=0.01, warmup_steps=2 * STEPS
        ),
    },
    "step": {
        "schedule": ("step", {"every_epochs": 2, "factor": 0.3}),
        "keras_schedule": schedules.ExponentialDecay(0.01, 2 * STEPS, 0.3, staircase=True),
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_losses_equal_those_of_model_fit(rows, case):
    loss = case.get("loss", "mse")
    network = Network(4, **{"hidden_layers": [12, 8]} | case.get("model", {}))
    optimizer = {"name": "adam"} | case.get("optimizer", {})
    schedule, options = case.get("schedule", ("constant", {}))
    _, progress = train(
        rows,
        network=network,
        optimizer=build_optimizer(**optimizer),
        schedule=build_schedule(schedule, 0.01, epochs=EPOCHS, steps_per_epoch=STEPS, **options),
        loss=loss,
        metrics={"mae": lambda a, b: abs(a - b)},
    )
    theirs = keras_optimizer(learning_rate=case.get("keras_schedule", 0.01), **optimizer)
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if theirs.use_ema else []
    expected = keras_history(rows, network, theirs, loss, averaging)
    relative = 1e-3 if loss in ("mae", "huber") else 1e-5
    for name in ("loss", "val_loss", "mae", "val_mae"):
        assert progress.history[name] == pytest.approx(expected[name], rel=relative), name


def test_the_cases_hold_every_loss_of_the_config():
    assert set(KERAS_LOSSES) == set(get_args(Loss))


def test_the_cases_are_on_both_sides_of_packing():
    largest = [
        max(
            math.prod(spec.shape)
            for spec in parameter_specs(Network(4, **{"hidden_layers": [12, 8]} | case.get("model", {})))
        )
        for case in CASES.values()
    ]
    assert min(largest) < PACKED_SIZE < max(largest)


# The least rate is reached, or is above the rate from the start.
@pytest.mark.parametrize("least", [0.002, 0.02])
def test_plateau_equals_keras_reduce_lr_on_plateau(rows, least):
    plateau = Plateau(patience=1, factor=0.5, min_delta=0.5, min_learning_rate=least)
    _, progress = train(rows, plateau=plateau)
    callback = keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.5, min_lr=least)
    theirs = keras_optimizer("adam", 0.01)
    expected = keras_history(rows, SMALL, theirs, callbacks=[callback])
    assert progress.history["learning_rate"] == pytest.approx(expected["learning_rate"], rel=1e-6)
    assert progress.history["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-5)
    assert (min(progress.history["learning_rate"]) < 0.01) == (least < 0.01)


@pytest.mark.parametrize(
    ("n_rows", "batch_size"), [(1, 32), (31, 32), (32, 32), (33, 32), (83, 1), (83, 1000)]
)
def test_the_loss_of_an_epoch_weighs_every_row_once(rows, n_rows, batch_size):
    x, y, *_ = rows
    network, part = Network(4, [6]), (x[:n_rows], y[:n_rows], x[:0], y[:0])
    model = build_model(network, seed=3)
    before = float(np.mean((model.predict(x[:n_rows], verbose=0) - y[:n_rows]) ** 2))
    options = {"optimizer": build_optimizer("sgd"), "learning_rate": 1e-12}
    _, progress = train(part, network=network, epochs=1, batch_size=batch_size, **options)
    assert progress.history["loss"] == pytest.approx([before], rel=1e-5)
    assert "val_loss" not in progress.history


def test_validation_rows_beyond_one_block_are_all_counted(rows, monkeypatch):
    monkeypatch.setattr("dlreg.engine.epoch.VALIDATION_ROWS", 7)
    _, progress = train(rows)
    monkeypatch.undo()
    _, whole = train(rows)
    assert progress.history["val_loss"] == pytest.approx(whole.history["val_loss"], rel=1e-6)


def test_linear_regression_converges_to_the_closed_form():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)).astype(np.float32)
    y = (x @ [[2.0], [-1.0], [0.5]] + 3 + 0.3 * generator.normal(size=(200, 1))).astype(np.float32)
    model, _ = train(
        (x, y, x[:0], y[:0]),
        network=Network(3, []),
        optimizer=build_optimizer("sgd"),
        learning_rate=0.1,
        epochs=200,
        batch_size=200,
    )
    design = np.column_stack([x, np.ones(200)]).astype(np.float64)
    closed_form = np.linalg.lstsq(design, y.astype(np.float64), rcond=None)[0][:, 0]
    kernel, bias = model.get_weights()
    assert np.r_[kernel[:, 0], bias] == pytest.approx(closed_form, abs=5e-5)


def test_the_best_validation_epoch_is_kept(rows):
    *_, x_validation, y_validation = rows
    seen = []
    model, progress = train(
        rows,
        learning_rate=0.05,
        epochs=300,
        early_stopping=EarlyStopping(patience=12),
        on_epoch=lambda progress: seen.append((progress.epoch, progress.finished)),
    )
    losses = progress.history["val_loss"]
    assert progress.best_epoch == int(np.argmin(losses)) + 1
    assert progress.epoch == len(losses) == progress.best_epoch + 12 < 300
    error_of_kept = float(np.mean((model.predict(x_validation, verbose=0) - y_validation) ** 2))
    assert error_of_kept == pytest.approx(min(losses), rel=1e-5)
    assert seen == [(epoch, epoch == len(losses)) for epoch in range(1, len(losses) + 1)]


def test_the_averages_of_the_best_epoch_are_kept(rows):
    *_, x_validation, y_validation = rows
    averaging = build_optimizer("adam", ema_momentum=0.9)
    model, progress = train(rows, optimizer=averaging, learning_rate=0.05, epochs=60)
    losses = progress.history["val_loss"]
    assert min(losses) < losses[-1]
    error_of_kept = float(np.mean((model.predict(x_validation, verbose=0) - y_validation) ** 2))
    assert error_of_kept == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("weights", ["best", "last"])
def test_averages_are_those_of_a_plain_keras_loop(rows, weights):
    """Weight by weight; without validation rows the epoch of the lowest training loss is the best."""
    x, y, *_ = rows
    order, optimizer = [np.arange(N_ROWS)], keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model, progress = train(
        (x, y, x[:0], y[:0]),
        optimizer=build_optimizer("adam", ema_momentum=0.9),
        restore_best_weights=weights == "best",
    )
    theirs = build_model(SMALL, seed=3)
    theirs.compile(optimizer, "mse")
    n_epochs = progress.best_epoch if weights == "best" else EPOCHS
    for _ in range(n_epochs):
        for start in range(0, N_ROWS, BATCH_SIZE):
            batch = order[0][start : start + BATCH_SIZE]
            theirs.train_on_batch(x[batch], y[batch])
    optimizer.finalize_variable_values(theirs.trainable_variables)
    for ours, expected in zip(model.get_weights(), theirs.get_weights(), strict=True):
        assert ours == pytest.approx(expected, abs=1e-5)


def test_improvements_within_min_delta_do_not_extend_patience(rows):
    _, progress = train(rows, epochs=50, early_stopping=EarlyStopping(patience=3, min_delta=100.0))
    assert progress.epoch == 4


def test_without_validation_rows_the_training_loss_is_watched(rows):
    x, y, *_ = rows
    _, progress = train(
        (x, y, x[:0], y[:0]), epochs=30, early_stopping=EarlyStopping(patience=2, min_delta=1e9)
    )
    assert progress.epoch == 3
    assert progress.best_epoch == int(np.argmin(progress.history["loss"])) + 1


def test_divergence_stops_at_once_and_keeps_finite_weights(rows):
    model, progress = train(rows, optimizer=build_optimizer("sgd"), learning_rate=1e6, epochs=40)
    assert progress.diverged
    assert progress.finished
    assert progress.epoch < 40
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_dropout_is_drawn_anew_for_each_step_and_only_in_training(rows):
    network = Network(4, [64], dropout=0.5)
    options = {"optimizer": build_optimizer("sgd"), "learning_rate": 1e-12}
    _, progress = train(rows, network=network, epochs=3, **options)
    assert len(set(progress.history["loss"])) == 3
    assert np.ptp(progress.history["val_loss"]) < 1e-6


def test_every_epoch_has_an_order_of_its_own_that_depends_on_the_seed_alone():
    every = [np.arange(50)]
    first, again, other = (shuffled_rows(2 * every, seed) for seed in (1, 1, 2))
    assert (first(0, 7) == again(0, 7)).all()
    assert not (first(0, 7) == first(0, 8)).all()
    assert not (first(0, 7) == first(1, 7)).all()
    assert not (first(0, 7) == other(0, 7)).all()
    assert sorted(first(0, 3)) == list(range(50))


def test_the_order_of_rows_is_what_is_trained_on(rows):
    x, y, *_ = rows
    order = np.random.default_rng(0).permutation(N_ROWS)
    _, shuffled = train(rows, order=lambda *_: order)
    _, sorted_first = train((x[order], y[order], *rows[2:]))
    assert shuffled.history["loss"] == sorted_first.history["loss"]


def test_the_same_seed_gives_the_same_weights_to_the_bit(rows):
    runs = []
    for _ in range(2):
        network = Network(4, [12], dropout=0.2)
        model, _ = train(rows, network=network, order=shuffled_rows([np.arange(N_ROWS)], 4))
        runs.append(model.get_weights())
    assert all((first == second).all() for first, second in zip(*runs, strict=True))


def test_the_global_seed_is_left_alone():
    keras.utils.set_random_seed(0)
    expected = np.random.random(3)
    keras.utils.set_random_seed(0)
    build_model(Network(3), seed=5)
    assert (np.random.random(3) == expected).all()


@pytest.mark.parametrize(
    ("options", "optimizer"),
    [
        ({}, "adamw"),
        ({"dropout": 0.0, "batch_norm": True, "l2": 0.01}, "adamw"),
        ({"hidden_layers": [100, 160]}, "adamw"),
        ({"batch_norm": True}, "muon"),
    ],
    ids=["plain", "batch norm", "a parameter larger than are packed", "muon"],
)
def test_members_side_by_side_are_what_each_is_alone(rows, options, optimizer):
    network = Network(4, **{"hidden_layers": [12, 8]} | options)
    order, initial = shuffled_rows(3 * [np.arange(N_ROWS)], 1), initial_weights(network, 7, 3)
    settings = {
        "epochs": 40,
        "optimizer": build_optimizer(optimizer, weight_decay=0.01, clip_norm=1.0),
        "early_stopping": EarlyStopping(patience=3, min_delta=0.005),
        "plateau": Plateau(patience=1, factor=0.5, min_delta=0.005),
    }
    _, together = train(rows, network=network, initial=initial, order=order, **settings)
    alone = [
        train(
            rows,
            network=network,
            initial=initial[member : member + 1],
            order=lambda _, epoch, member=member: order(member, epoch),
            **settings,
        )[1]
        for member in range(3)
    ]
    assert len({progress.epoch for progress in alone}) > 1, "the members must end at different epochs"
    for member, progress in enumerate(alone):
        for name, values in progress.history.items():
            assert together.members[member][name] == pytest.approx(values, rel=2e-3), name
    assert together.best_epochs.tolist() == [progress.best_epoch for progress in alone]
    assert together.epoch == max(progress.epoch for progress in alone)
    first = np.mean([progress.history["loss"][0] for progress in alone])
    assert together.history["loss"][0] == pytest.approx(first, rel=1e-5)


def test_recording_the_same_values_again_brings_progress_to_the_same_state(rows):
    rules = {"early_stopping": EarlyStopping(patience=4), "plateau": Plateau(patience=2)}
    _, progress = train(rows, epochs=60, learning_rate=0.1, **rules)
    again = Progress(list(progress.history), 1, epochs=60, **rules)
    for values in progress.values:
        assert not again.finished
        again.record(values)
    assert again.finished
    for name in ("history", "members", "best_epoch", "epoch", "diverged"):
        assert getattr(again, name) == getattr(progress, name), name
    assert again.slowdown == progress.slowdown
