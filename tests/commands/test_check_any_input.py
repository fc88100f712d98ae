"""`dlreg check` on configs and tables that are damaged at random: faults or a plan, and never a traceback."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import folder_with, plain_table

from dlreg.commands import check
from dlreg.config.reading import load_config
from dlreg.config.writing import to_yaml
from dlreg.errors import ConfigError, DataError
from dlreg.preview.plan import plan_training
from dlreg.table.dataset import load_dataset

VALID = {
    "preset": "standard",
    "data": {"path": "table.csv", "target": "y", "exclude": ["b"], "types": {"a": "number"}, "test_split": 0.25},
    "preprocessing": {"numeric": "robust", "missing": "mean"},
    "model": {"hidden_layers": [8, 4], "activation": "gelu", "dropout": 0.1},
    "training": {
        "schedule": {"name": "cosine", "warmup_epochs": 2},
        "epochs": 20,
        "early_stopping": {"patience": 3},
        "batch_size": 16,
    },
    "run": {"dir": None},
}  # fmt: skip


OTHERS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 300), st.floats(allow_nan=True), st.text(max_size=6),
    st.sampled_from(["y", "a", "table.csv", "http://x/y.csv", "all", "time", "step", "%d/%m/%Y", ";"]),
    st.lists(st.sampled_from(["a", "b", "y", 1, None]), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@st.composite
def mutated(draw):
    """A valid config after a few keys were dropped, given twice, renamed or given another value."""
    lines = to_yaml(VALID)
    values = json.loads(json.dumps(VALID))
    duplicates = []
    for _ in range(draw(st.integers(1, 4))):
        section = draw(st.sampled_from(sorted(values))) if values else None
        inner = values.get(section)
        if not isinstance(inner, dict) or not inner or draw(st.integers(0, 5)) == 0:
            key, owner = section, values
        else:
            key, owner = draw(st.sampled_from(sorted(inner))), inner
        kind = draw(st.sampled_from(["drop", "retype", "rename", "twice"]))
        if key is None:
            continue
        if kind == "drop":
            owner.pop(key)
        elif kind == "retype":
            owner[key] = draw(OTHERS)
        elif kind == "rename":
            owner[draw(st.text(max_size=5))] = owner.pop(key)
        else:
            duplicates.append(key)
    lines = to_yaml(values).splitlines()
    for key in duplicates:
        for index, line in enumerate(lines):
            if line.strip().startswith(f"{key}:"):
                lines.insert(index + 1, line)
                break
    return "\n".join(lines) + "\n"


@given(text=mutated())
@settings(max_examples=250, deadline=None)
def test_any_mutation_of_a_config_ends_in_faults_or_a_plan(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "mutated"
    if not folder.exists():
        folder.mkdir()
        plain_table(60).to_csv(folder / "table.csv", index=False)
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        load_config(path)
        config_is_valid = True
    except ConfigError as error:
        config_is_valid = False
        assert all(fault.path and fault.message for fault in error.faults)
    report = check.check(path)
    assert report.exit_code in ((0, 4) if config_is_valid else (3,)), report
    assert (report.plan is None) == bool(report.faults)


@pytest.mark.parametrize("seed", range(60))
def test_any_damage_to_a_csv_is_a_data_error_or_read(tmp_path, seed):
    generator = random.Random(seed)
    folder_with(tmp_path, plain_table(60).assign(level=["p", "q"] * 30, day="2024-01-05"))
    content = bytearray((tmp_path / "table.csv").read_bytes())
    for _ in range(generator.randrange(1, 4)):
        start = generator.randrange(len(content))
        content[start : start + generator.choice([0, 1, 30])] = generator.choice(
            [b"", b"\n", b",", b'"', b"\0", b"\xff", b"inf", b"x", b";", b"\r\n", b"1e400", b"-"]
        )
    (tmp_path / "table.csv").write_bytes(bytes(content))
    report = check.check(tmp_path / "config.yaml")
    assert report.exit_code in (0, 4)
    if report.exit_code == 4:
        with pytest.raises(DataError):
            config = load_config(tmp_path / "config.yaml")
            plan_training(config, load_dataset(config))
