"""Imports TensorFlow and Keras and sets what a run relies on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dlreg.errors import Fault, UsageError, warn


def import_backend(threads: int) -> None:
    """Imports TensorFlow and Keras, and sets what every run must have in common.

    Args:
        threads: How many threads an operation uses, which decides how its sums are rounded.
    """
    import keras
    import tensorflow as tf

    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    in_use = tf.config.threading.get_intra_op_parallelism_threads()
    if in_use != threads:
        chosen = f"{in_use} threads" if in_use else "as many threads as TensorFlow likes"
        message = f"an earlier training in this process chose {chosen}, which stay, in place of {threads}"
        warn(message)
    tf.config.list_physical_devices()
    # A keras.json in the home folder may say otherwise, and the same config must give the same run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)


def threads_in_use() -> int | None:
    """How many threads an operation uses in this process; None where that is still open."""
    if "tensorflow" not in sys.modules:
        return None
    import tensorflow as tf

    return tf.config.threading.get_intra_op_parallelism_threads() or None


@contextmanager
def keras_settings_kept() -> Iterator[None]:
    """A block after which Keras has the settings it had before, if it has been imported by then.

    Raises:
        UsageError: It has been imported for another backend than TensorFlow.
    """
    if "keras" not in sys.modules:
        # What a training sets is what Keras starts with.
        yield
        return
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        hint = "Start Python anew, with the environment variable KERAS_BACKEND=tensorflow or without it"
        raise UsageError(
            Fault(f"Keras has been imported for {backend}, dlreg trains with TensorFlow", hint=hint)
        )
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_epsilon(epsilon)
