"""A training gets as many epochs and members as fit in the time that its config allows."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from dlreg.config.checks import seconds_of
from dlreg.config.schema import Config
from dlreg.config.sections.model import MOST_MEMBERS
from dlreg.preview.memory import too_little_memory
from dlreg.preview.plan import plan_training
from dlreg.steps.preparing import Preprocessed, prepare, preprocess
from dlreg.table.parts import Dataset
from dlreg.training.loop import EpochTime
from dlreg.training.members import plan_epochs
from dlreg.training.sizing import choose_epochs, choose_members, epochs_in_all, seconds_for_epochs
from dlreg.training.train import time_training

# Of the epochs that there would be without a limit.
LITTLE = 0.1


class Sized(NamedTuple):
    """A config without a time limit, and why it is as it is.

    Attributes:
        config: With the epochs and the ensemble that fit.
        sentence: What was chosen, for a person.
    """

    config: Config
    sentence: str


def settle_time_limit(config: Config, dataset: Dataset, began: float) -> Sized:
    """Replaces `training.time_limit` by the epochs and the ensemble that fit in it on this machine.

    An epoch is compiled and timed; where there is time for more members they are timed too.

    Args:
        config: With a time limit.
        dataset: The rows.
        began: When the training began, on the clock of `time.monotonic`.
    """
    limit = seconds_of(config.training.time_limit or 0.0) or 0.0
    own, plan = config, plan_epochs(config, dataset.rows_per_epoch)
    refit = config.refitting
    in_all = epochs_in_all(plan, refit.epochs_fraction if refit else 0.0)

    def times(epoch: float, compiling: float = 0.0) -> float:
        end = seconds_for_epochs(limit, len(dataset.parts["train"].rows)) - compiling
        return max(0.0, end - (time.monotonic() - began)) / (epoch * in_all)

    rows = preprocess(config, dataset)
    timed = _time_training(own, dataset, rows)
    fitting = times(timed.epoch)
    # More members are compiled anew.
    members = choose_members(times(timed.epoch, timed.compiling))
    if larger := next(_larger(config, dataset, members), None):
        timed_larger = _time_training(larger, dataset, rows)
        # A machine that is busier by now may have no time for them.
        if times(timed_larger.epoch) >= 1:
            own, timed = larger, timed_larger
        fitting = times(timed.epoch)
    warmup_epochs = getattr(config.training.schedule, "warmup_epochs", 0)
    epochs = choose_epochs(plan.epochs, fitting, warmup_epochs)
    # Of so many epochs as are chosen here, auto would refit nothing.
    chosen = {"epochs": epochs, "refit": config.refitting, "time_limit": None}
    training = own.training.model_copy(update=chosen)
    settled = own.model_copy(update={"training": training})
    sentence = (
        f"training.time_limit {config.training.time_limit}: training.epochs {epochs:,} and model.ensemble "
        f"{own.model.ensemble:,}, as an epoch takes {timed.epoch:.3g} s here"
    )
    if epochs < LITTLE * plan.epochs:
        sentence += f". Without a limit there would be {plan.epochs:,}: so few learn little"
    return Sized(settled, sentence)


def _larger(config: Config, dataset: Dataset, most: int) -> Iterator[Config]:
    """The config with so many times the members, then fewer, as far as they fit in memory."""
    most = min(most, MOST_MEMBERS // config.model.ensemble)
    for factor in range(most, 1, -1):
        model = config.model.model_copy(update={"ensemble": factor * config.model.ensemble})
        larger = config.model_copy(update={"model": model})
        if not too_little_memory(plan_training(larger, dataset)):
            yield larger


def _time_training(config: Config, dataset: Dataset, rows: Preprocessed) -> EpochTime:
    prepared = prepare(config, rows)
    return time_training(
        config, dataset, prepared.preprocessing, prepared.variants, prepared.x, prepared.fold_x
    )
