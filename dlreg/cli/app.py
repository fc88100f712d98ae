"""The command line as a whole: what stands in the modules of `_GROUPS`, in one.

Whatever a command needs is imported in its body, so that `--help` and the light commands start at once.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dlreg.cli import about, many_runs, results, searching, sharing, training
from dlreg.cli.streams import printing


class _Commands(TyperGroup):
    """Lists the commands by what they are for; what cannot be printed is an error of dlreg's."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands with what they do, then the options."""
        for heading, module in _GROUPS.items():
            names = [command.callback.__name__ for command in module.app.registered_commands]
            with formatter.section(heading):
                formatter.write_dl([(name, _first_sentence(self.commands[name].help)) for name in names])
        with formatter.section("Options"):
            formatter.write_dl([parameter.get_help_record(ctx) for parameter in self.get_params(ctx)])

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with printing():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with printing():
            return super().invoke(ctx)


def _first_sentence(text: str | None) -> str:
    return (text or "").splitlines()[0].partition(". ")[0].removesuffix(".") + "."


_GROUPS = {
    "From a table to a run": training,
    "A search for a better config": searching,
    "What a run tells": results,
    "Many runs": many_runs,
    "Handing a run on": sharing,
    "The tool": about,
}
app = typer.Typer(
    name="dlreg",
    cls=_Commands,
    help="Deep-learning regression on tables, from one YAML file.",
    epilog="More: dlreg COMMAND --help and dlreg docs",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Rich's boxes give each flag a type, as if it took a value.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in _GROUPS.values():
    app.add_typer(_module.app)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error too.")] = False,
    install: Annotated[
        str | None,
        typer.Option(
            "--install-completion", metavar="[SHELL]", help="Have a shell complete the words of dlreg."
        ),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--show-completion", metavar="[SHELL]", help="Print what --install-completion installs."
        ),
    ] = None,
) -> None:
    """Deep-learning regression on tables, from one YAML file.

    `main` understands these options anywhere on the line, and takes them out before this is called.
    """
