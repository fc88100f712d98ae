"""What a training tells beside its results; trainings themselves are in tests/end_to_end."""

import pytest

from dlreg.commands.train_verdict import largest_rate, settled_keys
from dlreg.config.reading import parse_config
from dlreg.evaluation.learning_curve import ADVISED_KEYS

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
    assert largest_rate(config) == named
