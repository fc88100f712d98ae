"""Who trains on what, and how long."""

from dlreg.table.splits import split_folds
from dlreg.training.loop import shuffled_rows
from dlreg.training.members import (
    count_epochs,
    divide_epoch,
    plan_members,
    rows_per_epoch,
    training_rows,
)


def test_a_member_never_meets_the_rows_it_validates_on():
    folds = split_folds(61, "random", 5, seed=3)
    members = plan_members(["none", "periodic"], 2, 5)
    assert [(member.variant, member.fold) for member in members[:4]] == [(0, 0), (0, 0), (0, 1), (0, 1)]
    assert len(members) == 20
    order = shuffled_rows(training_rows(members, 61, folds), 0)
    lengths = {len(order(number, 3)) for number in range(20)}
    assert lengths == {rows_per_epoch(61, folds)}
    for number, member in enumerate(members):
        met = set(order(number, 3).tolist())
        assert met == set(range(61)) - set(folds[member.fold].tolist())


def test_epochs_auto_is_a_number_of_steps():
    assert count_epochs(7, 1000, 4096) == 7
    counts = [count_epochs("auto", steps, 4096) for steps in (1, 2, 3, 4, 5, 20, 50, 600)]
    assert counts == [819, 512, 341, 256, 204, 204, 81, 8]
    assert count_epochs("auto", 2, 1536) == 192


def test_batches_of_one_size_hold_every_row_and_few_more():
    for n_rows in (1, 100, 256, 257, 323, 1000):
        assert divide_epoch(n_rows, 256, equal_batches=False) == (min(n_rows, 256), -(-n_rows // 256))
        batch_size, steps = divide_epoch(n_rows, 256, equal_batches=True)
        assert batch_size <= 256
        assert 0 <= batch_size * steps - n_rows < steps
