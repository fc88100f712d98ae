"""What is no CSV of the format asked for is refused by line and with a way out."""

import bz2
import gzip
import io
import os

import pytest
from support.command_line import run_cli
from support.tables import faults_of, read, rows, stream_source, write_config

from dlreg.errors import DataError, StorageError
from dlreg.table import csv_scan
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_table, stream_tables

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
    "utf-8-read-as-cp1252": (
        FRENCH,
        {"encoding": "cp1252"},
        2,
        "the file is UTF-8 text",
        "data.encoding: utf-8",
    ),
    "utf-8-read-as-latin-1": (
        "x,y\n" + "1,2\n" * 12 + "ü,3\n",
        {"encoding": "latin-1"},
        14,
        "UTF-8 text",
        "utf-8",
    ),
    "cp949": (KOREAN.encode("cp949"), {}, 1, "0xb0 is not utf-8", "cp949"),
    "cp949-late": ((GOOD + "서울,1\n").encode("cp949"), {}, 14, "not utf-8", "cp949"),
    "cp949-cut-short": (KOREAN.encode("cp949")[:-2], {"encoding": "cp949"}, 13, "not cp949", "data.encoding"),
    "utf-8-cut-short": (KOREAN.encode()[:-2], {}, 13, "not utf-8", "data.encoding"),
    "cp1252": (FRENCH.encode("cp1252"), {}, 2, "0xef is not utf-8", "cp1252"),
    "shift_jis": (JAPANESE.encode("shift_jis"), {}, 1, "not utf-8", "shift_jis"),
    "gb18030": (CHINESE.encode("gb18030"), {}, 1, "not utf-8", "gb18030"),
    "gzip-in-gzip": (gzip.compress(gzip.compress(GOOD.encode())), {}, None, "gzip-compressed", "CSV"),
    "bzip2-cut-short": (bz2.compress(GOOD.encode())[:-2], {}, None, "bzip2", "again"),
    "old-excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, {}, None, "Excel", "CSV"),
    "parquet": (b"PAR1\x15\x04\x15" * 100, {}, None, "Parquet", "again"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" * 9, {}, None, "HDF5", "CSV"),
    "pdf": (b"%PDF-1.7\n" * 9, {}, None, "PDF", "CSV"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0", {}, None, "PNG", "CSV"),
    "sqlite": (b"SQLite format 3\0" * 9, {}, None, "SQLite", "CSV"),
    "html": ("<!DOCTYPE html>\n<html>\n", {}, None, "HTML", "CSV"),
    "json": ('[{"x": 1, "y": 2}]\n', {}, None, "JSON", "JSON Lines"),
    "json-indented": ('{\n  "x": [1, 2],\n  "y": [3, 4]\n}\n', {}, 1, "no JSON", "one object a line"),
    "json-of-columns": ('{"x": [1, 2], "y": [3, 4]}\n', {}, 1, "found a list", "Leave it out"),
    "html-after-blanks": ("\ufeff \n<HTML><body>404</body></HTML>\n", {}, None, "HTML", "CSV"),
    "utf-16-in-the-other-order": (GOOD.encode("utf-16"), {"encoding": "utf-16-be"}, 1, "UTF-16", "utf-16"),
    "colons": (GOOD.replace(",", ":"), {}, None, "no column 'y'", "':'"),
    "blanks": (GOOD.replace(",", "  "), {}, None, "no column 'y'", "data.delimiter: whitespace"),
    "quoted-as-a-whole": ('x,y\n"1,2"\n"3,4"\n', {}, 2, "found 1", "quotes"),
    "units-below-header": (GOOD.replace("\n", "\nm,kg\n", 1), {}, 2, "a second header", "data.non_data_rows"),
    "header-again": (GOOD + GOOD, {}, 14, "the header again", "data.non_data_rows"),
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
    "no-header": ("1,2\n3,4\n", {}, 1, "only numbers: 1, 2", "data.names"),
    "no-header-decimals": ("1.5,-2e3\n3,4\n", {}, 1, "only numbers", "data.names"),
    "no-header-decimal-comma": (
        "1,5;2\n3,1;4\n",
        {"delimiter": ";", "decimal": ","},
        1,
        "numbers",
        "data.names",
    ),
    "no-header-with-gap": ("1,,3\n4,5,6\n", {}, 1, "only numbers", "data.names"),
    "no-header-quoted": ('"1","2"\n"3","4"\n', {}, 1, "only numbers", "data.names"),
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
    "blank-before-quote": ('x,y\n1,2\n3, "4"\n', {}, 3, "quote in the middle", "skip_initial_space"),
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


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.mkdir(), id="directory"),
        pytest.param(lambda path: os.mkfifo(path), id="fifo"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device"),
        pytest.param(lambda path: path.symlink_to("/proc/self/mem"), id="memory"),
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
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match=r"table\.csv: cannot be read: Permission denied.*ls -l"):
        read_table(str(tmp_path / "table.csv"), CsvFormat())


def test_a_disk_that_fails_while_reading_is_a_matter_of_storage():
    class Broken(io.RawIOBase):
        def readinto(self, _buffer):
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="here: cannot be read: Input/output error"):
        list(stream_tables(stream_source(Broken(), name="here")))


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
    with pytest.raises(DataError, match="at most 65,536 bytes"):
        list(stream_tables(stream_source(Endless())))


