"""Imports TensorFlow without the noise its native code prints."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def import_backend(cache: Path | None = None, threads: int | None = None) -> None:
    """Imports TensorFlow and Keras, silent unless they fail, and sets what dlreg relies on.

    Args:
        cache: The folder in which XLA keeps compiled programs.
        threads: How many threads an operation may use; None for all cores.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if cache:
        flags = os.environ.get("TF_XLA_FLAGS", "")
        os.environ["TF_XLA_FLAGS"] = f"{flags} --tf_xla_persistent_cache_directory={cache}".strip()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with _native_stderr_held_back(), _nothing_collected():
        import keras
        import tensorflow as tf

        # A second training in one process keeps the threads of the first.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads or 0)
        tf.config.list_physical_devices()
    # A keras.json in the home folder may say otherwise, and the same config must give the same run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)


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
