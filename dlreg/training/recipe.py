"""How the networks of a config are trained."""

from collections.abc import Sequence

import numpy as np

from dlreg.config.schema import Config
from dlreg.config.sections.data import FORWARD_METHODS
from dlreg.engine.losses import AbsoluteError
from dlreg.engine.optimizer import Optimizer
from dlreg.engine.update_rules import build_optimizer
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.architecture import Variant
from dlreg.model.initial_weights import initial_weights
from dlreg.model.weights import Weights
from dlreg.training.loop import Recipe
from dlreg.training.members import EpochPlan, epoch_groups, members_of
from dlreg.training.progress import EarlyStopping, Plateau, Refit
from dlreg.training.sampling import MemberValues, member_values
from dlreg.training.schedules import build_dropout_schedule, build_schedule

# Far enough apart for the seeds of one variant's members.
VARIANT_SEEDS = 1_000_000


def recipe_of(
    config: Config, preprocessing: Preprocessing, variants: Sequence[Variant], plan: EpochPlan
) -> Recipe:
    """What the engine is told of a config.

    Args:
        config: Of the run.
        preprocessing: Fitted on the training rows.
        variants: The networks to train.
        plan: How many epochs there are, and of what.
    """
    settings, schedule, members = config.training, config.training.schedule, members_of(config)
    values, sample = member_values(config), config.model.sample
    schedule_options = schedule.model_dump(exclude={"name"})
    lowered_on_plateau = schedule.name == "plateau"
    stopping, refit = settings.early_stopping, config.refitting
    return Recipe(
        variants,
        _initial_weights(variants, settings.seed),
        _optimizer(config, values),
        build_schedule(
            schedule.name,
            settings.learning_rate,
            epochs=plan.epochs,
            steps_per_epoch=plan.steps_per_epoch,
            **({} if lowered_on_plateau else schedule_options),
        ),
        plan.epochs,
        plan.batch_size,
        settings.seed,
        loss=settings.loss,
        metrics={"mae": AbsoluteError(preprocessing.target)},
        dropout=build_dropout_schedule(
            config.model.dropout_schedule, n_steps=plan.epochs * plan.steps_per_epoch
        ),
        member_dropout=values.dropout,
        rate_factors=values.learning_rate / settings.learning_rate
        if sample and sample.learning_rate
        else None,
        early_stopping=EarlyStopping(plan.patience, stopping.min_delta)
        if stopping and plan.patience
        else None,
        plateau=Plateau(**schedule_options) if lowered_on_plateau else None,
        restore_best_weights=settings.restore_best_weights,
        refit=Refit(
            refit.epochs_fraction,
            refit.learning_rate_fraction * settings.learning_rate,
            catches_up=config.data.split in FORWARD_METHODS,
        )
        if refit
        else None,
        groups=epoch_groups(
            members, goes_forward=config.data.split in FORWARD_METHODS, are_alike=sample is None
        ),
    )


def scaled_target(preprocessing: Preprocessing, y_true: np.ndarray) -> np.ndarray:
    """The target as the networks learn it, float32 of shape `(n_rows, 1)`."""
    return preprocessing.target.forward(y_true).astype(np.float32).reshape(-1, 1)


def _initial_weights(variants: Sequence[Variant], seed: int) -> list[Weights]:
    return [
        weights
        for number, variant in enumerate(variants)
        for weights in initial_weights(variant.network, seed + VARIANT_SEEDS * number, variant.n_members)
    ]


def _optimizer(config: Config, values: MemberValues) -> Optimizer:
    settings, sample = config.training, config.model.sample
    draws_decay = sample is not None and sample.weight_decay is not None
    factors = settings.learning_rate_factors.model_dump()
    return build_optimizer(
        settings.optimizer,
        weight_decay=tuple(values.weight_decay.tolist()) if draws_decay else settings.weight_decay,
        momentum=settings.momentum,
        clip_norm=settings.clip_norm,
        ema_momentum=settings.ema_momentum,
        beta_1=settings.beta_1,
        beta_2=settings.beta_2,
        decays=settings.weight_decay_groups,
        scales_weights=factors.pop("weights_by_fan_in"),
        factors=factors,
    )
