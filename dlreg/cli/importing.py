"""What is done to the process for the libraries it imports, above all TensorFlow, most of `train`'s start.

Right in a process of one's own, but surprising in somebody else's: it belongs to the command line.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlreg.files.cache_folder import cache_folder


@contextmanager
def quiet_import(cache: Path | None = None) -> Iterator[None]:
    """A block that imports TensorFlow: without noise on stderr, and without garbage collection.

    Args:
        cache: The folder in which XLA keeps compiled programs, if it is to keep any.
    """
    _set_environment(cache)
    with _native_stderr_held_back(), _nothing_collected():
        yield


def keep_out_of_home() -> None:
    """Has matplotlib keep its list of fonts in dlreg's cache folder, and make none of its own in the home."""
    # In a device there is no folder to make, so that without a home it takes a temporary one.
    folder = cache_folder()
    if not os.environ.get("MPLCONFIGDIR"):
        os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib") if folder else os.devnull


def _set_environment(cache: Path | None) -> None:
    """Sets what TensorFlow and Keras read when they are imported, and XLA when it first compiles."""
    # The same config must give the same run, whatever a keras.json says in the home folder or, where there is
    # no home, in /tmp. In a device there is none, nor can Keras write one, as it does when it is imported.
    os.environ["KERAS_HOME"] = os.devnull
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if cache:
        flags = os.environ.get("TF_XLA_FLAGS", "")
        os.environ["TF_XLA_FLAGS"] = f"{flags} --tf_xla_persistent_cache_directory={cache}".strip()


@contextmanager
def _native_stderr_held_back() -> Iterator[None]:
    """Sends file descriptor 2 nowhere: some messages come before TensorFlow reads its log level."""
    sys.stderr.flush()
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Turns garbage collection off during imports, and has it ignore what they made from then on.

    These objects live as long as the process; visiting them again and again takes a fifth of the time of
    TensorFlow's import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
