"""Presets as values: each is a config of its own, and any value given wins over it."""

from pathlib import Path

import pytest
from support.configs import HEAD, load

from dlreg.config.presets import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_config_with_its_values(tmp_path: Path, preset: str) -> None:
    config = load(tmp_path, f"preset: {preset}\n{HEAD}").model_dump(mode="json")
    for section, values in PRESETS[preset].items():
        for key, value in values.items():
            inner = value if isinstance(value, dict) else {}
            assert config[section][key] == (config[section][key] | inner if inner else value), key


def test_a_value_given_wins_over_the_preset(tmp_path: Path) -> None:
    config = load(tmp_path, f"preset: accurate\n{HEAD}model: {{dropout: 0.3}}\n", "training.auto_steps=9")
    assert (config.model.dropout, config.training.auto_steps) == (0.3, 9)
    assert config.preprocessing.numeric == "robust_clip"
