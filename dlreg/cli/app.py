"""The command line as a whole: what stands in `training`, `results`, `sharing` and `about`, in one.

Whatever a command needs is imported in its body, so that `--help` and the light commands start at once.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dlreg.cli import about, many_runs, results, sharing, training
from dlreg.cli.streams import printing


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
for _commands in (training, results, many_runs, sharing, about):
    app.add_typer(_commands.app)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error too.")] = False,
) -> None:
    """Deep-learning regression on tables, from one YAML file.

    --version and --debug are understood anywhere on the line; `main` takes them out before this is called.
    """
