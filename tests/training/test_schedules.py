"""Learning rates and dropout over the steps."""

import numpy as np
import pytest

from dlreg.training.schedules import build_dropout_schedule, build_schedule


def test_schedules_have_the_values_of_their_formulas():
    coslog4 = build_schedule("coslog4", 2.0, epochs=15, steps_per_epoch=10)
    # log₂(1 + 15 t) is 0.5, 1, 2.5 and 3 there: the peak of the first cycle, its end, the third's peak and end.
    steps = 150 * (2 ** np.array([0.5, 1.0, 2.5, 3.0]) - 1) / 15
    assert coslog4(steps) == pytest.approx([2.0, 0.0, 2.0, 0.0], abs=1e-9)
    fading = build_dropout_schedule("fading", n_steps=100)
    assert fading(np.array([0, 50, 100])) == pytest.approx([1.0, 0.5, 0.0])
    assert (build_dropout_schedule("constant", n_steps=100)(np.arange(5)) == 1).all()
