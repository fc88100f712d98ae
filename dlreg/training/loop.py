"""The training loop: runs the compiled epoch, and decides what comes next.

`Model.fit` leaves the compiled world once per batch and pays over a millisecond each time. Here an epoch is
one call of a program (`dlreg.engine.trainer`); between two calls Python only draws the next order of rows and
decides what is best and when to stop (`dlreg.training.progress`).
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dlreg.engine.losses import LOSSES, Metric
from dlreg.engine.optimizer import Optimizer
from dlreg.engine.program import Program
from dlreg.engine.states import TrainingState
from dlreg.engine.trainer import (
    Steps,
    Trainer,
)
from dlreg.model.architecture import Variant
from dlreg.model.weights import Weights
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.progress import EarlyStopping, Plateau, Progress, Refit
from dlreg.training.schedules import Schedule, build_refit_schedule, constant_dropout
from dlreg.training.visited_rows import StreamedData, TrainingData

# Epochs are timed for so long, and no more than so many.
TIMED_SECONDS, MOST_TIMED = 0.2, 20


@dataclass(frozen=True)
class Recipe:
    """How networks are trained.

    Attributes:
        variants: What is trained; members are counted through all variants.
        initial: The weights each member starts from.
        optimizer: How a step moves them.
        schedule: The learning rate of each step.
        epochs: The most passes over the training rows.
        batch_size: Rows of a step; the last step of an epoch has what is left.
        seed: Of dropout, and of the order of rows while refitting.
        loss: A name of `dlreg.engine.losses.LOSSES`.
        metrics: Further means to report per epoch, each a function from `y_true` and `y_pred`.
        dropout: What multiplies the members' dropout in each step.
        member_dropout: The dropout of each member, shape `(n_members,)`; None for that of its network.
        rate_factors: What multiplies the learning rate of each, shape `(n_members,)`; None for nothing.
        early_stopping: When a member stops before `epochs`.
        plateau: When to lower a member's learning rate; together with a constant schedule.
        restore_best_weights: Whether a member ends with the weights of its best epoch, or of its last.
        refit: Whether and how members go on from their best epoch, with all rows of the training data.
        groups: Which members have their best epoch and their stop in common, see `Progress`.
    """

    variants: Sequence[Variant]
    initial: Sequence[Weights]
    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int
    seed: int
    loss: str = "mse"
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    dropout: Schedule = constant_dropout
    member_dropout: np.ndarray | None = None
    rate_factors: np.ndarray | None = None
    early_stopping: EarlyStopping | None = None
    plateau: Plateau | None = None
    restore_best_weights: bool = True
    refit: Refit | None = None
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class Hooks:
    """The callbacks of a training.

    Attributes:
        resume_from: Given what a checkpoint of this training looks like, returns the one to go on from; None
            for the first epoch. What comes after it is the same to the bit as without a break.
        on_epoch: Told after each epoch.
        after_epoch: Given after each epoch but the one that diverged a function that returns the checkpoint.
    """

    resume_from: Callable[[Checkpoint], Checkpoint | None] = lambda _: None
    on_epoch: Callable[[Progress], None] = lambda _: None
    after_epoch: Callable[[Callable[[], Checkpoint]], None] = lambda _: None


class Trained(NamedTuple):
    """The result of a training.

    Attributes:
        weights: Of each member, at the end.
        validated: Of each member, as they were measured on validation rows; the same without refitting.
        progress: With the whole history.
        refit_epochs: How many epochs of refitting are in `weights`, shape `(n_members,)`: 0 of a member whose
            loss rose by them, which stays as it was validated.
    """

    weights: list[Weights]
    validated: list[Weights]
    progress: Progress
    refit_epochs: np.ndarray


class _Epoch(NamedTuple):
    """What is settled before an epoch: what it visits, and its steps."""

    visits: Iterable[Any]
    steps: Steps


def fit(recipe: Recipe, data: TrainingData | StreamedData, hooks: Hooks | None = None) -> Trained:
    """Trains one network, or several members side by side.

    Returns:
        The weights of each member, and the progress.

    Raises:
        RunDirError: The epochs of the checkpoint to go on from are not those of one training.
    """
    hooks = hooks or Hooks()
    trainer = _build_trainer(recipe, data)
    progress = _start_progress(recipe, has_validation=data.has_validation)
    state = trainer.start(recipe.initial)
    no_epoch = np.empty((len(progress.history), len(recipe.initial)))
    if checkpoint := hooks.resume_from(_checkpoint(trainer, state, [no_epoch], 0)):
        progress.replay(checkpoint.values)
        state = trainer.restore(checkpoint.tensors, state)
    run = partial(_run_epoch, recipe, hooks, trainer, progress)
    while not (progress.finished or progress.is_refitting):
        state = run(state, _next_epoch(recipe, data, trainer.program, progress))
    validated = trainer.best_weights(state)
    if not recipe.refit or progress.diverged:
        return Trained(validated, validated, progress, np.zeros_like(progress.refit_epochs))
    if not progress.refit_epoch:
        state = trainer.start_from_best(state)
    next_epoch = _plan_refit(recipe, recipe.refit, data, trainer.program, progress)
    while not progress.finished:
        state = run(state, next_epoch())
    if progress.diverged:
        return Trained(validated, validated, progress, np.zeros_like(progress.refit_epochs))
    worsened = progress.worsened(data.validation_share)
    weights = [
        before if has_worsened else after
        for before, after, has_worsened in zip(validated, trainer.last_weights(state), worsened, strict=True)
    ]
    return Trained(weights, validated, progress, np.where(worsened, 0, progress.refit_epochs))


class EpochTime(NamedTuple):
    """What the epochs of a training cost, in seconds.

    Attributes:
        compiling: Once.
        epoch: Each of them, the shortest of a few.
    """

    compiling: float
    epoch: float


def time_epochs(recipe: Recipe, data: TrainingData | StreamedData) -> EpochTime:
    """Compiles the first epoch and runs it a few times."""
    trainer = _build_trainer(recipe, data)
    progress = _start_progress(recipe, has_validation=data.has_validation)
    state = trainer.start(recipe.initial)
    seconds: list[float] = []
    while len(seconds) <= 1 or (sum(seconds[1:]) < TIMED_SECONDS and len(seconds) <= MOST_TIMED):
        began = time.perf_counter()
        trainer.run_epoch(state, *_next_epoch(recipe, data, trainer.program, progress))
        seconds.append(time.perf_counter() - began)
    # The first one compiles.
    return EpochTime(seconds[0] - min(seconds[1:]), min(seconds[1:]))


def _build_trainer(recipe: Recipe, data: TrainingData | StreamedData) -> Trainer:
    measures = (LOSSES[recipe.loss], *recipe.metrics.values())
    program = Program(
        tuple(recipe.variants),
        recipe.optimizer,
        measures,
        data.rows_per_epoch,
        min(recipe.batch_size, data.rows_per_epoch),
        recipe.seed,
    )
    return data.build_trainer(program)


def _start_progress(recipe: Recipe, *, has_validation: bool) -> Progress:
    names = ["loss", *recipe.metrics]
    names += [f"val_{name}" for name in names] if has_validation else []
    return Progress(
        [*names, "learning_rate"],
        len(recipe.initial),
        epochs=recipe.epochs,
        early_stopping=recipe.early_stopping,
        plateau=recipe.plateau,
        refit=recipe.refit,
        groups=recipe.groups,
    )


def _next_epoch(
    recipe: Recipe, data: TrainingData | StreamedData, program: Program, progress: Progress
) -> _Epoch:
    steps = np.arange(progress.epoch * program.n_steps, (progress.epoch + 1) * program.n_steps)
    learning_rates = _scaled(recipe, recipe.schedule(steps)[:, None] * progress.slowdown)
    if recipe.plateau:
        # As in Keras: a rate that is below it from the start is not raised.
        unlowered = _scaled(recipe, recipe.schedule(steps)[:, None])
        learning_rates = np.maximum(learning_rates, np.minimum(unlowered, recipe.plateau.min_learning_rate))
    n_epochs, first_step = len(progress.values), int(steps[0])
    visits = data.visits(program.n_orders, n_epochs)
    dropout = _dropout_of_members(recipe, steps)
    return _Epoch(visits, Steps(learning_rates, dropout, n_epochs * program.n_steps, first_step))


def _scaled(recipe: Recipe, learning_rates: np.ndarray) -> np.ndarray:
    """The learning rates of each member, shape `(n_steps, n_members)`."""
    return learning_rates if recipe.rate_factors is None else learning_rates * recipe.rate_factors


def _dropout_of_members(recipe: Recipe, steps: np.ndarray) -> np.ndarray:
    """The share of values that each member drops, float32 of shape `(n_steps, n_members)`."""
    rates = recipe.member_dropout
    if rates is None:
        rates = np.repeat(
            [variant.network.dropout for variant in recipe.variants],
            [variant.n_members for variant in recipe.variants],
        )
    return recipe.dropout(steps).astype(np.float32)[:, None] * rates.astype(np.float32)


def _plan_refit(
    recipe: Recipe, refit: Refit, data: TrainingData | StreamedData, program: Program, progress: Progress
) -> Callable[[], _Epoch]:
    """What is settled before each next epoch of refitting."""
    n_steps = program.n_steps
    schedule = build_refit_schedule(refit.learning_rate, progress.refit_epochs * n_steps)
    read = partial(data.refit_visits, program.n_orders, recipe.seed, program.n_rows)
    last_dropout = _dropout_of_members(recipe, np.full(n_steps, recipe.epochs * n_steps))

    def next_epoch() -> _Epoch:
        n_epochs, refit_epoch = len(progress.values), progress.refit_epoch
        steps = np.arange(refit_epoch * n_steps, (refit_epoch + 1) * n_steps)
        learning_rates = _scaled(recipe, schedule(steps))
        return _Epoch(read(n_epochs), Steps(learning_rates, last_dropout, n_epochs * n_steps, int(steps[0])))

    return next_epoch


def _run_epoch(
    recipe: Recipe, hooks: Hooks, trainer: Trainer, progress: Progress, state: TrainingState, epoch: _Epoch
) -> TrainingState:
    """Runs one more epoch, records it, and returns the state after it."""
    state, means = trainer.run_epoch(state, *epoch)
    was_training = progress.is_training
    improved = progress.record(np.vstack([means, epoch.steps.learning_rates[-1:]], dtype=np.float64))
    if not progress.diverged:
        # Without best weights to restore, those of the last epoch count as the best.
        best_so_far = improved if recipe.restore_best_weights else was_training
        state = trainer.mark_best(state, np.flatnonzero(best_so_far))
    hooks.on_epoch(progress)
    if not progress.diverged:
        hooks.after_epoch(partial(_checkpoint, trainer, state, progress.values, len(progress.values)))
    return state


def _checkpoint(
    trainer: Trainer, state: TrainingState, values: Sequence[np.ndarray], n_epochs: int
) -> Checkpoint:
    """The checkpoint after `n_epochs`; the values recorded since are left out."""
    return Checkpoint(trainer.checkpoint(state), np.stack([*values[:n_epochs], values[0]])[:n_epochs])
