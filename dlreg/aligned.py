"""Arrays in memory that TensorFlow can use as it is: `tf.constant` would copy them, twice."""

import math
import mmap

import numpy as np
from numpy.typing import DTypeLike

# Bytes. TensorFlow ends the process if a tensor starts elsewhere.
ALIGNMENT = 64


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
    """An array of zeros that starts at a page."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(n_bytes, 1)), dtype, math.prod(shape)).reshape(shape)


def aligned(array: np.ndarray) -> np.ndarray:
    """The array, copied if it is not aligned."""
    if array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous:
        return array
    copy = aligned_zeros(array.shape, array.dtype)
    copy[...] = array
    return copy
