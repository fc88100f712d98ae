"""Searches on a Ray cluster of two nodes, of which workers, a node and the driver are killed."""

import json
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
from support.search_driver import Shuffled, open_it

from dlreg.search.driver import search

pytestmark = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install 'dlreg[cluster]'"
)
N_TRIALS = 40


@pytest.fixture(scope="module")
def nodes():
    from support.ray_cluster import cluster

    with cluster(2) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    study = open_it(tmp_path_factory.mktemp("undisturbed"))
    search(study, Shuffled(2, 0), trials=N_TRIALS)
    return study.trials()


def test_what_is_killed_costs_no_trial_and_changes_none(nodes, tmp_path, undisturbed):
    from support.ray_cluster import kill_driver, start_driver

    driver = start_driver(nodes, tmp_path, N_TRIALS, 0.15)
    assert driver.stdout.readline() == "connected\n"
    while len(open_journal(tmp_path)) < 5:
        time.sleep(0.1)
    # On a busy machine its first trial may still be under way to it.
    deadline = time.monotonic() + 20
    while not nodes.kill_worker(1):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    kill_driver(driver)
    n_before = len(open_journal(tmp_path))
    assert 0 < n_before < N_TRIALS

    driver = start_driver(nodes, tmp_path, N_TRIALS, 0.15)
    assert driver.stdout.readline() == "connected\n"
    while len(open_journal(tmp_path)) < n_before + 4:
        time.sleep(0.1)
    nodes.kill(1)
    output, said = driver.communicate(timeout=60)
    nodes.start(1)

    assert driver.returncode == 0, said
    assert len(json.loads(output)["states"]) == N_TRIALS
    assert "Error" not in said and "raylet" not in said
    assert open_it(tmp_path).trials() == undisturbed


def test_a_trial_that_kills_its_worker_again_and_again_is_a_failed_one(nodes, tmp_path):
    result = in_cluster(nodes, "support.ray_trials.kills_its_worker")
    assert result == {"state": "failed", "message": "its worker was lost 3 times, each time"}


def test_a_bug_in_a_trial_is_told_as_it_is(nodes):
    assert in_cluster(nodes, "support.ray_trials.has_a_bug") == {"ZeroDivisionError": "a bug"}


def test_a_node_with_other_versions_is_named(nodes):
    (told,) = in_cluster(nodes, "support.ray_trials.fits", versions="0.0.1").values()
    assert told.startswith("a node of the cluster has other versions: ") and "(here 0.0.1)" in told


def test_where_no_node_has_the_cpus_the_search_ends_with_75(nodes):
    result = in_cluster(nodes, "support.ray_trials.fits", threads=64, patience=1)
    assert result == {
        "ClusterError": "for 1 s no node of the cluster has had 64 CPUs for a trial. Start nodes again, with ray start, and go on with --resume"
    }


def test_a_lost_head_ends_the_search_with_75(nodes, tmp_path):
    from support.ray_cluster import start_driver

    driver = start_driver(nodes, tmp_path, N_TRIALS, 0.2, patience=1)
    while len(open_journal(tmp_path)) < 2:
        assert driver.poll() is None
        time.sleep(0.1)
    nodes.kill(0)
    _, said = driver.communicate(timeout=40)
    assert "ClusterError: the head of the cluster, " in said.splitlines()[-1]
    assert open_it(tmp_path).trials()


def test_an_address_without_a_cluster_is_told(tmp_path):
    code = (
        "from dlreg.search.ray_engine import ray_engine\n"
        "from dlreg.errors import ClusterError\n"
        "try:\n    with ray_engine(print, address='127.0.0.1:1'): pass\n"
        "except ClusterError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.startswith("there is no Ray cluster at 127.0.0.1:1: ")
    assert done.stderr == ""


def open_journal(folder):
    """The trials that have a result, of a study that a driver is writing."""
    journal = folder / "journal.log"
    lines = journal.read_bytes().splitlines() if journal.exists() else []
    return [line for line in lines if b'"user_attr":{"result"' in line]


def in_cluster(nodes, opener, **options):
    """What comes of one trial, or of the cluster, on the head of a cluster."""
    from support.ray_cluster import ENVIRONMENT

    command = nodes.command(
        0, sys.executable, "-m", "support.ray_trials", opener, nodes.address, json.dumps(options)
    )
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
