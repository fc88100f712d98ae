"""Runs `pipeline.onnx`: raw cells in, predictions in the target's units out."""

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

ROWS_PER_CALL = 65536


class Pipeline:
    """A trained pipeline, run by ONNX Runtime.

    Args:
        model: The bytes of `pipeline.onnx`.
    """

    def __init__(self, model: bytes) -> None:
        """Makes the session; nothing is read or written elsewhere."""
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def predict(self, cells: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predicts rows.

        Args:
            cells: One array of shape `(n_rows, 1)` per column, as `read_cells` gives them.

        Returns:
            The predictions in the target's units, float64 of shape `(n_rows,)`.
        """
        n_rows = len(next(iter(cells.values())))
        parts = [
            self._session.run(
                None, {name: column[start : start + ROWS_PER_CALL] for name, column in cells.items()}
            )[0]
            for start in range(0, n_rows, ROWS_PER_CALL)
        ]
        return np.concatenate([part[:, 0] for part in parts]) if parts else np.empty(0)
