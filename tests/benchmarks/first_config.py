"""Compares the config that `dlreg init` writes, unedited, with three that one would write by hand.

    python tests/benchmarks/first_config.py FOLDER [TABLE…]

FOLDER holds real tables as `accuracy.py` names them: `uci/`, `mixed/`, `more/`. All configs read and split a table as
`init` does; by hand are a network of two layers, a wider one with dropout and larger steps, and one of one layer
with small batches. Each is trained through the command line; test RMSE, and times the best of those by hand.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from accuracy import MIXED, MORE

BY_HAND = (
    "model: {hidden_layers: [64, 64]}\ntraining: {epochs: 300}\n",
    "model: {hidden_layers: [128, 64], dropout: 0.1}\ntraining: {epochs: 200, batch_size: 64, learning_rate: 0.002}\n",
    "model: {hidden_layers: [32]}\ntraining: {epochs: 400, batch_size: 16, learning_rate: 0.003}\n",
)


def dlreg(folder: Path, *arguments: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "dlreg", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def measure(csv: Path, target: str, left_out: list[str]) -> tuple[float, list[float]]:
    """The test RMSE of init's config, and of those by hand."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        table = pd.read_csv(csv, dtype=str, keep_default_na=False)
        table.drop(columns=left_out, errors="ignore").to_csv(folder / "table.csv", index=False)
        text = dlreg(folder, "init", "table.csv", "--target", target)
        data = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("preset:"))
        errors = []
        for number, config in enumerate([text, *(data + by_hand for by_hand in BY_HAND)]):
            (folder / f"{number}.yaml").write_text(config)
            summary = json.loads(dlreg(folder, "train", f"{number}.yaml", "--json"))
            errors.append(summary["metrics"]["test"]["rmse"])
        return errors[0], errors[1:]


def main() -> None:
    """Prints a line for each table."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    tables = {
        csv.stem: csv for part in ("uci", "mixed", "more") for csv in sorted((folder / part).glob("*.csv"))
    }
    print("| table | init | by hand | init / best by hand |\n|---|---|---|---|")
    for name, csv in tables.items():
        if csv.stem.endswith(".splits") or (names and name not in names):
            continue
        known = {**MIXED, **MORE}.get(name, {"target": "y"})
        first, by_hand = measure(csv, known["target"], known.get("exclude", []))
        hand = ", ".join(f"{error:.4g}" for error in by_hand)
        print(f"| {name} | {first:.4g} | {hand} | {first / min(by_hand):.2f} |", flush=True)


if __name__ == "__main__":
    main()
