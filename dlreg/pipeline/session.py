"""A trained pipeline: rows of a CSV in, predictions in the target's units out, run by ONNX Runtime.

Rows are given to it block by block, each to a thread of its own. That keeps every core busy and the tensors
of a block in its cache; ONNX Runtime's own threads share the work of one operator, wait for each other after
each, and count the machine's cores instead of those that this process may use.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dlreg.errors import DataError, Fault, RunDirError, located
from dlreg.memory import is_lack_of_memory
from dlreg.pipeline.bound_columns import BoundColumns
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.pipeline.telemetry import telemetry_off
from dlreg.pipeline.vetting import plain_output, vet_model
from dlreg.processor import usable_cores

with telemetry_off():
    import onnxruntime as ort
    from onnxruntime.capi import onnxruntime_pybind11_state as native

# Threads share the memory of a call, and with much less than this each a block is too small to be fast.
MOST_THREADS = 8
# Fewer rows are not worth a thread.
ROWS_PER_THREAD = 256
# What is made of more does not stay in a processor's cache from one operator to the next.
MOST_ROWS_PER_CALL = 4096
# Fewer are given to a call as they are in less time than bound.
MANY_COLUMNS = 200
# Rows are computed in groups of so many, a remainder otherwise, with other roundings. There is none: a row's
# prediction must be the same to the bit, whichever rows it is predicted with.
ROWS_ALIKE = 4
_NO_NUMBERS, _NO_TEXTS = np.zeros((ROWS_ALIKE, 1)), np.full((ROWS_ALIKE, 1), "", dtype=object)

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
        options.intra_op_num_threads = 1
        try:
            self._session = ort.InferenceSession(vetted, options, providers=["CPUExecutionProvider"])
        except _RUNTIME_ERRORS as error:
            raise self._cannot_run(error) from None
        self._outputs = [plain_output(output.name) for output in self._session.get_outputs()]
        self._of_thread = threading.local()
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
        if not n_rows:
            return {name: np.empty(0) for name in self._outputs}
        n_threads, rows = self._division(cells, n_rows)
        if rows >= n_rows:
            return dict(zip(self._outputs, self._run_block(cells), strict=True))
        blocks = (
            {name: column[start : start + rows] for name, column in cells.items()}
            for start in range(0, n_rows, rows)
        )
        if n_threads == 1:
            parts = list(map(self._run_block, blocks))
        else:
            with ThreadPoolExecutor(n_threads) as threads:
                parts = list(threads.map(self._run_block, blocks))
        columns = (np.concatenate(output) for output in zip(*parts, strict=True))
        return dict(zip(self._outputs, columns, strict=True))

    def _division(self, cells: Mapping[str, np.ndarray], n_rows: int) -> tuple[int, int]:
        """How many threads run the pipeline, and how many rows each is given at once.

        Raises:
            DataError: A cell is so long that predicting its row would take too much memory.
        """
        texts = (name for name, column in cells.items() if column.dtype == object)
        longest, name = max(((_longest_text(cells[name]), name) for name in texts), default=(0, ""))
        n_threads = min(MOST_THREADS, -(-n_rows // ROWS_PER_THREAD))
        # To count the cores takes longer than to predict a row.
        n_threads = min(n_threads, usable_cores()) if n_threads > 1 else 1
        rows = self._memory.rows_per_call(longest, n_threads)
        if rows < ROWS_ALIKE:
            n_threads, rows = 1, self._memory.rows_per_call(longest)
        if not rows:
            message = (
                f"column {name!r}: a cell of {longest:,} bytes takes too much memory to be predicted from"
            )
            raise DataError(Fault(message, hint="Shorten it"))
        share = -(-n_rows // n_threads)
        rows = min(rows, share + -share % ROWS_ALIKE, MOST_ROWS_PER_CALL)
        return n_threads, rows - rows % ROWS_ALIKE or rows

    def _run_block(self, block: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Every output of some rows, shape `(n_rows,)` each."""
        n_rows = len(next(iter(block.values())))
        n_missing = -n_rows % ROWS_ALIKE
        filled = _filled(block, n_rows, n_missing) if n_missing else block
        try:
            outputs = self._outputs_of(filled)
        except _RUNTIME_ERRORS as error:
            raise self._cannot_run(error) from None
        for output in outputs:
            if output.shape != (n_rows + n_missing, 1) or output.dtype != np.float64:
                raise self._cannot_run(f"{output.dtype} predictions of shape {output.shape}")
        return [output[:n_rows, 0] for output in outputs]

    def _outputs_of(self, cells: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        if len(cells) < MANY_COLUMNS or not all(self.inputs.values()):
            return list(self._session.run(None, cells))
        n_rows = len(next(iter(cells.values())))
        bound = getattr(self._of_thread, "bound", None)
        if bound is None or bound.n_rows != n_rows:
            bound = self._of_thread.bound = BoundColumns(self._session, self.inputs, n_rows)
        return list(bound.run(cells))

    def _cannot_run(self, reason: object) -> RunDirError | MemoryError:
        if isinstance(reason, Exception) and is_lack_of_memory(reason):
            return MemoryError(str(reason))
        message = f"the pipeline cannot be run: {str(reason)[:300]}"
        return RunDirError(Fault(message, self._name, hint="Train again"))


def _filled(cells: Mapping[str, np.ndarray], n_rows: int, n_missing: int) -> dict[str, np.ndarray]:
    """Columns with some more cells, which take no memory."""
    texts = {name: column for name, column in cells.items() if column.dtype == object}
    numbers = {name: column for name, column in cells.items() if name not in texts}
    filled = {name: np.concatenate((column, _NO_TEXTS[:n_missing])) for name, column in texts.items()}
    if n_rows > ROWS_ALIKE or not numbers:
        others = (
            (name, np.concatenate((column, _NO_NUMBERS[:n_missing]))) for name, column in numbers.items()
        )
        return {**filled, **dict(others)}
    # A function of NumPy takes longer than to fill one of a few rows, so all columns are filled at once.
    together = np.zeros((len(numbers), n_rows + n_missing, 1))
    together[:, :n_rows, 0] = np.concatenate(list(numbers.values()), axis=1).T
    return {**filled, **dict(zip(numbers, together, strict=True))}


def _longest_text(column: np.ndarray) -> int:
    """At most how many bytes a text has."""
    if not len(column):
        return 0
    texts = column[:, 0].tolist()
    longest = max(texts, key=len)
    # A character of a text that is not ASCII takes up to four.
    return len(longest) * (1 if all(map(str.isascii, texts)) else 4)
