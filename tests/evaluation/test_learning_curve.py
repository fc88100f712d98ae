"""The verdict on made curves of a known kind, and on real runs."""

import time
import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from dlreg.config.schema import Config
from dlreg.evaluation.learning_curve import ADVISED_KEYS, _smooth, judge_learning_curve

EPOCHS = np.arange(1, 121)
FALLING = 1 / np.sqrt(EPOCHS)
FLAT = 0.2 + np.exp(-EPOCHS / 8)


def noise(scale, seed=0):
    return 1 + scale * np.random.default_rng(seed).normal(size=len(EPOCHS))


CURVES = {
    "flat": ("converged", FLAT, FLAT * 1.1),
    "flat, a little noise": ("converged", FLAT * noise(0.02), FLAT * 1.1 * noise(0.04, 1)),
    "flat after a slow rise within noise": ("converged", FLAT, (FLAT * 1.1 + EPOCHS * 5e-5) * noise(0.03)),
    "constant": ("converged", np.full(30, 0.5), np.full(30, 0.5)),
    "zero": ("converged", np.zeros(10), np.zeros(10)),
    "falling": ("still falling", FALLING, FALLING * 1.1),
    "falling, noise": ("still falling", FALLING * noise(0.02), FALLING * 1.1 * noise(0.02, 1)),
    "falling again after a lower start": (
        "converged",
        FALLING,
        np.r_[1.0, 0.3, 0.31, 0.7 * FALLING[:117] + 0.5],
    ),
    "falling without validation": ("still falling", FALLING, None),
    "overfitting": ("overfitting", FALLING, 0.4 + np.exp(-EPOCHS / 8) + EPOCHS * 0.002),
    "overfitting, noise": (
        "overfitting",
        FALLING,
        (0.4 + np.exp(-EPOCHS / 8) + EPOCHS * 0.004) * noise(0.03),
    ),
    "noisy": ("noisy", FLAT * noise(0.1), FLAT * np.exp(0.5 * (noise(1) - 1))),
    "not finite": ("diverged", np.r_[FALLING[:9], np.nan], np.r_[FALLING[:9], np.nan]),
    "infinite validation": ("diverged", FALLING[:9], np.r_[FALLING[:8], np.inf]),
    "rising": ("diverged", 1 + EPOCHS**2.0, 1 + EPOCHS**2.0),
    "one epoch": ("too short", [1.0], [1.0]),
    "four epochs": ("too short", [4.0, 3.0, 2.0, 1.0], None),
}


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize(("kind", "loss", "val_loss"), CURVES.values(), ids=CURVES.keys())
def test_made_curves_are_told_apart_in_any_unit(kind, loss, val_loss, scale):
    scaled = None if val_loss is None else np.asarray(val_loss) * scale
    verdict = judge_learning_curve(np.asarray(loss) * scale, scaled)
    assert verdict.kind == kind
    assert verdict.sentence.endswith(".")


def test_overfitting_names_the_best_epoch():
    val_loss = np.r_[np.linspace(1, 0.3, 40), np.linspace(0.31, 0.6, 60)]
    verdict = judge_learning_curve(1 / EPOCHS[:100], val_loss)
    assert (verdict.kind, verdict.since_epoch) == ("overfitting", 40)
    assert "since epoch 40" in verdict.sentence


def risen(share: float) -> np.ndarray:
    """A validation loss that falls for 40 epochs and then rises to so much above its best."""
    return np.r_[np.linspace(1, 0.3, 40), np.linspace(0.3, 0.3 * (1 + share), 20)]


def test_more_epochs_are_advised_as_a_number():
    verdict = judge_learning_curve(np.geomspace(1, 0.01, 50), np.geomspace(1, 0.01, 50))
    assert verdict.kind == "still falling"
    assert "set training.epochs: 150" in verdict.advice


@pytest.mark.parametrize(
    ("share", "stopped_early", "kept", "kind"),
    [
        (0.09, True, "best", "converged"),
        (0.09, True, "refitted", "converged"),
        (0.09, True, "last", "overfitting"),
        (0.09, False, "best", "overfitting"),
        (0.5, True, "best", "overfitting"),
        (0.03, False, "last", "converged"),
    ],
)
def test_a_small_rise_that_early_stopping_waited_for_is_no_overfitting(share, stopped_early, kept, kind):
    verdict = judge_learning_curve(
        1 / EPOCHS[:60], risen(share), stopped_early=stopped_early, kept_weights=kept
    )
    assert verdict.kind == kind
    assert ("rose after it" in verdict.sentence) == (kind == "converged" and share > 0.05)


def test_divergence_names_the_first_epoch_that_went_wrong():
    verdict = judge_learning_curve([1.0, 2.0, float("inf"), float("nan")], None)
    assert (verdict.kind, verdict.since_epoch) == ("diverged", 3)


@pytest.mark.parametrize(("kind", "loss", "val_loss"), CURVES.values(), ids=CURVES.keys())
def test_a_target_of_which_a_few_rows_make_up_the_loss_is_told_first_and_nothing_else_is_blamed(
    kind, loss, val_loss
):
    verdict = judge_learning_curve(loss, val_loss, target_hint="Set preprocessing.target: log")
    assert verdict.kind == (kind if kind in ("diverged", "too short") else "hard to judge")
    assert verdict.advice == "Set preprocessing.target: log."
    assert "verfitting" not in verdict.sentence
    assert "by heart" not in verdict.sentence


