"""Whether the pipeline that is written predicts what Keras predicts."""

import numpy as np

# Keras and ONNX Runtime differ by rounding; by more, as a share of the target's spread, is a bug.
MAX_DIFFERENCE = 1e-4
COMPARED_ROWS = 1024
# How many times as far as by the rounding of its inputs the sums in a network may move a prediction.
MOST_ROUNDINGS = 4


def compared_rows(n_rows: int) -> np.ndarray:
    """The positions of at most `COMPARED_ROWS` rows to compare, evenly spread, `(n_compared,)`."""
    return np.unique(np.linspace(0, n_rows - 1, COMPARED_ROWS, dtype=int)) if n_rows else np.arange(0)


def refuse_disagreement(
    y_keras: np.ndarray, y_pipeline: np.ndarray, *, spread: float, y_nudged: np.ndarray
) -> None:
    """Compares two predictions of the same rows, in the target's units, `(n_rows,)` each.

    Args:
        y_keras: What the Keras model predicts.
        y_pipeline: What ONNX Runtime makes of the pipeline.
        spread: The target's standard deviation.
        y_nudged: What Keras predicts where each input is the next number of single precision. Where inputs
            are large, as unscaled ones may be, rounding alone moves a prediction as far.

    Raises:
        RuntimeError: They differ by more than `MAX_DIFFERENCE` of the spread, and than rounding explains.
    """
    if not len(y_keras):
        return
    apart, rounding = (float(np.max(np.abs(y_keras - y))) / spread for y in (y_pipeline, y_nudged))
    if not apart <= MAX_DIFFERENCE + MOST_ROUNDINGS * rounding:
        raise RuntimeError(f"pipeline.onnx and the Keras model differ by {apart:.2g} standard deviations")
