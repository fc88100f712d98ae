"""Cross-validation of rows in time order: what is predicted for a row knows nothing of what came later."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli

N_ROWS, N_FOLDS = 120, 3
CONFIG = """
data: {{path: {table}, target: y, split: {split}, split_by: {split_by}, test_split: 0.2}}
preprocessing: {{embedding: [none, piecewise_linear], clip_predictions: true, missing: mean}}
model: {{hidden_layers: [8], blend: true, ensemble: 2}}
training: {{cross_validation: 3, epochs: 6, batch_size: 16, refit: {refit}}}
"""


def table():
    generator = np.random.default_rng(7)
    moments = pd.date_range("2021-01-01", periods=N_ROWS, freq="D").strftime("%Y-%m-%d")
    x = generator.normal(size=N_ROWS).round(3)
    frame = pd.DataFrame({"day": moments, "x": x, "town": generator.choice(["Oak", "Elm"], N_ROWS)})
    frame.loc[::9, "x"] = np.nan
    frame["y"] = (2 * x + generator.normal(size=N_ROWS)).round(3)
    return frame


@pytest.fixture(scope="module", params=["ordered", "time"])
def runs(request, tmp_path_factory):
    """Two runs: of a table, and of the same whose rows from the last fold on are shifted by a constant."""
    folder = tmp_path_factory.mktemp("forward")
    plain = table()
    shifted = plain.copy()
    # The last fold of the training rows, and the test rows after it.
    shifted.loc[72:, ["x", "y"]] += 1000
    is_ordered = request.param == "ordered"
    # In time, rows stand in any order.
    places = np.arange(N_ROWS) if is_ordered else np.random.default_rng(1).permutation(N_ROWS)
    for name, frame in (("plain", plain), ("shifted", shifted)):
        frame.iloc[places].to_csv(folder / f"{name}.csv", index=False)
        config = CONFIG.format(
            table=f"{name}.csv", split=request.param, split_by="null" if is_ordered else "day",
            refit="{}" if is_ordered else "null",
        )  # fmt: skip
        (folder / f"{name}.yaml").write_text(config)
        done = run_cli("train", f"{name}.yaml", "--run-dir", name, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder, places


def test_earlier_predictions_show_no_trace_of_later_rows(runs):
    folder, places = runs
    plain, shifted = (
        pd.read_csv(folder / name / "out_of_fold.csv").set_index("row") for name in ("plain", "shifted")
    )
    moment = pd.Series(places[plain.index], index=plain.index)
    # The first of four blocks of the 96 training rows is in no fold.
    assert sorted(moment) == list(range(24, 96))
    earlier = moment < 72
    assert plain["y_pred"][earlier].tolist() == shifted["y_pred"][earlier].tolist()
    assert not np.allclose(plain["y_pred"][~earlier], shifted["y_pred"][~earlier])


def test_folds_stand_in_split_json_and_the_run_is_measured_again_alike(runs):
    folder, places = runs
    split = json.loads((folder / "plain" / "split.json").read_text())
    assert [sorted(places[fold]) for fold in split["folds"]] == [
        list(range(start, start + 24)) for start in (24, 48, 72)
    ]
    done = run_cli("evaluate", "plain", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    evaluated = json.loads(done.stdout)["metrics"]
    recorded = json.loads((folder / "plain" / "metrics.json").read_text())
    assert recorded["out_of_fold"]["n"] == 72
    assert evaluated["out_of_fold"]["rmse"] == pytest.approx(recorded["out_of_fold"]["rmse"], rel=1e-12)
    assert evaluated["test"]["rmse"] == pytest.approx(recorded["test"]["rmse"], rel=1e-6)


def test_early_members_are_in_the_pipeline_only_if_they_learnt_from_all_rows_in_the_end(runs):
    folder, _ = runs
    is_refitted = "refit: {}" in (folder / "plain.yaml").read_text()
    summary = (folder / "plain" / "summary.txt").read_text()
    record = json.loads((folder / "plain" / "run.json").read_text())
    assert len(record["best_epochs"]) == 2 * 2 * N_FOLDS
    # Of each embedding a layer that gives out what its members predict.
    widths = re.findall(r"view_[12].*\(None, ([0-9]+)\)", summary)
    assert widths == (["6", "6"] if is_refitted else ["2", "2"])


def test_of_networks_of_which_only_the_last_predicts_one_is_told(tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False)
    config = (
        "data: {path: table.csv, target: y, split: ordered}\ntraining: {cross_validation: 3, epochs: 6}\n"
    )
    (tmp_path / "config.yaml").write_text(config)
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of 3 networks predict" in " ".join(done.stdout.split())
    weights = [
        member["weight"] for member in json.loads((tmp_path / "run" / "run.json").read_text())["members"]
    ]
    assert weights == [0, 0, 1]
    assert run_cli("card", "run", cwd=tmp_path).returncode == 0
    assert "A network with hidden layers of" in (tmp_path / "run" / "README.md").read_text()
