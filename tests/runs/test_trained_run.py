"""A complete run, opened to predict with."""

import shutil
from itertools import pairwise

import pytest

from dlreg.config.reading import parse_config
from dlreg.runs import reading, trained_run
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import REQUIRED
from dlreg.runs.reading import read_record
from dlreg.training.members import members_of


def test_a_run_replaced_while_it_is_opened_is_opened_anew(project, tmp_path, monkeypatch):
    path, newer = (shutil.copytree(project / "run", tmp_path / name) for name in ("run", "newer"))
    config = (newer / "config.yaml").read_bytes().replace(b"seed: 42", b"seed: 43")
    with open_run_dir(tmp_path / "other") as run:
        for file in REQUIRED:
            run.write(file, config if file == "config.yaml" else (newer / file).read_bytes())
        run.set_status("complete", {"data": read_record(path)["data"]})
    read = reading.read_record

    def read_then_replace(given):
        record = read(given)
        if (tmp_path / "other").exists():
            path.rename(tmp_path / "old")
            (tmp_path / "other").rename(path)
        return record

    monkeypatch.setattr(reading, "read_record", read_then_replace)
    assert trained_run.open_run(path).config.training.seed == 43


def counted_by_hand(config, n_features, n_levels):
    """The bound in numbers for three columns: 17 inputs for a feature, 100 of its waves, 8 numbers a level."""
    widths = [17 * n_features, *config.model.hidden_layers, 1]
    n_numbers = sum(before * after + 5 * after for before, after in pairwise(widths)) + 100 * n_features
    n_numbers += 8 * (n_levels + 3)
    # Of these a megabyte is for trees.
    return (11 << 20) + 3 * (256 << 10) + 65536 * n_features + 5 * n_numbers * len(members_of(config))


@pytest.mark.parametrize("n_features", [1, 7, 300])
@pytest.mark.parametrize("model", ["hidden_layers: []", "hidden_layers: [16, 8]", "ensemble: 5"])
def test_a_pipeline_may_be_as_large_as_its_features_and_layers_allow(tmp_path, n_features, model):
    text = f"data: {{path: a.csv, target: y}}\nmodel: {{{model}}}\n"
    config = parse_config(text.encode(), str(tmp_path / "config.yaml"))
    bound = trained_run._max_pipeline_bytes(config, 3, n_features, 5 * n_features)
    counted = counted_by_hand(config, n_features, 5 * n_features)
    assert counted <= bound < 1.01 * counted


def test_no_config_lets_a_pipeline_be_larger_than_its_format(tmp_path):
    text = "data: {path: a.csv, target: y}\nmodel: {hidden_layers: [4096, 4096, 4096]}\n"
    config = parse_config(text.encode(), str(tmp_path / "config.yaml"))
    assert trained_run._max_pipeline_bytes(config, 3, 10**9, 0) == trained_run.MAX_PIPELINE_BYTES
