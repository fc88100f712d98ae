"""Settings that are legal, but look like a mistake."""

import pytest

from dlreg.config.reading import parse_config
from dlreg.preview.settings import _reversed_gates


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
