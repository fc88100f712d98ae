"""TensorFlow as a training imports it, before any test here does."""

from dlreg.engine.backend import import_backend

import_backend()
