"""The commands for those whom a run is handed on to: a report, a card, a server, exports and signatures."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.completion import complete_run
from dlreg.cli.help import OUTPUT, READING, shown
from dlreg.cli.options import (
    FollowLinksOption,
    JsonOption,
    MaxUnseenOption,
    RunDirArgument,
    StrictOption,
    output_option,
)
from dlreg.errors import RunDirError

app = typer.Typer()


@app.command(**shown("dlreg report runs/mine-1", "dlreg report runs/mine-1 --md", page="runs"))
def report(
    run_dirs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_DIR", autocompletion=complete_run, help="Directories that `train` wrote."
        ),
    ],
    output: Annotated[
        Path | None,
        output_option("FILE", "A .html file; default report.html in RUN_DIR, of several runs here."),
    ] = None,
    as_markdown: Annotated[
        bool,
        typer.Option(
            "--md", rich_help_panel=OUTPUT, help="Print the results in short, as Markdown for a comment."
        ),
    ] = False,
    _follow_links: FollowLinksOption = False,
) -> None:
    """Write one page about a run, or several: what was asked and found, with charts and checks."""
    from dlreg.cli.output import print_path
    from dlreg.commands import report as command

    text = command.report_as_markdown(run_dirs, output) if as_markdown else None
    if text is not None:
        print(text, end="")
    else:
        print_path(output if as_markdown and output else command.report(run_dirs, output))


@app.command(**shown("dlreg serve runs/mine-1", "dlreg serve runs/mine-1 --port 0 --json", page="serving"))
def serve(
    run_dir: RunDirArgument,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="What to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 is a free one.")] = 8000,
    max_unseen: MaxUnseenOption = None,
    strict: StrictOption = False,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer rows over HTTP until Ctrl-C or SIGTERM; a new run in the same place takes over."""
    from dlreg.cli.output import print_served
    from dlreg.commands import serve as command

    command.serve(
        run_dir, host, port, partial(print_served, as_json=as_json), max_unseen=max_unseen, strict=strict
    )


@app.command(**shown("dlreg reproduce runs/mine-1", "dlreg reproduce runs/mine-1 --json", page="versions"))
def reproduce(
    context: typer.Context,
    run_dir: RunDirArgument,
    data: Annotated[
        str | None,
        typer.Option(metavar="CSV", rich_help_panel=READING, help="Where its table is now, if it was moved."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Train with so many threads, not with as many as then.")
    ] = None,
    new_run_dir: Annotated[
        Path | None,
        typer.Option(
            "--run-dir", metavar="DIR", rich_help_panel=OUTPUT, help="Keep the new run here; default nowhere."
        ),
    ] = None,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a run again from what it recorded, and say what is equal."""
    from dlreg.cli.console import TrainingDisplay
    from dlreg.errors import GateError

    with TrainingDisplay(f"reading {run_dir}", quiet=as_json) as display:
        from dlreg.cli.importing import quiet_import
        from dlreg.commands import reproduce as command

        found = command.reproduce(
            run_dir,
            data=data,
            threads=threads,
            run_dir=new_run_dir,
            interruption=context.obj,
            listener=display,
            importing=quiet_import,
        )
    from dlreg.cli.output import print_reproduction

    print_reproduction(found.as_json(), str(run_dir), as_json=as_json)
    if found.equal == "no":
        raise GateError(f"{run_dir} is not reproduced")


@app.command(**shown("dlreg card runs/mine-1", page="commands"))
def card(
    run_dir: RunDirArgument,
    output: Annotated[
        Path | None,
        output_option("FILE", "A .md file; default README.md in RUN_DIR."),
    ] = None,
    _follow_links: FollowLinksOption = False,
) -> None:
    """Write the model card of a run, as the Hugging Face hub reads it."""
    from dlreg.cli.output import print_path
    from dlreg.commands import card as command

    print_path(command.card(run_dir, output))


@app.command(
    **shown(
        "dlreg export runs/mine-1 --format c",
        "dlreg export runs/mine-1 --format savedmodel -o fares",
        page="serving",
    )
)
def export(
    run_dir: RunDirArgument,
    form: Annotated[
        Literal["c", "savedmodel"],
        typer.Option("--format", help="One file in C, or a folder for TensorFlow."),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In C: NAME_predict, struct NAME_row and so on, to link several."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder that is a SavedModel already.")
    ] = False,
    output: Annotated[
        Path | None,
        output_option("PATH", "A file or a folder; default: a name after the run's, here."),
    ] = None,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the model for other runtimes: one C file, or a SavedModel. Both read raw columns."""
    from dlreg.cli.importing import quiet_import
    from dlreg.cli.json_output import print_json
    from dlreg.cli.output import print_path
    from dlreg.commands import export as command

    made = command.export(run_dir, form, output, name=name, overwrite=overwrite, importing=quiet_import)
    if as_json:
        print_json(made)
    else:
        print_path(made["output"])


@app.command(**shown("dlreg sign runs/mine-1 --private-key private.pem", page="run-directory"))
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


@app.command(**shown("dlreg verify runs/mine-1 --public-key public.pem", page="run-directory"))
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
