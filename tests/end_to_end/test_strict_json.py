"""Whatever the table, the config and the pipeline: all JSON is JSON, and no prediction is NaN in silence."""

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from support.runs import spoil_pipeline

LONG = bool(os.environ.get("DLREG_LONG_TESTS"))
N_RUNS = 300 if LONG else 12
# Documented ones, without that of a bug.
CODES = {0, 2, 3, 4, 5, 7, 8}

N = 40
COLUMNS = {
    "normal": lambda x: x,
    "far": lambda x: np.where(np.arange(N) == N - 1, 1e5, x),
    "huge": lambda x: x * 1e30,
    "beyond single precision": lambda x: np.where(np.arange(N) == 0, 1e90, x),
    "constant": lambda x: 0 * x + 7,
    "missing": lambda x: np.where(np.arange(N) % 5 == 0, np.nan, x),
    "tiny": lambda x: x * 1e-300,
}
TARGETS = {
    "linear": lambda x: x + 1,
    "positive": lambda x: np.exp(x),
    "constant": lambda x: 0 * x + 3,
    "two values": lambda x: (x > 0) * 1.0,
    "huge": lambda x: (1 + x) * 1e150,
    "large": lambda x: (1 + x) * 1e30,
    "of all magnitudes": lambda x: 10 ** np.clip(30 * x, -90, 90),
    "tiny": lambda x: x * 1e-290,
    "the same at the end": lambda x: np.where(np.arange(N) > N - 10, 0.5, x),
    "an outlier": lambda x: np.where(np.arange(N) == 3, 1e20, x),
}
SETTINGS = {
    "plain": [],
    "no test rows": ["data.test_split=0"],
    "one test row": ["data.test_split=0.02"],
    "no validation rows": ["training.validation_split=0"],
    "one validation row": ["training.validation_split=0.03"],
    "training rows alone": ["training.validation_split=0", "data.test_split=0"],
    "ordered": ["data.split=ordered"],
    "a linear model of a logarithm": [
        "preprocessing.target=log", "model.hidden_layers=[]", "data.split=ordered",
        "training.learning_rate=0.1", "training.epochs=30", "training.restore_best_weights=false",
    ],
    "its folds": [
        "preprocessing.target=log", "model.hidden_layers=[]", "training.cross_validation=3",
        "training.learning_rate=0.1", "training.epochs=30", "model.blend=true",
    ],
    "diverging": ["training.learning_rate=1e20", "training.optimizer=sgd"],
    "unscaled": ["preprocessing.numeric=none", "preprocessing.target=none"],
    "several members": ["model.ensemble=2", "training.epochs=1"],
    "folds": ["training.cross_validation=3", "training.refit={epochs_fraction: 0.5}"],
    "bounded": ["preprocessing.clip_predictions=true", "preprocessing.numeric=quantile"],
}  # fmt: skip
SPOILED = [None, None, float("nan"), float("inf"), 1e200, 1e305, 0.0]


class OddRun(NamedTuple):
    """What is odd of a run, by its names above; and what is done to its pipeline."""

    column: str
    target: str
    settings: str
    factor: float | None


def odd_runs() -> list[OddRun]:
    """As many as are asked for: each of the lists above goes round, so that pairs differ."""
    generator = np.random.default_rng(17)
    drawn = [
        [names[index % len(names)] for index in range(N_RUNS)]
        for names in (list(COLUMNS), list(TARGETS), list(SETTINGS), SPOILED)
    ]
    for values in drawn[:2]:
        generator.shuffle(values)
    return [OddRun(*odd) for odd in zip(*drawn, strict=True)]


def strict(text: str):
    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def write_project(folder: Path, odd: OddRun, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=N)
    columns = [COLUMNS[odd.column](x).tolist(), TARGETS[odd.target](x).tolist()]
    lines = [
        ",".join("" if cell != cell else repr(cell) for cell in row) for row in zip(*columns, strict=True)
    ]
    (folder / "table.csv").write_text("\n".join(["x,y", *lines, ""]))
    (folder / "new.csv").write_text("x,y\n1,2\n,2\n0,1\n1e30,1\n-1e90,1\n")
    config = "data: {path: table.csv, target: y}\nmodel: {hidden_layers: [4]}\ntraining: {epochs: 2}\n"
    (folder / "config.yaml").write_text(config)


def check_files(folder: Path) -> None:
    for file in folder.glob("run/*.json"):
        strict(file.read_text(encoding="utf-8"))
    for file in (folder / "run" / "predictions.csv", folder / "predicted.csv"):
        if file.exists():
            with file.open(newline="") as stream:
                cells = [cell for row in list(csv.reader(stream))[1:] for cell in row if cell]
            assert np.isfinite([float(cell) for cell in cells]).all(), file


def outcomes(forks, folder: Path, number: int, odd: OddRun) -> tuple[dict[str, int], list[str]]:
    """The first exit code of each command on an odd run, and whatever is no JSON, no number or a bug."""
    write_project(folder, odd, number)
    overrides = [text for setting in SETTINGS[odd.settings] for text in ("--set", setting)]
    codes, failures = {}, []

    def run(command, *arguments):
        ended = forks.run(command, *arguments, cwd=folder)
        codes.setdefault(command, ended.returncode)
        try:
            assert ended.returncode in CODES, ended.stderr
            if ended.stdout:
                strict(ended.stdout)
            check_files(folder)
        except (AssertionError, ValueError) as error:
            failures.append(f"{odd}, {command}: {error}")

    run("check", "config.yaml", "--format", "json", *overrides)
    run("train", "config.yaml", "--run-dir", "run", "--json", *overrides)
    if codes["train"] == 0:
        if odd.factor is not None:
            spoil_pipeline(folder / "run", odd.factor)
        run("evaluate", "run", "--json", "--fail-if", "rmse>1", "--fail-if", "coverage_90<0.5")
        run("evaluate", "run", "--json", "--data", "new.csv", "--fail-if", "r2<0.5")
        run("predict", "run", "new.csv", "-o", "predicted.csv", "--json", "--interval", "0.4")
        run("predict", "run", "new.csv", "-o", "predicted.csv", "--json")
        run("explain", "run", "--json", "--repeats", "1")
        run("verify", "run", "--json")
        run("train", "run", "--resume", "--json")
    return codes, failures


def test_all_json_of_odd_runs_is_json(forks, tmp_path):
    told, failures = Counter(), []
    for number, odd in enumerate(odd_runs()):
        folder = tmp_path / str(number)
        folder.mkdir()
        codes, failed = outcomes(forks, folder, number, odd)
        told.update(codes.items())
        failures += failed
    assert not failures, "\n\n".join(failures)
    # Enough of them were trained, and enough were refused for what they predict.
    assert told["train", 0] >= N_RUNS / 4, told
    assert told["evaluate", 4] >= N_RUNS / 12, told
