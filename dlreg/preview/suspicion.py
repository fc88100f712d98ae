"""A suspicion: data that are legal, but look like a mistake."""

from typing import NamedTuple

# Fewer rows are sorted, or on one line, by chance.
LEAST_ROWS = 10


class Suspicion(NamedTuple):
    """What looks like a mistake, in a sentence, and a way out."""

    message: str
    hint: str
