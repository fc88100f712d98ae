"""Members that learn by values of their own."""

from itertools import pairwise

import numpy as np
import pytest
from support.training import train_on

from dlreg.config.reading import load_config
from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant
from dlreg.model.initial_weights import initial_weights
from dlreg.training.members import members_of
from dlreg.training.sampling import member_values
from dlreg.training.schedules import build_schedule

CONFIG = """\
data: {path: table.csv, target: y}
preprocessing: {embedding: [none, periodic]}
model:
  ensemble: 40
  dropout: [0.1, 0.0]
  sample:
    learning_rate: {min: 0.0001, max: 0.1, distribution: log_uniform}
    dropout: {min: 0.2, max: 0.6}
training: {weight_decay: 0.3, cross_validation: 2}
"""


def values_of(tmp_path, *overrides):
    (tmp_path / "config.yaml").write_text(CONFIG)
    config = load_config(tmp_path / "config.yaml", list(overrides))
    return members_of(config), member_values(config)


def test_members_of_all_folds_draw_the_same_and_the_first_keeps_the_config(tmp_path):
    members, values = values_of(tmp_path)
    drawn = {}
    for number, member in enumerate(members):
        own = (values.learning_rate[number], values.dropout[number])
        assert drawn.setdefault((member.variant, member.number), own) == own
    assert (drawn[0, 0], drawn[1, 0]) == ((0.001, 0.1), (0.001, 0.0))
    others = np.array([own for (_, number), own in drawn.items() if number])
    assert len(np.unique(others, axis=0)) == 2 * 39
    assert (values.weight_decay == 0.3).all()


def test_values_are_spread_evenly_over_their_ranges(tmp_path):
    members, values = values_of(tmp_path)
    is_drawn = np.array([member.number > 0 and member.fold == 0 for member in members])
    # Uniform: the mean of 78 lies within four standard errors, (1/12)^0.5 / 78^0.5, of a half.
    for shares in (
        np.log10(values.learning_rate[is_drawn] / 0.0001) / 3,
        (values.dropout[is_drawn] - 0.2) / 0.4,
    ):
        assert shares.min() >= 0
        assert shares.max() <= 1
        assert shares.mean() == pytest.approx(0.5, abs=4 * (1 / 12 / 78) ** 0.5)
    assert abs(np.corrcoef(np.log(values.learning_rate[is_drawn]), values.dropout[is_drawn])[0, 1]) < 0.45


def test_values_depend_on_the_seed_and_not_on_how_many_draw(tmp_path):
    _, values = values_of(tmp_path)
    _, again = values_of(tmp_path)
    _, other = values_of(tmp_path, "training.seed=43")
    members, fewer = values_of(tmp_path, "model.ensemble=3")
    assert np.array_equal(values.learning_rate, again.learning_rate)
    assert not np.array_equal(values.learning_rate, other.learning_rate)
    assert [member.number for member in members[:3]] == [0, 1, 2]
    assert np.array_equal(fewer.learning_rate[:3], values.learning_rate[:3])
    _, without_rate = values_of(tmp_path, "model.sample.learning_rate=null")
    assert np.array_equal(without_rate.dropout, values.dropout)


RATE_FACTORS, DECAYS, DROPOUT = (1.0, 0.3, 4.0), (0.0, 0.5, 2.0), (0.0, 0.5, 0.0)


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(50, 4)).astype(np.float32)
    return x, (x[:, :1] - np.sin(2 * x[:, 1:2])).astype(np.float32)


def train(rows, network, initial, *, optimizer="adam", weight_decay=0.0, learning_rate=0.01, **options):
    return train_on(
        rows,
        rows,
        variants=[Variant(network, len(initial))],
        initial=initial,
        optimizer=build_optimizer(optimizer, weight_decay=weight_decay),
        schedule=build_schedule("cosine", learning_rate, epochs=8, steps_per_epoch=4),
        order_of_rows=lambda _, epoch: np.random.default_rng(epoch).permutation(50),
        epochs=8,
        batch_size=16,
        seed=2,
        **options,
    )


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_members_with_values_of_their_own_are_what_each_is_alone(rows, optimizer):
    network = Network(4, [12, 8], dropout=0.5)
    initial = initial_weights(network, 7, 3)
    weights, _, together, _ = train(
        rows,
        network,
        initial,
        optimizer=optimizer,
        weight_decay=DECAYS,
        rate_factors=np.array(RATE_FACTORS),
        member_dropout=np.array(DROPOUT),
    )
    # The one that drops units drops others beside two than alone.
    for member in (0, 2):
        (alone,), _, progress, _ = train(
            rows,
            Network(4, [12, 8]),
            initial[member : member + 1],
            optimizer=optimizer,
            weight_decay=DECAYS[member],
            learning_rate=0.01 * RATE_FACTORS[member],
        )
        history = together.members[member]
        assert history["learning_rate"] == pytest.approx(progress.history["learning_rate"])
        assert history["loss"] == pytest.approx(progress.history["loss"], rel=2e-3)
        for mine, theirs in zip(weights[member].parameters, alone.parameters, strict=True):
            assert mine == pytest.approx(theirs, abs=2e-4)


def test_a_member_drops_as_much_as_it_draws(rows):
    network = Network(4, [64], dropout=0.8)
    initial = 4 * initial_weights(network, 7, 1)
    shares = np.array([0.0, 0.2, 0.5, 0.8])
    _, _, progress, _ = train(rows, network, initial, learning_rate=1e-9, member_dropout=shares)
    losses = [np.mean(member["loss"]) for member in progress.members]
    assert progress.members[0]["loss"][0] == pytest.approx(progress.members[0]["val_loss"][0], rel=1e-4)
    assert all(lower < higher for lower, higher in pairwise(losses))
