"""Only plain files are read, and no more of them than expected."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlreg.errors import RunDirError
from dlreg.files import plain_file
from dlreg.files.plain_file import (
    NotPlainError,
    following_links,
    hash_plain_file,
    open_plain,
    open_plain_file,
    read_plain_file,
)


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


def test_a_link_is_refused_with_the_way_to_follow_it(tmp_path):
    (tmp_path / "name").symlink_to("/etc/hostname")
    with pytest.raises(RunDirError, match=r"found a link.*--follow-links"):
        read_plain_file(tmp_path / "name", 1 << 20)


@pytest.mark.parametrize("target", ["file", "folder/../other"])
def test_links_to_plain_files_are_followed_where_it_is_asked_for(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "other").symlink_to("file")
    (tmp_path / "name").symlink_to(target)
    with following_links():
        assert read_plain_file(tmp_path / "name", 7) == b"content"
        with pytest.raises(RunDirError, match="at most 6"):
            read_plain_file(tmp_path / "name", 6)
    with pytest.raises(RunDirError, match="found a link"):
        read_plain_file(tmp_path / "name", 7)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("folder", "expected a plain file"),
        ("pipe", "expected a plain file"),
        ("/dev/zero", "expected a plain file"),
        ("/proc/self/environ", "expected a plain file"),
        ("/sys/kernel/profiling", "expected a plain file|leads nowhere"),
        ("nowhere", "leads nowhere, to nowhere"),
        ("name", "leads nowhere, to name"),
        ("file/below", "leads nowhere, to file/below"),
    ],
)
def test_links_to_anything_else_are_refused_even_then(tmp_path, target, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "name").symlink_to(target)
    with following_links(), pytest.raises(RunDirError, match=message):
        read_plain_file(tmp_path / "name", 1 << 20)


def test_another_thread_follows_no_links_by_itself(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "name").symlink_to("file")
    with (
        following_links(),
        ThreadPoolExecutor() as pool,
        pytest.raises(RunDirError, match="found a link"),
    ):
        pool.submit(read_plain_file, tmp_path / "name", 7).result()


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


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/dev/zero", "a pipe or device"),
        ("pipe", "a pipe or device"),
        (".", "a directory"),
        ("/proc/self/mem", "a file of /proc or /sys"),
    ],
)
@pytest.mark.parametrize("linked", [False, True], ids=["itself", "through a link"])
def test_what_is_no_plain_file_is_not_even_opened(tmp_path, monkeypatch, target, kind, linked):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(target)
    opened = []
    monkeypatch.setattr(os, "open", lambda *arguments: opened.append(arguments))
    with pytest.raises(NotPlainError) as caught:
        open_plain("link" if linked else target, follow_link=True)
    assert caught.value.kind == kind and not opened


def test_a_pipe_that_takes_the_place_of_a_file_neither_waits_nor_is_read(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"content")
    look = plain_file._refuse_other_kinds

    def look_and_swap(status):
        look(status)
        (tmp_path / "file").unlink()
        os.mkfifo(tmp_path / "file")

    monkeypatch.setattr(plain_file, "_refuse_other_kinds", look_and_swap)
    with pytest.raises(NotPlainError, match="a pipe or device"):
        open_plain(tmp_path / "file", follow_link=False)
