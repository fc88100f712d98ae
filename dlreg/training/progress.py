"""The state of a training between epochs: history, best epochs, early stopping, plateaus, refitting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlreg.errors import RunDirError
from dlreg.training.members import count_refit_epochs


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after `patience` epochs without a fall of the watched loss by more than `min_delta`."""

    patience: int
    min_delta: float = 0.0


@dataclass(frozen=True)
class Plateau:
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    The rule of Keras's `ReduceLROnPlateau`, without a cooldown.
    """

    patience: int = 10
    factor: float = 0.5
    min_delta: float = 0.0
    min_learning_rate: float = 0.0


@dataclass(frozen=True)
class Refit:
    """After the last epoch, go on from each member's best one with rows it has not been trained on.

    Attributes:
        epochs_fraction: How many epochs, as a fraction of each member's best epoch.
        learning_rate: At its peak, half way.
        catches_up: Whether folds go forward in time: all members end with as many epochs, see
            `dlreg.training.members`, and none can do without them.
    """

    epochs_fraction: float
    learning_rate: float
    catches_up: bool = False


class _Watch:
    """Counts each member's epochs without improvement."""

    def __init__(self, rule: EarlyStopping | Plateau, n_members: int) -> None:
        self.rule = rule
        self.best, self.waited = np.full(n_members, np.inf), np.zeros(n_members, dtype=np.int64)

    def is_impatient(self, losses: np.ndarray) -> np.ndarray:
        improved = losses < self.best - self.rule.min_delta
        self.best = np.where(improved, losses, self.best)
        self.waited = np.where(improved, 0, self.waited + 1)
        return self.waited >= self.rule.patience


