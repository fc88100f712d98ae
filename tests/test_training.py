"""The compiled loop is Keras's mathematics: the same losses as `Model.fit` on the same order of rows."""

import math

import keras
import numpy as np
import pytest

from dlreg.model import LOSSES, build_learning_rate, build_model, build_optimizer
from dlreg.training import EarlyStopping, Plateau, Progress, fit, shuffled_rows

N_ROWS, BATCH_SIZE, EPOCHS = 83, 16, 5
STEPS = math.ceil(N_ROWS / BATCH_SIZE)


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(N_ROWS + 30, 4)).astype(np.float32)
    y = (x[:, :1] * 1.5 - np.sin(2 * x[:, 1:2]) + 0.1 * generator.normal(size=(len(x), 1))).astype(np.float32)
    return x[:N_ROWS], y[:N_ROWS], x[N_ROWS:], y[N_ROWS:]


def train(
    rows, *, model=None, optimizer=None, loss="mse", epochs=EPOCHS, order=None, metrics=None, **options
) -> tuple:
    model = model or build_model(4, hidden_layers=[12, 8], seed=3)
    progress = fit(
        model,
        optimizer or build_optimizer("adam", 0.01),
        LOSSES[loss](reduction="mean_with_sample_weight"),
        *rows,
        epochs=epochs,
        batch_size=options.pop("batch_size", BATCH_SIZE),
        order_of_rows=order or (lambda _: np.arange(len(rows[0]))),
        metrics=metrics,
        **options,
    )
    return model, progress


def keras_history(rows, model, optimizer, loss, callbacks=()) -> dict:
    model.compile(optimizer, LOSSES[loss](), metrics=["mae"])
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


def learning_rate(schedule, **options):
    return build_learning_rate(schedule, 0.01, epochs=EPOCHS, steps_per_epoch=STEPS, **options)


CASES = {
    "adam": {},
    "sgd": {"optimizer": {"name": "sgd"}},
    "sgd, momentum, clipped": {"optimizer": {"name": "sgd", "momentum": 0.9, "clip_norm": 0.3}},
    "adamw": {"optimizer": {"name": "adamw", "weight_decay": 0.05}},
    "rmsprop": {"optimizer": {"name": "rmsprop", "momentum": 0.5}},
    "nadam": {"optimizer": {"name": "nadam"}},
    "l2": {"model": {"l2": 0.02}},
    "batch norm": {"model": {"batch_norm": True}},
    "batch norm, l2, adamw": {
        "model": {"batch_norm": True, "l2": 0.01},
        "optimizer": {"name": "adamw", "weight_decay": 0.01},
    },
    "linear regression": {"model": {"hidden_layers": []}},
    "log_cosh": {"loss": "log_cosh"},
    "mae": {"loss": "mae"},
    "huber": {"loss": "huber"},
    "cosine": {"schedule": ("cosine", {"warmup_epochs": 0, "final_fraction": 0.1})},
    "cosine with warm-up": {"schedule": ("cosine", {"warmup_epochs": 2, "final_fraction": 0.0})},
    "step": {"schedule": ("step", {"every_epochs": 2, "factor": 0.3})},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_losses_equal_those_of_model_fit(rows, case):
    loss = case.get("loss", "mse")
    schedule, options = case.get("schedule", ("constant", {}))
    optimizer = {"name": "adam"} | case.get("optimizer", {})

    def fresh():
        model = build_model(4, **{"hidden_layers": [12, 8], "seed": 3} | case.get("model", {}))
        return model, build_optimizer(learning_rate=learning_rate(schedule, **options), **optimizer)

    model, ours = fresh()
    _, progress = train(
        rows, model=model, optimizer=ours, loss=loss, metrics={"mae": lambda a, b: abs(a - b)}
    )
    expected = keras_history(rows, *fresh(), loss)
    relative = 1e-3 if loss in ("mae", "huber") else 1e-5
    for name in ("loss", "val_loss", "mae", "val_mae"):
        assert progress.history[name] == pytest.approx(expected[name], rel=relative), name


def test_plateau_equals_keras_reduce_lr_on_plateau(rows):
    plateau = Plateau(patience=1, factor=0.5, min_delta=0.5, min_learning_rate=0.002)
    _, progress = train(rows, plateau=plateau)
    callback = keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.5, min_lr=0.002)
    model = build_model(4, hidden_layers=[12, 8], seed=3)
    expected = keras_history(rows, model, build_optimizer("adam", 0.01), "mse", [callback])
    assert progress.history["learning_rate"] == pytest.approx(expected["learning_rate"], rel=1e-6)
    assert progress.history["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-5)
    assert min(progress.history["learning_rate"]) < 0.01


@pytest.mark.parametrize(
    ("n_rows", "batch_size"), [(1, 32), (31, 32), (32, 32), (33, 32), (83, 1), (83, 1000)]
)
def test_the_loss_of_an_epoch_weighs_every_row_once(rows, n_rows, batch_size):
    x, y, *_ = rows
    model, optimizer = build_model(4, hidden_layers=[6], seed=1), build_optimizer("sgd", 1e-12)
    before = float(np.mean((model.predict(x[:n_rows], verbose=0) - y[:n_rows]) ** 2))
    part = (x[:n_rows], y[:n_rows], x[:0], y[:0])
    _, progress = train(part, model=model, optimizer=optimizer, epochs=1, batch_size=batch_size)
    assert progress.history["loss"] == pytest.approx([before], rel=1e-5)
    assert "val_loss" not in progress.history


def test_validation_rows_beyond_one_block_are_all_counted(rows, monkeypatch):
    monkeypatch.setattr("dlreg.training.VALIDATION_ROWS", 7)
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
        model=build_model(3, hidden_layers=[]),
        optimizer=build_optimizer("sgd", 0.1),
        epochs=200,
        batch_size=200,
    )
    design = np.column_stack([x, np.ones(200)]).astype(np.float64)
    closed_form = np.linalg.lstsq(design, y.astype(np.float64), rcond=None)[0][:, 0]
    kernel, bias = model.get_weights()
    assert np.r_[kernel[:, 0], bias] == pytest.approx(closed_form, abs=1e-5)


