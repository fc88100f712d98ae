"""What mattered in a search, of trials whose values are known to depend on some parameters alone."""

import math
import time

import numpy as np
import pytest

from dlreg.search.importance import LEAST_TRIALS, importance_of
from dlreg.search.space import Choices, Range

SPACE = {
    "rate": Range(1e-4, 1e-1, is_log=True),
    "width": Range(8, 512, is_log=True, is_integer=True),
    "dropout": Range(0.0, 0.5),
    "layers": Choices(([64], [64, 64], None)),
}


def trials(n):
    draw = np.random.default_rng(3)
    return [
        {
            "rate": float(10 ** draw.uniform(-4, -1)),
            "width": int(draw.integers(8, 513)),
            "dropout": float(draw.uniform(0, 0.5)),
            "layers": SPACE["layers"].values[draw.integers(3)],
        }
        for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("key", "loss"),
    [
        ("rate", lambda values: abs(math.log10(values["rate"]) + 2)),
        ("width", lambda values: -values["width"]),
        ("dropout", lambda values: (values["dropout"] - 0.2) ** 2),
        ("layers", lambda values: 0 if values["layers"] is None else 1),
    ],
)
def test_the_parameter_that_decides_is_the_most_important_one(key, loss):
    values = trials(200)
    draw = np.random.default_rng(0)
    shares = importance_of(SPACE, values, [loss(each) + 1e-3 * draw.random() for each in values])
    assert next(iter(shares)) == key
    assert shares[key] > 0.6
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(SPACE)


def test_trials_that_failed_count_as_the_worst():
    values = trials(400)
    losses = [math.inf if each["layers"] else float(place % 7) for place, each in enumerate(values)]
    assert next(iter(importance_of(SPACE, values, losses))) == "layers"


@pytest.mark.parametrize(
    "losses",
    [[], [1.0] * 50, [math.inf] * 50, [*map(float, range(LEAST_TRIALS - 1)), *[math.inf] * 50]],
    ids=["none", "equal", "failed", "few"],
)
def test_nothing_is_told_where_nothing_can_be(losses):
    assert importance_of(SPACE, trials(len(losses)), losses) is None


def test_values_of_the_config_that_lie_outside_of_the_space_are_left_out():
    values = [{"rate": 0.5, "width": 4, "dropout": 0.9, "layers": [7]}, {}, *trials(60)]
    shares = importance_of(
        SPACE, values, [values[2:].index(each) * 1.0 if each in values[2:] else 0.0 for each in values]
    )
    assert shares and all(math.isfinite(share) for share in shares.values())


def test_ten_thousand_trials_take_no_time():
    values = trials(10_000)
    began = time.monotonic()
    shares = importance_of(SPACE, values, [values_["dropout"] for values_ in values])
    assert time.monotonic() - began < 3
    assert shares["dropout"] > 0.9


@pytest.mark.parametrize("n", [20, 60, 300])
def test_what_does_nothing_seldom_seems_to_matter(n):
    values = trials(n)
    told = [
        importance_of(SPACE, values, list(np.random.default_rng(seed).normal(size=n))) for seed in range(12)
    ]
    assert sum(any(shares.values()) for shares in told) <= 3
