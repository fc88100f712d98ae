"""The real command line, in a process of its own."""

import os
import subprocess
import sys


def run_cli(*arguments, cwd, **options) -> subprocess.CompletedProcess:
    """The real command line, as a script calls it."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **options.pop("env", {})}
    command = [sys.executable, "-m", "dlreg", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options
    )
