"""How a CSV is written is guessed from all of it."""

from dlreg.table.csv_guess import guess_format


def test_an_odd_byte_after_the_first_block_is_still_seen(tmp_path):
    rows = "x,y\n" + "1,2\n" * 280_000 + "é,3\n"
    (tmp_path / "t.csv").write_bytes(rows.encode("cp1252"))
    assert guess_format(str(tmp_path / "t.csv"))[0].encoding == "cp1252"


def test_a_cell_of_any_length_may_stand_above_the_names(tmp_path):
    (tmp_path / "t.csv").write_text("a" * 200_000 + "\nx,y\n1,2\n3,4\n")
    csv_format, _ = guess_format(str(tmp_path / "t.csv"), target="y")
    assert (csv_format.skip_rows, csv_format.delimiter) == (1, ",")
