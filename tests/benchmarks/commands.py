"""Times whole commands against a bare `import tensorflow`, alternating, and prints their ratios.

    python tests/benchmarks/commands.py

`train` is timed with the warm cache of compiled programs.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPEATS = 5
COMMANDS = {
    "import tensorflow": None,
    "train configs/diabetes.yaml": ["train", "configs/diabetes.yaml", "--run-dir", "new", "--quiet"],
    "--help": ["--help"],
    "check": ["check", "configs/diabetes.yaml"],
    "evaluate": ["evaluate", "run"],
    "predict": ["predict", "run", "data/diabetes.csv"],
    "plot": ["plot", "run"],
}
ASKED = {"train": 1.5, "--help": 0.08, "check": 0.15, "evaluate": 0.25, "predict": 0.25, "plot": 0.30}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("configs", "data"):
            shutil.copytree(ROOT / part, folder / part)
        run(folder, ["train", "configs/diabetes.yaml", "--run-dir", "run", "--quiet"])
        seconds: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(REPEATS):
            for command, arguments in COMMANDS.items():
                shutil.rmtree(folder / "new", ignore_errors=True)
                seconds[command].append(run(folder, arguments))
    bare = statistics.median(seconds["import tensorflow"])
    for command, times in seconds.items():
        median = statistics.median(times)
        asked = f"  (at most {ASKED[command.split()[0]]})" if command.split()[0] in ASKED else ""
        print(f"{command:30} {median:6.2f} s {median / bare:6.3f} of the import{asked}")


def run(folder: Path, arguments: list[str] | None) -> float:
    program = ["-m", "dlreg", *arguments] if arguments else ["-c", "import tensorflow"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    subprocess.run([sys.executable, *program], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
