"""What the `train` command does to its process while TensorFlow is imported, which takes most of its start.

Right in a process of one's own, but surprising in somebody else's: it belongs to the command line.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_import() -> Iterator[None]:
    """A block that imports: native code says nothing on stderr, and the garbage collector rests."""
    with _native_stderr_held_back(), _nothing_collected():
        yield


@contextmanager
def _native_stderr_held_back() -> Iterator[None]:
    """Sends file descriptor 2 nowhere: the messages come from before TensorFlow reads its log level."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Spares the collector of cycles what imports make to stay, during them and from then on.

    It would visit these objects again and again, which takes a fifth of TensorFlow's import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
