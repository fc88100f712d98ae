"""Only plain files are read, and no more of them than expected."""

import hashlib
import os
from pathlib import Path

import pytest

from dlreg.errors import RunDirError
from dlreg.files.plain_file import hash_plain_file, open_plain_file, read_plain_file


def test_a_plain_file_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert read_plain_file(tmp_path / "file", 7) == b"content"
    with open_plain_file(tmp_path / "file") as (file, size):
        assert (file.read(), size) == (b"content", 7)


def test_a_larger_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(RunDirError, match="at most 6 bytes, found 7"):
        read_plain_file(tmp_path / "file", 6)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        Path.mkdir,
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("nowhere"),
    ],
    ids=["pipe", "directory", "link", "dangling link"],
)
def test_what_is_no_plain_file_is_refused(tmp_path, make):
    make(tmp_path / "name")
    with pytest.raises(RunDirError, match="expected a plain file"):
        read_plain_file(tmp_path / "name", 1 << 20)


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/environ", "/sys/kernel/profiling"])
def test_views_of_the_kernel_and_devices_are_refused(path):
    with pytest.raises(RunDirError):
        read_plain_file(Path(path), 1 << 20)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunDirError, match="absent: the file is missing"):
        read_plain_file(tmp_path / "absent", 1)


def test_a_file_is_hashed_only_if_its_size_is_right(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    digest = hashlib.sha256(b"content").hexdigest()
    assert hash_plain_file(tmp_path / "file", 7) == digest
    assert hash_plain_file(tmp_path / "link", 7, follow_link=True) == digest
    assert hash_plain_file(tmp_path / "file", 8) is None
