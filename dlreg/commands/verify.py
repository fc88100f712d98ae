"""Every file of a run directory against what was written, and against who signed it."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlreg.errors import Fault, RunDirError, abridged
from dlreg.files.plain_file import open_plain_file
from dlreg.runs.names import CHECKPOINT, LOCK, REQUIRED, RUN, SIGNATURE, UNHASHED
from dlreg.runs.reading import check_file, names_in, places_of, read_record, readable_folder
from dlreg.runs.signature import check_signature


def verify(path: Path, public_key: Path | None = None) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Compares each file with the size and the SHA-256 in `run.json`, and `run.json` with its own hash.

    Args:
        path: The run directory.
        public_key: The key that the run must have been signed by; None if that does not matter.

    Returns:
        A report – `run_dir`, `verified` (the names of files that are as they were written), `signature`
        (`none`, `unchecked`, `valid` or `invalid`), `faults` (one text for each file that is damaged, missing
        or not dlreg's; of many alike the first), `fault_count` – and the faults themselves.

    Raises:
        UsageError: It is no such key, or the package `model-signing` is not installed.
        RunDirError: There is no complete run to compare with, or `run.json` itself is damaged.
        StorageError: A file may not be read.
    """
    before, record = places_of(path), read_record(path)
    verified: list[str] = [RUN]
    faults: list[Fault] = []
    for name in sorted({*record["files"], *REQUIRED}):
        try:
            check_file(path, record, name)
            verified.append(name)
        except RunDirError as error:
            faults += error.faults
    for name in names_in(path):
        # A kill at the very end leaves the checkpoint, which nothing reads any more.
        if name in record["files"] or name in (RUN, CHECKPOINT, LOCK):
            continue
        if name not in UNHASHED:
            message = "not a file of this run: neither written nor checked by dlreg"
            faults.append(Fault(message, str(path / name), hint="Move it elsewhere"))
        else:
            faults += _faults_of_unhashed(path, name)
    signature = "unchecked" if os.path.lexists(readable_folder(path) / SIGNATURE) else "none"
    if public_key:
        try:
            check_signature(readable_folder(path), {*record["files"], RUN}, public_key)
            signature = "valid"
        except RunDirError as error:
            faults += error.faults
            signature = "invalid" if signature == "unchecked" else signature
    if faults and places_of(path) != before:
        # Another run has taken this one's place meanwhile.
        return verify(path, public_key)
    report = {
        "run_dir": str(path),
        "verified": verified,
        "signature": signature,
        "faults": [str(fault) for fault in abridged(faults)],
        "fault_count": len(faults),
    }
    return report, tuple(faults)


def _faults_of_unhashed(path: Path, name: str) -> tuple[Fault, ...]:
    try:
        with open_plain_file(readable_folder(path) / name):
            return ()
    except RunDirError as error:
        # It stands beside its place where a swap was cut short.
        return tuple(replace(fault, path=str(path / name)) for fault in error.faults)
