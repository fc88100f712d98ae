"""Libraries that only some forms of tables need, and that need not be installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from dlreg.errors import Fault, UsageError


@contextmanager
def importing_extra(extra: str, path: str) -> Iterator[None]:
    """A block that imports a library of an extra.

    Args:
        extra: Its name in `pip install 'dlreg[…]'`.
        path: The file that needs it.

    Raises:
        UsageError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        message = f"reading it needs a library that is not installed: {error.name}"
        raise UsageError(Fault(message, path, hint=f"pip install 'dlreg[{extra}]'")) from None
