"""What a training tells beside its results; trainings themselves are in tests/end_to_end."""

import numpy as np
import pytest

from dlreg.commands.train_verdict import say_divergence, settled_keys
from dlreg.config.reading import parse_config
from dlreg.evaluation.learning_curve import ADVISED_KEYS
from dlreg.training.progress import Progress, Refit

RESTORED = {"training.restore_best_weights"}


@pytest.mark.parametrize(
    ("sections", "settled"),
    [
        ("", RESTORED),
        ("training: {restore_best_weights: false}", set()),
        ("model: {ensemble: 3}", RESTORED | {"model.ensemble"}),
        ("training: {cross_validation: 4}", RESTORED | {"model.ensemble"}),
        ("model: {dropout: 0.1, l2: 0.01}", RESTORED | {"model.dropout", "model.l2"}),
        ("training: {clip_norm: 2.0}", RESTORED | {"training.clip_norm"}),
        (
            "model: {ensemble: 3, sample: {dropout: {min: 0, max: 0.2}, learning_rate: {min: 0.01, max: 0.1}}}",
            RESTORED | {"model.ensemble", "model.dropout", "training.learning_rate"},
        ),
        ("preset: fast", ADVISED_KEYS),
        ("preset: accurate", ADVISED_KEYS),
    ],
)
def test_nothing_is_advised_that_the_config_already_says_or_a_preset_has_chosen(sections, settled):
    config = parse_config(f"data: {{path: t.csv, target: y}}\n{sections}\n".encode(), "config.yaml")
    assert settled_keys(config) == settled


@pytest.mark.parametrize(
    ("maximum", "named"),
    [(0.1, "model.sample.learning_rate.max than 0.1"), (0.0005, "training.learning_rate than 0.001")],
)
def test_where_it_diverged_the_largest_rate_is_named(maximum, named):
    sample = f"{{ensemble: 2, sample: {{learning_rate: {{min: 0.0001, max: {maximum}}}}}}}"
    config = parse_config(f"data: {{path: t.csv, target: y}}\nmodel: {sample}\n".encode(), "config.yaml")
    progress = Progress(["loss"], 2, epochs=9)
    progress.record(np.array([[np.nan, 1.0]]))
    assert str(say_divergence(config, progress)) == (
        "the loss is not finite in epoch 1: training diverged. Try a smaller "
        f"{named}, or training.clip_norm: 1.0"
    )


def test_where_folds_go_forward_and_refitting_diverged_the_training_before_is_not_blamed():
    config = parse_config(b"data: {path: t.csv, target: y}\n", "config.yaml")
    progress = Progress(["loss"], 1, epochs=2, refit=Refit(2.0, 0.003, catches_up=True))
    for loss in (1.0, 0.5, 0.4, np.inf):
        progress.record(np.array([[loss]]))
    assert progress.diverged
    assert str(say_divergence(config, progress)) == (
        "the loss is not finite in epoch 2 of refitting, which diverged. Try training.refit: null, or a "
        "smaller training.refit.learning_rate_fraction than 3"
    )
