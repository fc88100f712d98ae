"""Trained members make one prediction."""

from collections.abc import Mapping, Sequence

import numpy as np

from dlreg.config.schema import Config
from dlreg.engine.forward import predict
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.mixture import Mixture, mean_of
from dlreg.model.weights import TrainedVariant
from dlreg.table.parts import Dataset
from dlreg.training.blending import BlendedRows, mix_members
from dlreg.training.members import members_of
from dlreg.training.selection import select_greedily


def mix_trained(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    validated: Sequence[TrainedVariant],
    x: Mapping[str, np.ndarray],
    predicting: Sequence[int],
    fold_x: Sequence[np.ndarray] = (),
) -> tuple[Mixture, np.ndarray | None]:
    """Combines the members, and with cross-validation predicts each training row by those that left it out.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        validated: The members with weights that know nothing of the rows they left out.
        x: The preprocessed training and validation rows, `(n_rows, n_features)` each.
        predicting: Which members predict new rows.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.

    Returns:
        The mixture of these, and with cross-validation the out-of-fold predictions in the target's units,
        shape `(n_train,)`, NaN where no fold validates.
    """
    members, target = members_of(config), preprocessing.target
    selects = config.model.ensemble_selection == "greedy"
    if not dataset.folds:
        counts = np.ones(len(members))
        if selects:
            y = target.forward(dataset.parts["validation"].y_true)
            of_variants = [predict(*variant, x["validation"]) for variant in validated]
            counts = np.concatenate([select_greedily(predictions, y) for predictions in of_variants])
        return mean_of([member.variant for member in members], counts, preprocessing.limits), None
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
    return mixture, target.inverse(unseen)


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
