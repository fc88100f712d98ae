"""Who is told how a training goes."""

from typing import Protocol

from dlreg.training.progress import Progress


class Listener(Protocol):
    """Told how a run goes."""

    def on_stage(self, stage: str) -> None:
        """A part of the work begins, such as `reading data/diabetes.csv`."""

    def on_epoch(self, progress: Progress) -> None:
        """An epoch is over."""
