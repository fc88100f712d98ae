"""What a learning curve shows, and what to try next."""

from dataclasses import asdict
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import Fault
from dlreg.evaluation.learning_curve import ADVISED_KEYS, KeptWeights, judge_learning_curve
from dlreg.training.progress import Progress


def judge(
    config: Config, progress: Progress, target_hint: str | None, *, is_refitted: bool
) -> dict[str, Any]:
    """The verdict on the learning curve of a training, in plain values.

    Args:
        config: Of the run.
        progress: With the whole history.
        target_hint: What would mend a loss that the target spoils.
        is_refitted: Whether any member went on after its best epoch.
    """
    history = progress.history
    kept_weights: KeptWeights = "best" if config.training.restore_best_weights else "last"
    return asdict(
        judge_learning_curve(
            history["loss"],
            history.get("val_loss"),
            stopped_early=progress.epoch < progress.epochs,
            kept_weights="refitted" if is_refitted else kept_weights,
            target_hint=target_hint,
            settled=settled_keys(config),
            # By itself dlreg refits where the number of epochs is left to it.
            beside_epochs="training.refit: {}"
            if config.refitting and config.training.refit == "auto"
            else "",
        )
    )


def say_divergence(config: Config, progress: Progress) -> Fault:
    """In which epoch the loss was not finite any more, and what to try."""
    refitting = config.refitting
    if progress.refit_epoch and refitting:
        return Fault(
            f"the loss is not finite in epoch {progress.refit_epoch} of refitting, which diverged",
            hint="Try training.refit: null, or a smaller training.refit.learning_rate_fraction than "
            f"{refitting.learning_rate_fraction:g}",
        )
    return Fault(
        f"the loss is not finite in epoch {progress.epoch}: training diverged",
        hint=f"Try a smaller {_largest_rate(config)}, or training.clip_norm: 1.0",
    )


def say_taken_back(progress: Progress, refit_epochs: np.ndarray) -> str | None:
    """How many networks stay as they were, as refitting made them worse; None where all are refitted.

    Args:
        progress: Of the training.
        refit_epochs: How many epochs of refitting are in each network's weights, shape `(n_members,)`.
    """
    stayed = (progress.refit_epochs > 0) & (refit_epochs == 0)
    if progress.diverged or not stayed.any():
        return None
    several = f"{int(stayed.sum()):,} of {len(stayed):,} networks stay as they were"
    whose = several if len(stayed) > 1 else "the network stays as it was"
    return f"refitting left a higher loss on the rows learned than there was before: {whose}"


def _largest_rate(config: Config) -> str:
    """The largest learning rate that a member had, by its key, as what a smaller one may go without."""
    drawn = config.model.sample and config.model.sample.learning_rate
    if drawn and drawn.max > config.training.learning_rate:
        return f"model.sample.learning_rate.max than {drawn.max:g}"
    return f"training.learning_rate than {config.training.learning_rate:g}"


def settled_keys(config: Config) -> set[str]:
    """Keys that are already as they would be advised, or that a preset has chosen together with others."""
    if config.preset != "standard":
        return set(ADVISED_KEYS)
    model, training = config.model, config.training
    is_settled = {
        "model.ensemble": model.ensemble > 1 or training.cross_validation is not None,
        "model.dropout": any(model.dropouts) or bool(model.sample and model.sample.dropout),
        "training.learning_rate": bool(model.sample and model.sample.learning_rate),
        "model.l2": model.l2 > 0,
        "training.clip_norm": training.clip_norm is not None,
        "training.restore_best_weights": training.restore_best_weights,
    }
    return {key for key, settled in is_settled.items() if settled}
