"""What light modules spell out, to import no model and no TensorFlow, is what the model and the engine have."""

from typing import get_args

from dlreg.config.sections import preprocessing, training
from dlreg.engine import epoch
from dlreg.engine.losses import LOSSES
from dlreg.engine.update_rules import build_optimizer
from dlreg.model import architecture, embeddings
from dlreg.preview import plan
from dlreg.runs import nearby
from dlreg.search import study_names


def test_a_config_names_the_embeddings_and_groups_of_parameters_that_the_model_has():
    assert get_args(preprocessing.EmbeddingName) == get_args(embeddings.EmbeddingName)
    assert get_args(training.ParameterGroup) == get_args(architecture.ParameterGroup)


def test_a_config_names_the_losses_the_engine_has():
    assert set(get_args(training.Loss)) == set(LOSSES)


def test_every_optimizer_of_a_config_can_be_built():
    names = training.TrainingConfig.model_json_schema()["properties"]["optimizer"]["enum"]

    assert len(names) == 6
    assert all(callable(build_optimizer(name).update) for name in names)


def test_the_memory_foretold_is_of_as_many_validation_rows_as_the_engine_takes_at_once():
    assert plan.MOST_VALIDATION_ROWS == epoch.VALIDATION_ROWS


def test_a_study_is_told_by_the_names_that_a_search_gives_it():
    assert (nearby.STUDY, nearby.BEST) == (study_names.STUDY, study_names.BEST)
