"""A category of many levels is trained on as any other, and an id is told from it."""

import json

import numpy as np
import pandas as pd
import pytest

N_ROWS, N_LEVELS = 6000, 1500
CONFIG = """\
data: {path: sales.csv, target: y}
preprocessing: {categorical: embedding}
training: {epochs: 8, batch_size: 64, learning_rate: 0.01}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table whose target is mostly the level's, and a config of it."""
    folder, generator = tmp_path_factory.mktemp("levels"), np.random.default_rng(0)
    levels = generator.permutation(np.arange(N_ROWS) % N_LEVELS)
    table = pd.DataFrame({"shop": [f"shop {level}" for level in levels], "x": generator.normal(size=N_ROWS)})
    effects = generator.normal(size=N_LEVELS)
    table["y"] = effects[levels] + 0.3 * table["x"] + 0.1 * generator.normal(size=N_ROWS)
    table.round(4).to_csv(folder / "sales.csv", index=False)
    (folder / "sales.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_many_levels_are_learnt_and_predicted(forks, folder, tmp_path, cache):
    run_dir, predictions = tmp_path / "run", tmp_path / "predictions.csv"
    done = forks.run("train", "sales.yaml", "--run-dir", run_dir, "--set", f"data.cache={cache}", cwd=folder)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["test"]["rmse"] < 0.6 * metrics["baselines"]["mean"]["rmse"]
    assert metrics["baselines"]["linear"]["rmse"] < 0.6 * metrics["baselines"]["mean"]["rmse"]
    table = pd.read_csv(folder / "sales.csv").head(30)
    table["shop"] = [" shop 7 ", "never", "nowhere", *table["shop"][3:]]
    table.to_csv(tmp_path / "new.csv", index=False)
    done = forks.run("predict", run_dir, tmp_path / "new.csv", "-o", predictions, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "2 cells unseen in shop" in done.stderr
    y_pred = pd.read_csv(predictions)["y_pred"]
    assert np.corrcoef(y_pred[3:], table["y"][3:])[0, 1] > 0.8


def test_with_a_column_each_rare_levels_are_none_of_them_and_known_all_the_same(forks, folder, tmp_path):
    table = pd.read_csv(folder / "sales.csv")
    # Of 200 of them there is a single row.
    is_rare = table["shop"].str.removeprefix("shop ").astype(int) >= N_LEVELS - 200
    table = table[~(is_rare & table["shop"].duplicated())]
    table.to_csv(tmp_path / "sales.csv", index=False)
    (tmp_path / "sales.yaml").write_text(CONFIG.replace("embedding", "onehot"), encoding="utf-8")
    more = (
        "--set",
        "training.epochs=1",
        "--set",
        "data.test_split=0",
        "--set",
        "training.validation_split=0",
    )
    done = forks.run("train", "sales.yaml", "--run-dir", "run", *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tells the 1,000 most frequent apart" in " ".join(done.stderr.split())
    entry = json.loads((tmp_path / "run/preprocessing.json").read_text(encoding="utf-8"))["columns"]["shop"]
    assert (len(entry["levels"]), len(entry["rare_levels"])) == (1000, N_LEVELS - 1000)
    assert set(table["shop"][is_rare]) <= set(entry["rare_levels"])
    table.assign(shop=entry["rare_levels"][0]).head(2).to_csv(tmp_path / "new.csv", index=False)
    done = forks.run("predict", "run", "new.csv", cwd=tmp_path)
    assert (done.returncode, "unseen" in done.stderr) == (0, False), done.stderr


def test_a_column_of_a_level_in_nearly_every_row_is_refused_with_the_way_out(forks, folder, tmp_path):
    table = pd.read_csv(folder / "sales.csv")
    table.assign(shop=[f"sale {number * 2 // 3}" for number in range(N_ROWS)]).to_csv(
        tmp_path / "sales.csv", index=False
    )
    (tmp_path / "sales.yaml").write_text(CONFIG, encoding="utf-8")
    done = forks.run("check", "sales.yaml", cwd=tmp_path)
    assert done.returncode == 4
    assert "too many levels for a category" in done.stdout
    assert "say what it is in data.types" in done.stdout
