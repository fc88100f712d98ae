"""The plan: what is counted before a training is what the training then has."""

import pytest
from support.tables import folder_with, make_table, plain_table

from dlreg.commands.check import check
from dlreg.config.reading import load_config
from dlreg.preview.plan import count_features, plan_training
from dlreg.processor import usable_cores
from dlreg.steps.preparing import preprocess
from dlreg.table.dataset import load_dataset


@pytest.mark.parametrize("dates", ["cycles", "calendar"])
@pytest.mark.parametrize("categorical", ["onehot", "ordinal", "embedding"])
@pytest.mark.parametrize("seed", range(3))
def test_features_are_counted_as_they_are_made(tmp_path, categorical, seed, dates):
    table = make_table().rename(columns={"소요 시간": "y"})
    path = folder_with(tmp_path, table, exclude=["id"], dates={"day": "%d/%m/%Y"})
    overrides = [
        f"training.seed={seed}",
        f"preprocessing.categorical={categorical}",
        f"preprocessing.dates={dates}",
    ]
    config = load_config(path, overrides)
    dataset = load_dataset(config)
    fitted = preprocess(config, dataset).preprocessing
    n_features = count_features(config, dataset.columns, dataset.parts["train"])
    assert n_features == len(fitted.feature_names) == plan_training(config, dataset).features
    assert any(name.startswith("day.weekday") for name in fitted.feature_names) == (dates == "calendar")


def test_levels_outside_the_training_rows_are_no_features(tmp_path):
    table = plain_table(100).assign(level=["a"] * 40 + ["b"] * 40 + ["c"] * 20)
    config = load_config(folder_with(tmp_path, table, "  split: ordered\n"))
    plan = plan_training(config, load_dataset(config))
    assert plan.features == 4
    assert plan.rows == {"train": 64, "validation": 16, "test": 20}


@pytest.mark.bad_input("config")
def test_levels_too_many_for_a_column_each_are_to_be_embedded(tmp_path):
    table = plain_table(2400).assign(shop=[f"shop {number // 2}" for number in range(2400)])
    path = folder_with(tmp_path, table, types={"shop": "category"})
    (fault,) = check(path).faults
    assert "too many for a column each" in fault.message
    assert "preprocessing.categorical: embedding" in fault.hint
    assert not check(path, ["preprocessing.categorical=embedding"]).faults


def test_a_larger_network_takes_more_memory(tmp_path):
    config = folder_with(tmp_path, plain_table())
    sizes = [check(config, [f"model.hidden_layers=[{n}, {n}]"]).plan["memory_bytes"] for n in (8, 4096)]
    assert sizes[1] - sizes[0] > 4096 * 4096 * 4 * 4


def test_a_small_network_takes_one_thread_unless_told_otherwise(tmp_path):
    config = folder_with(tmp_path, plain_table())
    for units, threads, expected in (
        ("[8]", "null", 1),
        ("[2048, 2048]", "null", usable_cores()),
        ("[8]", "3", 3),
    ):
        plan = check(config, [f"model.hidden_layers={units}", f"run.threads={threads}"]).plan
        assert plan["threads"] == expected
