"""Regression trees whose leaves add up."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees on preprocessed rows, whose leaves add up in scaled target units; their share of a prediction.

    The nodes of all trees stand one behind the other: each before its children, the left one right behind it.

    Attributes:
        weight: The share.
        intercept: What is added to the leaves.
        features: Which feature each node compares, -1 for a leaf, shape `(n_nodes,)`.
        numbers: A row goes left where its feature is at most this; of a leaf its value. Single precision, as
            the rows are, shape `(n_nodes,)`.
        right: The position of each node's right child; of a leaf its own, shape `(n_nodes,)`.
        roots: The positions of the first nodes, shape `(n_trees,)`.
    """

    weight: float
    intercept: float
    features: np.ndarray
    numbers: np.ndarray
    right: np.ndarray
    roots: np.ndarray

    @property
    def left(self) -> np.ndarray:
        """The position of each node's left child; of a leaf its own, shape `(n_nodes,)`."""
        return np.arange(len(self.features)) + (self.features >= 0)

    @property
    def depth(self) -> int:
        """How many nodes compare on the longest way to a leaf."""
        depth, level = 0, self.roots
        while len(level := level[self.features[level] >= 0]):
            depth, level = depth + 1, np.concatenate([level + 1, self.right[level]])
        return depth
