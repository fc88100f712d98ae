import numpy as np

from dlreg.training.members import epoch_groups, plan_members
from dlreg.training.progress import EarlyStopping, Plateau, Progress

NAMES = ["loss", "val_loss", "learning_rate"]
# Of two folds of one embedding and two of another, by epoch.
VALIDATION = [[4.0, 9.0, 2.0, 2.0], [1.0, 8.0, 3.0, 0.5], [2.0, 5.0, 1.5, 2.5], [5.0, 5.0, 9.0, 9.0]]


def record_all(losses, **options):
    progress = Progress(NAMES, 4, epochs=len(losses), **options)
    improved = [progress.record(np.array([[1.0] * 4, row, [0.1] * 4])) for row in losses]
    return progress, np.array(improved)


def test_folds_of_an_embedding_have_the_best_epoch_of_their_mean_loss():
    alone, _ = record_all(VALIDATION)
    assert alone.best_epochs.tolist() == [2, 3, 3, 2]
    together, improved = record_all(VALIDATION, groups=np.array([0, 0, 1, 1]))
    assert together.best_epochs.tolist() == [3, 3, 2, 2]
    assert (improved[:, 0] == improved[:, 1]).all() and (improved[:, 2] == improved[:, 3]).all()
    # The history stays that of each.
    assert [member["val_loss"] for member in together.members] == np.array(VALIDATION).T.tolist()


def test_folds_of_an_embedding_stop_and_slow_down_together():
    progress, _ = record_all(
        VALIDATION,
        groups=np.array([0, 0, 1, 1]),
        early_stopping=EarlyStopping(patience=2),
        plateau=Plateau(patience=1),
    )
    assert progress.is_training.tolist() == [True, True, False, False]
    assert progress.slowdown.tolist() == [0.5, 0.5, 0.25, 0.25]


def test_one_embedding_has_the_best_epoch_of_the_history():
    progress, _ = record_all(VALIDATION, groups=np.zeros(4, dtype=int))
    assert progress.best_epochs.tolist() == [progress.best_epoch] * 4


def test_members_have_an_epoch_in_common_under_cross_validation_that_does_not_go_forward():
    members = plan_members(["periodic", "piecewise_linear"], 2, 3)
    assert epoch_groups(members, goes_forward=False).tolist() == [0] * 6 + [1] * 6
    assert epoch_groups(members, goes_forward=True) is None
    assert epoch_groups(plan_members(["none"], 5, None), goes_forward=False) is None
