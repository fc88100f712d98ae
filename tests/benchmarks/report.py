"""How long `dlreg report` takes beyond the predictions, and how large its page is.

    python tests/benchmarks/report.py RUN_DIR...

Each run in a process of its own, imports included; what counts as predictions is the time in `Pipeline.run`.
"""

import subprocess
import sys

PROBE = """
import sys, time, warnings
began = time.perf_counter()
from pathlib import Path
from tempfile import TemporaryDirectory
from dlreg.commands.report import report
from dlreg.pipeline.session import Pipeline

warnings.simplefilter("ignore")
run, predicting = Pipeline.run, 0.0

def timed(*arguments):
    global predicting
    start = time.perf_counter()
    try:
        return run(*arguments)
    finally:
        predicting += time.perf_counter() - start

Pipeline.run = timed
with TemporaryDirectory() as folder:
    size = report([Path(sys.argv[1])], Path(folder) / "report.html").stat().st_size
whole = time.perf_counter() - began
print(f"{sys.argv[1]:30} {whole:6.2f} s, beyond predictions {whole - predicting:5.2f} s, {size / 1e3:5,.0f} kB")
"""

if __name__ == "__main__":
    for run_dir in sys.argv[1:]:
        subprocess.run([sys.executable, "-c", PROBE, run_dir], check=True)
