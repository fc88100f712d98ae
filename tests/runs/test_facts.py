"""What a run says of how it came about."""

import hashlib
import os
from datetime import datetime

import numpy as np
import pytest

from dlreg.config.reading import parse_config
from dlreg.runs import facts
from dlreg.table.parts import Dataset, Part


@pytest.fixture
def gathered(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"x,y\n1,2\n")
    config = parse_config(b"data: {path: table.csv, target: y}\n", str(tmp_path / "config.yaml"))
    dataset = Dataset((), {"train": Part(np.arange(3), {}, np.zeros(3))}, ())
    return facts.gather_facts(config, dataset, 2, "2026-01-01T00:00:00+00:00")


def test_facts_tell_the_data_by_its_hash(gathered, tmp_path):
    content = b"x,y\n1,2\n"
    assert gathered["data"] == {
        "data.path": {
            "path": str(tmp_path / "table.csv"),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    }
    assert gathered["rows"] == {"train": 3}


def test_facts_tell_process_versions_and_machine(gathered):
    assert list(gathered) == ["process", "started", "versions", "seed", "data", "rows", "machine", "threads"]
    assert (gathered["process"], gathered["seed"], gathered["threads"]) == (os.getpid(), 42, 2)
    assert {"dlreg", "python", *facts.PACKAGES} == set(gathered["versions"])
    assert gathered["machine"]["cpu_count"] == os.cpu_count()


def test_the_processor_is_asked_of_python_where_there_is_no_cpuinfo(monkeypatch):
    monkeypatch.setattr(facts, "read_cpuinfo", list)
    monkeypatch.setattr("platform.processor", lambda: "some processor")
    assert facts._processor() == "some processor"
    monkeypatch.setattr(facts, "read_cpuinfo", lambda: ["model name\t: Fast CPU", "model name\t: Fast CPU"])
    assert facts._processor() == "Fast CPU"


def test_moments_are_in_utc_to_the_second():
    moment = datetime.fromisoformat(facts.now())
    assert moment.utcoffset().total_seconds() == 0
    assert moment.microsecond == 0
