"""The cache of compiled programs is private, sound, and never in the way."""

import os

import pytest
from support.command_line import run_cli

from dlreg.engine import compile_cache as module
from dlreg.engine.compile_cache import compile_cache


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(home) -> list:
    return [entry for entry in home.glob("dlreg/xla-*/*") if entry.is_file()]


def write(content: bytes = b"program", name: str = "one.pb") -> None:
    with compile_cache(enabled=True) as folder:
        (folder / name).write_bytes(content)


def test_what_is_written_is_there_the_next_time(home):
    write()
    with compile_cache(enabled=True) as folder:
        assert [(entry.name, entry.read_bytes()) for entry in folder.iterdir()] == [("one.pb", b"program")]
        assert folder.is_relative_to(home)
    assert not folder.exists()
    assert [entry.stat().st_nlink for entry in entries(home)] == [1]
    assert {os.lstat(part).st_mode & 0o077 for part in home.glob("dlreg/xla-*")} == {0}


def test_two_processes_do_not_see_each_others_work(home):
    with compile_cache(enabled=True) as first, compile_cache(enabled=True) as second:
        assert first != second
        (first / "one.pb").write_bytes(b"program")
        (second / "one.pb").write_bytes(b"program")
    assert len(entries(home)) == 1


def test_programs_that_processes_compiled_at_once_leave_one_and_a_cache_that_works(home):
    contexts = [compile_cache(enabled=True) for _ in range(3)]
    for number, folder in enumerate([context.__enter__() for context in contexts]):
        (folder / "one.pb").write_bytes(b"program %d" % number)
    for context in contexts:
        context.__exit__(None, None, None)
    assert len(entries(home)) == 3
    with compile_cache(enabled=True) as folder:
        (linked,) = folder.iterdir()
        (entry,) = entries(home)
        assert linked.samefile(entry)
    assert list(leaf(home).iterdir()) == [entry]


def test_an_entry_that_another_process_removes_meanwhile_is_none(home, monkeypatch):
    write()

    def open_removed(entry, **options):
        entry.unlink()
        return open_plain(entry, **options)

    open_plain = module.open_plain
    monkeypatch.setattr(module, "open_plain", open_removed)
    with compile_cache(enabled=True) as folder:
        assert list(folder.iterdir()) == []
        (folder / "two.pb").write_bytes(b"program")
    assert [entry.name.split(".")[0] for entry in leaf(home).iterdir()] == ["two"]


@pytest.mark.parametrize("damage", [b"", b"progran", b"program and more"])
def test_a_damaged_entry_is_removed(home, damage):
    write()
    entries(home)[0].write_bytes(damage)
    with compile_cache(enabled=True) as folder:
        assert list(folder.iterdir()) == []
    assert entries(home) == []


def test_a_link_or_a_strange_name_is_no_entry(home):
    write()
    (entry,) = entries(home)
    (entry.parent / "two.pb.0000").symlink_to(entry)
    (entry.parent / "stranger").write_bytes(b"x")
    with compile_cache(enabled=True) as folder:
        assert [linked.name for linked in folder.iterdir()] == ["one.pb"]
    assert entries(home) == [entry]


def leaf(home):
    (folder,) = home.glob("dlreg/xla-*")
    return folder


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        ("above", 0o777),
        ("above", 0o775),
        ("leaf", 0o777),
        ("leaf", 0o1777),
        ("leaf", 0o770),
        ("leaf", 0o1770),
    ],
)
def test_a_place_where_others_can_write_is_not_used(home, place, mode):
    write()
    (leaf(home) if place == "leaf" else home / "dlreg").chmod(mode)
    with compile_cache(enabled=True) as folder:
        assert folder is None
    assert len(entries(home)) == 1


def test_above_it_a_sticky_folder_is_fine(home):
    write()
    home.chmod(0o1777)
    with compile_cache(enabled=True) as folder:
        assert [entry.name for entry in folder.iterdir()] == ["one.pb"]


def test_a_folder_of_another_user_is_not_used(home, monkeypatch):
    write()
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with compile_cache(enabled=True) as folder:
        assert folder is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("owned", ["leaf", "entry", "folder in use"])
def test_what_belongs_to_another_user_is_neither_used_nor_touched(home, owned):
    write()
    (entry,) = entries(home)
    (in_use := entry.with_name("in-use-1")).mkdir()
    foreign = {"leaf": leaf(home), "entry": entry, "folder in use": in_use}[owned]
    os.chown(foreign, 12345, 12345)
    with compile_cache(enabled=True) as folder:
        assert folder is None
    assert foreign.exists() and entry.read_bytes() == b"program"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o1666])
def test_an_entry_that_others_may_write_is_removed(home, mode):
    write()
    entries(home)[0].chmod(mode)
    with compile_cache(enabled=True) as folder:
        assert list(folder.iterdir()) == []
    assert entries(home) == []


def test_whatever_the_umask_an_entry_is_there_the_next_time(home):
    home.mkdir()
    (home / "dlreg").mkdir()
    before = os.umask(0o002)
    try:
        write()
        with compile_cache(enabled=True) as folder:
            assert [entry.name for entry in folder.iterdir()] == ["one.pb"]
    finally:
        os.umask(before)


def test_a_pipe_in_the_place_of_an_entry_is_not_waited_for(home):
    write()
    os.mkfifo(leaf(home) / "two.pb.0000")
    with compile_cache(enabled=True) as folder:
        assert [entry.name for entry in folder.iterdir()] == ["one.pb"]
    assert not (leaf(home) / "two.pb.0000").exists()


def test_the_oldest_entries_make_room(home, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 20)
    for age, name in ((3, "old.pb"), (2, "middle.pb"), (1, "new.pb")):
        write(b"12345678", name)
        path = next(entry for entry in entries(home) if entry.name.startswith(name))
        os.utime(path, (1e9 - age, 1e9 - age))
    with compile_cache(enabled=True) as folder:
        assert {entry.name for entry in folder.iterdir()} == {"middle.pb", "new.pb"}


@pytest.mark.parametrize("place", ["file", "missing home", "off"])
def test_without_a_place_there_is_no_cache(tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("")
    home = {"file": "file/cache", "off": "cache", "missing home": ""}[place]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home) if home else "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with compile_cache(enabled=place != "off") as folder:
        assert folder is None
    assert not (tmp_path / "cache").exists()


def test_a_run_with_a_warm_or_poisoned_cache_is_the_same(project, home):
    names = ("history.json", "metrics.json", "predictions.csv", "pipeline.onnx")
    for number, poison in enumerate((False, False, True)):
        for entry in entries(home) if poison else ():
            entry.write_bytes(entry.read_bytes()[:5000])
        settings = ["--set", "training.epochs=3", "--run-dir", f"cached-{number}", "--quiet"]
        done = run_cli("train", "config.yaml", *settings, cwd=project)
        assert (done.returncode, done.stderr) == (0, "")
        assert entries(home)
        for name in names:
            written = (project / f"cached-{number}" / name).read_bytes()
            assert written == (project / "cached-0" / name).read_bytes(), name
