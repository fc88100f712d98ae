"""Prediction intervals hold the share of rows that they are made for, and are wide where rows are hard."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli

from dlreg.errors import RunDirError
from dlreg.evaluation import calibration
from dlreg.evaluation.calibration import Calibration, calibrate
from dlreg.evaluation.intervals import MAX_SCORES
from dlreg.evaluation.metrics import interval_metrics
from dlreg.runs import directory as run_dir
from dlreg.runs.trained_run import open_run


def constant(n_rows: int) -> Calibration:
    """One width for all: residuals 1, 2, … in some order, of inputs that say nothing."""
    residuals = np.random.default_rng(0).permutation(n_rows) + 1.0
    return calibrate(np.zeros((n_rows, 2)), residuals, np.zeros(n_rows))


def heteroscedastic(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows whose noise grows with an input and with the prediction, and the best prediction."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4))
    y_pred = 10 + 3 * x[:, 0]
    spread = np.exp(0.8 * x[:, 1]) * (1 + (y_pred > 12))
    return x, y_pred + spread * generator.normal(size=n_rows), y_pred


def half_widths(found: Calibration, level: float, x: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    scale = found.scale(x, y_pred) if found.scale else None
    return found.intervals.half_widths(level, len(x), scale)


# ---------------------------------------------------------------- quantiles


@pytest.mark.parametrize(
    ("n_rows", "level", "rank"),
    [
        (9, 0.9, 9),
        (8, 0.9, None),
        (9, 0.91, None),
        (9, 0.5, 5),
        (10, 0.5, 6),
        (99, 0.55, 55),
        (99, 0.9, 90),
        (1000, 0.9, 901),
    ],
)
def test_the_width_is_that_of_the_finite_sample_quantile(n_rows, level, rank):
    found = constant(n_rows).intervals
    assert found.quantile(level) == rank
    assert (found.highest_level >= level) == (rank is not None)


def test_of_no_rows_there_are_no_intervals():
    found = calibrate(np.empty((0, 3)), np.empty(0), np.empty(0))
    assert found.scale is None
    assert found.constant_width is None
    assert found.intervals.quantile(0.01) is None
    assert calibration.describe(found, "validation")["calibrated_on"] is None


def test_of_many_scores_the_next_that_was_kept_is_taken():
    n_rows = 2 * MAX_SCORES + 5000
    residuals = np.arange(1.0, n_rows + 1)
    found = calibration._intervals(residuals)
    assert len(found.scores) == MAX_SCORES
    for level in (0.001, 0.5, 0.9, 0.99, 0.9999):
        rank = np.ceil((n_rows + 1) * level)
        assert rank <= found.quantile(level) < rank + n_rows / MAX_SCORES
    assert found.quantile(1 - 1e-9) is None


# ---------------------------------------------------------------- the scale


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
    found = calibrate(*heteroscedastic(1500, seed=0))
    assert found.scale
    x, y_true, y_pred = heteroscedastic(20_000, seed=1)
    for level in (0.5, 0.8, 0.9, 0.95):
        covered = np.abs(y_true - y_pred) <= half_widths(found, level, x, y_pred)
        assert covered.mean() == pytest.approx(level, abs=0.035)
    thirds = np.digitize(x[:, 1], np.quantile(x[:, 1], [1 / 3, 2 / 3]))

    def by_third(half_width):
        covered = np.abs(y_true - y_pred) <= half_width
        return [covered[thirds == part].mean() for part in range(3)]

    assert by_third(half_widths(found, 0.9, x, y_pred)) == pytest.approx([0.9] * 3, abs=0.06)
    assert min(by_third(found.constant_width / 2)) < 0.8
    assert 2 * half_widths(found, 0.9, x, y_pred).mean() < 0.85 * found.constant_width


def test_coverage_holds_on_average_over_small_samples():
    """As the theory says, whatever the sample: at least 0.9 in the mean, and not much more."""
    covered = []
    for seed in range(60):
        found = calibrate(*heteroscedastic(80, seed))
        x, y_true, y_pred = heteroscedastic(500, seed + 1000)
        covered.append(np.mean(np.abs(y_true - y_pred) <= half_widths(found, 0.9, x, y_pred)))
    assert 0.88 < np.mean(covered) < 0.93


def test_where_no_row_is_harder_than_another_the_widths_hardly_differ():
    generator = np.random.default_rng(5)
    x, noise = generator.normal(size=(400, 6)), generator.normal(size=400)
    found = calibrate(x, noise, np.zeros(400))
    widths = 2 * half_widths(found, 0.9, x, np.zeros(400))
    assert widths.mean() <= found.constant_width * 1.001
    assert widths.std() < 0.2 * widths.mean()


def test_a_row_unlike_any_has_a_width_that_was_seen():
    found = calibrate(*heteroscedastic(500, seed=0))
    low, high = np.exp(found.scale.limits)
    far = np.array([[1e9] * 4, [-1e9] * 4])
    assert set(found.scale(far, np.array([1e12, -1e12])).round(12)) == {round(low, 12), round(high, 12)}


@pytest.mark.parametrize("n_features", [0, 3, calibration.MAX_FEATURES + 1])
def test_degenerate_calibration_rows(n_features):
    x = np.ones((50, n_features), dtype=np.float32)
    exact = calibrate(x, np.ones(50), np.ones(50))
    assert (exact.scale, exact.constant_width) == (None, 0.0)
    nearly = calibrate(x, np.r_[np.ones(45), np.full(5, 2.0)], np.ones(50))
    assert nearly.scale is None
    assert calibrate(x, np.arange(50.0), np.arange(50.0)[::-1] * 1e15).intervals.quantile(0.9) > 0


def test_coverage_and_width_are_counted():
    y = np.array([0.0, 0.0, 0.0, 0.0])
    found = interval_metrics(y, np.array([1.0, -2.0, 3.0, -4.0]), np.array([1.0, 1.0, 4.0, 3.0]))
    assert found == {"coverage_90": 0.5, "width_90": 4.5}
    assert interval_metrics(y, y, None) == {"coverage_90": None, "width_90": None}


# ---------------------------------------------------------------- the command line


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """A run on rows whose noise differs tenfold, of a target that is learnt as a logarithm."""
    folder = tmp_path_factory.mktemp("uneven")
    generator = np.random.default_rng(0)
    x, residual_scale = generator.normal(size=1500), generator.uniform(-1, 1, 1500)
    y = np.exp(0.5 * x + np.where(residual_scale > 0, 0.5, 0.05) * generator.normal(size=1500))
    table = pd.DataFrame({"x": x, "residual_scale": residual_scale, "y": y}).round(6)
    table.to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(
        "data: {path: table.csv, target: y}\npreprocessing: {target: log}\n"
        "model: {hidden_layers: [16]}\ntraining: {epochs: 15, batch_size: 64, validation_split: 0.4}\n"
    )
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Intervals at 90 % hold" in done.stdout
    return folder


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_predict_writes_intervals_that_hold_their_share(uneven):
    done = run_cli("predict", "run", "table.csv", "--interval", "0.9", "--keep", "y", cwd=uneven)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    assert list(table) == ["row", "y", "y_pred", "y_lower", "y_upper"]
    test = table.iloc[read_json(uneven / "run" / "split.json")["test"]]
    metrics = read_json(uneven / "run" / "metrics.json")["test"]
    assert metrics["coverage_90"] == pytest.approx(test["y"].between(test["y_lower"], test["y_upper"]).mean())
    assert metrics["width_90"] == pytest.approx((test["y_upper"] - test["y_lower"]).mean())
    assert 0.85 < metrics["coverage_90"] < 0.95
    record = read_json(uneven / "run" / "intervals.json")
    assert (record["calibrated_on"], record["scale"], record["rows"]) == ("validation", "learned", 480)
    assert metrics["width_90"] < 0.95 * record["constant_width_90"]
    wider = run_cli("predict", "run", "table.csv", "--interval", "0.99", cwd=uneven)
    wider = pd.read_csv(io.StringIO(wider.stdout))
    assert (wider["y_upper"] > table["y_upper"]).all()


def test_evaluate_repeats_what_training_said_of_intervals(uneven):
    done = run_cli(
        "evaluate",
        "run",
        "--json",
        "--fail-if",
        "coverage_90<0.85",
        "--fail-if",
        "test.width_90>1e9",
        cwd=uneven,
    )
    assert done.returncode == 0, done.stderr
    result, expected = json.loads(done.stdout), read_json(uneven / "run" / "metrics.json")
    assert result["metrics"]["test"] == expected["test"]
    assert set(result["metrics"]["validation"]) == set(expected["validation"])
    assert [gate["passed"] for gate in result["gates"]] == [True, True]
    done = run_cli(
        "evaluate", "run", "--data", "table.csv", "--json", "--fail-if", "coverage_90<0.999", cwd=uneven
    )
    assert done.returncode == 8
    assert 0.85 < json.loads(done.stdout)["metrics"]["data"]["coverage_90"] < 0.95


def test_levels_that_cannot_be_held_are_refused(cli, uneven, project):
    done = cli("predict", "run", "table.csv", "--interval", "0.99", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "39" in done.stderr
    assert "at most 0.975" in done.stderr
    for level in ("0", "1", "90", "-1", "nan"):
        done = cli("predict", "run", "table.csv", "--interval", level, cwd=uneven)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--interval 0.9" in done.stderr


def test_without_rows_to_calibrate_on_there_are_no_intervals(project):
    settings = ["--set", "training.validation_split=0", "--set", "training.epochs=2"]
    done = run_cli("train", "config.yaml", "--run-dir", "uncalibrated", *settings, cwd=project)
    assert done.returncode == 0, done.stderr
    metrics = read_json(project / "uncalibrated" / "metrics.json")["test"]
    assert (metrics["coverage_90"], metrics["width_90"]) == (None, None)
    done = run_cli("predict", "uncalibrated", "table.csv", "--interval", "0.5", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "validation_split" in done.stderr
    done = run_cli("evaluate", "uncalibrated", "--fail-if", "coverage_90<0.1", cwd=project)
    assert done.returncode == 8
    assert "null" in done.stderr


def test_a_run_of_before_there_were_intervals_still_predicts(cli, uneven, tmp_path):
    import shutil

    shutil.copytree(uneven / "run", tmp_path / "old")
    record = read_json(tmp_path / "old" / "run.json")
    del record["files"]["intervals.json"], record["sha256"]
    (tmp_path / "old" / "intervals.json").unlink()
    content = run_dir.to_json({**record, "sha256": run_dir._own_hash(record)})
    (tmp_path / "old" / "run.json").write_bytes(content)
    assert open_run(tmp_path / "old").intervals.n_rows == 0
    assert cli("verify", tmp_path / "old", cwd=uneven).returncode == 0
    assert cli("predict", tmp_path / "old", "table.csv", cwd=uneven).returncode == 0
    assert cli("predict", tmp_path / "old", "table.csv", "--interval", "0.9", cwd=uneven).returncode == 2


def test_damage_is_found(uneven, tmp_path):
    import shutil

    shutil.copytree(uneven / "run", tmp_path / "run")
    file = tmp_path / "run" / "intervals.json"
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(RunDirError, match=r"intervals\.json"):
        open_run(tmp_path / "run")
