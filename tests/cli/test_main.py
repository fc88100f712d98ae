"""Every error has its exit code, and only a bug of dlreg's a traceback."""

import warnings

import pytest

from dlreg import errors
from dlreg.cli import main as module


@pytest.mark.parametrize(
    "kind",
    [
        errors.UsageError, errors.ConfigError, errors.DataError, errors.RunDirError, errors.StorageError,
        errors.DivergedError, errors.GateError,
    ],
)  # fmt: skip
def test_an_error_of_a_users_is_one_line_and_its_code(cli, monkeypatch, tmp_path, kind):
    def fail(*_, **__):
        raise kind(errors.Fault("it is wrong", "a.csv", 3, hint="Mend it"))

    monkeypatch.setattr(module, "app", fail)
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (kind.exit_code, "")
    assert done.stderr == "error: a.csv:3: it is wrong. Mend it\n"
    done = cli("check", "config.yaml", "--debug", cwd=tmp_path)
    assert done.returncode == kind.exit_code
    assert done.stderr.startswith("Traceback")


def test_anything_else_is_a_bug(cli, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(module, "app", fail)
    done = cli("check", "config.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert "This is a bug of dlreg" in done.stderr.splitlines()[-1]


def test_warnings_of_dlreg_are_notes_and_those_of_libraries_are_not_shown(cli, monkeypatch, tmp_path):
    def warn(*_, **__):
        warnings.warn_explicit("look here", UserWarning, "a.py", 1, module="dlreg.commands.train")
        warnings.warn_explicit("look there", UserWarning, "b.py", 1, module="keras")

    monkeypatch.setattr(module, "app", warn)
    assert cli("check", "config.yaml", cwd=tmp_path).stderr == "note: look here\n"


def test_the_version_needs_no_command(cli, tmp_path):
    done = cli("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout.startswith("dlreg "), done.stderr) == (0, True, "")
