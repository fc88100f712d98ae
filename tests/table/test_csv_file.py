"""The CSV reader: what it accepts is read exactly, what it refuses is refused by line and with a way out."""

import bz2
import csv
import gzip
import io
import os
import random
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.command_line import run_cli
from support.fuzzing import EXAMPLES
from support.tables import faults_of, load, read, rows, write_config

from dlreg.errors import DataError, DlregError, StorageError
from dlreg.table import csv_scan
from dlreg.table.csv_file import MISSING_TEXTS, read_header, read_table, stream_tables
from dlreg.table.csv_format import CsvFormat

# tests/support/fuzzing.py says how to try more.
fuzz = settings(max_examples=max(1, EXAMPLES // 50), deadline=None, suppress_health_check=list(HealthCheck))

GOOD = rows("x,y", *(f"{i},{i * i}" for i in range(12)))
KOREAN = rows("거리,y,지역", *(f"{i},{2 * i},{'서울' if i % 2 else '부산'}" for i in range(12)))
JAPANESE = (
    KOREAN.replace("거리", "距離")
    .replace("지역", "駅")
    .replace("서울", "東京タワー")
    .replace("부산", "おおさか")
)
CHINESE = (
    KOREAN.replace("거리", "距离").replace("지역", "区").replace("서울", "北京市区").replace("부산", "上海")
)
FRENCH = KOREAN.replace("거리", "x").replace("지역", "z").replace("서울", "café").replace("부산", "naïve")


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("table.csv", GOOD)
    return stream.getvalue()


# name: (content, keys of data, line, words of the message, words of the hint)
REFUSED = {
    "utf-16": (GOOD.encode("utf-16"), {}, 1, "UTF-16", "data.encoding: utf-16"),
    "utf-16-be-with-mark": (
        "\ufeff".encode("utf-16-be") + GOOD.encode("utf-16-be"),
        {},
        1,
        "UTF-16",
        "utf-16",
    ),
    "utf-16-le-bare": (GOOD.encode("utf-16-le"), {}, 1, "NUL", "utf-16-le"),
    "utf-16-be-bare": (GOOD.encode("utf-16-be"), {}, 1, "NUL", "utf-16-be"),
    "utf-16-bare-hangul": (KOREAN.encode("utf-16-le"), {}, 1, "not utf-8 text", "utf-16-le"),
    "utf-32": (GOOD.encode("utf-32"), {}, 1, "UTF-32", "data.encoding: utf-32"),
    "utf-8-read-as-utf-16": (GOOD, {"encoding": "utf-16"}, 1, "not utf-16 text", "utf-8"),
    "utf-8-read-as-cp949": (KOREAN, {"encoding": "cp949"}, 1, "not cp949 text", "utf-8"),
    "utf-8-read-as-ascii": (FRENCH, {"encoding": "ascii"}, 2, "0xc3 is not ascii", "utf-8"),
    "utf-8-with-mark-read-as-latin-1": ("\ufeff" + GOOD, {"encoding": "latin-1"}, 1, "UTF-8", "utf-8"),
    "cp949": (KOREAN.encode("cp949"), {}, 1, "0xb0 is not utf-8", "cp949"),
    "cp949-late": ((GOOD + "서울,1\n").encode("cp949"), {}, 14, "not utf-8", "cp949"),
    "cp949-cut-short": (KOREAN.encode("cp949")[:-2], {"encoding": "cp949"}, 13, "not cp949", "data.encoding"),
    "utf-8-cut-short": (KOREAN.encode()[:-2], {}, 13, "not utf-8", "data.encoding"),
    "cp1252": (FRENCH.encode("cp1252"), {}, 2, "0xef is not utf-8", "cp1252"),
    "shift_jis": (JAPANESE.encode("shift_jis"), {}, 1, "not utf-8", "shift_jis"),
    "gb18030": (CHINESE.encode("gb18030"), {}, 1, "not utf-8", "gb18030"),
    "gzip": (gzip.compress(GOOD.encode()), {}, None, "gzip-compressed", "CSV"),
    "gzip-read-as-latin-1": (gzip.compress(GOOD.encode()), {"encoding": "latin-1"}, None, "gzip", "CSV"),
    "bzip2": (bz2.compress(GOOD.encode()), {}, None, "bzip2", "CSV"),
    "zip-or-xlsx": (zipped(), {}, None, "Excel", "CSV"),
    "old-excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, {}, None, "Excel", "CSV"),
    "parquet": (b"PAR1\x15\x04\x15" * 100, {}, None, "Parquet", "CSV"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" * 9, {}, None, "HDF5", "CSV"),
    "pdf": (b"%PDF-1.7\n" * 9, {}, None, "PDF", "CSV"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0", {}, None, "PNG", "CSV"),
    "sqlite": (b"SQLite format 3\0" * 9, {}, None, "SQLite", "CSV"),
    "html": ("<!DOCTYPE html>\n<html>\n", {}, None, "HTML", "CSV"),
    "json": ('[{"x": 1, "y": 2}]\n', {}, None, "JSON", "CSV"),
    "json-lines": ('{"x": 1, "y": 2}\n' * 9, {}, None, "JSON", "CSV"),
    "json-indented": ('{\n  "x": [1, 2],\n  "y": [3, 4]\n}\n', {}, None, "JSON", "CSV"),
    "html-after-blanks": ("\ufeff \n<HTML><body>404</body></HTML>\n", {}, None, "HTML", "CSV"),
    "utf-16-in-the-other-order": (GOOD.encode("utf-16"), {"encoding": "utf-16-be"}, 1, "UTF-16", "utf-16"),
    "colons": (GOOD.replace(",", ":"), {}, None, "no column 'y'", "':'"),
    "blanks": (GOOD.replace(",", "  "), {}, None, "no column 'y'", "' '"),
    "quoted-as-a-whole": ('x,y\n"1,2"\n"3,4"\n', {}, 2, "found 1", "quotes"),
    "units-below-header": (GOOD.replace("\n", "\nm,kg\n", 1), {}, 2, "'m' (line 2)", "Mend"),
    "header-again": (GOOD + GOOD, {}, 14, "'x' (line 14)", "Mend"),
    "comment-in-the-middle": (GOOD + "# checked\n" + GOOD, {}, 14, "found 1", "quotes"),
    "end-of-file-mark": (GOOD + "\x1a", {}, 14, "found 1", "quotes"),
    "many-trailing-commas": (
        GOOD.replace("\n", "," * 9 + "\n"),
        {},
        1,
        "3, 4, 5, 6, 7 have no name",
        '"Unnamed: 2"',
    ),
    "binary": (bytes(range(1, 256)) * 9, {"encoding": "cp949"}, 2, "not cp949", "data.encoding"),
    "semicolon": (GOOD.replace(",", ";"), {}, 1, "found one", "';'"),
    "tab": (GOOD.replace(",", "\t"), {}, 1, "found one", r"'\t'"),
    "pipe": (GOOD.replace(",", "|"), {}, 1, "found one", "'|'"),
    "comma-read-as-semicolon": (GOOD, {"delimiter": ";"}, 1, "found one", "','"),
    "semicolon-and-decimal-comma": (rows("x;y", "1,5;2,5", times=9), {}, 1, "found one", "';'"),
    "semicolon-with-comma-in-header": (
        rows("y;x, m;z", "1;2,5;3", times=9),
        {},
        None,
        "no column 'y'",
        "';'",
    ),
    "excel-sep-line": ("sep=;\nx;y\n1;2\n", {}, 1, "'sep=;'", "data.delimiter"),
    "excel-sep-line-2": ("sep=;\nx;y\n1;2\n", {"delimiter": ";"}, 1, "'sep='", "data.delimiter"),
    "decimal-comma-unquoted": (rows("x,y", "1,5,2,5", times=9), {}, 2, "expected 2 cells", "data.decimal"),
    "decimal-comma-in-one-column": (rows("x,y", "1,5,2", times=9), {}, 2, "found 3", "data.decimal"),
    "empty": (b"", {}, None, "no rows", "header"),
    "mark-only": ("\ufeff", {}, None, "no rows", "header"),
    "blank-lines": ("\n\r\n  \n\t\n", {}, None, "no rows", "header"),
    "header-only": ("x,y\n", {}, None, "no rows", "header"),
    "header-only-no-newline": ("x,y", {}, None, "no rows", "header"),
    "header-and-blank-lines": ("x,y\n\n  \n", {}, None, "no rows", "header"),
    "no-header": ("1,2\n3,4\n", {}, 1, "only numbers: 1, 2", "first line"),
    "no-header-decimals": ("1.5,-2e3\n3,4\n", {}, 1, "only numbers", "first line"),
    "no-header-decimal-comma": (
        "1,5;2\n3,1;4\n",
        {"delimiter": ";", "decimal": ","},
        1,
        "numbers",
        "first line",
    ),
    "no-header-with-gap": ("1,,3\n4,5,6\n", {}, 1, "only numbers", "first line"),
    "no-header-quoted": ('"1","2"\n"3","4"\n', {}, 1, "only numbers", "first line"),
    "duplicate-name": ("x,y,x\n1,2,3\n", {}, 1, "'x': number 1 and 3", "name of its own"),
    "duplicate-name-quoted": ('x,y,"x"\n1,2,3\n', {}, 1, "'x': number 1 and 3", "name of its own"),
    "duplicate-target": ("y,x,y\n1,2,3\n", {}, 1, "'y': number 1 and 3", "name of its own"),
    "unnamed-index": (rows(",x,y", "0,1,2", "1,3,4", times=5), {}, 1, "column 1 has no name", '"Unnamed: 0"'),
    "blank-name": (rows("x, ,y", "0,1,2", "1,3,4", times=5), {}, 1, "column 2 has no name", '"Unnamed: 1"'),
    "trailing-comma-everywhere": (
        rows("x,y,", "1,2,", "3,5,", times=5),
        {},
        1,
        "column 3 has no name",
        "exclude",
    ),
    "every-row-long": (rows("x,y", "0,1,2", "1,3,4", times=5), {}, 2, "expected 2 cells", "10 such rows"),
    "trailing-commas": (
        rows("x,y", "1,2,", "3,4,"),
        {},
        2,
        "expected 2 cells as in the header, found 3",
        "quotes",
    ),
    "first-row-long": ("x,y\n1,2,3\n4,5\n", {}, 2, "found 3", "quotes"),
    "middle-row-long": ("x,y\n1,2\n3,4,5\n6,7\n", {}, 3, "found 3", "quotes"),
    "last-row-long": ("x,y\n1,2\n3,4,5", {}, 3, "found 3", "quotes"),
    "first-row-short": ("x,y\n1\n4,5\n", {}, 2, "found 1", "quotes"),
    "middle-row-short": ("x,z,y\n1,2,3\n3,4\n6,7,8\n", {}, 3, "found 2", "quotes"),
    "last-row-short": ("x,y\n1,2\n3", {}, 3, "found 1", "quotes"),
    "title-above-header": (
        "My table\nx,y\n1,2\n",
        {},
        2,
        "expected 1 cell as in the header, found 2",
        "title",
    ),
    "footer": (GOOD + "Source: a survey\n", {}, 14, "found 1", "quotes"),
    "nul": ("x,y\n1,2\n3,\x004\n", {}, 3, "NUL", "damaged"),
    "nul-in-quotes": ('x,y\n1,2\n"\x00",4\n', {}, 3, "NUL", "damaged"),
    "quote-never-closed": ('x,y\n1,2\n"3,4\n5,6\n', {}, 3, "never closed", '"'),
    "quote-never-closed-in-header": ('x,"y\n1,2\n3,4\n', {}, 1, "never closed", '"'),
    "quote-in-cell": ('x,y\n1,2\n5" pipe,4\n5,6\n', {}, 3, "quote in the middle", "twice"),
    "two-quotes-in-cell": ('x,y\n1,2\n5"6",4\n5,6\n', {}, 3, "quote in the middle", "twice"),
    "text-after-quotes": ('x,y\n1,2\n"5" pipe,4\n5,6\n', {}, 3, "quote in the middle", "twice"),
    "blank-before-quote": ('x,y\n1,2\n3, "4"\n', {}, 3, "quote in the middle", "no blank outside"),
    "quote-not-doubled": ('x,y\n"a "b" c",2\n', {}, 2, "quote in the middle", "twice"),
    "backslash-quote": ('x,y\n"a \\"b\\" c",2\n', {}, 2, "quote in the middle", "twice"),
    "returns-only": (GOOD.replace("\n", "\r"), {}, 1, "carriage return", "LF or CRLF"),
    "one-stray-return": ("x,y\n1,2\n3\r,4\n", {}, 3, "carriage return", "LF or CRLF"),
    "stray-return-among-crlf": ("x,y\r\n1,2\r\n3,4\r5,6\r\n", {}, 3, "carriage return", "LF or CRLF"),
    "doubled-return": ("x,y\r\r\n1,2\r\r\n", {}, 1, "carriage return", "LF or CRLF"),
    "after-newline-in-quotes": ('x,y\n"a\nb",1\n\n"c\r\n",2\n3\n', {}, 7, "found 1", "quotes"),
}


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(("content", "data", "line", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_a_bad_file_is_refused_by_line_and_with_a_way_out(tmp_path, content, data, line, message, hint):
    fault = (faults := faults_of(tmp_path, content, data=data))[0]
    assert message in fault.message
    assert hint in (faults[-1].hint or "")
    assert (fault.path or "").endswith(("table.csv", "config.yaml"))
    assert line is None or fault.line == line


def test_ragged_rows_are_named_up_to_three(tmp_path):
    faults = faults_of(tmp_path, "x,y\n" + "1,2\n" * 5 + "1\n" * 7)
    assert [fault.line for fault in faults] == [7, 8, 9]
    assert "7 such rows" in str(faults[-1])


def test_every_fault_of_a_header_is_named(tmp_path):
    assert len(faults_of(tmp_path, "x,x,z,z\n1,2,3,4\n")) == 2


def test_a_header_without_line_ends_does_not_fill_the_screen(tmp_path):
    faults = faults_of(tmp_path, ",".join(["1.5", "x", "2.5"] * 1000) + "\n1\n")
    assert len(faults) == 21
    assert "2,977 more columns" in faults[-1].message


def test_a_header_of_100_000_columns_is_read_in_time(tmp_path):
    names = [f"c{index}" for index in range(100_000)]
    content = ",".join([*names, "c7"]) + "\n"
    with pytest.raises(DataError, match="number 8 and 100001"):
        read(tmp_path, content + content)


def test_a_header_too_large_for_the_csv_module_is_refused(tmp_path):
    with pytest.raises(DataError, match="header cannot be read"):
        read(tmp_path, "x" * 200_000 + ",y\n1,2\n")


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.mkdir(), id="directory"),
        pytest.param(lambda path: os.mkfifo(path), id="fifo"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device"),
        pytest.param(lambda path: path.symlink_to(path), id="link-to-itself"),
        pytest.param(lambda path: path.symlink_to("nothing"), id="broken-link"),
        pytest.param(lambda _: None, id="missing"),
    ],
)
def test_what_is_no_plain_file_is_not_opened(tmp_path, make):
    make(tmp_path / "table.csv")
    (fault,) = faults_of(tmp_path, None)
    assert str(fault).startswith(f"{tmp_path}/table.csv: ")
    assert fault.hint


def test_a_missing_file_names_its_neighbour(tmp_path):
    write_config(tmp_path, GOOD)
    (fault,) = faults_of(tmp_path, None, data={"path": "tabel.csv"})
    assert fault.hint == f"Did you mean {tmp_path}/table.csv?"


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    "path", ["no/such/folder/table.csv", "table.csv/table.csv", "x" * 300, "http:/a/b.csv"]
)
def test_an_impossible_path_is_no_file(tmp_path, path):
    (fault,) = faults_of(tmp_path, GOOD, data={"path": path})
    assert fault.message == "no such file"


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("url", ["https://example.org/t.csv", "file:///etc/passwd", "s3://bucket/t.csv"])
def test_a_url_is_never_fetched(url):
    with pytest.raises(DataError, match="URL"):
        read_table(url, CsvFormat())


def test_a_file_without_permission_is_a_matter_of_storage(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    write_config(tmp_path, GOOD)
    monkeypatch.setattr(csv_scan.io, "FileIO", refuse)
    with pytest.raises(StorageError, match=r"table\.csv: cannot be read: Permission denied.*ls -l"):
        read_table(str(tmp_path / "table.csv"), CsvFormat())


def test_a_disk_that_fails_while_reading_is_a_matter_of_storage():
    class Broken(io.RawIOBase):
        def readinto(self, _buffer):
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="here: cannot be read: Input/output error"):
        list(stream_tables(Broken(), "here", CsvFormat(), ()))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (KOREAN.encode("cp949"), "cp949"),
        ("x,y\n1,2\n3\n", "table.csv:3: expected 2 cells"),
        (None, "no such file"),
        ("x\x1b[31m,y,y\n1,2,3\n", "two columns are named 'y'"),
    ],
    ids=["encoding", "short-row", "missing", "control-characters"],
)
def test_the_command_line_ends_with_code_4_and_no_traceback(tmp_path, content, words):
    write_config(tmp_path, content)
    done = run_cli("train", "config.yaml", cwd=tmp_path)
    assert done.returncode == 4
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} <= {"table.csv", "config.yaml"}


