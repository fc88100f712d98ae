"""The space of a config that names none: one that the config itself could have named."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.configs import HEAD, load

from dlreg.config.reading import load_config, trial_config
from dlreg.config.writing import dump_config
from dlreg.search.default_space import MANY_ROWS, default_space
from dlreg.search.space import Choices, Range, own_values, search_of, spelled_out

CONFIGS = (
    "",
    "preset: accurate\n",
    "preset: fast\n",
    "preset: accurate\ntraining: {learning_rate: 0.05, weight_decay: 0, epochs: 100}\nmodel: {dropout: 0.4}\n",
    "training: {learning_rate: 0.5, batch_size: 7, weight_decay: 0.3, cross_validation: 5}\n"
    "model: {hidden_layers: [], dropout: [0.2, 0.3], activation: tanh}\n"
    "preprocessing: {embedding: [none, periodic], numeric: minmax}\n",
    "training: {optimizer: sgd, momentum: 0.9, schedule: cosine}\n",
    "training: {schedule: coslog4, learning_rate: 0.9}\nmodel: {hidden_layers: [40000]}\n",
    "preset: fast\ntraining: {learning_rate: 1e308, weight_decay: 1e-323, auto_steps: 2147483647}\n",
    "training: {learning_rate: 1e-323}\n",
)


@pytest.mark.parametrize("text", CONFIGS)
@pytest.mark.parametrize("n_rows", [None, 100, MANY_ROWS + 1])
def test_it_could_stand_in_the_config_and_holds_its_own_values(
    tmp_path: Path, text: str, n_rows: int | None
) -> None:
    config = load(tmp_path, HEAD + text)
    search = search_of(config, n_rows)
    assert search.is_default
    assert all(own.is_inside for own in own_values(config, search.space).values())
    # Reading it finds no fault with any of its values.
    (tmp_path / "spelled.yaml").write_text(dump_config(spelled_out(config, n_rows)))
    assert search_of(load_config(tmp_path / "spelled.yaml")).space == search.space


@pytest.mark.parametrize("text", CONFIGS)
def test_any_of_its_points_is_a_config(tmp_path: Path, text: str) -> None:
    config, random = load(tmp_path, HEAD + text), Random(0)

    def value(wanted: Range | Choices) -> Any:
        if isinstance(wanted, Choices):
            return random.choice(wanted.values)
        return random.uniform(wanted.minimum, wanted.maximum)

    space = search_of(config).space
    for _ in range(50):
        trial_config(config, {key: value(wanted) for key, wanted in space.items()})


def test_a_recipe_is_searched_near_its_values_and_a_plain_network_widely(tmp_path: Path) -> None:
    accurate = search_of(load(tmp_path, HEAD + "preset: accurate\n"))
    assert accurate.metric == "out_of_fold.rmse"
    assert accurate.space["model.hidden_layers"] == Choices(([96, 96], [192, 192]))
    assert accurate.space["training.auto_steps"] == Choices((3072, 6144))
    assert "model.activation" not in accurate.space
    plain = search_of(load(tmp_path, HEAD)).space
    assert plain["training.learning_rate"] == Range(3e-4, 1e-2, is_log=True)
    assert len(plain) == 8


def test_a_large_table_is_not_searched_in_small_batches(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    small, large = (default_space(config, n)["training.batch_size"] for n in (MANY_ROWS, MANY_ROWS + 1))
    assert sorted(small.values) == [16, 32, 64]
    # Its own is always tried.
    assert sorted(large.values) == [32, 64, 128, 256]
