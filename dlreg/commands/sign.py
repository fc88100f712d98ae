"""The signature of a run, beside its files."""

from pathlib import Path

from dlreg.commands.verify import verify
from dlreg.errors import RunDirError
from dlreg.files.whole_file import reporting_storage_errors, write_atomically
from dlreg.runs.names import SIGNATURE
from dlreg.runs.signature import signature_of


def sign(path: Path, private_key: Path) -> Path:
    """Signs every file of a whole run; figures, the model card and what else is made later are left out.

    Args:
        path: The run directory.
        private_key: An elliptic curve key in a PEM file, without a password.

    Returns:
        The file written, `model.sig` in the run directory.

    Raises:
        UsageError: It is no such key, or the package `model-signing` is not installed.
        RunDirError: The run is not as it was written.
        StorageError: The key may not be read, or the signature not written.
    """
    report, faults = verify(path)
    if faults:
        raise RunDirError(*faults)
    content, file = signature_of(path, report["verified"], private_key), path / SIGNATURE
    with reporting_storage_errors(file):
        write_atomically(file, content)
    return file
