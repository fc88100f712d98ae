"""Imports TensorFlow and sets what dlreg relies on."""

import os
from contextlib import suppress
from pathlib import Path


def import_backend(cache: Path | None = None, threads: int | None = None) -> None:
    """Imports TensorFlow and Keras, and settles what a run must not depend on.

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
    import keras
    import tensorflow as tf

    # A second training in one process keeps the threads of the first.
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads or 0)
    tf.config.list_physical_devices()
    # A keras.json in the home folder may say otherwise, and the same config must give the same run.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
