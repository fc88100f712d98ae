"""The rows of a search as arrays that processes share."""

import json

import numpy as np
import pytest

from dlreg.config.reading import load_config
from dlreg.search.packed_rows import ArrayInFile, pack_rows, store_arrays, unpack_rows
from dlreg.table.dataset import load_dataset


@pytest.fixture(params=["validation", "folds", "time"])
def dataset(request, tmp_path):
    generator = np.random.default_rng(3)
    lines = ["day,town,size,empty,y"]
    for row in range(60):
        town = generator.choice(["Ely", "Łódź", "", "서울"])
        size = "" if row % 7 == 0 else f"{generator.normal():.3f}"
        lines.append(f"2024-01-{row % 28 + 1:02d},{town},{size},{row % 2},{generator.normal():.3f}")
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    training = {} if request.param == "validation" else {"cross_validation": 3}
    split = {"split": "time", "split_by": "day"} if request.param == "time" else {}
    config = {"data": {"path": "t.csv", "target": "y", **split}, "training": training}
    (tmp_path / "c.yaml").write_text(json.dumps(config), encoding="utf-8")
    return load_dataset(load_config(tmp_path / "c.yaml"))


def stored(packed, path):
    with path.open("xb") as file:
        return store_arrays(packed, path, file.fileno())


@pytest.mark.parametrize("in_file", [False, True])
def test_the_rows_come_back_as_they_were_and_test_rows_do_not(dataset, in_file, tmp_path):
    packed = pack_rows(dataset)
    if in_file:
        packed = stored(packed, tmp_path / "rows")
        assert all(isinstance(array, ArrayInFile) for array in packed.arrays.values())
    unpacked = unpack_rows(packed)
    assert len(dataset.parts["test"].rows) > 0 == len(unpacked.parts["test"].rows)
    assert (unpacked.columns, unpacked.target_unit) == (dataset.columns, dataset.target_unit)
    for name in ("train", "validation"):
        part, expected = unpacked.parts[name], dataset.parts[name]
        np.testing.assert_array_equal(part.rows, expected.rows)
        np.testing.assert_array_equal(part.y_true, expected.y_true)
        assert part.cells.keys() == expected.cells.keys()
        for column, cells in expected.cells.items():
            assert part.cells[column].dtype == cells.dtype
            np.testing.assert_array_equal(part.cells[column], cells)
    assert len(unpacked.folds) == len(dataset.folds)
    for fold, expected in zip(unpacked.folds, dataset.folds, strict=True):
        np.testing.assert_array_equal(fold.train, expected.train)
        np.testing.assert_array_equal(fold.validation, expected.validation)


def test_numbers_in_a_file_are_mapped_and_not_copied(dataset, tmp_path):
    packed = stored(pack_rows(dataset), tmp_path / "rows")
    cells = unpack_rows(packed).parts["train"].cells["size"]
    base = cells
    while not isinstance(base, np.memmap):
        base = base.base
    assert not cells.flags.writeable
    assert (tmp_path / "rows").stat().st_size < 10_000
