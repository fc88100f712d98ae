"""Every fault of a config and of its CSV at once, and what a training would do."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlreg.config.reading import read_config
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
        exit_code: 0 without faults; 3 if the config has any, 4 if the data alone has, 6 if the CSV may not
            be read, or there is too little memory.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    notes: tuple[str, ...]
    plan: dict[str, Any] | None
    exit_code: int


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
        config, faults = read_config(path, overrides, searches)
    except ConfigError as error:
        return Report(error.faults, (), (), None, error.exit_code)
    exit_code = ConfigError.exit_code if faults else 0
    if config is None:
        return Report(faults, (), (), None, exit_code)
    # pandas is slow to import, and where the config leaves open which table is meant none is read.
    from dlreg.preview.advice import advise
    from dlreg.preview.memory import refuse_too_little_memory
    from dlreg.preview.opening import look_at_dataset, settle_cache
    from dlreg.preview.plan import plan_training
    from dlreg.trackers.libraries import refuse_missing_libraries

    try:
        refuse_missing_libraries(config.run.log)
        config = settle_cache(config)
        dataset = look_at_dataset(config)
        plan = plan_training(config, dataset)
        refuse_too_little_memory(plan)
    except DlregError as error:
        return Report(_in_order(path, (*faults, *error.faults)), (), (), None, exit_code or error.exit_code)
    # With faults in the config some settings are defaults in place of them, and not the user's choice.
    advices = [advice for advice in advise(config, dataset.in_memory) if advice.about == "data" or not faults]
    warnings = tuple(advice.fault for advice in advices)
    if strict and warnings:
        about_config = faults or any(advice.about == "config" for advice in advices)
        exit_code = ConfigError.exit_code if about_config else DataError.exit_code
        faults, warnings = (*faults, *warnings), ()
    return Report(faults, warnings, dataset.notes, None if faults else asdict(plan), exit_code)


def _in_order(path: Path, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The faults of the config by line, then the others in the order given."""
    in_config = sorted(
        (fault for fault in faults if fault.path == str(path)),
        key=lambda fault: (fault.line or 0, fault.column or 0),
    )
    return (*in_config, *(fault for fault in faults if fault.path != str(path)))


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
    config, faults = read_config(path, overrides, searches)
    if faults or config is None:
        is_large = config and _is_large(config)
        raise ConfigError(*(faults if is_large else check(path, overrides, searches).faults))
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
        None.
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


def as_github(report: Report) -> Iterator[str]:
    """A workflow command of GitHub Actions for each fault and warning: an annotation in the file.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    for severity, faults in (("error", report.faults), ("warning", report.warnings)):
        for fault in abridged(faults):
            # What `--set` says stands in no file.
            in_file = fault.path is not None and not fault.path.startswith("--set ")
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
    rows = ", ".join(f"{count:,} {name}" for name, count in plan["rows"].items())
    columns = ", ".join(f"{count:,} {kind}" for kind, count in plan["columns"].items())
    yield f"rows        {rows}"
    yield f"columns     {columns}"
    yield f"features    {plan['features']:,} after encoding"
    yield f"network     {plan['parameters']:,} parameters"
    refit = f", then at most {plan['refit_epochs']:,} to refit" if plan["refit_epochs"] else ""
    yield f"steps       {plan['steps_per_epoch']:,} per epoch, at most {plan['epochs']:,} epochs{refit}"
    yield f"memory      about {plan['memory_bytes'] / 1e9:.1f} GB"
