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
    own = own_values(config, search.space)
    assert all(value.is_inside for key, value in own.items() if key != "model.ensemble")
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
    assert accurate.space == {
        "training.learning_rate": Range(0.2 / 3, 0.2, is_log=True),
        "training.weight_decay": Range(0.005, 0.08, is_log=True),
        "training.auto_steps": Choices((2048, 4096)),
        "model.dropout": Choices(([0.1, 0.0], [0.2, 0.0])),
        "model.ensemble": Choices((2,)),
    }
    plain = search_of(load(tmp_path, HEAD)).space
    assert plain["training.learning_rate"] == Range(3e-4, 1e-2, is_log=True)
    assert len(plain) == 8


@pytest.mark.parametrize(("own", "tried"), [(1, 2), (3, 6), (60, 100), (100, 100)])
def test_trials_of_a_recipe_have_twice_its_ensemble_as_far_as_a_config_may(
    tmp_path: Path, own: int, tried: int
) -> None:
    config = load(tmp_path, HEAD + f"preset: fast\nmodel: {{ensemble: {own}}}\n")
    assert search_of(config).space["model.ensemble"] == Choices((tried,))


def test_a_large_table_is_not_searched_in_small_batches(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    small, large = (default_space(config, n)["training.batch_size"] for n in (MANY_ROWS, MANY_ROWS + 1))
    # Its own is always tried.
    assert small.values == ("auto", 16, 32, 64)
    assert large.values == ("auto", 64, 128, 256)


@pytest.mark.parametrize("preset", ["standard", "accurate"])
def test_what_members_draw_is_not_searched(tmp_path: Path, preset: str) -> None:
    model = "model: {{ensemble: 4, sample: {{learning_rate: {{min: 0.01, max: 0.1}}{}}}}}\n"
    plain = default_space(load(tmp_path, f"preset: {preset}\n{HEAD}"))
    some = default_space(load(tmp_path, f"preset: {preset}\n{HEAD}{model.format('')}"))
    more = ", dropout: {min: 0, max: 0.3}, weight_decay: {min: 0, max: 0.3}"
    others = default_space(load(tmp_path, f"preset: {preset}\n{HEAD}{model.format(more)}"))
    assert plain.keys() - some.keys() == {"training.learning_rate"}
    assert plain.keys() - others.keys() == {
        "training.learning_rate",
        "training.weight_decay",
        "model.dropout",
    }
