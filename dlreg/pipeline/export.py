"""The whole way from raw cells to the prediction as one ONNX graph, built from three parts.

    cells ──▶ features: missing numbers flagged, dates → calendar, texts → levels (`cells`)
          ──▶ missing numbers filled, scaled, texts encoded (`scaling`)
          ──▶ network and the target's scale undone (`networks`)

Numbers stay in double precision until they are scaled, so that years, ids and money lose nothing.
"""

import sys
from collections.abc import Sequence

import onnx
from onnx import compose

from dlreg.errors import DataError, Fault
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.mixture import Mixture
from dlreg.model.weights import TrainedVariant
from dlreg.pipeline.cells import cells_graph
from dlreg.pipeline.graph import PREDICTION, SPREAD, with_versions
from dlreg.pipeline.limits import BYTES_OF_TREES, PARTS_OF_TREES, TEXTS_OF_TREES, limits_of
from dlreg.pipeline.networks import network_graph
from dlreg.pipeline.scaling import scaling_graph
from dlreg.pipeline.vetting import patterns_memory
from dlreg.pipeline.wire import count_parts

OUTPUTS = (PREDICTION, SPREAD)
# What cells and levels may take of a pipeline's limits.
SHARE_OF_CELLS = 0.95
# The tensor between preprocessing and network.
ROWS = "rows"


def export_pipeline(
    preprocessing: Preprocessing, variants: Sequence[TrainedVariant], mixture: Mixture
) -> onnx.ModelProto:
    """Builds `pipeline.onnx`.

    Args:
        preprocessing: Fitted on the training rows.
        variants: Each kind of network with the trained weights of its members.
        mixture: What a prediction is made of.

    Returns:
        A checked model with one input of shape [N, 1] per column, named as the column: numbers as
        double, text and dates as string; its first output is the prediction in the target's units,
        double of shape [N, 1], the second, for several members, their standard deviation.
    """
    names = [column.name for column in preprocessing.columns]
    prefix = free_prefix(names)
    stages = [
        cells_graph(preprocessing.columns, preprocessing.features, preprocessing.levels),
        scaling_graph(preprocessing),
        network_graph(variants, mixture, preprocessing.target, OUTPUTS),
    ]
    merged, *others = (
        with_versions(compose.add_prefix(stage, f"{prefix}{number}/").graph)
        for number, stage in enumerate(stages)
    )
    for stage in others:
        joints = zip(merged.graph.output, stage.graph.input, strict=True)
        io_map = [(end.name, start.name) for end, start in joints]
        merged = with_versions(compose.merge_models(merged, stage, io_map=io_map).graph)
    inputs = {value.name: name for value, name in zip(merged.graph.input, names, strict=True)}
    outputs = {
        value.name: name if name not in names else f"{prefix}{name}"
        for value, name in zip(merged.graph.output, OUTPUTS, strict=False)
    }
    rows = {f"{prefix}{len(stages) - 2}/{stages[-2].graph.output[0].name}": f"{prefix}{ROWS}"}
    _rename(merged.graph, inputs | outputs | rows)
    merged.graph.name, merged.graph.doc_string = "dlreg", ""
    onnx.checker.check_model(merged, full_check=True)
    return merged


def refuse_large(preprocessing: Preprocessing) -> None:
    """Refuses columns whose pipeline would be too large to be read again, before anything is trained.

    Raises:
        DataError: There are too many dates and categories, or their levels are too long.
    """
    columns = preprocessing.columns
    cells = cells_graph(columns, preprocessing.features, preprocessing.levels)
    limits = limits_of(len(columns))
    stages = [cells, scaling_graph(preprocessing)]
    parts = [count_parts(stage.SerializeToString(), sys.maxsize) for stage in stages]
    for name, value, limit in (
        ("operators", len(cells.graph.node), limits.nodes),
        ("names and levels", sum(of_stage.total for of_stage in parts), limits.parts - PARTS_OF_TREES),
        (
            "levels",
            sum(of_stage.counts["AttributeProto.strings"] for of_stage in parts),
            limits.texts - TEXTS_OF_TREES,
        ),
        (
            "bytes of names and levels",
            sum(of_stage.n_bytes for of_stage in parts),
            limits.n_bytes - BYTES_OF_TREES,
        ),
        ("bytes of memory for the spellings of levels", patterns_memory(cells.graph), limits.pattern_memory),
    ):
        # The rest is for the network.
        most = int(SHARE_OF_CELLS * limit)
        if value > most:
            message = (
                f"dates and categories take {value:,} {name} in the pipeline, where {most:,} are the most"
            )
            hint = "Leave some out with data.exclude, or give levels shorter texts"
            raise DataError(Fault(message, hint=hint))


def free_prefix(names: Sequence[str]) -> str:
    """A prefix for the names of a pipeline's own tensors, so that none is a column's."""
    prefix = "dlreg/"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)
