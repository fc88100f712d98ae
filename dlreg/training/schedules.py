"""The learning rate, and the dropout, over the steps of a training."""

from collections.abc import Callable

import numpy as np

Schedule = Callable[[np.ndarray], np.ndarray]


def build_schedule(
    name: str,
    learning_rate: float,
    *,
    epochs: int,
    steps_per_epoch: int,
    every_epochs: int = 30,
    factor: float = 0.1,
    warmup_epochs: int = 0,
    final_fraction: float = 0.0,
) -> Schedule:
    """A function from steps, counted from 0 and of shape `(n_steps,)`, to their learning rates.

    - `constant` and `plateau` stay as they are: the training loop lowers the latter.
    - `step` multiplies by `factor` after every `every_epochs` epochs, as Keras's staircase
      `ExponentialDecay`.
    - `coslog4` is ½ (1 - cos(2π log₂(1 + 15 t))) of the peak, t from 0 to 1 over all steps: four cycles, each
      twice as long as the one before (RealMLP, https://arxiv.org/abs/2407.04491).
    - `cosine` rises linearly from 0 over `warmup_epochs`, then falls to `final_fraction` of the peak at
      the last epoch as ½ (1 + cos π t), t from 0 to 1, as Keras's `CosineDecay` (Loshchilov and Hutter,
      2017, https://arxiv.org/abs/1608.03983).

    Args:
        name: One of these.
        learning_rate: The value at the start, or at the peak.
        epochs: The most epochs there will be.
        steps_per_epoch: Batches in an epoch.
        every_epochs: Of `step`.
        factor: Of `step`.
        warmup_epochs: Of `cosine`.
        final_fraction: Of `cosine`.
    """
    warmup = warmup_epochs * steps_per_epoch
    decay = max(epochs * steps_per_epoch - warmup, 1)

    def constant(steps: np.ndarray) -> np.ndarray:
        return np.full(len(steps), learning_rate)

    def staircase(steps: np.ndarray) -> np.ndarray:
        return np.asarray(learning_rate * factor ** (steps // (every_epochs * steps_per_epoch)))

    def cosine(steps: np.ndarray) -> np.ndarray:
        falling = 0.5 * (1 + np.cos(np.pi * np.clip((steps - warmup) / decay, 0, 1)))
        share = final_fraction + (1 - final_fraction) * falling
        return learning_rate * np.where(steps < warmup, steps / max(warmup, 1), share)

    def coslog4(steps: np.ndarray) -> np.ndarray:
        cycles = np.log2(1 + 15 * steps / (epochs * steps_per_epoch))
        return np.asarray(learning_rate * 0.5 * (1 - np.cos(2 * np.pi * cycles)))

    rules: dict[str, Schedule] = {
        "constant": constant, "plateau": constant, "step": staircase, "cosine": cosine, "coslog4": coslog4
    }  # fmt: skip
    return rules[name]


def build_refit_schedule(learning_rate: float, n_steps: np.ndarray) -> Schedule:
    """A function from steps of refitting, counted from 0, to the learning rate of each member.

    It rises and falls as ½ (1 - cos 2πt), t from 0 to 1 over the member's steps, and is 0 after them: the
    optimizer begins anew and must not start at full speed.

    Args:
        learning_rate: At the peak.
        n_steps: The steps of each member, shape `(n_members,)`.

    Returns:
        A function from `(n_steps,)` to `(n_steps, n_members)`.
    """

    def rise_and_fall(steps: np.ndarray) -> np.ndarray:
        shares = np.minimum((steps[:, None] + 0.5) / n_steps, 1)
        return np.asarray(learning_rate * 0.5 * (1 - np.cos(2 * np.pi * shares)))

    return rise_and_fall


def build_dropout_schedule(name: str, *, n_steps: int) -> Schedule:
    """A function from steps, counted from 0, `(n_steps,)`, to what multiplies the dropout in them.

    Args:
        name: `constant` for 1, or `fading` for ½ (1 + cos πt), t from 0 to 1 over all steps, so that the
            network's last steps are with all its units.
        n_steps: The most steps there will be.
    """

    def fading(steps: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 * (1 + np.cos(np.pi * steps / n_steps)))

    return fading if name == "fading" else constant_dropout


def constant_dropout(steps: np.ndarray) -> np.ndarray:
    """1 in every step, `(n_steps,)`: the networks' dropout as it is."""
    return np.ones(len(steps))
