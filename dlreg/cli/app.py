"""The command line: parse, one import, one call, print."""

import contextlib
import io
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from dlreg import __version__
from dlreg.cli.completion import complete_override, whole_words
from dlreg.errors import DlregError, RunDirError, StorageError, UsageError
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.runs.interruption import Interruption, listening

# Of every JSON object on stdout; it grows when a name in one of them changes its meaning.
JSON_VERSION = 1


class _Commands(TyperGroup):
    """Help and results go where they are asked for, or it is said why not."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _printing():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _printing():
            return super().invoke(ctx)


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """Ends quietly when the reader of a pipe has had enough, as in `dlreg predict … | head`.

    Raises:
        StorageError: What is printed cannot be written.
    """
    try:
        with reporting_storage_errors(Path("standard output")):
            yield
            # There may be no standard output at all.
            print(end="", flush=True)
    except BrokenPipeError:
        _forget_output()
        raise SystemExit(0) from None
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
    # Rich's boxes give each flag a type, as if it took a value.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
    data: Annotated[str | None, typer.Option(metavar="CSV", help="Read this CSV, not data.path.")] = None,
    overrides: SetOption = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --run-dir once the new one is complete.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished run; CONFIG may be its directory.")
    ] = False,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the run directory and nothing else.")
    ] = False,
) -> None:
    """Train a network and write the run directory."""
    from dlreg.cli import console
    from dlreg.commands import check
    from dlreg.commands import train as run
    from dlreg.runs import resuming as resumption

    if resume and overwrite:
        raise UsageError("--resume goes on with a run, --overwrite starts anew: give one of them")
    source, run_dir = resumption.find_config(config, run_dir) if resume else (config, run_dir)
    data_override = [f"data.path={json.dumps(data)}"] if data is not None else []
    settings = check.load_config_and_data(source, [*(overrides or []), *data_override])
    summary = resumption.read_complete(settings, run_dir) if resume else None
    if summary:
        console.show_note("the run is complete already")
    else:
        with console.TrainingDisplay(quiet=quiet or as_json) as display:
            summary = run.train_run(
                settings,
                run_dir,
                name=config.stem,
                overwrite=overwrite,
                resume=resume,
                interruption=context.obj,
                listener=display,
            )
    if as_json:
        print_json(summary)
    elif quiet:
        print(summary["run_dir"])
    else:
        console.show_run(summary, settings.data.target)


@app.command()
def check(
    config: ConfigArgument,
    overrides: SetOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as faults.")] = False,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", help="Lines, one JSON object, or annotations of GitHub Actions."),
    ] = "text",
) -> None:
    """Tell every fault of a config and of its CSV at once. Nothing is trained or written."""
    from dlreg.commands import check

    report = check.check(config, overrides or [], strict=strict)
    if form == "json":
        print_json(check.as_json(report))
    else:
        for line in (check.as_github if form == "github" else check.as_text)(report):
            print(line)
    raise typer.Exit(report.exit_code)


@app.command()
def init(
    csv: Annotated[str, typer.Argument(metavar="CSV", help="The table to learn from.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="CONFIG", help="Where to write; default stdout.")
    ] = None,
) -> None:
    """Write a commented config that fits a table."""
    from dlreg.cli import console
    from dlreg.commands import init as draft
    from dlreg.files import whole_file as atomic_file

    text, warnings = draft.draft_config(csv, target, output)
    if output:
        with reporting_storage_errors(output):
            atomic_file.write_atomically(output, text.encode())
        print(output)
    else:
        print(text, end="")
    for warning in warnings:
        console.show_note(warning)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    from dlreg.config import json_schema as schema

    print(json.dumps(schema.config_schema(), indent=2, ensure_ascii=False))


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
    as_json: JsonOption = False,
) -> None:
    """Measure a run on its own rows, or on another CSV. Fail if it is worse than asked for."""
    from dlreg.cli import console
    from dlreg.commands import evaluate as evaluation
    from dlreg.evaluation import gates

    limits = gates.parse_limits(fail_if or [], on_data=data is not None)
    allowed = gates.parse_regressions(max_regression or [], baseline)
    metrics, judged = evaluation.evaluate(run_dir, data, limits, baseline, allowed)
    if as_json:
        results = [gate.result for gate in judged]
        print_json({"run_dir": str(run_dir), "metrics": metrics, "gates": results})
    else:
        console.show_metrics(metrics)
        console.show_gates(judged)
    gates.refuse_failed(judged)


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
) -> None:
    """Predict new rows: one line per input row, in order."""
    from dlreg.cli import console
    from dlreg.commands import predict as prediction
    from dlreg.runs import trained_run

    run = trained_run.open_run(run_dir)
    counts = prediction.predict(run, csv, output, keep or [], spread=spread, interval=interval)
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
    from dlreg.commands import plot as figures

    print(figures.draw(run_dir, kind, output))


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
    as_json: JsonOption = False,
) -> None:
    """Tell which columns a run relies on, by permutation importance, and draw it."""
    from dlreg.cli import console
    from dlreg.commands import explain as importance

    report = importance.explain(run_dir, output, metric=metric, repeats=repeats)
    if as_json:
        print_json(report)
    else:
        console.show_importance(report)


@app.command()
def verify(run_dir: RunDirArgument, as_json: JsonOption = False) -> None:
    """Compare every file of a run with what was written."""
    from dlreg.commands import verify as verification

    report, faults = verification.verify(run_dir)
    if as_json:
        print_json(report)
    if faults:
        raise RunDirError(*faults)
    if not as_json:
        print(f"complete: {len(report['verified'])} files verified")


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout, for a script; what could steer a terminal is escaped."""
    text = json.dumps({"schema_version": JSON_VERSION, **value}, indent=2, ensure_ascii=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def _show_warning(message: Warning | str, *_: object) -> None:
    from dlreg.cli.console import show_note

    show_note(str(message))


def main() -> None:
    """Runs the command line and turns every error into its exit code, in this one place."""
    with listening() as signals:
        _run(signals)


def _run(signals: Interruption) -> None:
    arguments = sys.argv[1:]
    in_bash = os.environ.get("_DLREG_COMPLETE") == "complete_bash"
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
        if "--version" in arguments:
            with _printing():
                print(f"dlreg {__version__}")
            return
        with whole_words(os.environ) if in_bash else contextlib.nullcontext():
            app([argument for argument in arguments if argument != "--debug"], prog_name="dlreg", obj=signals)
    except DlregError as error:
        from dlreg.cli.console import show_error

        if "--debug" in arguments:
            traceback.print_exc()
        # Nobody may be reading; the exit code still counts.
        with contextlib.suppress(OSError, SystemExit):
            show_error(error)
        sys.exit(error.exit_code)
    except Exception:
        # What a signal breaks off may fail in any way.
        signals.raise_received()
        traceback.print_exc()
        report = "Please report it, with the lines above and your config."
        print(f"This is a bug of dlreg {__version__}. {report}", file=sys.stderr)
        sys.exit(1)
