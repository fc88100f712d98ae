"""TensorFlow in a process that is somebody else's: imported without noise, and everything put back."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dlreg.engine.backend import import_backend, keras_settings_kept, threads_in_use
from dlreg.files.native_stderr import native_stderr_held_back

# What they read when they are imported: as on the command line, the same config must give the same run.
_FOR_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
_FOR_KERAS = {"KERAS_HOME": os.devnull, "KERAS_BACKEND": "tensorflow"}


@contextmanager
def importing(_: Path | None = None) -> Iterator[None]:
    """A block that imports TensorFlow and Keras, if that has not been done before.

    XLA keeps no compiled programs: where it would, it is told once for the whole process.
    """
    with ExitStack() as stack:
        if "keras" not in sys.modules:
            stack.enter_context(_environment(_FOR_KERAS))
        if "tensorflow" not in sys.modules:
            unset = {name: value for name, value in _FOR_TENSORFLOW.items() if name not in os.environ}
            stack.enter_context(_environment(unset))
            stack.enter_context(native_stderr_held_back())
        yield


@contextmanager
def borrowing() -> Iterator[None]:
    """A block that trains, after which Keras has the settings it had before.

    Raises:
        UsageError: Keras has been imported for another backend than TensorFlow.
    """
    with keras_settings_kept():
        yield


def prepare_backend(threads: int) -> None:
    """Imports TensorFlow, unless that has been done.

    Args:
        threads: How many threads an operation uses, if no earlier training has decided that.
    """
    with importing():
        import_backend(threads_in_use() or threads)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
