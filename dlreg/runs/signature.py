"""The signature of a run by OpenSSF Model Signing 1.0: who holds a key vouches for every file of it.

It stands beside them as `model.sig`, which the package `model-signing` reads and writes as well. Keys alone,
neither certificates nor a service: no connection is opened.
"""

import base64
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal, TypeVar

from dlreg.errors import DlregError, Fault, RunDirError, UsageError
from dlreg.files.plain_file import links_are_followed, open_plain_file, read_plain_file
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.runs.names import CHECKPOINT, LOCK, SIGNATURE, UNHASHED

# A hundred bytes for each file of a run, and as many for each that is left out.
MAX_SIGNATURE_BYTES = 1 << 18
_KEY_HINTS = {
    "private": "Make one with: openssl ecparam -name prime256v1 -genkey -noout -out private.pem",
    "public": "Make it with: openssl ec -in private.pem -pubout -out public.pem",
}

_Configured = TypeVar("_Configured")


def signature_of(path: Path, names: Iterable[str], private_key: Path) -> bytes:
    """`model.sig`: the signature of some files of a run.

    Args:
        path: The run directory.
        names: Its files that are signed.
        private_key: An elliptic curve key in a PEM file, without a password.

    Raises:
        UsageError: It is no such key, or the package `model-signing` is not installed.
        StorageError: A file may not be read.
    """
    run_files = _run_files(path, names)
    from model_signing import signing

    configure = signing.Config().set_hashing_config(run_files).use_elliptic_key_signer
    signer = _with_key(lambda: configure(private_key=private_key), private_key, "private")
    with tempfile.TemporaryDirectory() as folder, reporting_storage_errors(path):
        signer.sign(path, Path(folder) / SIGNATURE)
        return (Path(folder) / SIGNATURE).read_bytes()


def check_signature(path: Path, names: Iterable[str], public_key: Path) -> None:
    """Checks that the signature of a run is by a key, and of these very files.

    Args:
        path: The run directory.
        names: Its files, each of which must have been signed.
        public_key: An elliptic curve key in a PEM file.

    Raises:
        UsageError: It is no such key, or the package `model-signing` is not installed.
        RunDirError: There is no signature, or it is not by this key; or with each file that was changed,
            removed or added since.
        StorageError: A file may not be read.
    """
    run_files = _run_files(path, names)
    from model_signing import verifying

    configure = verifying.Config().set_hashing_config(run_files).use_elliptic_key_verifier
    verifier = _with_key(lambda: configure(public_key=public_key), public_key, "public")
    content = read_plain_file(path / SIGNATURE, MAX_SIGNATURE_BYTES)
    try:
        # It prints warnings where results belong.
        with redirect_stdout(sys.stderr), reporting_storage_errors(path):
            verifier.set_ignore_unsigned_files(True).verify(path, path / SIGNATURE)
    except DlregError:
        raise
    # Whoever wrote the file may have made it raise anything; the package has no errors of its own.
    except Exception:
        # Files are hashed once the signature has proved to be by the key.
        faults = run_files.hashes and [*_differences(path, _signed_hashes(content), run_files.hashes)]
        if not faults:
            hint = "Check the key, and get the run from who signed it"
            faults = [Fault("it is no signature by this key", str(path / SIGNATURE), hint=hint)]
        raise RunDirError(*faults) from None


def _run_files(path: Path, names: Iterable[str]) -> Any:
    """How files are hashed: those of a run that are there, and no others.

    Returns:
        A `model_signing.hashing.Config`; its `hashes` are those by name, once they are taken.
    """
    try:
        from model_signing import hashing
    except ImportError as error:
        hint = "Install what it needs with: pip install 'dlreg[sign]'"
        raise UsageError(Fault(f"signatures need the package model-signing ({error})", hint=hint)) from None
    expected = {path / name for name in names}

    class RunFiles(hashing.Config):
        hashes: Mapping[str, str] | None = None

        def hash(self, model_path: Any, *, files_to_hash: Iterable[Any] | None = None) -> Any:
            files = expected.union(files_to_hash or ())
            there = sorted(file for file in files if _is_plain(file))
            manifest = super().hash(model_path, files_to_hash=there)
            self.hashes = {
                entry.identifier: entry.digest.digest_hex for entry in manifest.resource_descriptors()
            }
            return manifest

    # What a signature leaves out is told in it: others pass over it when they verify.
    left_out = sorted(UNHASHED | {CHECKPOINT, LOCK})
    run_files = RunFiles().set_ignored_paths(paths=left_out)  # type: ignore[no-untyped-call]
    return run_files.set_allow_symlinks(links_are_followed())


def _is_plain(file: Path) -> bool:
    """Whether a plain file is there; a link to one counts where links are followed."""
    try:
        with open_plain_file(file):
            return True
    except RunDirError:
        return False


def _signed_hashes(content: bytes) -> dict[str, str]:
    """What a signature vouches for: the hash of each file. It must have proved to be by a known key."""
    statement = json.loads(base64.b64decode(json.loads(content)["dsseEnvelope"]["payload"]))
    # Those of before version 1.0 have none.
    entries = statement.get("predicate", {}).get("resources", [])
    return {entry["name"]: entry["digest"] for entry in entries}


def _differences(path: Path, signed: Mapping[str, str], hashes: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted({*signed, *hashes}):
        if name not in hashes:
            yield Fault(
                "the file was signed, and is missing", str(path / name), hint="Get it from who signed it"
            )
        elif name not in signed:
            yield Fault(
                "the file was not signed: it came later", str(path / name), hint="Ask who signed the run"
            )
        elif signed[name] != hashes[name]:
            yield Fault("the file is not the one signed", str(path / name), hint="Get it from who signed it")


def _with_key(
    configure: Callable[[], _Configured], key: Path, kind: Literal["private", "public"]
) -> _Configured:
    if not key.exists():
        raise UsageError(Fault(f"no such {kind} key", str(key), hint=_KEY_HINTS[kind]))
    try:
        with reporting_storage_errors(key):
            return configure()
    # RSA keys lack what is asked of them.
    except (ValueError, TypeError, AttributeError):
        expected = f"expected a {kind} key of the curve P-256, P-384 or P-521, as PEM and without a password"
        raise UsageError(Fault(expected, str(key), hint=_KEY_HINTS[kind])) from None
