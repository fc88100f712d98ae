"""Dates as text to calendar features, inside an ONNX graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from dlreg.features.calendar import SECONDS_PER_DAY
from dlreg.pipeline.graph import Graph, split_text
from dlreg.table import dates


def calendar_nodes(graph: Graph, text: str, date_format: str) -> list[str]:
    """`dlreg.features.calendar.calendar_features` on text, NaN where the text is no date of the format."""
    fits = graph.add("RegexFullMatch", text, pattern=dates.date_pattern(date_format))
    # One text that is no number would abort the whole batch, so the others are parsed from a stand-in.
    standin = _standin(date_format)
    parts = _date_parts(graph, graph.add("Where", fits, text, np.array(standin, dtype=object)), date_format)
    zero = np.float64(0)
    year, month, day = parts["Y"], parts.get("m", np.float64(1)), parts.get("d", np.float64(1))
    days = _days_from_civil(graph, year, month, day)
    next_month = _days_from_civil(graph, year, graph.add("Add", month, np.float64(1)), np.float64(1))
    hours, minutes, seconds = (parts.get(directive, zero) for directive in "HMS")
    in_range = [
        graph.add("Less", days, next_month),
        *(graph.add("GreaterOrEqual", value, np.float64(1)) for value in (month, day, year)),
        graph.add("LessOrEqual", month, np.float64(12)),
        graph.add("Less", hours, np.float64(24)),
        graph.add("Less", minutes, np.float64(60)),
        graph.add("Less", seconds, np.float64(60)),
    ]
    for condition in in_range:
        fits = graph.add("And", fits, condition)
    minutes = graph.add("Add", graph.add("Mul", hours, np.float64(60)), minutes)
    time = graph.add("Add", graph.add("Mul", minutes, np.float64(60)), seconds)
    time = graph.add("Add", time, parts.get("f", zero))
    a_day = np.float64(SECONDS_PER_DAY)
    elapsed = graph.add("Div", graph.add("Add", graph.add("Mul", days, a_day), time), a_day)
    new_year = _days_from_civil(graph, year, np.float64(1), np.float64(1))
    weekday = graph.add("Mod", graph.add("Add", days, np.float64(3)), np.float64(7), fmod=1)
    # fmod keeps the sign of days before 1970; a second turn makes it the remainder.
    weekday = graph.add("Mod", graph.add("Add", weekday, np.float64(7)), np.float64(7), fmod=1)
    shares = [
        graph.add("Div", graph.add("Sub", days, new_year), np.float64(365.25)),
        graph.add("Div", weekday, np.float64(7)),
    ]
    if "%H" in date_format:
        shares.append(graph.add("Div", time, a_day))
    angles = [graph.add("Mul", share, np.float64(2 * np.pi)) for share in shares]
    waves = [graph.add(wave, angle) for angle in angles for wave in ("Sin", "Cos")]
    million = np.float64(1e6)
    cycles = [
        graph.add("Div", graph.add("Round", graph.add("Mul", wave, million)), million) for wave in waves
    ]
    return [graph.add("Where", fits, value, np.float64("nan")) for value in (elapsed, *cycles)]


def _standin(date_format: str) -> str:
    lead, fields = dates.parse_format(date_format)
    text = {"Y": "2000", "b": "Jan", "B": "January"}
    return lead + "".join(text.get(field.directive, "01") + field.separator for field in fields)


def _date_parts(graph: Graph, text: str, date_format: str) -> dict[str, str]:
    """Year, month, … as doubles of shape [N, 1], keyed by directive; months and years by `m` and `Y`."""
    lead, fields = dates.parse_format(date_format)
    rest = split_text(graph, text, lead)[1] if lead else text
    parts: dict[str, str] = {}
    group: list[dates.DateField] = []
    for field in fields:
        group.append(field)
        if field.padded and not field.separator and field is not fields[-1]:
            continue
        head = rest
        if field.separator:
            head, rest = split_text(graph, rest, field.separator)
        parts |= _digits(graph, head, group)
        group = []
    return parts


def _digits(graph: Graph, text: str, fields: Sequence[dates.DateField]) -> dict[str, str]:
    """The numbers in a text of digits: one field, or several of a fixed width side by side."""
    first = fields[0].directive
    if first in dates.MONTH_NAMES:
        names = list(dates.MONTH_NAMES[first])
        months = [float(month) for month in range(1, 13)]
        encoded = graph.add(
            "LabelEncoder",
            text,
            domain="ai.onnx.ml",
            keys_strings=names,
            values_floats=months,
            default_float=1.0,
        )
        return {"m": graph.add("Cast", encoded, to=TensorProto.DOUBLE)}
    if first == "f":
        text = graph.add("StringConcat", np.array("0.", dtype=object), text)
        return {"f": graph.add("Cast", text, to=TensorProto.DOUBLE)}
    number = graph.add("Cast", text, to=TensorProto.DOUBLE)
    parts: dict[str, str] = {}
    for field in reversed(fields[1:]):
        power = np.float64(10**field.width)
        quotient = graph.add("Floor", graph.add("Div", number, power))
        parts[field.directive] = graph.add("Sub", number, graph.add("Mul", quotient, power))
        number = quotient
    parts[first] = number
    if "y" in parts:
        # As strptime: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068.
        short = parts.pop("y")
        century = graph.add(
            "Where", graph.add("Less", short, np.float64(69)), np.float64(2000), np.float64(1900)
        )
        parts["Y"] = graph.add("Add", short, century)
    return parts


def _days_from_civil(graph: Graph, year: Any, month: Any, day: Any) -> str:
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
