"""The commands: options in, one call, and what it returns printed.

Whatever a command needs is imported in its body, so that `--help` and the light commands start at once.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from dlreg.cli.completion import complete_override
from dlreg.cli.streams import printing
from dlreg.errors import DataError, RunDirError, UsageError
from dlreg.files.plain_file import following_links


class _Commands(TyperGroup):
    """Reports what cannot be printed, help included, as an error of dlreg's."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with printing():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with printing():
            return super().invoke(ctx)


app = typer.Typer(
    name="dlreg",
    cls=_Commands,
    help="Deep-learning regression on tables, from one YAML file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Rich's boxes give each flag a type, as if it took a value.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataOption = Annotated[
    str | None, typer.Option(metavar="CSV", help="Read this table, not data.path; - is standard input.")
]
RunDirArgument = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A directory that `train` wrote.")]
ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a config key; repeatable.",
        autocompletion=complete_override,
    ),
]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="How this file is written, such as data.decimal=','; repeatable.",
    ),
]
MaxUnseenOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Fail (4) if more of a column's cells are levels unseen in training; default: if all are.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict", help="Fail (4) at missing cells, unseen levels and values far out of range."),
]


def _follow_links(context: typer.Context, follow: bool) -> None:
    # Until the command ends; what reads a run asks for it where a file is opened, and nobody hands it on.
    if follow:
        context.with_resource(following_links())


FollowLinksOption = Annotated[
    bool,
    typer.Option(
        "--follow-links",
        callback=_follow_links,
        help="Read the files of a run through links, as a cache of DVC's or a model hub's has them.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error too.")] = False,
) -> None:
    """Deep-learning regression on tables, from one YAML file.

    --version and --debug are understood anywhere on the line; `main` takes them out before this is called.
    """


@app.command()
def train(
    context: typer.Context,
    config: ConfigArgument,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write; default runs/CONFIGNAME-1, -2, …")
    ] = None,
    data: DataOption = None,
    overrides: SetOption = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --run-dir once the new one is complete.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished run; CONFIG may be its directory.")
    ] = False,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the run directory and nothing else.")
    ] = False,
) -> None:
    """Train a network and write the run directory."""
    from dlreg.cli.console import TrainingDisplay, show_note
    from dlreg.cli.importing import quiet_import
    from dlreg.cli.output import print_run
    from dlreg.commands import train as command
    from dlreg.commands.check import load_checked_config
    from dlreg.runs.resuming import find_config, read_complete

    if resume and overwrite:
        raise UsageError("--resume goes on with a run, --overwrite starts anew: give one of them")
    source, path = find_config(config, run_dir) if resume else (config, run_dir)
    settings = load_checked_config(source, [*(overrides or []), *_data_override(data)])
    summary = read_complete(settings, path) if resume else None
    if summary:
        show_note("the run is complete already")
    else:
        with TrainingDisplay(quiet=quiet or as_json) as display:
            summary = command.train(
                settings,
                path,
                name=config.stem,
                overwrite=overwrite,
                resume=resume,
                interruption=context.obj,
                listener=display,
                importing=quiet_import,
            ).as_json()
    print_run(summary, settings.data.target, "json" if as_json else "path" if quiet else "text")


def _data_override(csv: str | None) -> list[str]:
    """The `--set` text that reads another CSV; none if there is no other."""
    return [] if csv is None else [f"data.path={json.dumps(csv)}"]


@app.command()
def check(
    config: ConfigArgument,
    data: DataOption = None,
    overrides: SetOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as faults.")] = False,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", help="Lines, one JSON object, or annotations of GitHub Actions."),
    ] = "text",
) -> None:
    """Tell every fault of a config and of its CSV at once. Nothing is trained or written."""
    from dlreg.cli.json_output import print_json
    from dlreg.commands import check as command

    report = command.check(config, [*(overrides or []), *_data_override(data)], strict=strict)
    if form == "json":
        print_json(command.as_json(report))
    else:
        for line in (command.as_github if form == "github" else command.as_text)(report):
            print(line)
    raise typer.Exit(report.exit_code)


@app.command()
def init(
    csv: Annotated[str, typer.Argument(metavar="CSV", help="The table to learn from; - is standard input.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="CONFIG", help="Where to write; default stdout.")
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHARACTER",
            help="What stands between two cells, such as ';', tab or whitespace; default a guess.",
        ),
    ] = None,
) -> None:
    """Write a commented config that fits a table, and say what it leaves out."""
    from dlreg.cli.console import show_note
    from dlreg.cli.output import print_path
    from dlreg.commands import init as command
    from dlreg.files.whole_file import reporting_storage_errors, write_atomically

    text, notes = command.init(csv, target, output, delimiter)
    if output:
        with reporting_storage_errors(output):
            write_atomically(output, text.encode())
        print_path(output)
    else:
        print(text, end="")
    for note in notes:
        show_note(note)


