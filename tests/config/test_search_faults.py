"""What is wrong with a search: told all at once, each at its place, with a way out."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, faults_of, load

from dlreg.config.keys import override_keys
from dlreg.config.search_faults import is_searchable, takes_whole_numbers

# Lines 4 and 5; what is tried of a key begins in column 5 of line 6.
SEARCH = "search:\n  parameters:\n    "
RANGE = "{min: 1e-4, max: 1e-1}"
GRID = "{method: grid, parameters: {model.l2: {values: [0, 1]}}}"


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("entry", "column", "fragment"),
    [
        (f"learning_rate: {RANGE}", 5, 'unknown key "learning_rate"'),
        (f"training.learnin_rate: {RANGE}", 5, 'unknown key "training.learnin_rate"'),
        (f"trainin.learning_rate: {RANGE}", 5, "unknown key"),
        ("training.seed.x: {values: [1]}", 5, 'unknown key "training.seed.x"'),
        ('"": {values: [1]}', 5, "unknown key"),
        ("model: {values: [{}]}", 5, "model is a section"),
        ("data.path: {values: [a.csv]}", 5, "data.path cannot be searched: a search reads its table once"),
        ("data.split: {values: [random]}", 5, "data.split cannot be searched"),
        ("training.validation_split: {min: 0.1, max: 0.3}", 5, "it decides which rows validate"),
        ("training.cross_validation: {values: [null, 5]}", 5, "it decides which rows validate"),
        ("run.threads: {values: [1, 2]}", 5, "run.threads cannot be searched: it makes no other model"),
        ("training.time_limit: {values: [5, 10]}", 5, "epochs and networks chosen by the clock"),
        ("gates: {values: [[]]}", 5, "gates cannot be searched"),
        ("search.trials: {values: [1]}", 5, "search.trials cannot be searched"),
        ("model.activation: {min: 0, max: 1}", 5, "model.activation is no number"),
        ("model.batch_norm: {min: 0, max: 1}", 5, "model.batch_norm is no number"),
        ("training.learning_rate: {min: 1, max: 1e-2}", 43, "min must be below max, found 1 and 0.01"),
        ("training.learning_rate: {min: 1, max: 1}", 43, "min must be below max, found 1 and 1"),
        ("model.l2: {min: 0, max: 1, distribution: log_uniform}", 21, "min must be above 0 for log_uniform"),
        ("training.learning_rate: {min: 0, max: 1}", 35, "training.learning_rate must be a number above 0, found 0"),
        ("model.dropout: {min: 0, max: 1}", 34, "model.dropout must be a number of at least 0 and below 1"),
        ("training.batch_size: {min: 2.5, max: 64}", 32, "training.batch_size must be auto or a whole number"),
        ("training.epochs: {min: 10, max: 20.5}", 37, "training.epochs must be auto or a whole number"),
        ("training.batch_size: {values: [16, 0]}", 40, "training.batch_size must be auto or a whole number"),
        ("model.activation: {values: [relu, rellu]}", 39, 'found "rellu"'),
        ("model.hidden_layers: {values: [64]}", 36, "model.hidden_layers must be a list"),
        ("model.hidden_layers: {values: [[64, -1]]}", 41, "model.hidden_layers[1] must be a whole number"),
        ("model.dropout: {values: [0.1, 0.1]}", 35, "has 0.1 twice"),
        ("model.dropout: {values: [0, 0.1, 0.0]}", 38, "has 0.0 twice"),
        ("training.schedule: {values: [constant, cosin]}", 44, 'found "cosin"'),
        ("training.schedule.warmup_epochs: {values: [3]}", 48, "training.schedule.name is required"),
        ("training.momentum: {min: 0, max: 0.9}", 38, "with training.momentum 0.9: training.momentum has no meaning"),
        ("model.blend: {values: [false, true]}", 35, "with model.blend true: model.blend needs"),
        ("preset: {values: [standard, slow]}", 33, "preset must be one of standard, fast, accurate, best"),
        ("preset: {values: [standard, accurate]}", 33, "with preset accurate there are no validation rows"),
        ("model.l2: 3", 15, "search.parameters.model.l2 must be a mapping"),
        ("model.l2: [0, 1]", 15, "search.parameters.model.l2 must be a mapping"),
        ("model.l2: {values: 3}", 24, "search.parameters.model.l2.values must be a list of at least 1"),
        ("model.l2: {values: []}", 24, "search.parameters.model.l2.values must be a list of at least 1"),
        ("model.l2: {min: 0}", 5, "search.parameters.model.l2.max is required"),
        ("model.l2: {min: 0, max: 1, distribution: log}", 46, "must be one of uniform, log_uniform"),
        ("model.l2: {min: 0, max: 1, step: 0.1}", 32, "unknown key search.parameters.model.l2.step"),
        ("model.l2: {min: zero, max: 1}", 21, "search.parameters.model.l2.min must be a number"),
    ],
)  # fmt: skip
def test_fault_of_a_key_with_place_and_hint(tmp_path: Path, entry: str, column: int, fragment: str) -> None:
    check_only_fault(tmp_path, SEARCH + entry, 6, column, fragment)


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("addition", "line", "column", "fragment"),
    [
        ("search: {metric: test.rmse}", 4, 18, "search.metric must not be of test rows"),
        ("search: {metric: rsme}", 4, 18, "names an unknown metric rsme"),
        ("search: {metric: valid.rmse}", 4, 18, "names an unknown part valid"),
        ("search: {metric: validation.n}", 4, 18, "names an unknown metric n"),
        ("search: {metric: out_of_fold.rmse}", 4, 18, "search.metric is of out_of_fold rows, and there will be none"),
        ("preset: accurate\nsearch: {metric: validation.rmse}", 5, 18, "search.metric is of validation rows"),
        ("training: {validation_split: 0}\nsearch: {trials: 9}", 4, 30, "no rows to choose the best trial by"),
        ("search: {trials: null}", 4, 18, "there is no search.time_limit"),
        ("search: {time_limit: 10 minutes}", 4, 22, "must be a time such as 90s, 10m"),
        ("search: {time_limit: ''}", 4, 22, "must be a time such as 90s, 10m"),
        ("search: {time_limit: 0s}", 4, 22, "must be a time above 0, such as 90s"),
        ("search: {time_limit: '0'}", 4, 22, "must be a time above 0, such as 90s"),
        ("search: {time_limit: 0}", 4, 22, "a number above 0"),
        ("search: {method: bayes}", 4, 18, "must be one of tpe, random, grid"),
        ("search: {method: grid}", 4, 18, "search.method grid tries what is named, but there are no search.parameters"),
        ("search: {method: grid, parameters: {}}", 4, 18, "but there are no search.parameters (compare line 4)"),
        ("search: {storage: study.db}", 4, 19, "must be the URL of a database"),
        ("search: {paramters: {}}", 4, 10, "unknown key search.paramters"),
        ("search: {parameters: [model.l2]}", 4, 22, "search.parameters must be a mapping from keys"),
        ("search: 3", 4, 9, "search must be a mapping"),
        (
            "search:\n  method: grid\n  parameters:\n    model.l2: {min: 0, max: 1}",
            7,
            5,
            "search.method grid tries what is named, and model.l2 has a range",
        ),
        (
            "search:\n  parameters:\n    training.schedule: {values: [cosine]}\n"
            "    training.schedule.warmup_epochs: {values: [3]}",
            7,
            5,
            "training.schedule.warmup_epochs is a part of training.schedule, which is searched too",
        ),
    ],
)  # fmt: skip
def test_fault_of_a_search_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, addition, line, column, fragment)


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("learning_rate: {values: [1]}", "Did you mean training.learning_rate?"),
        ("training.learnin_rate: {values: [1]}", "Did you mean training.learning_rate?"),
        ("a: {values: [1]}", "The keys here are preset, preprocessing.KEY, model.KEY, training.KEY."),
        ("a.qqq: {values: [1]}", "The keys here are preset, preprocessing.KEY, model.KEY, training.KEY."),
        ("data.pth: {values: [1]}", "Did you mean data.path?"),
        ("training.dropout: {values: [0.1]}", "Did you mean model.dropout?"),
        ("model.activation: {values: [rellu]}", "Did you mean relu?"),
        ("model.activation: {min: 0, max: 1}", "Name what is tried, such as values: [relu, leaky_relu, relu6]."),
        ("model.l2: {min: 1e-6, max: 1, distribution: log}", "Did you mean log_uniform?"),
        ("preset: {values: [standard, fast]}", "Set training.cross_validation to 5, which then holds for all presets."),
    ],
)  # fmt: skip
def test_a_hint_says_what_was_meant(tmp_path: Path, entry: str, hint: str) -> None:
    (fault,) = faults_of(tmp_path, HEAD + SEARCH + entry)
    assert fault.hint == hint


def test_a_wrong_distribution_hides_no_fault_of_the_numbers(tmp_path: Path) -> None:
    entry = "training.learning_rate: {min: 1e-1, max: -1, distribution: log}"
    faults = faults_of(tmp_path, HEAD + SEARCH + entry)
    fragments = [
        "min must be below max, found 0.1 and -1",
        "must be a number above 0, found -1",
        "must be one of uniform, log_uniform",
    ]
    assert all(part in fault.message for part, fault in zip(fragments, faults, strict=True)), faults


def test_only_keys_that_may_be_searched_are_named(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, HEAD + SEARCH + "training.qqq: {values: [1]}")
    assert fault.hint is not None and fault.hint.startswith("The keys here are loss, ")
    assert "batch_size" in fault.hint and "validation_split" not in fault.hint


def test_nobody_is_told_to_leave_a_searched_value_out_for_the_default(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, HEAD + SEARCH + "training.learning_rate: {values: [-1]}")
    assert fault.hint is not None and "Leave it out" not in fault.hint


def test_all_faults_come_at_once_and_with_those_of_the_rest(tmp_path: Path) -> None:
    text = HEAD + (
        "model: {activation: rellu}\n"
        "search:\n  metric: test.rmse\n  parameters:\n"
        "    training.learnin_rate: {values: [1]}\n"
        "    model.dropout: {min: -1, max: 2}\n"
        "    data.path: {values: [a]}\n"
    )
    faults = faults_of(tmp_path, text, searches=["model.l2=1..0"])
    assert [(fault.line, fault.column) for fault in faults] == [
        (4, 21), (6, 11), (8, 5), (9, 26), (9, 35), (10, 5), (None, None),
    ]  # fmt: skip
    assert faults[-1].path == "--search model.l2"


@pytest.mark.parametrize(
    "text",
    [
        "training: {cross_validation: 5}\nsearch: {parameters: {preset: {values: [standard, fast, accurate]}}}",
        "training: {cross_validation: 5}\nsearch: {metric: out_of_fold.mae}",
        "preset: accurate\nsearch: {metric: out_of_fold.mae, parameters: {preset: {values: [fast, accurate]}}}",
        "search: {metric: train.rmse}\ntraining: {validation_split: 0}",
        "search: {parameters: {training.momentum: {min: 0, max: 0.9}, training.optimizer: {values: [adam, sgd]}}}",
        "search: {parameters: {training.seed: {values: [1, 2]}}}",
        "search: {parameters: {training.epochs: {values: [auto, 10]}, training.clip_norm: {values: [null, 1]}}}",
        "search: {parameters: {training.batch_size: {min: 8.0, max: 64}}}",
        "search: {parameters: {model.dropout: {values: [0.1, [0.1, 0.2]]}}}",
        "training: {schedule: cosine}\nsearch: {parameters: {training.schedule.warmup_epochs: {min: 0, max: 9}}}",
        "search: {method: grid, parameters: {model.l2: {values: [0, 1]}}}",
        "search: {method: grid, trials: null, parameters: {model.l2: {values: [0, 1]}}}",
        "search: {time_limit: 90}",
    ],
)  # fmt: skip
def test_a_sound_search_is_read(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, HEAD + text).search.is_given


def test_what_limits_a_search_puts_its_default_of_trials_off(tmp_path: Path) -> None:
    texts = ("{}", "{time_limit: 10m}", "{time_limit: 10m, trials: 7}", GRID, "{method: random}")
    trials = [load(tmp_path, HEAD + f"search: {text}").search.trials for text in texts]
    assert trials == [50, None, 7, None, 50]


def test_keys_that_may_be_searched() -> None:
    searchable = {key for key in override_keys() if is_searchable(key)}
    assert {key.partition(".")[0] for key in searchable} == {"preset", "preprocessing", "model", "training"}
    assert set(override_keys()) - searchable >= {
        "training.validation_split",
        "training.cross_validation",
        "gates",
    }
    assert not is_searchable("training.learnin_rate")


def test_keys_of_whole_numbers() -> None:
    kinds = {"training.batch_size": True, "training.epochs": True, "training.clip_norm": False}
    kinds |= {"model.dropout": False, "model.activation": None, "model.hidden_layers": None}
    assert {key: takes_whole_numbers(key) for key in kinds} == kinds
