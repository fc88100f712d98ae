"""The real command line in a pseudo-terminal, as a person sees it."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Seen(NamedTuple):
    """What a terminal was sent.

    Attributes:
        returncode: How the process ended.
        raw: All of it, with what steers the terminal.
        frames: The same without, one for each time a line was begun or written anew.
        first: Seconds until the first character.
    """

    returncode: int
    raw: str
    frames: list[str]
    first: float


def run_in_terminal(*arguments: object, cwd: Path, columns: int = 80, **environment: str) -> Seen:
    """Runs `dlreg ARGUMENTS` in a terminal of some columns until it ends."""
    began, first, content = time.monotonic(), 0.0, b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        inherited = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
        command = [sys.executable, "-m", "dlreg", *map(str, arguments)]
        os.execve(sys.executable, command, inherited | {"TERM": "xterm-256color", **environment})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        first = first or time.monotonic() - began
        content += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    raw = content.decode()
    frames = [frame for frame in re.split(r"[\r\n]+", _CODES.sub("", raw)) if frame]
    return Seen(os.waitstatus_to_exitcode(status), raw, frames, first)
