"""Files that are whole or not there."""

import os
import stat
from pathlib import Path

import pytest

from dlreg.errors import StorageError
from dlreg.files.whole_file import replacing, reporting_storage_errors, sweep_temporaries, write_atomically


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    write_atomically(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left"), reporting_storage_errors(tmp_path):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_files_are_readable_by_others_as_the_umask_says(tmp_path):
    write_atomically(tmp_path / "file", b"")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


def test_temporaries_are_swept_unless_they_are_being_written(tmp_path):
    abandoned = tmp_path / ".dlreg-0123456789abcdef.tmp"
    abandoned.write_bytes(b"half")
    similar = tmp_path / ".dlreg-notes.tmp"
    similar.write_bytes(b"mine")
    with replacing(tmp_path / "file") as descriptor:
        os.write(descriptor, b"whole")
        sweep_temporaries(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".dlreg-notes.tmp", "file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_a_sweep_touches_no_special_file(tmp_path, kind):
    outside, bait = tmp_path / "outside", tmp_path / "folder" / ".dlreg-0123456789abcdef.tmp"
    outside.write_bytes(b"precious")
    bait.parent.mkdir()
    {"fifo": os.mkfifo, "link": lambda path: path.symlink_to(outside), "directory": Path.mkdir}[kind](bait)
    sweep_temporaries(bait.parent)
    assert os.path.lexists(bait)
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("make", "message"),
    [(Path.mkdir, "found a directory"), (os.mkfifo, "pipe or device")],
    ids=["directory", "fifo"],
)
def test_no_directory_or_pipe_is_replaced(tmp_path, make, message):
    make(tmp_path / "out")
    with pytest.raises(StorageError, match=message):
        write_atomically(tmp_path / "out", b"")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "outside").write_bytes(b"precious")
    (tmp_path / "out").symlink_to(tmp_path / "outside")
    write_atomically(tmp_path / "out", b"new")
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert not (tmp_path / "out").is_symlink()


def test_a_long_name_can_be_written(tmp_path):
    write_atomically(tmp_path / ("풍" * 85), b"")
    assert len(next(tmp_path.iterdir()).name.encode()) == 255