def test_more_columns_than_any_table_has_are_refused_by_their_number(tmp_path):
    names = ",".join(f"c{index}" for index in range(csv_scan.MAX_COLUMNS + 1))
    with pytest.raises(DataError, match="at most 100,000 columns, found 100,001") as caught:
        read(tmp_path, f"\n{names}\n{names}\n")
    assert caught.value.faults[0].line == 2 and caught.value.faults[0].hint


@pytest.mark.parametrize(
    ("content", "line", "hint"),
    [("{}\n1\n", 1, "line"), ("a,y\n1,2\n{},3\n", 3, "line"), ('a,y\n1,2\n\n"{}",3\n', 4, "quote")],
    ids=["header", "cell", "quoted cell"],
)
def test_a_row_longer_than_any_table_has_is_refused_by_line(tmp_path, monkeypatch, content, line, hint):
    monkeypatch.setattr(csv_scan, "MAX_ROW_BYTES", 1000)
    assert len(read(tmp_path, content.format("x" * 990)).frame) > 0
    with pytest.raises(DataError, match="a row has at most 1,000 bytes") as caught:
        read(tmp_path, content.format("x" * 1001))
    assert caught.value.faults[0].line == line and hint in str(caught.value.faults[0].hint)


def test_blocks_of_wide_rows_are_twice_as_long(monkeypatch):
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(csv_scan, "WIDE_COLUMNS", 20)
    for n_columns, n_blocks in ((5, 1), (19, 1), (20, 2), (90, 2)):
        names = ",".join(f"c{number}" for number in range(n_columns))
        content = f"{names}\n{(','.join(['1'] * n_columns) + chr(10)) * 1000}".encode()
        blocks = list(csv_scan.scan_blocks(io.BytesIO(content), "table.csv", CsvFormat()))
        assert b"".join(block.data for block in blocks) == content[len(names) + 1 :]
        # One row may wait for its end from the block before, and one for the next.
        assert all(abs(len(block.data) - 1000 * n_blocks) <= 2 * n_columns for block in blocks[1:-1])


@pytest.mark.parametrize("blank", ["\n", "\r\n", "  \n", "\t\r\n", "\n \n\r\n"])
@pytest.mark.parametrize("block_bytes", [11, 1 << 23])
def test_many_blank_lines_change_neither_rows_nor_their_lines(tmp_path, monkeypatch, blank, block_bytes):
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
    row = '5,"a\n\n\n\nb"\n'
    for count in range(7):
        gap = count * blank
        table = read(tmp_path, f"{gap}x,y\n{gap}1,2\n{gap}{row}{gap}{row}3,4\n{gap}")
        assert table.frame["x"].tolist() == [1, 5, 5, 3]
        assert table.frame["y"].tolist() == ["2", "a\n\n\n\nb", "a\n\n\n\nb", "4"]
        lines = count * blank.count("\n")
        assert [table.place(row).line for row in range(4)] == [
            2 + 2 * lines, 3 + 3 * lines, 8 + 4 * lines, 13 + 4 * lines,
        ]  # fmt: skip
