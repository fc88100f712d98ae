"""Start-up stays light: what each command imports, seen in a subprocess."""

import subprocess
import sys

import pytest

HEAVY = {"tensorflow", "keras", "sklearn", "skl2onnx", "scipy"}
# Typer imports pydantic by itself.
LIGHT = HEAVY | {"pandas", "numpy", "matplotlib", "onnxruntime", "onnx", "yaml"}
PROBE = """
import sys
from dlreg.cli import main
try:
    sys.argv = ["dlreg", *sys.argv[1:]]
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def modules_after(*arguments, cwd) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["predict", "--help"]])
def test_help_imports_nothing_heavy(arguments, tmp_path):
    assert not modules_after(*arguments, cwd=tmp_path) & LIGHT


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "run"],
        ["evaluate", "run"],
        ["evaluate", "run", "--data", "table.csv"],
        ["predict", "run", "table.csv", "-o", "out.csv"],
        ["plot", "run", "-o", "loss.svg"],
        ["plot", "run", "--kind", "residuals", "-o", "residuals.pdf"],
    ],
    ids=" ".join,
)
def test_reading_commands_import_neither_tensorflow_nor_scikit_learn(arguments, project):
    assert not modules_after(*arguments, cwd=project) & HEAVY


def test_a_mistake_in_the_data_is_told_before_tensorflow_is_imported(project):
    script = PROBE.replace("assert not stop.code, stop.code", "assert stop.code == 4, stop.code")
    command = [sys.executable, "-c", script, "train", "config.yaml", "--set", "data.target=minutes"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not set(done.stderr.splitlines()[-1].split()) & HEAVY
