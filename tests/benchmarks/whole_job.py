"""Times the whole job, from a CSV to metrics and predictions, a process each, against peers.

    python tests/benchmarks/whole_job.py --peers PYTHON

dlreg and its peers take turns on one core: read, split, standardise, two epochs in batches of 256 through
[64, 64] (boosting by its defaults), predict the test rows, write. PYTHON has the peers, the extra `bench`;
one that it lacks is named and left out.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import Usage, measure, write_numbers

PEERS = Path(__file__).with_name("whole_job_peers.py")
NAMES = ("keras", "torch", "sklearn", "catboost", "lightgbm")
CONFIG = """\
data: {path: table.csv, target: y}
model: {hidden_layers: [64, 64]}
training: {epochs: 2, batch_size: 256}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="has the peers")
    parser.add_argument("--rows", type=int, nargs="+", default=[10**5, 10**6])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0, help="the core that all run on")
    given = parser.parse_args()
    names = ["dlreg", *installed(given.peers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG)
        for n_rows in given.rows:
            write_numbers(folder / "table.csv", n_rows)
            jobs: dict[str, list[Usage]] = {name: [] for name in names}
            for _ in range(given.rounds):
                for name in names:
                    shutil.rmtree(folder / name, ignore_errors=True)
                    jobs[name].append(measure(command(name, given.peers), folder, given.core))
            show(n_rows, jobs, folder)


def installed(python: str) -> list[str]:
    """The peers that an interpreter has; the others are named."""
    script = "import sys; from importlib.util import find_spec; print(*filter(find_spec, sys.argv[1:]))"
    done = subprocess.run([python, "-c", script, *NAMES], capture_output=True, text=True, check=True)
    found = done.stdout.split()
    for name in NAMES:
        if name not in found:
            print(f"{name} is not installed for {python}: left out", file=sys.stderr)
    return found


def command(name: str, python: str) -> list[str]:
    if name == "dlreg":
        return [sys.executable, "-m", "dlreg", "train", "config.yaml", "--run-dir", name, "--quiet"]
    return [python, str(PEERS), name, "table.csv", name]


def show(n_rows: int, jobs: dict[str, list[Usage]], folder: Path) -> None:
    print(f"{n_rows:,} rows x 10 numbers, one core, {len(jobs['dlreg'])} rounds in turn, medians")
    print(f"{'':12}{'wall s':>8}{'CPU s':>8}{'of dlreg, wall':>16}{'CPU':>6}{'peak MB':>9}{'test RMSE':>11}")
    ours = Usage(*map(statistics.median, zip(*jobs["dlreg"], strict=True)))
    for name, done in jobs.items():
        wall, cpu, peak = map(statistics.median, zip(*done, strict=True))
        rmse = json.loads((folder / name / "metrics.json").read_text())["test"]["rmse"]
        ratios = f"{wall / ours.wall:>16.2f}{cpu / ours.cpu:>6.2f}"
        print(f"{name:12}{wall:>8.2f}{cpu:>8.2f}{ratios}{peak:>9,.0f}{rmse:>11.4f}")


if __name__ == "__main__":
    main()
