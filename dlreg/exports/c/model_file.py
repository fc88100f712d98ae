"""A run as one C file: declarations, tables, and the functions that predict."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from dlreg import __version__
from dlreg.evaluation.intervals import Intervals
from dlreg.exports.c.literals import comment_text, identifiers, text_literal
from dlreg.exports.c.program import compile_graph
from dlreg.exports.c.source import Source
from dlreg.exports.exported_run import ExportedRun
from dlreg.exports.tensors import PipelineGraph
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.pipeline.vetting import plain_output
from dlreg.table.column import Column

# What stands in front of the names that a file defines, when it is given none.
_FRAME = """\
/*
 * {target} predicted by a deep-learning regression model: preprocessing, network and all.
 * Written by dlreg {version}. C99; needs nothing but the standard library (link with -lm),
 * allocates nothing, keeps nothing between calls, and any number of threads may call it; a call takes
 * about {stack} of the stack.
 *
 * Compile this file by itself, and in the files that call it write
 *     #define DLREG_DECLARATIONS
 *     #include "model.c"
 * or include it, without that line, in the one file that calls it.
 * Without -ffast-math: a missing number is NAN.
 */
#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

/* One row of the table. */
struct {row} {{
{fields}
}};

{declarations}
#ifdef __cplusplus
}}
#endif

#endif

#ifndef DLREG_DECLARATIONS

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

{source}
{functions}
#endif
"""
_PREDICT = """\
/*
 * The prediction{unit}. It is what pipeline.onnx gives: a level that training did not have is taken as
 * unknown{dates}.
 * Numbers are not checked: an infinite one gives NAN, as a missing one does where the run was trained with
 * preprocessing.missing: error.
 */
double {predict}(const struct {row} *row);
"""
_INTERVAL = """\
/*
 * The prediction, and the bounds between which the share `level` of new rows lies, above 0 and at most
 * {highest}; the bounds are NAN for any other level.
 */
double {predict}_interval(const struct {row} *row, double level, double *y_lower, double *y_upper);
"""
_SPREAD = """\
/* The standard deviation of the predictions of the members of the ensemble. */
double {predict}_spread(const struct {row} *row);
"""
_UNREADABLE = """\
/* The name of the first column whose text is no date of its format; NULL if there is none. */
const char *{unreadable}(const struct {row} *row);
"""


def c_source(run: ExportedRun, name: str = "") -> str:
    """The text of a C file that predicts as a run does.

    Args:
        run: The run.
        name: What begins the names of its functions and of its struct, so that several may be linked; without
            one they are `predict`, `struct row` and so on.

    Raises:
        RunDirError: The pipeline is not one that dlreg could have written.
    """
    graph, source = run.graph, Source()
    prefix = f"{name}_" if name else ""
    names = identifiers(column.name for column in run.columns)
    cells = {column.name: f"row->{field}" for column, field in zip(run.columns, names, strict=True)}
    words = {"predict": f"{prefix}predict", "row": f"{prefix}row", "unreadable": f"{prefix}unreadable"}
    outputs = {plain_output(output): output for output in graph.outputs}
    statements, results = compile_graph(graph, list(outputs.values()), cells, source)
    given = dict(zip(outputs, results, strict=True))
    readable = _date_flags(graph, run.columns)
    declarations = [_PREDICT.format(**words, **_told(run))]
    functions = [_computing(words["row"], statements, given), _predicting(words, PREDICTION, "")]
    if run.intervals.n_rows:
        declarations.append(_INTERVAL.format(**words, highest=rounded_down(run.intervals.highest_level)))
        functions.append(_interval_function(words, run.intervals, source, given))
    if SPREAD in given:
        declarations.append(_SPREAD.format(**words))
        functions.append(_predicting(words, SPREAD, "_spread"))
    if readable:
        declarations.append(_UNREADABLE.format(**words))
        functions.append(_unreadable_function(words, graph, readable, cells, source))
    code = "\n".join(functions)
    return _FRAME.format(
        target=comment_text(run.target),
        version=__version__,
        stack=_stack_size(statements),
        guard=f"DLREG_{prefix.upper()}MODEL",
        row=words["row"],
        fields="\n".join(map(_field, run.columns, names)),
        declarations="\n".join(declarations),
        source=source.needed_by(code),
        functions=code,
    )


def _stack_size(statements: Sequence[str]) -> str:
    """What the arrays of a function take, rounded up."""
    arrays = re.findall(r"^(float|double|int|int64_t) v\d+\[(\d+)\];", "\n".join(statements), re.MULTILINE)
    n_bytes = sum((8 if c_type in ("double", "int64_t") else 4) * int(length) for c_type, length in arrays)
    return f"{n_bytes // 1024 + 1:,} kB"


def _told(run: ExportedRun) -> dict[str, str]:
    unit = f" in {comment_text(run.target_unit)}" if run.target_unit else ""
    has_dates = any(column.kind == "date" for column in run.columns)
    dates = ", and a text that is no date of its column's format as missing" if has_dates else ""
    return {"unit": unit, "dates": dates}


def _field(column: Column, name: str) -> str:
    """The declaration of a column's cell, and what it is."""
    shown = comment_text(column.name)
    if column.kind == "number":
        unit = f" in {comment_text(column.unit)}" if column.unit else ""
        return f"    double {name}; /* {shown}: a number{unit}; NAN if missing */"
    format_shown = f" such as {comment_text(str(column.date_format))}" if column.kind == "date" else ""
    kind = {"date": "a date", "boolean": "yes or no"}.get(column.kind, "a category")
    return f'    const char *{name}; /* {shown}: {kind}{format_shown}, in UTF-8; NULL or "" if missing */'


