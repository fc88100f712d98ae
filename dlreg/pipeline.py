"""A trained pipeline: rows of a CSV in, predictions in the target's units out, run by ONNX Runtime."""

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

ROWS_PER_CALL = 16384


class Pipeline:
    """`pipeline.onnx`, ready to run.

    Args:
        model: The bytes of the file.
    """

    def __init__(self, model: bytes) -> None:
        """Makes the session; nothing else is read or written."""
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
        return self._run(cells)[0]

    @property
    def has_spread(self) -> bool:
        """Whether there are several members, whose predictions differ."""
        return len(self._session.get_outputs()) > 1

    def predict_with_spread(self, cells: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Predicts rows, and says how far the members are apart on each.

        Returns:
            The predictions, and the standard deviation of the members' predictions, both in the target's
            units, float64 of shape `(n_rows,)`.
        """
        prediction, spread = self._run(cells)
        return prediction, spread

    def _run(self, cells: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        n_rows = len(next(iter(cells.values())))
        parts = []
        for start in range(0, n_rows, ROWS_PER_CALL):
            block = {name: column[start : start + ROWS_PER_CALL] for name, column in cells.items()}
            parts.append([output[:, 0] for output in self._session.run(None, block)])
        if not parts:
            return [np.empty(0) for _ in self._session.get_outputs()]
        return [np.concatenate(output) for output in zip(*parts, strict=True)]
