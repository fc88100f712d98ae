"""The interface through which a training reports its progress."""

from typing import Protocol

from dlreg.training.progress import Progress


class Listener(Protocol):
    """Receives the progress of a training."""

    def on_stage(self, stage: str) -> None:
        """Called when a part of the work begins, such as `reading data/diabetes.csv`."""

    def on_epoch(self, progress: Progress) -> None:
        """Called after each epoch."""
