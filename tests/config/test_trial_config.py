"""The config of a trial: what the file gives with these values set on the command line, only sooner."""

import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.configs import HEAD, load
from support.fuzzing import EXAMPLES

from dlreg.config.reading import load_config, overrides_of, trial_config, without_search
from dlreg.config.schema import Config
from dlreg.config.writing import dump_config
from dlreg.errors import ConfigError

TEXTS = (
    "run: {dir: here, threads: 1}\n",
    "preset: accurate\ntraining: {learning_rate: 0.1}\nmodel: {hidden_layers: [8]}\n",
    "preset: fast\ntraining: {cross_validation: 3, refit: {epochs_fraction: 0.5}}\n",
    "training: {cross_validation: 5, schedule: cosine}\nsearch: {parameters: {model.l2: {min: 0, max: 1}}}\n",
    "training: {schedule: {name: step, every_epochs: 7}, early_stopping: null}\ngates: [validation.r2<0]\n",
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "preset": st.sampled_from(["standard", "fast", "accurate", "best"]),
    "training.learning_rate": st.floats(1e-300, 1e300) | st.integers(1, 3),
    "training.batch_size": st.integers(1, 2**31 - 1),
    "training.epochs": st.sampled_from(["auto", 1, 100]),
    "training.momentum": st.floats(0, 0.99),
    "training.optimizer": st.sampled_from(["adam", "sgd", "rmsprop"]),
    "training.schedule": st.sampled_from(["constant", {"name": "cosine", "warmup_epochs": 3}, {"name": "coslog4"}]),
    "training.early_stopping.patience": st.integers(1, 50),
    "training.refit.epochs_fraction": st.floats(0.1, 1),
    "training.clip_norm": st.none() | st.floats(1e-9, 1e9),
    "training.learning_rate_factors.biases": st.floats(0, 10),
    "model.hidden_layers": st.lists(st.integers(1, 512), max_size=3),
    "model.dropout": st.floats(0, 0.9) | st.lists(st.floats(0, 0.9), min_size=1, max_size=2),
    "model.blend": st.booleans(),
    "preprocessing.embedding": st.sampled_from(["none", ["periodic", "none"]]),
}  # fmt: skip


def by_reading(path: Path, values: dict[str, Any]) -> Config:
    """The same without what makes it quick."""
    config = without_search(load_config(path, overrides_of(values)))
    return config.model_copy(update={"run": config.run.model_copy(update={"dir": None})})


def outcome(make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except ConfigError as error:
        return error.faults


@given(text=st.sampled_from(TEXTS), values=st.fixed_dictionaries({}, optional=VALUES))
@settings(max_examples=EXAMPLES // 10, deadline=None)
def test_it_is_the_config_that_the_command_line_gives(
    tmp_path_factory: pytest.TempPathFactory, text: str, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "trial.yaml"
    path.write_text(HEAD + text)
    # The config goes to other processes.
    config = pickle.loads(pickle.dumps(load_config(path)))
    expected, made = outcome(by_reading, path, values), outcome(trial_config, config, values)
    assert made == expected
    if isinstance(made, Config):
        assert dump_config(made) == dump_config(expected)


def test_a_preset_brings_its_values_but_for_those_that_are_given(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + "training: {learning_rate: 0.3}\n")
    accurate = trial_config(config, {"preset": "accurate"})
    assert accurate.training.learning_rate == 0.3
    assert accurate.training.cross_validation == 5
    assert accurate.model.activation == "mish"
    assert trial_config(accurate, {"preset": "standard"}) == trial_config(config, {})


def test_what_has_been_settled_since_the_file_was_read_stays(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    on_disk = config.model_copy(update={"data": config.data.model_copy(update={"cache": "disk"})})
    assert trial_config(on_disk, {"model.l2": 0.1}).data.cache == "disk"
    wider = config.model_copy(update={"model": config.model.model_copy(update={"hidden_layers": (7,)})})
    assert trial_config(wider, {"model.l2": 0.1}).model.hidden_layers == (7,)
    assert trial_config(Config.model_validate(wider.model_dump()), {}).model.hidden_layers == (7,)


def test_values_that_contradict_each_other_are_refused_with_every_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        trial_config(load(tmp_path, HEAD), {"training.momentum": 0.5, "model.blend": True})
    assert [fault.path for fault in caught.value.faults] == ["--set training.momentum", "--set model.blend"]


def test_it_takes_less_than_three_milliseconds(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + TEXTS[1])
    values = {
        "training.learning_rate": 0.01,
        "model.dropout": 0.1,
        "model.hidden_layers": [64, 64],
        "model.l2": 0.1,
    }

    def seconds() -> float:
        began = time.thread_time()
        for _ in range(20):
            trial_config(config, values)
        return (time.thread_time() - began) / 20

    assert min(seconds() for _ in range(5)) < 0.003
