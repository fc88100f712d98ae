"""Trains one plain network per real table and compares its test RMSE with a linear regression's.

    python tests/benchmarks/real_tables.py FOLDER [TABLE…]

FOLDER holds `mixed/NAME.csv` and `mixed/NAME.splits.csv` (one 0/1 column per split: 1 is a test row).
Every table is trained through the command line from a config of at most ten lines; the linear
regression is the baseline of the same run, on the same rows.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

CONFIGS = {
    "advertising": "data: {path: train.csv, test_path: test.csv, target: Sales}\ntraining: {epochs: 2000, early_stopping: {patience: 100}}\n",
    "carseats": "data: {path: train.csv, test_path: test.csv, target: Sales}\n",
    "boston": "data: {path: train.csv, test_path: test.csv, target: medv}\ntraining: {epochs: 300}\n",
    "housing": "data: {path: train.csv, test_path: test.csv, target: median_house_value}\ntraining: {epochs: 150}\n",
    "insurance": "data: {path: train.csv, test_path: test.csv, target: charges}\n",
    "bike_sharing": "data: {path: train.csv, test_path: test.csv, target: cnt, exclude: [instant, casual, registered]}\n",
    "seoulbike_na": "data:\n  path: train.csv\n  test_path: test.csv\n  target: Rented Bike Count\n  dates: {Date: '%d/%m/%Y'}\n",
}
ASKED = {
    "housing": 0.15,
    "insurance": 0.15,
    "bike_sharing": 0.50,
    "seoulbike_na": 0.40,
    "boston": 0.20,
    "advertising": 0.35,
}


def train(folder: Path, name: str, split: str) -> dict[str, float]:
    """Test RMSE of the network and of the linear baseline, and the seconds it took."""
    table = pd.read_csv(folder / "mixed" / f"{name}.csv", dtype=str, keep_default_na=False)
    is_test = pd.read_csv(folder / "mixed" / f"{name}.splits.csv")[split] == 1
    with tempfile.TemporaryDirectory() as work:
        table[~is_test].to_csv(Path(work) / "train.csv", index=False)
        table[is_test].to_csv(Path(work) / "test.csv", index=False)
        (Path(work) / "config.yaml").write_text(CONFIGS[name])
        command = [sys.executable, "-m", "dlreg", "train", "config.yaml", "--run-dir", "run", "--json"]
        result = json.loads(subprocess.run(command, cwd=work, check=True, capture_output=True).stdout)
    metrics = result["metrics"]
    return {
        "network": metrics["test"]["rmse"],
        "linear": metrics["baselines"]["linear"]["rmse"],
        "seconds": result["seconds"],
        "best_epoch": result["best_epoch"],
    }


def main() -> None:
    """Prints a line per table: means over the splits."""
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(CONFIGS)
    print(
        f"{'table':14}{'network':>12}{'linear':>12}{'better by':>11}{'asked':>8}{'seconds':>9}{'best epoch':>12}"
    )
    for name in names:
        splits = pd.read_csv(folder / "mixed" / f"{name}.splits.csv", nrows=0).columns
        runs = [train(folder, name, split) for split in splits]
        network, linear, seconds, best = (statistics.mean(run[key] for run in runs) for key in runs[0])
        asked = f"{ASKED[name]:.0%}" if name in ASKED else "–"
        print(
            f"{name:14}{network:12,.4g}{linear:12,.4g}{1 - network / linear:11.1%}{asked:>8}{seconds:9.1f}{best:12.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
