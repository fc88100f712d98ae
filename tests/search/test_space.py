"""What a config says of its search, with what it leaves open settled."""

from pathlib import Path

import pytest
from support.configs import HEAD, load

from dlreg.config.reading import load_config, trial_config
from dlreg.config.writing import dump_config
from dlreg.errors import ConfigError
from dlreg.search.space import Choices, OwnValue, Range, own_values, search_of, settle_refit, spelled_out

SEARCH = """\
search:
  metric: validation.r2
  trials: 100
  time_limit: 1h30m
  method: random
  storage: sqlite:////folder/study.db
  prune: false
  parameters:
    training.learning_rate: {min: 1e-4, max: 1e-1, distribution: log_uniform}
    training.batch_size: {min: 8, max: 64}
    model.dropout: {min: 0, max: 0.5}
    model.hidden_layers: {values: [[64, 64], [128]]}
"""


def test_everything_that_is_said_of_a_search(tmp_path: Path) -> None:
    search = search_of(load(tmp_path, HEAD + SEARCH))
    assert (search.metric, search.maximise) == ("validation.r2", True)
    assert (search.trials, search.time_limit, search.method) == (100, 5400.0, "random")
    assert (search.storage, search.prune, search.is_default) == ("sqlite:////folder/study.db", False, False)
    assert search.space == {
        "training.learning_rate": Range(1e-4, 0.1, is_log=True),
        "training.batch_size": Range(8, 64, is_integer=True),
        "model.dropout": Range(0, 0.5),
        "model.hidden_layers": Choices(([64, 64], [128])),
    }
    assert search.notes == ()


@pytest.mark.parametrize(
    ("text", "metric", "prune"),
    [
        ("", "validation.rmse", True),
        ("training: {cross_validation: 5}\n", "out_of_fold.rmse", False),
        ("preset: accurate\n", "out_of_fold.rmse", False),
        ("preset: accurate\nsearch: {metric: mae, prune: true}\n", "out_of_fold.mae", True),
        ("search: {metric: mae, prune: false}\n", "validation.mae", False),
        ("  validation_path: v.csv\n", "validation.rmse", True),
        ("training: {validation_split: 0}\nsearch: {metric: train.mse}\n", "train.mse", True),
    ],
)
def test_the_metric_is_of_the_rows_that_validate(tmp_path: Path, text: str, metric: str, prune: bool) -> None:
    search = search_of(load(tmp_path, HEAD + text))
    assert (search.metric, search.prune, search.maximise) == (metric, prune, False)


def test_without_rows_to_choose_by_there_is_no_search(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + "training: {validation_split: 0}\n")
    with pytest.raises(ConfigError, match="no validation rows") as caught:
        search_of(config)
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (4, 30)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("0.5m", 30), ("45", 45), ("1.5", 1.5), ('"90"', 90)],
)  # fmt: skip
def test_a_time_limit_in_seconds(tmp_path: Path, text: str, seconds: float) -> None:
    search = search_of(load(tmp_path, HEAD + f"search: {{time_limit: {text}}}\n"))
    assert (search.time_limit, search.trials) == (seconds, None)


GRID = "search: {method: grid, parameters: {model.l2: {values: [0, 0.1]}, model.dropout: {values: [0.2, 0.1, 0.5]}}}"


@pytest.mark.parametrize(
    ("overrides", "trials", "n_notes"),
    [
        # Those of the config itself are none of the six.
        ([], 7, 0),
        (["search.parameters.model.dropout.values=[0, 0.1, 0.5]"], 6, 0),
        (["search.trials=4"], 4, 0),
        (["search.trials=7"], 7, 0),
        (["search.trials=8"], 7, 1),
        (["search.trials=8", "search.method=tpe"], 7, 1),
        (["search.trials=8", "search.method=random", "search.storage=sqlite:////tmp/x.db"], 8, 0),
    ],
)
def test_a_search_ends_with_the_last_combination_of_values(
    tmp_path: Path, overrides: list[str], trials: int, n_notes: int
) -> None:
    search = search_of(load(tmp_path, HEAD + GRID, *overrides))
    assert (search.trials, len(search.notes)) == (trials, n_notes)
    assert all("no more than 7" in note for note in search.notes)


