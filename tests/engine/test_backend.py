"""Keras has the settings it had before, once a training in somebody else's process is over."""

import keras
import pytest

from dlreg.engine.backend import keras_settings_kept, threads_in_use
from dlreg.errors import UsageError


def test_settings_are_put_back_even_after_a_failure():
    before = keras.config.floatx(), keras.config.epsilon()
    keras.config.set_epsilon(1e-3)
    try:
        with pytest.raises(ZeroDivisionError), keras_settings_kept():
            keras.config.set_floatx("float64")
            keras.config.set_epsilon(1e-9)
            raise ZeroDivisionError
        assert (keras.config.floatx(), keras.config.epsilon()) == ("float32", 1e-3)
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_epsilon(before[1])


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="KERAS_BACKEND=tensorflow"), keras_settings_kept():
        pass


def test_threads_are_open_before_a_training(monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, "tensorflow")
    assert threads_in_use() is None
