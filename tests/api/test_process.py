"""`import dlreg` costs nothing, and no call leaves anything changed in a process that is somebody else's."""

import json
import os
import subprocess
import sys

import pandas
import pytest

from dlreg.files.hashing import sha256_of_file

STATE = """
import gc, json, logging, os, signal, sys, threading, warnings
def state():
    handlers = [repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())]
    return {
        "environment": dict(os.environ), "signals": handlers, "filters": [str(each) for each in warnings.filters],
        "shows": repr(warnings.showwarning), "collects": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()],
        "logs": [repr(logging.root.handlers), logging.root.level], "hooks": [repr(sys.excepthook), repr(sys.unraisablehook)],
        "threads": [thread.name for thread in threading.enumerate()], "finders": list(map(repr, sys.meta_path)),
        "folder": os.getcwd(), "wakes": signal.set_wakeup_fd(-1),
    }
def loaded(*names):
    return [name for name in names if name in sys.modules]
"""
LIBRARIES = "import matplotlib.figure, onnxruntime, pandas, scipy.stats, sklearn.base"
# What TensorFlow and its libraries do to a process when they are imported.
OF_TENSORFLOW = {"environment", "filters", "finders"}


def run(code: str, folder) -> dict:
    """What a program prints last, as JSON; it must print nothing else."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STATE + code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_import_brings_no_other_module_along(tmp_path):
    told = run(
        "before = set(sys.modules); was = state()\nimport dlreg\n"
        "print(json.dumps([sorted(set(sys.modules) - before), state() == was]))",
        tmp_path,
    )
    assert told == [["dlreg"], True]


def test_every_name_that_is_offered_is_there(tmp_path):
    told = run(
        "import dlreg\nmissing = [name for name in dlreg.__all__ if not getattr(dlreg, name)]\n"
        "print(json.dumps([missing, sorted(set(dlreg.__all__) - set(dir(dlreg))), loaded('tensorflow', 'keras')]))",
        tmp_path,
    )
    assert told == [[], [], []]


def test_an_unknown_name_is_no_attribute():
    import dlreg

    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        dlreg.trian  # noqa: B018


def test_what_a_run_is_asked_changes_nothing_and_needs_no_tensorflow(project):
    told = run(
        f"{LIBRARIES}\nimport dlreg\nwas = state()\nrun = dlreg.load('run'); frame = pandas.read_csv('table.csv')\n"
        "run.predict(frame); run.predict(frame, interval=0.8); run.explain(repeats=1); run.plot(); repr(run)\n"
        "dlreg.check('config.yaml')\n"
        "print(json.dumps([[key for key, value in state().items() if value != was[key]], loaded('tensorflow')]))",
        project,
    )
    assert told == [[], []]


def test_a_training_changes_what_tensorflow_changes_and_prints_nothing(project, tmp_path):
    told = run(
        f"{LIBRARIES}\nimport dlreg\nwas = state()\n"
        f"dlreg.train({str(project / 'config.yaml')!r}, run_dir='run', overrides={{'training.epochs': 2}})\n"
        "trained = state()\nframe = pandas.read_csv('table.csv')\n"
        "dlreg.Regressor(epochs=2).fit(frame[['year']].astype(float), frame['year'])\n"
        "changed = [key for key in was if trained[key] != was[key]]\n"
        "names = sorted(set(trained['environment']) - set(was['environment']))\n"
        "print(json.dumps([changed, [key for key in was if state()[key] != trained[key]], names]))",
        _with_table(project, tmp_path),
    )
    assert set(told[0]) <= OF_TENSORFLOW
    assert told[1] == []
    assert not [name for name in told[2] if name.startswith(("KERAS", "TF_"))]


def test_a_run_is_the_same_where_pandas_keeps_texts_in_arrow(project, tmp_path):
    import dlreg

    rows = pandas.read_csv(project / "table.csv")
    told = run(
        "import dlreg, hashlib, pandas\nframe = pandas.read_csv('table.csv')\n"
        f"predicted = dlreg.load({str(project / 'run')!r}).predict(frame).tolist()\n"
        f"trained = dlreg.train({str(project / 'config.yaml')!r}, run_dir='run')\n"
        "digest = hashlib.sha256((trained.path / 'pipeline.onnx').read_bytes()).hexdigest()\n"
        "print(json.dumps([loaded('pyarrow'), predicted, digest]))",
        _with_table(project, tmp_path),
    )
    expected = dlreg.load(project / "run").predict(rows).tolist()
    assert told == [["pyarrow"], expected, sha256_of_file(project / "run" / "pipeline.onnx")]


def _with_table(project, folder):
    (folder / "table.csv").write_bytes((project / "table.csv").read_bytes())
    return folder
