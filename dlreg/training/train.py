"""The members of a run: built, trained side by side, and mixed into one prediction."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

import keras
import numpy as np

from dlreg.config.schema import Config
from dlreg.engine.update_rules import build_optimizer
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.mixture import Mixture, mean_of
from dlreg.model.weights import Weights
from dlreg.table.dataset import Dataset
from dlreg.training import loop
from dlreg.training.blending import blend, out_of_fold
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.loop import Trained
from dlreg.training.members import (
    Member,
    count_epochs,
    divide_epoch,
    members_of,
    rows_per_epoch,
    training_rows,
)
from dlreg.training.progress import EarlyStopping, Plateau, Progress, Refit
from dlreg.training.schedules import build_dropout_schedule, build_schedule

# Far enough apart for the seeds of one view's members.
VIEW_SEEDS = 1_000_000


def build_views(
    config: Config, preprocessing: Preprocessing, x_train: np.ndarray, n_members: int
) -> list[Variant]:
    """The networks to train, one kind for each embedding of numbers.

    Args:
        config: Of the run.
        preprocessing: Fitted on the training rows.
        x_train: The training rows, preprocessed, shape `(n_rows, n_features)`.
        n_members: Of all views together.
    """
    options = config.model.model_dump(exclude={"ensemble", "blend", "dropout", "dropout_schedule"})
    names = config.preprocessing.views
    numbers = x_train[:, : preprocessing.n_numbers]
    return [
        Variant(
            Network(
                x_train.shape[1],
                embedding=fit_embedding(name, numbers),
                categories=preprocessing.embedded_categories,
                dropout=dropout,
                **options,
            ),
            n_members // len(names),
        )
        for name, dropout in zip(names, cycle(config.model.dropouts), strict=False)
    ]


def weights_by_view(
    views: Sequence[Variant], weights: Sequence[Weights]
) -> list[tuple[Network, Sequence[Weights]]]:
    """Each kind of network with the weights of its members."""
    ends = np.cumsum([view.n_members for view in views])
    return [
        (view.network, weights[end - view.n_members : end]) for view, end in zip(views, ends, strict=True)
    ]


def mix_members(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    members: Sequence[Member],
    trained: Sequence[tuple[Network, Sequence[Weights]]],
    x: np.ndarray,
) -> tuple[Mixture, np.ndarray | None]:
    """How the members make one prediction, and what it is for training rows that they left out.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        members: What was trained, member by member.
        trained: The same view by view, with weights that know nothing of the rows they left out.
        x: The preprocessed training rows, `(n_train, n_features)`.

    Returns:
        The mixture, and with cross-validation the out-of-fold predictions in the target's units, shape
        `(n_train,)`.
    """
    limits = preprocessing.limits
    if not dataset.folds:
        return mean_of(len(members), limits), None
    folds = [member.fold or 0 for member in members]
    y = preprocessing.target.forward(dataset.parts["train"].y_true)
    predicted = [loop.predict(network, weights, x) for network, weights in trained]
    by_view, start = [], 0
    for of_view in predicted:
        by_view.append(out_of_fold(of_view, folds[start : start + len(of_view)], dataset.folds))
        start += len(of_view)
    if config.model.blend:
        view_of_member = [member.view for member in members]
        mixture, unseen = blend(x, y, dataset.folds, view_of_member, by_view, limits)
    else:
        mixture, unseen = mean_of(len(members), limits), np.mean(by_view, axis=0)
    return mixture, preprocessing.target.inverse(np.clip(unseen, *limits) if limits else unseen)


def train_members(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    views: Sequence[Variant],
    x: Mapping[str, np.ndarray],
    *,
    start: Callable[[Checkpoint], Checkpoint | None],
    on_epoch: Callable[[Progress], None],
    keep: Callable[[Callable[[], Checkpoint]], None],
) -> Trained:
    """Trains all members in one program, see `dlreg.training.loop.fit`.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        views: The networks to train.
        x: The preprocessed rows of each part, `(n_rows, n_features)`.
        start: As in `fit`, and so are the following.
        on_epoch: Told after each epoch.
        keep: Given what returns a checkpoint.
    """
    settings, schedule = config.training, config.training.schedule
    options = schedule.model_dump(exclude={"name"})
    members = members_of(config)
    train, validation = (
        loop.Rows(
            x[name],
            preprocessing.target.forward(dataset.parts[name].y_true).astype(np.float32).reshape(-1, 1),
        )
        for name in ("train", "validation")
    )
    n_rows = rows_per_epoch(len(train.x), dataset.folds)
    batch_size, steps_per_epoch = divide_epoch(
        n_rows, settings.batch_size, equal_batches=settings.equal_batches
    )
    epochs = count_epochs(settings.epochs, steps_per_epoch, settings.auto_steps)

    def mae(y_true: Any, y_pred: Any) -> Any:
        ops = keras.ops
        true, predicted = (preprocessing.target.inverse(y, ops.exp, ops.expm1) for y in (y_true, y_pred))
        return ops.absolute(true - predicted)

    refit = settings.refit
    stopping, factors = settings.early_stopping, settings.learning_rate_factors.model_dump()
    return loop.fit(
        views,
        [
            weights
            for number, view in enumerate(views)
            for weights in initial_weights(view.network, settings.seed + VIEW_SEEDS * number, view.n_members)
        ],
        build_optimizer(
            settings.optimizer,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            clip_norm=settings.clip_norm,
            beta_1=settings.beta_1,
            beta_2=settings.beta_2,
            decays=settings.weight_decay_groups,
            scales_weights=factors.pop("weights_by_fan_in"),
            factors=factors,
        ),
        build_schedule(
            schedule.name,
            settings.learning_rate,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            **options,
        ),
        settings.loss,
        train,
        train if dataset.folds else validation,
        epochs=epochs,
        batch_size=batch_size,
        seed=settings.seed,
        n_rows=n_rows,
        order_of_rows=loop.shuffled_rows(training_rows(members, len(train.x), dataset.folds), settings.seed),
        validation_rows=loop.padded_rows([dataset.folds[member.fold or 0] for member in members])
        if dataset.folds
        else None,
        dropout=build_dropout_schedule(config.model.dropout_schedule, n_steps=epochs * steps_per_epoch),
        metrics={"mae": mae},
        early_stopping=EarlyStopping(**stopping.model_dump()) if stopping else None,
        plateau=Plateau(**options) if schedule.name == "plateau" else None,
        restore_best_weights=settings.restore_best_weights,
        refit=Refit(refit.epochs_fraction, refit.learning_rate_fraction * settings.learning_rate)
        if refit
        else None,
        start=start,
        on_epoch=on_epoch,
        keep=keep,
    )
