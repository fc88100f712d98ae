"""`dlreg sign` and `verify --public-key`: who vouches for a run, and what was done to it since."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dlreg.commands.sign import sign
from dlreg.commands.verify import verify
from dlreg.errors import RunDirError, StorageError, UsageError
from dlreg.files.hashing import sha256_of_file
from dlreg.runs import names
from dlreg.runs.directory import open_run_dir
from dlreg.runs.reading import record_json
from dlreg.runs.signature import MAX_SIGNATURE_BYTES


def write_keys(folder, name, key, encryption=None):
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pem").write_bytes(private)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / f"{name}.pem", folder / f"{name}.pub"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A private and a public key."""
    return write_keys(tmp_path_factory.mktemp("keys"), "key", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def run(project, tmp_path):
    return shutil.copytree(project / "run", tmp_path / "run")


@pytest.fixture
def signed(run, keys):
    sign(run, keys[0])
    return run


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)


def told(path, key):
    report, faults = verify(path, key)
    return report["signature"], {(fault.path or "").rpartition("/")[2]: fault.message for fault in faults}


def record_anew(run, *dropped):
    """What somebody does who changes files: run.json fits them again."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record.pop("sha256")
    for name in (*dropped, *record["files"]):
        if name in dropped:
            record["files"].pop(name, None)
        else:
            file = run / name
            record["files"][name] = {"size": file.stat().st_size, "sha256": sha256_of_file(file)}
    (run / "run.json").write_bytes(record_json(record))


def model_signing(*arguments):
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_run_is_signed_and_verified_without_a_connection(run, keys, cli, offline):
    private, public = keys
    done = cli("verify", run, "--json", cwd=run.parent)
    assert json.loads(done.stdout)["signature"] == "none"
    done = cli("sign", "run", "--private-key", private, cwd=run.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "run/model.sig\n", "")
    done = cli("verify", "run", cwd=run.parent)
    assert done.stdout.endswith(" files verified; the signature was not checked\n")
    done = cli("verify", "run", "--public-key", public, cwd=run.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" files verified and their signature\n")
    done = cli("verify", "run", "--public-key", public, "--json", cwd=run.parent)
    assert json.loads(done.stdout)["signature"] == "valid"


def test_what_is_made_later_is_not_signed(signed, keys):
    (signed / "loss_curve.png").write_bytes(b"drawn anew")
    (signed / "importance.png").write_bytes(b"drawn later")
    (signed / "README.md").write_text("# Edited")
    (signed / ".lock").touch()
    (signed / "checkpoint.safetensors").touch()
    assert told(signed, keys[1]) == ("valid", {})
    done = model_signing(
        "verify", "key", signed, "--signature", signed / "model.sig", "--public_key", keys[1]
    )
    assert done.returncode == 0, done.stderr


def test_the_package_verifies_what_dlreg_signed_and_finds_what_was_changed(signed, keys):
    (signed / "metrics.json").write_bytes((signed / "metrics.json").read_bytes().replace(b"1", b"2", 1))
    done = model_signing(
        "verify", "key", signed, "--signature", signed / "model.sig", "--public_key", keys[1]
    )
    assert done.returncode == 1
    # Quotes may be escaped, as the hashes may hold some.
    assert re.search(r"Hash mismatch for \\*'metrics\.json", done.stderr)


def test_dlreg_verifies_what_the_package_signed_with_the_options_of_the_readme(run, keys):
    ignored = [
        option
        for name in sorted(names.UNHASHED | {names.LOCK, names.CHECKPOINT})
        for option in ("--ignore-paths", run / name)
    ]
    signature = ("--signature", run / "model.sig", "--private_key", keys[0])
    done = model_signing("sign", "key", run, *signature, *ignored)
    assert done.returncode == 0, done.stderr
    (run / "loss_curve.png").write_bytes(b"drawn anew")
    assert told(run, keys[1]) == ("valid", {})


@pytest.mark.parametrize("honest", [True, False], ids=["run.json as it was", "run.json made to fit"])
def test_a_changed_byte_a_missing_and_an_added_file_are_told(signed, keys, honest):
    content = bytearray((signed / "pipeline.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (signed / "pipeline.onnx").write_bytes(content)
    (signed / "intervals.json").unlink()
    (signed / "out_of_fold.csv").write_text("row,y_true,y_pred\n")
    if not honest:
        record = json.loads((signed / "run.json").read_text(encoding="utf-8"))
        record["files"]["out_of_fold.csv"] = {}
        (signed / "run.json").write_text(json.dumps(record))
        record_anew(signed, "intervals.json")
        assert told(signed, None) == ("unchecked", {})
    signature, faults = told(signed, keys[1])
    assert signature == "invalid"
    assert faults.pop("intervals.json") == "the file was signed, and is missing"
    assert faults.pop("pipeline.onnx") == "the file is not the one signed"
    if not honest:
        assert faults.pop("run.json") == "the file is not the one signed"
        assert faults.pop("out_of_fold.csv") == "the file was not signed: it came later"
    else:
        assert faults.pop("out_of_fold.csv").startswith("not a file of this run")
    assert not faults


def test_a_link_in_the_place_of_a_signed_file_is_not_followed(signed, keys, tmp_path):
    (signed / "summary.txt").rename(tmp_path / "summary.txt")
    (signed / "summary.txt").symlink_to(tmp_path / "summary.txt")
    assert told(signed, keys[1]) == ("invalid", {"summary.txt": "the file was signed, and is missing"})


def link_files(run, cache):
    """What a cache of DVC's makes of a run: each file a link."""
    cache.mkdir()
    for file in list(run.iterdir()):
        file.rename(cache / file.name)
        file.symlink_to(cache / file.name)


