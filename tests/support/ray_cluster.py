"""A Ray cluster of several nodes on one machine, whose nodes can be killed.

Where it may, each node is in a network namespace of its own, as if it were a machine; else they are processes side
by side.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).parents[2]
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Nodes and drivers of one cluster know each other by it.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": uuid4().hex,
    # A lost node is noticed sooner than after the half minute of a real network.
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


def has_namespaces() -> bool:
    """Whether network namespaces can be made here."""
    if os.geteuid() or not shutil.which("ip"):
        return False
    name = f"dlreg-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return made


class Cluster:
    """A head, node 0, and further nodes.

    Args:
        folder: For what Ray writes.
        n_cpus: Of each node.
    """

    def __init__(self, folder: Path, n_cpus: int) -> None:
        self._folder, self._n_cpus = folder, n_cpus
        self._isolated = has_namespaces()
        self._name = f"dl{os.getpid() % 10000}"
        self._started: dict[int, subprocess.Popen[bytes]] = {}
        self._n_starts: Counter[int] = Counter()
        self._port = 6380 + os.getpid() % 1600
        if self._isolated:
            _run("ip", "link", "add", self._name, "type", "bridge")
            _run("ip", "link", "set", self._name, "up")

    @property
    def address(self) -> str:
        """Of the head."""
        return f"{self._ip(0)}:{self._port}"

    def command(self, number: int, *arguments: str) -> list[str]:
        """A command on a node."""
        return [*(["ip", "netns", "exec", f"{self._name}-{number}"] if self._isolated else []), *arguments]

    def start(self, number: int) -> None:
        """Starts a node, again or for the first time."""
        if self._isolated and not Path(f"/var/run/netns/{self._name}-{number}").exists():
            self._connect(number)
        role = ["--head", f"--port={self._port}", "--include-dashboard=false"]
        if number:
            role = [f"--address={self.address}"]
        started = self.command(
            number, *RAY, "start", *role, f"--node-ip-address={self._ip(number)}", f"--num-cpus={self._n_cpus}",
            f"--temp-dir={self._folder}", "--disable-usage-stats", "--object-store-memory=100000000", "--block",
        )  # fmt: skip
        with (self._folder / f"start-{number}.txt").open("ab") as output:
            process = subprocess.Popen(
                started, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True
            )
        self._started[number] = process
        self._n_starts[number] += 1
        self._wait_for(number)

    def kill_worker(self, number: int) -> bool:
        """Kills a process of a node that runs, or has run, a trial; False if there is none."""
        workers = [pid for pid in self._pids(number) if _command(pid).startswith("ray::_run")]
        for pid in workers[:1]:
            os.kill(pid, signal.SIGKILL)
        return bool(workers)

    def kill(self, number: int) -> None:
        """Kills a node: everything that runs on it."""
        for pid in self._pids(number):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._started.pop(number).wait()

    def stop(self) -> None:
        """Kills all nodes and takes the network away."""
        for number in sorted(self._started, reverse=True):
            self.kill(number)
        if self._isolated:
            for space in Path("/var/run/netns").glob(f"{self._name}-*"):
                _run("ip", "netns", "del", space.name)
            _run("ip", "link", "del", self._name)

    def _pids(self, number: int) -> list[int]:
        """The processes of a node, without a driver on it."""
        if self._isolated:
            space = f"{self._name}-{number}"
            listed = subprocess.run(
                ["ip", "netns", "pids", space], capture_output=True, text=True, check=True
            )
            pids = [int(line) for line in listed.stdout.split()]
        else:
            pids = _descendants(self._started[number].pid)
        return [pid for pid in pids if "search_driver" not in _command(pid)]

    def _wait_for(self, number: int) -> None:
        text, began = self._folder / f"start-{number}.txt", time.monotonic()
        while text.read_text().count("Ray runtime started") < self._n_starts[number]:
            if time.monotonic() - began > 60 or self._started[number].poll() is not None:
                raise TimeoutError(text.read_text())
            time.sleep(0.1)

    def _ip(self, number: int) -> str:
        return f"10.213.{os.getpid() % 250}.{number + 1}" if self._isolated else "127.0.0.1"

    def _connect(self, number: int) -> None:
        space, cable = f"{self._name}-{number}", f"{self._name}v{number}"
        _run("ip", "netns", "add", space)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _run("ip", "link", "set", cable, "master", self._name, "up")
        _run("ip", "-n", space, "addr", "add", f"{self._ip(number)}/24", "dev", "eth0")
        _run("ip", "-n", space, "link", "set", "eth0", "up")
        _run("ip", "-n", space, "link", "set", "lo", "up")


@contextmanager
def cluster(n_nodes: int, n_cpus: int = 1) -> Iterator[Cluster]:
    """A cluster that is gone when the block ends."""
    # Sockets have short names.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:
        nodes = Cluster(Path(folder), n_cpus)
        try:
            for number in range(n_nodes):
                nodes.start(number)
            yield nodes
        finally:
            nodes.stop()


def start_driver(
    nodes: Cluster, folder: Path, n_trials: int, seconds: float, patience: float = 30
) -> subprocess.Popen[str]:
    """`support.search_driver` on the head."""
    arguments = map(str, (folder, n_trials, seconds, nodes.address, patience))
    command = nodes.command(0, sys.executable, "-m", "support.search_driver", *arguments)
    return subprocess.Popen(
        command,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_driver(driver: subprocess.Popen[str]) -> None:
    """As the system does that runs out of memory."""
    with suppress(ProcessLookupError):
        os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _descendants(pid: int) -> list[int]:
    """A process and all below it."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                pids += map(int, task.read_text().split())
    return pids


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
