"""What a training tells beside its results; trainings themselves are in tests/end_to_end."""

import pytest

from dlreg.commands.train_verdict import settled_keys
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
        ("preset: fast", ADVISED_KEYS),
        ("preset: accurate", ADVISED_KEYS),
    ],
)
def test_nothing_is_advised_that_the_config_already_says_or_a_preset_has_chosen(sections, settled):
    config = parse_config(f"data: {{path: t.csv, target: y}}\n{sections}\n".encode(), "config.yaml")
    assert settled_keys(config) == settled
