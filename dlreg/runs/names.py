"""The name of every file of a run directory, and of what may stand beside it while it is written.

Whoever reads or writes a file of a run takes its name from here.
"""

from pathlib import Path

CONFIG = "config.yaml"
METRICS = "metrics.json"
HISTORY = "history.json"
HISTORY_TABLE = "history.csv"
MODEL = "model.keras"
PREPROCESSING = "preprocessing.json"
PIPELINE = "pipeline.onnx"
PREDICTIONS = "predictions.csv"
OUT_OF_FOLD = "out_of_fold.csv"
VALIDATION = "validation.csv"
SPLIT = "split.json"
INTERVALS = "intervals.json"
SUMMARY = "summary.txt"
RUN = "run.json"
CHECKPOINT = "checkpoint.safetensors"
LOCK = ".lock"

LOSS_CURVE = "loss_curve.png"
PREDICTIONS_PLOT = "predictions.png"
RESIDUALS_PLOT = "residuals.png"
IMPORTANCE = "importance.png"

CARD = "README.md"
REPORT = "report.html"
SIGNATURE = "model.sig"

# What every complete run has, each file with its hash.
REQUIRED = frozenset({CONFIG, METRICS, HISTORY, MODEL, PREPROCESSING, PIPELINE, PREDICTIONS, SPLIT, SUMMARY})
FIGURES = frozenset({LOSS_CURVE, PREDICTIONS_PLOT, RESIDUALS_PLOT, IMPORTANCE})
# Made anew at will, or later than the run, so their hashes are not kept.
UNHASHED = FIGURES | {CARD, REPORT, SIGNATURE}
FILES = REQUIRED | UNHASHED | {HISTORY_TABLE, INTERVALS, OUT_OF_FOLD, VALIDATION, RUN, CHECKPOINT, LOCK}


def lock_beside(path: Path) -> Path:
    """The lock file of a run directory; it names the process that holds it."""
    return _beside(path, "lock")


def new_beside(path: Path) -> Path:
    """Where a new run is made before it replaces the one at `path`."""
    return _beside(path, "new")


def old_beside(path: Path) -> Path:
    """Where the old run stands while it is replaced."""
    return _beside(path, "dlreg-old")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{ending}")
