"""How large a training may be that is to end within a time: how many epochs, and how many members."""

from dlreg.training.members import EpochPlan

# Beyond so many times as many, nothing is known to be gained.
MOST_EPOCHS, MOST_MEMBERS = 4.0, 8
# What comes after the epochs: of any table, and of each row.
SECONDS_BEHIND, SECONDS_A_ROW = 3.0, 2e-4


def epochs_in_all(plan: EpochPlan, epochs_fraction: float) -> float:
    """How many epochs a training has at most, refitting by a fraction of the best one included."""
    return plan.epochs * (1 + epochs_fraction)


def seconds_for_epochs(limit: float, n_rows: int) -> float:
    """What is left of a time for the epochs: nearly all, but for what comes after them."""
    return max(0.0, 0.95 * limit - SECONDS_BEHIND - SECONDS_A_ROW * n_rows)


def choose_members(times: float) -> int:
    """How many times as many members a training gets that may take so many times as long.

    First come twice the epochs, then members: 2 times as many from 4 times as long on, up to 8 from 16 on.
    """
    return max(1, min(MOST_MEMBERS, int(times / 2)))


def choose_epochs(own: int, times: float, warmup_epochs: int = 0) -> int:
    """How many epochs fit, where they may take so many times as long: one after warming up, or more."""
    return max(warmup_epochs + 1, int(own * min(times, MOST_EPOCHS)))
