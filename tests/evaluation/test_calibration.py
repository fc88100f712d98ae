"""Intervals hold the share of rows that they are made for, and are wide where rows are hard."""

import numpy as np
import pytest

from dlreg.evaluation import calibration
from dlreg.evaluation.calibration import Calibration, calibrate


def heteroscedastic(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows whose noise grows with an input and with the prediction, and the best prediction."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4))
    y_pred = 10 + 3 * x[:, 0]
    spread = np.exp(0.8 * x[:, 1]) * (1 + (y_pred > 12))
    return x, y_pred + spread * generator.normal(size=n_rows), y_pred


def half_widths(calibrated: Calibration, level: float, x: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    scale = calibrated.scale(x, y_pred) if calibrated.scale else None
    return calibrated.intervals.half_widths(level, len(x), scale)


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
        covered = np.abs(y_true - y_pred) <= half_widths(calibrated, level, x, y_pred)
        assert covered.mean() == pytest.approx(level, abs=0.035)
    thirds = np.digitize(x[:, 1], np.quantile(x[:, 1], [1 / 3, 2 / 3]))

    def by_third(half_width):
        covered = np.abs(y_true - y_pred) <= half_width
        return [covered[thirds == part].mean() for part in range(3)]

    assert by_third(half_widths(calibrated, 0.9, x, y_pred)) == pytest.approx([0.9] * 3, abs=0.06)
    assert min(by_third(calibrated.constant_width / 2)) < 0.8
    assert 2 * half_widths(calibrated, 0.9, x, y_pred).mean() < 0.85 * calibrated.constant_width


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
        covered.append(np.mean(np.abs(y_true - y_pred) <= half_widths(calibrated, 0.9, x, y_pred)))
    assert 0.88 < np.mean(covered) < 0.93


def test_where_no_row_is_harder_than_another_the_widths_hardly_differ():
    generator = np.random.default_rng(5)
    x, noise = generator.normal(size=(400, 6)), generator.normal(size=400)
    calibrated = calibrate(x, noise, np.zeros(400))
    widths = 2 * half_widths(calibrated, 0.9, x, np.zeros(400))
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
    assert calibrate(x, np.arange(50.0), np.arange(50.0)[::-1] * 1e15).intervals.quantile(0.9) > 0
