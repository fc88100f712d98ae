"""The whole job as a script of each peer: read a CSV, split, standardise, train, predict the test rows, write.

    python tests/benchmarks/whole_job_peers.py PEER TABLE FOLDER

Run by `whole_job.py`, with an interpreter that need not have dlreg.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

EPOCHS, BATCH_SIZE, HIDDEN_LAYERS = 2, 256, (64, 64)
Rows = tuple[np.ndarray, np.ndarray]
Predict = Callable[[np.ndarray], np.ndarray]


def main(peer: str, table: str, folder: Path) -> None:
    frame = pd.read_csv(table)
    y = frame.pop("y").to_numpy(np.float32)
    x = frame.to_numpy(np.float32)
    order = np.random.default_rng(42).permutation(len(y))
    n_test = len(y) // 5
    n_validation = (len(y) - n_test) // 5
    test, validation, train = np.split(order, [n_test, n_test + n_validation])
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    y_mean, y_deviation = y[train].mean(), y[train].std()
    x, y_scaled = (x - mean) / deviation, (y - y_mean) / y_deviation
    predict = PEERS[peer]((x[train], y_scaled[train]), (x[validation], y_scaled[validation]))
    y_pred = predict(x[test]).ravel() * y_deviation + y_mean
    folder.mkdir(parents=True, exist_ok=True)
    metrics = {"rmse": float(np.sqrt(np.mean((y_pred - y[test]) ** 2)))}
    (folder / "metrics.json").write_text(json.dumps({"test": metrics}))
    predictions = pd.DataFrame({"row": test, "y_true": y[test], "y_pred": y_pred})
    predictions.to_csv(folder / "predictions.csv", index=False)


def keras(train: Rows, validation: Rows) -> Predict:
    import keras

    layers = [keras.layers.Dense(units, "relu") for units in HIDDEN_LAYERS]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(*train, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_data=validation, verbose=0)
    return lambda x: model.predict(x, batch_size=8192, verbose=0)


def torch(train: Rows, validation: Rows) -> Predict:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    widths = (train[0].shape[1], *HIDDEN_LAYERS)
    layers = [
        layer
        for n_in, n_out in zip(widths, HIDDEN_LAYERS, strict=False)
        for layer in (torch.nn.Linear(n_in, n_out), torch.nn.ReLU())
    ]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1))
    optimizer, loss = torch.optim.Adam(model.parameters()), torch.nn.MSELoss()
    x, y = (torch.from_numpy(array) for array in train)
    held_out_x, held_out_y = (torch.from_numpy(array) for array in validation)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss(model(x[batch])[:, 0], y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            loss(model(held_out_x)[:, 0], held_out_y)

    def predict(new: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return model(torch.from_numpy(new)).numpy()

    return predict


def sklearn(train: Rows, _: Rows) -> Predict:
    import warnings

    from sklearn.neural_network import MLPRegressor

    # It warns that two epochs are few.
    warnings.simplefilter("ignore")
    model = MLPRegressor(
        hidden_layer_sizes=HIDDEN_LAYERS, batch_size=BATCH_SIZE, max_iter=EPOCHS, random_state=0
    )
    return model.fit(*train).predict


def catboost(train: Rows, validation: Rows) -> Predict:
    from catboost import CatBoostRegressor

    model = CatBoostRegressor(thread_count=1, verbose=False, allow_writing_files=False, random_seed=0)
    return model.fit(*train, eval_set=validation).predict


def lightgbm(train: Rows, validation: Rows) -> Predict:
    from lightgbm import LGBMRegressor

    model = LGBMRegressor(n_jobs=1, verbose=-1, random_state=0)
    return model.fit(*train, eval_set=[validation]).predict


# By the package that each needs.
PEERS = {"keras": keras, "torch": torch, "sklearn": sklearn, "catboost": catboost, "lightgbm": lightgbm}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
