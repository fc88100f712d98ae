"""Imports TensorFlow without the noise its native code prints."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_backend() -> None:
    """Imports TensorFlow and Keras, silent unless they fail, and sets what dlreg relies on."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with _native_stderr_held_back():
        import keras
        import tensorflow as tf

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
