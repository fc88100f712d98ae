"""What a run must reach to pass: limits on its metrics, and no regression against a baseline run."""

import math
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.errors import Fault, GateError, UsageError
from dlreg.evaluation.metrics import INTERVAL_METRIC_NAMES, METRIC_NAMES
from dlreg.wording import nearest_word

PARTS = ("train", "validation", "out_of_fold", "test", "data")
# Rows that nothing was fitted on, intervals included.
INTERVAL_PARTS = ("test", "data")
RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 0
# Positions drawn at a time: 32 MB, whatever the number of rows.
POSITIONS_PER_BLOCK = 1 << 22
# Means over more rows than this are drawn from the normal distribution that they then follow.
MOST_RESAMPLED_ROWS = 10_000

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_LIMIT = re.compile(rf"\s*(?:(\w+)\s*\.)?\s*(\w+)\s*(>=|<=|>|<)\s*({_NUMBER})\s*")
_REGRESSION = re.compile(rf"\s*(\w+)\s*=\s*({_NUMBER})\s*%?\s*")


@dataclass(frozen=True)
class Limit:
    """A `--fail-if`: the run fails if the metric of the part stands so to the bound."""

    expression: str
    part: str
    metric: str
    operator: str
    bound: float


@dataclass(frozen=True)
class AllowedRegression:
    """A `--max-regression`: the run fails if the metric is surely worse by more than `percent`."""

    expression: str
    metric: str
    percent: float


