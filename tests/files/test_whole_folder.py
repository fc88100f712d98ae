"""A folder is whole under its name, or what was there before still is."""

import pytest

from dlreg.errors import StorageError
from dlreg.files.whole_folder import replacing_folder


def write(path, content="new", may_replace=lambda _: False):
    with replacing_folder(path, may_replace) as folder:
        (folder / "file").write_text(content)


def test_a_new_folder_appears_whole(tmp_path):
    write(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "file").read_text() == "new"


def test_what_fails_leaves_nothing_and_keeps_what_was_there(tmp_path):
    write(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "a", lambda _: True) as folder:
        (folder / "half").write_text("")
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]
    assert (tmp_path / "a" / "file").read_text() == "old"


def test_a_folder_is_replaced_if_it_may_be_or_is_empty(tmp_path):
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", "first")
    with pytest.raises(StorageError, match="not empty"):
        write(tmp_path / "a", "second")
    assert (tmp_path / "a" / "file").read_text() == "first"
    write(tmp_path / "a", "third", lambda folder: (folder / "file").exists())
    assert (tmp_path / "a" / "file").read_text() == "third"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_neither_a_file_nor_a_link_is_replaced(tmp_path, kind):
    (tmp_path / "folder").mkdir()
    if kind == "file":
        (tmp_path / "a").write_text("mine")
    else:
        (tmp_path / "a").symlink_to("folder")
    with pytest.raises(StorageError, match="found something else"):
        write(tmp_path / "a", may_replace=lambda _: True)
    assert not list((tmp_path / "folder").iterdir())
