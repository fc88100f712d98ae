"""Where a fault points: at the value, at what encloses it, or at the file."""

from dlreg.config.places import Origins, Place, Position
from dlreg.errors import Fault

PLACES = {
    ("data",): Place("c.yaml", Position(1, 1), Position(2, 3)),
    ("data", "features"): Place("c.yaml", Position(3, 3), Position(3, 13)),
    ("data", "features", 0): Place("c.yaml", Position(3, 14), Position(3, 14), "a"),
    ("model", "dropout"): Place("--set model.dropout", Position(), Position(), "2"),
}


def test_a_fault_points_at_what_is_given_nearest() -> None:
    origins = Origins("c.yaml", PLACES)
    assert origins.fault("m", ("data", "features", 0), "h") == Fault("m", "c.yaml", 3, 14, "h")
    assert origins.fault("m", ("data", "features", 7, "x")) == Fault("m", "c.yaml", 3, 13)
    assert origins.fault("m", ("data", "features"), at_key=True) == Fault("m", "c.yaml", 3, 3)
    assert origins.fault("m", ("model", "dropout")) == Fault("m", "--set model.dropout")


def test_a_section_is_no_value_to_point_at() -> None:
    assert Origins("c.yaml", PLACES).fault("m", ("data", "decimal")) == Fault("m", "c.yaml")


def test_origins_make_no_difference_between_configs() -> None:
    assert Origins("c.yaml", PLACES) == Origins()
