"""The options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dlreg.cli.completion import complete_override, complete_run
from dlreg.cli.help import OUTPUT, READING
from dlreg.files.plain_file import following_links

DataOption = Annotated[
    str | None,
    typer.Option(
        metavar="CSV", rich_help_panel=READING, help="Read this table, not data.path; - is standard input."
    ),
]
RunDirArgument = Annotated[
    Path,
    typer.Argument(metavar="RUN_DIR", autocompletion=complete_run, help="A directory that `train` wrote."),
]
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
LogOption = Annotated[
    list[str] | None,
    typer.Option(
        "--log", metavar="NAME", rich_help_panel=OUTPUT, help="Tell tensorboard or mlflow of it; repeatable."
    ),
]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        rich_help_panel=READING,
        help="How this file is written, such as data.decimal=','; repeatable.",
    ),
]
MaxUnseenOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        rich_help_panel=READING,
        help="Fail (4) if more of a column's cells are levels unseen in training; default: if all are.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        rich_help_panel=READING,
        help="Fail (4) at missing cells, unseen levels and values far out of range.",
    ),
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
JsonOption = Annotated[
    bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print one JSON object and nothing else.")
]


def output_option(metavar: str, meaning: str) -> Any:
    """`-o`, where a command writes to."""
    return typer.Option("--output", "-o", metavar=metavar, rich_help_panel=OUTPUT, help=meaning)
