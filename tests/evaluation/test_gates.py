"""Gates: limits on metrics, and regressions against a baseline told apart from noise."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import make_table

from dlreg.commands.train import train_run
from dlreg.config.reading import load_config
from dlreg.errors import GateError, UsageError
from dlreg.evaluation import gates
from dlreg.evaluation.metrics import METRIC_NAMES, regression_metrics
from dlreg.runs.interruption import Interruption


class Silence:
    """A listener that says nothing."""

    def on_stage(self, stage):
        pass

    on_note = on_epoch = on_stage


@pytest.fixture(scope="module")
def runs(project):
    """The project with a run that is surely worse, `worse`, and one of another split, `other_split`."""
    options = {"worse": ["training.epochs=1"], "other_split": ["training.seed=7", "training.epochs=1"]}
    for name, overrides in options.items():
        config = load_config(project / "config.yaml", overrides)
        train_run(
            config,
            project / name,
            name=name,
            overwrite=False,
            resume=False,
            interruption=Interruption(),
            listener=Silence(),
        )
    return project


def regression(metric, y_true, y_pred, y_baseline):
    found = gates.regression_interval(metric, y_true, y_pred, y_baseline)
    assert found
    return found


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "part", "metric", "operator", "bound"),
    [
        ("rmse>3.2", "test", "rmse", ">", 3.2),
        (" validation . mae >= 2 ", "validation", "mae", ">=", 2.0),
        ("train.r2<-1e-3", "train", "r2", "<", -0.001),
        ("n<=.5", "test", "n", "<=", 0.5),
        ("coverage_90<0.85", "test", "coverage_90", "<", 0.85),
        ("test.width_90>=12", "test", "width_90", ">=", 12.0),
    ],
)
def test_limits_are_read(text, part, metric, operator, bound):
    (limit,) = gates.parse_limits([text], on_data=False)
    assert (limit.part, limit.metric, limit.operator, limit.bound) == (part, metric, operator, bound)


def test_limits_on_other_data_are_about_the_data():
    (limit,) = gates.parse_limits(["rmse>1"], on_data=True)
    assert limit.part == "data"
    assert gates.parse_limits(["data.rmse>1"], on_data=True)[0].part == "data"


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(
    ("text", "on_data", "fragment"),
    [
        ("rmse", False, "takes METRIC"),
        ("rmse=3", False, "takes METRIC"),
        ("rmse==3", False, "takes METRIC"),
        ("rmse>", False, "takes METRIC"),
        ("rmse>three", False, "takes METRIC"),
        ("rmse>nan", False, "takes METRIC"),
        ("rmse>1e999", False, "takes METRIC"),
        ("3<rmse", False, "takes METRIC"),
        ("rmse>3 or mae>2", False, "takes METRIC"),
        ("", False, "takes METRIC"),
        ("__import__('os')>1", False, "takes METRIC"),
        ("rsme>3", False, "Did you mean rmse?"),
        ("coverage>0.9", False, "Did you mean coverage_90?"),
        ("validation.coverage_90<0.8", False, "of the parts test and data"),
        ("RMSE>3", False, "Did you mean rmse?"),
        ("val.rmse>3", False, "unknown part val"),
        ("validaton.rmse>3", False, "Did you mean validation?"),
        ("data.rmse>3", False, "Give a CSV with --data"),
        ("test.rmse>3", True, "the part data alone"),
    ],
)
def test_malformed_limits_are_wrong_usage(text, on_data, fragment):
    with pytest.raises(UsageError, match=r".") as caught:
        gates.parse_limits([text], on_data=on_data)
    assert fragment in str(caught.value)


def test_every_malformed_expression_is_told():
    with pytest.raises(UsageError) as caught:
        gates.parse_limits(["rmse", "foo.bar>1", "mae>2"], on_data=False)
    assert len(caught.value.faults) == 3


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(
    "text", ["rmse", "rmse>2", "rmse=-1", "rmse=2%%", "n=2", "rsme=2", "rmse=inf", "=2", "test.rmse=2"]
)
def test_malformed_regressions_are_wrong_usage(text):
    with pytest.raises(UsageError):
        gates.parse_regressions([text], "run")


@pytest.mark.parametrize(("texts", "baseline"), [(["rmse=2"], None), ([], "run")])
def test_a_baseline_and_what_to_compare_belong_together(texts, baseline):
    with pytest.raises(UsageError, match="needs"):
        gates.parse_regressions(texts, baseline)


def test_percent_signs_change_nothing():
    assert [each.percent for each in gates.parse_regressions(["rmse=2%", " mae = 2 "], "run")] == [2, 2]
    assert gates.parse_regressions([], None) == ()


@given(
    metric=st.sampled_from(METRIC_NAMES),
    sign=st.sampled_from([">", ">=", "<", "<="]),
    value=st.none() | st.floats(),
    bound=st.integers(-3, 3),
)
@settings(max_examples=200, deadline=None)
def test_a_gate_fails_exactly_if_the_expression_is_true_or_cannot_be_told(metric, sign, value, bound):
    limits = gates.parse_limits([f"{metric}{sign}{bound}"], on_data=False)
    (gate,) = gates.judge_limits(limits, {"test": {metric: value}})
    finite = value is not None and np.isfinite(value)
    assert gate.passed == bool(finite and not eval(f"{value!r} {sign} {bound}"))
    json.dumps(gate.result, allow_nan=False)


def test_a_part_without_rows_passes_no_gate():
    (gate,) = gates.judge_limits(gates.parse_limits(["rmse>3"], on_data=False), {"test": None})
    assert not gate.passed
    with pytest.raises(GateError, match=r"rmse>3: test\.rmse is null"):
        gates.refuse_failed([gate])
    gates.refuse_failed([])


# ---------------------------------------------------------------- the bootstrap


@pytest.mark.parametrize("metric", METRIC_NAMES[1:])
def test_the_values_compared_are_the_metrics(metric):
    generator = np.random.default_rng(1)
    y = generator.normal(10, 2, 50)
    run, baseline = y + generator.normal(0, 1, 50), y + generator.normal(0, 1.5, 50)
    value, other, estimate, (low, high) = regression(metric, y, run, baseline)
    expected, expected_other = (regression_metrics(y, each)[metric] for each in (run, baseline))
    assert value == pytest.approx(expected, rel=1e-12)
    assert other == pytest.approx(expected_other, rel=1e-12)
    change = expected_other - expected if metric == "r2" else expected / expected_other - 1
    assert estimate == pytest.approx(change, rel=1e-9)
    assert low < estimate < high


def test_an_error_that_is_a_multiple_in_every_row_has_an_interval_of_one_point():
    generator = np.random.default_rng(2)
    y, error = generator.normal(size=300), generator.normal(size=300)
    for metric, factor in (("rmse", 1.2), ("mae", 1.2), ("mse", 1.44)):
        value, other, estimate, interval = regression(metric, y, y + 1.2 * error, y + error)
        assert [value / other - 1, estimate, *interval] == pytest.approx([factor - 1] * 4, rel=1e-9)


def test_the_interval_is_that_of_resampling_rows_one_by_one():
    generator = np.random.default_rng(3)
    y = generator.normal(size=40)
    run, baseline = y + generator.normal(0, 1.1, 40), y + generator.normal(0, 1, 40)
    changes = []
    for _ in range(4000):
        rows = generator.integers(0, 40, 40)
        errors = [np.sqrt(np.mean((y[rows] - each[rows]) ** 2)) for each in (run, baseline)]
        changes.append(errors[0] / errors[1] - 1)
    _, _, _, interval = regression("rmse", y, run, baseline)
    assert interval == pytest.approx(np.percentile(changes, [2.5, 97.5]), abs=0.04)


@pytest.mark.parametrize("metric", METRIC_NAMES[1:])
def test_many_rows_are_not_drawn_one_by_one_but_give_the_same_interval(metric, monkeypatch):
    generator = np.random.default_rng(8)
    y = generator.normal(9, 1, 3000)
    parts = y, y + generator.standard_t(5, 3000), y + generator.standard_t(5, 3000)
    *same, (low, high) = regression(metric, *parts)
    monkeypatch.setattr(gates, "MOST_RESAMPLED_ROWS", 100)
    *also, interval = regression(metric, *parts)
    assert also == same
    assert interval == pytest.approx([low, high], abs=0.15 * (high - low))


def test_the_interval_of_a_mean_is_the_normal_one():
    """For the paired difference of large samples, ±1.96 standard errors (delta method)."""
    generator = np.random.default_rng(4)
    n = 5000
    y = np.zeros(n)
    run, baseline = np.abs(generator.normal(5, 1, n)), np.abs(generator.normal(5, 1, n))
    ratio = run.mean() / baseline.mean()
    error = np.std(run - ratio * baseline) / baseline.mean() / np.sqrt(n)
    _, _, estimate, (low, high) = regression("mae", y, run, baseline)
    assert [estimate - low, high - estimate] == pytest.approx([1.96 * error] * 2, rel=0.1)


@pytest.mark.parametrize("metric", ["rmse", "mae", "r2"])
def test_noise_does_not_fail_a_build(metric):
    alarms = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        y = generator.normal(0, 3, 150)
        run, baseline = y + generator.normal(0, 1, 150), y + generator.normal(0, 1, 150)
        allowed = gates.parse_regressions([f"{metric}=0"], "run")
        (gate,) = gates.judge_regressions(allowed, "test", y, run, baseline)
        alarms += not gate.passed
    # 2.5 of 100 are expected with nothing at all allowed.
    assert alarms <= 8


@pytest.mark.parametrize("metric", ["rmse", "mae", "mape"])
def test_a_true_regression_of_twenty_percent_is_found(metric):
    for seed in range(20):
        generator = np.random.default_rng(seed)
        y = generator.normal(20, 3, 400)
        error = generator.normal(0, 1, 400)
        run = y + 1.2 * error + generator.normal(0, 0.1, 400)
        allowed = gates.parse_regressions([f"{metric}=2%"], "run")
        (gate,) = gates.judge_regressions(allowed, "test", y, run, y + error)
        assert not gate.passed
        assert gate.result["regression_percent"] == pytest.approx(20, abs=4)
        assert gate.result["interval_percent"][0] > 2
        (gate,) = gates.judge_regressions(
            gates.parse_regressions([f"{metric}=30"], "run"), "test", y, run, y + error
        )
        assert gate.passed


def test_equal_predictions_are_no_regression_whatever_they_are_worth():
    y = np.array([1.0, 2.0, 3.0])
    for metric in METRIC_NAMES[1:]:
        for predictions in (y, y + 1):
            allowed = gates.parse_regressions([f"{metric}=0"], "run")
            (gate,) = gates.judge_regressions(allowed, "test", y, predictions, predictions)
            assert gate.passed, gate
            assert gate.result["regression_percent"] == 0


def test_any_error_against_none_is_a_regression():
    y = np.arange(50.0)
    (gate,) = gates.judge_regressions(gates.parse_regressions(["rmse=500"], "run"), "test", y, y + 1, y)
    assert not gate.passed
    assert gate.result["regression_percent"] is None
    json.dumps(gate.result, allow_nan=False)


def test_a_metric_without_a_value_passes_no_gate():
    y = np.array([0.0, 1.0, 2.0])
    for metric, y_true, y_pred in (("mape", y, y), ("r2", y * 0, y), ("rmse", y, y + np.inf)):
        allowed = gates.parse_regressions([f"{metric}=5"], "run")
        (gate,) = gates.judge_regressions(allowed, "test", y_true, y_pred, y)
        assert not gate.passed
        assert gate.result["value"] is None


def test_memory_is_bounded_and_blocks_change_nothing(monkeypatch):
    generator = np.random.default_rng(6)
    y = generator.normal(size=97)
    parts = y, y + generator.normal(size=97), y + generator.normal(size=97)
    whole = regression("rmse", *parts)
    monkeypatch.setattr(gates, "POSITIONS_PER_BLOCK", 1000)
    assert regression("rmse", *parts) == whole


# ---------------------------------------------------------------- the command


def test_gates_that_are_passed(runs, cli):
    done = cli(
        "evaluate", "run", "--fail-if", "rmse>1000", "--fail-if", "validation.r2<-5", "--baseline", "worse",
        "--max-regression", "rmse=2%", "--json", cwd=runs,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == f"note: reading {runs / 'table.csv'}, as the run's config says\n"
    found = json.loads(done.stdout)
    assert list(found) == ["schema_version", "run_dir", "metrics", "gates"]
    assert found["schema_version"] == 1
    first, second, third = found["gates"]
    assert first == {
        "expression": "rmse>1000", "part": "test", "metric": "rmse",
        "value": found["metrics"]["test"]["rmse"], "passed": True,
    }  # fmt: skip
    assert second["part"] == "validation"
    assert list(third) == [
        "expression", "part", "metric", "value", "baseline", "regression_percent", "interval_percent",
        "allowed_percent", "passed",
    ]  # fmt: skip
    assert third["regression_percent"] < 0


def test_gates_that_fail_say_why_and_leave_the_metrics_on_stdout(runs, cli):
    arguments = [
        "--fail-if",
        "rmse>0",
        "--fail-if",
        "mae<0",
        "--baseline",
        "run",
        "--max-regression",
        "rmse=2%",
    ]
    done = cli("evaluate", "worse", *arguments, cwd=runs)
    assert done.returncode == 8
    assert "rmse" in done.stdout.splitlines()[0]
    assert "gate passed: mae<0: test.mae is " in done.stdout
    _, first, second = done.stderr.splitlines()
    assert first.startswith("error: gate failed: rmse>0: test.rmse is ")
    assert second.startswith("error: gate failed: rmse=2%: test.rmse is ")
    assert "95 % interval" in second
    done = cli("evaluate", "worse", *arguments, "--json", cwd=runs)
    assert done.returncode == 8
    assert [gate["passed"] for gate in json.loads(done.stdout)["gates"]] == [False, True, False]


def test_another_split_cannot_be_compared_without_other_rows(runs, cli):
    arguments = ["--baseline", "other_split", "--max-regression", "rmse=500"]
    done = cli("evaluate", "run", *arguments, cwd=runs)
    assert done.returncode == 5
    assert "--data" in done.stderr
    make_table(80, seed=99).to_csv(runs / "fresh.csv", index=False)
    done = cli("evaluate", "run", *arguments, "--data", "fresh.csv", "--json", cwd=runs)
    assert done.returncode == 0, done.stderr
    (gate,) = json.loads(done.stdout)["gates"]
    assert gate["part"] == "data"
    done = cli("evaluate", "run", *arguments, "--data", "table.csv", cwd=runs)
    assert done.returncode == 5
    assert "trained on" in done.stderr


def test_a_baseline_from_another_folder_is_compared_on_an_equal_table(runs, cli, tmp_path):
    for name in ("table.csv", "config.yaml"):
        shutil.copy(runs / name, tmp_path)
    config = load_config(tmp_path / "config.yaml", ["training.epochs=2"])
    train_run(
        config,
        tmp_path / "mine",
        name="mine",
        overwrite=False,
        resume=False,
        interruption=Interruption(),
        listener=Silence(),
    )
    (runs / "table.csv").rename(runs / "hidden.csv")
    try:
        done = cli(
            "evaluate", "mine", "--baseline", runs / "run", "--max-regression", "rmse=1e6", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert cli("evaluate", runs / "run", cwd=tmp_path).returncode == 5
    finally:
        (runs / "hidden.csv").rename(runs / "table.csv")


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["evaluate", "run", "--fail-if", "rsme>3"], 2, "Did you mean rmse?"),
        (["evaluate", "nowhere", "--fail-if", "rsme>3"], 2, "Did you mean rmse?"),
        (["evaluate", "run", "--fail-if", "data.rmse>3"], 2, "--data"),
        (["evaluate", "run", "--fail-if"], 2, "--fail-if"),
        (["evaluate", "run", "--max-regression", "rmse=2"], 2, "--baseline"),
        (["evaluate", "run", "--baseline", "worse"], 2, "--max-regression"),
        (["evaluate", "run", "--baseline", "worse", "--max-regression", "rmse"], 2, "METRIC=PERCENT"),
        (["evaluate", "run", "--baseline", "nowhere", "--max-regression", "rmse=2"], 5, "nowhere"),
        (["evaluate", "run", "--baseline", ".", "--max-regression", "rmse=2"], 5, "run.json"),
        (["evaluate", "run", "--data", "absent.csv", "--fail-if", "rmse>3"], 4, "absent.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_with_gates(runs, cli, arguments, code, fragment):
    done = cli(*arguments, cwd=runs)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr


def test_a_baseline_of_another_target_cannot_be_compared(runs, cli, tmp_path):
    folder = shutil.copytree(runs, tmp_path / "copy")
    config = load_config(folder / "config.yaml", ["data.target=Wind speed (m/s)", "training.epochs=1"])
    train_run(
        config,
        folder / "wind",
        name="wind",
        overwrite=False,
        resume=False,
        interruption=Interruption(),
        listener=Silence(),
    )
    make_table(80, seed=99).to_csv(folder / "fresh.csv", index=False)
    arguments = ["--baseline", "wind", "--max-regression", "rmse=1", "--data", "fresh.csv"]
    done = cli("evaluate", "run", *arguments, cwd=folder)
    assert done.returncode == 5
    assert "predicts 'Wind speed (m/s)'" in done.stderr
