"""Every file of a training is written at its moment, and read back."""

import json

import numpy as np

from dlreg.evaluation.calibration import Calibration
from dlreg.evaluation.intervals import Intervals
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import LOSS_CURVE
from dlreg.runs.results import (
    PredictedRows,
    Results,
    TrainedNetwork,
    write_loss_curve,
    write_network,
    write_results,
)

NETWORK = TrainedNetwork({"loss": [1.0]}, [], None, "a model\n", b"keras")


ROWS = PredictedRows(np.array([4, 7]), np.array([1.0, 2.0]), np.array([1.5, 1.5]))


def measure(on_rows):
    for name in ("train", "validation", "test"):
        for place in range(2):
            on_rows(name, PredictedRows(*(column[place : place + 1] for column in ROWS)))
    return {"test": None}


def results(out_of_fold=None, *, keeps_validation=False):
    calibration = Calibration(Intervals(0, np.empty(0)), None, None)
    return Results(b"onnx", calibration, "validation", out_of_fold, keeps_validation)


def names_in(path):
    return {entry.name for entry in path.iterdir()}


def test_a_training_leaves_its_network_before_it_is_measured(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        write_network(run, NETWORK)
        write_loss_curve(run, b"png")
        assert names_in(run.path) == {
            "history.json",
            "history.csv",
            "summary.txt",
            "model.keras",
            "loss_curve.png",
        }
        assert set(run.record["files"]) == names_in(run.path) - {LOSS_CURVE}
        assert (run.path / "model.keras").read_bytes() == b"keras"
        assert json.loads((run.path / "history.json").read_text()) == {"loss": [1.0]}


def test_results_are_written_with_their_hashes(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        assert write_results(run, results(), measure) == {"test": None}
        assert list(run.record["files"]) == [
            "pipeline.onnx",
            "intervals.json",
            "predictions.csv",
            "metrics.json",
        ]
        assert (run.path / "predictions.csv").read_text() == "row,y_true,y_pred\n4,1.0,1.5\n7,2.0,1.5\n"
        assert json.loads((run.path / "intervals.json").read_text())["calibrated_on"] is None


def test_out_of_fold_predictions_are_written_where_there_are_some(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        write_results(run, results(PredictedRows(np.array([0]), np.array([3.0]), np.array([4.0]))), measure)
        assert (run.path / "out_of_fold.csv").read_text() == "row,y_true,y_pred\n0,3.0,4.0\n"


def test_predictions_of_validation_rows_are_kept_where_these_are_learnt_in_the_end(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        write_results(run, results(keeps_validation=True), measure)
        assert (run.path / "validation.csv").read_bytes() == (run.path / "predictions.csv").read_bytes()
        assert "validation.csv" in run.record["files"]
