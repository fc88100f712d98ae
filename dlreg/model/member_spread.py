"""How far apart the members of an ensemble are on rows, seen and unseen."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class MemberSpread:
    """Standard deviations of members' predictions, in the target's units, of some rows.

    Attributes:
        unseen: Of the members that were not fitted on a row, shape `(n_rows,)`.
        n_unseen: How many these are, for each row.
        every: Of all members, the same shape.
        n_predicting: How many members predict new rows.
    """

    unseen: np.ndarray
    n_unseen: int
    every: np.ndarray
    n_predicting: int

    def take(self, rows: np.ndarray) -> "MemberSpread":
        """Those of some of the rows, by their positions."""
        return MemberSpread(self.unseen[rows], self.n_unseen, self.every[rows], self.n_predicting)
