"""When a checkpoint is written, and how a training is broken off."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dlreg.errors import Fault, StoppedError, located
from dlreg.runs.checkpoint_file import from_file, to_bytes
from dlreg.runs.directory import RunDir
from dlreg.runs.interruption import Interruption, tell_at_once
from dlreg.runs.names import CHECKPOINT
from dlreg.runs.reading import resume_command
from dlreg.training.checkpoint import Checkpoint, is_finite

SECONDS_BETWEEN = 1.0
# Writing takes at most one part in so many of the time.
SHARE_OF_TIME = 25
# A guess for the first one, before one has been timed: gathering, hashing, writing and syncing.
BYTES_PER_SECOND = 100e6


class Checkpointer:
    """Keeps the latest checkpoint of a run at hand and writes one now and then; threads may share it.

    Args:
        run: The run that is being written.
        origin: The run that the checkpoints belong to, see `dlreg.runs.resuming.origin_of`.
        epochs: The most epochs of a checkpoint.
        interruption: Says when to stop.
    """

    def __init__(
        self, run: RunDir, origin: Mapping[str, Any], epochs: int, interruption: Interruption
    ) -> None:
        self._run, self._origin, self._epochs, self._interruption = run, origin, epochs, interruption
        self._latest: Callable[[], Checkpoint] | None = None
        self._due = math.inf
        self._lock = threading.RLock()
        interruption.on_forced_exit = self._stop_at_once

    @contextmanager
    def guarding_training(self) -> Iterator[None]:
        """A block that trains: signals wait until `after_epoch`, and faults name the checkpoint's file."""
        with self._interruption.deferred(), located(str(self._run.path / CHECKPOINT)):
            yield

    def load(self, template: Checkpoint) -> Checkpoint | None:
        """Reads the checkpoint to go on from, if there is one; only from now on checkpoints are written.

        Args:
            template: A checkpoint of the same training, with tensors of the same names and shapes.

        Raises:
            RunDirError: It is damaged, or of another run.
        """
        n_bytes = sum(tensor.nbytes for tensor in template.tensors.values())
        self._schedule(n_bytes / BYTES_PER_SECOND)
        with self._run.open_checkpoint() as opened:
            if opened is None:
                return None
            path = self._run.path / CHECKPOINT
            return from_file(*opened, template, self._origin, epochs=self._epochs, path=path)

    def after_epoch(self, make_checkpoint: Callable[[], Checkpoint]) -> None:
        """Writes the checkpoint of an epoch if one is due, and ends the training if a signal has come.

        Args:
            make_checkpoint: Called only if the checkpoint is written, now or when the training is stopped.

        Raises:
            SystemExit: A signal has come.
        """
        self._latest = make_checkpoint
        if time.monotonic() >= self._due:
            self._save()
        self._interruption.raise_received()

    def stop(self, number: int) -> StoppedError:
        """Writes the checkpoint, and returns the error to raise, which says how to go on.

        Of a run that is complete already nothing is written: to go on with it shows its results.

        Args:
            number: The signal that came.
        """
        if self._run.record["status"] != "complete":
            with self._lock:
                self._save()
                self._run.set_status("interrupted")
        command = resume_command(self._run.path) if self._run.is_resumable else None
        hint = f"Go on with: {command}" if command else "The run that stood there is unchanged"
        return StoppedError(128 + number, Fault("training was interrupted", str(self._run.path), hint=hint))

    def _stop_at_once(self, number: int) -> None:
        tell_at_once(f"error: {self.stop(number)}")

    def _save(self) -> None:
        """Writes the latest checkpoint once, unless the run cannot be resumed or a number is not finite."""
        with self._lock:
            began, make_checkpoint, self._latest = time.monotonic(), self._latest, None
            if make_checkpoint is None or not self._run.is_resumable:
                return
            checkpoint = make_checkpoint()
            if is_finite(checkpoint):
                self._run.write(CHECKPOINT, to_bytes(checkpoint, self._origin), hashed=False)
            self._schedule(time.monotonic() - began)

    def _schedule(self, seconds: float) -> None:
        """Sets when the next checkpoint is due, so that saving takes at most 1/`SHARE_OF_TIME` of the time.

        Args:
            seconds: What writing one takes.
        """
        self._due = time.monotonic() + max(SECONDS_BETWEEN, SHARE_OF_TIME * seconds)
