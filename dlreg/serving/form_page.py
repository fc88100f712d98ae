"""A page in the browser to try a row: a plain form, which needs no script."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dlreg.config.date_formats import EPOCHS
from dlreg.errors import DataError, Fault
from dlreg.evaluation.intervals import LEVEL
from dlreg.report.page import render
from dlreg.runs.trained_run import TrainedRun
from dlreg.serving.answers import Answer, Refusals, answer_tables
from dlreg.serving.bodies import table_of_rows
from dlreg.serving.faults import for_client
from dlreg.serving.row_schema import MOST_LEVELS
from dlreg.table.column import Column
from dlreg.wording import format_number

_FORM = "the form"
_EXAMPLE = datetime(2024, 12, 31, 18, 30, tzinfo=UTC)


class Field(NamedTuple):
    """A field of the form.

    Attributes:
        name: Of the column.
        value: What was typed.
        choices: The levels to choose from; none to type it.
        about: What the training rows held.
        is_number: Whether a keyboard of digits is enough.
    """

    name: str
    value: str
    choices: Sequence[str]
    about: str
    is_number: bool


def form_page(run: TrainedRun, typed: Mapping[str, str], refusals: Refusals) -> tuple[int, str]:
    """The page, with the prediction of the row that was typed, if one was.

    Args:
        run: The trained run.
        typed: The text of each field; none where the page is opened.
        refusals: What may not be in a row.

    Returns:
        The status of HTTP, 422 where the row is refused, and the page.
    """
    faults: Sequence[Fault] = ()
    given: Answer | None = None
    level = LEVEL if run.intervals.factors(LEVEL) is not None else None
    if typed:
        cells = {name: text.strip() or None for name, text in typed.items()}
        try:
            given = answer_tables(run, [table_of_rows(run, [cells], _FORM)], level, refusals)
        except DataError as error:
            faults = [for_client(fault) for fault in error.faults]
    page = render(
        "form.html.jinja",
        target=run.config.data.target,
        answer=given and _told(run, given),
        level=f"{LEVEL:.0%}",
        faults=[f"{fault.message}. {fault.hint}" if fault.hint else fault.message for fault in faults],
        warnings=given.warnings if given else [],
        fields=[_field(run, column, typed.get(column.name, "")) for column in run.columns],
    )
    return 422 if faults else 200, page


def _told(run: TrainedRun, given: Answer) -> dict[str, Any] | None:
    if given.n_unpredicted:
        return None
    unit = f" {run.target_unit}" if run.target_unit else ""
    numbers = {name: f"{format_number(float(values[0]))}{unit}" for name, values in given.columns.items()}
    bounds = [numbers["y_lower"], numbers["y_upper"]] if "y_lower" in numbers else None
    return {"y_pred": numbers["y_pred"], "interval": bounds}


def _field(run: TrainedRun, column: Column, value: str) -> Field:
    levels = sorted(run.levels.get(column.name, set()) - {""})
    choices = levels if len(levels) <= MOST_LEVELS else []
    if choices and value and value not in choices:
        # What was predicted stays in the form, however it is spelt.
        choices = [value, *choices]
    about = ""
    if column.kind == "date":
        about = _such_as(str(column.date_format))
    elif column.name in run.ranges:
        low, high = map(format_number, run.ranges[column.name])
        about = f"{low} to {high}{f' {column.unit}' if column.unit else ''}"
    elif levels and not choices:
        about = f"one of {len(levels):,} levels"
    return Field(column.name, value, choices, about, column.kind == "number")


def _such_as(date_format: str) -> str:
    return date_format if date_format in EPOCHS else f"such as {_EXAMPLE.strftime(date_format)}"
