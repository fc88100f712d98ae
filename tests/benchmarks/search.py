"""A search beside a loop of trainings, Optuna with Keras, and KerasTuner: trials a minute on the same table.

    pip install '.[bench]' && python tests/benchmarks/search.py [TRIALS] [PYTHON]

PYTHON is that of an environment of its own with Ludwig (`pip install 'ludwig[hyperopt,distributed]' dask getdaft`).

The table is `data/diabetes.csv`, the space learning rate, dropout and L2, of a network of two layers of 64 with
batches of 32, at most 100 epochs and a patience of 20. `dlreg tune` trains all trials in two processes; of the
others, which take seconds for a trial, a tenth as many are trained, on as many processes, and of a shell loop the very
trials of the search, whose metrics are compared to the bit. What a process takes to start is part of it.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "data" / "diabetes.csv"
KEYS = ("training.learning_rate", "model.dropout", "model.l2")
N_JOBS = 2
CONFIG = {
    "data": {"path": str(TABLE), "target": "progression"},
    "preprocessing": {"numeric": "minmax"},
    "search": {
        "prune": False,
        "parameters": {
            KEYS[0]: {"min": 1e-4, "max": 1e-1, "distribution": "log_uniform"},
            KEYS[1]: {"min": 0.0, "max": 0.5},
            KEYS[2]: {"min": 1e-6, "max": 1e-2, "distribution": "log_uniform"},
        },
    },
}
ENVIRONMENT = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "NO_COLOR": "1"}


def main() -> None:
    n_trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    n_few = max(2 * N_JOBS, n_trials // 10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "search.yaml").write_text(json.dumps(CONFIG))
        per_trial, trials = search(folder, n_trials)
        print(f"{'':<34} {'seconds a trial':>16} {'trials a minute':>16} {'ratio':>7}")
        show("dlreg tune", per_trial, per_trial)
        in_loop = loop(folder, trials[1 : n_few + 1])
        show("a loop of dlreg train --set", in_loop, per_trial)
        for peer in ("optuna", "keras_tuner"):
            show(f"{peer.replace('_', ' ')} with Model.fit", run_peer(peer, folder, n_few), per_trial)
        if len(sys.argv) > 2:
            show("Ludwig's hyperopt", run_ludwig(sys.argv[2], folder, n_few), per_trial)


def show(name: str, seconds: float, own: float) -> None:
    print(f"{name:<34} {seconds:>16.3f} {60 / seconds:>16.0f} {seconds / own:>6.0f}x", flush=True)


def dlreg(*arguments: object, folder: Path) -> str:
    command = [sys.executable, "-m", "dlreg", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def search(folder: Path, n_trials: int) -> tuple[float, list[dict[str, str]]]:
    """Seconds a trial, and the trials; what a trial takes beyond its training is printed."""
    began = time.perf_counter()
    dlreg("tune", "search.yaml", "--study=study", f"--trials={n_trials}", f"--jobs={N_JOBS}", folder=folder)
    seconds = time.perf_counter() - began
    record = json.loads((folder / "study" / "study.json").read_text())
    with (folder / "study" / "trials.csv").open(newline="") as file:
        trials = list(csv.DictReader(file))
    warm = trials[2 * N_JOBS :]
    beyond = [float(trial["seconds"]) - float(trial["training_seconds"]) for trial in warm]
    training = sum(float(trial["training_seconds"]) for trial in warm) / len(warm)
    print(f"{n_trials} trials in {seconds:.1f} s, the best trained again and the plain config included")
    print(
        f"a warm trial trains for {1000 * training:.0f} ms and takes {1000 * sum(beyond) / len(beyond):.0f} ms beyond"
    )
    print(
        f"trials alone: {record['search_seconds'] / n_trials:.3f} s each"
        if "search_seconds" in record
        else ""
    )
    return seconds / n_trials, trials


def loop(folder: Path, trials: list[dict[str, str]]) -> float:
    """Seconds a trial of a shell loop; ends where a metric is another one."""

    def train(trial: dict[str, str]) -> None:
        overrides = [f"--set={key}={trial[key]}" for key in KEYS]
        run_dir = folder / f"run-{trial['number']}"
        dlreg("train", "search.yaml", f"--run-dir={run_dir}", "--quiet", *overrides, folder=folder)
        metrics = json.loads((run_dir / "metrics.json").read_text())
        for part in ("train", "validation"):
            for name, value in metrics[part].items():
                if float(trial[f"{part}.{name}"]) != value:
                    sys.exit(f"trial {trial['number']}: {part}.{name} is {value} in a training")

    began = time.perf_counter()
    for trial in trials:
        train(trial)
    return (time.perf_counter() - began) / len(trials)


def run_peer(name: str, folder: Path, n_trials: int) -> float:
    """Seconds a trial of a peer that runs in as many processes."""
    began = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, name, str(n_trials // N_JOBS), str(number)],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(N_JOBS)
    ]
    if any(process.wait() for process in processes):
        sys.exit(f"{name} failed")
    return (time.perf_counter() - began) / (n_trials // N_JOBS * N_JOBS)


def run_ludwig(python: str, folder: Path, n_trials: int) -> float:
    """Seconds a trial of Ludwig's search, by Ray Tune, as many at once."""
    columns = TABLE.read_text().partition("\n")[0].split(",")
    parameters = {
        "trainer.learning_rate": {"space": "loguniform", "lower": 1e-4, "upper": 1e-1},
        "combiner.dropout": {"space": "uniform", "lower": 0.0, "upper": 0.5},
        "trainer.regularization_lambda": {"space": "loguniform", "lower": 1e-6, "upper": 1e-2},
    }
    executor = {
        "type": "ray",
        "num_samples": n_trials,
        "max_concurrent_trials": N_JOBS,
        "cpu_resources_per_trial": 1,
    }
    config = {
        "input_features": [{"name": name, "type": "number"} for name in columns[:-1]],
        "output_features": [{"name": columns[-1], "type": "number"}],
        "combiner": {"type": "concat", "num_fc_layers": 2, "output_size": 64},
        "trainer": {"epochs": 100, "batch_size": 32, "early_stop": 20},
        "hyperopt": {
            "goal": "minimize",
            "metric": "loss",
            "output_feature": columns[-1],
            "parameters": parameters,
            "search_alg": {"type": "variant_generator"},
            "executor": executor,
        },
    }
    code = f"from ludwig.hyperopt.run import hyperopt; hyperopt({config!r}, dataset={str(TABLE)!r}, output_directory='ludwig')"
    began = time.perf_counter()
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Ludwig failed:\n{done.stderr[-2000:]}")
    return (time.perf_counter() - began) / n_trials


