"""What is done to the process while TensorFlow is imported, and that it is undone."""

import gc
import os
from pathlib import Path

import pytest

from dlreg.cli.importing import quiet_import


def test_native_code_is_not_heard_and_python_collects_again(capfd):
    with quiet_import():
        assert not gc.isenabled()
        os.write(2, b"noise")
    os.write(2, b"news")
    assert gc.isenabled()
    assert capfd.readouterr().err == "news"


def test_all_is_undone_where_the_import_fails(capfd):
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(ImportError), quiet_import():
        raise ImportError
    os.write(2, b"news")
    assert gc.isenabled()
    assert capfd.readouterr().err == "news"
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_what_was_imported_is_spared_by_the_collector_from_then_on():
    gc.unfreeze()
    with quiet_import():
        made = [[] for _ in range(1000)]
    assert gc.get_freeze_count() > len(made)
    gc.unfreeze()
