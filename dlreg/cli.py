"""The command line: parse, one import, one call, print."""

import contextlib
import io
import json
import logging
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from dlreg import __version__
from dlreg.atomic_file import reporting_storage_errors
from dlreg.errors import DlregError, RunDirError, StorageError


class _Commands(TyperGroup):
    """Ends quietly when the reader of a pipe has had enough, as in `dlreg predict … | head`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with reporting_storage_errors(Path("standard output")):
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
        except BrokenPipeError:
            _forget_output()
            raise typer.Exit from None
        except StorageError:
            try:
                sys.stdout.flush()
            except OSError:
                _forget_output()
            raise


def _forget_output() -> None:
    # Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    name="dlreg",
    cls=_Commands,
    help="Deep-learning regression on tables, from one YAML file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunDirArgument = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A directory that `train` wrote.")]
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
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.")],
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write; default runs/CONFIGNAME-1, -2, …")
    ] = None,
    data: Annotated[Path | None, typer.Option(metavar="CSV", help="Read this CSV, not data.path.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a config key; repeatable.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --run-dir once the new one is complete.")
    ] = False,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the run directory and nothing else.")
    ] = False,
) -> None:
    """Train a network and write the run directory."""
    from dlreg import config_file, console, run

    # A job that is told to stop cleans up as if interrupted from the keyboard.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    data_override = [f"data.path={json.dumps(str(data))}"] if data else []
    settings = config_file.load_config(config, [*(overrides or []), *data_override])
    with console.TrainingDisplay(quiet=quiet or as_json) as display:
        summary = run.train_run(settings, run_dir, name=config.stem, overwrite=overwrite, listener=display)
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    elif quiet:
        print(summary["run_dir"])
    else:
        console.show_run(summary, settings.data.target)


@app.command()
def evaluate(
    run_dir: RunDirArgument,
    data: Annotated[
        str | None, typer.Option(metavar="CSV", help="Measure on this CSV, not on the run's own rows.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a run on its own rows, or on another CSV."""
    from dlreg import console, evaluation, trained_run

    run = trained_run.open_run(run_dir)
    if not data:
        console.show_note(f"reading {run.config.data.path}, as the run's config says")
    metrics = evaluation.evaluate(run, data)
    if as_json:
        print(json.dumps({"run_dir": str(run_dir), "metrics": metrics}, indent=2))
    else:
        console.show_metrics(metrics)


@app.command()
def predict(
    run_dir: RunDirArgument,
    csv: Annotated[str, typer.Argument(metavar="[CSV]", help="New rows; - is standard input.")] = "-",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="CSV", help="Where to write; - is standard output.")
    ] = "-",
    keep: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Copy a column of the input; repeatable.")
    ] = None,
) -> None:
    """Predict new rows: one line per input row, in order."""
    from dlreg import console, prediction, trained_run

    counts = prediction.predict(trained_run.open_run(run_dir), csv, output, keep or [])
    console.show_counts(counts)


@app.command()
def plot(
    run_dir: RunDirArgument,
    kind: Annotated[Literal["loss", "predictions", "residuals"], typer.Option(help="What to draw.")] = "loss",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file; default in RUN_DIR."),
    ] = None,
) -> None:
    """Draw a figure of a run."""
    from dlreg import figures

    print(figures.draw(run_dir, kind, output))


@app.command()
def verify(run_dir: RunDirArgument, as_json: JsonOption = False) -> None:
    """Compare every file of a run with what was written."""
    from dlreg import verification

    report, faults = verification.verify(run_dir)
    if as_json:
        print(json.dumps(report, indent=2))
    if faults:
        raise RunDirError(*faults)
    if not as_json:
        print(f"complete: {len(report['verified'])} files verified")


def _show_warning(message: Warning | str, *_: object) -> None:
    from dlreg.console import show_note

    show_note(str(message))


def main() -> None:
    """Runs the command line and turns every error into its exit code, in this one place."""
    arguments = sys.argv[1:]
    if "--version" in arguments:
        print(f"dlreg {__version__}")
        return
    # Names in a table are any characters, whatever the terminal's locale; files of dlreg's are UTF-8, too.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Libraries warn their developers; what dlreg itself warns of is a note for the user.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", module="dlreg")
    warnings.showwarning = cast(Any, _show_warning)
    try:
        app([argument for argument in arguments if argument != "--debug"], prog_name="dlreg")
    except DlregError as error:
        from dlreg.console import show_error

        if "--debug" in arguments:
            traceback.print_exc()
        # Nobody may be reading; the exit code still counts.
        with contextlib.suppress(OSError, SystemExit):
            show_error(error)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        report = "Please report it, with the lines above and your config."
        print(f"This is a bug of dlreg {__version__}. {report}", file=sys.stderr)
        sys.exit(1)
