"""The learning curves of several runs: what each says, however many epochs it has."""

import re

import pytest

from dlreg.figures.compared_curves import MOST_CURVES, chart_curves

TITLES = re.compile(r"<title>(.*?)</title>")


@pytest.mark.parametrize("n_epochs", [1, 2, 500])
def test_each_curve_tells_its_run_and_its_least_error(n_epochs):
    curves = {
        f"runs/{number}": [3.0, *[2.0 + number] * n_epochs][-n_epochs:] for number in range(MOST_CURVES)
    }
    titles = TITLES.findall(chart_curves(curves, "c-"))
    assert len(titles) == MOST_CURVES
    assert titles[0].startswith("runs/0: the least is 2, in epoch ")


def test_a_run_of_one_epoch_is_drawn_beside_one_of_many():
    titles = TITLES.findall(chart_curves({"short": [4.0], "long": [3.0, 2.0, 1.0]}, "c-"))
    assert titles == ["short: the least is 4, in epoch 1", "long: the least is 1, in epoch 3"]