@dataclass(frozen=True)
class Gate:
    """How a gate was passed or not.

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
    parts = PARTS[-1:] if on_data else PARTS[:-1]
    limits: list[Limit] = []
    faults: list[Fault] = []
    for text in expressions:
        match = _LIMIT.fullmatch(text)
        if match and math.isfinite(float(match[4])):
            part, metric, sign, bound = match.groups()
            limits.append(Limit(text.strip(), part or parts[-1], metric, sign, float(bound)))
            more = INTERVAL_METRIC_NAMES if limits[-1].part in INTERVAL_PARTS else ()
            faults += _unknown(f"--fail-if {text!r}", "metric", metric, (*METRIC_NAMES, *more))
            faults += _unknown(f"--fail-if {text!r}", "part", limits[-1].part, parts)
        else:
            hint = "For example --fail-if 'rmse>3.2' or --fail-if 'validation.mae>=2'"
            faults.append(
                Fault(f"--fail-if takes METRIC, > >= < or <=, and a number; found {text!r}", hint=hint)
            )
    if faults:
        raise UsageError(*faults)
    return tuple(limits)


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
            faults += _unknown(f"--max-regression {text!r}", "metric", match[1], METRIC_NAMES[1:])
        else:
            hint = "For example --max-regression rmse=2%"
            faults.append(
                Fault(f"--max-regression takes METRIC=PERCENT, at least 0; found {text!r}", hint=hint)
            )
    if faults:
        raise UsageError(*faults)
    return tuple(regressions)


def _unknown(place: str, kind: str, word: str, words: Sequence[str]) -> Iterator[Fault]:
    if word in words:
        return
    near = nearest_word(word, words)
    hint = f"Did you mean {near}? " if near else ""
    if kind == "metric" and word in INTERVAL_METRIC_NAMES:
        hint = f"Only --fail-if knows it, of the parts {' and '.join(INTERVAL_PARTS)}. "
    if kind == "part" and word in PARTS:
        hint = "With --data there is the part data alone. " if word != "data" else "Give a CSV with --data. "
    yield Fault(f"{place}: unknown {kind} {word}", hint=f"{hint}The {kind}s are {', '.join(words)}")


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
        gates.append(Gate(result, sentence if known else f"{sentence}, which meets no limit"))
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
    gates = []
    for each in allowed:
        name = f"{part}.{each.metric}"
        result: dict[str, Any] = {"expression": each.expression, "part": part, "metric": each.metric}
        found = regression_interval(each.metric, y_true, y_pred, y_baseline)
        if found is None:
            result |= dict.fromkeys(("value", "baseline", "regression_percent", "interval_percent"))
            result |= {"allowed_percent": each.percent, "passed": False}
            gates.append(Gate(result, f"{each.expression}: {name} has no value to compare"))
            continue
        value, baseline, estimate, (low, high) = found
        result |= {
            "value": value,
            "baseline": baseline,
            "regression_percent": _finite(100 * estimate),
            "interval_percent": [_finite(100 * low), _finite(100 * high)],
            "allowed_percent": each.percent,
            "passed": not 100 * low > each.percent,
        }
        unit = "percentage points" if each.metric == "r2" else "%"
        sentence = (
            f"{each.expression}: {name} is {value:.6g}, the baseline's {baseline:.6g}: a regression of "
            f"{100 * estimate:.2f} {unit} (95 % interval {100 * low:.2f} to {100 * high:.2f}, "
            f"{each.percent:g} allowed)"
        )
        gates.append(Gate(result, sentence))
    return gates


def regression_interval(
    metric: str, y_true: np.ndarray, y_pred: np.ndarray, y_baseline: np.ndarray
) -> tuple[float, float, float, tuple[float, float]] | None:
    """How much worse predictions are than a baseline's, with a paired bootstrap interval.

    The regression of an error is value / baseline - 1; that of r2, where more is better and 0 is no natural
    zero, is baseline - value, so that it is in points of explained variance. Rows are resampled with
    replacement, the same rows for both, `RESAMPLES` times; the interval is from the 2.5th to the 97.5th
    percentile (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Of more than
    `MOST_RESAMPLED_ROWS` rows no rows are drawn, but their means, by the central limit theorem.

    Args:
        metric: A name of `METRIC_NAMES`, but not `n`.
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What is predicted.
        y_baseline: What the baseline predicts.

    Returns:
        The value, the baseline's value, the regression as a fraction, and its interval; None where the
        metric has no finite value.
    """
    terms = _row_terms(metric, y_true, y_pred, y_baseline)
    if not len(terms) or not np.isfinite(terms).all():
        return None
    value, baseline = _from_means(metric, terms.mean(axis=0), len(terms))
    if not (np.isfinite(value) and np.isfinite(baseline)):
        return None
    values, baselines = _from_means(metric, _resampled_means(terms).T, len(terms))
    low, high = np.quantile(
        _regression(metric, values, baselines),
        [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
        method="inverted_cdf",
    )
    estimate = _regression(metric, value, baseline)
    return float(value), float(baseline), float(estimate), (float(low), float(high))


def _row_terms(metric: str, y_true: np.ndarray, y_pred: np.ndarray, y_baseline: np.ndarray) -> np.ndarray:
    """What each row adds to the metric, of the run and of the baseline, shape `(n_rows, n_terms)`."""
    errors = np.column_stack([y_true - y_pred, y_true - y_baseline])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if metric == "mae":
            return np.asarray(np.abs(errors))
        if metric == "mape":
            return np.asarray(np.abs(errors / y_true[:, None]))
        if metric == "r2":
            centred = y_true - y_true.mean()
            return np.column_stack([errors**2, centred, centred**2])
        return errors**2


def _from_means(metric: str, means: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The metric of the run and of the baseline, of means over rows: shape `(n_terms, …)` to `(…,)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "sse":
            return means[0] * n_rows, means[1] * n_rows
        if metric == "rmse":
            return np.sqrt(means[0]), np.sqrt(means[1])
        if metric == "r2":
            variance = means[3] - means[2] ** 2
            return 1 - means[0] / variance, 1 - means[1] / variance
        return means[0], means[1]


def _regression(metric: str, value: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        change = baseline - value if metric == "r2" else value / baseline - 1
    # Two predictions without any error, or resampled rows that are all the same, are no regression.
    return np.where(np.isnan(change), 0.0, change)


def _resampled_means(terms: np.ndarray) -> np.ndarray:
    """Means over rows drawn with replacement, shape `(RESAMPLES, n_terms)`, in bounded memory and time."""
    generator, n_rows = np.random.default_rng(SEED), len(terms)
    if n_rows > MOST_RESAMPLED_ROWS:
        covariance = np.cov(terms, rowvar=False, ddof=0) / n_rows
        return generator.multivariate_normal(terms.mean(axis=0), covariance, RESAMPLES, check_valid="ignore")
    per_block = max(1, POSITIONS_PER_BLOCK // n_rows)
    blocks = []
    for start in range(0, RESAMPLES, per_block):
        rows = generator.integers(0, n_rows, (min(per_block, RESAMPLES - start), n_rows))
        blocks.append(np.column_stack([term[rows].mean(axis=1) for term in np.ascontiguousarray(terms.T)]))
    return np.concatenate(blocks)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def refuse_failed(gates: Sequence[Gate]) -> None:
    """Does nothing if all gates are passed.

    Raises:
        GateError: With the reason of each gate that is not.
    """
    failed = [Fault(f"gate failed: {gate.sentence}") for gate in gates if not gate.passed]
    if failed:
        raise GateError(*failed)
