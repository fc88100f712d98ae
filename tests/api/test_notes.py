"""What the command line says of its options is said of arguments."""

import traceback

import pytest

from dlreg.api.notes import told_in_python
from dlreg.errors import Fault, RunDirError, StoppedError


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Go on with: dlreg train runs/a --resume", 'Go on with: dlreg.train("runs/a", resume=True)'),
        ("dlreg train 'my runs/a' --resume", 'dlreg.train("my runs/a", resume=True)'),
        ("dlreg train c.yaml --run-dir 'r 1' --resume", 'dlreg.train("c.yaml", run_dir="r 1", resume=True)'),
        (
            "Give another --run-dir, or --overwrite to replace it",
            "Give another run_dir, or overwrite=True to replace it",
        ),
        (
            "Train anew in another --run-dir, or with --overwrite",
            "Train anew in another run_dir, or with overwrite=True",
        ),
        ("Go on with --set run.threads=2, or null", "Go on with overrides of run.threads: 2, or null"),
        ("Choose --metric rmse", 'Choose metric="rmse"'),
        ("Mend the cells", "Mend the cells"),
    ],
)
def test_hints_name_arguments(said, expected):
    with pytest.raises(RunDirError) as caught, told_in_python():
        raise RunDirError(Fault("wrong", "runs/a", hint=said))
    assert caught.value.faults[0].hint == expected


@pytest.mark.parametrize("error", [RunDirError(Fault("no --run-dir")), StoppedError(130, Fault("--resume"))])
def test_an_error_has_one_traceback_without_options(error):
    with pytest.raises((RunDirError, KeyboardInterrupt)) as caught, told_in_python():
        raise error from OSError("--overwrite")
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.count("Traceback") == 1 and "--" not in shown.rsplit("\n", 2)[-2]


def test_a_stopped_training_is_an_interrupt():
    with pytest.raises(KeyboardInterrupt, match="it was stopped"), told_in_python():
        raise StoppedError(130, Fault("it was stopped"))
