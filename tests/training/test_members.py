"""Members over folds and embeddings: who trains on what, how they are mixed, and what a preset makes of it."""

import json
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from scipy.optimize import minimize
from sklearn.linear_model import RidgeCV
from support.command_line import run_cli
from support.training import train_on

from dlreg.config.presets import PRESETS
from dlreg.config.reading import load_config
from dlreg.engine.forward import Batch, forward, forward_together, predict
from dlreg.engine.gradients import MIXED_TOGETHER
from dlreg.engine.update_rules import build_optimizer
from dlreg.errors import DataError
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.architecture import Network, Variant, parameter_specs
from dlreg.model.embeddings import BINS, Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import trained_model
from dlreg.table.dataset import load_dataset
from dlreg.table.splits import split_folds
from dlreg.training.blending import RIDGE_PENALTIES, blend, out_of_fold
from dlreg.training.loop import padded_rows, shuffled_rows
from dlreg.training.members import (
    count_epochs,
    divide_epoch,
    members_of,
    plan_members,
    rows_per_epoch,
    training_rows,
)
from dlreg.training.progress import Refit
from dlreg.training.schedules import build_dropout_schedule, build_schedule
from dlreg.training.train import build_variants

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(61, 4)).astype(np.float32)
Y = (X[:, :1] * 1.5 - np.sin(2 * X[:, 1:2]) + 0.1 * GENERATOR.normal(size=(61, 1))).astype(np.float32)
LEARNT = {"parametric_activation": True, "feature_scale": True, "initializer": "he_normal"}


def train(views, members, folds, initial, **options):
    defaults = {"epochs": 6, "batch_size": 16, "seed": 2, "optimizer": build_optimizer("adam")}
    return train_on(
        (X, Y),
        (X, Y),
        variants=views,
        initial=initial,
        schedule=build_schedule("constant", 0.02, epochs=6, steps_per_epoch=1),
        n_rows=rows_per_epoch(len(X), folds),
        order_of_rows=shuffled_rows(training_rows(members, len(X), folds), 4),
        validation_rows=padded_rows([folds[member.fold] for member in members]),
        **(defaults | options),
    )


def test_members_of_two_views_and_three_folds_are_what_each_is_alone():
    folds = split_folds(len(X), "random", 3, seed=1)
    members = plan_members(["periodic", "piecewise_linear"], 1, 3)
    networks = [
        Network(4, [8], "mish", embedding=embedding, **LEARNT)
        for embedding in (Periodic(3), fit_embedding("piecewise_linear", X[:, :3]))
    ]
    initial = [weights for network in networks for weights in initial_weights(network, 5, 3)]
    views = [Variant(network, 3) for network in networks]
    weights, _, together = train(views, members, folds, initial)
    order = shuffled_rows(training_rows(members, len(X), folds), 4)
    for number, member in enumerate(members):
        own = folds[member.fold]
        (alone,), _, progress = train_on(
            (X, Y),
            (X[own], Y[own]),
            variants=[Variant(networks[member.variant], 1)],
            initial=[initial[number]],
            optimizer=build_optimizer("adam"),
            schedule=build_schedule("constant", 0.02, epochs=6, steps_per_epoch=1),
            n_rows=rows_per_epoch(len(X), folds),
            order_of_rows=lambda _, epoch, number=number: order(number, epoch),
            epochs=6,
            batch_size=16,
            seed=2,
        )
        assert together.members[number]["loss"] == pytest.approx(progress.history["loss"], rel=2e-3)
        assert together.members[number]["val_loss"] == pytest.approx(progress.history["val_loss"], rel=2e-3)
        for mine, theirs in zip(weights[number].parameters, alone.parameters, strict=True):
            assert mine == pytest.approx(theirs, abs=5e-4)


@pytest.mark.parametrize("restore_best_weights", [True, False])
def test_members_end_with_their_best_or_their_last_weights(restore_best_weights):
    folds = split_folds(len(X), "random", 2, seed=1)
    members = plan_members(["none"], 1, 2)
    network = Network(4, [16])
    weights, _, progress = train(
        [Variant(network, 2)],
        members,
        folds,
        initial_weights(network, 1, 2),
        epochs=60,
        restore_best_weights=restore_best_weights,
        optimizer=build_optimizer("adam", factors={"weights": 5.0}),
    )
    kept = predict(network, weights, X)
    for member, fold in enumerate(folds):
        losses = progress.members[member]["val_loss"]
        found = float(np.mean((kept[member][fold] - Y[fold, 0]) ** 2))
        assert found == pytest.approx(min(losses) if restore_best_weights else losses[-1], rel=1e-4)
        assert min(losses) < losses[-1]


