"""Trials as tasks of a Ray cluster: Ray finds them a place, brings them the rows, and says what was lost.

Rows and config are put into Ray's object store once, which brings them to each node once, where the workers
of the node read them without a copy. A worker that has run a trial stays, with TensorFlow imported and its
programs compiled, and takes the next.
"""

import logging
import os
import platform
import socket
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import uuid4

from dlreg import __version__
from dlreg.errors import ClusterError, Fault, UsageError
from dlreg.search.trials import Engine, Trial, TrialResult

# Ray sends figures about its use to its makers otherwise.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Else it warns of a change to come of how it hides GPUs from tasks that ask for none.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

try:
    import ray
    from ray import exceptions
except ImportError:
    raise UsageError(
        Fault("--engine ray needs a library that is not installed: ray", hint="pip install 'dlreg[cluster]'")
    ) from None

Runner = Callable[[Trial], TrialResult]
# Of a trial: who loses its worker again and again, most often for want of memory, would do so for ever.
_MOST_LOST_WORKERS = 3
# What is compiled for other networks stays in a process, some ten megabytes each.
_MOST_TRIALS_OF_A_WORKER = 200
_SECONDS_BETWEEN_COUNTS = 2.0
# Ray ends the process after 60.
_SECONDS_WITHOUT_HEAD = 20.0
# What a worker keeps from task to task: the runner of one search, by its name.
_runners: dict[str, Runner] = {}


@contextmanager
def ray_engine(
    open_runner: Callable[..., Runner],
    *arguments: Any,
    address: str | None = None,
    n_jobs: int | None = None,
    threads: int = 1,
    patience: float = 60.0,
) -> Iterator[Engine]:
    """An engine over a Ray cluster, which is left as it was when the block ends.

    Args:
        open_runner: Makes, in a worker, what runs trials.
        arguments: For `open_runner`; arrays among them are read-only in the workers.
        address: `HOST:PORT` of the head of a cluster that this machine is part of, `auto` for the one that
            runs on it, `ray://HOST:10001` for one that it is not part of; None starts one of this machine
            alone.
        n_jobs: How many trials run at once; None: as many as the CPUs of the cluster let, of nodes that join
            later too.
        threads: CPUs of a trial.
        patience: For how many seconds no node may be there that can run a trial.

    Raises:
        UsageError: The address is no cluster's, or versions there are others.
    """
    with _silent(), _own_token() if address is None else nullcontext():
        _connect(address)
        try:
            # The head of a cluster of its own machine, or the door of one that this machine is no part of.
            head = address if address and address.startswith("ray://") else None
            yield _RayEngine(open_runner, arguments, n_jobs, threads, patience, head)
        finally:
            ray.shutdown()