def test_links_are_followed_where_it_is_asked_for(signed, keys, tmp_path, cli):
    verify_links = ("verify", "run", "--public-key", keys[1], "--follow-links")
    link_files(signed, tmp_path / "cache")
    done = cli(*verify_links, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" files verified and their signature\n")
    done = cli("sign", "run", "--private-key", keys[0], cwd=tmp_path)
    assert done.returncode == 5 and "--follow-links" in done.stderr
    done = cli("sign", "run", "--private-key", keys[0], "--follow-links", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "run/model.sig\n")
    assert not (signed / "model.sig").is_symlink()
    assert cli(*verify_links, cwd=tmp_path).returncode == 0
    content = bytearray((signed / "pipeline.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "cache" / "pipeline.onnx").write_bytes(content)
    done = cli(*verify_links, cwd=tmp_path)
    assert done.returncode == 5 and "pipeline.onnx: the file is not the one signed" in done.stderr


@pytest.mark.parametrize("target", ["pipe", "folder", "nowhere", "/proc/self/status"])
def test_only_links_to_plain_files_are_followed(signed, keys, tmp_path, cli, target):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (signed / "summary.txt").unlink()
    (signed / "summary.txt").symlink_to(tmp_path / target)
    done = cli("verify", "run", "--public-key", keys[1], "--follow-links", cwd=tmp_path)
    assert done.returncode == 5
    assert "summary.txt: the file was signed, and is missing" in done.stderr


def test_another_key_has_not_signed_it(signed, tmp_path):
    _, other = write_keys(tmp_path, "other", ec.generate_private_key(ec.SECP256R1()))
    signature, faults = told(signed, other)
    assert (signature, faults) == ("invalid", {"model.sig": "it is no signature by this key"})


def test_a_signature_of_another_key_passed_off_as_ones_own_does_not_hold(signed, keys, tmp_path):
    """The hint in it, which names the key, may be anybody's."""
    private, _ = write_keys(tmp_path, "other", ec.generate_private_key(ec.SECP256R1()))
    own = json.loads((signed / "model.sig").read_text())
    sign(signed, private)
    other = json.loads((signed / "model.sig").read_text())
    for hint in (own["verificationMaterial"], {"publicKey": {}, "tlogEntries": []}, {"publicKey": {}}):
        (signed / "model.sig").write_text(json.dumps(other | {"verificationMaterial": hint}))
        assert told(signed, keys[1])[0] == "invalid"


def test_a_run_must_have_been_signed_where_a_key_is_given(run, keys):
    assert told(run, keys[1]) == ("none", {"model.sig": "the file is missing"})


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"{}", b"[]", b"null", b"[" * 100_000, b'{"verificationMaterial": 3}', b"1" * 5000,
        b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}, '
        b'"dsseEnvelope": {"payload": "e30=", "payloadType": "", "signatures": []}}',
        b" " * (MAX_SIGNATURE_BYTES + 1),
    ],
    ids=range(10),
)  # fmt: skip
def test_whatever_else_is_in_its_place_is_a_fault(run, keys, content, capfd):
    (run / "model.sig").write_bytes(content)
    signature, faults = told(run, keys[1])
    assert signature == "invalid"
    expected = (
        "the file is too large" if len(content) > MAX_SIGNATURE_BYTES else "it is no signature by this key"
    )
    assert list(faults) == ["model.sig"]
    assert faults["model.sig"].startswith(expected)
    assert capfd.readouterr().out == ""