# What is accepted.

CLEAN = pd.DataFrame({"x": [1.5, -2.0, 3e-7], "이름": ["봄, 여름", 'say "hi"', "two\nlines"], "y": [1, 2, 3]})


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", ":"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_delimiters_quoting_and_line_ends(tmp_path, delimiter, newline, quoting):
    content = CLEAN.to_csv(index=False, sep=delimiter, lineterminator=newline, quoting=quoting)
    frame = read(tmp_path, content, CsvFormat(delimiter=delimiter)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp949"])
def test_encodings(tmp_path, encoding):
    content = CLEAN.to_csv(index=False).encode(encoding)
    frame = read(tmp_path, content, CsvFormat(encoding=encoding)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_marks(tmp_path, decimal):
    content = CLEAN.to_csv(index=False, sep=";", decimal=decimal)
    frame = read(tmp_path, content, CsvFormat(delimiter=";", decimal=decimal)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffx,y\n1,2\n3,4\n",
        "x,y\n1,2\n3,4",
        "x,y\n1,2\n3,4\r",
        "\n\nx,y\n1,2\n3,4\n",
        "  \n\t\nx,y\n\n1,2\n   \n3,4\n\n\n",
        '"x","y"\r\n"1","2"\r\n"3","4"\r\n',
        "x,y\n 1 , 2\n3 ,\t4\n",
        "x,y\r\n1,2\n3,4\r\n",
        "x,y\n" + " " * 90 + "\n1,2\n3,4\n",
    ],
    ids=[
        "mark",
        "no-newline",
        "return-at-end",
        "blank-first",
        "blanks",
        "quoted",
        "padded",
        "mixed",
        "wide-blank",
    ],
)
def test_harmless_differences(tmp_path, content):
    pd.testing.assert_frame_equal(read(tmp_path, content).frame, pd.DataFrame({"x": [1, 3], "y": [2, 4]}))


def test_odd_names_are_kept(tmp_path):
    names = [
        " blanks ",
        "--help",
        "$x$",
        "=1+1",
        "\x1b[31m",
        "소요 시간",
        "a.b/c",
        "x\ny",
        "a",
        "A",
        "nan",
        "🚲",
    ]
    stream = io.StringIO()
    csv.writer(stream).writerows([names, range(len(names))])
    table = read(tmp_path, stream.getvalue())
    assert list(table.frame.columns) == names == list(read_header(table.name, CsvFormat()))


@pytest.mark.parametrize("text", [*MISSING_TEXTS, "  ", " NA ", "?", " ? ", "-999"])
def test_missing_cells(tmp_path, text):
    csv_format = CsvFormat(missing_values=("?", "-999"))
    frame = read(tmp_path, rows("x,z,y", f"{text},{text},1", "2,b,2"), csv_format).frame
    assert frame.isna().to_numpy().tolist() == [[True, True, False], [False, False, False]]


def test_numbers_are_read_to_the_last_bit(tmp_path):
    generator = random.Random(5)
    numbers = [generator.uniform(-1, 1) * 10 ** generator.randint(-80, 80) for _ in range(2000)]
    frame = read(tmp_path, rows("x,y", *(f"{number!r},1" for number in numbers))).frame
    assert frame["x"].tolist() == numbers


def test_words_for_true_and_false_stay_as_they_are_written(tmp_path):
    frame = read(tmp_path, rows("a,b,y", "True,TRUE,1", "False,,2", "True,false,3")).frame
    assert frame["a"].tolist() == ["True", "False", "True"]
    assert frame["b"].fillna("").tolist() == ["TRUE", "", "false"]


def test_columns_can_be_kept_as_text(tmp_path):
    frame = read(tmp_path, rows("code,y", "007,1", "08,2"), text=["code"]).frame
    assert frame["code"].tolist() == ["007", "08"]


def test_lines_and_cells_are_those_of_the_file(tmp_path):
    table = read(tmp_path, '\nx,"n\nm",y\r\n\n1.50,"a\r\nb\n""c""",2\n  \n1e2,d,3\n')
    assert [(table.line(row), table.cell(row, "x"), table.cell(row, "n\nm")) for row in (0, 1)] == [
        (5, "1.50", 'a\r\nb\n"c"'),
        (9, "1e2", "d"),
    ]
    with pytest.raises(IndexError):
        table.line(2)


@pytest.mark.parametrize("block_bytes", [1, 7, 64])
@pytest.mark.parametrize("content", [GOOD, "\ufeff" + KOREAN, CLEAN.to_csv(index=False)])
def test_blocks_smaller_than_a_row_make_no_difference(tmp_path, monkeypatch, content, block_bytes):
    whole = read(tmp_path, content)
    lines = [whole.line(row) for row in range(len(whole.frame))]
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
    table = read(tmp_path, content)
    pd.testing.assert_frame_equal(table.frame, whole.frame)
    assert [table.line(row) for row in range(len(table.frame))] == lines
    parts = list(stream_tables(io.BytesIO(content.encode()), "stream", CsvFormat(), ["이름", "지역"]))
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(frame, whole.frame, check_dtype=False)
    assert [part.line(row) for part in parts for row in range(len(part.frame))] == lines


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["1", "2", "3.5"], [1.0, 2.0, 3.5]),
        (["", "1", "NA"], [np.nan, 1.0, np.nan]),
        (["007", "8", "x"], ["007", "8", "x"]),
        (["", "NA", "x"], [np.nan, np.nan, "x"]),
        (["x", "", "1.50"], ["x", np.nan, "1.50"]),
        (["1", "True", "0"], ["1", "True", "0"]),
        (["1", "", "9007199254740993"], [1.0, np.nan, 9007199254740992.0]),
        (["1", "2", "9007199254740993"], [1, 2, 9007199254740993]),
    ],
)
def test_blocks_that_read_differently_become_one_column(tmp_path, monkeypatch, cells, read_as):
    content = rows("a,y", *(f"{cell},1" for cell in cells))
    whole = read(tmp_path, content).frame
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 4)
    frame = read(tmp_path, content).frame
    pd.testing.assert_series_equal(frame["a"], pd.Series(read_as, name="a"))
    pd.testing.assert_frame_equal(frame, whole)


