"""What of a table the features leave out by fixed rules, in sentences."""

from collections.abc import Iterator

from dlreg.config.schema import Config
from dlreg.features.date_parts import LeftOutPart, date_options, fit_date_parts
from dlreg.table.dataset import Dataset

_NAMES = {"month_day": "days of the year", "weekday": "days of the week", "hour": "hours"}


def describe_left_out(config: Config, dataset: Dataset) -> Iterator[str]:
    """A sentence for each column of dates of which `preprocessing.dates: calendar` uses not all parts."""
    _, left_out = fit_date_parts(dataset.columns, dataset.parts["train"].cells, date_options(config))
    for column in dict.fromkeys(part.column for part in left_out):
        parts = " and ".join(_shown(part) for part in left_out if part.column == column)
        yield (f"column {column!r}: {parts} hardly repeat, and are left out of preprocessing.dates: calendar")


def _shown(part: LeftOutPart) -> str:
    return f"{part.n_levels:,} {_NAMES[part.part]} in {part.n_rows:,} training rows"
