"""Deep-learning regression on tables, from one YAML file: at the command line, and from Python."""

# As in `typing`, which takes longer to import than all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from dlreg.api.checking import check as check
    from dlreg.api.regressor import Regressor as Regressor
    from dlreg.api.run import Run as Run
    from dlreg.api.run import load as load
    from dlreg.api.training import train as train
    from dlreg.errors import ClusterError as ClusterError
    from dlreg.errors import ConfigError as ConfigError
    from dlreg.errors import DataError as DataError
    from dlreg.errors import DivergedError as DivergedError
    from dlreg.errors import DlregError as DlregError
    from dlreg.errors import DlregWarning as DlregWarning
    from dlreg.errors import GateError as GateError
    from dlreg.errors import RunDirError as RunDirError
    from dlreg.errors import StorageError as StorageError
    from dlreg.errors import UsageError as UsageError

__version__ = "0.1.0"

_ERRORS = (
    "ClusterError", "ConfigError", "DataError", "DivergedError", "DlregError", "DlregWarning", "GateError",
    "RunDirError", "StorageError", "UsageError",
)  # fmt: skip
# Where each name comes from, when it is first asked for: the command line needs none of them.
_HOMES = {
    "Regressor": "dlreg.api.regressor",
    "Run": "dlreg.api.run",
    "check": "dlreg.api.checking",
    "load": "dlreg.api.run",
    "train": "dlreg.api.training",
    **dict.fromkeys(_ERRORS, "dlreg.errors"),
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
