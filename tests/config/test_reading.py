"""The config: defaults, precedence, every fault with its place, the resolved file."""

import random
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlreg.config.contradictions import contradictions
from dlreg.config.reading import (
    _over_preset,
    _with_defaults,
    dump_config,
    load_config,
    parse_config,
    to_yaml,
)
from dlreg.config.schema import (
    LOCAL_PATH,
    Activation,
    Config,
    CosineSchedule,
    EarlyStopping,
    StepSchedule,
)
from dlreg.errors import ConfigError, Fault, UsageError

HEAD = "data:\n  path: table.csv\n  target: y\n"


def load(folder: Path, text: str, *overrides: str) -> Config:
    file = folder / "config.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    return load_config(file, overrides)


def faults_of(folder: Path, text: str, *overrides: str) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *overrides)
    return caught.value.faults


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    assert config.data.path == tmp_path / "table.csv"
    assert config.data.model_dump(exclude={"path"}) == {
        "target": "y",
        "features": "all",
        "exclude": (),
        "encoding": "utf-8",
        "delimiter": ",",
        "decimal": ".",
        "thousands": None,
        "missing_values": (),
        "types": {},
        "dates": {},
        "test_split": 0.2,
        "test_path": None,
        "split": "random",
        "split_by": None,
    }
    assert config.model_dump(exclude={"data"}) == {
        "preset": "standard",
        "preprocessing": {
            "numeric": "standard",
            "missing": "median",
            "missing_indicator": False,
            "categorical": "onehot",
            "embedding": "none",
            "target": "standard",
            "clip_predictions": False,
        },
        "model": {
            "hidden_layers": (64, 64),
            "activation": "relu",
            "dropout": 0.0,
            "dropout_schedule": "constant",
            "l2": 0.0,
            "batch_norm": False,
            "parametric_activation": False,
            "feature_scale": False,
            "initializer": "glorot_uniform",
            "ensemble": 1,
            "blend": False,
        },
        "training": {
            "loss": "mse",
            "optimizer": "adam",
            "learning_rate": 0.001,
            "learning_rate_factors": {
                "weights": 1.0,
                "biases": 1.0,
                "embeddings": 1.0,
                "feature_scale": 1.0,
                "weights_by_fan_in": False,
            },
            "weight_decay": 0.0,
            "weight_decay_groups": ("weights", "biases", "embeddings", "feature_scale"),
            "momentum": 0.0,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "clip_norm": None,
            "schedule": {"name": "constant"},
            "epochs": 100,
            "auto_steps": 4096,
            "batch_size": 32,
            "equal_batches": False,
            "validation_split": 0.2,
            "cross_validation": None,
            "refit": None,
            "early_stopping": {"patience": 20, "min_delta": 0.0},
            "restore_best_weights": True,
            "seed": 42,
        },
        "run": {"dir": None, "threads": None, "compile_cache": True},
    }


