"""Arguments of another type than they take: refused with what was expected and what was found."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from dlreg.errors import Fault, UsageError
from dlreg.evaluation.permutation import METRICS
from dlreg.runs.row_reader import Row
from dlreg.wording import nearest_word

# As of `dlreg explain`.
MOST_REPEATS = 1000
_EXAMPLE = '{"training.epochs": 50}'


def check_path(name: str, path: object) -> None:
    """Refuses what is no path.

    Raises:
        UsageError: It is not.
    """
    if not isinstance(path, str | PathLike):
        raise UsageError(f"{name} takes a path, as text or a pathlib.Path; found {_found(path)}")


def check_config(config: object, overrides: object) -> None:
    """Refuses what is no config, and values for keys that are not named.

    Raises:
        UsageError: One of both is not what it should be.
    """
    if not isinstance(config, str | PathLike | Mapping):
        raise UsageError(
            f"config takes the path of a YAML file, or a mapping of what would stand in it; "
            f"found {_found(config)}"
        )
    if not isinstance(overrides, Mapping | None):
        message = f"overrides takes a mapping from dotted keys to values; found {_found(overrides)}"
        raise UsageError(Fault(message, hint=f"Such as overrides={_EXAMPLE}"))


def check_share(name: str, share: object) -> None:
    """Refuses what is no number from 0 to 1.

    Raises:
        UsageError: It is not.
    """
    if not (isinstance(share, Real) and 0 <= float(share) <= 1):
        raise UsageError(f"{name} takes a number from 0 to 1; found {share!r}")


def check_importance(metric: object, repeats: object) -> None:
    """Refuses what `dlreg explain` would not measure.

    Raises:
        UsageError: There is no such metric, or the repeats are no number of them.
    """
    if metric not in METRICS:
        near = nearest_word(metric, METRICS) if isinstance(metric, str) else None
        hint = f"Did you mean {near!r}?" if near else f"Choose one of {', '.join(METRICS)}"
        raise UsageError(Fault(f"there is no metric {metric!r}", hint=hint))
    is_whole = isinstance(repeats, int | np.integer) and not isinstance(repeats, bool)
    if not is_whole or repeats not in range(1, MOST_REPEATS + 1):
        raise UsageError(f"repeats takes a whole number from 1 to {MOST_REPEATS:,}; found {repeats!r}")


def rows_given(rows: object) -> pd.DataFrame | Row | Sequence[Row]:
    """Rows in one of the forms that are predicted: a series is a row, and what can be gone through a list.

    Raises:
        UsageError: They are no rows with names for their cells.
    """
    if isinstance(rows, pd.DataFrame | Mapping):
        return rows
    if isinstance(rows, pd.Series):
        return _row_of(rows)
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | np.ndarray):
        return [_row_of(row) if isinstance(row, pd.Series) else row for row in rows]
    message = (
        "rows takes a data frame, a mapping from columns to cells, or a list of such mappings; "
        f"found {_found(rows)}"
    )
    is_array = isinstance(rows, np.ndarray)
    hint = "Name its columns: pandas.DataFrame(rows, columns=[…])" if is_array else None
    raise UsageError(Fault(message, hint=hint))


def _row_of(series: "pd.Series[Any]") -> Row:
    if series.index.has_duplicates:
        twice = series.index[series.index.duplicated()][0]
        raise UsageError(Fault(f"several cells of a row are named {str(twice)!r}", hint="Drop all but one"))
    return {str(name): cell for name, cell in series.items()}


def _found(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
