"""What a suspicion of the data says."""

from typing import NamedTuple

# Fewer rows are sorted, or on one line, by chance.
LEAST_ROWS = 10


class Suspicion(NamedTuple):
    """Something in the data that looks like a mistake, and a way out."""

    message: str
    hint: str
