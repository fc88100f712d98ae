"""Limits, as the command line and a config write them; `tests/evaluation/test_gates.py` has those of the former."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, load

from dlreg.limits import DATA_PARTS, LimitError, read_limit, read_metric


def test_what_names_no_part_is_about_the_last_one():
    assert read_limit(" rmse > 3 ").part == "test"
    assert read_limit("rmse>3", DATA_PARTS).part == "data"
    with pytest.raises(LimitError):
        read_limit("test.rmse>3", DATA_PARTS)


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("addition", "column", "fragment"),
    [
        ("gates: rmse>3", 8, "gates must be a list of at most 100"),
        ("gates: [rmse>3, rsme>3]", 17, 'gates[1] names an unknown metric rsme, found "rsme>3"'),
        ("gates: [rmse]", 9, "gates[0] takes METRIC"),
        ("gates: [val.rmse>3]", 9, "gates[0] names an unknown part val"),
        ("gates: [data.rmse>3]", 9, "gates[0] names an unknown part data"),
        ("gates: [3]", 9, "gates[0] must be text"),
    ],
)
def test_a_wrong_gate_is_a_fault_at_its_place(addition: str, column: int, fragment: str, tmp_path: Path):
    check_only_fault(tmp_path, addition, 4, column, fragment)


def test_gates_of_rows_that_there_are_may_be_asked_for(tmp_path: Path):
    text = "training: {cross_validation: 5}\ngates: [rmse>3, out_of_fold.r2<0, coverage_90<0.8]"
    assert load(tmp_path, HEAD + text).gates == ("rmse>3", "out_of_fold.r2<0", "coverage_90<0.8")
    config = load(tmp_path, f"{HEAD}  test_path: t.csv\ngates: [rmse>3]", "gates=[mae>=1, r2<0]")
    assert config.gates == ("mae>=1", "r2<0")


@pytest.mark.parametrize(
    ("text", "part", "metric"),
    [
        ("rmse", None, "rmse"),
        ("validation.r2", "validation", "r2"),
        ("out_of_fold.mae", "out_of_fold", "mae"),
    ],
)
def test_a_metric_to_choose_by(text, part, metric):
    assert read_metric(text) == (part, metric)


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("test.rmse", "must not be of test rows", "choose by validation or out_of_fold"),
        ("valid.rmse", "names an unknown part valid", "Did you mean validation?"),
        ("rsme", "names an unknown metric rsme", "Did you mean rmse?"),
        ("validation.n", "names an unknown metric n", "The metrics are sse"),
        ("validation.coverage_90", "names an unknown metric coverage_90", "The metrics are sse"),
        ("rmse<3", "must be METRIC or PART.METRIC", "For example rmse"),
        ("", "must be METRIC or PART.METRIC", "For example rmse"),
    ],
)
def test_what_nothing_can_be_chosen_by(text, expected, hint):
    with pytest.raises(LimitError) as caught:
        read_metric(text)
    assert caught.value.expected == expected
    assert hint in caught.value.hint
