"""The table that a run was trained on: which files, and whether they are still what they were.

A stranger's config may name any file, so that it is said which one is read before it is.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dlreg.config.schema import Config
from dlreg.errors import DataError, Fault, RunDirError, StorageError, warn
from dlreg.files.plain_file import NotPlainError
from dlreg.files.table_files import file_states, has_fingerprint
from dlreg.runs.names import RUN


def files_of_data(config: Config) -> dict[str, Path]:
    """The CSVs of a config by the key that names each: `data.path`, and those of parts that have one."""
    files = {f"data.{key}": getattr(config.data, key) for key in ("path", "validation_path", "test_path")}
    return {key: file for key, file in files.items() if file}


@contextmanager
def reading_once(config: Config) -> Iterator[None]:
    """A block that reads the CSVs of a config, more than once, and needs them to be the same each time.

    Raises:
        DataError: One was written or removed meanwhile, whatever else came of that.
    """
    before = _states(config)
    try:
        yield
    except Exception:
        _refuse_written(before, _states(config))
        raise
    _refuse_written(before, _states(config))


def _states(config: Config) -> dict[str, tuple[int, ...] | None]:
    """Of each file what changes when it is replaced, renamed or written to; None if it is not there."""
    paths = files_of_data(config).values()
    return {file: state for path in paths for file, state in file_states(path).items()}


def _refuse_written(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    faults = [
        Fault("the file changed while it was read", file, hint="Start again when nobody writes to it")
        for file in {**before, **after}
        if before.get(file) != after.get(file)
    ]
    if faults:
        raise DataError(*faults)


def warn_of_reading(file: Path) -> None:
    """Says that a file is read because the run's config names it."""
    warn(f"reading {file}, as the run's config says")


def recorded_file(
    path: Path, record: Mapping[str, Any], key: str, hint: str | None = None
) -> Mapping[str, Any]:
    """The `size` and the `sha256` that a CSV had when the run began.

    Args:
        path: The run directory.
        record: What its `run.json` says.
        key: The config key that names the CSV.
        hint: What to do where nothing is recorded.

    Raises:
        RunDirError: Nothing is recorded.
    """
    entry: Mapping[str, Any] | None = record.get("data", {}).get(key)
    if entry is None:
        raise RunDirError(Fault(f"the file says nothing of {key}", str(path / RUN), hint=hint))
    return entry


def find_change(file: Path, entry: Mapping[str, Any]) -> Literal["gone", "changed"] | None:
    """What has become of a CSV since its size and hash were recorded; None if it is the same.

    Raises:
        RunDirError: It is no plain file.
        StorageError: The system does not let it be read.
    """
    try:
        is_same = has_fingerprint(file, entry["size"], entry["sha256"])
    except (DataError, FileNotFoundError, NotADirectoryError, ValueError):
        return "gone"
    except NotPlainError as error:
        hint = "Directories, pipes, devices and files of /proc or /sys are not read"
        message = f"expected a plain file, found {error.kind}"
        raise RunDirError(Fault(message, str(file), hint=hint)) from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            return "gone"
        raise StorageError(Fault(f"cannot be read: {error.strerror}", str(file))) from None
    return None if is_same else "changed"