def test_a_link_or_pipe_in_its_place_is_not_opened(run, keys, tmp_path):
    os.mkfifo(run / "model.sig")
    assert told(run, keys[1])[1]["model.sig"] == "expected a plain file, found a pipe or device"
    (run / "model.sig").unlink()
    (run / "model.sig").symlink_to(tmp_path)
    assert told(run, keys[1])[1]["model.sig"] == "expected a plain file, found a link"
    with pytest.raises(RunDirError, match="expected a plain file"):
        sign(run, keys[0])


def test_a_key_that_is_none_is_a_mistake_of_usage(run, keys, tmp_path):
    rsa_keys = write_keys(tmp_path, "rsa", rsa.generate_private_key(65537, 2048))
    locked, _ = write_keys(
        tmp_path, "locked", ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")
    )
    koblitz = write_keys(tmp_path, "koblitz", ec.generate_private_key(ec.SECP256K1()))
    for private in (keys[1], rsa_keys[0], locked, koblitz[0]):
        with pytest.raises(UsageError, match="expected a private key of the curve P-256"):
            sign(run, private)
    for public in (keys[0], rsa_keys[1], koblitz[1]):
        with pytest.raises(UsageError, match="expected a public key of the curve P-256"):
            verify(run, public)
    with pytest.raises(UsageError, match="no such private key"):
        sign(run, tmp_path / "nowhere.pem")
    with pytest.raises(StorageError, match="is a directory"):
        verify(run, tmp_path)
    assert not (run / "model.sig").exists()


def test_a_run_that_is_not_whole_is_not_signed(run, keys):
    (run / "notes.txt").write_text("mine")
    with pytest.raises(RunDirError, match=r"notes\.txt"):
        sign(run, keys[0])
    assert not (run / "model.sig").exists()


def test_without_the_package_it_is_said_how_to_install_it(run, keys, monkeypatch):
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(UsageError, match=r"pip install 'dlreg\[sign\]'"):
        sign(run, keys[0])
    with pytest.raises(UsageError, match=r"pip install 'dlreg\[sign\]'"):
        verify(run, keys[1])
    assert verify(run)[1] == ()


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_commands_of_the_docs_sign_and_verify(project, tmp_path):
    page = (Path(__file__).parents[2] / "dlreg" / "docs" / "run-directory.md").read_text(encoding="utf-8")
    section = page.partition("## Signing a run")[2]
    shutil.copytree(project / "run", tmp_path / "runs" / "mine")
    python = f'"{sys.executable}" -m'
    functions = [f'{name}() {{ {python} {name} "$@"; }}\n' for name in ("dlreg", "model_signing")]
    script = "".join([*functions, *re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)])
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count("verified and their signature") == done.stdout.count("Verification succeeded") == 1
    )
    ignored = re.findall(r"[\w]+\.(?:md|png|html)", section.partition("--ignore-paths")[2])
    assert {*ignored, names.SIGNATURE} == names.UNHASHED


def test_a_run_that_replaces_a_signed_one_is_not_signed(signed):
    with open_run_dir(signed, overwrite=True) as new:
        new.write("config.yaml", b"a: 1\n")
        new.set_status("complete")
    assert sorted(entry.name for entry in signed.iterdir()) == ["config.yaml", "run.json"]