@pytest.mark.parametrize("block_bytes", [7, 64])
@pytest.mark.parametrize(
    "name", [name for name, case in REFUSED.items() if case[2] and name != "binary" and "utf-" not in name]
)
def test_blocks_smaller_than_a_row_find_the_same_fault(tmp_path, monkeypatch, name, block_bytes):
    content, data, *_ = REFUSED[name]
    whole = faults_of(tmp_path, content, data=data)
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
    fault = faults_of(tmp_path, None, data=data)[0]
    assert (fault.message, fault.line) == (whole[0].message, whole[0].line)


def test_a_row_without_end_is_not_read_to_the_end(monkeypatch):
    class Endless(io.RawIOBase):
        def readinto(self, buffer):
            buffer[:] = (
                b'"' + b"x" * (len(buffer) - 1)
                if not self.closed and not hasattr(self, "n")
                else b"x" * len(buffer)
            )
            self.n = getattr(self, "n", 0) + 1
            return len(buffer)

    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(csv_scan, "MAX_ROW_BYTES", 1 << 16)
    with pytest.raises(DataError, match="over 65,536 bytes"):
        list(stream_tables(Endless(), "stream", CsvFormat(), ()))


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    st.sampled_from(
        ['"', '""', "\n", "\r\n", "\r", " ", "a,b", "x;y", "\t", "|", " lead", "trail ", "é", "한글"]
    ),
)


