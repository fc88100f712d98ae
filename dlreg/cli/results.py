"""The commands that ask a run: `evaluate`, `predict`, `plot` and `explain`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.completion import complete_kept, complete_limit, complete_regression, complete_run
from dlreg.cli.help import GATES, OUTPUT, READING, shown
from dlreg.cli.options import (
    FollowLinksOption,
    FormatOption,
    JsonOption,
    MaxUnseenOption,
    RunDirArgument,
    StrictOption,
    output_option,
)
from dlreg.errors import DataError, UsageError

app = typer.Typer()


@app.command(
    **shown(
        "dlreg evaluate runs/mine-1 --fail-if 'rmse>60'",
        "dlreg evaluate runs/mine-2 --baseline runs/mine-1 --max-regression rmse=2%",
        page="ci",
    )
)
def evaluate(
    run_dir: RunDirArgument,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="CSV", rich_help_panel=READING, help="Measure on this CSV, not on the run's own rows."
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR",
            rich_help_panel=GATES,
            autocompletion=complete_limit,
            help="Fail (8) if so, such as 'rmse>3.2' or 'validation.mae>=2'; repeatable.",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_DIR",
            rich_help_panel=GATES,
            autocompletion=complete_run,
            help="Another run to compare with on the same rows.",
        ),
    ] = None,
    max_regression: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=PERCENT",
            rich_help_panel=GATES,
            autocompletion=complete_regression,
            help="Fail (8) if surely worse than --baseline by more; repeatable.",
        ),
    ] = None,
    overrides: FormatOption = None,
    max_unseen: MaxUnseenOption = None,
    strict: StrictOption = False,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a run on its own rows, or on another CSV. Fail if it is worse than asked for."""
    from dlreg.cli.json_output import print_json
    from dlreg.cli.output import print_gates, print_metrics
    from dlreg.commands import evaluate as command
    from dlreg.evaluation.gates import parse_limits, parse_regressions, refuse_failed

    limits = parse_limits(fail_if or [], on_data=data is not None)
    allowed = parse_regressions(max_regression or [], baseline)
    if data is None and (overrides or max_unseen is not None or strict):
        raise UsageError("--set, --max-unseen and --strict are about another CSV: give it with --data")
    other_table = None if data is None else command.OtherTable(data, overrides or (), max_unseen, strict)
    metrics, gates, strange, unusable = command.evaluate(run_dir, other_table, limits, baseline, allowed)
    if as_json:
        results = [gate.result for gate in gates]
        cells = strange and strange.as_json()
        print_json({"run_dir": str(run_dir), "metrics": metrics, "cells": cells, "gates": results})
    else:
        print_metrics(metrics)
        print_gates(gates)
    refuse_failed(gates, unusable)


@app.command(**shown("dlreg predict runs/mine-1 new.csv -o predictions.csv", page="start"))
def predict(
    run_dir: RunDirArgument,
    csv: Annotated[str, typer.Argument(metavar="CSV", help="New rows; - is standard input.")] = "-",
    output: Annotated[
        str,
        output_option("FILE", "A .csv or .jsonl file; - is standard output."),
    ] = "-",
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=OUTPUT,
            autocompletion=complete_kept,
            help="Copy a column of the input; repeatable.",
        ),
    ] = None,
    spread: Annotated[
        bool,
        typer.Option(
            "--spread",
            rich_help_panel=OUTPUT,
            help="Add y_spread: the standard deviation of an ensemble's members.",
        ),
    ] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="LEVEL",
            rich_help_panel=OUTPUT,
            help="Add y_lower and y_upper, which hold this share of rows, as 0.9.",
        ),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            rich_help_panel=OUTPUT,
            help="Put ' before kept cells that a spreadsheet would take for formulas.",
        ),
    ] = False,
    form: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option(
            "--format",
            rich_help_panel=OUTPUT,
            help="Write a CSV or JSON Lines; default what FILE ends with, else csv.",
        ),
    ] = None,
    overrides: FormatOption = None,
    max_unseen: MaxUnseenOption = None,
    strict: StrictOption = False,
    _follow_links: FollowLinksOption = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", rich_help_panel=OUTPUT, help="Print one JSON object; the rows need --output then."
        ),
    ] = False,
) -> None:
    """Predict new rows: one line per input row, in order."""
    from dlreg.cli.console import show_note
    from dlreg.cli.json_output import print_json
    from dlreg.commands import predict as command
    from dlreg.commands.other_format import read_otherwise
    from dlreg.runs.trained_run import open_run

    if as_json and output == "-":
        raise UsageError("--json prints on standard output, as the rows do: give --output a file")
    run = read_otherwise(open_run(run_dir), overrides or ())
    if csv == "-" and sys.stdin.isatty():
        show_note("reading a table from the terminal, to its end with Ctrl-D; give a CSV for one in a file")
    options = command.Options(keep or (), spread, interval, max_unseen, strict, escape_formulas, form)
    report, unusable = command.predict(run, csv, output, options)
    if as_json:
        print_json({"run_dir": str(run_dir), **report})
    if unusable:
        raise DataError(*unusable)


@app.command(**shown("dlreg plot runs/mine-1 --kind residuals -o residuals.svg", page="run-directory"))
def plot(
    run_dir: RunDirArgument,
    kind: Annotated[Literal["loss", "predictions", "residuals"], typer.Option(help="What to draw.")] = "loss",
    output: Annotated[
        Path | None,
        output_option("FILE", "A .png, .svg or .pdf file; default in RUN_DIR."),
    ] = None,
    _follow_links: FollowLinksOption = False,
) -> None:
    """Draw a figure of a run."""
    from dlreg.cli.output import print_path
    from dlreg.commands import plot as command

    print_path(command.plot(run_dir, kind, output))


@app.command(**shown("dlreg explain runs/mine-1", page="commands"))
def explain(
    run_dir: RunDirArgument,
    output: Annotated[
        Path | None,
        output_option("FILE", "A .png, .svg or .pdf; default RUN_DIR/importance.png."),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, metavar="NUMBER", help="How often each column is permuted.")
    ] = 10,
    metric: Annotated[
        Literal["rmse", "mse", "mae", "r2"], typer.Option(help="What gets worse without a column.")
    ] = "rmse",
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which columns a run relies on, by permutation importance, and draw it."""
    from dlreg.cli.json_output import print_json
    from dlreg.cli.output import print_importance
    from dlreg.commands import explain as command

    report = command.explain(run_dir, output, metric=metric, repeats=repeats)
    if as_json:
        print_json(report)
    else:
        print_importance(report)
