"""A trained pipeline: rows of a CSV in, predictions in the target's units out, run by ONNX Runtime."""

from collections.abc import Mapping

import numpy as np

from dlreg.errors import DataError, Fault, RunDirError, located
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.pipeline.telemetry import telemetry_off
from dlreg.pipeline.vetting import plain_output, vet_model

with telemetry_off():
    import onnxruntime as ort
    from onnxruntime.capi import onnxruntime_pybind11_state as native

# ONNX Runtime's errors have no base class of their own.
_RUNTIME_ERRORS = (
    native.Fail, native.InvalidArgument, native.InvalidGraph, native.InvalidProtobuf, native.NotImplemented,
    native.RuntimeException, RuntimeError, ValueError, MemoryError,
)  # fmt: skip


class Pipeline:
    """`pipeline.onnx`, ready to run.

    Args:
        model: The bytes of the file.
        name: What to call the file in a message.
        n_columns: How many columns it has to read, if that is known.

    Attributes:
        inputs: The columns it reads, in order, and whether each is one of numbers.

    Raises:
        RunDirError: It is not a pipeline as dlreg writes it.
    """

    def __init__(self, model: bytes, name: str = "pipeline.onnx", n_columns: int | None = None) -> None:
        """Checks the model, then makes the session; nothing else is read or written."""
        self._name = name
        with located(name):
            vetted, self._memory = vet_model(model, n_columns)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(vetted, options, providers=["CPUExecutionProvider"])
        except _RUNTIME_ERRORS as error:
            raise self._cannot_run(error) from None
        self._outputs = [plain_output(output.name) for output in self._session.get_outputs()]
        self.inputs = {column.name: column.type == "tensor(double)" for column in self._session.get_inputs()}

    def predict(self, cells: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predicts rows.

        Args:
            cells: One array of shape `(n_rows, 1)` per column, as `read_cells` gives them.

        Returns:
            The predictions in the target's units, float64 of shape `(n_rows,)`.

        Raises:
            RunDirError: The pipeline is not one of dlreg's after all: it does not run on these rows.
        """
        return self.run(cells)[PREDICTION]

    @property
    def has_spread(self) -> bool:
        """Whether there are several members, whose predictions differ."""
        return SPREAD in self._outputs

    @property
    def has_residual_scale(self) -> bool:
        """Whether intervals are wider for some rows than for others."""
        return RESIDUAL_SCALE in self._outputs

    def run(self, cells: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the pipeline on rows and returns every output.

        Returns:
            By output – `prediction`, `spread` where there are several members, `residual_scale` where the
            error to be expected differs by row – float64 of shape `(n_rows,)`.

        Raises:
            RunDirError: The pipeline does not run on these rows.
            DataError: A cell is so long that predicting its row would take too much memory.
        """
        n_rows = len(next(iter(cells.values())))
        parts = []
        longest, name = max((_longest_text(column), name) for name, column in cells.items())
        rows_per_call = self._memory.rows_per_call(longest)
        if not rows_per_call:
            message = (
                f"column {name!r}: a cell of {longest:,} bytes takes too much memory to be predicted from"
            )
            raise DataError(Fault(message, hint="Shorten it"))
        for start in range(0, n_rows, rows_per_call):
            end = min(start + rows_per_call, n_rows)
            block = {name: column[start:end] for name, column in cells.items()}
            try:
                outputs = self._session.run(None, block)
            except _RUNTIME_ERRORS as error:
                raise self._cannot_run(error) from None
            for output in outputs:
                if output.shape != (end - start, 1) or output.dtype != np.float64:
                    raise self._cannot_run(f"{output.dtype} predictions of shape {output.shape}")
            parts.append([output[:, 0] for output in outputs])
        if not parts:
            return {name: np.empty(0) for name in self._outputs}
        columns = (np.concatenate(output) for output in zip(*parts, strict=True))
        return dict(zip(self._outputs, columns, strict=True))

    def _cannot_run(self, reason: object) -> RunDirError:
        message = f"the pipeline cannot be run: {str(reason)[:300]}"
        return RunDirError(Fault(message, self._name, hint="Train again"))


def _longest_text(column: np.ndarray) -> int:
    """At most how many bytes a cell has, if they are texts."""
    if column.dtype != object or not len(column):
        return 0
    texts = column[:, 0].tolist()
    longest = max(texts, key=len)
    # A character of a text that is not ASCII takes up to four.
    return len(longest) * (1 if all(map(str.isascii, texts)) else 4)
