"""The schema: its defaults, its words, and that nothing changes a config."""

from pathlib import Path
from typing import get_args

import pytest
from support.configs import HEAD, load

from dlreg.config.schema import Config
from dlreg.config.sections.model import Activation, ModelConfig
from dlreg.config.sections.training import Refit


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    assert config.data.path == tmp_path / "table.csv"
    assert config.data.model_dump(exclude={"path"}) == {
        "target": "y",
        "features": "all",
        "exclude": (),
        "encoding": "utf-8",
        "delimiter": ",",
        "header": True,
        "names": None,
        "skip_rows": 0,
        "skip_footer": 0,
        "comment": None,
        "skip_initial_space": False,
        "sheet": None,
        "decimal": ".",
        "thousands": None,
        "missing_values": (),
        "non_data_rows": "refuse",
        "types": {},
        "fold_case": False,
        "dates": {},
        "time_zone": None,
        "holidays": None,
        "test_split": 0.2,
        "test_path": None,
        "validation_path": None,
        "split": "random",
        "split_by": None,
        "cache": "auto",
    }
    assert config.model_dump(exclude={"data"}) == {
        "preset": "standard",
        "preprocessing": {
            "numeric": "standard",
            "missing": "median",
            "missing_indicator": False,
            "categorical": "onehot",
            "dates": "cycles",
            "embedding": "none",
            "target": "standard",
            "clip_predictions": False,
        },
        "model": {
            "hidden_layers": (64, 64),
            "activation": "relu",
            "dropout": 0.0,
            "dropout_schedule": "constant",
            "l2": 0.0,
            "batch_norm": False,
            "parametric_activation": False,
            "feature_scale": False,
            "initializer": "glorot_uniform",
            "ensemble": 1,
            "ensemble_kind": "independent",
            "ensemble_selection": "all",
            "sample": None,
            "blend": (),
        },
        "training": {
            "loss": "mse",
            "optimizer": "adam",
            "learning_rate": 0.001,
            "learning_rate_factors": {
                "weights": 1.0,
                "biases": 1.0,
                "embeddings": 1.0,
                "feature_scale": 1.0,
                "weights_by_fan_in": False,
            },
            "weight_decay": 0.0,
            "weight_decay_groups": ("weights", "biases", "embeddings", "feature_scale"),
            "momentum": 0.0,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "clip_norm": None,
            "ema_momentum": None,
            "schedule": {"name": "constant"},
            "epochs": "auto",
            "auto_steps": None,
            "time_limit": None,
            "batch_size": "auto",
            "equal_batches": False,
            "validation_split": 0.2,
            "cross_validation": None,
            "refit": "auto",
            "early_stopping": {"patience": "auto", "min_delta": 0.0},
            "restore_best_weights": True,
            "seed": 42,
        },
        "run": {"dir": None, "threads": None, "compile_cache": True, "log": ()},
        "gates": (),
        "search": {
            "metric": "rmse",
            "trials": 50,
            "time_limit": None,
            "method": "tpe",
            "prune": None,
            "storage": None,
            "parameters": {},
        },
    }


def test_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path, HEAD).training.epochs = 3


def test_the_json_schema_describes_every_key() -> None:
    schema = Config.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for key, node in section["properties"].items():
            assert node.get("description") or "$ref" in node, key
    assert {"type": "string", "enum": ["constant", "cosine", "step", "plateau", "coslog4"]} in schema[
        "$defs"
    ]["TrainingConfig"]["properties"]["schedule"]["anyOf"]


def test_activations_are_of_one_name_each() -> None:
    assert len(set(get_args(Activation))) == len(get_args(Activation)) == 26


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, ("ridge",)),
        (False, ()),
        ([], ()),
        (["trees", "ridge", "trees"], ("ridge", "trees")),
        (["trees"], ("trees",)),
    ],
)
def test_what_is_blended_has_one_spelling_and_yes_or_no_still_mean_what_they_did(
    given: object, expected: tuple[str, ...]
) -> None:
    assert ModelConfig(blend=given).blend == expected
    assert ModelConfig(**ModelConfig(blend=given).model_dump(mode="json")).blend == expected


def test_what_members_draw_fades_with_the_epochs_as_what_the_config_says(tmp_path):
    head = f"{HEAD}training: {{refit: null}}\n"
    fading = "{ensemble: 3, dropout_schedule: fading, sample: {dropout: {min: 0.1, max: 0.5}}}"
    assert load(tmp_path, f"{head}model: {fading}\n").depends_on_epochs
    assert not load(tmp_path, f"{head}model: {fading.replace('fading', 'constant')}\n").depends_on_epochs


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ("{}", Refit(epochs_fraction=0.4, learning_rate_fraction=3.0)),
        (
            "{validation_split: 0.4, early_stopping: null, learning_rate: 0.0003}",
            Refit(epochs_fraction=0.4, learning_rate_fraction=3.0),
        ),
        (
            "{cross_validation: 5, optimizer: sgd, learning_rate: 0.01}",
            Refit(epochs_fraction=0.4, learning_rate_fraction=1.0),
        ),
        ("{epochs: 100}", None),
        ("{validation_split: 0}", None),
        ("{restore_best_weights: false}", None),
        ("{refit: null}", None),
        ("{epochs: 100, refit: {epochs_fraction: 2}}", Refit(epochs_fraction=2.0)),
        ("{epochs: 100, refit: auto}", None),
    ],
)
def test_a_training_that_is_left_to_dlreg_ends_with_the_rows_that_validated(tmp_path, training, expected):
    assert load(tmp_path, f"{HEAD}training: {training}\n").refitting == expected


def test_rows_that_validate_from_a_file_of_their_own_are_learnt_only_where_it_is_asked_for(tmp_path):
    head = HEAD.replace("  target", "  validation_path: other.csv\n  target")
    assert load(tmp_path, head).refitting is None
    assert load(tmp_path, f"{head}training: {{refit: {{}}}}\n").refitting == Refit()
