"""Numbers scaled to quantiles, as formulas of ONNX."""

from typing import Any

import numpy as np
from onnx import TensorProto

from dlreg.pipeline.graph import Graph


def quantile_share(graph: Graph, numbers: str, quantiles: np.ndarray) -> str:
    """Interpolates between quantiles from both sides of a tie, as `dlreg.features.scaling.Quantiles` does.

    With q₀ ≤ … ≤ qₖ₋₁ the quantiles of a column, x maps to the mean of two positions on [0, 1]: between the
    last qⱼ ≤ x and its successor, and between the first qⱼ ≥ x and its predecessor. They differ only
    where several quantiles equal x. Positions are found by bisection, for all columns at once.

    Args:
        graph: Is added to.
        numbers: A tensor [N, n_columns] of double precision.
        quantiles: Shape `(n_quantiles, n_columns)`.

    Returns:
        The shares, of the same shape and type.
    """
    n_quantiles, n_columns = quantiles.shape
    # Bisection looks past the end; nothing is at or below infinity's place.
    width = 1 << n_quantiles.bit_length()
    table = np.full((n_columns, width), np.inf)
    table[:, :n_quantiles] = quantiles.T
    flat, offsets = (
        graph.constant(values) for values in (table.ravel(), (np.arange(n_columns) * width).reshape(1, -1))
    )
    one, nothing, end = (graph.constant(np.array([value])) for value in (1, 0, n_quantiles - 1))
    lowest, highest = graph.constant(quantiles[:1]), graph.constant(quantiles[-1:])
    x = graph.add("Max", graph.add("Min", numbers, highest), lowest)

    def quantile_at(position: str) -> Any:
        return graph.add("Gather", flat, graph.add("Add", position, offsets))

    def bisect(comparison: str) -> Any:
        """The last position whose quantile compares so with x, or 0."""
        position = graph.add("Mul", graph.add("Cast", x, to=TensorProto.INT64), nothing)
        step = width // 2
        while step:
            further = graph.add("Add", position, np.array([step]))
            compared = graph.add(comparison, quantile_at(further), x)
            position = graph.add("Where", compared, further, position)
            step //= 2
        return position

    def interpolate(low: str, high: str) -> Any:
        below, above = quantile_at(low), quantile_at(high)
        gap = graph.add("Sub", above, below)
        is_tie = graph.add("Equal", gap, np.array([0.0]))
        share = graph.add("Div", graph.add("Sub", x, below), graph.add("Where", is_tie, np.array([1.0]), gap))
        return graph.add("Add", graph.add("Cast", low, to=TensorProto.DOUBLE), share)

    at_or_below = bisect("LessOrEqual")
    from_left = interpolate(at_or_below, graph.add("Min", graph.add("Add", at_or_below, one), end))
    below = bisect("Less")
    # Where nothing is below x, x is the smallest quantile, and its first place is 0.
    from_right = interpolate(below, graph.add("Min", graph.add("Add", below, one), end))
    mean = graph.add("Div", graph.add("Add", from_left, from_right), np.array([2.0 * (n_quantiles - 1)]))
    # The ends are 0 and 1 even where quantiles tie with them; of a constant column the low end counts.
    mean = graph.add("Where", graph.add("GreaterOrEqual", numbers, highest), np.array([1.0]), mean)
    return str(graph.add("Where", graph.add("LessOrEqual", numbers, lowest), np.array([0.0]), mean))
