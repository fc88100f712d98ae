"""Gates: limits on metrics, and regressions against a baseline told apart from noise."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.errors import DataError, Fault, GateError, UsageError
from dlreg.evaluation import gates
from dlreg.limits import METRIC_NAMES

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
        ("validation.coverage_90<0.8", False, "Only the parts test and data"),
        ("RMSE>3", False, "Did you mean rmse?"),
        ("val.rmse>3", False, "unknown part val;"),
        ("validaton.rmse>3", False, "Did you mean validation?"),
        ("data.rmse>3", False, "Only evaluate --data has it"),
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
    assert len(caught.value.faults) == 2


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
    assert [
        regression.percent for regression in gates.parse_regressions(["rmse=2%", " mae = 2 "], "run")
    ] == [2, 2]
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


def test_what_cannot_be_measured_is_a_fault_of_the_data_and_its_gates_are_told_beside_it():
    judged = gates.judge_limits(gates.parse_limits(["rmse>1"], on_data=False), {"test": {"rmse": None}})
    with pytest.raises(DataError) as caught:
        gates.refuse_failed(judged, [Fault("not finite")])
    assert [fault.message for fault in caught.value.faults] == [
        "not finite",
        "gate failed: rmse>1: test.rmse is null, which meets no limit",
    ]