# Each appended to HEAD, which has three lines; the place is that of the first fault.
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
    ("preset: slow", 4, 9, "preset must be one of standard, fast, accurate"),
    ("preset: 1", 4, 9, "preset must be one of standard, fast, accurate"),
    ("preset: acurate", 4, 9, "preset must be one of standard, fast, accurate"),
    ("model: {blend: true}", 4, 16, "model.blend needs training.cross_validation"),
    ("training: {refit: {}}", 4, 19, "training.refit needs training.cross_validation"),
    (
        "training: {cross_validation: 5, refit: {epochs_fraction: 0}}",
        4,
        58,
        "training.refit.epochs_fraction must be a number above 0 up to 10, found 0",
    ),
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
    ("  features: [a, b, a]", 4, 20, 'data.features names "a" twice (compare line 4)'),
    ("  features: [a, y]", 4, 17, 'data.target is "y", data.features cannot name it (compare line 3)'),
    ("  exclude: [null]", 4, 13, "data.exclude[0] must be text, found null"),
    ("  exclude: a", 4, 12, "data.exclude must be a list"),
    ("  exclude: [y]", 4, 13, 'data.target is "y", data.exclude cannot'),
    ("  features: [a]\n  exclude: [b, a]", 5, 16, '"a" is in both data.features and data.exclude'),
    ("  encoding: utf-88", 4, 13, "data.encoding must be a text encoding"),
    ("  encoding: base64", 4, 13, "data.encoding must be a text encoding"),
    ("  delimiter: tab", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: '\"'", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: 가", 4, 14, "data.delimiter must be one character"),
    ("  decimal: ;", 4, 12, 'data.decimal must be one of ".", ","'),
    ('  thousands: "."', 4, 14, 'data.thousands and data.decimal are both "."'),
    ('  thousands: "-"', 4, 14, "data.thousands must be one of"),
    ("  missing_values: NA", 4, 19, "data.missing_values must be a list, each item text"),
    ("  types: {a: numbr}", 4, 14, "data.types.a must be one of number, category, date"),
    ("  types: [a]", 4, 10, "data.types must be a mapping from columns to one of number"),
    ("  types: {y: date}", 4, 14, 'data.target is "y", data.types cannot make it a date'),
    ('  dates: {y: "%Y"}', 4, 14, 'data.target is "y", data.dates cannot make it a date'),
    ('  types: {a: number}\n  dates: {a: "%Y"}', 4, 14, "has a format in data.dates (compare line 5)"),
    ('  dates: {a: "%d/%m"}', 4, 14, "data.dates.a must contain %Y or %y"),
    ('  dates: {a: "%Y%j"}', 4, 14, "data.dates.a may only use %Y"),
    ('  dates: {a: "%Y%"}', 4, 14, "data.dates.a may only use %Y"),
    ('  dates: {a: "%Y-%y"}', 4, 14, "must name the year once"),
    ('  dates: {a: "%Y %b%d"}', 4, 14, "must have a separator between %b and %d"),
    ("  test_split: 1", 4, 15, "data.test_split must be a number of at least 0 and below 1 or null, found 1"),
    ("  test_split: .nan", 4, 15, "found .nan"),
    ("  test_split: null", 4, 15, "data.test_split is null, but there is no data.test_path"),
    ("  test_split: 0.1\n  test_path: t.csv", 4, 15, "exclude each other (compare line 5)"),
    ("  test_path: http://x/t.csv", 4, 14, "data.test_path must be a path on this machine"),
    ('  test_path: "a\\0b"', 4, 14, "data.test_path must be a path"),
    ("  split: group", 4, 10, "data.split group needs data.split_by"),
    ("  split: tim", 4, 10, 'must be one of random, ordered, group, time, found "tim"'),
    ("  split_by: day", 4, 13, "data.split_by has no meaning with data.split random"),
    (
        "  split: time\n  split_by: y",
        5,
        13,
        'data.target is "y", data.split_by cannot name it (compare line 3)',
    ),
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
    ("training: {momentum: 0.9}", 4, 22, "training.momentum has no meaning with training.optimizer adam"),
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
    (
        "training:\n  epochs: 5\n  schedule: {name: cosine, warmup_epochs: 5}",
        6,
        43,
        "warmup_epochs must be below training.epochs, found 5 and 5 (compare line 5)",
    ),
    ("run: {dir: [a]}", 4, 12, "run.dir must be a path or null"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("addition", "line", "column", "fragment"), BAD)
def test_fault_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    (fault,) = faults_of(tmp_path, HEAD + addition)
    assert (fault.line, fault.column) == (line, column), fault
    assert fragment in fault.message
    assert fault.path == str(tmp_path / "config.yaml")
    assert fault.hint


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


def test_five_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = HEAD + (
        "  split: time\n"
        "model:\n  hidden_layers: [64, -1]\n  activaton: relu\n"
        "training:\n  seed: !!int 1\n  learning_rate: fast\n  learning_rate: 1\n"
    )
    faults = faults_of(tmp_path, text, "training.epochs=no")
    places = [(fault.line, fault.column) for fault in faults]
    assert places == [(4, 10), (6, 23), (7, 3), (9, 9), (10, 18), (11, 3), (None, None)]
    assert faults[-1].path == "--set training.epochs"


