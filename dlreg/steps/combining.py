"""All members become one mixture, and one Keras model."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.features.target import TargetScaling
from dlreg.model.keras_model import combined_model, trained_model
from dlreg.model.mixture import Mixture
from dlreg.model.weights import TrainedVariant, trained_variants
from dlreg.steps.preparing import Prepared
from dlreg.table.dataset import Dataset
from dlreg.training.loop import Trained
from dlreg.training.members import members_of, predicting_members
from dlreg.training.train import mix_trained


@dataclass(frozen=True)
class Networks:
    """Trained members, and how they make one prediction.

    Attributes:
        variants: Each kind of network with its members' final weights.
        mixture: How much of each there is in a prediction.
        y_unseen: With cross-validation what is predicted for the training rows by members that left them out,
            in the target's units, `(n_train,)`, NaN where no fold validates.
    """

    variants: list[TrainedVariant]
    mixture: Mixture
    y_unseen: np.ndarray | None


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
    refitted = config.training.refit is not None
    predicting = predicting_members(members_of(config), dataset.folds, refitted=refitted)
    mixture, y_unseen = mix_trained(
        config,
        dataset,
        prepared.preprocessing,
        validated,
        prepared.x["train"],
        predicting,
        prepared.fold_x,
    )
    return Networks(trained_variants(prepared.variants, trained.weights, predicting), mixture, y_unseen)


def build_keras_model(prepared: Prepared, networks: Networks) -> KerasModel:
    """The same network, built from stock Keras layers."""
    models = [trained_model(network, members) for network, members in networks.variants]
    n_parameters = sum(model.count_params() for model in models)
    target, levels = prepared.preprocessing.target, prepared.preprocessing.embedded_levels
    return KerasModel(combined_model(models, networks.mixture, levels), n_parameters, target)
