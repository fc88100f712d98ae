"""Start-up stays light: what each command imports, seen in a subprocess."""

import subprocess
import sys
import time

import pytest

HEAVY = {"tensorflow", "keras", "sklearn", "skl2onnx", "scipy"}
# Typer imports pydantic by itself.
LIGHT = HEAVY | {"optuna", "ray", "pandas", "numpy", "matplotlib", "onnxruntime", "onnx", "yaml"}
PROBE = """
import sys
from dlreg.cli.main import main
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["tune", "--help"],
        ["predict", "--help"],
        ["check", "--help"],
        ["init", "--help"],
    ],
)
def test_help_imports_nothing_heavy(arguments, tmp_path):
    assert not modules_after(*arguments, cwd=tmp_path) & LIGHT


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "run"],
        ["evaluate", "run"],
        ["evaluate", "run", "--data", "table.csv"],
        ["predict", "run", "table.csv", "-o", "out.csv"],
        ["evaluate", "run", "--fail-if", "rmse>1e9", "--baseline", "run", "--max-regression", "rmse=1"],
        ["check", "config.yaml"],
        ["check", "config.yaml", "--format", "json", "--set", "preprocessing.categorical=ordinal"],
        ["init", "table.csv", "--target", "소요 시간"],
        ["schema"],
        ["plot", "run", "-o", "loss.svg"],
        ["card", "run", "-o", "card.md"],
        ["export", "run", "--format", "c", "-o", "run.c"],
        ["explain", "run", "--repeats", "2", "-o", "importance.svg"],
        ["plot", "run", "--kind", "residuals", "-o", "residuals.pdf"],
    ],
    ids=" ".join,
)
def test_reading_commands_import_neither_tensorflow_nor_scikit_learn(arguments, project):
    assert not modules_after(*arguments, cwd=project) & HEAVY


def test_a_report_needs_no_tensorflow(project):
    """Of scikit-learn it imports the trees that a network is compared with."""
    assert modules_after("report", "run", "--md", cwd=project) & HEAVY == {"scipy", "sklearn"}


def test_the_schema_needs_no_table_reader(tmp_path):
    assert not modules_after("schema", cwd=tmp_path) & {
        *HEAVY,
        "pandas",
        "numpy",
        "matplotlib",
        "onnxruntime",
    }


def test_verifying_takes_neither_numbers_nor_tables(project):
    """Neither NumPy for files that are hashed, nor rich for a line of text."""
    assert not modules_after("verify", "run", cwd=project) & {*HEAVY, "pandas", "numpy", "rich"}
    assert "rich" not in modules_after("check", "config.yaml", cwd=project)


def test_check_takes_a_fraction_of_the_time_of_importing_tensorflow(tmp_path):
    """At most 0.15 of it on a quiet machine; twice that here, since other work may run beside."""
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{n * n % 17},{n % 5}\n" for n in range(100)))
    (tmp_path / "config.yaml").write_text("data: {path: table.csv, target: y}\n")

    def seconds(repeats, *command):
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, capture_output=True)
            times.append(time.perf_counter() - began)
        return min(times)

    assert seconds(3, "-m", "dlreg", "check", "config.yaml") < 0.3 * seconds(1, "-c", "import tensorflow")


@pytest.mark.parametrize("text", ["data: {}\n", "data: {path: table.csv, target: y}\nmodel: {l2: -1}\n"])
def test_train_tells_faults_of_the_config_before_tensorflow_is_imported(text, project):
    (project / "faulty.yaml").write_text(text)
    script = PROBE.replace("assert not stop.code, stop.code", "assert stop.code == 3, stop.code")
    command = [sys.executable, "-c", script, "train", "faulty.yaml"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not set(done.stderr.splitlines()[-1].split()) & HEAVY


def test_a_mistake_in_the_data_is_told_before_tensorflow_is_imported(project):
    script = PROBE.replace("assert not stop.code, stop.code", "assert stop.code == 4, stop.code")
    command = [sys.executable, "-c", script, "train", "config.yaml", "--set", "data.target=minutes"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not set(done.stderr.splitlines()[-1].split()) & HEAVY


IMPORT = """
import sys
from dlreg.cli.importing import UNNEEDED, quiet_import

class Vital:
    def find_spec(self, name, *_):
        if name == "keras.src.layers" and needed:
            import scipy

needed = bool(sys.argv[1:])
sys.meta_path.insert(0, Vital())
with quiet_import():
    from dlreg.engine.backend import import_backend
    import_backend(1)
import keras
loaded = {name.partition(".")[0] for name in sys.modules}
print(*sorted(loaded & UNNEEDED))
from matplotlib.figure import Figure
from sklearn.linear_model import RidgeCV
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
assert model.count_params() == 3
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [([], set()), (["needed"], {"PIL", "matplotlib", "scipy", "sklearn"})],
)
def test_keras_is_imported_without_what_it_can_do_without(arguments, loaded, tmp_path):
    """And with all it asks for where it cannot; afterwards everything can be imported."""
    command = [sys.executable, "-c", IMPORT, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == loaded


PUBLIC_NAMES = """
import sys
from dlreg.cli.importing import quiet_import

with quiet_import():
    import tensorflow as tf
unused = {"tensorflow._api.v2.compat.v1.train", "tensorflow.python.feature_column", "tensorflow.python.tpu.tpu_embedding"}
assert not unused & set(sys.modules)
assert tf.distribute.has_strategy() is False
assert not [finder for finder in sys.meta_path if "dlreg" in type(finder).__module__]
assert tf.compat.v1.placeholder and tf.feature_column.numeric_column and tf.summary.scalar
assert tf.experimental.numpy.sum and tf.lite.TFLiteConverter and tf.distribute.has_strategy() is False
"""


def test_parts_of_tensorflow_that_nothing_but_its_public_names_asks_for_are_imported_when_used(tmp_path):
    command = [sys.executable, "-c", PUBLIC_NAMES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_a_table_of_numbers_takes_no_scikit_learn(project, tmp_path):
    options = ["--run-dir", tmp_path / "run", "--set", "training.epochs=1", "--quiet"]
    assert not modules_after("train", "config.yaml", *options, cwd=project) & {"sklearn", "scipy"}


TRAIN = """
import gc, sys
from dlreg.cli.main import main
from dlreg.engine import backend

visits, import_backend = [], backend.import_backend

def count_visits(*arguments):
    before = gc.get_stats()[2]["collections"]
    import_backend(*arguments)
    visits.append(gc.get_stats()[2]["collections"] - before)

backend.import_backend = count_visits
sys.argv = ["dlreg", "train", "config.yaml", "--run-dir", sys.argv[1], "--set", "training.epochs=1", "--quiet"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(*visits, gc.isenabled(), gc.get_freeze_count() > 200_000, gc.get_threshold()[0])
"""


def test_the_collector_visits_what_importing_makes_neither_during_it_nor_later(project, tmp_path):
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "run")]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["0", "True", "True", "100000"]
