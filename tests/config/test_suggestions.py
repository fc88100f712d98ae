"""The way out that a fault offers."""

from pathlib import Path

import pytest
from support.configs import HEAD, faults_of

from dlreg.config.keys import leaves_of, nodes_at
from dlreg.config.places import KeyPath
from dlreg.config.suggestions import hint_for_unknown_key, meant_scalar


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
        ("training: {seed: -1}", "Leave it out for the default, 42."),
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


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        (("lr",), "Did you mean training.learning_rate?"),
        (("model", "Units"), "Did you mean model.hidden_layers?"),
        (("data", "path:table.csv"), "Put a blank after the colon."),
        (("run", "zzz"), "The keys here are dir, threads, compile_cache, log."),
    ],
)
def test_hints_for_unknown_keys(key: KeyPath, meant: str) -> None:
    assert hint_for_unknown_key(key, None) == meant


@pytest.mark.parametrize(
    ("value", "key", "text"),
    [
        ("20%", ("data", "test_split"), "0.2"),
        ("1,000", ("training", "epochs"), "1000"),
        ("0,5", ("model", "l2"), "0.5"),
        ("100", ("training", "batch_size"), "100 without quotes"),
        ("yes", ("model", "blend"), "true"),
        ("None", ("run", "dir"), "null"),
        (2.5, ("training", "batch_size"), None),
        (True, ("training", "seed"), None),
    ],
)
def test_what_a_value_seems_to_mean(value: object, key: KeyPath, text: str | None) -> None:
    assert meant_scalar(value, leaves_of(nodes_at(key))) == text
