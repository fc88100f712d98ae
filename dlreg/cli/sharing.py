"""The commands for those whom a run is handed on to: `report`, `card`, `export`, `sign` and `verify`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.completion import complete_run
from dlreg.cli.help import OUTPUT, shown
from dlreg.cli.options import FollowLinksOption, JsonOption, RunDirArgument, output_option
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