@fuzz
@given(
    width=st.integers(1, 4),
    cells=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t| :"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]),
    block_bytes=st.sampled_from([1, 5, 64, 1 << 20]),
)
def test_what_python_writes_is_read_back(
    tmp_path, width, cells, delimiter, quoting, newline, encoding, block_bytes
):
    stream = io.StringIO()
    if any("\r" in cell for row in cells for cell in row):
        quoting = csv.QUOTE_ALL  # Python leaves such cells unquoted, though they look like ends of lines.
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=newline)
    names = [f"column {index}" for index in range(width)]
    # A cell of blanks alone may be written unquoted, which makes a blank line of a row with one cell.
    table = [
        [f"={cell}" if width == 1 and not cell.strip() else cell for cell in row[:width]] for row in cells
    ]
    writer.writerows([names, *table])
    csv_format = CsvFormat(encoding=encoding, delimiter=delimiter)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        frame = read(tmp_path, stream.getvalue().encode(encoding), csv_format, names).frame
    expected = [["" if cell.strip() in MISSING_TEXTS else cell for cell in row] for row in table]
    assert frame.fillna("").to_numpy().tolist() == expected


FORMATS = st.builds(
    CsvFormat,
    encoding=st.sampled_from(
        ["utf-8", "utf-16", "cp949", "latin-1", "utf-7", "idna", "shift_jis", "utf-8-sig"]
    ),
    delimiter=st.sampled_from(",;\t -"),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from([None, ",", " ", "'"]),
)
NEARLY_CSV = st.lists(
    st.sampled_from([*'x1,;"\n\r\t .-é', "\0", "NA", "True", "1e999", "한", "\ufeff", "\n\n", "y\n"]),
    max_size=60,
).map(lambda parts: "".join(parts).encode())


