"""Settings that are legal, but look like a mistake."""

import pytest

from dlreg.config.reading import parse_config, trial_config
from dlreg.config.schema import Config
from dlreg.preview.settings import _overruled_presets, _reversed_gates
from dlreg.runs.contents import config_yaml


@pytest.mark.parametrize(
    ("gate", "is_reversed"),
    [
        ("rmse<5000", True),
        ("validation.r2>=0.5", True),
        ("rmse>3.2", False),
        ("coverage_90<0.85", False),
        ("n<100", False),
    ],
)
def test_a_gate_that_only_a_good_run_fails_is_pointed_out(gate, is_reversed):
    config = parse_config(f"data: {{path: a.csv, target: y}}\ngates: ['{gate}']\n".encode(), "config.yaml")
    faults = list(_reversed_gates(config))
    assert len(faults) == is_reversed
    if faults:
        assert (faults[0].line, faults[0].message.partition(":")[0]) == (
            2,
            "gates[0] fails a run that is good",
        )


def overruled_in(config: Config) -> list[str]:
    return [fault.message.partition(" ")[0] for fault in _overruled_presets(config)]


@pytest.mark.parametrize("preset", ["fast", "accurate"])
def test_a_value_that_overrules_the_preset_is_pointed_out_but_not_in_the_best_config_of_a_search(preset):
    text = f"preset: {preset}\ndata: {{path: a.csv, target: y}}\nmodel: {{dropout: 0.3}}\n"
    config = parse_config(text.encode(), "/folder/config.yaml")
    assert overruled_in(config) == ["model.dropout"]
    trial = trial_config(config, {"training.learning_rate": 0.05})
    assert overruled_in(trial) == ["model.dropout", "training.learning_rate"]
    best = parse_config(config_yaml(trial), "/folder/best.yaml")
    assert (best, overruled_in(best)) == (trial, [])


def test_a_value_of_the_command_line_that_overrules_the_preset_is_pointed_out():
    config = parse_config(b"preset: fast\ndata: {path: /a.csv, target: y}\n", "/folder/config.yaml")
    assert overruled_in(config) == []
    assert overruled_in(trial_config(config, {"model.dropout": 0.3})) == ["model.dropout"]
