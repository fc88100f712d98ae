"""Dates as text to calendar features, inside an ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto

from dlreg.features.calendar import SECONDS_PER_DAY
from dlreg.features.date_parts import DatePart
from dlreg.pipeline.date_fields import IS_LOCAL, date_fields, standin
from dlreg.pipeline.graph import Graph, trim_text
from dlreg.table.column import Column
from dlreg.table.dates import (
    LATEST_YEAR,
    counts_per_second,
    date_pattern,
    has_date,
    has_offset,
    has_time,
)
from dlreg.table.time_zones import zone_offsets

# What `Graph.add` takes: the name of a tensor, or a constant.
Operand = Any
_ZERO: Operand = np.float64(0)
_ONE, _MILLION, _DAY = np.float64(1), np.float64(1e6), np.float64(SECONDS_PER_DAY)


class _Clock(NamedTuple):
    """What a calendar and a clock show, shape [N, 1] each.

    Attributes:
        days: Whole days since 1970.
        year: Of the day.
        new_year: Whole days to the first day of the year.
        seconds: Whole seconds of the day.
        fraction: Of a second.
    """

    days: Operand
    year: Operand
    new_year: Operand
    seconds: Operand
    fraction: Operand


def calendar_nodes(
    graph: Graph, cells: str, column: Column, parts: Sequence[DatePart] = ()
) -> tuple[list[str], list[str]]:
    """Numbers and texts of dates: `calendar_features` and `part_texts` of `dlreg.features` on text.

    Where the text is no date of the column's they are NaN and "".
    """
    date_format = str(column.date_format)
    text = trim_text(graph, cells)
    fits = graph.add("RegexFullMatch", text, pattern=date_pattern(date_format))
    # One text that is no number would abort the whole batch, so the others are parsed from a stand-in.
    text = graph.add("Where", fits, text, np.array(standin(date_format), dtype=object))
    if per_second := counts_per_second(date_format):
        clock = _counted(graph, text, per_second, column.time_zone)
    else:
        clock, conditions = _spelled(graph, text, column)
        for condition in conditions:
            fits = graph.add("And", fits, condition)
    features = _features(graph, clock, date_format)
    numbers = [graph.add("Where", fits, value, np.float64("nan")) for value in features]
    return numbers, [_part_text(graph, clock, fits, part) for part in parts]


def _part_text(graph: Graph, clock: _Clock, fits: str, part: DatePart) -> str:
    code = graph.add("Where", fits, _PART_CODES[part.name](graph, clock), _ZERO)
    place = graph.add("Cast", code, to=TensorProto.INT64)
    return str(graph.add("Gather", np.array(part.levels, dtype=object), place))


def _weekday_code(graph: Graph, clock: _Clock) -> Operand:
    # 1970-01-01 was a Thursday.
    _, weekday = _quotient(graph, graph.add("Add", clock.days, np.float64(3)), np.float64(7))
    return graph.add("Add", weekday, _ONE)


def _hour_code(graph: Graph, clock: _Clock) -> Operand:
    hour, _ = _quotient(graph, clock.seconds, np.float64(3600))
    return graph.add("Add", hour, _ONE)


def _month_day_code(graph: Graph, clock: _Clock) -> Operand:
    """The day's number in a leap year: from 1 March on the 61st and those after it, in any year."""
    f = np.float64
    from_march = graph.add("Sub", clock.days, _days_from_civil(graph, clock.year, f(3), _ONE))
    from_january = graph.add("Sub", clock.days, clock.new_year)
    is_before = graph.add("Less", from_march, _ZERO)
    return graph.add(
        "Where", is_before, graph.add("Add", from_january, _ONE), graph.add("Add", from_march, f(61))
    )


_PART_CODES: Mapping[str, Callable[[Graph, _Clock], Operand]] = {
    "month_day": _month_day_code,
    "weekday": _weekday_code,
    "hour": _hour_code,
}


