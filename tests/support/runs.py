"""Run directories without a training, and what a stranger makes of others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlreg.files.hashing import sha256_of_file
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import PIPELINE, RUN
from dlreg.runs.reading import record_json


def complete_run(path: Path, files: dict[str, bytes] | None = None, **facts: Any) -> Path:
    """A complete run of these files and facts."""
    with open_run_dir(path) as run:
        for name, content in (files or {"config.yaml": b"a: 1\n"}).items():
            run.write(name, content)
        run.set_status("complete", facts)
    return path


def spoil_pipeline(path: Path, factor: float) -> None:
    """Adds the first column of numbers, times a factor, to what a run predicts; its hashes are made to agree."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path / PIPELINE)
    graph = model.graph
    output = graph.output[0].name
    number = next(value for value in graph.input if value.type.tensor_type.elem_type == TensorProto.DOUBLE)
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = ["unspoiled" if name == output else name for name in names]
    graph.initializer.append(numpy_helper.from_array(np.float64(factor), "factor"))
    graph.node.append(helper.make_node("Mul", [number.name, "factor"], ["spoiling"]))
    graph.node.append(helper.make_node("Add", ["unspoiled", "spoiling"], [output]))
    (path / PIPELINE).write_bytes(model.SerializeToString())
    record_anew(path, PIPELINE)


def record_anew(path: Path, name: str) -> None:
    """What somebody does who changes a file of a run: `run.json` fits it again."""
    entry = {"size": (path / name).stat().st_size, "sha256": sha256_of_file(path / name)}
    rewrite_record(path, lambda record: record["files"].__setitem__(name, entry))


def rewrite_record(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Another `run.json`, with a hash that fits it."""
    record = json.loads((path / RUN).read_text(encoding="utf-8"))
    record.pop("sha256")
    change(record)
    (path / RUN).write_bytes(record_json(record))
