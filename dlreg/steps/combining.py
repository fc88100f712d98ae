"""All members become one mixture, and one Keras model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.features.target import TargetScaling
from dlreg.model.keras_model import combined_model, trained_model
from dlreg.model.mixture import Mixture
from dlreg.model.weights import TrainedVariant, Weights, trained_variants
from dlreg.steps.preparing import Prepared
from dlreg.table.parts import Dataset
from dlreg.training.loop import Trained
from dlreg.training.members import members_of, predicting_members
from dlreg.training.mixing import mix_trained
from dlreg.training.sampling import member_values


@dataclass(frozen=True)
class Networks:
    """Trained members, and how they make one prediction.

    Attributes:
        variants: Each kind of network with its members' final weights.
        validated: The same with weights that know nothing of the validation rows; None where nothing was
            refitted with them.
        mixture: How much of each there is in a prediction.
        y_unseen: With cross-validation what is predicted for the training rows by members that left them out,
            in the target's units, `(n_train,)`, NaN where no fold validates.
        y_validated: As in `dlreg.training.mixing.Mixed`.
        member_weights: How much there is of each member that was trained, `(n_members,)`; 0 of those that are
            not among `variants`.
    """

    variants: list[TrainedVariant]
    validated: list[TrainedVariant] | None
    mixture: Mixture
    y_unseen: np.ndarray | None
    y_validated: np.ndarray | None
    member_weights: np.ndarray


@dataclass(frozen=True)
class KerasModel:
    """A trained network as one stock Keras model.

    Attributes:
        model: From preprocessed rows to the scaled target.
        n_parameters: Of all members, as Keras counts them.
        target: How the target was scaled.
    """

    model: Any
    n_parameters: int
    target: TargetScaling

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The predictions of preprocessed rows in the target's units, shape `(n_rows,)`."""
        # The model is called directly, because `Model.predict` would compile it first.
        scaled = np.asarray(self.model(x, training=False))[:, 0].astype(np.float64)
        return np.asarray(self.target.inverse(scaled))


def combine(config: Config, dataset: Dataset, prepared: Prepared, trained: Trained) -> Networks:
    """Combines all members into one mixture."""
    validated = trained_variants(prepared.variants, trained.validated)
    refitted, members = config.refitting is not None, members_of(config)
    predicting = predicting_members(members, dataset.folds, refitted=refitted)
    mixed = mix_trained(
        config,
        dataset,
        prepared.preprocessing,
        validated,
        prepared.x,
        predicting,
        prepared.fold_x,
    )
    mixture = mixed.mixture
    if config.model.ensemble_selection == "greedy":
        # What counts for nothing would cost every prediction its time; but a model has one network.
        counts = mixture.weights > 0 if mixture.weights.any() else np.arange(len(predicting)) == 0
        predicting = [number for number, does_count in zip(predicting, counts, strict=True) if does_count]
        mixture = replace(mixture, weights=mixture.weights[counts])
    member_weights = np.zeros(len(members))
    member_weights[predicting] = mixture.weights

    def predicted_by(weights: Sequence[Weights]) -> list[TrainedVariant]:
        variants = trained_variants(prepared.variants, weights, predicting)
        return [variant for variant in variants if variant.members]

    knows_validation = bool(trained.refit_epochs.any()) and not dataset.folds
    before = predicted_by(trained.validated) if knows_validation else None
    return Networks(
        predicted_by(trained.weights), before, mixture, mixed.y_unseen, mixed.y_validated, member_weights
    )


def describe_members(config: Config, networks: Networks) -> list[dict[str, Any]]:
    """What each member drew, and its weight, in plain values; nothing where all are alike and predict."""
    predicts = networks.member_weights > 0
    some_predict = predicts.any() and not predicts.all()
    if config.model.sample is None and config.model.ensemble_selection == "all" and not some_predict:
        return []
    values = member_values(config)
    return [
        {
            "embedding": member.embedding,
            "validation_fold": member.fold,
            **{name: float(of_members[number]) for name, of_members in values._asdict().items()},
            "weight": float(networks.member_weights[number]),
        }
        for number, member in enumerate(members_of(config))
    ]


def describe_blend(networks: Networks) -> dict[str, float]:
    """The share that networks, and what is beside them, have in a prediction; nothing of networks alone."""
    mixture = networks.mixture
    beside = {
        name: float(model.weight)
        for name, model in (("ridge", mixture.ridge), ("trees", mixture.trees))
        if model is not None
    }
    return {"networks": float(mixture.weights.sum()), **beside} if beside else {}


def build_keras_model(prepared: Prepared, networks: Networks) -> KerasModel:
    """The same network, built from stock Keras layers."""
    models = [trained_model(network, members) for network, members in networks.variants]
    n_parameters = sum(model.count_params() for model in models)
    target, levels = prepared.preprocessing.target, prepared.preprocessing.embedded_levels
    return KerasModel(combined_model(models, networks.mixture, levels), n_parameters, target)