def _computing(row: str, statements: Sequence[str], given: Mapping[str, str]) -> str:
    """The function that computes all outputs."""
    members = "\n".join(f"    double {output};" for output in given)
    results = [f"result.{output} = {expression};" for output, expression in given.items()]
    lines = "\n    ".join(["struct outputs result;", *statements, *results, "return result;"])
    return (
        f"struct outputs {{\n{members}\n}};\n\n"
        f"static struct outputs compute(const struct {row} *row) {{\n    {lines}\n}}\n"
    )


def _predicting(words: Mapping[str, str], output: str, suffix: str) -> str:
    return (
        f"double {words['predict']}{suffix}(const struct {words['row']} *row) {{\n"
        f"    return compute(row).{output};\n}}\n"
    )


def rounded_down(level: float) -> str:
    """Six digits of a level below 1 that has an interval, as the level itself has."""
    return f"{math.floor(level * 1e6) / 1e6:.6f}".rstrip("0")


def _interval_function(
    words: Mapping[str, str], intervals: Intervals, source: Source, given: Mapping[str, str]
) -> str:
    """As `dlreg.evaluation.intervals.Intervals.factors` has it."""
    scores = source.numbers(np.asarray(intervals.scores, dtype=np.float64), "double")
    n_rows, n_scores = (f"{count}.0" for count in (intervals.n_rows, len(intervals.scores)))
    scale = f" * result.{RESIDUAL_SCALE}" if RESIDUAL_SCALE in given else ""

    def rank(share: str) -> str:
        return f"ceil(rint(({n_rows} + 1) * {share} * 1e9) / 1e9)"

    place = f"(size_t)(ceil(rint(rank * {n_scores} / {n_rows} * 1e9) / 1e9) - 1)"
    if intervals.are_signed:
        last = len(intervals.scores) - 1
        chosen = f"""\
const double rank = {rank("((1 + level) / 2)")};
        if (rank <= {n_rows}) {{
            const size_t place = {place};
            below = fmax(0, -{scores}[{last} - place]);
            above = fmax(0, {scores}[place]);
        }} else {{
            below = above = fmax(-{scores}[0], {scores}[{last}]);
        }}"""
    else:
        chosen = f"""\
const double rank = {rank("level")};
        below = above = {scores}[{place}];"""
    return f"""\
double {words["predict"]}_interval(const struct {words["row"]} *row, double level,
                        double *y_lower, double *y_upper) {{
    const struct outputs result = compute(row);
    double below = NAN, above = NAN;
    if (level > 0 && level < 1 && {rank("level")} <= {n_rows}) {{
        {chosen}
    }}
    *y_lower = result.{PREDICTION} - below{scale};
    *y_upper = result.{PREDICTION} + above{scale};
    return result.{PREDICTION};
}}
"""


def _date_flags(graph: PipelineGraph, columns: Sequence[Column]) -> dict[str, str]:
    """Of each column of dates the tensor that tells whether its text is one."""
    found: dict[str, str] = {}
    dates = {column.name for column in columns if column.kind == "date"}
    read_by: dict[str, frozenset[str]] = {name: frozenset({name}) for name in graph.inputs}
    for node in graph.nodes:
        columns_read = frozenset[str]().union(*(read_by.get(name, frozenset()) for name in node.inputs))
        read_by.update(dict.fromkeys(node.outputs, columns_read))
        if node.operator == "Where" and len(columns_read) == 1 and (columns_read <= dates):
            otherwise = graph.constants.get(node.inputs[2])
            if otherwise is not None and otherwise.dtype == np.float64 and np.isnan(otherwise).all():
                (column,) = columns_read
                found.setdefault(column, node.inputs[0])
    return found


def _unreadable_function(
    words: Mapping[str, str],
    graph: PipelineGraph,
    flags: Mapping[str, str],
    cells: Mapping[str, str],
    source: Source,
) -> str:
    lines = []
    for column, flag in flags.items():
        statements, (readable,) = compile_graph(graph, [flag], cells, source)
        lines += [
            f"    if (trimmed(text_of({cells[column]})).size) {{",
            *(f"        {statement}" for statement in statements),
            f"        if (!{readable}) {{",
            f"            return {text_literal(column.encode())};",
            "        }",
            "    }",
        ]
    head = f"const char *{words['unreadable']}(const struct {words['row']} *row) {{"
    return "\n".join([head, *lines, "    return NULL;", "}", ""])
