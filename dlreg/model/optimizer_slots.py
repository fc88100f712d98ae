"""How many arrays, each as large as the weights, an optimizer keeps beside them. No TensorFlow in here."""

# Without momentum.
_SLOTS = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2, "nadam": 2, "muon": 2}
_WITH_MOMENTUM = ("sgd", "rmsprop")


def count_slots(optimizer: str, momentum: float) -> int:
    """How many arrays a step reads and writes: means of gradients and of their squares, a velocity.

    Args:
        optimizer: `sgd`, `adam`, `adamw`, `rmsprop`, `nadam`, or `muon`, which does not read the second of
            what it moves as matrices.
        momentum: Of sgd and rmsprop, which keep a velocity for it.
    """
    return _SLOTS[optimizer] + (momentum > 0 and optimizer in _WITH_MOMENTUM)
