"""TensorFlow as the train command imports it, before any test here does."""

from dlreg.cli.importing import quiet_import
from dlreg.engine.backend import import_backend

with quiet_import():
    import_backend(1)
