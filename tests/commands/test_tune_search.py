"""How many trials run at once."""

import json
import warnings
from dataclasses import replace

import pytest

from dlreg.commands import tune_search
from dlreg.config.reading import load_config
from dlreg.errors import ConfigError
from dlreg.preview.plan import Plan, plan_training
from dlreg.search.space import Choices, Range, Search
from dlreg.table.dataset import load_dataset


def count_jobs(monkeypatch, wanted, *, cores, fitting, threads=1):
    monkeypatch.setattr(tune_search, "usable_cores", lambda: cores)
    monkeypatch.setattr(tune_search, "count_fitting", lambda _: fitting)
    plan = Plan({}, {}, 1, 1, 1, 1, 0, memory_bytes=3_000_000_000, threads=threads)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        return tune_search._count_jobs(wanted, plan), [str(note.message) for note in notes]


@pytest.mark.parametrize(
    ("wanted", "options", "n_jobs"),
    [
        (None, {"cores": 4, "fitting": 10}, 4),
        (None, {"cores": 4, "fitting": 10, "threads": 4}, 1),
        (None, {"cores": 4, "fitting": 10, "threads": 3}, 1),
        (7, {"cores": 4, "fitting": 10}, 7),
    ],
)
def test_as_many_as_there_are_cores_or_as_asked_for(monkeypatch, wanted, options, n_jobs):
    assert count_jobs(monkeypatch, wanted, **options) == (n_jobs, [])


def test_no_more_than_memory_is_left_for_and_it_is_told(monkeypatch):
    said = "a trial needs about 3.0 GB of memory, and there is enough for 2: "
    assert count_jobs(monkeypatch, None, cores=8, fitting=2) == (2, [f"{said}2 will run at once"])
    assert count_jobs(monkeypatch, 4, cores=8, fitting=2) == (4, [f"{said}--jobs 4 may run out of it"])


def test_a_study_in_a_database_is_called_after_its_config_and_rows(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{row},{row % 7}" for row in range(40)))
    (tmp_path / "c.yaml").write_text("data: {path: t.csv, target: y}")

    def name_of(*overrides):
        config = load_config(tmp_path / "c.yaml", overrides)
        return tune_search.name_in_database(config, load_dataset(config))

    first = name_of()
    assert first == name_of("search.trials=7", "search.storage=sqlite:////x") == name_of("run.threads=2")
    assert name_of() == name_of(f"data.path={tmp_path / 't.csv'}", "data.cache=memory")
    others = [name_of("training.epochs=5"), name_of("search.method=random"), name_of("training.seed=1")]
    others += [name_of("data.fold_case=true"), name_of("data.types={x: category}")]
    (tmp_path / "t.csv").write_text("x,y,z\n" + "\n".join(f"{row},{row % 7},0" for row in range(40)))
    others += [name_of("data.exclude=[z]")]
    (tmp_path / "t.csv").write_text("x,y,z\n" + "\n".join(f"{-row},{row % 7},0" for row in range(40)))
    others += [name_of("data.exclude=[z]")]
    assert len({first, *others}) == 8


def plan_of(folder, space, **search):
    (folder / "t.csv").write_text("x,y\n" + "\n".join(f"{row},{row % 7}" for row in range(40)))
    (folder / "c.yaml").write_text(json.dumps({"data": {"path": "t.csv", "target": "y"}, "search": search}))
    config = load_config(folder / "c.yaml")
    dataset = load_dataset(config)
    found = Search("validation.rmse", 5, None, "tpe", space, search.get("storage"), True, False)
    size = plan_training(config, dataset)
    return tune_search.SearchPlan(config, found, dataset, size, tune_search.Execution())


def test_memory_is_planned_for_the_largest_network(tmp_path):
    layers = Choices(([8], [4000, 4000], [64]))
    plan = plan_of(tmp_path, {"model.hidden_layers": layers, "model.dropout": Range(0.0, 0.5)})
    weights = 4000 * 4000 * 4
    assert tune_search.largest_size(plan).memory_bytes > plan.size.memory_bytes + 10 * weights
    assert tune_search.largest_size(plan_of(tmp_path, {"model.dropout": Range(0.0, 0.5)})) == plan.size


@pytest.mark.parametrize("url", ["sqlite:///studies.db", "sqlite+pysqlite:///a/b.db"])
def test_a_database_is_named_by_its_whole_path(tmp_path, url):
    with pytest.raises(ConfigError, match=r"search\.storage must have the whole path of its file"):
        plan_of(tmp_path, {"model.dropout": Range(0.0, 0.5)}, storage=url)


def test_a_cluster_has_the_rows_of_one_seed_alone(tmp_path):
    plan = replace(
        plan_of(tmp_path, {"training.seed": Choices((1, 2))}), execution=tune_search.Execution("ray")
    )
    with pytest.raises(ConfigError, match=r"training\.seed draws the rows"):
        tune_search._open_engine(plan, tmp_path, None)
