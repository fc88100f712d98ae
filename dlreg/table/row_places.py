"""Where the rows of a text stand, and how many cells each has, told from a bit for each byte.

A mark that is sought in a text is a bit for each byte, 64 to a word. To count bits is several times as fast
as to list their places, and whether a byte stands inside quotes is a matter of a few operations on words.
"""

from typing import NamedTuple

import numpy as np

# Arrays of so many bytes stay in the processor's cache.
PIECE_BYTES = 1 << 20
# On average; where lines are shorter many may be empty.
_SHORT_LINE_BYTES = 8
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
# For each byte, whether a line that holds it is not blank.
_SOLID = bytes(chr(byte) not in " \t\r\n" for byte in range(256))
_ONE = np.uint64(1)


class RowPlaces(NamedTuple):
    """Where rows stand in a text, shape `(n_rows,)` each.

    Attributes:
        starts: The position of the first byte.
        ends: The position of the newline.
        lengths: The number of cells; 0 for a blank line, or several of them.
    """

    starts: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray

    def after(self, place: int) -> "RowPlaces":
        """Those after one of the rows, in the text that follows it."""
        start, rest = self.ends[place] + 1, slice(place + 1, None)
        return RowPlaces(self.starts[rest] - start, self.ends[rest] - start, self.lengths[rest])


def find_rows(text: bytes, delimiter: str) -> RowPlaces:
    """Finds the rows of a text; delimiters and newlines inside quotes do not count."""
    data = np.frombuffer(text, dtype=np.uint8)
    delimiters, outside = _bits_of(data, ord(delimiter)), None
    if b'"' in text:
        outside = ~_odd_so_far(_bits_of(data, _QUOTE))
        delimiters &= outside
    ends = _find_newlines(data, outside)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = np.diff(_count_before(delimiters, ends), prepend=0) + 1
    single = lengths == 1
    if (data[starts[single]] <= ord(" ")).any():
        is_solid = np.frombuffer(text[: ends[-1] + 1].translate(_SOLID), dtype=bool)
        lengths[single & ~np.logical_or.reduceat(is_solid, starts)] = 0
    return RowPlaces(starts, ends, lengths)


def _find_newlines(data: np.ndarray, outside: np.ndarray | None) -> np.ndarray:
    """The places of newlines, of many empty lines hardly more than the first and the last.

    Args:
        data: The text.
        outside: A bit for each byte, set outside quotes; None where there are none.
    """
    places = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(data), PIECE_BYTES):
        piece = data[start : start + PIECE_BYTES]
        newlines = piece == _NEWLINE
        if outside is not None:
            bits = outside.view(np.uint8)[start // 8 : -(-(start + len(piece)) // 8)]
            newlines &= np.unpackbits(bits, count=len(piece), bitorder="little").view(bool)
        if np.count_nonzero(newlines) * _SHORT_LINE_BYTES > len(piece):
            newlines = _without_empty_lines(piece, newlines)
        places.append(np.flatnonzero(newlines) + start)
    return np.concatenate(places)


def _without_empty_lines(data: np.ndarray, newlines: np.ndarray) -> np.ndarray:
    """The newlines without those amid empty lines: all of them would take memory."""
    newlines = newlines.copy()
    for size in (1, 2):
        ends = newlines if size == 1 else np.append(False, newlines[1:] & (data[:-1] == _RETURN))
        inner = newlines[: -2 * size] & ends[size:-size]
        inner &= ends[2 * size :]
        newlines[size:-size] &= ~inner
    return newlines


def _bits_of(data: np.ndarray, byte: int) -> np.ndarray:
    """A bit for each byte, set where it is this one, in words of 64; the first is the lowest of a word."""
    bits = np.zeros(len(data) // 64 * 8 + 8, dtype=np.uint8)
    for start in range(0, len(data), PIECE_BYTES):
        piece = np.packbits(data[start : start + PIECE_BYTES] == byte, bitorder="little")
        bits[start // 8 : start // 8 + len(piece)] = piece
    return bits.view("<u8")


def _bit_of(places: np.ndarray) -> np.ndarray:
    """The word in which the bit of each place alone is set."""
    return np.asarray(_ONE << (places & 63).astype(np.uint64))


def _odd_so_far(bits: np.ndarray) -> np.ndarray:
    """A bit for each bit: whether the number of set ones up to it, itself among them, is odd."""
    odd = bits.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        odd ^= odd << np.uint64(shift)
    is_odd_before = np.append(0, np.cumsum(np.bitwise_count(bits[:-1]), dtype=np.uint8) & 1)
    return np.where(is_odd_before, ~odd, odd)


def _count_before(bits: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How many bits are set before each of these places."""
    before = np.append(0, np.cumsum(np.bitwise_count(bits[:-1]), dtype=np.int64))
    words = places >> 6
    return np.asarray(before[words] + np.bitwise_count(bits[words] & (_bit_of(places) - _ONE)))
