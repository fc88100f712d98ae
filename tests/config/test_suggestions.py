"""The way out that a fault offers."""

from pathlib import Path

import pytest
from support.configs import HEAD, faults_of


@pytest.mark.parametrize(
    ("addition", "hint"),
    [
        ("  targt: y", "Did you mean data.target?"),
        ("  validation_split: 0", "Did you mean training.validation_split?"),
        ("learning_rte: 1", "Did you mean training.learning_rate?"),
        ("model: {target: a}", "Did you mean data.target or preprocessing.target?"),
        ("training: {schedule: plato}", "Did you mean plateau?"),
        ("model: {activation: GELU}", "Did you mean gelu?"),
        ("training.epochs: 3", "Write epochs below training, indented."),
        ("preset: acurate", "Did you mean accurate?"),
        ("  test_path: s3://a/b", "download it first"),
        ('training: {epochs: "9"}', "without quotes"),
        ("model: {hidden_layers: 9}", "Write it as a list, [9]."),
        ("training: {epochs: 0}", "Leave it out for the default, 100."),
        ("training: ~", "Its keys are loss, optimizer"),
        ("training: {loss: mean_absolute_error}", "Did you mean mae?"),
        ("  types: {a: float}", "Did you mean number?"),
        ("  types: {a: string}", "Did you mean category?"),
        ("model: {dropout: 20}", "Write 0.2."),
        ("model: {dropout: 2}", "Leave it out for the default, 0.0."),
    ],
)
def test_hints(tmp_path: Path, addition: str, hint: str) -> None:
    (fault,) = faults_of(tmp_path, HEAD + addition)
    assert fault.hint
    assert hint in fault.hint
