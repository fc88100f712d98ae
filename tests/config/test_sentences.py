"""Every fault of a single value or key: its place, its sentence, and a hint."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, faults_of

BAD = [
    ("prest: standard", 4, 1, "unknown key prest"),
    ("modle: {}", 4, 1, "unknown key modle"),
    ("epochs: 3", 4, 1, "unknown key epochs"),
    ("training.epochs: 3", 4, 1, "unknown key training.epochs"),
    ("qqqq: 3", 4, 1, "unknown key qqqq"),
    ("  targt: y", 4, 3, "unknown key data.targt"),
    ("  learning_rate: 1", 4, 3, "unknown key data.learning_rate"),
    ("training:\n  learning_rte: 1e-3", 5, 3, "unknown key training.learning_rte"),
    ("training: {early_stopping: {patienc: 1}}", 4, 29, "unknown key training.early_stopping.patienc"),
    ("training: {schedule: {name: constant, factor: 1}}", 4, 39, "unknown key training.schedule.factor"),
    ("preset: slow", 4, 9, "preset must be one of standard, fast, accurate, best"),
    (
        "training: {early_stopping: {patience: soon}}",
        4,
        39,
        'training.early_stopping.patience must be auto or a whole number from 1 to 2147483647, found "soon"',
    ),
    ("preset: 1", 4, 9, "preset must be one of standard, fast, accurate, best"),
    ("preset: acurate", 4, 9, "preset must be one of standard, fast, accurate, best"),
    (
        "training: {cross_validation: 5, refit: {epochs_fraction: 0}}",
        4,
        58,
        "training.refit.epochs_fraction must be a number above 0 up to 10, found 0",
    ),
    (
        "training: {refit: {epochs_fractoin: 1}}",
        4,
        20,
        "unknown key training.refit.epochs_fractoin",
    ),
    (
        "training: {cross_validation: 1}",
        4,
        30,
        "training.cross_validation must be a whole number from 2 to 50",
    ),
    (
        "preprocessing: {embedding: [periodc]}",
        4,
        29,
        "preprocessing.embedding[0] must be one of none, periodic, piecewise_linear",
    ),
    ("preprocessing: {embedding: []}", 4, 28, "preprocessing.embedding must be"),
    ("  path: other.csv", 4, 3, "`path` is given twice, first in line 2"),
    ("training:", 4, 10, "training must be a mapping, found null"),
    ("model: 3", 4, 8, "model must be a mapping, found 3"),
    ("run: [a]", 4, 6, 'run must be a mapping, found ["a"]'),
    (
        "  features: age",
        4,
        13,
        'data.features must be all or a list of at least 1, each item text, found "age"',
    ),
    ("  features: []", 4, 13, "data.features must be all or a list of at least 1"),
    ("  features:", 4, 12, "found null"),
    ("  features: [a, [b]]", 4, 17, "data.features[1] must be text"),
    ("  exclude: [null]", 4, 13, "data.exclude[0] must be text, found null"),
    ("  exclude: a", 4, 12, "data.exclude must be a list"),
    ("  exclude: [y]", 4, 13, 'data.target is "y", data.exclude cannot'),
    ("  decimal: ;", 4, 12, 'data.decimal must be one of ".", ","'),
    ('  thousands: "-"', 4, 14, "data.thousands must be one of"),
    ("  missing_values: NA", 4, 19, "data.missing_values must be a list, each item text"),
    ("  types: {a: numbr}", 4, 14, "data.types.a must be one of number, category, date"),
    ("  types: [a]", 4, 10, "data.types must be a mapping from columns to one of number"),
    ("  test_split: 1", 4, 15, "data.test_split must be a number of at least 0 and below 1 or null, found 1"),
    ("  test_split: .nan", 4, 15, "found .nan"),
    ("  split: tim", 4, 10, 'must be one of random, ordered, group, time, found "tim"'),
    ("preprocessing: {numeric: z}", 4, 26, "preprocessing.numeric must be one of standard, minmax"),
    (
        "preprocessing: {missing: }",
        4,
        25,
        "preprocessing.missing must be one of median, mean, error, found null",
    ),
    ("model: {hidden_layers: 64}", 4, 24, "model.hidden_layers must be a list of at most 100"),
    (
        "model: {hidden_layers: [8, 0]}",
        4,
        28,
        "model.hidden_layers[1] must be a whole number from 1 to 65536",
    ),
    ("model: {hidden_layers: [1.0]}", 4, 25, "found 1.0"),
    ("model: {hidden_layers: [true]}", 4, 25, "found true"),
    (f"model: {{hidden_layers: {[1] * 101}}}", 4, 24, "at most 100"),
    ("model: {activation: rellu}", 4, 21, "model.activation must be one of relu, leaky_relu"),
    ("model: {dropout: 1.0}", 4, 18, "model.dropout must be a number of at least 0 and below 1"),
    ("model: {l2: -1e-3}", 4, 13, "model.l2 must be a number of at least 0, found -1e-3"),
    ("model: {batch_norm: yes}", 4, 21, 'model.batch_norm must be true or false, found "yes"'),
    ("model: {batch_norm: 1}", 4, 21, "found 1"),
    ("model: {ensemble: 101}", 4, 19, "model.ensemble must be a whole number from 1 to 100, found 101"),
    ("training: {loss: rmse}", 4, 18, "training.loss must be one of mse, mae, huber, log_cosh"),
    ("training: {optimizer: ADAM}", 4, 23, "training.optimizer must be one of"),
    ("training: {learning_rate: 0}", 4, 27, "training.learning_rate must be a number above 0"),
    ('training: {learning_rate: "0.1"}', 4, 27, 'found "0.1"'),
    ("training: {learning_rate: 1e400}", 4, 27, "found 1e400"),
    ("training: {learning_rate: true}", 4, 27, "found true"),
    ("training: {clip_norm: 0}", 4, 23, "training.clip_norm must be a number above 0 or null"),
    (
        "training: {epochs: 1e2}",
        4,
        20,
        "training.epochs must be auto or a whole number from 1 to 10000000, found 1e2",
    ),
    (f"training: {{seed: {'9' * 5000}}}", 4, 18, "training.seed must be a whole number from 0 to 4294967295"),
    ("training: {validation_split: 1.5}", 4, 30, "training.validation_split must be"),
    ("training: {early_stopping: false}", 4, 28, "training.early_stopping must be a mapping or null"),
    ("training: {schedule: cosin}", 4, 22, "training.schedule.name must be one of constant, cosine"),
    ("training: {schedule: {name: cosin}}", 4, 29, "training.schedule.name must be one of constant, cosine"),
    ("training: {schedule: {factor: 0.1}}", 4, 12, "training.schedule.name is required"),
    ("training: {schedule: 3}", 4, 22, "training.schedule must be"),
    ("training: {schedule: {name: step, factor: 1}}", 4, 43, "must be a number above 0 and below 1, found 1"),
    ("run: {dir: [a]}", 4, 12, "run.dir must be a path or null"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("addition", "line", "column", "fragment"), BAD)
def test_fault_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, addition, line, column, fragment)


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("model: {}\n", None, None, "data is required"),
        ("model: {}\ndata: {target: y}\n", 2, 1, "data.path is required"),
        ("data:\n  path: x\n", 1, 1, "data.target is required"),
        ("data: {path: , target: y}", 1, 13, "data.path must be a path, found null"),
        ('data: {path: "", target: y}', 1, 14, 'data.path must be a path of UTF-8 characters, found ""'),
        ("data: {path: x, target: }", 1, 24, "data.target must be text, found null"),
    ],
)
def test_required_keys(tmp_path: Path, text: str, line: int | None, column: int | None, message: str) -> None:
    (fault,) = faults_of(tmp_path, text)
    assert (fault.line, fault.column, fault.message) == (line, column, message)
    assert fault.hint


def test_a_refused_value_makes_one_fault(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, HEAD + "training: {epochs: !!str 3x}")
    assert "tag !!str" in fault.message
