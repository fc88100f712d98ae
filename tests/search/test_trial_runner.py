"""A trial gives the numbers of a training with the same values, to the bit."""

import json
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from support.command_line import run_cli

from dlreg.cli.importing import quiet_import
from dlreg.config.reading import load_config
from dlreg.search.local_engine import local_engine
from dlreg.search.packed_rows import pack_rows
from dlreg.search.trial_runner import open_trials
from dlreg.search.trials import Trial
from dlreg.table.dataset import load_dataset

DIABETES = Path(__file__).parents[2] / "data" / "diabetes.csv"


def write_config(folder, **sections):
    config = {"data": {"path": str(DIABETES), "target": "progression"}, **sections}
    path = folder / "c.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


@contextmanager
def runner_of(path, metric="validation.rmse", rung_epochs=None):
    """What runs a trial in a process of its own, as a search does: this one may have other threads."""
    config = load_config(path)
    rows = pack_rows(load_dataset(config))
    options = {"metric": metric, "threads": 1, "rung_epochs": rung_epochs, "importing": quiet_import}
    with local_engine(partial(open_trials, config=config, **options), rows, 1, path.parent) as engine:

        def run_trial(trial):
            engine.submit(trial)
            results = []
            while not results:
                results = engine.wait(5)
            return results[0]

        yield run_trial


def metrics_of_training(path, values, run_dir):
    overrides = [f"--set={key}={json.dumps(value)}" for key, value in values.items()]
    assert (
        run_cli("train", path, f"--run-dir={run_dir}", "--quiet", *overrides, cwd=run_dir.parent).returncode
        == 0
    )
    return json.loads((run_dir / "metrics.json").read_text())


@pytest.mark.parametrize(
    ("sections", "values", "parts"),
    [
        (
            {"training": {"epochs": 15}, "model": {"dropout": 0.1, "l2": 0.001}},
            {"training.learning_rate": 0.004321, "model.dropout": 0.3, "model.l2": 0.02},
            ["train", "validation"],
        ),
        (
            {"preset": "fast", "training": {"auto_steps": 200}},
            {"training.learning_rate": 0.07, "preprocessing.numeric": "quantile"},
            ["train", "validation", "out_of_fold"],
        ),
    ],
    ids=["plain", "cross-validated"],
)
def test_the_metrics_are_those_of_a_training_to_the_bit(sections, values, parts, tmp_path):
    path = write_config(tmp_path, **sections)
    metric = f"{parts[-1]}.rmse"
    with runner_of(path, metric) as run_trial:
        # The one before leaves its compiled program to the next.
        first, result = run_trial(Trial(0, {})), run_trial(Trial(1, values))
    expected = metrics_of_training(path, values, tmp_path / "run")
    assert (first.state, result.state) == ("complete", "complete")
    assert list(result.metrics) == parts
    assert result.metrics == {name: expected[name] for name in parts}
    assert result.value == expected[parts[-1]]["rmse"] != first.value
    # Of the config as it stands alone it is known how sure its error is.
    low, high = first.interval
    assert low < first.value < high < 1.5 * first.value
    assert result.interval is None


def test_another_seed_draws_other_validation_rows_as_a_training_does(tmp_path):
    path = write_config(tmp_path, training={"epochs": 3})
    with runner_of(path) as run_trial:
        result = run_trial(Trial(1, {"training.seed": 5}))
    expected = metrics_of_training(path, {"training.seed": 5}, tmp_path / "run")
    assert result.metrics["validation"] == expected["validation"]


def test_what_is_wrong_with_a_trial_is_its_result(tmp_path):
    path = write_config(tmp_path, training={"epochs": 5, "optimizer": "sgd"})
    with runner_of(path) as run_trial:
        diverged = run_trial(Trial(1, {"training.learning_rate": 1e30}))
        refused = run_trial(Trial(2, {"preprocessing.target": "log", "training.learning_rate": -1.0}))
        bug = run_trial(Trial(3, None))
        after = run_trial(Trial(4, {}))
    assert diverged.state == "failed"
    assert "not finite in epoch 1" in diverged.message
    assert (refused.state, refused.value) == ("failed", None)
    assert "learning_rate" in refused.message
    assert (bug.state, "a bug of dlreg's" in bug.message) == ("failed", True)
    assert after.state == "complete"


def test_a_trial_that_has_fallen_behind_ends_at_its_rung(tmp_path):
    path = write_config(tmp_path, training={"epochs": 40, "early_stopping": None})
    with runner_of(path, rung_epochs=40) as run_trial:
        whole = run_trial(Trial(1, {}))
        behind = run_trial(Trial(2, {}, {10: 0.0, 20: 1e9}))
        ahead = run_trial(Trial(3, {}, {10: 1e9, 20: 1e9}))
    assert (whole.state, list(whole.curve)) == ("complete", [10, 20, 40])
    assert list(whole.curve.values()) == sorted(whole.curve.values(), reverse=True)
    assert (behind.state, behind.epochs, behind.curve) == ("pruned", 10, {10: whole.curve[10]})
    assert (ahead.state, ahead.value) == ("complete", whole.value)
