"""A notebook shows a bar while a training goes on; nothing else does."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from dlreg.api.progress import NotebookBar, Shown, Silence, notebook_bar


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, shown):
        self.shown.append(shown._repr_html_())


@pytest.fixture
def notebook(monkeypatch):
    """IPython, as a kernel has it."""
    handle = Handle()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.display = lambda *_, **__: handle
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return handle


def progress(epoch, **others):
    state = {"epoch": epoch, "epochs": 10, "refit_epoch": 0, "finished": False, "history": {"loss": [0.5]}}
    return SimpleNamespace(**{**state, **others})


def test_the_bar_shows_stage_and_losses_and_goes(notebook):
    with notebook_bar() as listener:
        listener.on_stage("reading <table.csv>")
        listener.on_epoch(progress(2, history={"loss": [1.0, 0.25], "val_loss": [1.0, 0.5]}))
        # A few times a second is enough.
        listener.on_epoch(progress(3))
        listener.on_epoch(progress(10, finished=True))
    stage, epoch, last, gone = notebook.shown
    assert "reading &lt;table.csv&gt;" in stage and "value" not in stage
    assert 'value="0.2000"' in epoch and "epoch 2/10  loss 0.25  val_loss 0.5" in epoch
    assert "epoch 10/10" in last and gone == ""


def test_refitting_has_a_bar_of_its_own(notebook):
    import numpy as np

    bar = NotebookBar(notebook)
    bar.on_epoch(progress(10, refit_epoch=1, refit_epochs=np.array([4]), refit={"loss": [0.125]}))
    assert 'value="0.2500"' in notebook.shown[0] and "loss 0.125" in notebook.shown[0]


def test_nothing_is_shown_where_nobody_asks_or_looks(notebook, monkeypatch):
    with notebook_bar(enabled=False) as listener:
        assert isinstance(listener, Silence)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace())
    with notebook_bar() as listener:
        assert isinstance(listener, Silence)
    monkeypatch.delitem(sys.modules, "IPython")
    with notebook_bar() as listener:
        assert isinstance(listener, Silence)
    assert notebook.shown == []


def test_text_alone_is_shown_where_html_is_not():
    assert repr(Shown("epoch 1/2", 0.5)) == "epoch 1/2"
