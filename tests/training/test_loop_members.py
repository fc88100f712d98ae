"""Members over folds and variants, trained side by side, are what each is alone."""

import numpy as np
import pytest
from support.training import train_on

from dlreg.engine.forward import predict
from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant, parameter_specs
from dlreg.model.embeddings import Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.table.splits import rows_per_epoch, split_folds
from dlreg.training.members import (
    plan_members,
    training_rows,
)
from dlreg.training.progress import Refit
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import padded_rows, shuffled_rows

LEARNT = {"parametric_activation": True, "feature_scale": True, "initializer": "he_normal"}


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(61, 4)).astype(np.float32)
    noise = 0.1 * generator.normal(size=(61, 1))
    return x, (x[:, :1] * 1.5 - np.sin(2 * x[:, 1:2]) + noise).astype(np.float32)


def train(rows, variants, members, folds, initial, **options):
    defaults = {"epochs": 6, "batch_size": 16, "seed": 2, "optimizer": build_optimizer("adam")}
    x = rows[0]
    return train_on(
        rows,
        rows,
        variants=variants,
        initial=initial,
        schedule=build_schedule("constant", 0.02, epochs=6, steps_per_epoch=1),
        n_rows=rows_per_epoch(len(x), folds),
        order_of_rows=shuffled_rows(training_rows(members, len(x), folds), 4),
        validation_rows=padded_rows([folds[member.fold].validation for member in members]),
        **(defaults | options),
    )


def test_members_of_two_views_and_three_folds_are_what_each_is_alone(rows):
    x, y = rows
    folds = split_folds(len(x), "random", 3, seed=1)
    members = plan_members(["periodic", "piecewise_linear"], 1, 3)
    networks = [
        Network(4, [8], "mish", embedding=embedding, **LEARNT)
        for embedding in (Periodic(3), fit_embedding("piecewise_linear", x[:, :3]))
    ]
    initial = [weights for network in networks for weights in initial_weights(network, 5, 3)]
    variants = [Variant(network, 3) for network in networks]
    weights, _, together, _ = train(rows, variants, members, folds, initial)
    order = shuffled_rows(training_rows(members, len(x), folds), 4)
    for number, member in enumerate(members):
        left_out = folds[member.fold].validation
        (alone,), _, progress, _ = train_on(
            rows,
            (x[left_out], y[left_out]),
            variants=[Variant(networks[member.variant], 1)],
            initial=[initial[number]],
            optimizer=build_optimizer("adam"),
            schedule=build_schedule("constant", 0.02, epochs=6, steps_per_epoch=1),
            n_rows=rows_per_epoch(len(x), folds),
            order_of_rows=lambda _, epoch, number=number: order(number, epoch),
            epochs=6,
            batch_size=16,
            seed=2,
        )
        assert together.members[number]["loss"] == pytest.approx(progress.history["loss"], rel=2e-3)
        assert together.members[number]["val_loss"] == pytest.approx(progress.history["val_loss"], rel=2e-3)
        for mine, theirs in zip(weights[number].parameters, alone.parameters, strict=True):
            assert mine == pytest.approx(theirs, abs=5e-4)


@pytest.mark.parametrize("restore_best_weights", [True, False])
def test_members_end_with_their_best_or_their_last_weights(rows, restore_best_weights):
    x, y = rows
    folds = split_folds(len(x), "random", 2, seed=1)
    members = plan_members(["none"], 1, 2)
    network = Network(4, [16])
    weights, _, progress, _ = train(
        rows,
        [Variant(network, 2)],
        members,
        folds,
        initial_weights(network, 1, 2),
        epochs=60,
        restore_best_weights=restore_best_weights,
        optimizer=build_optimizer("adam", factors={"weights": 5.0}),
    )
    predictions = predict(network, weights, x)
    for member, fold in enumerate(folds):
        losses = progress.members[member]["val_loss"]
        error = float(np.mean((predictions[member][fold.validation] - y[fold.validation, 0]) ** 2))
        assert error == pytest.approx(min(losses) if restore_best_weights else losses[-1], rel=1e-4)
        assert min(losses) < losses[-1]


