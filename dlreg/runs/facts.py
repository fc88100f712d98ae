"""What `run.json` says of how a run came about: process, versions, data, machine."""

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from typing import Any

from dlreg import __version__
from dlreg.config.schema import Config
from dlreg.files.table_files import fingerprint
from dlreg.processor import read_cpuinfo
from dlreg.runs.own_table import files_of_data
from dlreg.table.parts import Dataset
from dlreg.table.stored_dataset import StoredDataset

PACKAGES = ("tensorflow", "keras", "scikit-learn", "pandas", "numpy", "onnx", "onnxruntime")


def now() -> str:
    """The time as `run.json` writes it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def gather_facts(
    config: Config, dataset: Dataset | StoredDataset, threads: int, started: str
) -> dict[str, Any]:
    """The facts that may later explain a run: process, versions, data, machine.

    Args:
        config: Of the run.
        dataset: Its rows.
        threads: How many threads an operation uses.
        started: What `now` said when the run began.
    """
    return {
        "process": os.getpid(),
        "started": started,
        "versions": {"dlreg": __version__, "python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        "seed": config.training.seed,
        "data": {
            key: {"path": str(path), **fingerprint(path)._asdict()}
            for key, path in files_of_data(config).items()
        },
        "rows": dataset.n_rows,
        "machine": {"system": platform.platform(), "processor": _processor(), "cpu_count": os.cpu_count()},
        "threads": threads,
    }


def _processor() -> str:
    lines = read_cpuinfo()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, "") if lines else platform.processor()
