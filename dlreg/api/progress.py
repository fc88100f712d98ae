"""A bar in a notebook that shows how a training goes; elsewhere nothing is shown."""

import html
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlreg.training.listener import Listener
from dlreg.training.progress import Progress

SECONDS_BETWEEN_FRAMES = 0.2


class Silence:
    """A listener that shows nothing."""

    def on_stage(self, stage: str) -> None:
        """Shows nothing."""

    def on_epoch(self, progress: Progress) -> None:
        """Shows nothing."""


class NotebookBar:
    """A listener that shows the epoch and its losses in the output of a notebook's cell.

    Args:
        handle: What IPython gives for a thing that is displayed, to be updated.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._shown = -SECONDS_BETWEEN_FRAMES

    def on_stage(self, stage: str) -> None:
        """Shows what is being done."""
        self._handle.update(Shown(stage))

    def on_epoch(self, progress: Progress) -> None:
        """Shows the losses of the epoch, a few times a second."""
        now = time.monotonic()
        if now - self._shown < SECONDS_BETWEEN_FRAMES and not progress.finished:
            return
        self._shown = now
        epoch, epochs, values = progress.epoch, progress.epochs, progress.history
        if progress.refit_epoch:
            epoch, epochs, values = progress.refit_epoch, int(progress.refit_epochs.max()), progress.refit
        losses = "  ".join(
            f"{name} {values[name][-1]:.4g}" for name in ("loss", "val_loss") if name in values
        )
        self._handle.update(Shown(f"epoch {epoch:,}/{epochs:,}  {losses}", epoch / epochs))


class Shown:
    """A line of a notebook, with a bar before it.

    Args:
        text: The line; "" for nothing at all.
        share: How much is done; None if nobody knows.
    """

    def __init__(self, text: str, share: float | None = None) -> None:
        self._text, self._share = text, share

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        value = "" if self._share is None else f' value="{self._share:.4f}"'
        bar = f"<progress{value}></progress> " if self._text else ""
        return f"<div>{bar}<code>{html.escape(self._text)}</code></div>" if self._text else ""


@contextmanager
def notebook_bar(*, enabled: bool = True) -> Iterator[Listener]:
    """A block in which a training is shown, if this is a notebook; the bar goes when it ends."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if not enabled or getattr(shell, "kernel", None) is None:
        yield Silence()
        return
    from IPython.display import display

    handle = display(Shown("starting"), display_id=True)
    try:
        yield NotebookBar(handle)
    finally:
        handle.update(Shown(""))