@app.command()
def schema(
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Every key with its default and what it does, as a config.")
    ] = False,
) -> None:
    """Print the JSON Schema of the config, for editors, or all of its keys, to read."""
    if as_yaml:
        from dlreg.config.reference import full_config

        print(full_config(), end="")
    else:
        from dlreg.config.json_schema import config_schema

        print(json.dumps(config_schema(), indent=2, ensure_ascii=False, allow_nan=False))


@app.command()
def evaluate(
    run_dir: RunDirArgument,
    data: Annotated[
        str | None, typer.Option(metavar="CSV", help="Measure on this CSV, not on the run's own rows.")
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR", help="Fail (8) if so, such as 'rmse>3.2' or 'validation.mae>=2'; repeatable."
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN_DIR", help="Another run to compare with on the same rows.")
    ] = None,
    max_regression: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=PERCENT", help="Fail (8) if surely worse than --baseline by more; repeatable."
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


@app.command()
def predict(
    run_dir: RunDirArgument,
    csv: Annotated[str, typer.Argument(metavar="CSV", help="New rows; - is standard input.")] = "-",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="CSV", help="Where to write; - is standard output.")
    ] = "-",
    keep: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Copy a column of the input; repeatable.")
    ] = None,
    spread: Annotated[
        bool, typer.Option("--spread", help="Add y_spread: the standard deviation of an ensemble's members.")
    ] = False,
    interval: Annotated[
        float | None,
        typer.Option(metavar="LEVEL", help="Add y_lower and y_upper, which hold this share of rows, as 0.9."),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas", help="Put ' before kept cells that a spreadsheet would take for formulas."
        ),
    ] = False,
    overrides: FormatOption = None,
    max_unseen: MaxUnseenOption = None,
    strict: StrictOption = False,
    _follow_links: FollowLinksOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; the rows need --output then.")
    ] = False,
) -> None:
    """Predict new rows: one line per input row, in order."""
    from dlreg.cli.json_output import print_json
    from dlreg.commands import predict as command
    from dlreg.commands.other_format import read_otherwise
    from dlreg.runs.trained_run import open_run

    if as_json and output == "-":
        raise UsageError("--json prints on standard output, as the rows do: give --output a file")
    run = read_otherwise(open_run(run_dir), overrides or ())
    options = command.Options(keep or (), spread, interval, max_unseen, strict, escape_formulas)
    report, unusable = command.predict(run, csv, output, options)
    if as_json:
        print_json({"run_dir": str(run_dir), **report})
    if unusable:
        raise DataError(*unusable)


@app.command()
def plot(
    run_dir: RunDirArgument,
    kind: Annotated[Literal["loss", "predictions", "residuals"], typer.Option(help="What to draw.")] = "loss",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file; default in RUN_DIR."),
    ] = None,
    _follow_links: FollowLinksOption = False,
) -> None:
    """Draw a figure of a run."""
    from dlreg.cli.output import print_path
    from dlreg.commands import plot as command

    print_path(command.plot(run_dir, kind, output))


@app.command()
def explain(
    run_dir: RunDirArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A .png, .svg or .pdf; default RUN_DIR/importance.png."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=1000, help="How often each column is permuted.")] = 10,
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


@app.command()
def card(
    run_dir: RunDirArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .md file; default README.md in RUN_DIR."),
    ] = None,
    _follow_links: FollowLinksOption = False,
) -> None:
    """Write the model card of a run, as the Hugging Face hub reads it."""
    from dlreg.cli.output import print_path
    from dlreg.commands import card as command

    print_path(command.card(run_dir, output))


@app.command()
def sign(
    run_dir: RunDirArgument,
    private_key: Annotated[
        Path, typer.Option(metavar="KEY", help="An elliptic curve key, as PEM and without a password.")
    ],
    _follow_links: FollowLinksOption = False,
) -> None:
    """Sign every file of a run with a key, by OpenSSF Model Signing."""
    from dlreg.cli.output import print_path
    from dlreg.commands import sign as command

    print_path(command.sign(run_dir, private_key))


@app.command()
def verify(
    run_dir: RunDirArgument,
    public_key: Annotated[
        Path | None, typer.Option(metavar="KEY", help="Also check that the run was signed by this key.")
    ] = None,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every file of a run with what was written, and with what was signed."""
    from dlreg.cli.json_output import print_json
    from dlreg.commands import verify as command

    report, faults = command.verify(run_dir, public_key)
    if as_json:
        print_json(report)
    if faults:
        raise RunDirError(*faults)
    if not as_json:
        signed = {"none": "", "unchecked": "; the signature was not checked", "valid": " and their signature"}
        print(f"complete: {len(report['verified'])} files verified{signed[report['signature']]}")


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that no training uses.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What data.cache names, in place of the user's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the tables that are kept on disk to save time, or clear them."""
    from dlreg.cli.json_output import print_json
    from dlreg.commands import cache as command

    report = command.cache(folder, clear=clear)
    if as_json:
        print_json(report)
    else:
        print(*command.as_text(report), sep="\n")