class Progress:
    """The progress of one network, or of several members side by side.

    It depends on nothing but what was recorded, epoch by epoch: recording the same values again brings
    it to the same state.

    Args:
        names: What is measured per epoch: `loss`, metrics, the same with `val_`, `learning_rate`.
        n_members: Networks trained side by side.
        epochs: How many epochs there will be at most.
        early_stopping: When a member stops.
        plateau: When a member's learning rate falls.
        refit: What follows after the last epoch, if anything.
        groups: Of each member, shape `(n_members,)`: those of one number count as one, by the mean of their
            watched losses. Folds that did not each choose an epoch by the rows they left out tell more
            honestly of new rows, as in `cv` of LightGBM and XGBoost. None: each counts by itself.

    Attributes:
        epochs: How many epochs there will be at most, before refitting.
        watched: The loss that decides: `val_loss`, or `loss` where there are no validation rows.
        values: What was recorded: per epoch, refitting included, an array of shape `(n_values, n_members)`.
        history: The means over the members still in training; with one member, its history.
        refit: The means over the members still refitting, of what their training rows tell.
        is_training: Which members are still in training, shape `(n_members,)`.
        slowdown: What the plateau rule multiplies each member's learning rate by, `(n_members,)`.
        best_epochs: Each member's 1-based epoch with the lowest watched loss; 0 before any was finite.
        diverged: Whether a loss is no longer finite.
    """

    def __init__(
        self,
        names: Sequence[str],
        n_members: int,
        *,
        epochs: int,
        early_stopping: EarlyStopping | None = None,
        plateau: Plateau | None = None,
        refit: Refit | None = None,
        groups: np.ndarray | None = None,
    ) -> None:
        self.epochs = epochs
        self.watched = "val_loss" if "val_loss" in names else "loss"
        self.values: list[np.ndarray] = []
        self.history: dict[str, list[float]] = {name: [] for name in names}
        self.refit: dict[str, list[float]] = {name: [] for name in names if not name.startswith("val_")}
        self.is_training = np.ones(n_members, dtype=bool)
        self.slowdown = np.ones(n_members)
        self.best_epochs = np.zeros(n_members, dtype=np.int64)
        self.diverged = False
        self._best = np.full(n_members, np.inf)
        self._ended_after = np.zeros(n_members, dtype=np.int64)
        self._stopping = _Watch(early_stopping, n_members) if early_stopping else None
        self._plateau = plateau
        self._slowing = _Watch(plateau, n_members) if plateau else None
        self._refit = refit
        self._groups = np.arange(n_members) if groups is None else groups

    @property
    def epoch(self) -> int:
        """How many epochs are over, refitting left out."""
        return len(self.history["loss"])

    @property
    def members(self) -> list[dict[str, list[float]]]:
        """Each member's history in the shape of Keras's `History.history`, until its patience ended."""
        values = np.array(self.values[: self.epoch]).reshape(
            self.epoch, len(self.history), len(self.is_training)
        )
        return [
            {name: values[:n_epochs, place, member].tolist() for place, name in enumerate(self.history)}
            for member, n_epochs in enumerate(self._ended_after)
        ]

    @property
    def refit_epoch(self) -> int:
        """How many epochs of refitting are over."""
        return len(self.refit["loss"])

    @property
    def refit_epochs(self) -> np.ndarray:
        """How many epochs each member is refitted, shape `(n_members,)`; 0 before that is known."""
        if not (self._refit and self._is_over):
            return np.zeros_like(self.best_epochs)
        return count_refit_epochs(
            self._refit.epochs_fraction, self.best_epochs, catches_up=self._refit.catches_up
        )

    @property
    def best_epoch(self) -> int:
        """The 1-based epoch with the lowest watched loss in `history`; 0 before any was finite."""
        losses = np.asarray(self.history[self.watched])
        finite = np.where(np.isfinite(losses), losses, np.inf)
        return int(np.argmin(finite)) + 1 if finite.min(initial=np.inf) < np.inf else 0

    @property
    def finished(self) -> bool:
        """Whether training, and refitting after it, is over."""
        return self.diverged or (self._is_over and self.refit_epoch >= self.refit_epochs.max())

    @property
    def is_refitting(self) -> bool:
        """Whether the next epoch is one of refitting."""
        return self._is_over and not self.finished

    def worsened(self, validation_share: float) -> np.ndarray:
        """Which members do worse after refitting on the rows that they then learnt, shape `(n_members,)`.

        The loss of the last epoch is above that of the best one on the same rows, though a part of these had
        not been learnt then. Where folds go forward in time, it is none: the first members know few rows.

        Args:
            validation_share: How many of these rows validated.
        """
        if not self._refit or self._refit.catches_up:
            return np.zeros(len(self.best_epochs), dtype=bool)
        names, members = list(self.history), np.arange(len(self.best_epochs))
        values = np.stack(self.values)[:, [names.index("loss"), names.index(self.watched)], members[:, None]]
        learnt, unseen = values[self.best_epochs - 1, members].T
        before = learnt + validation_share * (unseen - learnt)
        after = values[self.epoch + self.refit_epochs - 1, members, 0]
        return np.asarray(~(after <= before))

    @property
    def _is_over(self) -> bool:
        return not self.is_training.any() or self.epoch >= self.epochs

    def replay(self, values: np.ndarray) -> None:
        """Records again the epochs of a checkpoint, `(n_epochs, n_values, n_members)`.

        Raises:
            RunDirError: The training would have been over before the last of them, or diverged in it.
        """
        for epoch in values:
            if self.finished:
                break
            self.record(epoch)
        if self.diverged or len(self.values) < len(values):
            reason = (
                f"training ends after epoch {len(self.values):,} of the {len(values):,} that were recorded"
            )
            raise RunDirError(f"the checkpoint is damaged: {reason}. Remove it to start at the first epoch")

    def record(self, values: np.ndarray) -> np.ndarray:
        """Records an epoch.

        Args:
            values: Shape `(n_values, n_members)`, in the order of the names.

        Returns:
            Which members are better than ever before, shape `(n_members,)`; none while refitting.
        """
        refitting = self.is_refitting
        self.values.append(values)
        measured = dict(zip(self.history, values, strict=True))
        if refitting:
            ongoing = self.refit_epochs > self.refit_epoch
            for name, means in self.refit.items():
                means.append(float(measured[name][ongoing].mean()))
            # Other members stay as they were, see `worsened`.
            catches_up = self._refit is not None and self._refit.catches_up
            self.diverged = catches_up and not bool(np.isfinite(measured["loss"]).all())
            return np.zeros_like(ongoing)
        for name, row in measured.items():
            self.history[name].append(float(row[self.is_training].mean()))
        self._ended_after[self.is_training] = self.epoch
        losses: np.ndarray = self._mean_of_groups(np.where(self.is_training, measured[self.watched], np.inf))
        decisive = np.stack([measured["loss"], measured[self.watched]])[:, self.is_training]
        self.diverged = not bool(np.isfinite(decisive).all())
        improved: np.ndarray = np.isfinite(losses) & (losses < self._best) & (not self.diverged)
        self.best_epochs[improved], self._best[improved] = self.epoch, losses[improved]
        if self._slowing is not None and self._plateau is not None:
            impatient = self._slowing.is_impatient(losses)
            self._slowing.waited[impatient] = 0
            self.slowdown = np.where(impatient, self.slowdown * self._plateau.factor, self.slowdown)
        if self._stopping is not None:
            self.is_training = self.is_training & ~self._stopping.is_impatient(losses)
        return improved

    def _mean_of_groups(self, losses: np.ndarray) -> np.ndarray:
        """Of each member, the mean of its group, shape `(n_members,)`."""
        means: np.ndarray = np.bincount(self._groups, losses) / np.bincount(self._groups)
        return np.asarray(means[self._groups])
