"""`dlreg check`: every fault at once, warnings, the plan, and formats for people and machines."""

import json
import random
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.commands import check
from dlreg.config.reading import load_config, to_yaml
from dlreg.errors import ConfigError, DataError, UsageError
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.architecture import Network
from dlreg.model.keras_model import build_model
from dlreg.preview.columns import counts_rows
from dlreg.preview.plan import count_features, count_parameters, plan_training
from dlreg.table.dataset import load_dataset


def folder_with(path, table, config="", **data):
    """A folder with `table.csv` and a `config.yaml` that names it."""
    table.to_csv(path / "table.csv", index=False)
    head = to_yaml({"data": {"path": "table.csv", "target": "y", **data}})
    (path / "config.yaml").write_text(head + config, encoding="utf-8")
    return path / "config.yaml"


def plain_table(n_rows=200, seed=3):
    generator = np.random.default_rng(seed)
    table = pd.DataFrame({"a": generator.normal(size=n_rows), "b": generator.normal(size=n_rows)})
    return table.assign(y=table["a"] + table["b"] ** 2 + generator.normal(0, 0.1, n_rows))


# ---------------------------------------------------------------- faults

FIVE = """\
data:
  path: table.csv
  target: y
  test_split: 1.5
model:
  hidden_layers: [8, -1]
  activation: rellu
training:
  epochs: many
  learning_rte: 1e-3
"""


def test_five_faults_are_five_lines_with_their_places(tmp_path, cli):
    plain_table().to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(FIVE)
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    places = re.findall(r"^config\.yaml:(\d+):(\d+): ", done.stdout, re.MULTILINE)
    assert places == [("4", "15"), ("6", "22"), ("7", "15"), ("9", "11"), ("10", "3")]
    assert len(done.stdout.splitlines()) == 5
    for fragment in (
        "found 1.5",
        "found -1",
        "Did you mean relu?",
        'found "many"',
        "training.learning_rate?",
    ):
        assert fragment in done.stdout


def test_faults_of_the_config_and_of_its_csv_come_together(tmp_path, cli):
    table = plain_table(60).assign(mixed=["5"] * 50 + ["?"] * 10, day="01/02/2024")
    table.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(FIVE.replace("target: y", "target: z\n  exclude: [bb]"))
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    near = "The columns are 'a', 'b', 'y', 'mixed', 'day'"
    assert lines[0] == f"config.yaml:3:11: data.target: table.csv has no column 'z'. {near}"
    assert lines[1].startswith(
        "config.yaml:4:13: data.exclude: table.csv has no column 'bb'. Did you mean 'b'?"
    )
    assert lines[2].startswith("config.yaml:5:15: data.test_split must be")
    assert lines[7].startswith("table.csv:52: column 'mixed'")
    assert lines[8].startswith("table.csv:2: column 'day'")
    trained = cli("train", "config.yaml", cwd=tmp_path)
    assert trained.returncode == 3
    assert trained.stderr.splitlines() == [f"error: {line}" for line in lines]
    assert {entry.name for entry in tmp_path.iterdir()} == {"table.csv", "config.yaml"}


@pytest.mark.parametrize(
    ("config", "code", "n_faults"),
    [
        ("", 0, 0),
        ("training: {epochs: 0}\n", 3, 1),
        ("  exclude: [c]\n", 4, 1),
        ("  exclude: [c]\ntraining: {epochs: 0}\n", 3, 2),
        ("  types: {a: category, b: date}\n", 4, 1),
        ("  dates: {a: '%Y', b: '%d/%m/%Y'}\n", 4, 2),
        ("  exclude: [a, b]\n", 4, 1),
        ("  test_path: absent.csv\n", 4, 1),
        ("  test_path: absent.csv\n  exclude: [c, d]\n", 4, 3),
        ("preprocessing: {target: log}\n", 4, 1),
        ("  split: time\n  split_by: when\n", 4, 1),
        ("  split: time\n", 3, 1),
        ("training: &a {epochs: 3}\n", 3, 1),
        ("training: {epochs: 3\n", 3, 1),
    ],
)  # fmt: skip
def test_the_exit_code_says_where_the_faults_are(tmp_path, config, code, n_faults):
    report = check.check(folder_with(tmp_path, plain_table(), config))
    assert (report.exit_code, len(report.faults)) == (code, n_faults), report.faults
    assert (report.plan is None) == (code != 0)


