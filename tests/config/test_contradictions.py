"""Values that exclude each other: named at one, pointing at the other."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, faults_of, load

BAD = [
    (
        "  test_split: 0\ngates: [rmse>1]",
        5,
        9,
        "gates[0] is about test rows, and there will be none (compare line 4)",
    ),
    (
        "training: {validation_split: 0}\ngates: [rmse>1, validation.r2<0]",
        5,
        17,
        "gates[1] is about validation rows",
    ),
    ("training: {cross_validation: 5}\ngates: [validation.r2<0]", 5, 9, "gates[0] is about validation rows"),
    ("gates: [out_of_fold.r2<0]", 4, 9, "gates[0] is about out_of_fold rows"),
    ("training: {validation_split: 0}\ngates: [coverage_90<0.8]", 5, 9, "no rows to make them from"),
    ("model: {blend: true}", 4, 16, "model.blend needs training.cross_validation"),
    ("model: {ensemble_kind: shared}", 4, 24, "model.ensemble_kind shared needs several members"),
    (
        "model:\n  ensemble_kind: shared\n  ensemble: 1",
        5,
        18,
        "model.ensemble_kind shared needs several members (compare line 6)",
    ),
    (
        "model: {ensemble_kind: shared, ensemble: 8, hidden_layers: []}",
        4,
        24,
        "model.ensemble_kind shared needs hidden layers",
    ),
    (
        "model: {ensemble_kind: shared, ensemble: 8, batch_norm: true}",
        4,
        24,
        "model.ensemble_kind shared needs layers without batch_norm",
    ),
    (
        "model: {ensemble_selection: greedy, ensemble: 4}\ntraining: {validation_split: 0}",
        4,
        29,
        "model.ensemble_selection greedy needs rows that validate (compare line 5)",
    ),
    ("model: {sample: {dropout: {min: 0, max: 0.3}}}", 4, 17, "model.sample needs several members"),
    (
        "model: {sample: {dropout: {min: 0, max: 0.3}}, ensemble: 4, ensemble_kind: shared}",
        4,
        17,
        "model.sample needs independent members",
    ),
    ("model: {sample: {}, ensemble: 4}", 4, 17, "model.sample names nothing to draw"),
    (
        "model: {sample: {dropout: {min: 0.3, max: 0.1}}, ensemble: 4}",
        4,
        43,
        "model.sample.dropout: min must be below max, found 0.3 and 0.1",
    ),
    (
        "model: {sample: {dropout: {min: 0.3, max: 1}}, ensemble: 4}",
        4,
        43,
        "model.sample.dropout: max must be below 1, found 1",
    ),
    (
        "model: {sample: {learning_rate: {min: 0, max: 1}}, ensemble: 4}",
        4,
        39,
        "model.sample.learning_rate: min must be above 0",
    ),
    (
        "model: {sample: {weight_decay: {min: 0, max: 1, distribution: log_uniform}}, ensemble: 4}",
        4,
        38,
        "model.sample.weight_decay: min must be above 0",
    ),
    ("training: {refit: {}, validation_split: 0}", 4, 19, "training.refit needs rows that validate"),
    (
        "training: {refit: {}, cross_validation: 5, restore_best_weights: false}",
        4,
        19,
        "training.refit needs training.restore_best_weights",
    ),
    (
        "training: {cross_validation: 5, validation_split: 0.1}",
        4,
        51,
        "training.validation_split and training.cross_validation exclude each other",
    ),
    (
        "  validation_path: v.csv\ntraining: {validation_split: 0.2}",
        5,
        30,
        "data.validation_path and training.validation_split exclude each other (compare line 4)",
    ),
    (
        "  validation_path: v.csv\ntraining: {cross_validation: 5}",
        5,
        30,
        "data.validation_path and training.cross_validation exclude each other (compare line 4)",
    ),
    ("  features: [a, b, a]", 4, 20, 'data.features names "a" twice (compare line 4)'),
    ("  features: [a, y]", 4, 17, 'data.target is "y", data.features cannot name it (compare line 3)'),
    ("  features: [a]\n  exclude: [b, a]", 5, 16, '"a" is in both data.features and data.exclude'),
    ('  thousands: "."', 4, 14, 'data.thousands and data.decimal are both "."'),
    ("  types: {y: date}", 4, 14, 'data.target is "y", data.types cannot make it a date'),
    ('  dates: {y: "%Y"}', 4, 14, 'data.target is "y", data.dates cannot make it a date'),
    ('  types: {a: number}\n  dates: {a: "%Y"}', 4, 14, "has a format in data.dates (compare line 5)"),
    (
        '  dates: {a: "%Y-%m-%d %H:%M%z"}',
        4,
        14,
        'the dates of "a" have an offset, %z, but there is no data.time_zone',
    ),
    ('  dates: {a: {format: "%Y %H%z"}}', 4, 14, "but there is no data.time_zone"),
    (
        '  dates: {a: {format: "%d.%m.%Y", latest: 2030}}',
        4,
        43,
        "no year of two digits, %y, for latest to place",
    ),
    ("  test_split: null", 4, 15, "data.test_split is null, but there is no data.test_path"),
    ("  test_split: 0.1\n  test_path: t.csv", 4, 15, "exclude each other (compare line 5)"),
    ("  split: group", 4, 10, "data.split group needs data.split_by"),
    ("  split_by: day", 4, 13, "data.split_by has no meaning with data.split random"),
    (
        "  split: time\n  split_by: y",
        5,
        13,
        'data.target is "y", data.split_by cannot name it (compare line 3)',
    ),
    ("training: {momentum: 0.9}", 4, 22, "training.momentum has no meaning with training.optimizer adam"),
    (
        "training: {momentum: 0.9, optimizer: muon}",
        4,
        22,
        "training.momentum has no meaning with training.optimizer muon",
    ),
    (
        "training:\n  epochs: 5\n  schedule: {name: cosine, warmup_epochs: 5}",
        6,
        43,
        "warmup_epochs must be below training.epochs, found 5 and 5 (compare line 5)",
    ),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("addition", "line", "column", "fragment"), BAD)
def test_fault_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, addition, line, column, fragment)


def test_types_and_dates_may_agree(tmp_path: Path) -> None:
    data = load(tmp_path, HEAD + '  types: {a: date}\n  dates: {a: "%Y"}').data
    assert data.types == {"a": "date"}


def test_where_there_are_folds_nobody_is_told_to_set_validation_rows(tmp_path):
    text = HEAD + "training: {cross_validation: 5}\ngates: [validation.r2<0]\n"
    (fault,) = faults_of(tmp_path, text)
    assert fault.hint == "Name one of the parts train, out_of_fold, test."
