"""The trained numbers of one network."""

from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """The weights of one network.

    Attributes:
        parameters: The trainable ones, in the order of `dlreg.model.architecture.parameter_specs`.
        statistics: The moving means and variances of batch normalisation, in Keras's order.
    """

    parameters: list[np.ndarray]
    statistics: list[np.ndarray]
