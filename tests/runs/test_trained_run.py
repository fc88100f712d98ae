"""A complete run, opened to predict with."""

import shutil

from dlreg.runs import trained_run
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import REQUIRED
from dlreg.runs.reading import read_record


def test_a_run_replaced_while_it_is_opened_is_opened_anew(project, tmp_path, monkeypatch):
    path, newer = (shutil.copytree(project / "run", tmp_path / name) for name in ("run", "newer"))
    config = (newer / "config.yaml").read_bytes().replace(b"seed: 42", b"seed: 43")
    with open_run_dir(tmp_path / "other") as run:
        for file in REQUIRED:
            run.write(file, config if file == "config.yaml" else (newer / file).read_bytes())
        run.set_status("complete", {"data": read_record(path)["data"]})
    read = trained_run.read_record

    def read_then_replace(given):
        record = read(given)
        if (tmp_path / "other").exists():
            path.rename(tmp_path / "old")
            (tmp_path / "other").rename(path)
        return record

    monkeypatch.setattr(trained_run, "read_record", read_then_replace)
    assert trained_run.open_run(path).config.training.seed == 43