def test_a_refused_value_makes_one_fault(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, HEAD + "training: {epochs: !!str 3x}")
    assert "tag !!str" in fault.message


def test_names_stand_as_written(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        "data:\n  path: 01\n  target: 2020\n  features: [no, 012, 1e3, true]\n"
        "  missing_values: [-999, 0x1F, .nan]\n  types: {1.50: category}\n",
    ).data
    assert data.path == tmp_path / "01"
    assert data.target == "2020"
    assert data.features == ("no", "012", "1e3", "true")
    assert data.missing_values == ("-999", "0x1F", ".nan")
    assert data.types == {"1.50": "category"}


@pytest.mark.parametrize("form", ["%Y%m%d", "%d/%m/%y", "%B %d, %Y %H:%M:%S.%f", "%Y"])
def test_date_formats(tmp_path: Path, form: str) -> None:
    assert load(tmp_path, f'{HEAD}  dates: {{a: "{form}"}}').data.dates == {"a": form}


def test_types_and_dates_may_agree(tmp_path: Path) -> None:
    data = load(tmp_path, HEAD + '  types: {a: date}\n  dates: {a: "%Y"}').data
    assert data.types == {"a": "date"}


def test_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    config = load(
        tmp_path,
        HEAD + "  types: {a: number}\ntraining: {schedule: {name: cosine, warmup_epochs: 3}}\n",
        "training.learning_rate=1",
        "training.learning_rate=1e-2",
        "model.hidden_layers=[32]",
        "data.types={b: date}",
        "training.schedule=step",
        "training.schedule.every_epochs=7",
        "training.early_stopping.patience=5",
        "data.target=a=b",
        "data.test_path=t/../u.csv",
        "run.dir=",
    )
    assert config.training.learning_rate == 0.01
    assert config.model.hidden_layers == (32,)
    assert config.data.types == {"b": "date"}
    assert config.training.schedule == StepSchedule(every_epochs=7)
    assert config.training.early_stopping == EarlyStopping(patience=5)
    assert config.data.target == "a=b"
    assert config.data.path == tmp_path / "table.csv"
    assert config.data.test_path == Path("/u.csv")
    assert config.data.test_split is None


def test_an_override_mends_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + "training: {epochs: x, early_stopping: null}", "training={epochs: 3}")
    assert config.training.epochs == 3


@pytest.mark.parametrize(
    ("override", "fragment"),
    [
        ("trainig.epochs=3", "unknown key trainig"),
        ("training.epoch=3", "unknown key training.epoch"),
        (
            "training.epochs=many",
            'training.epochs must be auto or a whole number from 1 to 10000000, found "many"',
        ),
        ("training.epochs=", "found null"),
        ("training.epochs=[3", "a bracket without its ]"),
        ("training.epochs=&a 3", "anchor &a"),
        ("data.path.x=3", 'data.path is "table.csv", it has no key "x"'),
        ("data=x", 'data must be a mapping, found "x"'),
        ("data.test_split=null", "there is no data.test_path"),
        ("data.path=https://x/y.csv", "must be a path on this machine"),
        ("data.exclude=[a, y]", "(compare line 3)"),
        ("data.types.a=text", "data.types.a must be one of"),
    ],
)
def test_bad_overrides(tmp_path: Path, override: str, fragment: str) -> None:
    (fault,) = faults_of(tmp_path, HEAD, override)
    key = override.partition("=")[0]
    assert fault.path == f"--set {key}"
    assert fault.line is None
    assert fragment in fault.message
    assert fault.hint


