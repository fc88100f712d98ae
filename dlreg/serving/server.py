"""The process of a server: its socket, its signals, and how it stops."""

import errno
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from dlreg.errors import Fault, StorageError, UsageError
from dlreg.runs.interruption import SIGNALS
from dlreg.serving.answers import Refusals
from dlreg.serving.application import application
from dlreg.serving.served_run import describe_run, open_served

# What is under way when a signal comes may take so long.
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 30
_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Tells when it answers, and stops at a signal without raising it again: it is meant to end so."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        handlers = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        # Nobody else hears of them meanwhile: there is work to be finished.
        wakeup = signal.set_wakeup_fd(-1)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def run_server(
    path: Path,
    host: str,
    port: int,
    refusals: Refusals,
    on_ready: Callable[[dict[str, Any]], None],
    on_note: Callable[[str], None],
) -> None:
    """Serves a run until a signal comes; requests under way are answered before it returns.

    Args:
        path: The run directory.
        host: The address to listen on.
        port: The port; 0 for a free one.
        refusals: What may not be in the rows of a request.
        on_ready: Told what is served where, once it answers: `url`, `run_dir`, and what `describe_run` says.
        on_note: Told what a user should know.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
        StorageError: The port is in use or not allowed.
        UsageError: There is no such address.
    """
    served = open_served(path)
    with closing(_listen(host, port)) as listening:
        url = _url(host, listening.getsockname()[1])
        config = uvicorn.Config(
            application(served, refusals, on_note),
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        if not is_loopback(listening.getsockname()[0]):
            on_note("whoever reaches this machine may ask: put a proxy with TLS and a login in front of it")
        about = {"url": url, "run_dir": str(path), **describe_run(served.run)}
        _Server(config, lambda: on_ready(about)).run(sockets=[listening])


def is_loopback(address: str) -> bool:
    """Whether this machine alone reaches an address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        hint = "Give --host an address of this machine, such as 127.0.0.1"
        raise UsageError(Fault(f"--host {host}: {error.strerror}", hint=hint)) from None
    try:
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        hint = "Give --port another, or 0 for a free one" if in_use else "Give another --host or --port"
        reason = "it is in use" if in_use else error.strerror
        raise StorageError(Fault(f"cannot listen on {_url(host, port)}: {reason}", hint=hint)) from None


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
