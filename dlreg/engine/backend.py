"""Imports TensorFlow and Keras and sets what a run relies on."""

from contextlib import suppress


def import_backend(threads: int | None = None) -> None:
    """Imports TensorFlow and Keras, and sets what every run must have in common.

    Args:
        threads: How many threads an operation may use; None for all cores.
    """
    import keras
    import tensorflow as tf

    # A second training in one process keeps the threads of the first.
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads or 0)
    tf.config.list_physical_devices()
    # A keras.json in the home folder may say otherwise, and the same config must give the same run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
