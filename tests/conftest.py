"""One small run that many tests read, trained once through the real command line.

And a count of the mistakes of users' that are tried: `pytest -m bad_input` ends with it.
"""

import os
import signal
import subprocess
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from forking import Forks

from dlreg.backend import import_backend
from dlreg.errors import DlregError

import_backend()


def pytest_configure(config):
    config.addinivalue_line("markers", "bad_input(kind): a mistake of a user's, in data, config or elsewhere")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Keeps, of a test of a bad input, whether the last error offers a way out."""
    marker = item.get_closest_marker("bad_input")
    if not marker:
        return (yield)
    raised = []
    begin = DlregError.__init__

    def note(error, *faults):
        begin(error, *faults)
        raised.append(any(fault.hint for fault in error.faults))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DlregError, "__init__", note)
        result = yield
    suggests = any(raised[-1:]) or dict(item.user_properties).get("suggestion", False)
    item.user_properties.append(("bad input", (marker.args[0], suggests)))
    return result


def pytest_terminal_summary(terminalreporter):
    suggestions = defaultdict(list)
    for report in terminalreporter.stats.get("passed", []):
        for kind, suggests in [value for name, value in report.user_properties if name == "bad input"]:
            if report.when == "call":
                suggestions[kind].append(suggests)
    for kind, found in suggestions.items():
        share = sum(found) / len(found)
        terminalreporter.write_line(f"bad inputs, {kind}: {len(found)}, {share:.0%} with a suggestion")


CONFIG = """\
data:
  path: table.csv
  target: 소요 시간
  exclude: [id]
  dates: {day: "%d/%m/%Y"}
model: {hidden_layers: [16, 8]}
training: {epochs: 30, batch_size: 16, early_stopping: {patience: 8}}
"""


def run_cli(*arguments, cwd, **options) -> subprocess.CompletedProcess:
    """The real command line, as a script calls it."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **options.pop("env", {})}
    command = [sys.executable, "-m", "dlreg", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options
    )


def make_table(n_rows: int = 240, seed: int = 11) -> pd.DataFrame:
    """Numbers, whole numbers, categories, yes/no, ISO moments, other dates, missing cells, odd names."""
    generator = np.random.default_rng(seed)
    moment = pd.Timestamp("2023-03-01") + pd.to_timedelta(generator.integers(0, 500 * 24 * 60, n_rows), "min")
    speed, level = generator.gamma(2.0, 3.0, n_rows), generator.choice(["low", "mid", "high"], n_rows)
    rain = generator.random(n_rows) < 0.4
    minutes = 20 + 4 * speed + 8 * (level == "high") + 6 * rain + 5 * np.sin(2 * np.pi * moment.hour / 24)
    frame = pd.DataFrame(
        {
            "id": [f"r{number:04}" for number in range(n_rows)],
            "Wind speed (m/s)": np.round(speed, 3),
            "풍속 등급": level,
            "비": np.where(rain, "Yes", "No"),
            "moment": moment.strftime("%Y-%m-%d %H:%M"),
            "day": moment.strftime("%d/%m/%Y"),
            "year": moment.year,
            "소요 시간": np.round(minutes + generator.normal(0, 1, n_rows), 2),
        }
    ).astype({"Wind speed (m/s)": object, "풍속 등급": object, "moment": object})
    for name in ("Wind speed (m/s)", "풍속 등급", "moment"):
        frame.loc[generator.random(n_rows) < 0.05, name] = ""
    return frame


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A folder with `table.csv`, `config.yaml` and the finished run `run`."""
    folder = tmp_path_factory.mktemp("project")
    make_table().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


@pytest.fixture(scope="session")
def forks():
    """Runs the command line in processes that need no time to start: `forks.run("train", …, cwd=folder)`."""
    opened = Forks()
    yield opened
    opened.close()


class Done(NamedTuple):
    """What a script sees of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def cli(monkeypatch, capfd):
    """Calls the command line in this process: `cli("check", "config.yaml", cwd=folder)`."""
    from dlreg.cli import main

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def call(*arguments, cwd) -> Done:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["dlreg", *map(str, arguments)])
        code = 0
        capfd.readouterr()
        with warnings.catch_warnings():
            try:
                main()
            except SystemExit as stop:
                code = int(stop.code or 0)
        return Done(code, *capfd.readouterr())

    return call
