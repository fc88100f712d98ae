"""One server of the small run of `tests/conftest.py`, started through the real command line."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.serving import Server


@pytest.fixture(scope="module")
def server(project) -> Iterator[Server]:
    command = [sys.executable, "-m", "dlreg", "serve", "run", "--port", "0", "--json"]
    process = subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    about = json.loads(process.stdout.readline())
    yield Server(about["url"], about, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    # Whatever was asked of it: no word of a bug, and the end that was meant.
    assert (process.returncode, errors) == (0, "")
