"""The real command line in processes forked from one that has imported everything: a start costs nothing.

A training has no threads before its first operation, so that a process which has only imported TensorFlow
can be forked. Each fork runs `main` as the command does, in a process of its own that may be killed; one
of its steps on the file system can be made to fail, or to be its last.
"""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

STEPS = (
    "open", "write", "fsync", "rename", "replace", "close", "mkdir", "unlink", "rmdir", "ftruncate", "fstat",
    "lstat", "stat", "scandir", "listdir", "link",
)  # fmt: skip


class Faults:
    """Counts the steps that a process takes on the file system, and fails or dies at one of them.

    Args:
        at: Which step, 1-based; None for none.
        error: The errno it fails with; None for a signal.
        below: Only steps on names that begin so count, and on descriptors of such files.
        number: The signal that comes then.
    """

    def __init__(
        self,
        at: int | None = None,
        error: int | None = None,
        below: str = "",
        number: int = signal.SIGKILL,
    ) -> None:
        self.steps: list[str] = []
        self._at, self._error, self._below, self._number = at, error, below, number
        self._real = {name: getattr(os, name) for name in STEPS}
        self._mine: set[int] = set()

    def __enter__(self) -> "Faults":
        for name in STEPS:
            setattr(os, name, self._step(name))
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self._real.items():
            setattr(os, name, function)

    def _counts(self, target: Any) -> bool:
        if isinstance(target, int):
            return target in self._mine
        return str(target).startswith(self._below)

    def _step(self, name: str) -> Any:
        def step(target: Any = ".", *arguments: Any, **options: Any) -> Any:
            real = self._real[name]
            if not self._counts(target):
                return real(target, *arguments, **options)
            self.steps.append(name)
            if len(self.steps) == self._at:
                self._fail(name, target, arguments)
            result = real(target, *arguments, **options)
            if name == "open":
                self._mine.add(result)
            elif name == "close":
                self._mine.discard(target)
            return result

        return step

    def _fail(self, name: str, target: Any, arguments: tuple[Any, ...]) -> None:
        if self._error is None:
            os.kill(os.getpid(), self._number)
            return
        # What fails has still done something: a full disk takes the first part, a descriptor is closed.
        if name == "close":
            self._real[name](target)
        if name == "write":
            self._real[name](target, bytes(arguments[0])[: len(arguments[0]) // 2])
        path = target if isinstance(target, (str, os.PathLike)) else None
        raise OSError(self._error, os.strerror(self._error or 0), path and os.fspath(path))


class Ended(NamedTuple):
    """How a process ended: what `subprocess` calls its return code, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str
    steps: int


class Forks:
    """A process that has imported everything, and forks; one fork at a time.

    Args:
        prefix: What starts the process, such as `unshare -rm`.
    """

    def __init__(self, *prefix: str) -> None:
        self._server = subprocess.Popen(
            [*prefix, sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._ask({}) == "ready"

    def start(
        self,
        *arguments: object,
        cwd: Path,
        pause: float = 0.1,
        at: int | None = None,
        error: int | None = None,
        below: str = "",
        number: int = signal.SIGKILL,
        cores: Collection[int] = (),
        stdin: str | Path = os.devnull,
    ) -> int:
        """Starts `dlreg ARGUMENTS` and returns its process id.

        Args:
            arguments: Of the command line.
            cwd: The working directory.
            pause: Seconds between two checkpoints; 0 writes one after each epoch.
            at: See `Faults`, like `error`, `below` and `number`.
            cores: Those it may run on; all, if none are given.
            stdin: The file that is its standard input.
        """
        options = {"pause": pause, "at": at, "error": error, "below": below, "number": int(number)}
        options |= {"cores": sorted(cores), "stdin": str(stdin)}
        return int(self._ask({"cwd": str(cwd), "arguments": list(map(str, arguments)), **options}))

    def wait(self) -> Ended:
        """Waits for what was started."""
        returncode, stdout, stderr, steps = self._ask({"wait": True})
        return Ended(returncode, stdout, stderr, steps)

    def run(self, *arguments: object, **options: Any) -> Ended:
        """Starts `dlreg ARGUMENTS` and waits for it."""
        self.start(*arguments, **options)
        return self.wait()

    def shell(self, script: str, *, cwd: Path) -> int:
        """The exit code of a shell script that sees the file systems which the forks see."""
        return int(self._ask({"shell": script, "in": str(cwd)}))

    def close(self) -> None:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


def _serve() -> None:
    _import_all()
    pid, files = 0, ()
    for line in sys.stdin:
        request = json.loads(line)
        if "cwd" in request:
            files = tuple(os.memfd_create(name) for name in ("stdout", "stderr", "steps"))
            pid = os.fork()
            if pid == 0:
                _run(request, files)
            answer: Any = pid
        elif "wait" in request:
            _, status = os.waitpid(pid, 0)
            texts = [os.pread(file, 1 << 20, 0).decode() for file in files]
            for file in files:
                os.close(file)
            answer = [os.waitstatus_to_exitcode(status), *texts[:2], int(texts[2] or 0)]
        elif "shell" in request:
            answer = subprocess.run(["sh", "-c", request["shell"]], cwd=request["in"], check=False).returncode
        else:
            answer = "ready"
        print(json.dumps(answer), flush=True)


def _import_all() -> None:
    from dlreg.cli.importing import keep_arrow_out_of_pandas, quiet_import
    from dlreg.engine.backend import import_backend

    keep_arrow_out_of_pandas()
    with quiet_import():
        import_backend(1)
    import dlreg.cli.main
    import dlreg.commands.train
    import dlreg.figures.plots
    import dlreg.pipeline.export
    import dlreg.runs.resuming
    import dlreg.training.loop  # noqa: F401


def _run(request: dict[str, Any], files: tuple[int, ...]) -> None:
    from dlreg.cli.main import main
    from dlreg.runs import checkpointing

    checkpointing.SECONDS_BETWEEN, checkpointing.SHARE_OF_TIME = request["pause"], 0
    code = 99
    try:
        if request["cores"]:
            os.sched_setaffinity(0, request["cores"])
        os.chdir(request["cwd"])
        os.dup2(os.open(request["stdin"], os.O_RDONLY), 0)
        os.dup2(files[0], 1)
        os.dup2(files[1], 2)
        sys.argv = ["dlreg", *request["arguments"]]
        with Faults(request["at"], request["error"], request["below"], request["number"]) as faults:
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = int(stop.code or 0)
        os.write(files[2], str(len(faults.steps)).encode())
        sys.stdout.flush()
    finally:
        os._exit(code)


# The errors that a disk gives: full, broken, not ours.
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)

if __name__ == "__main__":
    _serve()
