"""A tracker whose library is not installed is refused before anything is trained."""

import importlib.machinery

import pytest

from dlreg.commands.check import check
from dlreg.errors import UsageError
from dlreg.trackers import libraries


@pytest.fixture
def without_mlflow(monkeypatch):
    monkeypatch.setattr(
        libraries,
        "find_spec",
        lambda name: None if name == "mlflow" else importlib.machinery.ModuleSpec(name, None),
    )


def test_what_is_missing_is_named_with_the_way_to_install_it(without_mlflow):
    libraries.refuse_missing_libraries(["tensorboard"])
    with pytest.raises(UsageError) as caught:
        libraries.refuse_missing_libraries(["tensorboard", "mlflow"])
    (fault,) = caught.value.faults
    assert "not installed: mlflow" in fault.message
    assert fault.hint == "pip install 'dlreg[mlflow]'"


def test_check_tells_it(without_mlflow, project):
    report = check(project / "config.yaml", ["run.log=[mlflow]"])
    assert report.exit_code == 2
    assert [fault.hint for fault in report.faults] == ["pip install 'dlreg[mlflow]'"]
