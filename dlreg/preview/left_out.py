"""What of a table the features leave out by fixed rules, in sentences."""

from collections.abc import Iterator

from dlreg.config.schema import Config
from dlreg.features.date_parts import LeftOutPart, date_options, fit_date_parts
from dlreg.features.encoding import MOST_LEVELS
from dlreg.features.numbers import is_category
from dlreg.table.parts import Dataset

_NAMES = {"month_day": "days of the year", "weekday": "days of the week", "hour": "hours"}


def describe_left_out(config: Config, dataset: Dataset) -> Iterator[str]:
    """A sentence for each column of dates whose parts are not all used, and each category of rare levels."""
    yield from _parts_of_dates(config, dataset)
    yield from _rare_levels(config, dataset)


def _rare_levels(config: Config, dataset: Dataset) -> Iterator[str]:
    method, train = config.preprocessing.categorical, dataset.parts["train"]
    most = MOST_LEVELS[method]
    for column in filter(is_category, dataset.columns):
        n_levels = len(set(train.cells[column.name][:, 0]))
        if n_levels > most:
            way_out = ", embedding tells more apart" if MOST_LEVELS["embedding"] > most else ""
            yield (
                f"column {column.name!r} has {n_levels:,} levels in the training rows: {method} of "
                f"preprocessing.categorical tells the {most:,} most frequent apart, the others are none of "
                f"them{way_out}"
            )


def _parts_of_dates(config: Config, dataset: Dataset) -> Iterator[str]:
    _, left_out = fit_date_parts(dataset.columns, dataset.parts["train"].cells, date_options(config))
    for column in dict.fromkeys(part.column for part in left_out):
        of_column = [part for part in left_out if part.column == column]
        for part in (part for part in of_column if part.part == "holiday"):
            holidays = f"holiday of {config.data.holidays}"
            yield f"column {column!r}: " + (
                f"no training row is at a {holidays}"
                if part.n_levels <= 1
                else f"there are too few training rows at a {holidays} to learn from, and they are left out"
            )
        if parts := " and ".join(_shown(part) for part in of_column if part.part != "holiday"):
            yield (
                f"column {column!r}: {parts} hardly repeat, and are left out of preprocessing.dates: calendar"
            )


def _shown(part: LeftOutPart) -> str:
    return f"{part.n_levels:,} {_NAMES[part.part]} in {part.n_rows:,} training rows"
