"""One process at a time writes a run directory."""

import os
import subprocess
import sys

from dlreg.runs.directory import open_run_dir


def test_a_second_process_is_told_who_holds_the_directory(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        run.set_status("running", {"process": os.getpid()})
        script = (
            "import sys; from pathlib import Path\n"
            "from dlreg.errors import StorageError; from dlreg.runs.directory import open_run_dir\n"
            "try:\n    open_run_dir(Path(sys.argv[1]), overwrite=True).__enter__()\n"
            "except StorageError as error:\n    print(error); sys.exit(error.exit_code)"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert f"in use by process {os.getpid()}" in done.stdout
