"""A learning curve in words: what it shows, and what to try next."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

Kind = Literal["diverged", "too short", "hard to judge", "overfitting", "still falling", "noisy", "converged"]
KeptWeights = Literal["best", "last", "refitted"]

MIN_EPOCHS = 5
TAIL = 0.2  # the share of the epochs at the end that is compared with what came before
RISE = 0.05  # a validation loss this far above its best has risen
RISE_BEFORE_STOP = 0.2  # the same where early stopping has ended the training and its best epoch is kept
FALL = 0.02  # a loss that still falls by this share over the tail has not converged
GAP = 0.5  # a training loss below this share of the validation loss has learnt its rows by heart
BEYOND_NOISE = 4  # the lowest of a curve that does no more than swing lies within so many times its noise
NOISE = 0.15  # swings of this share of the level hide whether the loss falls

_KEPT_WEIGHTS: Mapping[KeptWeights, str] = {
    "best": "The weights of the best epoch are kept.",
    "last": "The weights of the last epoch are kept all the same.",
    "refitted": "Refitting went on from the best epoch, with the rows that validated.",
}
_ENSEMBLE = {"model.ensemble": "set model.ensemble: 5"}
_PRESET = {"preset": "set preset: accurate and leave preprocessing, model and training out"}
# What to try after each, by the key it is about, the most often helpful first.
_NEXT: Mapping[Kind, Mapping[str, str]] = {
    "diverged": {
        "training.learning_rate": "divide training.learning_rate by 10",
        "training.clip_norm": "set training.clip_norm: 1.0",
    },
    "too short": {"training.epochs": "set training.epochs: 100"},
    "hard to judge": {},
    "overfitting": {
        "training.restore_best_weights": "set training.restore_best_weights: true",
        **_ENSEMBLE,
        "model.dropout": "set model.dropout: 0.2",
    },
    "still falling": {
        "training.learning_rate": "multiply training.learning_rate by 3",
        "training.epochs": "set training.epochs: {threefold}{beside_epochs}",
        **_PRESET,
    },
    "noisy": _ENSEMBLE,
    "converged": {**_ENSEMBLE, "model.l2": "set model.l2: 0.001", **_PRESET},
}
ADVISED_KEYS = {key for steps in _NEXT.values() for key in steps}


@dataclass(frozen=True)
class Verdict:
    """What a learning curve shows.

    Attributes:
        kind: One of `Kind`.
        since_epoch: For overfitting the best epoch, 1-based; for divergence the first that is
            not finite, or the one after which the loss rose.
        sentence: The verdict for a person.
        advice: What to try next, by config key; empty where nothing is known to help.
    """

    kind: Kind
    since_epoch: int | None
    sentence: str
    advice: str


@dataclass(frozen=True)
class _Curve:
    """A learning curve, and how the training ended.

    Attributes:
        train: The training loss of each epoch, shape `(n_epochs,)`.
        watched: The validation loss, or without one the training loss, shape `(n_epochs,)`.
        is_validated: Whether that is the validation loss.
        stopped_early: Whether early stopping ended the training.
        kept_weights: Which epoch's weights the run keeps, or goes on from in refitting.
        is_spoilt: Whether the target is such that a few rows make up most of the loss.
    """

    train: np.ndarray
    watched: np.ndarray
    is_validated: bool
    stopped_early: bool
    kept_weights: KeptWeights
    is_spoilt: bool

    @property
    def name(self) -> str:
        return "validation loss" if self.is_validated else "training loss"

    @property
    def best(self) -> int:
        """The 0-based epoch of the lowest watched loss."""
        return int(np.argmin(self.watched))

    @cached_property
    def smooth(self) -> np.ndarray:
        return _smooth(self.watched)

    @cached_property
    def smooth_train(self) -> np.ndarray:
        return _smooth(self.train)

    @cached_property
    def rise(self) -> float:
        """How far the smoothed watched loss ends above its lowest point, as a share of that."""
        lowest, last = float(self.smooth.min()), float(self.smooth[-1])
        return last / lowest - 1 if lowest > 0 else float("inf") if last > lowest else 0.0

    @property
    def noise(self) -> float:
        """How far the watched loss mostly is from the smoothed one."""
        return float(np.median(np.abs(self.watched - self.smooth)))

    @property
    def ends_above_best(self) -> bool:
        """Whether it ends above its best epoch by more than noise: smoothing may hide a low early on."""
        lowest, last = float(self.watched.min()), float(self.smooth[-1])
        return last > (1 + RISE) * lowest and last - lowest > BEYOND_NOISE * self.noise

    @property
    def is_stopped_at_best(self) -> bool:
        """Whether early stopping ended the training, and what came after the best epoch is gone."""
        return self.stopped_early and self.kept_weights != "last"


class _Finding(NamedTuple):
    sentence: str
    since_epoch: int | None = None


def judge_learning_curve(
    loss: Sequence[float],
    val_loss: Sequence[float] | None,
    *,
    stopped_early: bool = False,
    kept_weights: KeptWeights = "best",
    target_hint: str | None = None,
    settled: Collection[str] = (),
    beside_epochs: str = "",
) -> Verdict:
    """Judges a learning curve by rules in this order; all are ratios, so the loss's unit does not matter.

    1. *Diverged*: a loss is not finite, or the training loss ends above twice its first value.
    2. *Too short*: fewer than `MIN_EPOCHS` epochs.
    3. *Hard to judge*: the target is such that a few rows make up most of the loss.
    4. *Overfitting*: the smoothed validation loss ends more than `RISE`, and more than twice its own
       noise, above its lowest point, while the training loss fell on after it. Early stopping waits in vain
       for the loss to fall, and then most curves end with a small rise, of which nothing is kept: where it
       ended the training, the rise must be more than `RISE_BEFORE_STOP`.
    5. *Still falling*: not stopped early, the lowest point lies in the last `TAIL` of the epochs, none before
       them was lower by more than noise, and the smoothed loss fell by more than `FALL` over them.
    6. *Noisy*: in the second half the loss swings from epoch to epoch by more than `NOISE` of its level.
    7. *Converged*: everything else: a steep fall that bends and flattens. A training loss below `GAP` of
       the validation loss at its best is mentioned.

    A curve is smoothed by a running median over a tenth of its epochs; its noise is the median distance
    from that. The validation loss is judged; without one the training loss, and then overfitting cannot
    be seen. What is advised lowered the error of at least 8 of 10 tables with such a curve, the most often
    helpful first (tests/benchmarks/advice.py); where nothing did, nothing is advised.

    Args:
        loss: The training loss of each epoch.
        val_loss: The validation loss of each epoch, if there is one.
        stopped_early: Whether early stopping ended the training.
        kept_weights: Which epoch's weights the run keeps, or goes on from in refitting.
        target_hint: What to do about a target such that a few rows make up most of the loss, if it is so.
        settled: Keys of the config that are not to be advised, such as `preset`.
        beside_epochs: What has to be set beside a number of epochs, that nothing else changes.
    """
    train = np.asarray(loss, dtype=np.float64)
    watched = train if val_loss is None else np.asarray(val_loss, dtype=np.float64)
    curve = _Curve(train, watched, val_loss is not None, stopped_early, kept_weights, target_hint is not None)
    kind, finding = next((kind, finding) for kind, judge in _RULES.items() if (finding := judge(curve)))
    threefold = 3 * len(loss)
    beside_epochs = f" and {beside_epochs}" if beside_epochs else ""
    steps = (
        step.format(threefold=threefold, beside_epochs=beside_epochs)
        for key, step in _NEXT[kind].items()
        if key not in settled
    )
    advice = f"{target_hint}." if target_hint else _joined(list(steps))
    return Verdict(kind, finding.since_epoch, finding.sentence, advice)


def _diverged(curve: _Curve) -> _Finding | None:
    wrong = np.flatnonzero(~(np.isfinite(curve.train) & np.isfinite(curve.watched)))
    if wrong.size:
        epoch = int(wrong[0]) + 1
        return _Finding(f"Diverged: the loss is not finite in epoch {epoch}.", epoch)
    if curve.train[-1] <= 2 * curve.train[0]:
        return None
    epoch = int(np.argmin(curve.train)) + 1
    return _Finding(f"Diverged: the training loss rose above twice its start after epoch {epoch}.", epoch)


def _too_short(curve: _Curve) -> _Finding | None:
    if len(curve.train) >= MIN_EPOCHS:
        return None
    return _Finding(f"Too short to judge: a learning curve of {len(curve.train)} epochs shows no course yet.")


def _hard_to_judge(curve: _Curve) -> _Finding | None:
    if not curve.is_spoilt:
        return None
    return _Finding(
        f"Hard to judge: a few rows make up most of the loss, whatever the network learns of the others. The "
        f"{curve.name} was at its best in epoch {curve.best + 1}."
    )


def _overfitting(curve: _Curve) -> _Finding | None:
    least = RISE_BEFORE_STOP if curve.is_stopped_at_best else RISE
    lowest = int(np.argmin(curve.smooth))
    is_above_noise = curve.smooth[-1] - curve.smooth[lowest] > 2 * curve.noise
    falls_on = curve.smooth_train[-1] < curve.smooth_train[lowest]
    if not (curve.is_validated and curve.rise > least and is_above_noise and falls_on):
        return None
    return _Finding(
        f"Overfitting since epoch {curve.best + 1}: smoothed, the validation loss rose {curve.rise:.0%} "
        f"while the training loss fell on. {_KEPT_WEIGHTS[curve.kept_weights]}",
        curve.best + 1,
    )


def _still_falling(curve: _Curve) -> _Finding | None:
    smooth = curve.smooth
    tail = max(2, round(TAIL * len(smooth)))
    before, last = smooth[-tail - 1], smooth[-1]
    falls = before > 0 and (before - last) / before > FALL
    is_past_best = curve.ends_above_best and curve.best < len(smooth) - tail
    if curve.stopped_early or not falls or is_past_best or np.argmin(smooth) < len(smooth) - tail:
        return None
    return _Finding(
        f"Still falling: the {curve.name} fell by {1 - last / before:.0%} over the last {tail} epochs."
    )


def _noisy(curve: _Curve) -> _Finding | None:
    half = curve.watched[len(curve.watched) // 2 :]
    level = float(np.median(half))
    swing = float(np.median(np.abs(np.diff(half)))) / level if level > 0 else 0.0
    if swing <= NOISE:
        return None
    return _Finding(f"Noisy: the {curve.name} swings by {swing:.0%} from one epoch to the next.")


def _converged(curve: _Curve) -> _Finding:
    sentence = f"Converged: the {curve.name} flattened out at its best in epoch {curve.best + 1}"
    if curve.ends_above_best or (curve.stopped_early and curve.rise > RISE):
        sentence = f"Converged: the {curve.name} was at its best in epoch {curve.best + 1} and rose after it"
    sentence += ", and early stopping ended the run." if curve.stopped_early else "."
    if not curve.is_validated:
        sentence += " Without validation rows (training.validation_split) overfitting cannot be seen."
    elif curve.smooth_train[curve.best] < GAP * curve.watched[curve.best]:
        sentence += " The training loss is far lower: part of it is learnt by heart."
    return _Finding(sentence)


_RULES: Mapping[Kind, Callable[[_Curve], _Finding | None]] = {
    "diverged": _diverged,
    "too short": _too_short,
    "hard to judge": _hard_to_judge,
    "overfitting": _overfitting,
    "still falling": _still_falling,
    "noisy": _noisy,
    "converged": _converged,
}


def _joined(steps: Sequence[str]) -> str:
    """A sentence of things to try, or nothing."""
    text = ", or ".join(steps)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _smooth(values: np.ndarray) -> np.ndarray:
    """A running median over a tenth of the epochs, shorter at the ends, shape `(n_epochs,)`."""
    width = 2 * max(1, len(values) // 20) + 1
    # Keeps the window sorted as it moves, where sorting each anew would take the square of the epochs.
    return pd.Series(values).rolling(width, center=True, min_periods=1).median().to_numpy()
