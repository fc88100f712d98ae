"""Who trains on what: the members of a run, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.table.splits import Fold, go_forward

LEAST_AUTO_EPOCHS = 8
# Of a training with neither epochs nor steps: as many passes, within limits, as make so many visits to a row.
VISITS, LEAST_EPOCHS, MOST_EPOCHS = 8_000_000, 100, 400
# Small batches on small tables: an epoch of them has more steps, and each is noisier.
SMALL_BATCH, BATCH, MOST_ROWS_OF_SMALL_BATCHES = 16, 32, 10_000
LEAST_PATIENCE = 20


@dataclass(frozen=True)
class Member:
    """One network of a run.

    Attributes:
        variant: Counts the embeddings; members of one variant are alike.
        embedding: Of its numbers.
        fold: The 0-based fold it leaves out of its training rows and validates on; None where there is no
            cross-validation.
        number: Counts those of one variant and fold.
    """

    variant: int
    embedding: str
    fold: int | None
    number: int = 0


def plan_members(embeddings: Sequence[str], ensemble: int, n_folds: int | None) -> tuple[Member, ...]:
    """The members of a run, variant by variant: for each embedding and fold as many as `ensemble` says."""
    return tuple(
        Member(variant, embedding, fold, number)
        for variant, embedding in enumerate(embeddings)
        for fold in (range(n_folds) if n_folds else (None,))
        for number in range(ensemble)
    )


def members_of(config: Config) -> tuple[Member, ...]:
    """The members that a config trains."""
    return plan_members(
        config.preprocessing.embeddings, config.model.independent_members, config.training.cross_validation
    )


def visiting_members(config: Config) -> list[Member]:
    """Who meets rows in an order of its own: each member, as often as there are that share its weights."""
    return [member for member in members_of(config) for _ in range(config.model.shared_members)]


def network_options(config: Config) -> dict[str, Any]:
    """What all networks of a run have in common, as `dlreg.model.architecture.Network` takes it."""
    of_members = {
        "ensemble", "ensemble_kind", "ensemble_selection", "sample", "blend", "dropout", "dropout_schedule"
    }  # fmt: skip
    return {**config.model.model_dump(exclude=of_members), "shared_members": config.model.shared_members}


def training_rows(members: Sequence[Member], n_rows: int, folds: Sequence[Fold]) -> list[np.ndarray]:
    """The positions in the training part that each member trains on, ascending, `(n_rows,)` each.

    Args:
        members: Of the run.
        n_rows: Rows of the training part.
        folds: None without cross-validation.
    """
    every = np.arange(n_rows, dtype=np.int32)
    return [every if member.fold is None else folds[member.fold].train for member in members]


def predicting_members(members: Sequence[Member], folds: Sequence[Fold], *, refitted: bool) -> list[int]:
    """Which members predict new rows: all of them.

    Where folds go forward in time and members are not refitted with all rows, those of the last fold alone:
    the others have learnt from fewer rows, and none of late.

    Args:
        members: Of the run.
        folds: None without cross-validation.
        refitted: Whether each member goes on with all training rows.
    """
    last_alone = go_forward(folds) and not refitted
    return [
        number for number, member in enumerate(members) if not last_alone or member.fold == len(folds) - 1
    ]


def epoch_groups(
    members: Sequence[Member], *, goes_forward: bool, are_alike: bool = True
) -> np.ndarray | None:
    """Which members have their best epoch in common: under cross-validation, those of one embedding.

    Where folds go forward in time each has its own, for they have learnt from more and more rows.

    Args:
        members: Of the run.
        goes_forward: Whether folds do.
        are_alike: Whether those of a fold differ in nothing but chance; else each has those of the other
            folds with it that do as it does.

    Returns:
        The group of each, shape `(n_members,)`; None where each member has its own.
    """
    if goes_forward or members[0].fold is None:
        return None
    keys = [(member.variant, 0 if are_alike else member.number) for member in members]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return np.array([places[key] for key in keys])


def divide_epoch(n_rows: int, batch_size: int, *, equal_batches: bool) -> tuple[int, int]:
    """The rows of a batch and the batches of an epoch.

    Args:
        n_rows: Training rows of an epoch.
        batch_size: The most rows of a batch.
        equal_batches: Whether they are as many in every batch, but for rounding; or `batch_size` in all but
            the last, as in Keras.
    """
    steps_per_epoch = -(-n_rows // batch_size)
    return -(-n_rows // steps_per_epoch) if equal_batches else min(batch_size, n_rows), steps_per_epoch


def count_epochs(epochs: int | str, n_rows: int, steps_per_epoch: int, auto_steps: int | None) -> int:
    """How many epochs there will be at most.

    `auto` is as many as `auto_steps` steps make, if they are given. On small tables, which are learnt by
    heart before, it is fewer: `auto_steps` / 20 epochs, or as many as a quarter of the steps make, up to
    `auto_steps` / 5. Else it is 400 up to 20,000 rows, and in proportion fewer for more rows, 100 at least.
    """
    if isinstance(epochs, int):
        return epochs
    if auto_steps is None:
        return max(LEAST_EPOCHS, min(MOST_EPOCHS, VISITS // n_rows))
    enough = auto_steps // max(steps_per_epoch, 20)
    on_small_tables = auto_steps // max(4 * steps_per_epoch, 5)
    return max(LEAST_AUTO_EPOCHS, enough, on_small_tables)


def count_refit_epochs(
    epochs_fraction: float, best_epochs: Sequence[int] | np.ndarray, *, catches_up: bool = False
) -> np.ndarray:
    """How many epochs each member is refitted, at least one.

    Args:
        epochs_fraction: Of its best epoch.
        best_epochs: Those, 1-based, shape `(n_members,)`.
        catches_up: Whether all are to have as many epochs in the end as the one with the latest best epoch:
            where folds go forward in time, the first ones stop soon, for they know few rows.
    """
    best = np.asarray(best_epochs)
    latest = best.max() if catches_up else best
    return np.asarray(np.maximum(1, np.rint(epochs_fraction * latest).astype(np.int64) + latest - best))


@dataclass(frozen=True)
class EpochPlan:
    """How rows are divided into steps, and how long a training lasts.

    Attributes:
        n_rows: Training rows of an epoch: those of the member that has most.
        batch_size: The most rows of a batch.
        steps_per_epoch: Batches in an epoch.
        epochs: The most epochs there will be.
        patience: Epochs without improvement before training ends; None where it does not end early.
    """

    n_rows: int
    batch_size: int
    steps_per_epoch: int
    epochs: int
    patience: int | None


def plan_epochs(config: Config, n_rows: int) -> EpochPlan:
    """The epochs that a config asks for.

    Args:
        config: Of the run.
        n_rows: Training rows of an epoch: those of the member that has most.
    """
    training, stopping = config.training, config.training.early_stopping
    most = training.batch_size
    if isinstance(most, str):
        most = SMALL_BATCH if n_rows <= MOST_ROWS_OF_SMALL_BATCHES else BATCH
    batch_size, steps = divide_epoch(n_rows, most, equal_batches=training.equal_batches)
    epochs = count_epochs(training.epochs, n_rows, steps, training.auto_steps)
    patience = stopping.patience if stopping else None
    if isinstance(patience, str):
        patience = max(LEAST_PATIENCE, epochs // 10)
    return EpochPlan(n_rows, batch_size, steps, epochs, patience)
