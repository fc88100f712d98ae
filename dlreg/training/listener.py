"""The interface through which a training reports its progress."""

from typing import Protocol

from dlreg.training.progress import Progress


class Listener(Protocol):
    """Receives the progress of a training."""

    def on_stage(self, stage: str) -> None:
        """A part of the work begins, such as `reading data/diabetes.csv`."""

    def on_note(self, note: str) -> None:
        """Something a user should know, such as cells that are missing."""

    def on_epoch(self, progress: Progress) -> None:
        """An epoch is over."""
