"""One small run that many tests read, trained once through the real command line.

And a count of the mistakes of users' that are tried: `pytest -m bad_input` ends with it.
"""

import signal
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from support.command_line import run_cli
from support.forking import Forks

from dlreg.cli.importing import keep_arrow_out_of_pandas
from dlreg.errors import DlregError

# As on the command line, before a test imports pandas.
keep_arrow_out_of_pandas()


def pytest_xdist_auto_num_workers(config):
    """Two processes for all tests; for a folder or a file none beside this one, which starts sooner."""
    return 2 if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


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
    for kind, suggested in suggestions.items():
        share = sum(suggested) / len(suggested)
        terminalreporter.write_line(f"bad inputs, {kind}: {len(suggested)}, {share:.0%} with a suggestion")


CONFIG = """\
data:
  path: table.csv
  target: 소요 시간
  exclude: [id]
  dates: {day: "%d/%m/%Y"}
model: {hidden_layers: [16, 8]}
training: {epochs: 30, batch_size: 16, early_stopping: {patience: 8}}
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A folder with `table.csv`, `config.yaml` and the finished run `run`."""
    # pandas, which most folders of tests do without.
    from support.tables import make_table

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
    from dlreg.cli.main import main

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
