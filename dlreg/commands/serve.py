"""A run behind HTTP."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlreg.table.missing_library import importing_extra


def serve(
    path: Path,
    host: str,
    port: int,
    on_ready: Callable[[dict[str, Any]], None],
    *,
    max_unseen: float | None = None,
    strict: bool = False,
) -> None:
    """Serves a run until a signal comes, and then answers what is under way.

    Args:
        path: The run directory.
        host: The address to listen on.
        port: The port; 0 for a free one.
        on_ready: Told what is served where, once it answers.
        max_unseen: The share of a column's cells that may be a level which no training row has; None for any
            but all of them.
        strict: Refuse whatever the training rows did not have.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
        StorageError: The port is in use or not allowed.
        UsageError: There is no such address, or Starlette or uvicorn is not installed.
    """
    with importing_extra("serve", str(path)):
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    from dlreg.serving.answers import Refusals
    from dlreg.serving.server import run_server

    def on_note(note: str) -> None:
        warnings.warn(note, stacklevel=1)

    run_server(path, host, port, Refusals(max_unseen, strict), on_ready, on_note)
