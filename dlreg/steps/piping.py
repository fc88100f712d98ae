"""The mixture becomes `pipeline.onnx`, whose intervals are calibrated on rows that it was not fitted on."""

from dataclasses import dataclass

import numpy as np

from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError
from dlreg.evaluation.calibration import Calibration, calibrate, describe_calibration
from dlreg.evaluation.results import Predictions
from dlreg.pipeline.export import export_pipeline
from dlreg.pipeline.metadata import with_metadata
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.runs.own_rows import unusable_faults
from dlreg.steps.combining import Networks
from dlreg.steps.preparing import Prepared
from dlreg.table.parts import Dataset
from dlreg.table.splits import validated_rows


@dataclass(frozen=True)
class BuiltPipeline:
    """`pipeline.onnx`, and the intervals of its predictions.

    Attributes:
        content: The bytes of the file.
        calibration: The intervals.
        calibrated_on: The rows they are calibrated on: `validation` or `out_of_fold`.
        before_refit: As of `pipeline_before_refit`.
    """

    content: bytes
    calibration: Calibration
    calibrated_on: str
    before_refit: Pipeline | None


def pipeline_before_refit(prepared: Prepared, networks: Networks) -> Pipeline | None:
    """What predicts the validation rows without knowing them, where the final networks have learnt them."""
    if networks.validated is None:
        return None
    graph = export_pipeline(prepared.preprocessing, networks.validated, networks.mixture)
    return Pipeline(graph.SerializeToString())


def build_pipeline(
    dataset: Dataset, prepared: Prepared, networks: Networks, data: DataConfig
) -> BuiltPipeline:
    """Writes the graph, and calibrates its intervals on rows that the networks were not fitted on.

    These are the out-of-fold rows of cross-validation, else the validation rows as the networks predict them
    before they are refitted, or where they select networks, as those do that others of them select. Where
    some rows are harder to predict than others the graph has their scale as a further output.

    Args:
        dataset: The rows.
        prepared: How they are preprocessed.
        networks: What was trained on them.
        data: Names the column that is predicted, for who has nothing but the graph.

    Raises:
        DataError: A row's prediction is no number to use.
    """
    graph = export_pipeline(prepared.preprocessing, networks.variants, networks.mixture)
    before = pipeline_before_refit(prepared, networks)
    if networks.y_unseen is None:
        name, rows = "validation", np.arange(len(dataset.parts["validation"].rows))
        y_pred = networks.y_validated
        if y_pred is None:
            y_pred = (before or Pipeline(graph.SerializeToString())).predict(dataset.parts[name].cells)
    else:
        name, rows = "train", validated_rows(dataset.folds)
        y_pred = networks.y_unseen[rows]
    part = dataset.parts[name]
    y_true = part.y_true[rows]
    unusable = Predictions(y_true, y_pred, rows=part.rows[rows]).unusable
    if faults := unusable_faults({name: unusable}, data):
        raise DataError(*faults)
    levels = prepared.preprocessing.embedded_levels
    calibration = calibrate(prepared.x[name][rows], y_true, y_pred, levels)
    if calibration.scale:
        graph = add_residual_scale(graph, calibration.scale, levels)
    calibrated_on = "validation" if networks.y_unseen is None else "out_of_fold"
    intervals = describe_calibration(calibration, calibrated_on)
    graph = with_metadata(graph, data.target, dataset.target_unit, intervals)
    return BuiltPipeline(graph.SerializeToString(), calibration, calibrated_on, before)
