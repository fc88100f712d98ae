"""Imports TensorFlow and Keras and sets what a run relies on."""

import warnings
from contextlib import suppress


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
        message = (
            f"an earlier training in this process chose {in_use} threads, which stay, in place of {threads}"
        )
        warnings.warn(message, stacklevel=2)
    tf.config.list_physical_devices()
    # A keras.json in the home folder may say otherwise, and the same config must give the same run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
