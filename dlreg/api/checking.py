"""Every fault of a config and of its table at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlreg.api.arguments import check_config
from dlreg.api.notes import told_in_python
from dlreg.commands import check as command
from dlreg.config.mapping_source import CONFIG
from dlreg.config.reading import read_values
from dlreg.errors import ConfigError


@dataclass(frozen=True)
class Report(command.Report):
    """What `dlreg check` found; printed, it is what the command prints."""

    def __repr__(self) -> str:
        """A line for each fault, warning and note, and for what a training would do."""
        return "\n".join(command.as_text(self))

    @property
    def ok(self) -> bool:
        """Whether a training would start."""
        return not self.faults


def check(config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Report:
    """Checks a config and, as far as it says which, its table. Nothing is written or trained.

    Args:
        config: The YAML file, or what would stand in it; its relative paths start from the working directory.
        overrides: Values by dotted key, such as `{"training.epochs": 50}`.

    Raises:
        UsageError: The config is neither a path nor a mapping, or the overrides are no mapping.
    """
    check_config(config, overrides)
    source = CONFIG if isinstance(config, Mapping) else str(config)
    with told_in_python():
        try:
            reading = read_values(config, overrides or {})
        except ConfigError as error:
            return Report(error.faults, (), (), None, error.exit_code)
        return Report(**vars(command.check_reading(source, reading)))