@pytest.mark.parametrize(
    "optimizer",
    [
        build_optimizer("adam", factors={"weights": 5.0}),
        build_optimizer("sgd", momentum=0.9),
        build_optimizer("rmsprop", momentum=0.5, weight_decay=0.01),
    ],
    ids=["adam", "sgd", "rmsprop"],
)
def test_refitting_goes_on_from_the_best_epoch_with_all_rows(optimizer):
    folds = split_folds(len(X), "random", 3, seed=1)
    members = plan_members(["none"], 1, 3)
    network, refit = Network(4, [16]), Refit(0.4, 0.05)
    weights, validated, progress = train(
        [Variant(network, 3)],
        members,
        folds,
        initial_weights(network, 1, 3),
        epochs=40,
        optimizer=optimizer,
        refit=refit,
    )
    kept = predict(network, validated, X)
    for number, fold in enumerate(folds):
        found = float(np.mean((kept[number][fold] - Y[fold, 0]) ** 2))
        assert found == pytest.approx(min(progress.members[number]["val_loss"]), rel=1e-4)
    n_epochs = progress.refit_epochs
    assert n_epochs.tolist() == np.rint(0.4 * progress.best_epochs).tolist()
    assert len(set(n_epochs)) > 1
    # The same by another training of each member alone, which starts where validation left it.
    n_rows = rows_per_epoch(len(X), folds)
    n_steps = -(-n_rows // 16)
    for number, best in enumerate(validated):
        length = int(n_epochs[number])

        def learning_rate(steps, length=length):
            return 0.05 * np.sin(np.pi * (steps + 0.5) / (length * n_steps)) ** 2

        def order(_, epoch, number=number):
            return np.random.default_rng((2, 40 + epoch, number)).permutation(len(X))[:n_rows]

        (alone,), _, history = train_on(
            (X, Y),
            (X[:0], Y[:0]),
            variants=[Variant(network, 1)],
            initial=[best],
            optimizer=optimizer,
            schedule=learning_rate,
            n_rows=n_rows,
            order_of_rows=order,
            epochs=length,
            batch_size=16,
            seed=2,
            restore_best_weights=False,
        )
        for mine, theirs in zip(weights[number].parameters, alone.parameters, strict=True):
            assert mine == pytest.approx(theirs, abs=5e-4)
        if length == max(n_epochs):
            assert progress.refit["loss"][-1] == pytest.approx(history.history["loss"][-1], rel=2e-3)
    assert progress.refit_epoch == max(n_epochs)
    assert len(progress.history["loss"]) == progress.epoch == 40


def test_a_member_never_meets_the_rows_it_validates_on():
    folds = split_folds(61, "random", 5, seed=3)
    members = plan_members(["none", "periodic"], 2, 5)
    assert [(member.variant, member.fold) for member in members[:4]] == [(0, 0), (0, 0), (0, 1), (0, 1)]
    assert len(members) == 20
    order = shuffled_rows(training_rows(members, 61, folds), 0)
    lengths = {len(order(number, 3)) for number in range(20)}
    assert lengths == {rows_per_epoch(61, folds)}
    for number, member in enumerate(members):
        met = set(order(number, 3).tolist())
        assert met == set(range(61)) - set(folds[member.fold].tolist())


@pytest.mark.parametrize("method", ["random", "ordered", "group", "time"])
def test_folds_hold_every_row_once_and_keep_groups_whole(method):
    by = np.repeat(np.arange(20), 5)[GENERATOR.permutation(100)]
    folds = split_folds(100, method, 4, seed=1, by=by if method in ("group", "time") else None)
    assert sorted(np.concatenate(folds).tolist()) == list(range(100))
    assert max(map(len, folds)) - min(map(len, folds)) <= (5 if method in ("group", "time") else 1)
    if method == "ordered":
        assert [fold[0] for fold in folds] == [0, 25, 50, 75]
    if method in ("group", "time"):
        assert sum(len(set(by[fold])) for fold in folds) == 20
    if method == "time":
        assert all(by[low].max() < by[high].min() for low, high in pairwise(folds))


def test_too_few_rows_or_groups_for_the_folds_are_refused():
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(9, "random", 5, seed=1)
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(100, "group", 5, seed=1, by=np.repeat([0, 1], 50))


def test_epochs_auto_is_a_number_of_steps():
    assert count_epochs(7, 1000, 4096) == 7
    found = [count_epochs("auto", steps, 4096) for steps in (1, 2, 3, 4, 5, 20, 50, 600)]
    assert found == [819, 512, 341, 256, 204, 204, 81, 8]
    assert count_epochs("auto", 2, 1536) == 192


def test_batches_of_one_size_hold_every_row_and_few_more():
    for n_rows in (1, 100, 256, 257, 323, 1000):
        assert divide_epoch(n_rows, 256, equal_batches=False) == (min(n_rows, 256), -(-n_rows // 256))
        batch_size, steps = divide_epoch(n_rows, 256, equal_batches=True)
        assert batch_size <= 256
        assert 0 <= batch_size * steps - n_rows < steps


def test_out_of_fold_takes_the_members_that_left_a_row_out():
    folds = [np.array([0, 2]), np.array([1, 3])]
    predictions = np.array([[1.0, 90, 2, 90], [3.0, 90, 4, 90], [90, 5.0, 90, 6.0]])
    assert out_of_fold(predictions, [0, 0, 1], folds).tolist() == [2, 5, 3, 6]


def test_a_blend_has_the_weights_of_least_squared_error():
    y = GENERATOR.normal(size=200)
    x = np.column_stack([y + GENERATOR.normal(size=200), GENERATOR.normal(size=200)]).astype(np.float32)
    views = [y + 0.6 * GENERATOR.normal(size=200), y + GENERATOR.normal(size=200)]
    folds = split_folds(200, "random", 4, seed=0)
    mixture, unseen = blend(x, y, folds, [0, 0, 1, 1], views, None)
    ridge = np.empty(200)
    for fold in folds:
        others = np.setdiff1d(np.arange(200), fold)
        ridge[fold] = RidgeCV(RIDGE_PENALTIES).fit(x[others], y[others]).predict(x[fold])
    candidates = np.column_stack([*views, ridge])
    best = minimize(
        lambda w: np.sum((candidates @ w - y) ** 2),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12},
    )
    found = np.array([*(2 * mixture.weights[[0, 2]]), mixture.ridge.weight])
    assert found == pytest.approx(best.x, abs=2e-3)
    assert unseen == pytest.approx(candidates @ found, abs=1e-6)
    assert mixture.weights[0] == mixture.weights[1]


def test_bins_hold_equal_shares_of_the_rows_and_each_output_is_the_share_below():
    numbers = np.column_stack([GENERATOR.gamma(2.0, size=500), np.repeat([0.0, 1.0], 250)])
    embedding = fit_embedding("piecewise_linear", numbers)
    assert embedding.slopes.shape == (2, BINS)
    shares = np.clip(numbers[:, :, None] * embedding.slopes + embedding.offsets, 0, 1)
    full = (shares[:, 0] == 1).sum(axis=0)
    assert full.tolist() == pytest.approx(np.linspace(500, 0, BINS + 1)[1:], abs=2)
    assert (np.diff(shares[:, 0], axis=1) <= 0).all()
    assert shares[:, 1].sum(axis=1).tolist() == [0.0] * 250 + [1.0] * 250
    assert fit_embedding("none", numbers) is None
    assert fit_embedding("periodic", numbers[:, :0]) is None


def test_he_normal_starts_as_it_says():
    network = Network(
        300,
        [400, 200],
        embedding=Periodic(50),
        categories=((220, 80),),
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


def test_learning_rates_and_decay_differ_by_group():
    network = Network(4, [64], feature_scale=True)
    initial = initial_weights(network, 3)
    plain = {"name": "sgd"}
    grouped = {
        "name": "sgd",
        "factors": {"biases": 0.5, "feature_scale": 3.0},
        "scales_weights": True,
        "weight_decay": 0.1,
        "decays": ["weights"],
    }

    def one_step(optimizer):
        (weights,), _, _ = train_on(
            (X, Y),
            (X[:0], Y[:0]),
            variants=[Variant(network, 1)],
            initial=initial,
            optimizer=build_optimizer(**optimizer),
            schedule=build_schedule("constant", 0.1, epochs=1, steps_per_epoch=1),
            epochs=1,
            batch_size=61,
            seed=1,
            order_of_rows=lambda *_: np.arange(61),
        )
        return weights.parameters

    specs = list(parameter_specs(network))
    before = initial[0].parameters
    for spec, start, moved, expected in zip(specs, before, one_step(grouped), one_step(plain), strict=True):
        factor = {"biases": 0.5, "feature_scale": 3.0}.get(spec.group, 1 / np.sqrt(spec.shape[0]))
        decayed = 0.01 * start if spec.group == "weights" else 0
        assert moved - start == pytest.approx((expected - start) * factor - decayed, abs=1e-6), spec


def test_schedules_have_the_values_of_their_formulas():
    coslog4 = build_schedule("coslog4", 2.0, epochs=15, steps_per_epoch=10)
    # log₂(1 + 15 t) is 0.5, 1, 2.5 and 3 there: the peak of the first cycle, its end, the third's peak and end.
    steps = 150 * (2 ** np.array([0.5, 1.0, 2.5, 3.0]) - 1) / 15
    assert coslog4(steps) == pytest.approx([2.0, 0.0, 2.0, 0.0], abs=1e-9)
    fading = build_dropout_schedule("fading", n_steps=100)
    assert fading(np.array([0, 50, 100])) == pytest.approx([1.0, 0.5, 0.0])
    assert (build_dropout_schedule("constant", n_steps=100)(np.arange(5)) == 1).all()


def test_dropout_drops_its_share_and_keeps_the_mean():
    network, rows = Network(1, [2000], "linear", dropout=0.3), tf.ones((64, 1))
    one = [tf.ones((1, 2000)), tf.zeros(2000), tf.ones((2000, 1)) / 2000, tf.zeros(1)]

    def mean_output(step, factor=1.0):
        batch = Batch(tf.ones(64), tf.constant(64.0), 7, tf.constant(step), tf.constant(factor))
        return forward(network, one, [], rows, batch)[0].numpy()[:, 0]

    found = np.concatenate([mean_output(step) for step in range(20)])
    assert found.mean() == pytest.approx(1.0, abs=0.002)
    # Of n values kept with probability p and divided by it, the mean's variance is (1 - p) / (p n).
    assert found.std() == pytest.approx(np.sqrt(0.3 / 0.7 / 2000), rel=0.1)
    assert (mean_output(3) == mean_output(3)).all()
    assert not (mean_output(3) == mean_output(4)).any()
    assert mean_output(3, 0.0) == pytest.approx(1.0, abs=1e-5)


def test_networks_computed_together_are_as_each_by_itself():
    x = GENERATOR.normal(size=(5, 20, 3)).astype(np.float32)
    networks = [
        Network(3, [6, 4], "gelu", batch_norm=True, embedding=embedding, dropout=dropout)
        for embedding, dropout in ((Periodic(3), 0.0), (None, 0.5))
    ]
    members, rows = [3, 2], [x[:3], x[3:]]
    weights = [initial_weights(network, 5, n) for network, n in zip(networks, members, strict=True)]
    parameters, statistics = (
        [[tf.constant(np.stack(values)) for values in zip(*part, strict=True)] for part in parts]
        for parts in (
            [[each.parameters for each in own] for own in weights],
            [[each.statistics for each in own] for own in weights],
        )
    )

    def batch(multiplier):
        return Batch(tf.ones(20), tf.constant(20.0), 1, tf.constant(0), tf.constant(multiplier))

    for given in (None, batch(0.0)):
        together, updated = forward_together(networks, parameters, statistics, rows, given)
        for number, network in enumerate(networks):
            alone = forward(network, parameters[number], statistics[number], rows[number], given)
            own = together[:3] if number == 0 else together[3:]
            np.testing.assert_allclose(own, alone[0], atol=1e-6)
            assert len(updated[number]) == len(alone[1]) == (4 if given else 0)
            for found, expected in zip(updated[number], alone[1], strict=True):
                np.testing.assert_allclose(found, expected, atol=1e-6)
    dropped = forward_together(networks, parameters, statistics, rows, batch(1.0))[0]
    plain = forward_together(networks, parameters, statistics, rows, batch(0.0))[0]
    np.testing.assert_array_equal(dropped[:3], plain[:3])
    assert not np.isclose(dropped[3:], plain[3:]).any()


def test_fast_forms_of_mish_and_of_the_cosine_are_exact_to_rounding():
    x = np.concatenate([np.linspace(-30, 30, 2001), [-1e4, 1e4]]).astype(np.float32)[:, None]
    one = [tf.ones((1, 1)), tf.zeros(1), tf.ones((1, 1)), tf.zeros(1)]
    found = forward(Network(1, [1], "mish"), one, [], tf.constant(x))[0]
    assert found.numpy() == pytest.approx(np.asarray(keras.activations.mish(x)), rel=1e-5, abs=1e-6)
    network = Network(1, [3], "relu", embedding=Periodic(1))
    (weights,) = initial_weights(network, 1)
    waves = np.linspace(-9, 9, 500, dtype=np.float32)[:, None]
    expected = trained_model(network, [weights]).predict(waves, verbose=0)
    assert predict(network, [weights], waves)[0] == pytest.approx(expected[:, 0], abs=3e-6)


CONFIG = """\
preset: accurate
data: {path: table.csv, target: 소요 시간, exclude: [id], dates: {day: "%d/%m/%Y"}}
model: {hidden_layers: [16]}
training: {auto_steps: 320, cross_validation: 3}
"""


@pytest.fixture(scope="module")
def accurate(project, tmp_path_factory):
    """A run of the preset, small and short."""
    folder = tmp_path_factory.mktemp("accurate")
    (folder / "table.csv").write_bytes((project / "table.csv").read_bytes())
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_preset_is_a_set_of_values_and_the_file_wins(accurate):
    resolved = yaml.safe_load((accurate / "run" / "config.yaml").read_text())
    assert resolved["preset"] == "accurate"
    assert resolved["model"]["hidden_layers"] == [16]
    assert resolved["model"]["activation"] == PRESETS["accurate"]["model"]["activation"]
    assert resolved["training"]["learning_rate_factors"]["feature_scale"] == 6.0
    assert resolved["training"]["validation_split"] == 0.0
    overrides = ["training.learning_rate_factors.biases=0.7", "preset=fast"]
    config = load_config(accurate / "config.yaml", overrides)
    factors = config.training.learning_rate_factors
    assert (factors.biases, factors.embeddings, factors.weights_by_fan_in) == (0.7, 0.1, True)
    fast = load_config(accurate / "config.yaml", ["preset=fast", "training.cross_validation=5"])
    assert [member.embedding for member in members_of(fast)] == ["piecewise_linear"] * 5
    # The same without a preset's name: nothing hides behind it.
    spelled_out = load_config(accurate / "run" / "config.yaml", ["preset=standard"])
    named = load_config(accurate / "run" / "config.yaml")
    assert spelled_out.model_copy(update={"preset": "accurate"}) == named


def test_cross_validation_is_recorded_and_honest(accurate):
    run = accurate / "run"
    split = json.loads((run / "split.json").read_text())
    assert sorted(row for fold in split["folds"] for row in fold) == split["train"]
    assert split["validation"] == []
    assert [member["validation_fold"] for member in split["members"]] == [0, 1, 2, 0, 1, 2]
    assert {member["embedding"] for member in split["members"]} == {"periodic", "piecewise_linear"}
    metrics = json.loads((run / "metrics.json").read_text())
    table = np.genfromtxt(run / "out_of_fold.csv", delimiter=",", names=True)
    assert table["row"].astype(int).tolist() == split["train"]
    rmse = float(np.sqrt(np.mean((table["y_true"] - table["y_pred"]) ** 2)))
    assert metrics["out_of_fold"]["rmse"] == pytest.approx(rmse)
    assert metrics["validation"] is None
    assert metrics["train"]["rmse"] < metrics["out_of_fold"]["rmse"]
    assert json.loads((run / "intervals.json").read_text())["calibrated_on"] == "out_of_fold"


def test_evaluate_and_gates_know_the_out_of_fold_rows(accurate):
    done = run_cli("evaluate", "run", "--json", "--fail-if", "out_of_fold.rmse>1e9", cwd=accurate)
    assert done.returncode == 0, done.stderr
    found, recorded = json.loads(done.stdout), json.loads((accurate / "run" / "metrics.json").read_text())
    assert found["metrics"]["out_of_fold"] == pytest.approx(recorded["out_of_fold"])
    assert found["metrics"]["test"]["rmse"] == pytest.approx(recorded["test"]["rmse"])
    failed = run_cli("evaluate", "run", "--fail-if", "out_of_fold.rmse>0", cwd=accurate)
    assert failed.returncode == 8


def test_the_resolved_config_gives_the_same_run_again(accurate):
    done = run_cli("train", "run/config.yaml", "--run-dir", "again", cwd=accurate)
    assert done.returncode == 0, done.stderr
    for name in (
        "metrics.json",
        "history.json",
        "predictions.csv",
        "out_of_fold.csv",
        "pipeline.onnx",
        "model.keras",
    ):
        assert (accurate / "again" / name).read_bytes() == (accurate / "run" / name).read_bytes(), name


def test_refitting_changes_the_prediction_and_nothing_that_was_validated(accurate):
    run, plain = accurate / "run", accurate / "plain"
    done = run_cli("train", "config.yaml", "--run-dir", "plain", "--set", "training.refit=null", cwd=accurate)
    assert done.returncode == 0, done.stderr
    for name in ("out_of_fold.csv", "intervals.json", "loss_curve.png"):
        assert (run / name).read_bytes() == (plain / name).read_bytes(), name
    assert (run / "predictions.csv").read_bytes() != (plain / "predictions.csv").read_bytes()
    record, history = (json.loads((run / name).read_text()) for name in ("run.json", "history.json"))
    assert record["refit_epochs"] == [max(1, round(0.6 * best)) for best in record["best_epochs"]]
    refit = history.pop("refit")
    assert history == json.loads((plain / "history.json").read_text())
    assert {name: len(values) for name, values in refit.items()} == dict.fromkeys(
        ("loss", "mae", "learning_rate"), max(record["refit_epochs"])
    )
    assert refit["loss"][-1] < refit["loss"][0]


def test_check_counts_what_the_preset_trains(accurate):
    done = run_cli("check", "config.yaml", "--format", "json", cwd=accurate)
    plan = json.loads(done.stdout)["plan"]
    record = json.loads((accurate / "run" / "run.json").read_text())
    assert plan["features"] == record["features"]
    assert plan["parameters"] == record["parameters"]
    assert plan["epochs"] == record["epochs"] == 64
    assert plan["refit_epochs"] == 38 >= max(record["refit_epochs"])
    shown = run_cli("check", "config.yaml", cwd=accurate).stdout
    assert "at most 64 epochs, then at most 38 to refit" in shown


def test_each_embedding_has_its_dropout_and_a_list_goes_round(accurate):
    for given, expected in (("[0.1, 0.0]", [0.1, 0.0]), ("[0.2]", [0.2, 0.2]), ("0.3", [0.3, 0.3])):
        config = load_config(accurate / "config.yaml", [f"model.dropout={given}"])
        dataset = load_dataset(config)
        train = dataset.parts["train"]
        preprocessing = fit_preprocessing(
            train.cells,
            train.y_true,
            dataset.columns,
            **config.preprocessing.model_dump(exclude={"embedding"}),
        )
        views = build_variants(config, preprocessing, preprocessing.transform(train.cells), 6)
        assert [view.network.dropout for view in views] == expected


def test_waves_of_more_numbers_than_are_mixed_together_are_as_in_keras():
    n_numbers = MIXED_TOGETHER + 3
    network = Network(n_numbers, [6], embedding=Periodic(n_numbers), initializer="he_normal")
    (weights,) = initial_weights(network, 3)
    x = GENERATOR.normal(size=(20, n_numbers)).astype(np.float32)
    expected = trained_model(network, [weights]).predict(x, verbose=0)[:, 0]
    assert predict(network, [weights], x)[0] == pytest.approx(expected, abs=1e-5)


def test_check_warns_of_keys_that_overrule_a_preset(accurate):
    done = run_cli("check", "config.yaml", "--format", "json", cwd=accurate)
    warnings = [warning for warning in json.loads(done.stdout)["warnings"] if "preset" in warning["message"]]
    assert [(each["message"].split()[0], each["line"], each["column"]) for each in warnings] == [
        ("model.hidden_layers", 3, 24),
        ("training.auto_steps", 4, 24),
        ("training.cross_validation", 4, 47),
    ]


def test_predictions_stay_within_the_training_targets(accurate):
    predictions = np.genfromtxt(accurate / "run" / "predictions.csv", delimiter=",", names=True)
    targets = np.genfromtxt(accurate / "run" / "out_of_fold.csv", delimiter=",", names=True)["y_true"]
    assert targets.min() - 1e-9 <= predictions["y_pred"].min()
    assert predictions["y_pred"].max() <= targets.max() + 1e-9
