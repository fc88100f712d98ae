"""What a run must reach to pass: limits on its metrics, and no regression against a baseline run."""

import math
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.errors import DataError, Fault, GateError, UsageError
from dlreg.evaluation.bootstrap import LEAST_ROWS, regression_interval
from dlreg.limits import (
    DATA_PARTS,
    INTERVAL_METRIC_NAMES,
    METRIC_NAMES,
    NUMBER,
    RUN_PARTS,
    Limit,
    LimitError,
    read_limit,
)
from dlreg.wording import nearest_word

_REGRESSION = re.compile(rf"\s*(\w+)\s*=\s*({NUMBER})\s*%?\s*")


@dataclass(frozen=True)
class AllowedRegression:
    """A `--max-regression`: the run fails if the metric is surely worse by more than `percent`."""

    expression: str
    metric: str
    percent: float


@dataclass(frozen=True)
class Gate:
    """A gate that was judged.

    Attributes:
        result: What `--json` shows: `expression`, `part`, `metric`, `value`, `passed`, and for a regression
            `baseline`, `regression_percent`, `interval_percent`, `allowed_percent`.
        sentence: The same in words.
    """

    result: dict[str, Any]
    sentence: str

    @property
    def passed(self) -> bool:
        """Whether the run is good enough."""
        return bool(self.result["passed"])


def parse_limits(expressions: Sequence[str], *, on_data: bool) -> tuple[Limit, ...]:
    """Reads `--fail-if` expressions such as `rmse>3.2` and `validation.mae>=2`.

    Args:
        expressions: As given.
        on_data: Whether another CSV is measured: its one part is `data`, else the parts are the run's own.

    Raises:
        UsageError: With each expression that is malformed, or names an unknown metric or part.
    """
    limits: list[Limit] = []
    faults: list[Fault] = []
    for text in expressions:
        try:
            limits.append(read_limit(text, DATA_PARTS if on_data else RUN_PARTS))
        except LimitError as error:
            faults.append(Fault(f"--fail-if {error.expected}; found {text!r}", hint=error.hint))
    if faults:
        raise UsageError(*faults)
    return tuple(limits)


def limits_of_config(gates: Sequence[str], *, on_data: bool = False) -> tuple[list[Limit], list[str]]:
    """The limits that `gates` of a config set.

    Those that name no part are on the test rows or, where another CSV is measured, on that one.

    Args:
        gates: As the config has them, which has checked them.
        on_data: Whether another CSV is measured.

    Returns:
        The limits, and the gates on parts of the run's own rows, which are not measured then.
    """
    limits: list[Limit] = []
    others: list[str] = []
    for text in gates:
        try:
            limits.append(read_limit(text, DATA_PARTS if on_data else RUN_PARTS))
        except LimitError:
            others.append(text)
    return limits, others


def parse_regressions(expressions: Sequence[str], baseline: object | None) -> tuple[AllowedRegression, ...]:
    """Reads `--max-regression` expressions such as `rmse=2%`.

    Raises:
        UsageError: With each one that is malformed or names an unknown metric; if there is no baseline to
            compare with, or nothing to compare with it.
    """
    if (baseline is None) != (not expressions):
        given, lacking = ("--max-regression", "--baseline RUN_DIR") if expressions else (
            "--baseline", "--max-regression METRIC=PERCENT")  # fmt: skip
        hint = "For example --baseline runs/main-1 --max-regression rmse=2%"
        raise UsageError(Fault(f"{given} needs {lacking} beside it", hint=hint))
    regressions: list[AllowedRegression] = []
    faults: list[Fault] = []
    for text in expressions:
        match = _REGRESSION.fullmatch(text)
        if match and 0 <= float(match[2]) < math.inf:
            regressions.append(AllowedRegression(text.strip(), match[1], float(match[2])))
            faults += _unknown_metric(text, match[1])
        else:
            hint = "For example --max-regression rmse=2%"
            faults.append(
                Fault(f"--max-regression takes METRIC=PERCENT, at least 0; found {text!r}", hint=hint)
            )
    if faults:
        raise UsageError(*faults)
    return tuple(regressions)


