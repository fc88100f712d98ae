"""What a network has to beat to be worth its trouble."""

import numpy as np
from sklearn.linear_model import LinearRegression


def mean_baseline(y_train: np.ndarray, n_rows: int) -> np.ndarray:
    """The training mean for every row, shape `(n_rows,)`."""
    return np.full(n_rows, y_train.mean())


def linear_baseline(x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A linear regression on the rows the network sees, fitted on the training rows.

    Args:
        x_train: Preprocessed rows, shape `(n_train, n_features)`.
        y_train: Their target in its own units, shape `(n_train,)`.
        x: Rows to predict, shape `(n_rows, n_features)`.

    Returns:
        Predictions in the target's units, shape `(n_rows,)`.
    """
    # The copy in double precision is ours already.
    model = LinearRegression(copy_X=False).fit(x_train.astype(np.float64), y_train)
    return np.asarray(model.predict(x.astype(np.float64)))
