"""Measures which advice lowers the validation error after each verdict on a learning curve.

    python tests/benchmarks/advice.py FOLDER RESULTS.csv [--tables yacht,arm] [--bases standard]
    python tests/benchmarks/advice.py --summary RESULTS.csv …

FOLDER holds real tables as `accuracy.py` names them, in `uci/`, `mixed/` and `more/`; generated ones come from
`generated.py`. Of tables with more rows `ROWS` are drawn. Each is trained from each of `BASES`, with each of `SEEDS`;
then what `FOLLOWED` names is followed, one at a time, with the same rows to train and to validate on and the same seed.

A *case* is a table and a base; its error is the RMSE on the validation rows, in the target's units, the mean over the
seeds with the same verdict. A cell tells in how many percent of the cases that error fell, the same of the error on
their test rows, by which nothing was chosen, and of single trainings; then how many cases there were, and the median
change of the error.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from accuracy import MIXED, MORE
from generated import TABLES

from dlreg.cli.importing import quiet_import
from dlreg.engine.backend import import_backend

with quiet_import():
    import_backend(threads=1)

from dlreg.config.reading import load_config
from dlreg.config.schema import Config
from dlreg.evaluation.learning_curve import Kind, judge_learning_curve
from dlreg.steps.combining import build_keras_model, combine
from dlreg.steps.preparing import prepare, preprocess
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset, Part
from dlreg.table.splits import split_folds
from dlreg.training.loop import Hooks
from dlreg.training.members import MOST_EPOCHS
from dlreg.training.train import train_members

ROWS, SEEDS = 1500, (0, 1, 2)
# Made for what real tables have, too; the others of `generated.py` are much like these.
GENERATED = ("friedman1", "levels100", "many_few", "heavy_tail", "counts", "arm", "many_columns", "few_rows")
# Trainings whose learning curves are of every kind.
BASES: Mapping[str, Sequence[str]] = {
    "standard": (),
    "long": ("training.epochs=400", "training.early_stopping=null"),
    "short": ("training.epochs=15",),
    "hasty": ("training.learning_rate=0.05",),
    "four": ("training.epochs=4",),
    "steep": ("training.optimizer=sgd", "training.learning_rate=0.3"),
    "last": ("training.epochs=400", "training.early_stopping=null", "training.restore_best_weights=false"),
}
FIELDS = (
    "table", "seed", "base", "kind", "rise", "advice", "before", "after", "test_before", "test_after", "seconds",
)  # fmt: skip


class Trial(NamedTuple):
    """One training.

    Attributes:
        validation: The RMSE on the validation rows.
        test: The RMSE on the test rows.
        kind: The verdict on the learning curve.
        rise: How far the validation loss ends above its lowest value.
    """

    validation: float
    test: float
    kind: str
    rise: float


def layers(config: Config, factor: float) -> list[str]:
    return [f"model.hidden_layers={[max(1, round(width * factor)) for width in config.model.hidden_layers]}"]


def rate(config: Config, factor: float) -> list[str]:
    return [f"training.learning_rate={config.training.learning_rate * factor:g}"]


def batch(config: Config, factor: float) -> list[str]:
    return [f"training.batch_size={max(1, round(config.training.batch_size * factor))}"]


def longer(config: Config, factor: int) -> list[str]:
    epochs, refitting = config.training.epochs, config.refitting
    longest = MOST_EPOCHS if epochs == "auto" else epochs
    # By itself a training of so many epochs is not refitted.
    return [f"training.epochs={longest * factor}", *(["training.refit={}"] if refitting else [])]


def fixed(*overrides: str) -> Callable[[Config], list[str]]:
    return lambda _: list(overrides)


# A preset is followed without the model and training of the config.
PRESETS = {"preset accurate": "accurate", "preset fast": "fast"}
ADVICE: Mapping[str, Callable[[Config], list[str]]] = {
    "ensemble 5": fixed("model.ensemble=5"),
    "cross-validation 5": fixed("training.cross_validation=5"),
    "piecewise linear, ensemble 5": fixed("preprocessing.embedding=piecewise_linear", "model.ensemble=5"),
    "dropout 0.1": fixed("model.dropout=0.1"),
    "dropout 0.2": fixed("model.dropout=0.2"),
    "l2 0.001": fixed("model.l2=0.001"),
    "layers / 2": lambda config: layers(config, 0.5),
    "layers × 2": lambda config: layers(config, 2),
    "rate / 3": lambda config: rate(config, 1 / 3),
    "rate × 3": lambda config: rate(config, 3),
    "batch × 4": lambda config: batch(config, 4),
    "batch / 2": lambda config: batch(config, 0.5),
    "epochs × 3, patience 50": lambda config: [
        *longer(config, 3), "training.early_stopping={patience: 50}"
    ],
    "cosine": fixed("training.schedule=cosine"),
}  # fmt: skip
# What only some trainings are in need of.
FURTHER: Mapping[str, Callable[[Config], list[str]]] = {
    "rate / 10": lambda config: rate(config, 0.1),
    "epochs × 3": lambda config: longer(config, 3),
    "epochs 100": fixed("training.epochs=100"),
    "clip norm 1": fixed("training.clip_norm=1.0"),
    "adam": fixed("training.optimizer=adam", "training.learning_rate=0.001"),
    "target log": fixed("preprocessing.target=log"),
    "restore best": fixed("training.restore_best_weights=true"),
}
# What is followed after each base.
FOLLOWED: Mapping[str, Sequence[str]] = {
    "standard": (*ADVICE, "epochs × 3", "preset fast", "preset accurate"),
    "long": ("dropout 0.2", "l2 0.001", "layers / 2", "rate / 3", "ensemble 5", "preset fast"),
    "short": ("epochs × 3", "rate × 3", "ensemble 5"),
    "hasty": ("rate / 3", "rate / 10", "batch × 4", "cosine", "ensemble 5"),
    "four": ("epochs 100",),
    "steep": ("rate / 10", "clip norm 1", "adam"),
    "last": ("restore best",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "paths", nargs="+", type=Path, help="FOLDER RESULTS.csv, or with --summary RESULTS.csv …"
    )
    parser.add_argument("--summary", action="store_true", help="train nothing, tell what RESULTS.csv have")
    parser.add_argument("--tables", help="names, separated by commas")
    parser.add_argument("--bases", default=",".join(BASES), help="names, separated by commas")
    parser.add_argument("--advice", help="names, separated by semicolons, instead of those for the verdict")
    options = parser.parse_args()
    if options.summary:
        summarise(pd.concat([pd.read_csv(path) for path in options.paths]))
        return
    folder, results = options.paths
    names = options.tables.split(",") if options.tables else None
    chosen = options.advice.split(";") if options.advice else None
    follow_bases = partial(follow, bases=options.bases.split(","), chosen=chosen)
    with tempfile.TemporaryDirectory() as work, results.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        tables = list(write_tables(folder, Path(work), names))
        # Compiled programs stay in a process: after some thousand trainings it would end.
        with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            for rows in pool.imap(follow_bases, tables):
                writer.writerows(rows)
                file.flush()
    summarise(pd.read_csv(results))


def write_tables(folder: Path, work: Path, names: Sequence[str] | None) -> Iterator[Path]:
    """A config for each table, beside some of its rows."""
    real = {path.stem: path for path in sorted(folder.glob("*/*.csv")) if ".splits" not in path.name}
    for seed, name in enumerate([*real, *GENERATED]):
        if names and name not in names:
            continue
        # As text, so that the tables are written as they were read.
        table = (
            pd.read_csv(real[name], dtype=str, keep_default_na=False)
            if name in real
            else TABLES[name](np.random.default_rng(seed))
        )
        if len(table) > ROWS:
            table = table.sample(ROWS, random_state=0).sort_index()
        data = {"path": f"{name}.csv", **(MIXED | MORE).get(name, {"target": "y"})}
        known = [column for column in data.get("exclude", ()) if column in table]
        table.to_csv(work / f"{name}.csv", index=False)
        path = work / f"{name}.yaml"
        path.write_text(f"data: { ({**data, 'exclude': known}) }\n")
        yield path


def follow(path: Path, bases: Sequence[str], chosen: Sequence[str] | None) -> list[dict[str, Any]]:
    """Trains each base with each seed, and what follows the advice on its verdict."""
    rows = []
    for base, seed in product(bases, SEEDS):
        overrides = [f"training.seed={seed}", *BASES[base]]
        config = load_config(path, overrides)
        dataset = load_dataset(config)
        before = train(config, dataset)
        for name in chosen or FOLLOWED[base]:
            began = time.monotonic()
            after = train_advised(path, overrides, name, dataset)
            rows.append(
                {
                    "table": path.stem, "seed": seed, "base": base, "kind": before.kind, "rise": before.rise,
                    "advice": name, "before": before.validation, "after": after.validation,
                    "test_before": before.test, "test_after": after.test,
                    "seconds": round(time.monotonic() - began, 2),
                }
            )  # fmt: skip
    return rows


def train_advised(path: Path, overrides: Sequence[str], advice: str, dataset: Dataset) -> Trial:
    """A training as `train` does it, of a config with these overrides that follows the advice."""
    if advice in PRESETS:
        return train_folds(load_config(path, [overrides[0], f"preset={PRESETS[advice]}"]), dataset)
    advised = [*overrides, *(ADVICE | FURTHER)[advice](load_config(path, overrides))]
    return (train_folds if advice == "cross-validation 5" else train)(load_config(path, advised), dataset)


def train(config: Config, dataset: Dataset, measured: str = "validation") -> Trial:
    """A training in this process, as `dlreg train` does it but for the run directory."""
    prepared = prepare(config, preprocess(config, dataset))
    trained = train_members(config, dataset, prepared.preprocessing, prepared.variants, prepared.x, Hooks())
    history, progress = trained.progress.history, trained.progress
    verdict = judge_learning_curve(
        history["loss"], history.get("val_loss"), stopped_early=progress.epoch < progress.epochs
    )
    watched = history.get("val_loss", history["loss"])
    rise = watched[-1] / min(watched) - 1
    if progress.diverged:
        return Trial(np.inf, np.inf, verdict.kind, rise)
    networks = combine(config, dataset, prepared, trained)
    # Before refitting the validation rows are not known.
    variants = {measured: networks.validated or networks.variants, "test": networks.variants}
    errors = [
        rmse(
            build_keras_model(prepared, replace(networks, variants=variants[name])).predict(
                prepared.preprocessing.transform(dataset.parts[name].cells)
            ),
            dataset.parts[name].y_true,
        )
        for name in (measured, "test")
    ]
    return Trial(*errors, verdict.kind, rise)


def train_folds(config: Config, dataset: Dataset) -> Trial:
    """A training with cross-validation, on the training rows of one without, measured on its validation rows."""
    rows, train_part = dataset.parts["validation"], dataset.parts["train"]
    folds = split_folds(
        len(train_part.rows), "random", int(config.training.cross_validation or 0), seed=config.training.seed
    )
    nothing = Part(rows.rows[:0], {name: cells[:0] for name, cells in rows.cells.items()}, rows.y_true[:0])
    parts = {**dataset.parts, "validation": nothing, "held out": rows}
    return train(config, replace(dataset, parts=parts, folds=folds), "held out")


def rmse(y_pred: np.ndarray, y_true: np.ndarray) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean((y_pred - y_true) ** 2)))


def summarise(results: pd.DataFrame) -> None:
    """For each advice and verdict how often the error fell: in cases, on their test rows, in single trainings."""
    kinds = [kind for kind in get_args(Kind) if (results["kind"] == kind).any()]
    print(f"| advice | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}")
    cells = {key: cell_of(rows) for key, rows in results.groupby(["advice", "kind"])}
    for advice in (*ADVICE, *PRESETS, *FURTHER):
        row = [cells.get((advice, kind), "") for kind in kinds]
        if any(row):
            print(f"| {advice} | {' | '.join(row)} |")


def cell_of(results: pd.DataFrame) -> str:
    """The shares in percent, the number of cases, and the median change of the error."""
    cases = results.groupby(["table", "base"])[["before", "after", "test_before", "test_after"]].mean()
    shares = (
        (cases["after"] < cases["before"]).mean(),
        (cases["test_after"] < cases["test_before"]).mean(),
        (results["after"] < results["before"]).mean(),
    )
    change = (cases["after"] / cases["before"]).median() - 1
    return f"{' / '.join(f'{100 * share:.0f}' for share in shares)} of {len(cases)}, {change:+.0%}"


if __name__ == "__main__":
    main()
