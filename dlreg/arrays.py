"""Arrays that TensorFlow uses without a copy; `tf.constant` would make two of a large one."""

import math
import mmap

import numpy as np
from numpy.typing import DTypeLike

# Bytes. TensorFlow ends the process if a tensor starts elsewhere.
ALIGNMENT = 64
# Of fewer bytes a copy takes less time than sharing the memory.
LARGE = 1 << 20


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
    """An array of zeros of this shape; one of `LARGE` bytes or more starts at a page of memory."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes < LARGE:
        return np.zeros(shape, dtype)
    return np.frombuffer(mmap.mmap(-1, n_bytes), dtype, math.prod(shape)).reshape(shape)


def is_aligned(array: np.ndarray) -> bool:
    """Whether an array of any shape is contiguous and starts at a multiple of `ALIGNMENT`."""
    return array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous


def aligned(array: np.ndarray) -> np.ndarray:
    """The array if it is aligned, else a copy of the same shape, which is aligned if it is large."""
    if is_aligned(array):
        return array
    copy = aligned_zeros(array.shape, array.dtype)
    copy[...] = array
    return copy
