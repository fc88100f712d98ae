"""The libraries that trackers need, and that need not be installed."""

from collections.abc import Iterable
from importlib.util import find_spec

from dlreg.errors import Fault, UsageError


def refuse_missing_libraries(names: Iterable[str]) -> None:
    """Makes sure, without importing any, that the libraries of some trackers are installed.

    Args:
        names: As in `run.log`; each is the name of its library and of its extra.

    Raises:
        UsageError: With every one that is not.
    """
    faults = [
        Fault(
            f"run.log: {name} needs a library that is not installed: {name}",
            hint=f"pip install 'dlreg[{name}]'",
        )
        for name in names
        if find_spec(name) is None
    ]
    if faults:
        raise UsageError(*faults)