def _features(graph: Graph, clock: _Clock, date_format: str) -> list[str]:
    seconds_of_day = graph.add("Add", clock.seconds, clock.fraction)
    straight, shares = seconds_of_day, []
    if has_date(date_format):
        whole = graph.add("Add", graph.add("Mul", clock.days, _DAY), clock.seconds)
        straight = graph.add("Div", graph.add("Add", whole, clock.fraction), _DAY)
        _, weekday = _quotient(graph, graph.add("Add", clock.days, np.float64(3)), np.float64(7))
        shares = [
            graph.add("Div", graph.add("Sub", clock.days, clock.new_year), np.float64(365.25)),
            graph.add("Div", weekday, np.float64(7)),
        ]
    if has_time(date_format):
        shares.append(graph.add("Div", seconds_of_day, _DAY))
    angles = [graph.add("Mul", share, np.float64(2 * np.pi)) for share in shares]
    waves = [graph.add(wave, angle) for angle in angles for wave in ("Sin", "Cos")]
    return [straight, *(_rounded(graph, wave) for wave in waves)]


def _counted(graph: Graph, text: str, per_second: int, time_zone: str | None) -> _Clock:
    unit = np.float64(per_second)
    seconds, rest = _quotient(graph, graph.add("Cast", text, to=TensorProto.DOUBLE), unit)
    fraction = _rounded(graph, graph.add("Div", rest, unit))
    return _clock_at(graph, _in_zone(graph, seconds, time_zone), fraction)


def _spelled(graph: Graph, text: str, column: Column) -> tuple[_Clock, list[str]]:
    """What clocks show, and what must hold of the fields."""
    date_format = str(column.date_format)
    fields: Mapping[str, Operand]
    fields = date_fields(graph, text, date_format, column.latest_year or LATEST_YEAR)
    conditions = _time_conditions(graph, fields)
    seconds, fraction = _seconds_of_day(graph, fields), fields.get("f", _ZERO)
    if not has_date(date_format):
        return _Clock(_ZERO, _ZERO, _ZERO, seconds, fraction), conditions
    days, new_year, date_conditions = _days(graph, fields)
    conditions += date_conditions
    if not has_offset(date_format):
        return _Clock(days, fields["Y"], new_year, seconds, fraction), conditions
    local = graph.add("Add", graph.add("Mul", days, _DAY), seconds)
    moved = _in_zone(graph, graph.add("Sub", local, fields["z"]), column.time_zone)
    return _clock_at(graph, graph.add("Where", fields[IS_LOCAL], local, moved), fraction), conditions


def _clock_at(graph: Graph, seconds: Operand, fraction: Operand) -> _Clock:
    """What clocks show at whole seconds of their own since 1970."""
    days, seconds = _quotient(graph, seconds, _DAY)
    year = _year_of(graph, days)
    return _Clock(days, year, _days_from_civil(graph, year, _ONE, _ONE), seconds, fraction)


def _seconds_of_day(graph: Graph, fields: Mapping[str, Operand]) -> Operand:
    hours, minutes, seconds = (fields.get(directive, _ZERO) for directive in "HMS")
    minutes = graph.add("Add", graph.add("Mul", hours, np.float64(60)), minutes)
    return graph.add("Add", graph.add("Mul", minutes, np.float64(60)), seconds)


def _time_conditions(graph: Graph, fields: Mapping[str, Operand]) -> list[str]:
    limits = {"H": 24, "M": 60, "S": 60, "I": 13}
    conditions = [
        graph.add("Less", fields[directive], np.float64(limit))
        for directive, limit in limits.items()
        if directive in fields
    ]
    if "I" in fields:
        conditions.append(graph.add("GreaterOrEqual", fields["I"], _ONE))
    if "z" in fields:
        # Not of a number: an offset that no zone has.
        conditions.append(graph.add("Less", fields["z"], _DAY))
    return conditions


def _days(graph: Graph, fields: Mapping[str, Operand]) -> tuple[str, str, list[str]]:
    """The days since 1970, those of the year's first day, and what must hold."""
    year, month = fields["Y"], fields.get("m", _ONE)
    new_year = _days_from_civil(graph, year, _ONE, _ONE)
    if "j" in fields:
        day = fields["j"]
        days = graph.add("Add", new_year, graph.add("Sub", day, _ONE))
        end = _days_from_civil(graph, graph.add("Add", year, _ONE), _ONE, _ONE)
    else:
        day = fields.get("d", _ONE)
        days = _days_from_civil(graph, year, month, day)
        end = _days_from_civil(graph, year, graph.add("Add", month, _ONE), _ONE)
    conditions = [
        graph.add("Less", days, end),
        *(graph.add("GreaterOrEqual", value, _ONE) for value in (month, day, year)),
        graph.add("LessOrEqual", month, np.float64(12)),
    ]
    return days, new_year, conditions