class _RayEngine:
    def __init__(
        self,
        open_runner: Callable[..., Runner],
        arguments: tuple[Any, ...],
        n_jobs: int | None,
        threads: int,
        patience: float,
        head: str | None,
    ) -> None:
        self._n_jobs, self._threads, self._patience = n_jobs, threads, patience
        # Retried here: Ray would not tell how often, nor a lost worker from a lost node.
        self._task = ray.remote(num_cpus=threads, max_retries=0, max_calls=_MOST_TRIALS_OF_A_WORKER)(_run)
        self._shared = ray.put((open_runner, arguments))
        self._key, self._versions = uuid4().hex, _versions()
        self._waiting: deque[Trial] = deque()
        self._running: dict[Any, Trial] = {}
        self._lost: Counter[int] = Counter()
        self._places, self._counted = 0, float("-inf")
        self._last_place = self._last_answer = time.monotonic()
        self._head = head or ray.get_runtime_context().gcs_address

    @property
    def n_jobs(self) -> int:
        """As many as asked for, or as there are places."""
        return self._n_jobs or max(1, self._count_places())

    def submit(self, trial: Trial) -> None:
        """See `Engine`."""
        self._waiting.append(trial)
        self._hand_out()

    def wait(self, seconds: float) -> list[TrialResult]:
        """See `Engine`."""
        self._hand_out()
        if not self._running:
            time.sleep(seconds)
            return []
        ended, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        if ended:
            # All others that ended meanwhile.
            ended, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        elif not self._count_places():
            self._refuse_long_absence()
        results = [result for task in ended if (result := self._result(task, self._running.pop(task)))]
        self._hand_out()
        return results

    def _hand_out(self) -> None:
        """Gives Ray what is waiting: all of it, as it queues, or no more than may run at once."""
        while self._waiting and (self._n_jobs is None or len(self._running) < self._n_jobs):
            trial = self._waiting.popleft()
            # A list is no argument that Ray would fetch for each task.
            self._running[self._task.remote(self._key, self._versions, [self._shared], trial)] = trial

    def _result(self, task: Any, trial: Trial) -> TrialResult | None:
        """What came of a task; None where it is tried again."""
        try:
            result: TrialResult = ray.get(task)
            return result
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, _OtherVersionsError):
                raise _other_versions(str(error.cause)) from None
            raise error.as_instanceof_cause() from None
        except (exceptions.NodeDiedError, exceptions.ObjectLostError, exceptions.LocalRayletDiedError):
            self._try_again(trial, "node")
        except (exceptions.OutOfMemoryError, exceptions.WorkerCrashedError) as error:
            self._lost[trial.number] += 1
            if self._lost[trial.number] == _MOST_LOST_WORKERS:
                short = (
                    "for want of memory" if isinstance(error, exceptions.OutOfMemoryError) else "each time"
                )
                message = f"its worker was lost {_MOST_LOST_WORKERS} times, {short}"
                return TrialResult(trial.number, "failed", message=message)
            self._try_again(trial, "worker")
        return None

    def _try_again(self, trial: Trial, lost: str) -> None:
        warnings.warn(f"trial {trial.number} lost its {lost}, and is tried again", stacklevel=1)
        self._waiting.appendleft(trial)

    def _count_places(self) -> int:
        """How many trials the nodes that are there can run at once."""
        now = time.monotonic()
        if now - self._counted > _SECONDS_BETWEEN_COUNTS:
            # Ray would wait for a lost head until it ends the process.
            nodes = [node for node in ray.nodes() if node["Alive"]] if self._head_answers() else []
            self._places = sum(int(node["Resources"].get("CPU", 0)) // self._threads for node in nodes)
            self._counted = now
            if self._places:
                self._last_place = now
        return self._places

    def _head_answers(self) -> bool:
        """Whether the head of the cluster is there.

        Raises:
            ClusterError: It has not been for some time.
        """
        try:
            _knock(self._head, seconds=2)
            self._last_answer = time.monotonic()
            return True
        except OSError as error:
            if time.monotonic() - self._last_answer > min(self._patience, _SECONDS_WITHOUT_HEAD):
                message = f"the head of the cluster, {self._head}, does not answer any more"
                hint = "Start the cluster again, and go on with --resume"
                raise ClusterError(Fault(message, hint=hint)) from error
            return False

    def _refuse_long_absence(self) -> None:
        """Gives up once there was no place for long.

        Raises:
            ClusterError: There was not.
        """
        if time.monotonic() - self._last_place > self._patience:
            message = (
                f"for {self._patience:.0f} s no node of the cluster has had {self._threads} CPUs for a trial"
            )
            raise ClusterError(
                Fault(message, hint="Start nodes again, with ray start, and go on with --resume")
            )


class _OtherVersionsError(Exception):
    """Raised in a worker."""


def _run(key: str, versions: dict[str, str], shared: list[Any], trial: Trial) -> TrialResult:
    """In a worker: runs a trial."""
    if key not in _runners:
        if (found := _versions()) != versions:
            differing = [f"{name} {found[name]} (here {versions[name]})" for name in versions
                         if found[name] != versions[name]]  # fmt: skip
            raise _OtherVersionsError(f"{socket.gethostname()} has {', '.join(differing)}")
        open_runner, arguments = ray.get(shared[0])
        _runners.clear()
        _runners[key] = open_runner(*arguments)
    return _runners[key](trial)


def _versions() -> dict[str, str]:
    """What must be the same everywhere for the numbers to be the same."""
    names = ("tensorflow", "keras", "numpy")
    return {"dlreg": __version__, "Python": platform.python_version()} | {
        name: _installed(name) for name in names
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _other_versions(message: str) -> UsageError:
    hint = "Install the same versions on all nodes, start them again, and go on with --resume"
    return UsageError(Fault(f"a node of the cluster has other versions: {message}", hint=hint))


@contextmanager
def _silent() -> Iterator[None]:
    """Ray prints on stdout what it says of lost workers and nodes, and has no setting against it."""
    inner = ray._private.worker
    printing = inner.print_to_stdstream
    inner.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        inner.print_to_stdstream = printing


@contextmanager
def _own_token() -> Iterator[None]:
    """A cluster of this machine alone listens to nobody else; Ray would keep its token for good, at home."""
    if "RAY_AUTH_TOKEN" in os.environ:
        yield
        return
    os.environ["RAY_AUTH_TOKEN"] = uuid4().hex
    try:
        yield
    finally:
        del os.environ["RAY_AUTH_TOKEN"]


def _connect(address: str | None) -> None:
    try:
        _knock(address)
        ray.init(
            # None would be a cluster that an environment variable names.
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, RuntimeError, ValueError, exceptions.RayError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        hint = "ray status, on the head of a cluster, shows whether it runs; ray start --head starts one"
        fault = Fault(f"there is no Ray cluster at {address or 'this machine'}: {reason}", hint=hint)
        raise ClusterError(fault) from error


def _knock(address: str | None, seconds: float = 10.0) -> None:
    """Makes sure that something listens there, for which Ray would wait for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
