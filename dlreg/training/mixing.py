"""Trained members make one prediction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dlreg.config.schema import Config
from dlreg.engine.forward import predict
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.mixture import Mixture, mean_of
from dlreg.model.weights import TrainedVariant
from dlreg.table.parts import Dataset
from dlreg.training.blending import BlendedRows, mix_members
from dlreg.training.members import members_of
from dlreg.training.selection import select_on_validation_rows


class Mixed(NamedTuple):
    """One prediction of several members.

    Attributes:
        mixture: How much there is of each.
        y_unseen: With cross-validation what is predicted for the training rows by members that left them out,
            in the target's units, shape `(n_train,)`, NaN where no fold validates; else None.
        y_validated: Where the validation rows select members, what those that others of them select predict
            for each, in the target's units, shape `(n_validation,)`; else None.
    """

    mixture: Mixture
    y_unseen: np.ndarray | None = None
    y_validated: np.ndarray | None = None


def mix_trained(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    validated: Sequence[TrainedVariant],
    x: Mapping[str, np.ndarray],
    predicting: Sequence[int],
    fold_x: Sequence[np.ndarray] = (),
) -> Mixed:
    """Combines the members, and predicts rows by those that know nothing of them.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        validated: The members with weights that know nothing of the rows they left out.
        x: The preprocessed training and validation rows, `(n_rows, n_features)` each.
        predicting: Which members predict new rows.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.
    """
    members, target = members_of(config), preprocessing.target
    selects = config.model.ensemble_selection == "greedy"
    if not dataset.folds:
        variants, limits = [member.variant for member in members], preprocessing.limits
        if not selects:
            return Mixed(mean_of(variants, np.ones(len(members)), limits))
        y = target.forward(dataset.parts["validation"].y_true)
        of_variants = [predict(*variant, x["validation"]) for variant in validated]
        selected = [select_on_validation_rows(predictions, y) for predictions in of_variants]
        counts = np.concatenate([counts for counts, _ in selected])
        y_validated = np.mean([unseen for _, unseen in selected], axis=0)
        y_validated = np.clip(y_validated, *limits) if limits else y_validated
        return Mixed(mean_of(variants, counts, limits), y_validated=target.inverse(y_validated))
    mixture, unseen = mix_members(
        members,
        [_predict_training_rows(variant, x["train"], fold_x) for variant in validated],
        dataset.folds,
        BlendedRows(x["train"], preprocessing.embedded_levels, fold_x),
        target.forward(dataset.parts["train"].y_true),
        predicting=predicting,
        limits=preprocessing.limits,
        beside=config.model.blend,
        seed=config.training.seed,
        selects=selects,
    )
    return Mixed(mixture, y_unseen=target.inverse(unseen))


def _predict_training_rows(
    variant: TrainedVariant, x_train: np.ndarray, fold_x: Sequence[np.ndarray]
) -> np.ndarray:
    """What each member of a variant predicts for every training row, `(n_members, n_train)`."""
    network, weights = variant
    if not fold_x:
        return predict(network, weights, x_train)
    # The members of a fold stand side by side.
    size = len(weights) // len(fold_x)
    return np.concatenate(
        [predict(network, weights[fold * size : (fold + 1) * size], x) for fold, x in enumerate(fold_x)]
    )
