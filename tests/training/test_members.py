"""Who trains on what, and how long."""

import numpy as np
import pytest

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.config.sections.training import TrainingConfig
from dlreg.table.splits import rows_per_epoch, split_folds
from dlreg.training.members import (
    count_epochs,
    count_refit_epochs,
    divide_epoch,
    members_of,
    network_options,
    plan_epochs,
    plan_members,
    predicting_members,
    training_rows,
    visiting_members,
)
from dlreg.training.visited_rows import shuffled_rows


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
        assert met == set(range(61)) - set(folds[member.fold].validation.tolist())


def test_a_member_never_meets_a_row_that_comes_after_those_it_validates_on():
    moments = np.random.default_rng(0).permutation(61)
    folds = split_folds(61, "time", 5, seed=3, by=moments)
    members = plan_members(["none"], 2, 5)
    order = shuffled_rows(training_rows(members, 61, folds), 0)
    for number, member in enumerate(members):
        met = order(number, 3)
        assert len(met) == rows_per_epoch(61, folds) == len(folds[-1].train)
        assert moments[met].max() < moments[folds[member.fold].validation].min()
        assert set(met.tolist()) == set(folds[member.fold].train.tolist())


def test_members_that_share_weights_are_one_network_that_meets_rows_in_as_many_orders():
    model = {"ensemble": 3, "ensemble_kind": "shared"}
    preprocessing = {"embedding": ["none", "periodic"]}
    training = {"cross_validation": 2, "validation_split": 0}
    data = {"path": "t.csv", "target": "y"}
    config = Config(data=data, model=model, preprocessing=preprocessing, training=training)
    assert [(member.variant, member.fold) for member in members_of(config)] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert visiting_members(config) == [member for member in members_of(config) for _ in range(3)]
    assert network_options(config)["shared_members"] == 3
    order = shuffled_rows([np.arange(50)] * 3, 1)
    assert len({tuple(order(number, 0)) for number in range(3)}) == 3


@pytest.mark.parametrize(
    ("method", "refitted", "expected"),
    [("random", False, range(8)), ("ordered", True, range(8)), ("ordered", False, [2, 3, 6, 7])],
)
def test_members_that_know_fewer_rows_of_late_predict_no_new_ones(method, refitted, expected):
    members = plan_members(["none", "periodic"], 2, 2)
    folds = split_folds(30, method, 2, seed=1)
    assert predicting_members(members, folds, refitted=refitted) == list(expected)


def test_epochs_auto_is_a_number_of_steps():
    assert count_epochs(7, 32_000, 1000, 4096) == 7
    counts = [count_epochs("auto", 32 * steps, steps, 4096) for steps in (1, 2, 3, 4, 5, 20, 50, 600)]
    assert counts == [819, 512, 341, 256, 204, 204, 81, 8]
    assert count_epochs("auto", 64, 2, 1536) == 192


def test_epochs_and_batches_and_patience_go_by_rows():
    def plan(n_rows, **training):
        config = Config(data=DataConfig(path="table.csv", target="y"), training=TrainingConfig(**training))
        plan = plan_epochs(config, n_rows)
        return plan.batch_size, plan.steps_per_epoch, plan.epochs, plan.patience

    assert plan(10) == (10, 1, 400, 40)
    assert plan(10_000) == (16, 625, 400, 40)
    assert plan(10_001) == (32, 313, 400, 40)
    assert plan(40_000) == (32, 1250, 200, 20)
    assert plan(10**7) == (32, 312_500, 100, 20)
    assert plan(10_000, epochs=1000) == (16, 625, 1000, 100)
    assert plan(10_000, batch_size=64, epochs=50) == (64, 157, 50, 20)
    assert plan(10_000, early_stopping={"patience": 3}) == (16, 625, 400, 3)
    assert plan(10_000, early_stopping=None) == (16, 625, 400, None)


def test_batches_of_one_size_hold_every_row_and_few_more():
    for n_rows in (1, 100, 256, 257, 323, 1000):
        assert divide_epoch(n_rows, 256, equal_batches=False) == (min(n_rows, 256), -(-n_rows // 256))
        batch_size, steps = divide_epoch(n_rows, 256, equal_batches=True)
        assert batch_size <= 256
        assert 0 <= batch_size * steps - n_rows < steps


def test_members_that_stopped_soon_catch_up_where_folds_go_forward():
    assert count_refit_epochs(0.4, [1, 10, 25]).tolist() == [1, 4, 10]
    refitted = count_refit_epochs(0.4, [1, 10, 25], catches_up=True)
    assert refitted.tolist() == [34, 25, 10]
    assert (refitted + np.array([1, 10, 25])).tolist() == [35, 35, 35]
