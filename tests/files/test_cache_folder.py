"""Where dlreg keeps what only saves time."""

from pathlib import Path

from dlreg.files.cache_folder import cache_folder


def test_it_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp/new")
    assert cache_folder() == Path("/var/tmp/new/dlreg")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "dlreg"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "dlreg"


def test_a_home_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "absent"))
    assert cache_folder() is None
