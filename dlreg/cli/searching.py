"""The command that searches: `tune`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from dlreg.cli.help import OUTPUT, SEARCH, shown
from dlreg.cli.options import ConfigArgument, DataOption, JsonOption, LogOption, SetOption
from dlreg.errors import ConfigError, Fault, UsageError
from dlreg.wording import quote

app = typer.Typer()


@app.command(
    **shown(
        "dlreg tune my.yaml --trials 100",
        "dlreg tune my.yaml --search training.learning_rate=1e-4..1e-1:log",
        "dlreg tune studies/my-1 --resume --trials 300",
        page="search",
    )
)
def tune(
    context: typer.Context,
    config: ConfigArgument,
    study: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write; default studies/CONFIGNAME-1, -2, …")
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            "--search",
            metavar="KEY=RANGE",
            rich_help_panel=SEARCH,
            help="Try MIN..MAX, MIN..MAX:log, or VALUE,VALUE… of a config key; repeatable.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="NUMBER",
            rich_help_panel=SEARCH,
            help="How many configs are tried (search.trials).",
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            rich_help_panel=SEARCH,
            help="When to stop trying, such as 90 (seconds), 10m or 1h30m.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="NUMBER", rich_help_panel=SEARCH, help="Trials at once; default one for each core."
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(rich_help_panel=SEARCH, help="Where trials are trained: here, or on a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", rich_help_panel=SEARCH, help="Of the Ray cluster, such as auto or HOST:6379."
        ),
    ] = None,
    data: DataOption = None,
    overrides: SetOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the study in --study.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a study; CONFIG may be its directory.")
    ] = False,
    as_json: JsonOption = False,
    log: LogOption = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", rich_help_panel=OUTPUT, help="Print the study directory and nothing else."
        ),
    ] = False,
) -> None:
    """Search for a better config, and train the best one found."""
    from dlreg.cli.search_display import SearchDisplay

    if resume and overwrite:
        raise UsageError("--resume goes on with a study, --overwrite starts anew: give one of them")
    if address is not None and engine == "local":
        raise UsageError("--address is that of a Ray cluster: give --engine ray with it")
    if time_limit is not None:
        _check_time_limit(time_limit)
    texts = {
        "data.path": data,
        "search.trials": trials,
        "search.time_limit": time_limit,
        "run.log": log or None,
    }
    given = [f"{key}={json.dumps(value)}" for key, value in texts.items() if value is not None]
    with SearchDisplay(f"reading {config}", quiet=quiet or as_json) as display:
        from dlreg.commands.check import load_checked_config
        from dlreg.search.study_record import find_study, refuse_study_as_config

        if not resume:
            refuse_study_as_config(config)
        source, path = find_study(config, study) if resume else (config, study)
        settings = load_checked_config(source, [*(overrides or []), *given], search or [])
        display.on_stage(f"reading {settings.data.path}")
        from dlreg.cli.importing import quiet_import
        from dlreg.commands import tune as command
        from dlreg.commands.tune_search import Execution

        summary = command.tune(
            settings,
            path,
            name=config.stem,
            overwrite=overwrite,
            resume=resume,
            execution=Execution(engine, jobs, address),
            interruption=context.obj,
            listener=display,
            importing=quiet_import,
        )
    from dlreg.cli.output import print_gates
    from dlreg.cli.search_output import print_study
    from dlreg.evaluation.gates import judge_limits, limits_of_config, refuse_failed

    gates = judge_limits(limits_of_config(settings.gates)[0], summary.best.metrics or {})
    print_study(summary, gates, "json" if as_json else "path" if quiet else "text")
    if not (as_json or quiet):
        print_gates(gates)
    refuse_failed(gates)


def _check_time_limit(text: str) -> None:
    from dlreg.config.checks import RefusedError, check_time

    try:
        check_time(text)
    except RefusedError as error:
        message = f"search.time_limit {error.expected}, found {quote(text)}"
        raise ConfigError(Fault(message, "--time-limit", hint=error.hint)) from None
