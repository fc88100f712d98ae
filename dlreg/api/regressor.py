"""A scikit-learn estimator: the same trainings, of data frames and arrays in memory."""

from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from dlreg.api.fitting import ROWS, fit_frame, open_fitted
from dlreg.api.frame_words import IN_FRAMES
from dlreg.api.notes import told_in_python, warn_of_all
from dlreg.api.parameters import config_of
from dlreg.api.progress import notebook_bar
from dlreg.api.run import table_notes, usable_columns
from dlreg.runs.new_rows import predict_table, refuse_level, table_of_frame
from dlreg.runs.strange_cells import strange_sentences
from dlreg.runs.trained_run import TrainedModel

# Sessions are no part of an estimator: they can be neither pickled nor compared.
_MODELS: "WeakKeyDictionary[Regressor, TrainedModel]" = WeakKeyDictionary()


class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A deep-learning regression on tables, as `dlreg train` makes it.

    `X` may be a data frame with numbers, categories (text, true and false, or of type `category`), dates and
    missing cells, or an array of numbers. Preprocessing is a part of the estimator, fitted on the training
    rows alone. A share of the rows validates (`validation_split`, or `cross_validation`), to tell when to
    stop and how wide intervals are; none are set aside to test.

    Args:
        preset: As in the config: a named set of values for all other parameters.
        verbose: Whether `fit` shows a bar, in a notebook.

    All other parameters are the keys of the config's sections `preprocessing`, `model` and `training`, by
    their last name, as the page "The config" has them. None is what the preset says, or else the default;
    False is the null of `early_stopping`, `clip_norm`, `ema_momentum`, `cross_validation`, `refit`,
    `sample`, `auto_steps` and `time_limit`.

    Attributes:
        config_: The resolved config.
        metrics_: The metrics of `train` and `validation`, or `out_of_fold`, as in `metrics.json`.
        history_: A row for each epoch, from 1 on, with its losses.
        pipeline_: The bytes of `pipeline.onnx`, which predicts from raw columns in any language.
        preprocessing_: Every fitted number of the preprocessing, as in `preprocessing.json`.
        intervals_: What intervals are made from, as in `intervals.json`.
        n_features_in_: How many columns `X` had.
        feature_names_in_: Their names, if it was a data frame.
    """

    def __init__(
        self,
        *,
        preset: Any = None,
        numeric: Any = None,
        missing: Any = None,
        missing_indicator: Any = None,
        categorical: Any = None,
        dates: Any = None,
        embedding: Any = None,
        target: Any = None,
        clip_predictions: Any = None,
        hidden_layers: Any = None,
        activation: Any = None,
        dropout: Any = None,
        dropout_schedule: Any = None,
        l2: Any = None,
        batch_norm: Any = None,
        parametric_activation: Any = None,
        feature_scale: Any = None,
        initializer: Any = None,
        ensemble: Any = None,
        ensemble_kind: Any = None,
        ensemble_selection: Any = None,
        sample: Any = None,
        blend: Any = None,
        loss: Any = None,
        optimizer: Any = None,
        learning_rate: Any = None,
        learning_rate_factors: Any = None,
        weight_decay: Any = None,
        weight_decay_groups: Any = None,
        momentum: Any = None,
        beta_1: Any = None,
        beta_2: Any = None,
        clip_norm: Any = None,
        ema_momentum: Any = None,
        schedule: Any = None,
        epochs: Any = None,
        auto_steps: Any = None,
        time_limit: Any = None,
        batch_size: Any = None,
        equal_batches: Any = None,
        validation_split: Any = None,
        cross_validation: Any = None,
        refit: Any = None,
        early_stopping: Any = None,
        restore_best_weights: Any = None,
        seed: Any = None,
        verbose: Any = False,
    ) -> None:
        parameters = locals()
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Trains a network; nothing is written, and nothing printed.

        Args:
            X: A data frame, or an array of numbers, of shape `(n_rows, n_columns)`.
            y: The numbers to predict, shape `(n_rows,)`.

        Raises:
            ConfigError: A parameter is wrong.
            DataError: Columns of a data frame cannot be used as they are.
            ValueError: An array is none of numbers, or is empty, or `y` has another length or no numbers.
            DivergedError: The loss is not finite any more.
        """
        frame = self._frame(X, reset=True)
        y_true = column_or_1d(y, warn=True)
        assert_all_finite(y_true, input_name="y")
        check_consistent_length(frame, y_true)
        name = _name_of_target(y, frame)
        rows = frame.reset_index(drop=True).assign(**{name: np.asarray(y_true, dtype=np.float64)})
        with told_in_python(IN_FRAMES), notebook_bar(enabled=bool(self.get_params()["verbose"])) as listener:
            fitted = fit_frame(config_of(self.get_params()), rows, name, listener)
        _MODELS.pop(self, None)
        self.config_, self.metrics_, self.pipeline_ = fitted.config, fitted.metrics, fitted.pipeline
        self.preprocessing_, self.intervals_ = fitted.preprocessing, fitted.intervals
        self.history_ = pd.DataFrame(fitted.history)
        self.history_.index = pd.RangeIndex(1, len(self.history_) + 1, name="epoch")
        warn_of_all(fitted.notes)
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Predicts rows, and warns of what the training rows did not have.

        Args:
            X: Columns as in `fit`.

        Returns:
            Predictions in the units of `y`, float64 of shape `(n_rows,)`.
        """
        columns, notes = self._predict(X, None)
        warn_of_all(notes)
        return columns["y_pred"]

    def predict_interval(self, X: Any, level: float = 0.9) -> np.ndarray:  # noqa: N803
        """The bounds between which a share of new rows lies, by the rows that validated.

        Args:
            X: Columns as in `fit`.
            level: The share, between 0 and 1.

        Returns:
            The lower and the upper bounds, in the units of `y`, float64 of shape `(n_rows, 2)`.

        Raises:
            UsageError: The level is no share, or too few rows validated for it.
        """
        check_is_fitted(self)
        with told_in_python(IN_FRAMES):
            refuse_level(_model_of(self).intervals, level, name="level=")
        columns, notes = self._predict(X, level)
        warn_of_all(notes)
        return np.column_stack([columns["y_lower"], columns["y_upper"]])

    def _predict(self, X: Any, level: float | None) -> tuple[dict[str, np.ndarray], list[str]]:  # noqa: N803
        check_is_fitted(self)
        frame, model = self._frame(X, reset=False), _model_of(self)
        with told_in_python(IN_FRAMES):
            table = table_of_frame(model, frame, ROWS)
            predicted = predict_table(model, table, interval=level)
        columns, unusable = usable_columns(predicted)
        strange = strange_sentences(model, predicted.strange)
        return columns, [*table_notes(model, table), *strange, *unusable]

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:  # noqa: N803
        """The rows as a data frame; their columns must be those of `fit`, in the same order."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        # One row tells nothing of how rows differ.
        least = 2 if reset else 1
        numbers = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least
        )
        return pd.DataFrame(numbers, columns=[f"x{place}" for place in range(numbers.shape[1])])

    def __sklearn_tags__(self) -> Any:
        """Tells scikit-learn that cells may be missing, and categories."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


def _model_of(regressor: Regressor) -> TrainedModel:
    model = _MODELS.get(regressor)
    if model is None:
        values = regressor.config_, regressor.pipeline_, regressor.preprocessing_, regressor.intervals_
        model = _MODELS[regressor] = open_fitted(*values)
    return model


def _name_of_target(y: Any, frame: pd.DataFrame) -> str:
    """The name of a series, or `y`, with underscores behind it where a column has that name."""
    name = str(y.name) if isinstance(y, pd.Series) and y.name is not None else "y"
    names = set(map(str, frame.columns))
    while name in names:
        name += "_"
    return name
