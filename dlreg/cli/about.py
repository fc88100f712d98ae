"""The commands about the tool itself: `docs`, `schema` and `cache`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dlreg.cli.completion import complete_page
from dlreg.cli.help import shown
from dlreg.cli.options import JsonOption

app = typer.Typer()


@app.command(**shown("dlreg docs config", page="commands"))
def docs(
    page: Annotated[
        str | None,
        typer.Argument(
            metavar="PAGE", help="One of the list; default the list.", autocompletion=complete_page
        ),
    ] = None,
) -> None:
    """Show a page of the documentation, or list the pages."""
    from dlreg.cli.output import print_page, print_pages
    from dlreg.commands import docs as command

    if page is None:
        print_pages(command.PAGES)
    else:
        print_page(command.read_page(page))


@app.command(**shown("dlreg schema > dlreg.schema.json", page="config"))
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


@app.command(**shown("dlreg cache --clear", page="scale"))
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