@pytest.mark.parametrize(
    "optimizer",
    [
        build_optimizer("adam", factors={"weights": 5.0}),
        build_optimizer("sgd", momentum=0.9),
        build_optimizer("rmsprop", momentum=0.5, weight_decay=0.01),
        build_optimizer("adam", ema_momentum=0.8),
        build_optimizer("muon", ema_momentum=0.8),
    ],
    ids=["adam", "sgd", "rmsprop", "averaged", "muon, averaged"],
)
def test_refitting_goes_on_from_the_best_epoch_with_all_rows(rows, optimizer):
    x, y = rows
    folds = split_folds(len(x), "random", 3, seed=1)
    members = plan_members(["none"], 1, 3)
    network, refit = Network(4, [16]), Refit(0.4, 0.05)
    weights, validated, progress, refit_epochs = train(
        rows,
        [Variant(network, 3)],
        members,
        folds,
        initial_weights(network, 1, 3),
        epochs=40,
        optimizer=optimizer,
        refit=refit,
    )
    predictions = predict(network, validated, x)
    for number, fold in enumerate(folds):
        error = float(np.mean((predictions[number][fold.validation] - y[fold.validation, 0]) ** 2))
        assert error == pytest.approx(min(progress.members[number]["val_loss"]), rel=1e-4)
    n_epochs = progress.refit_epochs
    assert n_epochs.tolist() == np.rint(0.4 * progress.best_epochs).tolist()
    assert len(set(n_epochs)) > 1
    # The same by another training of each member alone, which starts where validation left it.
    n_rows = rows_per_epoch(len(x), folds)
    n_steps = -(-n_rows // 16)
    for number, best in enumerate(validated):
        length = int(n_epochs[number])

        def learning_rate(steps, length=length):
            return 0.05 * np.sin(np.pi * (steps + 0.5) / (length * n_steps)) ** 2

        def order(_, epoch, number=number):
            return np.random.default_rng((2, 40 + epoch, number)).permutation(len(x))[:n_rows]

        (alone,), _, history, _ = train_on(
            rows,
            (x[:0], y[:0]),
            variants=[Variant(network, 1)],
            initial=[best],
            optimizer=optimizer,
            schedule=learning_rate,
            n_rows=n_rows,
            order_of_rows=order,
            epochs=length,
            batch_size=16,
            seed=2,
            restore_best_weights=False,
        )
        # One whose rows are predicted worse than before it had learnt all of them stays as it was.
        of_member, place = progress.members[number], int(progress.best_epochs[number]) - 1
        share = sum(len(fold.validation) for fold in folds) / 3 / (len(x) / 3 + n_rows)
        before = (1 - share) * of_member["loss"][place] + share * of_member["val_loss"][place]
        stays = history.history["loss"][-1] > before
        assert refit_epochs[number] == (0 if stays else length)
        expected = best if stays else alone
        for mine, theirs in zip(weights[number].parameters, expected.parameters, strict=True):
            assert mine == pytest.approx(theirs, abs=5e-4)
        if length == max(n_epochs):
            assert progress.refit["loss"][-1] == pytest.approx(history.history["loss"][-1], rel=2e-3)
    assert progress.refit_epoch == max(n_epochs)
    assert len(progress.history["loss"]) == progress.epoch == 40


def test_learning_rates_and_decay_differ_by_group(rows):
    x, y = rows
    network = Network(4, [64], feature_scale=True)
    initial = initial_weights(network, 3)
    plain = {"name": "sgd"}
    grouped = {
        "name": "sgd",
        "factors": {"biases": 0.5, "feature_scale": 3.0},
        "scales_weights": True,
        "weight_decay": 0.1,
        "decays": ["weights"],
    }

    def one_step(optimizer):
        (weights,), *_ = train_on(
            rows,
            (x[:0], y[:0]),
            variants=[Variant(network, 1)],
            initial=initial,
            optimizer=build_optimizer(**optimizer),
            schedule=build_schedule("constant", 0.1, epochs=1, steps_per_epoch=1),
            epochs=1,
            batch_size=61,
            seed=1,
            order_of_rows=lambda *_: np.arange(61),
        )
        return weights.parameters

    specs = list(parameter_specs(network))
    before = initial[0].parameters
    for spec, start, moved, expected in zip(specs, before, one_step(grouped), one_step(plain), strict=True):
        factor = {"biases": 0.5, "feature_scale": 3.0}.get(spec.group, 1 / np.sqrt(spec.shape[0]))
        decayed = 0.01 * start if spec.group == "weights" else 0
        assert moved - start == pytest.approx((expected - start) * factor - decayed, abs=1e-6), spec
