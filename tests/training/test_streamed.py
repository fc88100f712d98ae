"""Epochs that are read pool by pool are those of the same rows in memory, and resume to the bit."""

import numpy as np
import pytest

from dlreg.engine.optimizer import Optimizer
from dlreg.engine.program import NO_ROW
from dlreg.engine.trainer import Pool, ValidationRows
from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant
from dlreg.model.initial_weights import initial_weights
from dlreg.table.splits import leaving_out
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.loop import Hooks, Recipe, fit
from dlreg.training.progress import EarlyStopping, Refit
from dlreg.training.schedules import build_dropout_schedule, build_schedule
from dlreg.training.visited_rows import StreamedData, TrainingData, TrainingRows, padded_rows, shuffled_rows

N_ROWS, N_VALIDATION, BATCH, POOL, EPOCHS = 150, 70, 16, 64, 4


def make_rows(n_rows, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4)).astype(np.float32)
    return TrainingRows(x, (x[:, :1] - np.sin(2 * x[:, 1:2])).astype(np.float32))


TRAIN, VALIDATION = make_rows(N_ROWS, 1), make_rows(N_VALIDATION, 2)


def room_for(array, n_rows):
    """The rows in an array with room for more, filled with what would be seen if it were used."""
    padded = np.full((n_rows, array.shape[1]), 1e6, dtype=np.float32)
    padded[: len(array)] = array
    return padded


def in_memory(n_members):
    return TrainingData(TRAIN, VALIDATION, shuffled_rows([np.arange(N_ROWS)] * n_members, 5))


def streamed(n_members, *, has_validation=True):
    """The same rows, in the same order of the first member, pool by pool."""
    order_of_rows = in_memory(n_members).order_of_rows

    def read_pools(epoch):
        orders = [order_of_rows(member, epoch) for member in range(n_members)]
        for start in range(0, N_ROWS, POOL):
            # A pool holds the rows of all members, which differ.
            rows = [order[start : start + POOL] for order in orders]
            known = np.unique(np.concatenate(rows))
            places = [np.searchsorted(known, wanted) for wanted in rows]
            yield Pool(room_for(TRAIN.x[known], N_ROWS), room_for(TRAIN.y[known], N_ROWS), places)

    def read_validation():
        for start in range(0, N_VALIDATION if has_validation else 0, 32):
            rows = slice(start, min(start + 32, N_VALIDATION))
            x, y = VALIDATION.x[rows], VALIDATION.y[rows]
            yield ValidationRows(room_for(x, 32), room_for(y, 32), len(x))

    share = N_VALIDATION / (N_VALIDATION + N_ROWS) if has_validation else 0.0
    return StreamedData(N_ROWS, POOL, read_pools, read_pools, read_validation, share)


FOLDS = leaving_out([np.arange(start, N_ROWS, 3, dtype=np.int32) for start in range(3)])


def folded_in_memory(n_members):
    """Cross-validation of three members, each of which leaves out every third row."""
    del n_members
    order_of_rows = shuffled_rows([fold.train for fold in FOLDS], 5)
    return TrainingData(
        TRAIN, TRAIN, order_of_rows, 100, padded_rows([fold.validation for fold in FOLDS]).astype(np.int32)
    )


def folded_streamed(n_members):
    """The same, pool by pool, with the rows to validate on in blocks that are unlike for each member."""
    order_of_rows = folded_in_memory(n_members).order_of_rows

    def read_pools(epoch):
        orders = [order_of_rows(member, epoch) for member in range(3)]
        for start in range(0, 100, POOL):
            yield Pool(TRAIN.x, TRAIN.y, [order[start : start + POOL] for order in orders])

    def read_validation():
        for start in range(0, N_ROWS, 40):
            x, y = TRAIN.x[start : start + 40], TRAIN.y[start : start + 40]
            places = [
                fold.validation[(fold.validation >= start) & (fold.validation < start + 40)] - start
                for fold in FOLDS
            ]
            padded = np.full((3, 20), NO_ROW, np.int32)
            for line, positions in zip(padded, places, strict=True):
                line[: len(positions)] = positions
            yield ValidationRows(room_for(x, 40), room_for(y, 40), None, padded)

    return StreamedData(100, POOL, read_pools, read_pools, read_validation, 1 / 3)