def _unknown_metric(text: str, metric: str) -> Iterator[Fault]:
    words = METRIC_NAMES[1:]
    if metric in words:
        return
    near = nearest_word(metric, words)
    hint = f"Did you mean {near}? " if near else ""
    hint = "Only --fail-if knows it. " if metric in INTERVAL_METRIC_NAMES else hint
    fault = f"--max-regression names an unknown metric {metric}; found {text!r}"
    yield Fault(fault, hint=f"{hint}The metrics are {', '.join(words)}")


def judge_limits(limits: Sequence[Limit], metrics: Mapping[str, Mapping[str, Any] | None]) -> list[Gate]:
    """Compares metrics with their limits; what has no value, or none that is finite, does not pass."""
    compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
    gates = []
    for limit in limits:
        value: Any = (metrics.get(limit.part) or {}).get(limit.metric)
        known = value is not None and math.isfinite(value)
        result = {
            "expression": limit.expression,
            "part": limit.part,
            "metric": limit.metric,
            "value": value if known else None,
            "passed": bool(known and not compare[limit.operator](value, limit.bound)),
        }
        shown = f"{value:.6g}" if value is not None else "null"
        sentence = f"{limit.expression}: {limit.part}.{limit.metric} is {shown}"
        sentence += "" if known else ", which meets no limit"
        others = [part for part in RUN_PARTS if metrics.get(part)]
        if others and not metrics.get(limit.part):
            sentence += f": there are no {limit.part} rows; name one of the parts {', '.join(others)}"
        gates.append(Gate(result, sentence))
    return gates


def judge_regressions(
    allowed: Sequence[AllowedRegression],
    part: str,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    y_baseline: np.ndarray,
) -> list[Gate]:
    """Compares a run with a baseline on the same rows.

    A gate fails only if the lower end of the interval of `regression_interval` is above what is allowed: by
    less, the rows at hand cannot tell a regression from noise.

    Args:
        allowed: What is asked for.
        part: What the rows are called.
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What the run predicts.
        y_baseline: What the baseline predicts.
    """
    return [_judge_regression(limit, part, y_true, y_pred, y_baseline) for limit in allowed]


def _judge_regression(
    limit: AllowedRegression, part: str, y_true: np.ndarray, y_pred: np.ndarray, y_baseline: np.ndarray
) -> Gate:
    name = f"{part}.{limit.metric}"
    result: dict[str, Any] = {"expression": limit.expression, "part": part, "metric": limit.metric}
    regression = regression_interval(limit.metric, y_true, y_pred, y_baseline)
    if regression is None:
        result |= dict.fromkeys(("value", "baseline", "regression_percent", "interval_percent"))
        result |= {"allowed_percent": limit.percent, "passed": False}
        few = f"is of fewer than {LEAST_ROWS} rows, which cannot tell a regression from noise"
        why = few if len(y_true) < LEAST_ROWS else "has no value to compare"
        return Gate(result, f"{limit.expression}: {name} {why}")
    value, baseline, estimate, (low, high) = regression
    result |= {
        "value": value,
        "baseline": baseline,
        "regression_percent": _finite(100 * estimate),
        "interval_percent": [_finite(100 * low), _finite(100 * high)],
        "allowed_percent": limit.percent,
        "passed": not 100 * low > limit.percent,
    }
    unit = " percentage points" if limit.metric == "r2" else "%"
    sentence = (
        f"{limit.expression}: {name} is {value:.6g}, the baseline's {baseline:.6g}: a regression of "
        f"{100 * estimate:.2f}{unit} (95% interval {100 * low:.2f} to {100 * high:.2f}, "
        f"{limit.percent:g} allowed)"
    )
    return Gate(result, sentence)


def refuse_failed(gates: Sequence[Gate], unusable: Sequence[Fault] = ()) -> None:
    """Refuses a run that has not passed every gate, or that cannot be judged.

    Args:
        gates: Each of them.
        unusable: Tells of predictions that are no numbers to use.

    Raises:
        DataError: There are such predictions; with the gates that are not passed beside them.
        GateError: With the reason of each gate that is not.
    """
    failed = [Fault(f"gate failed: {gate.sentence}") for gate in gates if not gate.passed]
    if unusable:
        raise DataError(*unusable, *failed)
    if failed:
        raise GateError(*failed)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