@pytest.mark.parametrize(
    "config",
    [
        "  delimiter: tab\n",
        "  delimeter: ';'\n",
        "  encoding: utf-88\n",
        "  features: a\n",
        "  types: {a: z}\n",
    ],
)
def test_a_csv_is_not_judged_by_another_format_than_was_meant(tmp_path, config):
    table = plain_table().rename(columns={"a": "a;b"})
    report = check.check(folder_with(tmp_path, table, config))
    assert [fault.path for fault in report.faults] == [str(tmp_path / "config.yaml")]


def test_faults_of_the_rest_of_the_config_leave_the_data_to_be_checked(tmp_path):
    path = folder_with(
        tmp_path, plain_table(), "  exclude: [c]\n  split: timely\nmodle: {}\ntraining: 3\nrun: {dir: [a]}\n"
    )
    messages = [fault.message for fault in check.check(path).faults]
    assert len(messages) == 5
    assert "has no column 'c'" in messages[0]


def test_no_advice_is_given_on_settings_that_stand_in_for_faults(tmp_path):
    config = "training: {batch_size: many}\nmodel: {activation: linear}\n"
    report = check.check(folder_with(tmp_path, plain_table(24).assign(c=1), config))
    assert [fault.message.partition(" ")[0] for fault in report.faults] == ["training.batch_size"]
    assert not any("batch_size" in each.message or "linear" in each.message for each in report.warnings)
    assert any("'c'" in each.message for each in report.warnings)


def test_train_and_test_file_are_both_checked(tmp_path):
    plain_table().assign(a="x y").to_csv(tmp_path / "test.csv", index=False)
    report = check.check(folder_with(tmp_path, plain_table().assign(b=np.inf), "  test_path: test.csv\n"))
    assert report.exit_code == 4
    found = {(fault.path.rpartition("/")[2], fault.message.split(":")[0]) for fault in report.faults}
    assert found == {("table.csv", "column 'b'"), ("test.csv", "column 'a'")}


def test_usage_is_not_a_fault_of_the_config(tmp_path):
    with pytest.raises(UsageError):
        check.check(folder_with(tmp_path, plain_table()), ["training.epochs"])


def test_missing_cells_that_are_refused_are_told_once(tmp_path):
    table = plain_table()
    table.loc[::7, "a"] = np.nan
    report = check.check(folder_with(tmp_path, table, "preprocessing: {missing: error}\n"))
    (fault,) = report.faults
    assert "column 'a' has 29 missing cells" in fault.message


# ---------------------------------------------------------------- the plan


def test_the_plan_is_what_train_then_did(project, cli):
    done = cli("check", "config.yaml", "--format", "json", cwd=project)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    record = json.loads((project / "run" / "run.json").read_text())
    assert found["schema_version"] == 1
    assert found["plan"]["rows"] == record["rows"]
    assert found["plan"]["features"] == record["features"]
    assert found["plan"]["parameters"] == record["parameters"]
    assert found["plan"]["columns"] == {"number": 2, "category": 1, "boolean": 1, "date": 2}
    assert found["plan"]["steps_per_epoch"] == 10
    assert any("missing in column 'moment'" in note for note in found["notes"])


@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
@pytest.mark.parametrize("seed", range(3))
def test_features_are_counted_as_scikit_learn_makes_them(project, categorical, seed):
    config = load_config(project / "config.yaml", [f"training.seed={seed}"])
    dataset = load_dataset(config)
    options = config.preprocessing.model_dump(exclude={"embedding"}) | {"categorical": categorical}
    train = dataset.parts["train"]
    fitted = fit_preprocessing(train.cells, train.y_true, dataset.columns, **options)
    assert count_features(dataset.columns, train, categorical) == len(fitted.feature_names)


