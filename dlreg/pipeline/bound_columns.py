"""Columns of numbers that are bound to a session once, and filled anew for each call.

ONNX Runtime seeks each column of a call by its name among all others, which of 10,000 takes half a second.
It binds no texts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


class BoundColumns:
    """The columns of a session, in memory of their own. A thread needs its own ones.

    Args:
        session: An ONNX Runtime session.
        names: The columns it reads, all of them numbers.
        n_rows: How many rows it is given.
    """

    def __init__(self, session: Any, names: Iterable[str], n_rows: int) -> None:
        """Binds the columns; no row is computed."""
        self.n_rows = n_rows
        self._session, self._binding = session, session.io_binding()
        self._cells = {name: np.zeros((n_rows, 1)) for name in names}
        for name, memory in self._cells.items():
            self._binding.bind_cpu_input(name, memory)
        for output in session.get_outputs():
            self._binding.bind_output(output.name)

    def run(self, cells: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Every output for some cells, `(n_rows, 1)` of each column.

        Raises:
            ValueError: They are of other columns, or no numbers.
        """
        # What is not filled would still have the cells of the call before.
        if cells.keys() != self._cells.keys():
            raise ValueError(f"{len(cells.keys() ^ self._cells.keys()):,} columns are not those it reads")
        for name, column in cells.items():
            self._cells[name][...] = column
        self._session.run_with_iobinding(self._binding)
        return list(self._binding.copy_outputs_to_cpu())
