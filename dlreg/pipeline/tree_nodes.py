"""Regression trees as the attributes of an ONNX operator, written and read.

`TreeEnsembleRegressor` (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html) has a list
for each property of a node, and another for each of a leaf. Of the many ways to write trees this is one:
each node stands before its children, the left one right behind it, so that all other lists follow from the
modes, features and numbers of the nodes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dlreg.pipeline.refusal import refused

OPERATOR = "TreeEnsembleRegressor"
_LEAF, _SPLIT = b"LEAF", b"BRANCH_LEQ"
# ONNX Runtime goes down a tree by calls of calls.
MOST_COMPARISONS = 64


class TreeNodes(NamedTuple):
    """The nodes of all trees one behind the other.

    Attributes:
        features: Which feature each node compares, -1 for a leaf, shape `(n_nodes,)`.
        numbers: A row goes left, to the next node, where its feature is at most this; of a leaf its value.
            Single precision, shape `(n_nodes,)`.
        right: The position of each node's right child; of a leaf its own, shape `(n_nodes,)`.
        roots: The positions of the first nodes, shape `(n_trees,)`.
        depth: How many nodes compare on the longest way to a leaf.
    """

    features: np.ndarray
    numbers: np.ndarray
    right: np.ndarray
    roots: np.ndarray
    depth: int


def tree_nodes(features: Sequence[int] | np.ndarray, numbers: Sequence[float] | np.ndarray) -> TreeNodes:
    """What follows from the features and numbers of nodes.

    Raises:
        RunDirError: They are no whole trees, or of too many comparisons one behind the other.
    """
    features = np.asarray(features, dtype=np.int64)
    right, roots, depth = np.arange(len(features)), [], 0
    # The nodes from the root on whose right child is still to come, with how many there are above each.
    waiting: list[tuple[int, int]] = []
    above, is_root = 0, True
    for node, feature in enumerate(features.tolist()):
        if is_root:
            roots.append(node)
            is_root = False
        if feature >= 0:
            waiting.append((node, above))
            above += 1
            depth = max(depth, above)
        elif waiting:
            parent, above = waiting.pop()
            right[parent] = node + 1
            above += 1
        else:
            above, is_root = 0, True
    if waiting or not is_root or not len(features):
        raise refused(f"{OPERATOR} of trees that are not whole")
    if depth > MOST_COMPARISONS:
        raise refused(f"{OPERATOR} of {depth:,} comparisons one behind the other")
    return TreeNodes(features, np.asarray(numbers, dtype=np.float32), right, np.array(roots), depth)


def tree_attributes(trees: TreeNodes) -> dict[str, Any]:
    """Every attribute of the operator, in single precision as its rows are."""
    n_nodes = len(trees.features)
    is_leaf = trees.features < 0
    # The nodes are counted from 0 on in each tree.
    sizes = np.diff(trees.roots, append=n_nodes)
    starts = np.repeat(trees.roots, sizes)
    ids = np.arange(n_nodes) - starts
    tree_ids = np.repeat(np.arange(len(trees.roots)), sizes)
    return {
        "n_targets": 1,
        "nodes_falsenodeids": np.where(is_leaf, 0, trees.right - starts).tolist(),
        "nodes_featureids": np.where(is_leaf, 0, trees.features).tolist(),
        "nodes_modes": [_LEAF if leaf else _SPLIT for leaf in is_leaf.tolist()],
        "nodes_nodeids": ids.tolist(),
        "nodes_treeids": tree_ids.tolist(),
        "nodes_truenodeids": np.where(is_leaf, 0, ids + 1).tolist(),
        "nodes_values": np.where(is_leaf, 0, trees.numbers).tolist(),
        "target_ids": [0] * int(is_leaf.sum()),
        "target_nodeids": ids[is_leaf].tolist(),
        "target_treeids": tree_ids[is_leaf].tolist(),
        "target_weights": trees.numbers[is_leaf].tolist(),
    }


ATTRIBUTES = frozenset(tree_attributes(tree_nodes([-1], [0.0])))


def read_trees(attributes: Mapping[str, Any]) -> TreeNodes:
    """The trees that attributes hold, which a stranger may have written.

    Args:
        attributes: Numbers, or lists of numbers or bytes.

    Raises:
        RunDirError: They are not written as `tree_attributes` writes them, or hold what is no finite number.
    """
    try:
        is_leaf = np.array([mode == _LEAF for mode in attributes["nodes_modes"]], dtype=bool)
        features = np.where(is_leaf, -1, np.array(attributes["nodes_featureids"], dtype=np.int64))
        numbers = np.array(attributes["nodes_values"], dtype=np.float32)
        numbers[is_leaf] = attributes["target_weights"]
    except (KeyError, TypeError, ValueError, IndexError):
        raise refused(f"{OPERATOR} without what each node needs") from None
    if not np.isfinite(numbers).all():
        raise refused(f"{OPERATOR} of values that are no numbers")
    trees = tree_nodes(features, numbers)
    for name, values in tree_attributes(trees).items():
        if attributes.get(name) != values:
            raise refused(f"{OPERATOR} with other {name} than its nodes have")
    return trees
