"""Files with a line for each row are read back as they were written."""

import numpy as np
import pytest
from support.runs import complete_run

from dlreg.errors import RunDirError
from dlreg.runs.reading import read_record
from dlreg.runs.tables import (
    ROWS_PER_BLOCK,
    PredictedRows,
    predictions_csv,
    read_prediction_blocks,
    read_predictions,
)


@pytest.mark.parametrize("n_rows", [0, 1, ROWS_PER_BLOCK, 2 * ROWS_PER_BLOCK + 1])
def test_predictions_are_read_back_to_the_bit(tmp_path, n_rows):
    generator = np.random.default_rng(n_rows)
    rows, y_true, y_pred = np.arange(n_rows), generator.normal(size=n_rows), generator.normal(size=n_rows)
    content = predictions_csv(PredictedRows(rows, y_true, y_pred))
    assert content.startswith(b"row,y_true,y_pred\n")
    assert content.count(b"\n") == n_rows + 1
    path = complete_run(tmp_path / "run", {"predictions.csv": content})
    places, read_true, read_pred = read_predictions(path, read_record(path))
    assert (places == rows).all()
    assert (read_true == y_true).all()
    assert (read_pred == y_pred).all()
    blocks = list(read_prediction_blocks(path, read_record(path), "predictions.csv"))
    assert [len(block.rows) for block in blocks] == [
        min(ROWS_PER_BLOCK, n_rows - start) for start in range(0, n_rows, ROWS_PER_BLOCK)
    ]
    for whole, columns in zip((rows, y_true, y_pred), zip(*blocks, strict=True), strict=False):
        assert (np.concatenate(columns) == whole).all()


@pytest.mark.parametrize(("most_rows", "step"), [(100, 1), (99, 2), (34, 3), (1, 100)])
def test_of_many_rows_every_second_or_third_is_read(tmp_path, most_rows, step):
    y = np.arange(100.0)
    path = complete_run(
        tmp_path / "run", {"out_of_fold.csv": predictions_csv(PredictedRows(np.arange(100), y, -y))}
    )
    _, y_true, y_pred = read_predictions(path, read_record(path), "out_of_fold.csv", most_rows)
    assert y_true.tolist() == y[::step].tolist()
    assert y_pred.tolist() == (-y[::step]).tolist()


@pytest.mark.parametrize(
    "content", [b"", b"row,y_true\n1,2\n", b"row,y_true,y_pred\n1,2,inf\n", b"row,y_true,y_pred\n0.5,2,2\n"]
)
def test_what_was_not_written_so_is_refused(tmp_path, content):
    path = complete_run(tmp_path / "run", {"predictions.csv": content})
    with pytest.raises(RunDirError, match=r"predictions\.csv"):
        read_predictions(path, read_record(path))
    with pytest.raises(RunDirError, match=r"predictions\.csv"):
        list(read_prediction_blocks(path, read_record(path), "predictions.csv"))
