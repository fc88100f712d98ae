"""What to make of a column in which other texts stand among numbers: for `dlreg init` alone."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.number import LARGEST_NUMBER, WrittenNumbers, written_numbers
from dlreg.table.kinds.units import counts_multiples, folded_unit

# More different texts are no words for a missing number.
MOST_WORDS = 50
# So few whole numbers may be codes, and other texts beside them further levels.
FEW_VALUES = 12
# A column without a number among so many different texts is none of numbers.
FIRST_TEXTS = 1000
# Without blanks and points, in lower case.
_MISSING_WORDS = re.compile(
    "na|nan|null|none|nil|nv|missing|unknown|unk|nodata|notavailable|notapplicable|notreported|notknown|noanswer"
    "|nd|nr|tba|tbd|ka|keineangabe|keine|unbekannt|fehlt|fehlend|inconnue?|nc|nonrenseigne|manquant|desconocido|sd"
    "|없음|미상|결측|해당없음|不明|不詳|なし|無し|無|无|未知|欠測|該当なし"
)


class Mixture(NamedTuple):
    """What a column is, at least half of whose cells are numbers.

    Attributes:
        kind: What `data.types` should call it; None for a column to leave out.
        words: The other texts, without blanks around, and how many cells have each; of numbers they are to be
            read as missing.
        reason: Why it is to be left out.
    """

    kind: Literal["number", "category"] | None
    words: Mapping[str, int]
    reason: str = ""


def examine_numbers(
    cells: "pd.Series[str]", csv_format: CsvFormat, *, is_target: bool = False
) -> Mixture | None:
    """Tells the numbers of a column from the other texts in it.

    A few words among many numbers cost their cells. A column of a few whole numbers and of words that do not
    mean "missing" loses nothing as a category.

    Args:
        cells: The column as text.
        csv_format: How numbers are written.
        is_target: Whether it is to be predicted, and so can only be numbers.

    Returns:
        None if fewer than half of its cells are numbers.
    """
    counts = cells.dropna().value_counts(sort=False)
    texts = pd.Series(counts.index, dtype="str")
    if not _fitting(texts.iloc[:FIRST_TEXTS], counts.to_numpy()[:FIRST_TEXTS], csv_format)[0].any():
        return None
    fits, values = _fitting(texts, counts.to_numpy(), csv_format)
    n_cells, n_numbers = int(counts.sum()), int(counts[fits].sum())
    if n_numbers * 2 < n_cells:
        return None
    words: dict[str, int] = {}
    for text, count in counts[~fits].items():
        words[str(text).strip()] = words.get(str(text).strip(), 0) + int(count)
    if not words:
        return Mixture("number", words)
    distinct = np.unique(values[fits])
    is_few = distinct.size <= FEW_VALUES and bool((distinct % 1 == 0).all()) and len(texts) <= 2 * FEW_VALUES
    reason = _too_many(words, n_cells) or next(filter(None, map(_unlistable, words)), "")
    if not is_target and is_few and (reason or not all(map(means_missing, words))):
        return Mixture("category", {})
    return Mixture(None if reason else "number", words, reason)


def means_missing(word: str) -> bool:
    """Whether a text can hardly be but a word for a missing value: `-`, `n/a*`, `#DIV/0!`, `unknown`."""
    folded = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", word).casefold())
    return not folded or word.startswith("#") or bool(_MISSING_WORDS.fullmatch(folded))


def _fitting(
    texts: "pd.Series[str]", counts: np.ndarray, csv_format: CsvFormat
) -> tuple[np.ndarray, np.ndarray]:
    """Which texts are numbers of one unit, and all texts as numbers, shape `(n_texts,)` each."""
    numbers = written_numbers(texts, csv_format)
    is_number = np.abs(numbers.values) <= LARGEST_NUMBER
    folded = np.array([folded_unit(unit) for unit in numbers.units], dtype=object)
    unit = _most_common_unit(numbers, is_number, counts)
    fits = is_number & ((folded == "") | (folded == folded_unit(unit)))
    if counts_multiples(unit):
        fits &= (folded != "") | (numbers.values == 0)
    return fits, numbers.values


def _most_common_unit(numbers: WrittenNumbers, is_number: np.ndarray, counts: np.ndarray) -> str:
    """The unit of most cells; "" where fewer than half of the numbers have any: then it is a remark."""
    has_unit = is_number & (numbers.units != "")
    if counts[has_unit].sum() * 2 < counts[is_number].sum() or not has_unit.any():
        return ""
    cells = pd.Series(counts[has_unit]).groupby(numbers.units[has_unit], sort=False).sum()
    return str(cells.idxmax())


def _too_many(words: Mapping[str, int], n_cells: int) -> str:
    """Why the column cannot do without the cells of these words; "" if it can."""
    n_others = sum(words.values())
    has_digits = any(re.search(r"\d", word) for word in words)
    if n_others * (3 if has_digits else 2) > n_cells:
        return f"{n_others:,} of {n_cells:,} cells are no numbers of one unit"
    if len(words) > MOST_WORDS:
        return f"{len(words):,} different texts stand among its numbers"
    return ""


def _unlistable(word: str) -> str:
    """Why `data.missing_values` must not name a word: pandas would take it for a number of all columns."""
    try:
        number = float(word)
    except ValueError:
        return ""
    return (
        "" if not np.isfinite(number) else f"{word!r} stands among its numbers and may be read as {number:g}"
    )