def test_a_seed_that_is_searched_is_noted(tmp_path: Path) -> None:
    search = search_of(load(tmp_path, HEAD, searches=["training.seed=1..999"]))
    (note,) = search.notes
    assert "it draws the validation rows too" in note


def test_choosing_by_the_rows_that_trials_learn_from_is_noted(tmp_path: Path) -> None:
    (note,) = search_of(load(tmp_path, HEAD + "search: {metric: train.mae}")).notes
    assert note.startswith("search.metric is train.mae: trials are chosen by the rows they learn from")
    assert not search_of(load(tmp_path, HEAD + "search: {metric: mae}")).notes


def test_the_configs_own_values_and_whether_they_lie_in_the_space(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        HEAD + "training: {schedule: cosine, batch_size: 128, cross_validation: 5}\n",
        searches=[
            "training.learning_rate=1e-4..1e-1:log",
            "training.batch_size=8..64",
            "training.clip_norm=0.1..1",
            "training.schedule=constant,{name: cosine, warmup_epochs: 0}",
            "model.hidden_layers=[64,64],[128]",
            "model.activation=gelu,mish",
            "model.dropout=0,0.1",
            "preset=fast,standard",
        ],
    )
    assert own_values(config, search_of(config).space) == {
        "training.learning_rate": OwnValue(0.001, is_inside=True),
        "training.batch_size": OwnValue(128, is_inside=False),
        "training.clip_norm": OwnValue(None, is_inside=False),
        # As the space spells it, defaults left out.
        "training.schedule": OwnValue({"name": "cosine", "warmup_epochs": 0}, is_inside=True),
        "model.hidden_layers": OwnValue([64, 64], is_inside=True),
        "model.activation": OwnValue("relu", is_inside=False),
        "model.dropout": OwnValue(0, is_inside=True),
        "preset": OwnValue("standard", is_inside=True),
    }


@pytest.mark.parametrize("text", ["", "preset: accurate\n", "search: {time_limit: 10m}\n", SEARCH])
def test_a_search_spelled_out_is_the_same_search(tmp_path: Path, text: str) -> None:
    config = load(tmp_path, HEAD + text)
    (tmp_path / "spelled.yaml").write_text(dump_config(spelled_out(config, 300)))
    again = search_of(load_config(tmp_path / "spelled.yaml"))
    expected = search_of(config, 300)
    assert again.space == expected.space
    assert (again.metric, again.trials, again.time_limit) == (
        expected.metric,
        expected.trials,
        expected.time_limit,
    )
    assert (again.prune, again.method, again.storage) == (expected.prune, expected.method, expected.storage)


def test_what_refitting_comes_to_by_itself_is_spelled_out_where_the_search_would_change_it(
    tmp_path: Path,
) -> None:
    config = load(tmp_path, HEAD)
    for keys in (["training.epochs"], ["training.refit.epochs_fraction", "model.dropout"]):
        settled = settle_refit(config, keys)
        assert settled.training.refit == config.refitting is not None
        # And so a number of epochs is tried with it.
        assert trial_config(settled, {"training.epochs": 30}).refitting == config.refitting
    assert trial_config(config, {"training.epochs": 30}).refitting is None
    assert settle_refit(config, ["model.dropout", "training.learning_rate"]) is config
    assert settle_refit(config, ["preset", "training.epochs"]) is config
    space = {"training.refit.epochs_fraction": Range(0.2, 0.8)}
    assert own_values(config, space) == {"training.refit.epochs_fraction": OwnValue(0.4, is_inside=True)}