@pytest.mark.parametrize("hidden_layers", [(), (5,), (16, 8, 1)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_parameters_are_counted_as_keras_does(hidden_layers, batch_norm):
    network = build_model(Network(7, hidden_layers, dropout=0.1, batch_norm=batch_norm))
    assert count_parameters(7, hidden_layers, batch_norm=batch_norm) == network.count_params()


def test_levels_outside_the_training_rows_are_no_features(tmp_path):
    table = plain_table(100).assign(level=["a"] * 40 + ["b"] * 40 + ["c"] * 20)
    config = load_config(folder_with(tmp_path, table, "  split: ordered\n"))
    plan = plan_training(config, load_dataset(config))
    assert plan.features == 4
    assert plan.rows == {"train": 64, "validation": 16, "test": 20}


def test_a_larger_network_takes_more_memory(tmp_path):
    config = folder_with(tmp_path, plain_table())
    sizes = [check.check(config, [f"model.hidden_layers=[{n}, {n}]"]).plan["memory_bytes"] for n in (8, 4096)]
    assert sizes[1] - sizes[0] > 4096 * 4096 * 4 * 4


def test_a_small_network_takes_one_thread_unless_told_otherwise(tmp_path):
    config = folder_with(tmp_path, plain_table())
    for units, threads, expected in (("[8]", "null", 1), ("[2048, 2048]", "null", None), ("[8]", "3", 3)):
        plan = check.check(config, [f"model.hidden_layers={units}", f"run.threads={threads}"]).plan
        assert plan["threads"] == expected


# ---------------------------------------------------------------- warnings

GENERATOR = np.random.default_rng(5)
N = 200


def with_target_in(table):
    return table.assign(leak=table["y"] * 3 - 7)


def with_answer_level(table):
    return table.assign(level=np.repeat(["p", "q"], N // 2), y=np.repeat([1.0, 2.0], N // 2))


def with_sum(table):
    return table.assign(u=GENERATOR.poisson(9, N), v=GENERATOR.poisson(5, N)).assign(
        y=lambda t: t["u"] + t["v"]
    )


def with_repeated_rows(table):
    return pd.concat([table, table]).sample(frac=1, random_state=1)


def with_days(table):
    return table.assign(day=pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"))


WARNINGS = {
    "target among the features": (with_target_in, "", "column 'leak' follows the target exactly"),
    "target as a feature": (lambda t: t.assign(same=t["y"]), "", "column 'same' equals the target"),
    "a level says the target": (with_answer_level, "", "each level of column 'level' has one value"),
    "a sum is the target": (with_sum, "", "a weighted sum of the columns 'u', 'v'"),
    "numbered rows": (lambda t: t.assign(id=range(7, N + 7)), "", "column 'id' numbers the rows"),
    "numbers shuffled": (lambda t: t.assign(id=GENERATOR.permutation(N)), "", "column 'id' numbers the rows"),
    "rows twice": (with_repeated_rows, "", "rows are also among the training rows"),
    "in order of time": (with_days, "", "the rows are in the order of column 'day'"),
    "constant": (lambda t: t.assign(c=1), "", "column 'c' has one value in every training row"),
    "few rows": (lambda t: t.head(24), "training: {batch_size: 8}", "15 training rows for 2 features"),
    "names that look alike": (lambda t: t.assign(**{"a\u200b ": t["b"] + 1}), "", "'a' and 'a\\u200b ' differ in nothing"),
    "a target that looks alike": (lambda t: t.assign(**{" y": t["b"] + 1}), "", "'y' and ' y' differ in nothing"),
    "large batch": (lambda t: t, "training: {batch_size: 500}", "training.batch_size is 500, above the 128"),
    "linear": (lambda t: t, "model: {activation: linear}", "model.activation is linear"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "config", "fragment"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_looks_like_a_mistake_is_a_warning(tmp_path, change, config, fragment):
    path = folder_with(tmp_path, change(plain_table(N)), f"{config}\n")
    report = check.check(path)
    assert report.exit_code == 0
    (warning,) = (each for each in report.warnings if fragment in each.message)
    assert warning.hint
    assert warning.line
    strict = check.check(path, strict=True)
    assert strict.exit_code == (3 if fragment.startswith(("training.", "model.")) else 4)
    assert warning in strict.faults
    assert (strict.warnings, strict.plan) == ((), None)


CALM = {
    "plain": (lambda t: t, ""),
    "numbered rows left out": (lambda t: t.assign(id=range(N)), "  exclude: [id]\n"),
    "split by time": (with_days, "  split: time\n  split_by: day\n"),
    "days in no order": (lambda t: with_days(t).assign(day=lambda u: u["day"].sample(frac=1, random_state=2).to_numpy()), ""),
    "linear without layers": (lambda t: t, "model: {activation: linear, hidden_layers: []}\n"),
    "close but no leak": (lambda t: t.assign(near=t["y"] + GENERATOR.normal(0, 0.1, N)), ""),
    "levels with spread": (lambda t: t.assign(level=GENERATOR.choice(["p", "q"], N)), ""),
    "whole numbers": (lambda t: t.assign(count=GENERATOR.integers(0, 1000, N)), ""),
}  # fmt: skip


@pytest.mark.parametrize(("change", "config"), CALM.values(), ids=CALM.keys())
def test_what_is_right_makes_no_warning(tmp_path, change, config):
    report = check.check(folder_with(tmp_path, change(plain_table(N)), config), strict=True)
    assert (report.exit_code, report.faults, report.warnings) == (0, (), ())


def test_a_wrong_encoding_that_reads_every_byte_is_a_warning(tmp_path):
    table = plain_table(N).assign(바람속도=1.5 * np.arange(N) % 7)
    path = folder_with(tmp_path, table, encoding="latin-1")
    (warning,) = check.check(path).warnings
    assert "latin-1, but the file is valid utf-8" in warning.message
    assert warning.line == 4
    table.to_csv(tmp_path / "table.csv", index=False, encoding="cp949")
    assert check.check(path, ["data.encoding=cp949"]).warnings == ()


def test_a_network_too_large_to_be_written_is_a_fault_of_the_config(tmp_path, cli):
    folder_with(tmp_path, plain_table(), "model: {hidden_layers: [20000, 20000]}\n")
    for command in ("check", "train"):
        done = cli(command, "config.yaml", cwd=tmp_path)
        assert done.returncode == 3
        assert "config.yaml:4:24: the network has 400,100,001 parameters" in done.stdout + done.stderr


def test_ids_are_seen_although_rows_without_a_target_are_dropped(tmp_path):
    table = plain_table(N).assign(id=range(N))
    table.loc[3::11, "y"] = np.nan
    report = check.check(folder_with(tmp_path, table))
    assert any("'id' numbers the rows" in warning.message for warning in report.warnings)


@given(st.lists(st.integers(-5, 5), min_size=0, max_size=40))
@settings(max_examples=100, deadline=None)
def test_ids_are_consecutive_numbers(values):
    numbers = np.array(values, dtype=float)
    found = counts_rows(numbers, np.arange(len(values)))
    assert found == (
        len(values) >= 10 and sorted(values) == list(range(min(values), min(values) + len(values)))
    )


def test_train_tells_the_same_warnings_as_notes(tmp_path, cli):
    table = plain_table(90).assign(id=range(90), c=2)
    config = folder_with(tmp_path, table, "training: {epochs: 1}\nmodel: {activation: linear}\n")
    checked = cli("check", "config.yaml", cwd=tmp_path)
    warnings = [
        line.replace("warning: ", "", 1) for line in checked.stdout.splitlines() if "warning: " in line
    ]
    assert len(warnings) == 3
    trained = cli("train", config.name, "--json", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    summary = json.loads(trained.stdout)
    assert summary["schema_version"] == 1
    assert summary["notes"] == warnings
    trained = cli("train", config.name, cwd=tmp_path)
    assert [line for line in trained.stderr.splitlines() if line.startswith("note: ")] == [
        f"note: {warning}" for warning in warnings
    ]


# ---------------------------------------------------------------- formats


def test_json_has_one_shape_whether_or_not_there_are_faults(tmp_path, cli):
    table = plain_table(60).assign(c=2)
    folder_with(tmp_path, table, "training: {epochs: 0}\n")
    done = cli("check", "config.yaml", "--format", "json", cwd=tmp_path)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert list(found) == ["schema_version", "faults", "warnings", "notes", "plan"]
    assert found["faults"] == [
        {
            "message": "training.epochs must be auto or a whole number from 1 to 10000000, found 0",
            "path": "config.yaml",
            "line": 4,
            "column": 20,
            "hint": "Leave it out for the default, 100.",
            "severity": "error",
        }
    ]
    assert (found["warnings"], found["plan"]) == (
        [
            {
                "message": "column 'c' has one value in every training row: it cannot help",
                "path": "table.csv",
                "line": 1,
                "column": None,
                "hint": "Leave it out with data.exclude",
                "severity": "warning",
            }
        ],
        None,
    )
    done = cli("check", "config.yaml", "--format", "json", "--set", "training.epochs=7", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, found["faults"], found["plan"]["epochs"]) == (0, [], 7)
    assert list(found["plan"]) == [
        "rows", "columns", "features", "parameters", "steps_per_epoch", "epochs", "refit_epochs",
        "memory_bytes", "threads"
    ]  # fmt: skip


def test_annotations_are_escaped_as_github_asks(tmp_path, cli):
    name = "a,b:c 100%.csv"
    plain_table(60).assign(**{"50%\n::x": "01/02/2024"}).to_csv(tmp_path / name, index=False)
    (tmp_path / "config.yaml").write_text(
        to_yaml({"data": {"path": name, "target": "y"}, "model": {"l2": -1}})
    )
    done = cli("check", "config.yaml", "--format", "github", "--set", "training.seed=x", cwd=tmp_path)
    assert done.returncode == 3
    first, second, third = done.stdout.splitlines()
    assert first.startswith(
        "::error file=config.yaml,line=5,col=7::model.l2 must be a number of at least 0, found -1."
    )
    assert second.startswith("::error::--set training.seed: training.seed must be")
    assert third.startswith("::error file=a%2Cb%3Ac 100%25.csv,line=3::column '50%25")
    assert "%25d/%25m/%25Y" in third


def test_a_name_cannot_make_a_line_or_a_command_of_its_own(tmp_path, cli):
    table = plain_table(60).assign(**{"x\n::error::gotcha\x1b[31m": 3})
    folder_with(tmp_path, table)
    for form in ("text", "github"):
        done = cli("check", "config.yaml", "--format", form, cwd=tmp_path)
        assert done.returncode == 0
        assert not re.search("^::error::gotcha", done.stdout, re.MULTILINE)
        assert "\x1b" not in done.stdout
        assert "gotcha" in done.stdout


def test_nothing_is_written(tmp_path, cli):
    folder_with(tmp_path, plain_table(60))
    before = {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.rglob("*")}
    for form in ("text", "json", "github"):
        assert cli("check", "config.yaml", "--format", form, cwd=tmp_path).returncode == 0
    assert {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.rglob("*")} == before


# ---------------------------------------------------------------- any config

VALID = {
    "preset": "standard",
    "data": {"path": "table.csv", "target": "y", "exclude": ["b"], "types": {"a": "number"}, "test_split": 0.25},
    "preprocessing": {"numeric": "robust", "missing": "mean"},
    "model": {"hidden_layers": [8, 4], "activation": "gelu", "dropout": 0.1},
    "training": {
        "schedule": {"name": "cosine", "warmup_epochs": 2},
        "epochs": 20,
        "early_stopping": {"patience": 3},
        "batch_size": 16,
    },
    "run": {"dir": None},
}  # fmt: skip
OTHERS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 300), st.floats(allow_nan=True), st.text(max_size=6),
    st.sampled_from(["y", "a", "table.csv", "http://x/y.csv", "all", "time", "step", "%d/%m/%Y", ";"]),
    st.lists(st.sampled_from(["a", "b", "y", 1, None]), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@st.composite
def mutated(draw):
    """A valid config after a few keys were dropped, given twice, renamed or given another value."""
    lines = to_yaml(VALID)
    values = json.loads(json.dumps(VALID))
    duplicates = []
    for _ in range(draw(st.integers(1, 4))):
        section = draw(st.sampled_from(sorted(values))) if values else None
        inner = values.get(section)
        if not isinstance(inner, dict) or not inner or draw(st.integers(0, 5)) == 0:
            key, owner = section, values
        else:
            key, owner = draw(st.sampled_from(sorted(inner))), inner
        kind = draw(st.sampled_from(["drop", "retype", "rename", "twice"]))
        if key is None:
            continue
        if kind == "drop":
            owner.pop(key)
        elif kind == "retype":
            owner[key] = draw(OTHERS)
        elif kind == "rename":
            owner[draw(st.text(max_size=5))] = owner.pop(key)
        else:
            duplicates.append(key)
    lines = to_yaml(values).splitlines()
    for key in duplicates:
        for index, line in enumerate(lines):
            if line.strip().startswith(f"{key}:"):
                lines.insert(index + 1, line)
                break
    return "\n".join(lines) + "\n"


@given(text=mutated())
@settings(max_examples=250, deadline=None)
def test_any_mutation_of_a_config_ends_in_faults_or_a_plan(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "mutated"
    if not folder.exists():
        folder.mkdir()
        plain_table(60).to_csv(folder / "table.csv", index=False)
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        load_config(path)
        config_is_valid = True
    except ConfigError as error:
        config_is_valid = False
        assert all(fault.path and fault.message for fault in error.faults)
    report = check.check(path)
    assert report.exit_code in ((0, 4) if config_is_valid else (3,)), report
    assert (report.plan is None) == bool(report.faults)


@pytest.mark.parametrize("seed", range(60))
def test_any_damage_to_a_csv_is_a_data_error_or_read(tmp_path, seed):
    generator = random.Random(seed)
    folder_with(tmp_path, plain_table(60).assign(level=["p", "q"] * 30, day="2024-01-05"))
    content = bytearray((tmp_path / "table.csv").read_bytes())
    for _ in range(generator.randrange(1, 4)):
        start = generator.randrange(len(content))
        content[start : start + generator.choice([0, 1, 30])] = generator.choice(
            [b"", b"\n", b",", b'"', b"\0", b"\xff", b"inf", b"x", b";", b"\r\n", b"1e400", b"-"]
        )
    (tmp_path / "table.csv").write_bytes(bytes(content))
    report = check.check(tmp_path / "config.yaml")
    assert report.exit_code in (0, 4)
    if report.exit_code == 4:
        with pytest.raises(DataError):
            config = load_config(tmp_path / "config.yaml")
            plan_training(config, load_dataset(config))
