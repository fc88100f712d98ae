"""What an optimizer keeps beside the weights, against Keras's own optimizers."""

import keras
import numpy as np
import pytest

from dlreg.model.optimizer_slots import count_slots


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", {}),
        ("sgd", {"momentum": 0.9}),
        ("adam", {}),
        ("adamw", {}),
        ("nadam", {}),
        ("muon", {"exclude_layers": [""]}),
        ("rmsprop", {}),
        ("rmsprop", {"momentum": 0.9}),
    ],
    ids=str,
)
def test_slots_are_those_of_keras(name, options):
    optimizer = keras.optimizers.get({"class_name": name, "config": options})
    optimizer.build([keras.Variable(np.zeros((3, 7)))])
    slots = [variable for variable in optimizer.variables if tuple(variable.shape) == (3, 7)]
    assert count_slots(name, options.get("momentum", 0.0)) == len(slots)
