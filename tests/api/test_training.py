"""`dlreg.train` makes the run that `dlreg train` makes, and is interrupted as Python code is."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

import dlreg
from dlreg.api import progress

FEW = {"training.epochs": 4, "training.early_stopping": None}


@pytest.fixture
def folder(project, tmp_path, monkeypatch):
    """A working directory with the project's table and config."""
    for name in ("table.csv", "config.yaml"):
        (tmp_path / name).write_bytes((project / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_a_run_is_that_of_the_command_line(project, folder):
    run = dlreg.train("config.yaml")
    assert run.path.name == "config-1"
    for name in ("pipeline.onnx", "metrics.json", "history.json", "predictions.csv", "preprocessing.json"):
        assert (run.path / name).read_bytes() == (project / "run" / name).read_bytes()


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_a_mapping_with_overrides_is_a_file_with_them(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    of_mapping = dlreg.train(config, overrides=FEW | {"model.hidden_layers": [5]})
    assert of_mapping.path.as_posix() == "runs/table-1"
    config["training"].update(epochs=4, early_stopping=None)
    config["model"]["hidden_layers"] = [5]
    (folder / "other.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    of_file = dlreg.train("other.yaml", run_dir="of_file")
    assert of_mapping.metrics == of_file.metrics
    assert of_mapping.history.equals(of_file.history) and len(of_file.history) == 4


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_an_interrupted_training_goes_on_to_the_same_bits(folder, monkeypatch):
    whole = dlreg.train("config.yaml", run_dir="whole", overrides=FEW)

    def interrupt(_, state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Silence, "on_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt, match=r"dlreg\.train\(\"broken\", resume=True\)"):
        dlreg.train("config.yaml", run_dir="broken", overrides=FEW)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert json.loads((folder / "broken" / "run.json").read_text())["status"] == "interrupted"
    resumed = dlreg.train("broken", resume=True)
    assert (resumed.path / "pipeline.onnx").read_bytes() == (whole.path / "pipeline.onnx").read_bytes()
    assert resumed.history.equals(whole.history)
    # A complete run is loaded.
    assert dlreg.train("broken", resume=True).metrics == whole.metrics


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_a_run_without_a_checkpoint_starts_anew_and_says_so(folder):
    with pytest.warns(dlreg.DlregWarning, match=r"^new: there is no checkpoint to go on from, .* epoch 0$"):
        run = dlreg.train("config.yaml", run_dir="new", overrides=FEW, resume=True)
    assert len(run.history) == 4


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
@pytest.mark.bad_input("other")
def test_what_stands_in_the_way_is_told_in_words_of_python(folder):
    dlreg.train("config.yaml", run_dir="taken", overrides=FEW)
    with pytest.raises(dlreg.StorageError, match="run_dir, or overwrite=True") as caught:
        dlreg.train("config.yaml", run_dir="taken", overrides=FEW)
    assert "--" not in str(caught.value)
    with pytest.raises(dlreg.UsageError, match="give one of them"):
        dlreg.train("config.yaml", run_dir="taken", overwrite=True, resume=True)
    with pytest.raises(dlreg.UsageError) as caught:
        dlreg.train({"data": {"path": "table.csv", "target": "year"}}, resume=True)
    assert "--" not in str(caught.value) and "run_dir" in str(caught.value)
    again = dlreg.train("config.yaml", run_dir="taken", overrides=FEW | {"training.seed": 1}, overwrite=True)
    assert again.config["training"]["seed"] == 1


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_a_gate_fails_and_leaves_the_run(folder):
    with pytest.raises(dlreg.GateError):
        dlreg.train("config.yaml", run_dir="worse", overrides=FEW | {"gates": ["rmse>0"]})
    assert dlreg.load("worse").metrics["test"]["rmse"] > 0


@pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")
def test_any_thread_may_train(folder):
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(dlreg.train, "config.yaml", overrides=FEW).result()
    assert len(run.history) == 4


@pytest.mark.bad_input("config")
def test_the_faults_of_the_config_come_with_those_of_the_table(folder):
    with pytest.raises(dlreg.ConfigError) as caught:
        dlreg.train("config.yaml", overrides={"training.epochs": 0, "data.target": "none"})
    told = str(caught.value)
    assert "overrides['training.epochs']: " in told and "'none'" in told


def test_what_a_user_should_know_is_warned_of(folder):
    with pytest.warns(dlreg.DlregWarning, match="cells are missing in column 'moment'") as caught:
        dlreg.train("config.yaml", overrides=FEW)
    # At the line that asked for it; Keras has warnings of its own.
    own = {warning.filename for warning in caught if warning.category is dlreg.DlregWarning}
    assert own == {__file__}
