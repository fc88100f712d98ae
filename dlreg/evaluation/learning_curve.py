"""A learning curve in words: what it shows, and what to try next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["too short", "diverged", "noisy", "overfitting", "still falling", "converged"]
KeptWeights = Literal["best", "last", "refitted"]

MIN_EPOCHS = 5
TAIL = 0.2  # the share of the epochs at the end that is compared with what came before
RISE = 0.05  # a validation loss this far above its best has risen
FALL = 0.02  # a loss that still falls by this share over the tail has not converged
GAP = 0.5  # a training loss below this share of the validation loss has learnt its rows by heart
NOISE = 0.15  # swings of this share of the level hide whether the loss falls

_KEPT_WEIGHTS: Mapping[KeptWeights, str] = {
    "best": "The weights of the best epoch are kept.",
    "last": "The weights of the last epoch are kept all the same.",
    "refitted": "Refitting went on from the best epoch.",
}


@dataclass(frozen=True)
class Verdict:
    """What a learning curve shows.

    Attributes:
        kind: One of `Kind`.
        since_epoch: For overfitting the best epoch, 1-based; for divergence the first that is
            not finite, or the one after which the loss rose.
        sentence: The verdict for a person.
        advice: What to try next, by config key; empty where nothing is wrong.
    """

    kind: Kind
    since_epoch: int | None
    sentence: str
    advice: str


def judge_learning_curve(
    loss: Sequence[float],
    val_loss: Sequence[float] | None,
    *,
    stopped_early: bool = False,
    kept_weights: KeptWeights = "best",
) -> Verdict:
    """Judges a learning curve by rules in this order; all are ratios, so the loss's unit does not matter.

    1. *Diverged*: a loss is not finite, or the training loss ends above twice its first value.
    2. *Too short*: fewer than `MIN_EPOCHS` epochs.
    3. *Overfitting*: the smoothed validation loss ends more than `RISE`, and more than twice its own
       noise, above its lowest point, while the training loss fell on after it.
    4. *Still falling*: not stopped early, the lowest point lies in the last `TAIL` of the epochs, and the
       smoothed loss fell by more than `FALL` over them.
    5. *Noisy*: in the second half the loss swings from epoch to epoch by more than `NOISE` of its level.
    6. *Converged*: everything else: a steep fall that bends and flattens. A training loss below `GAP` of
       the validation loss at its best is mentioned.

    A curve is smoothed by a running median over a tenth of its epochs; its noise is the median distance
    from that. The validation loss is judged; without one the training loss, and then overfitting cannot
    be seen.

    Args:
        loss: The training loss of each epoch.
        val_loss: The validation loss of each epoch, if there is one.
        stopped_early: Whether early stopping ended the training.
        kept_weights: Which epoch's weights the run keeps, or goes on from in refitting.
    """
    train = np.asarray(loss, dtype=np.float64)
    watched = train if val_loss is None else np.asarray(val_loss, dtype=np.float64)
    name = "training loss" if val_loss is None else "validation loss"
    wrong = np.flatnonzero(~(np.isfinite(train) & np.isfinite(watched)))
    if wrong.size or train[-1] > 2 * train[0]:
        return _diverged(
            int(wrong[0]) + 1 if wrong.size else int(np.argmin(train)) + 1, finite=not wrong.size
        )
    if len(train) < MIN_EPOCHS:
        sentence = f"Too short to judge: a learning curve of {len(train)} epochs shows no course yet."
        return Verdict("too short", None, sentence, "Raise training.epochs.")

    smooth, smooth_train = _smooth(watched), _smooth(train)
    lowest = int(np.argmin(smooth))
    best = int(np.argmin(watched))
    noise = float(np.median(np.abs(watched - smooth)))
    rise = smooth[-1] - smooth[lowest]
    if (
        val_loss is not None
        and rise > max(RISE * smooth[lowest], 2 * noise)
        and smooth_train[-1] < smooth_train[lowest]
    ):
        return _overfitting(best + 1, rise / smooth[lowest] if smooth[lowest] else np.inf, kept_weights)

    tail = max(2, round(TAIL * len(train)))
    before = smooth[-tail - 1]
    falls = before > 0 and (before - smooth[-1]) / before > FALL
    if falls and not stopped_early and lowest >= len(smooth) - tail:
        sentence = (
            f"Still falling: the {name} fell by {1 - smooth[-1] / before:.0%} over the last {tail} epochs."
        )
        return Verdict(
            "still falling", None, sentence, "Raise training.epochs, or training.learning_rate a little."
        )

    half = watched[len(watched) // 2 :]
    swing = float(np.median(np.abs(np.diff(half)))) / float(np.median(half)) if np.median(half) > 0 else 0.0
    if swing > NOISE:
        sentence = f"Noisy: the {name} swings by {swing:.0%} from one epoch to the next."
        advice = "Lower training.learning_rate, raise training.batch_size, or set training.schedule: cosine."
        return Verdict("noisy", None, sentence, advice)
    ending = " and early stopping ended the run" if stopped_early else ""
    unseen = "" if val_loss is not None else " Without validation rows overfitting cannot be seen."
    sentence = f"Converged: the {name} flattened out at its best in epoch {best + 1}{ending}.{unseen}"
    advice = "" if val_loss is not None else "Set training.validation_split: 0.2 to see overfitting."
    if val_loss is not None and smooth_train[best] < GAP * watched[best]:
        sentence += " The training loss is far lower: part of it is learnt by heart."
        advice = "Add rows, or set model.dropout: 0.1 or model.l2: 0.001."
    return Verdict("converged", None, sentence, advice)


def _diverged(epoch: int, *, finite: bool) -> Verdict:
    sentence = (
        f"Diverged: the training loss rose above twice its start after epoch {epoch}."
        if finite
        else f"Diverged: the loss is not finite in epoch {epoch}."
    )
    return Verdict(
        "diverged", epoch, sentence, "Lower training.learning_rate, or set training.clip_norm: 1.0."
    )


def _overfitting(best: int, rise: float, kept_weights: KeptWeights) -> Verdict:
    sentence = (
        f"Overfitting since epoch {best}: the validation loss rose {rise:.0%} from its best while the "
        f"training loss fell on. {_KEPT_WEIGHTS[kept_weights]}"
    )
    advice = "Set model.dropout: 0.2 or model.l2: 0.001, use smaller model.hidden_layers, or add data."
    return Verdict("overfitting", best, sentence, advice)


def _smooth(values: np.ndarray) -> np.ndarray:
    """A running median over a tenth of the epochs, shorter at the ends, shape `(n_epochs,)`."""
    reach = max(1, len(values) // 20)
    padded = np.pad(values, reach, constant_values=np.nan)
    return np.asarray(np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))
