"""The pipeline as MLflow serves it: from a data frame to its predictions, without dlreg.

MLflow keeps this file beside `pipeline.onnx` and runs it as code; nothing of it is pickled. Its own flavour
for ONNX hands columns of one dimension to inputs of two, and cannot hand on text.
"""

from typing import Any

import mlflow
import numpy as np
import onnxruntime
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

PIPELINE = "pipeline"
PREDICTION = "y_pred"


class PipelineModel(PythonModel):
    """Predicts rows by a pipeline."""

    def load_context(self, context: PythonModelContext) -> None:
        """Opens the pipeline that is kept with the model."""
        self._session = onnxruntime.InferenceSession(context.artifacts[PIPELINE])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Predictions, a row for each row; what is missing stays missing.

        Args:
            context: Unused.
            model_input: The columns that the pipeline reads; others are ignored.
            params: Unused.
        """
        del context, params
        cells = {
            column.name: _cells(model_input[column.name], is_text=column.type == "tensor(string)")
            for column in self._session.get_inputs()
        }
        prediction, *_ = self._session.run(None, cells)
        return pd.DataFrame({PREDICTION: prediction[:, 0]}, index=model_input.index)


def _cells(column: pd.Series, *, is_text: bool) -> np.ndarray:
    """A column as the pipeline takes it, `(n_rows, 1)`: missing texts are empty, missing numbers NaN."""
    if is_text:
        cells = column.astype(object).where(column.notna(), "").astype(str)
        return cells.to_numpy(dtype=object)[:, None]
    return column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None]


mlflow.models.set_model(PipelineModel())
