"""Every fault of a config and of its CSV at once, and what a training would do."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlreg.config.reading import Reading, read_config
from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DataError, DlregError, Fault, abridged, abridged_notes, printable


@dataclass(frozen=True)
class Report:
    """What `dlreg check` found.

    Attributes:
        faults: What would stop a training, the config's first, each file in its order.
        warnings: What would not, but looks like a mistake.
        notes: What is good to know: cells that are missing, rows without a target.
        plan: What a training would do, by the names of `preview.plan.Plan`; None where it would not start.
        search: What `dlreg tune` would do, by the names of `describe_search`; None where it would not start.
        exit_code: 0 without faults; 3 if the config has any, 4 if the data alone has, 6 if the CSV may not
            be read, or there is too little memory.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    notes: tuple[str, ...]
    plan: dict[str, Any] | None
    exit_code: int
    search: dict[str, Any] | None = None


def check(
    path: Path, overrides: Sequence[str] = (), searches: Sequence[str] = (), *, strict: bool = False
) -> Report:
    """Checks a config and, as far as it says which, its table. Nothing is written or fetched.

    Args:
        path: The YAML file.
        overrides: `KEY=VALUE` texts as given to `--set`.
        searches: `KEY=RANGE` texts as given to `--search`.
        strict: Warnings count as faults.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`.
    """
    try:
        reading = read_config(path, overrides, searches)
    except ConfigError as error:
        return Report(error.faults, (), (), None, error.exit_code)
    return check_reading(str(path), reading, strict=strict)


def check_reading(source: str, reading: Reading, *, strict: bool = False) -> Report:
    """Checks a config that has been read, and its table.

    Args:
        source: Where it stands.
        reading: The config, as far as it can be understood.
        strict: Warnings count as faults.
    """
    config, faults = reading
    exit_code = ConfigError.exit_code if faults else 0
    if config is None:
        return Report(faults, (), (), None, exit_code)
    # pandas is slow to import, and where the config leaves open which table is meant none is read.
    from dlreg.features.holidays import refuse_unknown_holidays
    from dlreg.preview.advice import advise
    from dlreg.preview.left_out import describe_left_out
    from dlreg.preview.memory import refuse_too_little_memory
    from dlreg.preview.opening import look_at_dataset, settle_cache
    from dlreg.preview.plan import plan_training
    from dlreg.trackers.libraries import refuse_missing_libraries

    try:
        refuse_missing_libraries(config.run.log)
        refuse_unknown_holidays(config)
        config = settle_cache(config)
        dataset = look_at_dataset(config)
        plan = plan_training(config, dataset)
        refuse_too_little_memory(plan)
    except DlregError as error:
        return Report(_in_order(source, (*faults, *error.faults)), (), (), None, exit_code or error.exit_code)
    # With faults in the config some settings are defaults in place of them, and not the user's choice.
    advices = [advice for advice in advise(config, dataset.in_memory) if advice.about == "data" or not faults]
    warnings = tuple(advice.fault for advice in advices)
    if strict and warnings:
        about_config = faults or any(advice.about == "config" for advice in advices)
        exit_code = ConfigError.exit_code if about_config else DataError.exit_code
        faults, warnings = (*faults, *warnings), ()
    notes = (*dataset.notes, *describe_left_out(config, dataset.in_memory))
    if faults:
        return Report(faults, warnings, notes, None, exit_code)
    search, search_notes = describe_search(config, plan.rows["train"])
    return Report((), warnings, (*notes, *search_notes), asdict(plan), exit_code, search)


def describe_search(config: Config, n_rows: int) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What `dlreg tune` would do, and what may be misread of it.

    Args:
        config: Whole and without faults.
        n_rows: Of the training.

    Returns:
        `metric`, `trials`, `time_limit` in seconds, `method`, `is_default` (whether the config names no
        parameters) and `parameters`, as a config writes them; None where no rows would tell the best trial.
    """
    from dlreg.search.space import search_of, spelled_out

    try:
        search = search_of(config, n_rows)
    except ConfigError:
        return None, ()
    description = {
        key: getattr(search, key) for key in ("metric", "trials", "time_limit", "method", "is_default")
    }
    parameters = spelled_out(config, n_rows).search.parameters
    return description | {
        "parameters": {key: entry.model_dump() for key, entry in parameters.items()}
    }, search.notes


def _in_order(source: str, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The faults of the config by line, then the others in the order given."""
    in_config = sorted(
        (fault for fault in faults if fault.path == source),
        key=lambda fault: (fault.line or 0, fault.column or 0),
    )
    return (*in_config, *(fault for fault in faults if fault.path != source))


def load_checked_config(path: Path, overrides: Sequence[str], searches: Sequence[str] = ()) -> Config:
    """Reads a config for a training or a search; where it has faults, those of its CSV are told with them.

    Of a large table that is trained from disk they are not: nobody would wait for them.

    Args:
        path: The YAML file.
        overrides: `KEY=VALUE` texts as given to `--set`.
        searches: `KEY=RANGE` texts as given to `--search`.

    Raises:
        UsageError: One of the texts is not `KEY=VALUE`.
        ConfigError: The config has faults.
    """
    return checked_config(str(path), read_config(path, overrides, searches))


