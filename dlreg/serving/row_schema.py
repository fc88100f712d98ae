"""What a row is, for OpenAPI 3.1: the kind and the range of each column of a run."""

import re
from collections.abc import Mapping
from typing import Any

from dlreg import __version__
from dlreg.config.date_formats import EPOCHS
from dlreg.runs.trained_run import TrainedRun
from dlreg.serving.answers import Refusals
from dlreg.serving.bodies import MEDIA_TYPES
from dlreg.table.column import Column
from dlreg.table.dates import date_pattern
from dlreg.wording import format_number

# A number as text, with "." for the decimal mark of the run.
_NUMBER = "^([-+]?([0-9]+.?[0-9]*|.[0-9]+)([eE][-+]?[0-9]+)?|)$"
_WHOLE = re.compile("-?(0|[1-9][0-9]{0,15})")
# What columns of yes and no hold most; other words for them are read, too.
_BOOLEANS = [True, False, 1, 0, "true", "false", "yes", "no", "", None]
# More levels than these are told by number.
MOST_LEVELS = 100
_JSON, _CSV, _LINES = "application/json", "text/csv", "application/x-ndjson"


def openapi(run: TrainedRun, refusals: Refusals) -> dict[str, Any]:
    """The description of the server of a run."""
    takes_any = not refusals.strict and refusals.max_unseen != 0
    target = run.config.data.target
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions of {target}",
            "version": __version__,
            "description": "Rows in, predictions out. A cell that the run cannot read is refused.",
        },
        "paths": {
            "/predict": {"post": _predict_operation(run)},
            "/health": {"get": _health_operation()},
        },
        "components": {
            "schemas": {
                "Row": row_schema(run, takes_any=takes_any),
                "Rows": _object({"rows": {"type": "array", "items": _ref("Row"), "minItems": 1}}),
                "Predictions": _predictions_schema(run),
                "Faults": _faults_schema(),
            }
        },
    }


def row_schema(run: TrainedRun, *, takes_any: bool) -> dict[str, Any]:
    """The schema of a row as an object of JSON. Keys beyond those of the columns are not read."""
    properties = {column.name: column_schema(run, column, takes_any=takes_any) for column in run.columns}
    return {"type": "object", "properties": properties, "required": list(properties)}


def column_schema(run: TrainedRun, column: Column, *, takes_any: bool) -> dict[str, Any]:
    """The schema of a cell of a column, with what the training rows held; "" is missing, as null is.

    Args:
        run: The trained run.
        column: One of its columns.
        takes_any: Whether levels are taken that no training row has.
    """
    if column.kind == "number":
        return _number_schema(run, column)
    if column.kind == "date":
        counted = ["number"] if column.date_format in EPOCHS else []
        return {
            "type": ["string", *counted, "null"],
            "pattern": f"^({date_pattern(str(column.date_format))}|)$",
            "description": f"A date of the form {column.date_format}; null: missing.",
        }
    return _level_schema(run, column, takes_any=takes_any)


def _level_schema(run: TrainedRun, column: Column, *, takes_any: bool) -> dict[str, Any]:
    if column.kind == "boolean":
        cells, words = _BOOLEANS, "True or false"
    else:
        levels = sorted(run.levels.get(column.name, set()) - {""})
        numbers = [int(level) for level in levels if _WHOLE.fullmatch(level)]
        cells, words = (
            [*levels, *numbers, "", None],
            f"One of the {len(levels):,} levels of the training rows",
        )
    schema: dict[str, Any] = {"enum": cells}
    if takes_any or len(cells) > MOST_LEVELS:
        words += ", or another, which is counted as unseen" if takes_any else ""
        schema = {"type": ["string", "number", "boolean", "null"], "examples": cells[:MOST_LEVELS]}
    return schema | {"description": f"{words}; null: missing."}


def _number_schema(run: TrainedRun, column: Column) -> dict[str, Any]:
    words = "A number"
    if column.name in run.ranges:
        low, high = map(format_number, run.ranges[column.name])
        words += f", from {low} to {high} in the training rows"
    types: dict[str, Any] = {"type": ["number", "string", "null"]}
    if column.unit:
        words += f", in {column.unit} if it has no unit of its own"
    else:
        types |= {"pattern": _NUMBER.replace(".", re.escape(run.config.data.decimal))}
    return types | {"description": f"{words}; null: missing."}


def _predict_operation(run: TrainedRun) -> dict[str, Any]:
    highest = run.intervals.highest_level if run.intervals.n_rows else 0
    interval = {
        "name": "interval",
        "in": "query",
        "required": False,
        "description": "The share of new rows that lies between y_lower and y_upper, such as 0.9.",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": highest},
    }
    text = {"schema": {"type": "string"}}
    refused = {"description": "What is wrong, and where.", "content": {_JSON: {"schema": _ref("Faults")}}}
    statuses = {
        "413": "too large",
        "415": "another Content-Type",
        "422": "no JSON, no CSV, or cells that the run cannot read",
    }
    return {
        "operationId": "predict",
        "summary": f"Predict {run.config.data.target}",
        "parameters": [interval] if highest else [],
        "requestBody": {
            "required": True,
            "content": {
                media_type: {"schema": _ref("Rows")} if form == "json" else text
                for media_type, form in MEDIA_TYPES.items()
            },
        },
        "responses": {
            "200": {
                "description": "A prediction for each row, in order.",
                "content": {_JSON: {"schema": _ref("Predictions")}, _CSV: text, _LINES: text},
            },
            **{status: refused | {"description": f"Refused: {why}."} for status, why in statuses.items()},
        },
    }


def _health_operation() -> dict[str, Any]:
    schema = {"type": "object", "required": ["status", "run"]}
    return {
        "operationId": "health",
        "summary": "Whether predictions are served, and of which run",
        "responses": {"200": {"description": "They are.", "content": {_JSON: {"schema": schema}}}},
    }


def _predictions_schema(run: TrainedRun) -> dict[str, Any]:
    unit = f" in {run.target_unit}" if run.target_unit else ""
    number = {"type": ["number", "null"], "description": f"{run.config.data.target}{unit}."}
    row = _object({"y_pred": number, "y_lower": number, "y_upper": number}, required=["y_pred"])
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
    return _object(
        {
            "predictions": {"type": "array", "items": row, "minItems": 1},
            "cells": _object({"missing": counts, "outside": counts, "unseen": counts}),
            "unpredicted": {"type": "integer", "minimum": 0},
            "warnings": {"type": "array", "items": {"type": "string"}},
        }
    )


def _faults_schema() -> dict[str, Any]:
    place = {"type": "integer", "minimum": 1}
    text = {"type": "string"}
    fault = _object(
        {"message": text, "hint": text, "line": place, "column": place, "row": place}, required=["message"]
    )
    return _object(
        {"detail": text, "faults": {"type": "array", "items": fault}, "fault_count": {"type": "integer"}}
    )


def _object(properties: Mapping[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
