"""Kills workers, nodes and drivers of searches on a cluster of two nodes; measures what further workers bring.

python tests/benchmarks/search_cluster.py [ROUNDS]

Trials are no trainings, but take a given time without CPU, so that the figures are those of the driver and of Ray,
however few cores there are.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.ray_cluster import Cluster, cluster, kill_driver, start_driver  # noqa: E402
from support.search_driver import Shuffled, open_it  # noqa: E402

from dlreg.search.driver import search  # noqa: E402

N_TRIALS, SECONDS = 60, 0.15
KINDS = ("worker", "node", "driver")


def finished(folder: Path) -> int:
    """How many trials of a study have a result, while another process writes it."""
    journal = folder / "journal.log"
    return journal.read_bytes().count(b'"user_attr":{"result"') if journal.exists() else 0


def wait_for(driver: subprocess.Popen[str], folder: Path, n_finished: int) -> bool:
    """Waits for some results; whether the driver still runs then."""
    while driver.poll() is None and finished(folder) < n_finished:
        time.sleep(0.02)
    return driver.poll() is None


def search_with_kills(nodes: Cluster, folder: Path, generator: random.Random) -> tuple[Counter[str], float]:
    """A search with three kills at random moments; what was killed, and the seconds."""
    killed: Counter[str] = Counter()
    began = time.perf_counter()
    driver = start_driver(nodes, folder, N_TRIALS, SECONDS)
    moments = sorted(generator.sample(range(1, N_TRIALS - 4), 3))
    for moment in moments:
        if not wait_for(driver, folder, moment):
            break
        kind = generator.choice(KINDS)
        number = generator.choice((0, 1))
        if kind == "worker" and not nodes.kill_worker(number):
            continue
        if kind == "node":
            nodes.kill(1)
            time.sleep(generator.uniform(0, 2))
            nodes.start(1)
        if kind == "driver":
            kill_driver(driver)
            driver = start_driver(nodes, folder, N_TRIALS, SECONDS)
        killed[kind] += 1
    output, said = driver.communicate(timeout=300)
    if driver.returncode:
        sys.exit(f"the driver failed, after {dict(killed)}:\n{output}{said}")
    return killed, time.perf_counter() - began


def kill(n_rounds: int) -> None:
    """Searches with kills, each compared with one that nothing disturbed."""
    with tempfile.TemporaryDirectory() as name:
        study = open_it(Path(name))
        search(study, Shuffled(1, 0), trials=N_TRIALS)
        undisturbed = study.trials()
    total: Counter[str] = Counter()
    same = 0
    with cluster(2) as nodes:
        for number in range(n_rounds):
            with tempfile.TemporaryDirectory() as name:
                killed, seconds = search_with_kills(nodes, Path(name), random.Random(number))
                trials = open_it(Path(name)).trials()
            same += trials == undisturbed
            total += killed
            verdict = "the same to the bit" if trials == undisturbed else f"OTHERS ({len(trials)})"
            print(f"{number + 1}: killed {dict(killed)}, {seconds:.0f} s, {verdict}", flush=True)
    print(f"{same} of {n_rounds} searches of {N_TRIALS} trials are the same to the bit; killed {dict(total)}")


def scale() -> None:
    """Trials a minute with 1, 2 and 4 workers."""
    first = 0.0
    for n_nodes in (1, 2, 4):
        with cluster(n_nodes) as nodes, tempfile.TemporaryDirectory() as name:
            n_trials = 24 * n_nodes
            driver = start_driver(nodes, Path(name), n_trials, 0.5)
            # The first trials wait for processes to start.
            wait_for(driver, Path(name), 2 * n_nodes)
            began, already = time.perf_counter(), finished(Path(name))
            wait_for(driver, Path(name), n_trials - n_nodes)
            rate = 60 * (finished(Path(name)) - already) / (time.perf_counter() - began)
            assert json.loads(driver.communicate(timeout=60)[0].splitlines()[-1])
        first = first or rate
        print(
            f"{n_nodes} nodes: {rate:.0f} trials a minute, {rate / first / n_nodes:.2f} for each more",
            flush=True,
        )


if __name__ == "__main__":
    scale()
    kill(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
