"""Trials in warm processes on this machine: each has its own interpreter, and shares the rows.

A thread for each process hands it one trial after the other. A process that is lost, as for want of memory,
is replaced, and its trial tried again; so is one that has grown, as what was compiled in it stays there.
"""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from queue import SimpleQueue

from dlreg.engine.compile_cache import compile_cache
from dlreg.files.whole_file import reporting_storage_errors, temporary_file
from dlreg.memory import memory_in_use
from dlreg.search.packed_rows import PackedRows, store_arrays
from dlreg.search.trials import Engine, Trial, TrialResult

Runner = Callable[[Trial], TrialResult]
# A trial that loses its process as often would do so for ever.
MOST_LOST_PROCESSES = 3
# By how much a process may grow after its first trial: some sixty other networks.
MOST_GROWTH = 700_000_000
_SECONDS_BETWEEN_KILLS = 0.01
# In a worker, once it is warm: what runs trials, and its size after the first.
_runner: Runner | None = None
_first_size = 0


@contextmanager
def local_engine(
    open_runner: Callable[..., Runner],
    rows: PackedRows,
    n_jobs: int,
    folder: Path,
    *,
    keeps_programs: bool = False,
) -> Iterator[Engine]:
    """An engine of warm processes, which are gone when the block ends.

    Args:
        open_runner: Makes a process a warm one, of rows and with `cache`, the folder for compiled programs; a
            function of a module, or a `partial` of one.
        rows: Written into a file that all processes map into their memory.
        n_jobs: How many processes.
        folder: Where to write the rows, as a temporary file.
        keeps_programs: Whether compiled programs are kept for the processes of this search and others.

    Raises:
        StorageError: The rows cannot be written.
    """
    with ExitStack() as stack:
        cache = stack.enter_context(compile_cache(enabled=keeps_programs))
        with reporting_storage_errors(folder):
            stored = store_arrays(rows, *stack.enter_context(temporary_file(folder)))
        engine = _LocalEngine(partial(open_runner, stored, cache=cache), n_jobs)
        try:
            yield engine
        finally:
            engine.close()


class _LocalEngine:
    def __init__(self, open_runner: Callable[[], Runner], n_jobs: int) -> None:
        self.n_jobs = n_jobs
        self._open_runner = open_runner
        self._context = multiprocessing.get_context("spawn")
        # A process that searches may have children of its own, which are not to be ended.
        self._others = {process.pid for process in multiprocessing.active_children()}
        self._idle: SimpleQueue[ProcessPoolExecutor | None] = SimpleQueue()
        for _ in range(n_jobs):
            self._idle.put(None)
        # Whoever starts it first has SIGINT let through again, and the process after it would inherit that.
        resource_tracker.ensure_running()
        self._threads = ThreadPoolExecutor(n_jobs, initializer=_block_interrupts)
        self._futures: set[Future[TrialResult]] = set()
        self._closed = threading.Event()

    def submit(self, trial: Trial) -> None:
        """See `Engine`."""
        self._futures.add(self._threads.submit(self._run, trial))

    def wait(self, seconds: float) -> list[TrialResult]:
        """See `Engine`."""
        if not self._futures:
            # Others' trials may be all that is left of a study in a database.
            time.sleep(seconds)
            return []
        done, self._futures = wait(self._futures, seconds, FIRST_COMPLETED)
        # A bug is raised when nothing else is there to be kept.
        failed = {future for future in done if future.exception()}
        if failed == done:
            return [future.result() for future in done]
        self._futures |= failed
        return [future.result() for future in done - failed]

    def close(self) -> None:
        """Ends all processes, whatever they are at."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        # A thread may be about to start a process.
        while True:
            for process in multiprocessing.active_children():
                if process.pid not in self._others:
                    process.kill()
                    process.join()
            if all(future.done() for future in self._futures):
                break
            time.sleep(_SECONDS_BETWEEN_KILLS)
        self._threads.shutdown(wait=True)

    def _run(self, trial: Trial) -> TrialResult:
        """Runs a trial in an idle process, a new one where the last was lost."""
        process = self._idle.get()
        try:
            for _ in range(MOST_LOST_PROCESSES):
                used = process or self._start()
                try:
                    result, is_grown = used.submit(_run, self._open_runner, trial).result()
                    process = None if is_grown else used
                    return result
                except BrokenProcessPool:
                    process = None
                    if self._closed.is_set():
                        break
            message = f"its process was lost {MOST_LOST_PROCESSES} times, most likely for want of memory"
            return TrialResult(trial.number, "failed", message=message)
        finally:
            self._idle.put(process)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, self._context, _begin)


def _block_interrupts() -> None:
    # Processes inherit it: Ctrl-C at a terminal is for the search, which ends them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What there is to say of the rows was said when they were read.
    warnings.simplefilter("ignore")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _run(open_runner: Callable[[], Runner], trial: Trial) -> tuple[TrialResult, bool]:
    """The result, and whether the process has grown too large."""
    global _runner, _first_size
    _runner = _runner or open_runner()
    result, size = _runner(trial), memory_in_use()
    _first_size = _first_size or size
    return result, size - _first_size > MOST_GROWTH
