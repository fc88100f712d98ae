"""Trees that are walked down one row after the other, and some to walk down."""

import numpy as np

from dlreg.model.trees import Trees


def leaves_of(trees, x):
    """The sum of the leaves that each row comes to, in double precision, `(n_rows,)`."""
    sums = np.zeros(len(x))
    for row, values in enumerate(x):
        for root in trees.roots:
            node = root
            while trees.features[node] >= 0:
                goes_left = values[trees.features[node]] <= trees.numbers[node]
                node = trees.left[node] if goes_left else trees.right[node]
            sums[row] += float(trees.numbers[node])
    return sums


def some_trees(n_features, n_trees=12, weight=0.3, seed=8):
    """Trees of two to four comparisons each."""
    generator = np.random.default_rng(seed)
    features, numbers, right, roots = [], [], [], []

    def grow(depth):
        node = len(features)
        is_leaf = depth == 4 or (depth >= 2 and generator.random() < 0.5)
        features.append(-1 if is_leaf else int(generator.integers(n_features)))
        numbers.append(generator.normal(scale=0.2 if is_leaf else 1.0))
        right.append(node)
        if not is_leaf:
            grow(depth + 1)
            right[node] = len(features)
            grow(depth + 1)

    for _ in range(n_trees):
        roots.append(len(features))
        grow(0)
    return Trees(
        weight,
        0.25,
        np.array(features),
        np.array(numbers, dtype=np.float32),
        np.array(right),
        np.array(roots),
    )
