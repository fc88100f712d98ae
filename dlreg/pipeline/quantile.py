"""The ONNX form of scikit-learn's QuantileTransformer.

skl2onnx has a converter of its own, but version 1.20's takes half a minute on fifty columns and
minutes on a thousand quantiles; `convert_sklearn` is told to use this one.
"""

from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType
from skl2onnx.common.utils import check_input_and_output_numbers
from sklearn.preprocessing import QuantileTransformer


def register() -> None:
    """Makes skl2onnx convert QuantileTransformer by `_convert`."""
    update_registered_converter(
        QuantileTransformer, "QuantileToUniform", _infer_shape, _convert, overwrite=True
    )


def _infer_shape(operator: Any) -> None:
    check_input_and_output_numbers(operator, input_count_range=1, output_count_range=1)
    shape = [operator.inputs[0].get_first_dimension(), operator.raw_operator.quantiles_.shape[1]]
    operator.outputs[0].type = DoubleTensorType(shape)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Interpolates between the quantiles, as scikit-learn does, from both sides of a tie.

    With q₀ ≤ … ≤ qₖ₋₁ the quantiles of a column, x maps to the mean of two positions on [0, 1]: between the
    last qⱼ ≤ x and its successor, and between the first qⱼ ≥ x and its predecessor. They differ only
    where several quantiles equal x. Positions are found by bisection, for all columns at once.
    """
    quantiles = operator.raw_operator.quantiles_.T
    n_columns, n_quantiles = quantiles.shape
    # Bisection looks past the end; nothing is at or below infinity's place.
    width = 1 << n_quantiles.bit_length()
    table = np.full((n_columns, width), np.inf)
    table[:, :n_quantiles] = quantiles

    def constant(values: Any, element_type: int = TensorProto.DOUBLE) -> str:
        values = np.atleast_1d(np.asarray(values))
        name: str = scope.get_unique_variable_name("quantile_constant")
        container.add_initializer(name, element_type, values.shape, values.ravel().tolist())
        return name

    def add(operator_type: str, *inputs: str, **attributes: Any) -> str:
        name: str = scope.get_unique_variable_name("quantile")
        container.add_node(operator_type, list(inputs), [name], op_domain="", op_version=13, **attributes)
        return name

    flat = constant(table.ravel())
    offsets = constant((np.arange(n_columns) * width).reshape(1, -1), TensorProto.INT64)
    one, nothing = constant([1], TensorProto.INT64), constant([0], TensorProto.INT64)
    lowest, highest = constant(quantiles[:, :1].T), constant(quantiles[:, -1:].T)
    raw = add("Cast", operator.inputs[0].full_name, to=TensorProto.DOUBLE)
    x = add("Max", add("Min", raw, highest), lowest)

    def quantile_at(position: str) -> str:
        return add("Gather", flat, add("Add", position, offsets))

    def bisect(comparison: str) -> str:
        """The last position whose quantile compares so with x, or 0."""
        position = add("Mul", add("Cast", x, to=TensorProto.INT64), nothing)
        step = width // 2
        while step:
            further = add("Add", position, constant([step], TensorProto.INT64))
            position = add("Where", add(comparison, quantile_at(further), x), further, position)
            step //= 2
        return position

    def interpolate(low: str, high: str) -> str:
        below, above = quantile_at(low), quantile_at(high)
        gap = add("Sub", above, below)
        flat_gap = add("Equal", gap, constant(0.0))
        share = add("Div", add("Sub", x, below), add("Where", flat_gap, constant(1.0), gap))
        return add("Add", add("Cast", low, to=TensorProto.DOUBLE), share)

    end = constant([n_quantiles - 1], TensorProto.INT64)
    at_or_below = bisect("LessOrEqual")
    from_left = interpolate(at_or_below, add("Min", add("Add", at_or_below, one), end))
    below = bisect("Less")
    # Where nothing is below x, x is the smallest quantile, and its first place is 0.
    first = add("Min", add("Add", below, one), end)
    from_right = interpolate(below, first)
    mean = add("Div", add("Add", from_left, from_right), constant(2.0 * (n_quantiles - 1)))
    # The ends are 0 and 1 even where quantiles tie with them; of a constant column the low end counts.
    mean = add("Where", add("GreaterOrEqual", raw, highest), constant(1.0), mean)
    mean = add("Where", add("LessOrEqual", raw, lowest), constant(0.0), mean)
    container.add_node("Identity", [mean], [operator.outputs[0].full_name], op_domain="", op_version=13)
