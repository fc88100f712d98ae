"""Compressed tables are told by their content, read as a stream, and refused where they are damaged."""

import gzip
import io
import random
import tracemalloc
import zipfile
from functools import partial

import pandas as pd
import pytest
from support.forms import COMPRESS, zipped
from support.tables import rows, stream_source

from dlreg.errors import DataError
from dlreg.table.compressed import decompressed
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_table, stream_tables

generator = random.Random(7)
TEXT = rows("x,y", *(f"{generator.random()!r},{i}" for i in range(4000))).encode()


STREAMS = [name for name in COMPRESS if name != "zip"]


def read(folder, content: bytes) -> pd.DataFrame:
    (folder / "table.csv").write_bytes(content)
    return read_table(str(folder / "table.csv"), CsvFormat()).frame


def fault_of(folder, content: bytes):
    with pytest.raises(DataError) as caught:
        read(folder, content)
    (fault,) = caught.value.faults
    assert fault.hint
    return fault


@pytest.mark.parametrize("form", COMPRESS)
def test_a_compressed_table_is_read_whatever_its_name(tmp_path, form):
    pd.testing.assert_frame_equal(read(tmp_path, COMPRESS[form](TEXT)), read(tmp_path, TEXT))


@pytest.mark.parametrize("form", COMPRESS)
def test_any_piece_may_be_asked_for(form):
    content = random.Random(1).randbytes(3 << 20) + TEXT * 20
    compressed = COMPRESS[form](content)
    for size in (977, 1 << 16, 1 << 23):
        with decompressed(io.BytesIO(compressed), "table") as stream:
            assert b"".join(iter(partial(stream.read, size), b"")) == content


@pytest.mark.parametrize("form", COMPRESS)
def test_the_line_of_a_fault_is_that_of_the_text(tmp_path, form):
    fault = fault_of(tmp_path, COMPRESS[form](TEXT + b"1,2,3\n"))
    assert (fault.path, fault.line) == (str(tmp_path / "table.csv"), 4002)


@pytest.mark.parametrize("form", COMPRESS)
def test_a_stream_that_cannot_go_back_is_read_too(form):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    tables = stream_tables(stream_source(Pipe(COMPRESS[form](TEXT))))
    assert sum(len(table.frame) for table in tables) == 4000


@pytest.mark.parametrize("form", STREAMS)
def test_several_members_are_one_text_and_nuls_pad_it(tmp_path, form):
    head, tail = TEXT[:30_001], TEXT[30_001:]
    content = COMPRESS[form](head) + COMPRESS[form](b"") + COMPRESS[form](tail) + b"\0" * 512
    pd.testing.assert_frame_equal(read(tmp_path, content), read(tmp_path, TEXT))


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("cut", [20, 1000, -1])
@pytest.mark.parametrize("form", COMPRESS)
def test_a_file_that_was_cut_off_is_refused(tmp_path, form, cut):
    fault = fault_of(tmp_path, COMPRESS[form](TEXT)[:cut])
    assert "damaged" in fault.message


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("form", COMPRESS)
def test_a_damaged_file_is_refused_or_read_as_it_was(tmp_path, form):
    whole = COMPRESS[form](TEXT)
    generator = random.Random(form)
    expected = read(tmp_path, TEXT)
    n_refused = 0
    for _ in range(20):
        place = generator.randrange(8, len(whole) - 8)
        content = bytearray(whole)
        content[place] ^= 1 << generator.randrange(8)
        try:
            frame = read(tmp_path, bytes(content))
        except DataError as error:
            n_refused += 1
            assert error.faults[0].hint
        else:
            # Not every byte of an archive's directory counts.
            pd.testing.assert_frame_equal(frame, expected)
    assert n_refused > 10


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("form", STREAMS)
def test_what_stands_behind_a_compressed_table_is_not_passed_over(tmp_path, form):
    assert "to its end" in fault_of(tmp_path, COMPRESS[form](TEXT) + b"and more").message


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("form", COMPRESS)
def test_an_empty_member_has_no_rows(tmp_path, form):
    assert "no rows of data" in fault_of(tmp_path, COMPRESS[form](b"")).message


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (zipped(TEXT, **{"b.csv": TEXT}), "found 2: 'table.csv', 'b.csv'"),
        (zipped(TEXT, **{f"{i}.csv": b"" for i in range(20)}), "found 21: 'table.csv', '0.csv'"),
        (zipped(b"", "folder/"), "found none"),
        (b"PK\x05\x06" + bytes(18), "found none"),
        (zipped(TEXT, **{"n" * 60_000 + str(i): b"" for i in range(20)}), "thousands of files"),
        (zipped(TEXT, method=zipfile.ZIP_BZIP2), "few programs read"),
        (gzip.compress(gzip.compress(TEXT)), "found gzip-compressed data"),
    ],
)  # fmt: skip
def test_an_archive_holds_one_table(tmp_path, content, fragment):
    assert fragment in fault_of(tmp_path, content).message


def test_what_macos_adds_to_an_archive_is_no_table(tmp_path):
    content = zipped(TEXT, **{"__MACOSX/._table.csv": b"\0\5"})
    assert len(read(tmp_path, content)) == 4000


@pytest.mark.parametrize("form", COMPRESS)
def test_a_bomb_takes_no_memory(form):
    content = COMPRESS[form](b"\n" * (64 << 20))
    assert len(content) < 100_000
    tracemalloc.start()
    with decompressed(io.BytesIO(content), "bomb") as stream:
        size = 0
        while chunk := stream.read(1 << 16):
            size += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 64 << 20 and peak < 16 << 20


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("form", COMPRESS)
def test_a_line_without_an_end_is_refused_before_it_is_read(tmp_path, form):
    content = COMPRESS[form](b"x,y\n" + b"1" * (48 << 20))
    assert "a row has at most" in fault_of(tmp_path, content).message
