"""Reading a config: overrides, paths, names as written, all faults at once."""

import pkgutil
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.configs import HEAD, faults_of, load
from support.fuzzing import EXAMPLES

import dlreg.config
from dlreg.config.reading import load_config
from dlreg.config.sections.training import CosineSchedule, EarlyStopping, StepSchedule
from dlreg.errors import ConfigError, Fault, UsageError


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
@settings(max_examples=EXAMPLES // 15, deadline=None)
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


def test_nothing_heavy_is_imported() -> None:
    modules = [f"dlreg.config.{module.name}" for module in pkgutil.iter_modules(dlreg.config.__path__)]
    code = (
        f"import sys, {', '.join(modules)};"
        "print({'numpy', 'pandas', 'tensorflow', 'keras', 'sklearn'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
