"""The existing file that a mistyped path most likely meant."""

import pytest

from dlreg.files.similar_file import similar_file


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tabel.csv", "Table.csv"), ("TABLE.CSV", "Table.csv"), ("other", None)],
)
def test_the_nearest_name_of_the_folder_is_offered(tmp_path, name, expected):
    for existing in ("Table.csv", "config.yaml"):
        (tmp_path / existing).touch()
    assert similar_file(tmp_path / name) == (expected and tmp_path / expected)


def test_a_folder_that_is_not_there_offers_nothing(tmp_path):
    assert similar_file(tmp_path / "absent" / "table.csv") is None
    assert similar_file(tmp_path / "a\0b" / "table.csv") is None
