"""A run that replaces another: the old one is readable until the new one is complete."""

import pytest
from support.runs import complete_run

from dlreg.runs.directory import open_run_dir
from dlreg.runs.reading import read_file, read_record


def test_overwriting_keeps_the_old_run_readable_until_the_new_one_is_complete(tmp_path):
    path = complete_run(tmp_path / "run", number=1)
    with open_run_dir(path, overwrite=True) as run:
        run.write("config.yaml", b"b: 2\n")
        run.set_status("running")
        old = read_record(path)
        assert (old["number"], read_file(path, old, "config.yaml")) == (1, b"a: 1\n")
        run.set_status("complete", {"number": 2})
    new = read_record(path)
    assert (new["number"], read_file(path, new, "config.yaml")) == (2, b"b: 2\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_failed_overwrite_leaves_the_old_run(tmp_path):
    path = complete_run(tmp_path / "run", number=1)
    with pytest.raises(ZeroDivisionError), open_run_dir(path, overwrite=True) as run:
        run.write("config.yaml", b"half")
        raise ZeroDivisionError
    assert read_record(path)["number"] == 1


def test_a_run_of_links_is_replaced_and_what_they_lead_to_stays(tmp_path):
    path, cache = complete_run(tmp_path / "run", number=1), tmp_path / "cache"
    cache.mkdir()
    for file in list(path.iterdir()):
        file.rename(cache / file.name)
        file.symlink_to(cache / file.name)
    before = {file.name: file.read_bytes() for file in cache.iterdir()}
    with open_run_dir(path, overwrite=True) as run:
        run.write("config.yaml", b"b: 2\n")
        run.set_status("complete", {"number": 2})
    assert read_record(path)["number"] == 2
    assert not any(file.is_symlink() for file in path.iterdir())
    assert {file.name: file.read_bytes() for file in cache.iterdir()} == before
