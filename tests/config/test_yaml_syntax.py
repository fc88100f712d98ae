"""What PyYAML's errors are called; the places are tested in test_yaml_source.py."""

import pytest
import yaml

from dlreg.config.places import Position
from dlreg.config.yaml_syntax import position_of, syntax_fault


def error_of(text: str) -> yaml.MarkedYAMLError:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse(text, Loader=yaml.SafeLoader))
    return caught.value


def test_a_bracket_is_missing_where_it_was_opened() -> None:
    fault = syntax_fault(error_of("a: [1, 2\nb: 3"), "f")
    assert (fault.path, fault.line, fault.column) == ("f", 1, 4)
    assert fault.message == "a bracket without its ]"
    assert fault.hint == "Close it with ], or quote text that holds brackets."


def test_what_has_no_sentence_of_its_own_is_told_in_the_parsers_words() -> None:
    fault = syntax_fault(yaml.MarkedYAMLError(problem="new in this version"), "f")
    assert (fault.message, fault.line, fault.column) == ("not valid YAML: new in this version", None, None)
    assert fault.hint


def test_marks_count_from_zero_and_places_from_one() -> None:
    assert position_of(error_of("a: 1\nb: [").problem_mark) == Position(2, 5)
    assert position_of(None) == Position()
