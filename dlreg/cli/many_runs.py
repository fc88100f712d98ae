"""The commands about several runs: `runs` and `compare`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.completion import complete_run
from dlreg.cli.help import OUTPUT, shown
from dlreg.cli.options import FollowLinksOption, JsonOption
from dlreg.errors import UsageError

app = typer.Typer()


@app.command(**shown("dlreg runs", page="runs"))
def runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the runs are.")] = Path("runs"),
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the runs of a folder, the newest first."""
    from dlreg.cli.json_output import print_json
    from dlreg.cli.run_tables import print_runs
    from dlreg.commands import runs as command

    report = command.runs(folder)
    if as_json:
        print_json(report)
    else:
        print_runs(report)


@app.command(**shown("dlreg compare runs/mine-1 runs/mine-2 --by mae", page="runs"))
def compare(
    run_dirs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN_DIR", autocompletion=complete_run, help="Two runs or more."),
    ],
    metric: Annotated[
        Literal["rmse", "mse", "mae", "mape", "r2"], typer.Option("--by", help="What they are sorted by.")
    ] = "rmse",
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=OUTPUT,
            help="Draw their learning curves as a .png, .svg or .pdf file.",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--md", rich_help_panel=OUTPUT, help="Print Markdown, for a pull request.")
    ] = False,
    html: Annotated[
        bool, typer.Option("--html", rich_help_panel=OUTPUT, help="Print a page with the learning curves.")
    ] = False,
    _follow_links: FollowLinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs: metrics with intervals, sorted by validation error, and what differs."""
    from dlreg.cli.json_output import print_json
    from dlreg.cli.run_tables import print_comparison
    from dlreg.commands import compare as command
    from dlreg.commands.compare_text import as_markdown

    if as_json + markdown + html > 1:
        raise UsageError("--json, --md and --html are three forms of one thing: give one of them")
    comparison = command.compare(run_dirs, metric)
    if figure:
        from dlreg.commands.compare_curves import draw_curves

        draw_curves(comparison, figure)
    if as_json:
        print_json(command.as_json(comparison))
    elif markdown:
        print(as_markdown(comparison), end="")
    elif html:
        from dlreg.commands.compare_page import as_html

        print(as_html(comparison))
    else:
        print_comparison(comparison)
