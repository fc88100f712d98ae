"""What trackers are told of epochs."""

import numpy as np

from dlreg.trackers.told import epochs_of
from dlreg.training.progress import Progress, Refit


def test_epochs_of_refitting_go_on_counting_under_names_of_their_own():
    progress = Progress(["loss", "val_loss"], 1, epochs=2, refit=Refit(1.0, 0.1))
    for number in range(3):
        progress.record(np.full((2, 1), float(number)))
    first, second, third = epochs_of(progress, [5.0, 6.0, 7.0], 0)
    assert first == (1, 5.0, {"loss": 0.0, "val_loss": 0.0})
    assert second == (2, 6.0, {"loss": 1.0, "val_loss": 1.0})
    assert third == (3, 7.0, {"refit_loss": 2.0})
    assert epochs_of(progress, [5.0, 6.0, 7.0], 2) == [third]