def recipe(n_members=1, optimizer: Optimizer | None = None, epochs=EPOCHS, **options):
    network = Network(4, [8, 6], l2=0.01, **options.pop("network", {}))
    steps = -(-N_ROWS // BATCH)
    return Recipe(
        [Variant(network, n_members)],
        initial_weights(network, 3, n_members),
        optimizer or build_optimizer("adam", clip_norm=1.0),
        build_schedule("cosine", 0.02, epochs=epochs, steps_per_epoch=steps),
        epochs,
        BATCH,
        7,
        **options,
    )


CASES = {
    "one member": {},
    "three members": {"n_members": 3},
    "dropout that fades": {
        "network": {"dropout": 0.3},
        "dropout": build_dropout_schedule("flat_cosine", n_steps=40),
    },
    "batch norm": {"network": {"batch_norm": True}},
    "early stopping": {"n_members": 2, "early_stopping": EarlyStopping(1), "epochs": 12},
    "refitting": {"n_members": 2, "refit": Refit(0.5, 0.01)},
    "averaged": {"n_members": 2, "optimizer": build_optimizer("muon", ema_momentum=0.9)},
    "values of their own": {
        "n_members": 3,
        "optimizer": build_optimizer("adam", weight_decay=(0.0, 0.1, 1.0)),
        "network": {"dropout": 0.4},
        "member_dropout": np.array([0.0, 0.1, 0.4]),
        "rate_factors": np.array([1.0, 0.1, 3.0]),
    },
    "cross-validation": {"n_members": 3, "data": (folded_in_memory, folded_streamed)},
}


@pytest.mark.parametrize("case", CASES)
def test_pools_train_as_rows_in_memory_do(case):
    settings = dict(CASES[case])
    n_members = settings.get("n_members", 1)
    # In memory the orders of refitting are drawn otherwise than those on disk, which stay as they were.
    refit = settings.get("refit")
    memory, disk = settings.pop("data", (in_memory, streamed))
    expected = fit(recipe(**settings), memory(n_members))
    trained = fit(recipe(**settings), disk(n_members))
    history, expected_history = trained.progress.history, expected.progress.history
    assert history.keys() == expected_history.keys()
    assert len(history["val_loss"]) == len(expected_history["val_loss"])
    if not refit:
        for name, values in history.items():
            np.testing.assert_allclose(values, expected_history[name], rtol=2e-4)
    for weights, others in zip(trained.validated, expected.validated, strict=True):
        for array, other in zip(weights.parameters, others.parameters, strict=True):
            np.testing.assert_allclose(array, other, rtol=2e-3, atol=2e-4)


def test_without_validation_rows_the_history_has_none():
    trained = fit(recipe(), streamed(1, has_validation=False))
    assert set(trained.progress.history) == {"loss", "learning_rate"}


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "case", ["three members", "values of their own", "early stopping", "refitting", "averaged"]
)
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_training_that_was_broken_off_ends_the_same_to_the_bit(case, stop_after):
    settings = dict(CASES[case])
    data, kept = streamed(settings.get("n_members", 1)), []
    whole = fit(recipe(**settings), data)

    def stop(make_checkpoint):
        kept.append(make_checkpoint())
        if len(kept) == stop_after:
            raise KilledError

    with pytest.raises(KilledError):
        fit(recipe(**settings), data, Hooks(after_epoch=stop))
    checkpoint = Checkpoint(*kept[-1])
    resumed = fit(recipe(**settings), data, Hooks(resume_from=lambda _: checkpoint))
    assert resumed.progress.history == whole.progress.history
    for weights, others in zip(resumed.weights, whole.weights, strict=True):
        for array, other in zip(
            [*weights.parameters, *weights.statistics], [*others.parameters, *others.statistics], strict=True
        ):
            assert np.array_equal(array, other)
