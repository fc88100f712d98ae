"""Intervals hold the share of rows that they are made for, and are wide where rows are hard."""

import numpy as np
import pytest

from dlreg.evaluation import calibration
from dlreg.evaluation.calibration import Calibration, calibrate
from dlreg.evaluation.intervals import Intervals
from dlreg.runs.shapes import IntervalsRecord


def heteroscedastic(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows whose noise grows with an input and with the prediction, and the best prediction."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4))
    y_pred = 10 + 3 * x[:, 0]
    spread = np.exp(0.8 * x[:, 1]) * (1 + (y_pred > 12))
    return x, y_pred + spread * generator.normal(size=n_rows), y_pred


def margins(calibrated: Calibration, level: float, x: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """How far intervals reach below, and above: shape `(2, n_rows)`."""
    scale = calibrated.scale(x, y_pred) if calibrated.scale else None
    return calibrated.intervals.margins(level, len(x), scale).T


def held(calibrated: Calibration, level: float, x: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray):
    """Whether the interval of each row holds it."""
    below, above = margins(calibrated, level, x, y_pred)
    return (y_pred - below <= y_true) & (y_true <= y_pred + above)


def interval_score(y: np.ndarray, below: np.ndarray, above: np.ndarray) -> float:
    outside = np.maximum(-below - y, 0) + np.maximum(y - above, 0)
    return float(np.mean(below + above + 20 * outside))


def test_the_ridge_regression_is_that_of_scikit_learn_with_the_penalty_of_least_left_out_error():
    from sklearn.linear_model import Ridge

    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(40, 5)) * [1, 10, 0.1, 1, 0] + [0, 3, 0, 0, 7]
    y = inputs[:, 0] - inputs[:, 2] + generator.normal(size=40)
    z = (inputs - inputs.mean(axis=0)) / np.where(inputs.std(axis=0) > 0, inputs.std(axis=0), 1)

    def left_out_error(penalty: float) -> float:
        # Centred once, as the fast formula has it; the penalty does not change with a row.
        errors = []
        for row in range(40):
            rest = np.arange(40) != row
            design = np.column_stack([np.ones(39), z[rest]])
            shrink = np.diag([0.0, *[penalty * 40] * 5])
            weights = np.linalg.solve(design.T @ design + shrink, design.T @ y[rest])
            errors.append(y[row] - weights[0] - z[row] @ weights[1:])
        return float(np.mean(np.square(errors)))

    penalties = (1e-4, 1e-2, 0.1, 1.0, 100.0)
    best = min(penalties, key=left_out_error)
    weights, intercept = calibration._ridge(inputs, y, penalties)
    expected = Ridge(alpha=best * 40).fit(z, y)
    assert inputs @ weights + intercept == pytest.approx(expected.predict(z), rel=1e-9)
    assert best not in (penalties[0], penalties[-1])


def test_intervals_hold_their_share_of_easy_and_of_hard_rows():
    calibrated = calibrate(*heteroscedastic(1500, seed=0))
    assert calibrated.scale
    x, y_true, y_pred = heteroscedastic(20_000, seed=1)
    for level in (0.5, 0.8, 0.9, 0.95):
        assert held(calibrated, level, x, y_true, y_pred).mean() == pytest.approx(level, abs=0.035)
    thirds = np.digitize(x[:, 1], np.quantile(x[:, 1], [1 / 3, 2 / 3]))

    def by_third(covered):
        return [covered[thirds == part].mean() for part in range(3)]

    assert by_third(held(calibrated, 0.9, x, y_true, y_pred)) == pytest.approx([0.9] * 3, abs=0.06)
    assert min(by_third(np.abs(y_true - y_pred) <= calibrated.constant_width / 2)) < 0.8
    assert margins(calibrated, 0.9, x, y_pred).sum(axis=0).mean() < 0.85 * calibrated.constant_width


def test_embedded_levels_are_read_as_a_column_for_each():
    generator = np.random.default_rng(7)
    positions = generator.integers(0, 13, 600)
    plain = generator.normal(size=(600, 2))
    y_pred = plain[:, 0]
    y_true = y_pred + generator.normal(size=600) * (0.2 + positions)
    known = np.eye(13)[positions][:, :12]
    expected = calibrate(np.hstack([plain, known]), y_true, y_pred)
    calibrated = calibrate(np.column_stack([plain, positions]), y_true, y_pred, [12])
    assert expected.scale
    assert calibrated.scale.features == pytest.approx(expected.scale.features, rel=1e-9)
    assert calibrated.intervals.scores == pytest.approx(expected.intervals.scores, rel=1e-9)


def test_coverage_holds_on_average_over_small_samples():
    """As the theory says, whatever the sample: at least 0.9 in the mean, and not much more."""
    covered = []
    for seed in range(60):
        calibrated = calibrate(*heteroscedastic(80, seed))
        x, y_true, y_pred = heteroscedastic(500, seed + 1000)
        covered.append(held(calibrated, 0.9, x, y_true, y_pred).mean())
    assert 0.88 < np.mean(covered) < 0.93


def test_where_no_row_is_harder_than_another_the_widths_hardly_differ():
    generator = np.random.default_rng(5)
    x, noise = generator.normal(size=(400, 6)), generator.normal(size=400)
    calibrated = calibrate(x, noise, np.zeros(400))
    widths = margins(calibrated, 0.9, x, np.zeros(400)).sum(axis=0)
    assert widths.mean() <= calibrated.constant_width * 1.001
    assert widths.std() < 0.2 * widths.mean()


def test_a_row_unlike_any_has_a_width_that_was_seen():
    calibrated = calibrate(*heteroscedastic(500, seed=0))
    low, high = np.exp(calibrated.scale.limits)
    far = np.array([[1e9] * 4, [-1e9] * 4])
    assert set(calibrated.scale(far, np.array([1e12, -1e12])).round(12)) == {round(low, 12), round(high, 12)}


@pytest.mark.parametrize("n_features", [0, 3, calibration.MAX_FEATURES + 1])
def test_degenerate_calibration_rows(n_features):
    x = np.ones((50, n_features), dtype=np.float32)
    exact = calibrate(x, np.ones(50), np.ones(50))
    assert (exact.scale, exact.constant_width) == (None, 0.0)
    nearly = calibrate(x, np.r_[np.ones(45), np.full(5, 2.0)], np.ones(50))
    assert nearly.scale is None
    assert calibrate(x, np.arange(50.0), np.arange(50.0)[::-1] * 1e15).intervals.factors(0.9) > (0, 0)


def test_intervals_of_errors_to_one_side_reach_further_there():
    def skewed(n_rows, seed):
        generator = np.random.default_rng(seed)
        return np.zeros((n_rows, 1)), generator.exponential(size=n_rows) - 1, np.zeros(n_rows)

    calibrated = calibrate(*skewed(1000, seed=0))
    assert calibrated.scale is None
    assert calibrated.intervals.are_signed
    x, y_true, y_pred = skewed(20_000, seed=1)
    below, above = margins(calibrated, 0.9, x, y_pred)
    # The quantiles of the exponential distribution at 5 and 95%.
    assert below[0] == pytest.approx(1 + np.log(0.95), abs=0.03)
    assert above[0] == pytest.approx(-1 - np.log(0.05), abs=0.3)
    assert held(calibrated, 0.9, x, y_true, y_pred).mean() == pytest.approx(0.9, abs=0.02)
    half = np.full(20_000, calibrated.constant_width / 2)
    assert interval_score(y_true, below, above) < 0.9 * interval_score(y_true, half, half)


def test_symmetric_errors_have_scores_without_a_sign():
    def normal(seed):
        return np.zeros((300, 1)), np.random.default_rng(seed).normal(size=300), np.zeros(300)

    assert sum(calibrate(*normal(seed)).intervals.are_signed for seed in range(40)) <= 4


def test_a_description_tells_which_scores_they_are():
    for are_signed in (False, True):
        intervals = Intervals(2, np.array([0.0, 1.0]), are_signed)
        told = calibration.describe_calibration(Calibration(intervals, None, 2.0), "validation")
        record = IntervalsRecord.model_validate(told)
        assert record.intervals().are_signed == are_signed
        assert record.intervals().scores.tolist() == [0.0, 1.0]
        assert ("signed_scores" in told) == are_signed != ("scores" in told)
