"""The loss curve, drawn by a process of its own while a training goes on with other work.

matplotlib takes as long to be imported and to draw one figure as a fifth of TensorFlow's import, and Python
uses one core at a time. The process is told what to draw by a line of JSON, and answers with a line of notes
and the bytes of a PNG; it ends with its standard input, so with whoever started it.
"""

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from dlreg.errors import warn


@dataclass(frozen=True)
class Draughtsman:
    """Who draws the loss curve.

    Attributes:
        process: Has imported matplotlib, or will have soon; None where it is drawn here.
    """

    process: subprocess.Popen[bytes] | None = None

    def begin(self, **curve: Any) -> "Drawing":
        """Has the loss curve drawn.

        Args:
            curve: What `plot_loss` takes, plain values alone.
        """
        if self.process and self.process.stdin:
            try:
                self.process.stdin.write(json.dumps(curve).encode() + b"\n")
                self.process.stdin.close()
            except OSError:
                return Drawing(curve)
        return Drawing(curve, self.process)


@dataclass(frozen=True)
class Drawing:
    """A loss curve under way.

    Attributes:
        curve: What is drawn, as `plot_loss` takes it.
        process: Draws it; None for nobody as yet.
    """

    curve: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    def finish(self) -> bytes:
        """The bytes of a PNG; drawn here if the process could not."""
        if self.process and self.process.stdout:
            notes, _, content = self.process.stdout.read().partition(b"\n")
            if self.process.wait() == 0:
                for note in json.loads(notes):
                    warn(note)
                return content
        return draw(self.curve)


@contextmanager
def drawing_beside(*, enabled: bool) -> Iterator[Draughtsman]:
    """A block in which a loss curve can be drawn by a process of its own, if that is enabled."""
    with (_start() if enabled else None) or nullcontext() as process:
        try:
            yield Draughtsman(process)
        finally:
            if process:
                process.kill()


def _start() -> subprocess.Popen[bytes] | None:
    # Without the working folder on the path, whose files may have names of modules; in a session of its own,
    # as a signal from the terminal is for the training.
    command = [sys.executable, "-P", "-m", __name__]
    try:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None


def draw(curve: dict[str, Any]) -> bytes:
    """Draws a loss curve.

    Args:
        curve: What `plot_loss` takes.

    Returns:
        The bytes of a PNG.
    """
    from dlreg.figures.learning_curve import plot_loss
    from dlreg.figures.writing import render_figure

    return render_figure(plot_loss(**curve), "png")


def _serve() -> None:
    import dlreg.figures.learning_curve
    import dlreg.figures.writing  # noqa: F401

    line = sys.stdin.buffer.readline()
    if not line:
        return
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", module="dlreg")
        content = draw(json.loads(line))
    sys.stdout.buffer.write(json.dumps([str(note.message) for note in notes]).encode() + b"\n" + content)
    # What is not taken must fail here, where it shows in the exit code.
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