def _in_zone(graph: Graph, seconds: Operand, time_zone: str | None) -> Operand:
    """What a clock in the zone shows at moments in whole seconds since 1970 UTC."""
    if time_zone is None:
        return seconds
    zone = zone_offsets(time_zone)
    offset: Operand = np.float64(zone.offsets[0])
    if zone.changes.size:
        changes = zone.changes.astype(np.float64).reshape(1, -1)
        is_past = graph.add("Cast", graph.add("GreaterOrEqual", seconds, changes), to=TensorProto.DOUBLE)
        jumps = np.diff(zone.offsets).astype(np.float64).reshape(-1, 1)
        offset = graph.add("Add", graph.add("MatMul", is_past, jumps), offset)
    return graph.add("Add", seconds, offset)


def _year_of(graph: Graph, days: str) -> str:
    """The year of days since 1970-01-01.

    Counted in cycles of 400 years, which have 146,097 days, from the first of March: of a cycle's day the
    leap days before it are taken away, and what is left are whole years of 365 days.
    """
    f = np.float64
    cycle, day = _quotient(graph, graph.add("Add", days, f(719468)), f(146097))
    leaps: Operand = day
    for length, sign in ((1460, "Sub"), (36524, "Add"), (146096, "Sub")):
        leaps = graph.add(sign, leaps, graph.add("Floor", graph.add("Div", day, f(length))))
    years = graph.add("Floor", graph.add("Div", leaps, f(365)))
    year = graph.add("Add", graph.add("Mul", cycle, f(400)), years)
    from_march = graph.add("Sub", days, _days_from_civil(graph, year, f(3), f(1)))
    # From March on there are 306 days to the end of the year.
    is_next = graph.add("GreaterOrEqual", from_march, f(306))
    return str(graph.add("Add", year, graph.add("Cast", is_next, to=TensorProto.DOUBLE)))


def _days_from_civil(graph: Graph, year: Operand, month: Operand, day: Operand) -> str:
    """Days since 1970-01-01 in the Gregorian calendar; month 13 is the next January.

    The year is counted from March, so that the leap day is its last:
    days = 365 y + ⌊y/4⌋ - ⌊y/100⌋ + ⌊y/400⌋ + ⌊(153 m + 2) / 5⌋ + day - 719469
    with m = (month + 9) mod 12 and y = year - 1 before March.
    """
    f = np.float64
    shifted = graph.add("Add", month, f(9))
    turns = graph.add("Floor", graph.add("Div", shifted, f(12)))
    m = graph.add("Sub", shifted, graph.add("Mul", turns, f(12)))
    y = graph.add("Add", graph.add("Sub", year, f(1)), turns)
    terms = [graph.add("Mul", y, f(365)), graph.add("Floor", graph.add("Div", y, f(4)))]
    terms += [graph.add("Neg", graph.add("Floor", graph.add("Div", y, f(100))))]
    terms += [graph.add("Floor", graph.add("Div", y, f(400)))]
    terms += [graph.add("Floor", graph.add("Div", graph.add("Add", graph.add("Mul", m, f(153)), f(2)), f(5)))]
    total = graph.add("Add", day, f(-719469))
    for term in terms:
        total = graph.add("Add", total, term)
    return str(total)


def _quotient(graph: Graph, number: str, divisor: np.float64) -> tuple[str, str]:
    """How often a number of whole units holds a divisor, and the rest, which is not negative."""
    quotient = graph.add("Floor", graph.add("Div", number, divisor))
    return quotient, graph.add("Sub", number, graph.add("Mul", quotient, divisor))


def _rounded(graph: Graph, number: str) -> str:
    """Six decimals."""
    return str(graph.add("Div", graph.add("Round", graph.add("Mul", number, _MILLION)), _MILLION))