def rows() -> tuple:
    """Preprocessed training and validation rows, as many as in the search."""
    import numpy as np

    table = np.loadtxt(TABLE, delimiter=",", skiprows=1)
    x, y = table[:, :-1], table[:, -1:]
    order = np.random.default_rng(0).permutation(len(x))
    train, validation = order[:282], order[282:353]
    low, high = x[train].min(axis=0), x[train].max(axis=0)
    x = ((x - low) / (high - low)).astype(np.float32)
    y = ((y - y[train].mean()) / y[train].std()).astype(np.float32)
    return (x[train], y[train]), (x[validation], y[validation])


def build(learning_rate: float, dropout: float, l2: float):
    import keras

    regularizer = keras.regularizers.L2(l2)
    layers = []
    for _ in range(2):
        layers += [
            keras.layers.Dense(64, "relu", kernel_regularizer=regularizer),
            keras.layers.Dropout(dropout),
        ]
    model = keras.Sequential(
        [keras.Input((10,)), *layers, keras.layers.Dense(1, kernel_regularizer=regularizer)]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    return model


def stopping():
    import keras

    return keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True)


def optuna(n_trials: int, _: int) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    train, validation = rows()

    def objective(trial: optuna.Trial) -> float:
        model = build(
            trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
            trial.suggest_float("dropout", 0.0, 0.5),
            trial.suggest_float("l2", 1e-6, 1e-2, log=True),
        )
        fitted = model.fit(
            *train, epochs=100, batch_size=32, validation_data=validation, callbacks=[stopping()], verbose=0
        )
        return min(fitted.history["val_loss"])

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.JournalStorage(JournalFileBackend("optuna.log"))
    study = optuna.create_study(storage=storage, study_name="peer", load_if_exists=True)
    study.optimize(objective, n_trials)


def keras_tuner(n_trials: int, number: int) -> None:
    import keras_tuner

    train, validation = rows()

    def build_tuned(values):
        return build(
            values.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
            values.Float("dropout", 0.0, 0.5),
            values.Float("l2", 1e-6, 1e-2, sampling="log"),
        )

    tuner = keras_tuner.RandomSearch(
        build_tuned, "val_loss", n_trials, seed=number, directory=f"keras-tuner-{number}"
    )
    tuner.search(
        *train, epochs=100, batch_size=32, validation_data=validation, callbacks=[stopping()], verbose=0
    )


if __name__ == "__main__":
    if sys.argv[1:2] in (["optuna"], ["keras_tuner"]):
        {"optuna": optuna, "keras_tuner": keras_tuner}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
