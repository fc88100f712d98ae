"""The file in which Optuna keeps a study, a line of JSON for each change, written by one process alone."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from dlreg.files.plain_file import open_plain_file
from dlreg.files.whole_file import reporting_storage_errors, write_all

# A machine that loses power loses the results of so many seconds, whose trials are then trained again.
_SECONDS_BETWEEN_SYNCS = 1.0


class SoleWriter(BaseJournalBackend):
    """Optuna's journal file, read once; changes are kept until `write` puts them into the file together.

    Optuna's own writer syncs every change, some ten for each trial, and takes a lock each time, which a
    killed process would leave behind; a study has a lock of its own.

    Args:
        path: The file, which need not exist yet. A last line that a kill cut is taken off.

    Raises:
        RunDirError: It is no plain file, as a stranger's link to a file that is not to be changed.
        StorageError: It cannot be read or written.
        ValueError: It is no journal.

    Attributes:
        is_new: Whether it was empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if os.path.lexists(path):
            with open_plain_file(path):
                pass
        with reporting_storage_errors(path):
            n_lines = _cut_unfinished_line(path)
            self._unread = list(JournalFileBackend(str(path)).read_logs(0))
        # Optuna takes no notice of a last line that is no JSON.
        if len(self._unread) != n_lines:
            raise ValueError(f"line {n_lines} is no JSON")
        self.is_new = not self._unread
        self._n_read = 0
        self._unwritten: list[str] = []
        self._synced = float("-inf")

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The changes that Optuna does not know yet."""
        del self._unread[: log_number_from - self._n_read]
        self._n_read = log_number_from
        yield from list(self._unread)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Keeps some changes."""
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        # As they will be read again: there are no whole numbers as keys in JSON.
        self._unread += map(json.loads, lines)
        self._unwritten += lines

    def write(self, *, is_last: bool = False) -> None:
        """Writes what is kept; the file is as before where the system refuses.

        Args:
            is_last: Whether it must be on the disk, and not only out of this process, when it returns.

        Raises:
            StorageError: It cannot be written.
        """
        lines, self._unwritten = self._unwritten, []
        is_due = is_last or time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS
        if not lines and not is_last:
            return
        with reporting_storage_errors(self._path), self._path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                write_all(file.fileno(), "".join(f"{line}\n" for line in lines).encode())
                if is_due:
                    os.fsync(file.fileno())
                    self._synced = time.monotonic()
            except BaseException:
                file.truncate(size)
                self._unwritten = lines
                raise


def _cut_unfinished_line(path: Path) -> int:
    """Takes off what has no end of line, as Optuna would join the next to it; the number of lines left."""
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            file.truncate(end)
    return content.count(b"\n")
