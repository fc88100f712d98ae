"""The commands from a table to a run: `init`, `check` and `train`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.completion import complete_target
from dlreg.cli.help import OUTPUT, READING, shown
from dlreg.cli.options import (
    ConfigArgument,
    DataOption,
    FollowLinksOption,
    JsonOption,
    LogOption,
    SetOption,
    output_option,
)
from dlreg.errors import UsageError

app = typer.Typer()


@app.command(
    **shown("dlreg train my.yaml", "dlreg train my.yaml --set training.epochs=300 --quiet", page="config")
)
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
    log: LogOption = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", rich_help_panel=OUTPUT, help="Print the run directory and nothing else."
        ),
    ] = False,
) -> None:
    """Train a network and write the run directory."""
    from dlreg.cli.console import TrainingDisplay, show_note

    if resume and overwrite:
        raise UsageError("--resume goes on with a run, --overwrite starts anew: give one of them")
    with TrainingDisplay(f"reading {config}", quiet=quiet or as_json) as display:
        from dlreg.commands.check import load_checked_config
        from dlreg.runs.resuming import find_config, read_complete

        source, path = find_config(config, run_dir) if resume else (config, run_dir)
        settings = load_checked_config(
            source, [*(overrides or []), *_data_override(data), *_log_override(log)]
        )
        summary = complete = read_complete(settings, path) if resume else None
        if not summary:
            display.on_stage(f"reading {settings.data.path}")
            from dlreg.cli.importing import quiet_import
            from dlreg.commands import train as command

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
    from dlreg.cli.output import print_gates, print_run
    from dlreg.evaluation.gates import judge_limits, limits_of_config, refuse_failed

    if complete:
        show_note("the run is complete already")
    gates = judge_limits(limits_of_config(settings.gates)[0], summary["metrics"])
    summary = {**summary, "gates": [gate.result for gate in gates]}
    print_run(summary, settings.data.target, "json" if as_json else "path" if quiet else "text")
    if not (as_json or quiet):
        print_gates(gates)
    refuse_failed(gates)


def _data_override(csv: str | None) -> list[str]:
    """The `--set` text that reads another CSV; none if there is no other."""
    return [] if csv is None else [f"data.path={json.dumps(csv)}"]


def _log_override(names: list[str] | None) -> list[str]:
    """The `--set` text that has trackers told of a training; none if none is named."""
    return [f"run.log={json.dumps(names)}"] if names else []


@app.command(**shown("dlreg check my.yaml --format github", page="ci"))
def check(
    config: ConfigArgument,
    data: DataOption = None,
    overrides: SetOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as faults.")] = False,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option(
            "--format",
            rich_help_panel=OUTPUT,
            help="Lines, one JSON object, or annotations of GitHub Actions.",
        ),
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


@app.command(**shown("dlreg init rides.csv --target minutes -o my.yaml", page="start"))
def init(
    csv: Annotated[str, typer.Argument(metavar="CSV", help="The table to learn from; - is standard input.")],
    target: Annotated[
        str, typer.Option(metavar="COLUMN", autocompletion=complete_target, help="The column to predict.")
    ],
    output: Annotated[
        Path | None,
        output_option("CONFIG", "Where to write; default stdout."),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHARACTER",
            rich_help_panel=READING,
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
