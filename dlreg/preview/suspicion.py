"""A suspicion: data that are legal, but look like a mistake."""

from typing import NamedTuple

# Fewer rows are sorted, or on one line, by chance.
LEAST_ROWS = 10


class Suspicion(NamedTuple):
    """What looks like a mistake, in a sentence, and a way out.

    Attributes:
        message: What was found.
        hint: What to do about it, by config key where there is one.
        spoils_loss: Whether a few rows would make up most of the loss, so that a learning curve tells of them
            rather than of the network.
    """

    message: str
    hint: str
    spoils_loss: bool = False
