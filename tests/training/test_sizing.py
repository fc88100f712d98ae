"""How many epochs and members fit in a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg.training.members import EpochPlan
from dlreg.training.sizing import choose_epochs, choose_members, epochs_in_all, seconds_for_epochs


@pytest.mark.parametrize(
    ("times", "members", "epochs"),
    [(0.0, 1, 1), (0.5, 1, 50), (1.0, 1, 100), (3.0, 1, 300), (4.0, 2, 200), (16.0, 8, 200), (100.0, 8, 400)],
)
def test_first_there_are_twice_the_epochs_then_more_members(times, members, epochs):
    assert choose_members(times) == members
    assert choose_epochs(100, times / members) == epochs


@given(st.integers(1, 10_000), st.floats(0, 1000), st.integers(0, 50))
def test_what_is_chosen_takes_no_longer_than_there_is_time(own, times, warmup_epochs):
    members = choose_members(times)
    epochs = choose_epochs(own, times / members, warmup_epochs)
    assert epochs > warmup_epochs
    assert epochs == warmup_epochs + 1 or members * epochs <= own * times + 1e-6


def test_refitting_and_what_comes_after_the_epochs_have_their_share():
    assert epochs_in_all(EpochPlan(1000, 100, 10, 50, None), 0.6) == 80
    assert seconds_for_epochs(100, 1000) == pytest.approx(95 - 3 - 0.2)
    assert seconds_for_epochs(1, 1000) == 0