@fuzz
@given(
    content=st.one_of(st.binary(max_size=200), NEARLY_CSV, NEARLY_CSV.map(lambda text: b"x,y\n1,2\n" + text)),
    csv_format=FORMATS,
    block_bytes=st.sampled_from([3, 1 << 20]),
)
def test_any_bytes_end_in_a_table_or_a_fault(tmp_path, content, csv_format, block_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        try:
            table = read(tmp_path, content, csv_format)
        except DlregError as error:
            assert str(error)
            return
    blocks = list(csv_scan.scan_blocks(io.BytesIO(content), "", csv_format))
    assert len(table.frame) == sum(int(block.filled.sum()) for block in blocks) > 0
    assert len(table.frame.columns) == len(blocks[0].header)


@fuzz
@given(
    position=st.integers(0, len(KOREAN.encode()) - 1),
    insert=st.one_of(
        st.binary(max_size=2), st.sampled_from([b",", b'"', b"\n", b"\r", b"\0", b",,", b"x", b"\xff"])
    ),
    n_removed=st.integers(0, 3),
    encoding=st.sampled_from(["utf-8", "cp949"]),
)
def test_a_damaged_table_ends_in_a_dataset_or_a_fault(tmp_path, position, insert, n_removed, encoding):
    content = KOREAN.encode(encoding)
    content = content[:position] + insert + content[position + n_removed :]
    try:
        dataset = load(tmp_path, content, data={"encoding": encoding})
    except DlregError as error:
        assert all(fault.path for fault in error.faults)
        return
    assert sum(part.rows.size for part in dataset.parts.values()) in (11, 12, 13)
    assert all(np.isfinite(part.y_true).all() for part in dataset.parts.values())


@fuzz
@given(st.lists(st.text(alphabet="0123456789.,eE+-_' $%xinfa\u00a0١", max_size=7), min_size=2, max_size=5))
def test_a_number_is_what_python_calls_one(tmp_path, cells):
    """Nothing is read as a number that Python's float, blanks aside, would read otherwise or not at all."""
    stream = io.StringIO()
    csv.writer(stream).writerows([["x", "y"], *([cell, 1] for cell in cells)])
    frame = read(tmp_path, stream.getvalue()).frame
    if pd.api.types.is_numeric_dtype(frame["x"]):
        for cell, number in zip(cells, frame["x"], strict=True):
            assert np.isnan(number) if cell.strip() in MISSING_TEXTS else float(cell) == number