def checked_config(source: str, reading: Reading) -> Config:
    """The same of a config that has been read.

    Args:
        source: Where it stands.
        reading: The config, as far as it can be understood.

    Raises:
        ConfigError: The config has faults.
    """
    config, faults = reading
    if faults or config is None:
        is_large = config and _is_large(config)
        raise ConfigError(*(faults if is_large else check_reading(source, reading).faults))
    return config


def _is_large(config: Config) -> bool:
    """Whether reading the whole table takes long, which is then trained from disk."""
    from dlreg.preview.memory import find_shortage
    from dlreg.preview.room import estimate_size

    with suppress(DlregError):
        size, cache = estimate_size(config), config.data.cache
        fits = size is None or cache == "memory" or (cache == "auto" and not find_shortage(size.memory_bytes))
        return not fits
    return False


def as_json(report: Report) -> dict[str, Any]:
    """The report in plain values, of one shape whatever was found.

    Returns:
        `faults` and `warnings`: for each `message`, `path`, `line`, `column` and `row` (1-based, or None),
        `hint` and `severity` (`error` or `warning`); of many alike the first. `fault_count` and
        `warning_count`: how many there are. `notes`: sentences. `plan`: what `preview.plan.Plan` says, or
        None. `search`: what `describe_search` says, or None.
    """

    def entries(faults: Sequence[Fault], severity: str) -> list[dict[str, Any]]:
        return [asdict(fault) | {"severity": severity} for fault in abridged(faults)]

    return {
        "faults": entries(report.faults, "error"),
        "fault_count": len(report.faults),
        "warnings": entries(report.warnings, "warning"),
        "warning_count": len(report.warnings),
        "notes": abridged_notes(report.notes),
        "plan": report.plan,
        "search": report.search,
    }


def as_text(report: Report) -> Iterator[str]:
    """A line for each fault and warning, `file:line:column: message`, then for the plan."""
    yield from map(str, abridged(report.faults))
    for warning in abridged(report.warnings):
        yield str(replace(warning, message=f"warning: {warning.message}"))
    for note in abridged_notes(report.notes):
        yield f"note: {printable(note)}"
    if report.plan:
        yield from _plan_lines(report.plan)
    if report.search:
        yield from _search_lines(report.search)


def as_github(report: Report) -> Iterator[str]:
    """A workflow command of GitHub Actions for each fault and warning: an annotation in the file.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    for severity, faults in (("error", report.faults), ("warning", report.warnings)):
        for fault in abridged(faults):
            # What `--set` and `--search` say stands in no file.
            in_file = fault.path is not None and not fault.path.startswith(("--set ", "--search "))
            places = {"file": fault.path, "line": fault.line, "col": fault.column} if in_file else {}
            properties = ",".join(
                f"{name}={_escaped(printable(str(value)), ':,')}"
                for name, value in places.items()
                if value is not None
            )
            message = str(replace(fault, path=None, line=None, column=None) if in_file else fault)
            yield f"::{severity} {properties}".rstrip() + f"::{_escaped(message)}"


def _escaped(text: str, marks: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{marks}" else c for c in text)


def _plan_lines(plan: dict[str, Any]) -> Iterator[str]:
    counts, folds = plan["rows"], plan["folds"]
    in_folds = {"train": f" in {folds} folds, which validate"} if folds else {}
    rows = ", ".join(
        f"{count:,} {name}{in_folds.get(name, '')}"
        for name, count in counts.items()
        # Folds leave no others to validate on.
        if count or not folds
    )
    columns = ", ".join(f"{count:,} {kind}" for kind, count in plan["columns"].items())
    yield f"rows        {rows}"
    yield f"columns     {columns}"
    yield f"features    {plan['features']:,} after encoding"
    yield f"network     {plan['parameters']:,} parameters"
    refit = f", then at most {plan['refit_epochs']:,} to refit" if plan["refit_epochs"] else ""
    yield f"steps       {plan['steps_per_epoch']:,} per epoch, at most {plan['epochs']:,} epochs{refit}"
    if plan["time_limit"]:
        yield f"time limit  {plan['time_limit']}: epochs and members are chosen by it when training begins"
    yield f"memory      about {plan['memory_bytes'] / 1e9:.1f} GB"


def _search_lines(search: dict[str, Any]) -> Iterator[str]:
    # Where the config says nothing of it, one line is enough.
    keys = ", ".join(search["parameters"])
    if search["is_default"]:
        text = f"dlreg tune tries other values of {keys}"
    else:
        limits = [f"{search['trials']:,} trials"] if search["trials"] else []
        limits += [f"{search['time_limit']:,.4g} s"] if search["time_limit"] else []
        text = (
            f"dlreg tune tries {keys}: at most {', '.join(limits)} ({search['method']}) by {search['metric']}"
        )
    yield from textwrap.wrap(text, 80, initial_indent="search      ", subsequent_indent=" " * 12)