@pytest.mark.parametrize("override", ["training.epochs", "=3", "training..epochs=3", ".a=1", "", "a.=1"])
def test_overrides_that_are_none(tmp_path: Path, override: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        load(tmp_path, HEAD, override)


def test_faults_for_later_stages(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        HEAD + "  features: [a, b]\ntraining: {schedule: cosine}\n",
        "data.exclude=[c]",
    )
    assert config.training.schedule == CosineSchedule()
    file = str(tmp_path / "config.yaml")
    assert config.fault("m", "data", "target", hint="h") == Fault("m", file, 3, 11, "h")
    assert config.fault("m", "data", "features", 1) == Fault("m", file, 4, 17)
    assert config.fault("m", "data", "exclude", 0) == Fault("m", "--set data.exclude")
    assert config.fault("m", "training", "schedule", "name") == Fault("m", file, 5, 22)
    assert config.fault("m", "data", "decimal") == Fault("m", file)


def test_paths_start_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "c.yaml").write_text("data: {path: ../d/~/x.csv, target: y}\nrun: {dir: r}\n")
    monkeypatch.chdir(tmp_path)
    config = load_config("configs/c.yaml")
    assert config.data.path == tmp_path / "d" / "~" / "x.csv"
    assert config.run.dir == tmp_path / "configs" / "r"


def test_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path, HEAD).training.epochs = 3


def test_dumped_text(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + "  test_path: t.csv\n  types: {가격: number, 1e3: date}\nrun: {dir: r}\n")
    text = dump_config(config)
    assert text.startswith("# ") and text.endswith("\n")
    assert "  hidden_layers: [64, 64]\n" in text
    assert '    가격: number\n    "1e3": date\n' in text
    assert "  test_split: null\n" in text
    assert text.endswith("run:\n  dir: null\n  threads: null\n  compile_cache: true\n")
    keys = [line.partition(":")[0] for line in text.splitlines()[1:] if line[0] != " "]
    assert keys == ["preset", "data", "preprocessing", "model", "training", "run"]


TRICKY = st.sampled_from(
    [
        *("no", "1e3", "012", "null", "", "2020-01-31", "1:30", "0o7", "~", "true", "9" * 5000, "<<", "="),
        *(
            " x ",
            "a\nb",
            "\0\x1b\x85\u2028\ufeff",
            "# x",
            "- a",
            "a: b",
            "가격",
            "😀",
            "'\"\\",
            "%Y",
            "x" * 200,
        ),
    ]
)
TEXT = TRICKY | st.text(st.characters(exclude_categories=["Cs"]))


