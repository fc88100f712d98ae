"""Small configs for tests: written to a folder, read back, and the faults of those that are wrong."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dlreg.config.reading import load_config
from dlreg.config.schema import Config
from dlreg.errors import ConfigError, Fault

HEAD = "data:\n  path: table.csv\n  target: y\n"


def load(folder: Path, text: str, *overrides: str, searches: Sequence[str] = ()) -> Config:
    file = folder / "config.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    return load_config(file, overrides, searches)


def faults_of(folder: Path, text: str, *overrides: str, searches: Sequence[str] = ()) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *overrides, searches=searches)
    return caught.value.faults


def check_only_fault(folder: Path, addition: str, line: int, column: int, fragment: str) -> None:
    """What is appended to HEAD, which has three lines, makes one fault, at this place and with a hint."""
    (fault,) = faults_of(folder, HEAD + addition)
    assert (fault.line, fault.column) == (line, column), fault
    assert fragment in fault.message
    assert fault.path == str(folder / "config.yaml")
    assert fault.hint
