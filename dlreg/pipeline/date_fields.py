"""The fields of dates as text – years, months, hours, offsets – to numbers, inside an ONNX graph."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from dlreg.pipeline.graph import Graph, split_text
from dlreg.table import dates
from dlreg.table.time_zones import OFFSETS

# Among the fields: whether a date has no offset, so that it is on the zone's own clock.
IS_LOCAL = "is local"


def standin(date_format: str) -> str:
    """A text that is a date of the format."""
    if dates.counts_per_second(date_format):
        return "0"
    lead, fields = dates.parse_format(date_format)
    texts = {"Y": "2000", "j": "001", "z": "Z"} | {letter: names[0] for letter, names in dates.NAMES.items()}
    return lead + "".join(texts.get(field.directive, "01") + field.separator for field in fields)


def date_fields(graph: Graph, text: str, date_format: str, latest_year: int) -> dict[str, str]:
    """The fields of dates of a format, as doubles of shape [N, 1], keyed by directive.

    Months are at `m`, years at `Y`, hours of 24 at `H`, offsets in seconds at `z` – NaN for one that no zone
    has – and at `IS_LOCAL` where there is none.
    """
    lead, fields = dates.parse_format(date_format)
    rest = split_text(graph, text, lead)[1] if lead else text
    numbers: dict[str, str] = {}
    group: list[dates.DateField] = []
    for field in fields:
        group.append(field)
        if not field.separator and field is not fields[-1]:
            continue
        head = rest
        if field.separator:
            head, rest = split_text(graph, rest, field.separator)
        numbers |= _group_fields(graph, head, group)
        group = []
    return _with_whole_years_and_hours(graph, numbers, latest_year)


def _group_fields(graph: Graph, text: str, group: Sequence[dates.DateField]) -> dict[str, str]:
    """The fields of a text in which they touch each other."""
    numbers: dict[str, str] = {}
    fields = list(group)
    if fields[-1].directive == "z":
        text, numbers = _without_offset(graph, text)
        fields.pop()
    if fields and fields[-1].directive == "p":
        text, numbers["p"] = _without_half_of_day(graph, text)
        fields.pop()
    match [field.directive for field in fields]:
        case []:
            return numbers
        case ["a" | "A"]:
            return numbers
        case ["b" | "B" as directive]:
            return numbers | {"m": _encoded(graph, text, dates.spellings(directive), 1.0)}
        case ["f"]:
            text = graph.add("StringConcat", np.array("0.", dtype=object), text)
            return numbers | {"f": graph.add("Cast", text, to=TensorProto.DOUBLE)}
    return numbers | _digits(graph, text, fields)


def _without_offset(graph: Graph, text: str) -> tuple[str, dict[str, str]]:
    """What stands before an offset, and the offset; it is 0 where there is none."""
    head, east = split_text(graph, text, "+")
    head, west = split_text(graph, head, "-")
    # Of a blank before it, of Z and of UTC.
    for mark in (" ", "Z", "U"):
        head, _ = split_text(graph, head, mark)
    seconds = {"": 0} | dict(OFFSETS)
    offset = graph.add("Sub", *(_encoded(graph, part, seconds, float("nan")) for part in (east, west)))
    return head, {"z": offset, IS_LOCAL: graph.add("Equal", head, text)}


def _without_half_of_day(graph: Graph, text: str) -> tuple[str, str]:
    """What stands before AM or PM, and the hours that they add to an hour of twelve."""
    for mark in "Aa":
        text, _ = split_text(graph, text, mark)
    head = text
    for mark in "Pp":
        head, _ = split_text(graph, head, mark)
    return head, graph.add("Where", graph.add("Equal", head, text), np.float64(0), np.float64(12))


def _encoded(graph: Graph, text: str, values: dict[str, int], default: float) -> str:
    encoded = graph.add(
        "LabelEncoder",
        text,
        domain="ai.onnx.ml",
        keys_strings=list(values),
        values_floats=[float(value) for value in values.values()],
        default_float=default,
    )
    return str(graph.add("Cast", encoded, to=TensorProto.DOUBLE))


def _digits(graph: Graph, text: str, fields: Sequence[dates.DateField]) -> dict[str, str]:
    """The numbers in a text of digits: one field, or several of a fixed width side by side."""
    number = graph.add("Cast", text, to=TensorProto.DOUBLE)
    numbers: dict[str, str] = {}
    for field in reversed(fields[1:]):
        power = np.float64(10**field.width)
        quotient = graph.add("Floor", graph.add("Div", number, power))
        numbers[field.directive] = graph.add("Sub", number, graph.add("Mul", quotient, power))
        number = quotient
    return numbers | {fields[0].directive: number}


def _with_whole_years_and_hours(graph: Graph, numbers: dict[str, str], latest_year: int) -> dict[str, str]:
    if "y" in numbers:
        # The year is so many years before the latest.
        back = graph.add("Sub", np.float64(latest_year), numbers["y"])
        back = graph.add("Mod", back, np.float64(100), fmod=1)
        numbers = numbers | {"Y": graph.add("Sub", np.float64(latest_year), back)}
    if "I" in numbers:
        # 12 AM is 0, 12 PM is 12.
        hour = graph.add("Mod", numbers["I"], np.float64(12), fmod=1)
        numbers = numbers | {"H": graph.add("Add", hour, numbers["p"])}
    return numbers
