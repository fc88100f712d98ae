"""Folders that are made once, whole or not at all, and not cleared while they are used."""

import os
import subprocess
import sys
import threading

import pytest

from dlreg.files.kept_folder import clear_kept, kept_folder, list_kept


def make(folder):
    (folder / "cells").write_bytes(b"12345")


def refuse(folder):
    raise AssertionError(folder)


def test_a_folder_is_made_once(tmp_path):
    base = tmp_path / "cache"
    with kept_folder(base, "a", make) as folder:
        assert (folder / "cells").read_bytes() == b"12345"
    with kept_folder(base, "a", refuse) as again:
        assert again == folder
    assert base.stat().st_mode & 0o777 == 0o700
    assert [(kept.path, kept.n_bytes) for kept in list_kept(base)] == [(folder, 5)]


def test_what_fails_leaves_nothing(tmp_path):
    def fail(folder):
        make(folder)
        raise OSError("full")

    with pytest.raises(OSError, match="full"), kept_folder(tmp_path, "a", fail):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_made_anew(tmp_path):
    script = (
        "import os, pathlib, sys; from dlreg.files.kept_folder import kept_folder\n"
        "def make(folder): (folder / 'half').write_text('x'); os._exit(9)\n"
        "with kept_folder(pathlib.Path(sys.argv[1]), 'a', make): pass"
    )
    killed = subprocess.run([sys.executable, "-c", script, tmp_path], check=False, env=os.environ)
    assert killed.returncode == 9
    assert (tmp_path / "a.partial" / "half").exists()
    assert [(kept.path.name, kept.n_bytes) for kept in list_kept(tmp_path)] == [("a", 1)]
    with kept_folder(tmp_path, "a", make) as folder:
        assert [entry.name for entry in folder.iterdir()] == ["cells"]


def test_two_makers_make_one_folder(tmp_path):
    made, entered = [], threading.Barrier(2, timeout=10)

    def use():
        def make_slowly(folder):
            made.append(folder)
            make(folder)

        entered.wait()
        with kept_folder(tmp_path, "a", make_slowly) as folder:
            assert (folder / "cells").exists()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_folder_in_use_is_not_cleared(tmp_path):
    with kept_folder(tmp_path, "a", make) as folder:
        assert not clear_kept(tmp_path, "a")
        assert (folder / "cells").exists()
    assert clear_kept(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []
    with kept_folder(tmp_path, "a", make) as folder:
        assert (folder / "cells").exists()


def test_what_a_killed_process_left_is_cleared(tmp_path):
    (tmp_path / "a.partial").mkdir()
    (tmp_path / "a.partial" / "half").write_text("x")
    assert clear_kept(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_makers_and_clearers_in_turn_never_see_half_a_folder(tmp_path):
    """Four threads use a folder while another clears it again and again."""
    done = threading.Event()

    def clear():
        while not done.is_set():
            clear_kept(tmp_path, "a")

    def use(seen):
        for _ in range(100):
            with kept_folder(tmp_path, "a", make) as folder:
                seen.append((folder / "cells").read_bytes())

    seen = []
    clearer = threading.Thread(target=clear)
    users = [threading.Thread(target=use, args=(seen,)) for _ in range(4)]
    for thread in (clearer, *users):
        thread.start()
    for thread in users:
        thread.join()
    done.set()
    clearer.join()
    assert seen == [b"12345"] * 400
