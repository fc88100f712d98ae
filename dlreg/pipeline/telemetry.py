"""Keeps ONNX Runtime from sending anything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "ORT_DISABLE_TELEMETRY"


@contextmanager
def telemetry_off() -> Iterator[None]:
    """A block that imports ONNX Runtime; afterwards the environment is as it was.

    Unless told so before it is imported, ONNX Runtime keeps a device id in the home folder and sends facts
    about models and machine to its makers. Its own switch, `disable_telemetry_events`, comes too late: the
    import has written the id by then. https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
    """
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
