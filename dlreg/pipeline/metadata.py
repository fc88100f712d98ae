"""What a pipeline says of itself, for those who have the one file: ONNX's metadata.

Nothing of it changes with the time or the place of a training: two runs of one config are equal to the byte.
"""

import json
from collections.abc import Mapping
from typing import Any

import onnx

from dlreg import __version__
from dlreg.pipeline.graph import METADATA_PREFIX


def with_metadata(
    model: onnx.ModelProto, target: str, unit: str | None, intervals: Mapping[str, Any]
) -> onnx.ModelProto:
    """A pipeline that says what it predicts, and what its intervals are made from.

    Args:
        model: The finished pipeline.
        target: The column it predicts.
        unit: That column's unit; told only if there is one.
        intervals: What `intervals.json` says.

    Returns:
        The same graph with the texts `dlreg.name` (a pipeline is called after its target), `dlreg.version`,
        `dlreg.target`, `dlreg.unit` and `dlreg.intervals`, the last one in JSON.
    """
    texts = {
        "name": target,
        "version": __version__,
        "target": target,
        **({"unit": unit} if unit else {}),
        "intervals": json.dumps(intervals, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }
    told = onnx.ModelProto(producer_version=__version__)
    told.MergeFrom(model)
    onnx.helper.set_model_props(told, {f"{METADATA_PREFIX}{key}": text for key, text in texts.items()})
    return told
