"""The table of trials, as a script reads it."""

from io import BytesIO

import pandas as pd

from dlreg.commands.tune_results import Ended
from dlreg.commands.tune_tables import trials_csv
from dlreg.search.space import Choices, Range
from dlreg.search.trials import Trial, TrialResult

SPACE = {"training.learning_rate": Range(1e-4, 1.0), "model.hidden_layers": Choices(([8], [8, 8]))}
METRICS = {"train": {"rmse": 1.5, "mape": None}, "validation": {"rmse": 1 / 3}, "out_of_fold": None}


def test_a_trial_is_a_line_with_its_values_and_metrics_by_number():
    trials = [
        Ended(Trial(2, {"training.learning_rate": 1e-3}), TrialResult(2, "failed", message='it, "failed"')),
        Ended(
            Trial(0, {"training.learning_rate": 0.1, "model.hidden_layers": [8, 8]}),
            TrialResult(0, "complete", 1 / 3, METRICS, 30, 12, seconds=1.23456),
        ),
    ]
    content = trials_csv(trials, SPACE)
    table = pd.read_csv(BytesIO(content), float_precision="round_trip")
    assert list(table.columns) == [
        "number", "state", "value", "training.learning_rate", "model.hidden_layers", "train.rmse", "train.mape",
        "validation.rmse", "epochs", "best_epoch", "seconds", "training_seconds", "message",
    ]  # fmt: skip
    assert table["number"].tolist() == [0, 2]
    first, failed = table.iloc[0], table.iloc[1]
    assert (first["value"], first["validation.rmse"], first["model.hidden_layers"]) == (
        1 / 3,
        1 / 3,
        "[8, 8]",
    )
    assert (first["best_epoch"], first["seconds"]) == (12, 1.235)
    assert failed["message"] == 'it, "failed"'
    assert failed[["value", "train.rmse", "model.hidden_layers"]].isna().all()


def test_no_trials_are_a_header_alone():
    assert trials_csv([], SPACE).decode().splitlines() == [
        "number,state,value,training.learning_rate,model.hidden_layers,epochs,best_epoch,seconds,training_seconds,message"
    ]
