"""The config of all keys, as the docs have it: whole, aligned, and equal to the defaults."""

import re
from pathlib import Path

from support.configs import HEAD, load

from dlreg.config.keys import named_values, override_keys
from dlreg.config.reference import full_config

TEXT = full_config()


def test_it_gives_the_defaults(tmp_path: Path) -> None:
    example = HEAD.replace("table.csv", "../data/diabetes.csv").replace("y\n", "progression\n")
    assert load(tmp_path, TEXT) == load(tmp_path, example)


def test_every_key_is_in_it_with_a_comment_and_every_choice() -> None:
    values = {name for name in override_keys() if not re.match(r"training\.(schedule|refit)\.", name)}
    lines = {line.split(":")[0].strip(): line for line in TEXT.splitlines()[1:] if line.lstrip()[0] != "#"}
    assert {name.rpartition(".")[2] for name in values} <= set(lines)
    assert all("  # " in line for line in lines.values())
    words = re.findall(r"[\w.,']+", TEXT)
    assert all(word in words for name in values for word in named_values(name) if word not in (" ", "null"))


def test_comments_stand_below_each_other_in_lines_of_at_most_110_characters() -> None:
    for line in TEXT.splitlines()[1:]:
        assert len(line) <= 110
        column = line.index("#")
        assert column == 30 or (column == len(line[:column].rstrip()) + 2 > 30), line


def test_mappings_in_place_of_a_value_are_shown_with_their_defaults() -> None:
    assert "{name: step, every_epochs: 30, factor: 0.1}: the learning rate falls by a" in TEXT
    assert "{epochs_fraction: 0.4, learning_rate_fraction: 1.0}: each member goes on" in TEXT
