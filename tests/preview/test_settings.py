"""Settings that are legal, but look like a mistake."""

import pytest

from dlreg.config.reading import parse_config, trial_config
from dlreg.config.schema import Config
from dlreg.preview.settings import _idle_selection, _long_average, _overruled_presets, _reversed_gates
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


@pytest.mark.parametrize(
    ("momentum", "n_rows", "is_long"), [(0.99, 99, False), (0.99, 64, True), (0.9, 64, False)]
)
def test_an_average_over_more_steps_than_there_are_is_pointed_out(momentum, n_rows, is_long):
    text = (
        "data: {path: a.csv, target: y}\n"
        f"training: {{epochs: 20, batch_size: 16, ema_momentum: {momentum}}}\n"
    )
    faults = list(_long_average(parse_config(text.encode(), "config.yaml"), n_rows))
    expected = ["training.ema_momentum 0.99 averages the weights of some 100 steps, and there are 80 at most"]
    assert [fault.message for fault in faults] == expected * is_long
    assert [fault.line for fault in faults] == [2] * is_long


@pytest.mark.parametrize(
    ("model", "is_idle"),
    [
        ("ensemble_selection: greedy", True),
        ("ensemble_selection: greedy, ensemble: 4", False),
        ("ensemble_selection: greedy, ensemble: 4, ensemble_kind: shared", True),
        ("ensemble: 1", False),
    ],
)
def test_a_selection_from_one_network_is_pointed_out(model, is_idle):
    text = f"data: {{path: a.csv, target: y}}\nmodel: {{{model}}}\n"
    faults = list(_idle_selection(parse_config(text.encode(), "config.yaml")))
    assert [fault.message.partition(" has ")[0] for fault in faults] == (
        ["model.ensemble_selection greedy"] * is_idle
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
