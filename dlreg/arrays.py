"""Arrays that TensorFlow uses without a copy; `tf.constant` would make two of a large one."""

import math
import mmap

import numpy as np
from numpy.typing import DTypeLike

# Bytes. TensorFlow ends the process if a tensor starts elsewhere.
ALIGNMENT = 64
# Below, a copy takes less time than to share the memory.
LARGE = 1 << 20


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
    """An array of zeros; a large one starts at a page."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes < LARGE:
        return np.zeros(shape, dtype)
    return np.frombuffer(mmap.mmap(-1, n_bytes), dtype, math.prod(shape)).reshape(shape)


def is_aligned(array: np.ndarray) -> bool:
    """Whether an array lies as TensorFlow needs it."""
    return array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous


def aligned(array: np.ndarray) -> np.ndarray:
    """The array, or a copy that is aligned if it is large."""
    if is_aligned(array):
        return array
    copy = aligned_zeros(array.shape, array.dtype)
    copy[...] = array
    return copy
