"""What is done to the process while TensorFlow is imported, and that it is undone."""

import gc
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import run_cli

from dlreg.cli.importing import quiet_import


def test_native_code_is_not_heard_and_python_collects_again(capfd):
    with quiet_import():
        assert not gc.isenabled()
        os.write(2, b"noise")
    os.write(2, b"news")
    assert gc.isenabled()
    assert capfd.readouterr().err == "news"


def test_all_is_undone_where_the_import_fails(capfd):
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(ImportError), quiet_import():
        raise ImportError
    os.write(2, b"news")
    assert gc.isenabled()
    assert capfd.readouterr().err == "news"
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_what_was_imported_is_spared_by_the_collector_from_then_on():
    gc.unfreeze()
    with quiet_import():
        made = [[] for _ in range(1000)]
    assert gc.get_freeze_count() > len(made)
    gc.unfreeze()


def test_a_training_writes_to_the_run_directory_and_the_cache_folder_alone(tmp_path):
    home, here = tmp_path / "home", tmp_path / "here"
    (home / ".keras").mkdir(parents=True)
    settings = (
        '{"floatx": "float64", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}'
    )
    (home / ".keras" / "keras.json").write_text(settings)
    here.mkdir()
    (here / "table.csv").write_text("a,y\n" + "".join(f"{i},{i * i}\n" for i in range(40)))
    (here / "config.yaml").write_text(
        "data: {path: table.csv, target: y}\ntraining: {epochs: 2}\nmodel: {hidden_layers: [4]}\n"
    )
    environment = {"HOME": str(home), "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""}
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--quiet", cwd=here, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "run\n", "")
    assert {entry.name for entry in here.iterdir()} == {"table.csv", "config.yaml", "run"}
    written = {entry.relative_to(home) for entry in home.rglob("*") if entry.is_file()} - {
        Path(".keras/keras.json")
    }
    assert written and {path.parts[:2] for path in written} == {(".cache", "dlreg")}
    assert {entry.name for entry in home.iterdir()} == {".cache", ".keras"}
    assert (home / ".keras" / "keras.json").read_text() == settings


@pytest.mark.parametrize("home", ["absent", "file"])
def test_without_a_home_none_is_made(project, tmp_path, home):
    (tmp_path / "file").touch()
    environment = {"HOME": str(tmp_path / home), "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""}
    done = run_cli("plot", project / "run", "-o", tmp_path / "figure.png", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "figure.png"}


def test_pandas_reads_a_table_by_one_code_whether_pyarrow_is_installed_or_not(project):
    script = """if True:
        import sys
        from dlreg.cli.main import main
        sys.argv = ["dlreg", "predict", "run", "table.csv"]
        main()
        import pandas, pyarrow
        assert pandas.Series(["elm"]).dtype.storage == "python", "pandas has found pyarrow"
        assert pandas.__spec__.name == "pandas" and pandas.__file__, "pandas is not what it was"
        assert not [finder for finder in sys.meta_path if "dlreg" in type(finder).__module__]
    """
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 241


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such options")
def test_the_memory_of_one_block_is_that_of_the_next():
    script = """if True:
        import resource, sys
        from dlreg.cli.importing import hold_freed_memory
        if sys.argv[1] == "held":
            hold_freed_memory()
        def read_blocks():
            blocks = [b"x" * (6 << 20), b"y" * (6 << 20), b"z" * (6 << 20)]
        read_blocks()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(10):
            read_blocks()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    """
    command = [sys.executable, "-c", script]
    held, given_back = (
        int(subprocess.run([*command, how], capture_output=True, text=True, check=True).stdout)
        for how in ("held", "as it is")
    )
    assert held < 100 < given_back