def test_the_best_validation_epoch_is_kept(rows):
    *_, x_validation, y_validation = rows
    seen: list[Progress] = []
    model, progress = train(
        rows,
        optimizer=build_optimizer("adam", 0.05),
        epochs=300,
        early_stopping=EarlyStopping(patience=12),
        on_epoch=seen.append,
    )
    losses = progress.history["val_loss"]
    assert progress.best_epoch == int(np.argmin(losses)) + 1
    assert progress.epoch == len(losses) == progress.best_epoch + 12 < 300
    kept = float(np.mean((model.predict(x_validation, verbose=0) - y_validation) ** 2))
    assert kept == pytest.approx(min(losses), rel=1e-5)
    assert [each.epoch for each in seen] == list(range(1, len(losses) + 1))
    assert [each.finished for each in seen] == [False] * (len(losses) - 1) + [True]


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
    model, progress = train(rows, optimizer=build_optimizer("sgd", 1e6), epochs=40)
    assert progress.diverged
    assert progress.finished
    assert progress.epoch < 40
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_dropout_is_drawn_anew_for_each_step_and_only_in_training(rows):
    model = build_model(4, hidden_layers=[64], dropout=0.5, seed=9)
    _, progress = train(rows, model=model, optimizer=build_optimizer("sgd", 1e-12), epochs=3)
    assert len(set(progress.history["loss"])) == 3
    assert np.ptp(progress.history["val_loss"]) < 1e-6


def test_every_epoch_has_an_order_of_its_own_that_depends_on_the_seed_alone():
    first, again, other = shuffled_rows(50, 1), shuffled_rows(50, 1), shuffled_rows(50, 2)
    assert (first(7) == again(7)).all()
    assert not (first(7) == first(8)).all()
    assert not (first(7) == other(7)).all()
    assert sorted(first(3)) == list(range(50))


def test_the_order_of_rows_is_what_is_trained_on(rows):
    x, y, *_ = rows
    order = np.random.default_rng(0).permutation(N_ROWS)
    _, shuffled = train(rows, order=lambda _: order)
    _, sorted_first = train((x[order], y[order], *rows[2:]))
    assert shuffled.history["loss"] == sorted_first.history["loss"]


def test_the_same_seed_gives_the_same_weights_to_the_bit(rows):
    runs = []
    for _ in range(2):
        model = build_model(4, hidden_layers=[12], dropout=0.2, seed=4)
        train(rows, model=model, order=shuffled_rows(N_ROWS, 4))
        runs.append(model.get_weights())
    assert all((first == second).all() for first, second in zip(*runs, strict=True))


def test_the_global_seed_is_left_alone():
    keras.utils.set_random_seed(0)
    expected = np.random.random(3)
    keras.utils.set_random_seed(0)
    build_model(3, seed=5)
    assert (np.random.random(3) == expected).all()