def test_a_run_that_stopped_early_is_not_still_falling():
    assert judge_learning_curve(FALLING, FALLING, stopped_early=True).kind == "converged"


@pytest.mark.parametrize(
    ("kept", "ending"),
    [
        ("best", "The weights of the best epoch are kept."),
        ("last", "The weights of the last epoch are kept all the same."),
        ("refitted", "Refitting went on from the best epoch, with the rows that validated."),
    ],
)
def test_overfitting_says_what_became_of_the_best_epoch(kept, ending):
    verdict = judge_learning_curve(FALLING, 0.4 + np.exp(-EPOCHS / 8) + EPOCHS * 0.002, kept_weights=kept)
    assert verdict.kind == "overfitting"
    assert verdict.sentence.endswith(f"fell on. {ending}")


def test_without_validation_rows_overfitting_cannot_be_seen_and_that_is_said():
    verdict = judge_learning_curve(FLAT, None)
    assert verdict.kind == "converged"
    assert "cannot be seen" in verdict.sentence


def train(n_rows, hidden, epochs, learning_rate, seed=0, spread=0.5):
    """The losses of a real network, by scikit-learn, on rows with noise."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows + 200, 6))
    y = x[:, 0] + np.sin(2 * x[:, 1]) + spread * generator.normal(size=len(x))
    train_rows, others = slice(0, n_rows), slice(n_rows, None)
    model = MLPRegressor(
        hidden_layer_sizes=hidden, learning_rate_init=learning_rate, random_state=seed, alpha=0
    )
    loss, val_loss = [], []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(epochs):
            model.partial_fit(x[train_rows], y[train_rows])
            for rows, values in ((train_rows, loss), (others, val_loss)):
                values.append(float(np.mean((model.predict(x[rows]) - y[rows]) ** 2)))
    return loss, val_loss


@pytest.mark.parametrize(
    ("kind", "run"),
    [
        ("overfitting", {"n_rows": 60, "hidden": (128, 128), "epochs": 200, "learning_rate": 0.003}),
        ("still falling", {"n_rows": 2000, "hidden": (16,), "epochs": 10, "learning_rate": 0.0005}),
        ("converged", {"n_rows": 2000, "hidden": (8,), "epochs": 60, "learning_rate": 0.01}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_real_runs_are_told_apart(kind, run):
    assert judge_learning_curve(*train(**run)).kind == kind


def test_what_is_advised_are_keys_of_the_config():
    sections = Config.model_fields
    for key in ADVISED_KEYS:
        section, _, name = key.partition(".")
        assert section in sections
        assert not name or name in sections[section].annotation.model_fields


def test_overfitting_advises_first_to_keep_the_best_weights():
    verdict = judge_learning_curve(1 / EPOCHS[:60], risen(0.5), kept_weights="last")
    assert verdict.advice == (
        "Set training.restore_best_weights: true, or set model.ensemble: 5, or set model.dropout: 0.2."
    )


def test_what_is_settled_is_not_advised():
    offered = judge_learning_curve(FLAT, FLAT * 1.1)
    assert "model.ensemble" in offered.advice
    left = judge_learning_curve(FLAT, FLAT * 1.1, settled={"model.ensemble"})
    assert "model.ensemble" not in left.advice
    assert left.advice.startswith("Set ")
    nothing = judge_learning_curve(FLAT, FLAT * 1.1, settled=ADVISED_KEYS)
    assert nothing.advice == ""
    assert (offered.kind, offered.sentence) == (nothing.kind, nothing.sentence)


@pytest.mark.parametrize("n_epochs", [1, 2, 19, 20, 39, 40, 41, 500])
def test_a_curve_is_smoothed_by_the_median_of_a_tenth_of_its_epochs(n_epochs):
    values = np.round(np.random.default_rng(n_epochs).gamma(1.0, size=n_epochs), 1)
    reach = max(1, n_epochs // 20)
    expected = [np.median(values[max(0, epoch - reach) : epoch + reach + 1]) for epoch in range(n_epochs)]
    assert np.array_equal(_smooth(values), expected)


def test_a_hundred_thousand_epochs_are_judged_within_seconds():
    generator = np.random.default_rng(0)
    loss = np.exp(-np.arange(100_000) / 30_000) + 0.1 * generator.random(100_000)
    began = time.process_time()
    judge_learning_curve(loss, loss + 0.1)
    # Sorting every window anew took half a minute.
    assert time.process_time() - began < 3


def test_a_loss_that_ends_above_its_best_did_not_flatten_out_there():
    val_loss = np.r_[1.0, 0.3, 0.31, 0.7 * FALLING[:117] + 0.5]
    verdict = judge_learning_curve(FALLING, val_loss)
    assert verdict.sentence.startswith(
        "Converged: the validation loss was at its best in epoch 2 and rose after"
    )


def test_more_epochs_are_advised_with_what_would_be_lost_without_a_word():
    alone = judge_learning_curve(FALLING, FALLING)
    beside = judge_learning_curve(FALLING, FALLING, beside_epochs="training.refit: {}")
    assert alone.kind == beside.kind == "still falling"
    epochs = f"training.epochs: {3 * len(FALLING)}"
    assert epochs in alone.advice
    assert "refit" not in alone.advice
    assert f"{epochs} and training.refit: {{}}" in beside.advice
