"""Rows are held out for validation as Keras holds them out."""

import numpy as np
import pytest
from keras.src.trainers.data_adapters.array_slicing import train_validation_split

from dlreg.table.splits import split_rows


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.3, 1 / 3, 0.5, 0.7, 0.9])
def test_ordered_holds_out_the_rows_that_keras_does(fraction):
    for n_rows in range(12, 130):
        rows = np.arange(n_rows)
        (train,), (validation,) = train_validation_split((rows,), validation_split=fraction)
        parts = split_rows(rows, "ordered", test_split=0, validation_split=fraction, seed=1)
        assert np.array_equal(parts.train, np.asarray(train))
        assert np.array_equal(parts.validation, np.asarray(validation))