PATHS = TEXT.filter(LOCAL_PATH.fullmatch)
# What the JSON Schema of a key does not tell.
SPECIAL = {
    "path": PATHS,
    "test_path": PATHS | st.none(),
    "dir": PATHS | st.none(),
    "encoding": st.sampled_from(["utf-8", "cp949", "utf-16"]),
    "delimiter": st.sampled_from([",", ";", "\t", " ", "#"]),
    "dates": st.dictionaries(TEXT, st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%b %d, %y %H:%M"]), max_size=2),
    "features": st.just("all") | st.lists(TEXT, min_size=1, max_size=3),
}


def values_of(node: dict, definitions: dict) -> st.SearchStrategy:
    """Any value that a part of a JSON Schema allows."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    if members := node.get("anyOf") or node.get("oneOf"):
        return st.one_of(values_of(member, definitions) for member in members)
    if choices := node.get("enum", [node["const"]] if "const" in node else []):
        return st.sampled_from(choices)
    match node["type"]:
        case "object" if "properties" in node:
            keys = {
                key: SPECIAL[key] if key in SPECIAL else values_of(inner, definitions)
                for key, inner in node["properties"].items()
            }
            # Only its name tells one schedule from another.
            names = ["name"] if "name" in keys else node.get("required", [])
            required = {key: keys.pop(key) for key in names}
            return st.fixed_dictionaries(required, optional=keys)
        case "object":
            return st.dictionaries(TEXT, values_of(node["additionalProperties"], definitions), max_size=3)
        case "array":
            least = node.get("minItems", 0)
            return st.lists(values_of(node["items"], definitions), min_size=least, max_size=least + 3)
        case "integer":
            return st.integers(node["minimum"], node.get("maximum"))
        case "number":
            low, high = (
                node.get(name, node.get(f"exclusive{name.title()}")) for name in ("minimum", "maximum")
            )
            return st.floats(
                low, high, allow_nan=False, allow_infinity=False,
                exclude_min="minimum" not in node, exclude_max="exclusiveMaximum" in node,
            )  # fmt: skip
    return {"boolean": st.booleans(), "null": st.none(), "string": TEXT}[node["type"]]


SCHEMA = Config.model_json_schema()


@given(given=values_of(SCHEMA, SCHEMA["$defs"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_valid_config_comes_back_from_its_resolved_file(given: dict) -> None:
    sections = [given.setdefault(name, {}) for name in ("preprocessing", "model", "training", "run")]
    assert len(sections) == 4
    # What contradicts itself is left out, until nothing does.
    while found := list(contradictions(*_with_defaults(given, _over_preset(given)))):
        section, key = next(
            path[:2] for path in (found[0].key, found[0].other) if path[1] in given.get(str(path[0]), {})
        )
        del given[section][key]
    config = parse_config(to_yaml(given).encode(), "/folder/config.yaml")
    resolved = dump_config(config)
    again = parse_config(resolved.encode(), "/elsewhere/resolved.yaml")
    assert again == config.model_copy(update={"run": config.run.model_copy(update={"dir": None})})
    assert dump_config(again) == resolved


VALID = (
    "preset: standard\ndata:\n  path: ../d.csv\n  target: 2020\n  features: [no, 012, '']\n"
    '  types: {가격: number}\n  dates: {x: "%d/%m/%Y"}\n  split: group\n  split_by: g\n'
    "model: {hidden_layers: [8, 8], dropout: 1e-1}\n"
    "training:\n  schedule: {name: cosine, warmup_epochs: 5}\n  early_stopping: null\nrun: {dir: x}\n"
)
PIECES = (
    *(
        "\t",
        " ",
        "\n",
        "\n  ",
        ": ",
        ":",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "&a ",
        "*a",
        "!!int ",
        "<<: ",
    ),
    *(
        "? ",
        "|\n",
        "#",
        "%",
        "@",
        "\\",
        '"\\ud800"',
        '"\\0"',
        '"\\UFFFFFFFF"',
        "null",
        "~",
        "true",
        "no",
        "1e400",
    ),
    *(
        ".nan",
        "9" * 120,
        "9" * 5000,
        "\0",
        "\x85",
        "\ufeff",
        "😀",
        "---\n",
        "data: ",
        "name: ",
        "[" * 25,
        "s3://x",
    ),
)


@given(seed=st.integers(0, 2**32), changes=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_mutated_configs_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, changes: int
) -> None:
    generator = random.Random(seed)
    text = VALID
    for _ in range(changes):
        start = generator.randrange(len(text) + 1)
        end = start + generator.choice([0, 0, 1, 2, 5, 20])
        text = text[:start] + generator.choice(PIECES) + text[end:]
    try:
        load(tmp_path_factory.getbasetemp(), text)
    except ConfigError as error:
        assert all(fault.message and fault.path and fault.hint for fault in error.faults)


def test_the_json_schema_describes_every_key() -> None:
    schema = Config.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for key, node in section["properties"].items():
            assert node.get("description") or "$ref" in node, key
    assert {"type": "string", "enum": ["constant", "cosine", "step", "plateau", "coslog4"]} in schema[
        "$defs"
    ]["TrainingConfig"]["properties"]["schedule"]["anyOf"]


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, dlreg.config.reading;"
        "print({'numpy', 'pandas', 'tensorflow', 'keras', 'sklearn'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_activations_are_of_one_name_each() -> None:
    assert len(set(get_args(Activation))) == len(get_args(Activation)) == 26
