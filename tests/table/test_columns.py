"""What a column is told to be, and which columns are refused with which advice."""

import numpy as np
import pytest
from support.tables import faults_of, load, rows

from dlreg.table.column import Column
from dlreg.table.kinds.number import LARGEST_NUMBER

Y = range(1, 13)


def column_of(*cells: str) -> str:
    """A table with the column `x` of these cells, repeated to twelve rows, and a target."""
    return "x,y\n" + "".join(f'"{cells[n % len(cells)]}",{n}\n' for n in range(12))


def numbers_and(*odd: str) -> str:
    return "x,y\n" + "".join(f"{n}.5,{n}\n" for n in Y) + "".join(f'"{cell}",99\n' for cell in odd)


@pytest.mark.parametrize(
    ("cells", "kind", "date_format"),
    [
        (["1", "2", "3"], "number", None),
        (["1", "2.5", ""], "number", None),
        (["1", "NA", "null"], "number", None),
        ([" 1 ", "  ", "2"], "number", None),
        (["0", "1"], "number", None),
        (["-1e-3", "+2E+5", ".5", "3."], "number", None),
        (["99999999999999999999", "-1"], "number", None),
        (["a", "b", "c"], "category", None),
        (["a", "", "NA"], "category", None),
        (["1st", "2nd"], "category", None),
        (["18-25", "26-35"], "category", None),
        (["True", "False"], "boolean", None),
        (["TRUE", "false", ""], "boolean", None),
        (["yes", "No"], "boolean", None),
        (["Y", "N"], "boolean", None),
        (["on", "off"], "boolean", None),
        (["True", "maybe"], "category", None),
        (["yes", "no", "unknown"], "category", None),
        (["2023-01-31", "2023-02-01"], "date", "%Y-%m-%d"),
        (["2023-01-31", ""], "date", "%Y-%m-%d"),
        (["2023-01-31T10:00:00Z", "2023-01-31T11:00:00Z"], "date", "%Y-%m-%dT%H:%M:%SZ"),
        ([" 2023-01-31", "2023-02-01  "], "date", "%Y-%m-%d"),
        (["08:15", "23:59"], "category", None),
        (["8:15 pm", "11:59 AM"], "category", None),
    ],
    ids=str,
)
def test_kinds_are_recognised(tmp_path, cells, kind, date_format):
    (column,) = load(tmp_path, column_of(*cells)).columns
    assert (column.kind, column.date_format) == (kind, date_format)


@pytest.mark.parametrize(
    ("cells", "data", "kind"),
    [
        (["1", "2"], {"types": {"x": "category"}}, "category"),
        (["007", "08"], {"types": {"x": "category"}}, "category"),
        (["1", "2 "], {"types": {"x": "number"}}, "number"),
        (["2023-01-01", "2023-01-02"], {"types": {"x": "category"}}, "category"),
        (["2023-01-01", "2023-01-02"], {"types": {"x": "date"}}, "date"),
        (["01/02/2023", "03/02/2023"], {"dates": {"x": "%d/%m/%Y"}}, "date"),
        (["20230102", "20230103"], {"dates": {"x": "%Y%m%d"}}, "date"),
        (["01/29/2022 04:00 AM"], {"dates": {"x": "%m/%d/%Y %I:%M %p"}}, "date"),
        (["1700000000", "1700000000.5"], {"dates": {"x": "epoch_seconds"}}, "date"),
        (["08:15", "23:59"], {"dates": {"x": "%H:%M"}}, "date"),
        (["2023-01-01 05:06", "2023-01-01 05:06Z"], {"time_zone": "UTC"}, "date"),
        (["20-Aug-52"], {"dates": {"x": {"format": "%d-%b-%y", "latest": 2026}}}, "date"),
        (["5%", "6%"], {"types": {"x": "category"}}, "category"),
        (["1,234", "5"], {"thousands": ","}, "number"),
        (["1.234,5", "5"], {"thousands": ".", "decimal": ",", "delimiter": ";"}, "number"),
        (["1 234", "5"], {"thousands": " "}, "number"),
        (["1\u00a0234", "1\u202f234"], {"thousands": " "}, "number"),
        (["12,34,567", "-1,234.5e3"], {"thousands": ","}, "number"),
        (["1", "-999", "?"], {"missing_values": ["-999", "?"]}, "number"),
    ],
    ids=str,
)
def test_the_config_overrides_the_guess(tmp_path, cells, data, kind):
    content = column_of(*cells)
    if "delimiter" in data:
        content = content.replace('",', '";').replace("x,y", "x;y")
    (column,) = load(tmp_path, content, data=data).columns
    assert column.kind == kind


def test_codes_declared_as_categories_keep_their_zeros(tmp_path):
    dataset = load(tmp_path, column_of("007", "7"), data={"types": {"x": "category"}})
    assert set(dataset.parts["train"].cells["x"][:, 0]) == {"007", "7"}


@pytest.mark.parametrize(
    ("cell", "data", "number"),
    [
        ("1,234,567.5", {"thousands": ","}, 1234567.5),
        ("12,34,567", {"thousands": ","}, 1234567),
        ("1\u00a0234", {"thousands": " "}, 1234),
        ("-1'234e2", {"thousands": "'"}, -123400),
        (" 7 ", {}, 7),
        ("+.5", {}, 0.5),
        ("99999999999999999999", {}, 1e20),
        ("1e39", {}, 1e39),
        ("1e-400", {}, 0),
    ],
)
def test_numbers_have_the_value_a_reader_sees(tmp_path, cell, data, number):
    dataset = load(tmp_path, column_of(cell, "1"), data=data)
    assert {x for part in dataset.parts.values() for x in part.cells["x"][:, 0]} == {number, 1}


BAD_CELLS = {
    "decimal-comma": ("3,5", {}, 'data.decimal: ","'),
    "decimal-comma-that-groups": ("3,500", {}, 'data.thousands: ","'),
    "both-marks": ("1.234,5", {}, 'data.decimal: "," and data.thousands: "."'),
    "french": ("1\u202f234,5", {}, 'data.decimal: "," and data.thousands: " "'),
    "thousands-and-point": ("1,234.5", {}, 'Set data.thousands: ","'),
    "thousands-wrongly-set": ("3,14", {"thousands": ","}, 'data.decimal: ","'),
    "grouped-by-two": ("1,2,3", {"thousands": ","}, "Mend"),
    "grouped-decimals": ("1.234,567", {"thousands": ","}, 'data.decimal: ","'),
    "blank-groups": ("1 000", {}, 'data.thousands: " "'),
    "quote-groups": ("1'000", {}, 'data.thousands: "\'"'),
    "underscore-groups": ("1_000", {}, 'data.thousands: "_"'),
    "percent": ("5%", {}, "Mend"),
    "dollar": ("$3", {}, "Mend"),
    "euro": ("3 €", {}, "Mend"),
    "hexadecimal": ("0x1F", {}, "Mend"),
    "unit": ("3 kg", {}, "Mend"),
    "brackets": ("(3)", {}, "Mend"),
    "minus-sign": ("\u22123", {}, "Mend"),
    "minus-after": ("3-", {}, "Mend"),
    "full-width": ("１２", {}, "Mend"),
    "arabic": ("٣", {}, "Mend"),
    "devanagari": ("१२", {}, "Mend"),
    "two-points": ("3.14.15", {}, "Mend"),
    "no-exponent": ("3e", {}, "Mend"),
    "fortran": ("3d5", {}, "Mend"),
    "fraction": ("1/2", {}, "Mend"),
    "word": ("unknown", {}, "data.missing_values"),
    "question-mark": ("?", {}, "data.missing_values"),
    "dash": ("-", {}, "data.missing_values"),
    "excel-error": ("#DIV/0!", {}, "data.missing_values"),
    "boolean": ("True", {}, "data.missing_values"),
    "date": ("2023-01-01", {}, "data.missing_values"),
    "time": ("12:30", {}, "data.missing_values"),
    "overflow": ("1e400", {}, "data.missing_values"),
    "huge": ("-1e101", {}, "data.missing_values"),
    "infinity": ("inf", {}, "data.missing_values"),
    "minus-infinity": ("-Infinity", {}, "data.missing_values"),
    "infinity-sign": ("∞", {}, "data.missing_values"),
}


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("as_target", [False, True], ids=["feature", "target"])
@pytest.mark.parametrize(("cell", "data", "hint"), BAD_CELLS.values(), ids=BAD_CELLS)
def test_a_cell_that_is_no_number_is_named_by_line(tmp_path, cell, data, hint, as_target):
    content = numbers_and(cell)
    given = {**data, "target": "x"} if as_target else data
    (fault,) = faults_of(tmp_path, content, data=given)
    assert f"column 'x': {'expected finite' if as_target else ''}" in fault.message
    assert f"found {cell!r} (line 14)" in fault.message
    assert fault.line == 14
    assert (fault.path or "").endswith("table.csv")
    assert hint in (fault.hint or "")


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("cell", ["3,5", "5%", "$3", "0x1F", "1_000", "１２", "٣", "(3)", "inf", "1e400"])
def test_a_column_of_such_cells_alone_is_no_category(tmp_path, cell):
    (fault,) = faults_of(tmp_path, column_of(cell))
    assert f"found {cell!r} (line 2), {cell!r} (line 3), {cell!r} (line 4) and 9 more" in fault.message


def test_a_bad_cell_of_any_length_is_cut(tmp_path):
    (fault,) = faults_of(tmp_path, numbers_and("x" * 300_000))
    assert f"found {'x' * 40!r} (line 14)" in fault.message


def test_the_first_three_bad_cells_are_named(tmp_path):
    (fault,) = faults_of(tmp_path, numbers_and("low", "high", "", "mid", "low"))
    assert "'low' (line 14), 'high' (line 15), 'mid' (line 17) and 1 more" in fault.message
    assert "data.types: {x: category}" in (fault.hint or "")


def test_lines_are_right_after_newlines_in_quotes(tmp_path):
    content = 'n,x,y\n"a\nb",1,1\n\n"c",2,3\n"a\r\nb\n\n",3,4\n"c",oops,2\n'
    (fault,) = faults_of(tmp_path, content)
    assert "'oops' (line 10)" in fault.message


def test_a_decimal_point_under_a_decimal_comma_is_not_read_as_one(tmp_path):
    content = rows("x;y", "1,5;1", "1.234;2", "2,5;3", times=4)
    (fault,) = faults_of(tmp_path, content, data={"delimiter": ";", "decimal": ","})
    assert "'1.234' (line 3)" in fault.message
    assert 'data.thousands: "."' in (fault.hint or "")


def test_numbers_up_to_the_largest_are_accepted(tmp_path):
    dataset = load(tmp_path, column_of(f"{LARGEST_NUMBER:g}", f"-{LARGEST_NUMBER:g}"))
    assert np.abs(dataset.parts["train"].cells["x"]).max() == LARGEST_NUMBER


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("text", ["name {}", "id-{}", "{}a", "user{}@example.org"])
def test_a_level_per_row_is_refused_with_the_way_out(tmp_path, text):
    (fault,) = faults_of(tmp_path, "x,y\n" + "".join(f"{text.format(n)},{n}\n" for n in range(40)))
    assert "'x' has 40 different texts in 40 rows" in fault.message
    assert "data.exclude" in (fault.hint or "")
    assert "data.types" in (fault.hint or "")


def test_a_level_per_row_is_accepted_when_declared_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("dlreg.table.kinds.category.MAX_LEVELS", 1000)
    content = "x,y\n" + "".join(f"name {n},{n}\n" for n in range(1001))
    (fault,) = faults_of(tmp_path, content, data={"types": {"x": "category"}})
    assert "1,001 different texts" in fault.message
    content = "x,y\n" + "".join(f"name {n},{n}\n" for n in range(1000))
    assert load(tmp_path, content, data={"types": {"x": "category"}}).columns[0].kind == "category"


BAD_DATES = {
    "impossible": (["2023-01-31", "2023-02-30", "2023-03-01"], "'2023-02-30' (line 3)", "%Y-%m-%d"),
    "impossible-european": (["31.01.2023", "30.02.2023", "28.02.2023"], "'30.02.2023' (line 3)", "%d.%m.%Y"),
    "a-word": (["2023-01-31", "2023-02-28", "soon"], "'soon' (line 4)", "%Y-%m-%d"),
    "time-in-some": (["2023-01-31", "2023-02-28", "2023-02-28 12:00"], "(line 4)", "%Y-%m-%d"),
    "two-formats": (["2023-01-31", "2023-02-28", "28/02/2023"], "'28/02/2023' (line 4)", "%Y-%m-%d"),
    "unclear": (["01/02/2023", "03/04/2023"], "'01/02/2023'", '"%d/%m/%Y"} or data.dates: {x: "%m/%d/%Y"}'),
    "european": (["01/02/2023", "13/04/2023"], "'01/02/2023'", 'data.dates: {x: "%d/%m/%Y"}'),
    "dots": (["01.02.2023", "13.04.2023"], "'01.02.2023'", 'data.dates: {x: "%d.%m.%Y"}'),
    "month": (["2023-01", "2023-02"], "'2023-01'", 'data.dates: {x: "%Y-%m"}'),
    "names": (["12 Mar 2023", "13 Apr 2023"], "'12 Mar 2023'", 'data.dates: {x: "%d %b %Y"}'),
    "twelve-hours": (["01/13/2023 5:06 PM"], "'01/13/2023 5:06 PM'", '{x: "%m/%d/%Y %I:%M %p"}'),
    "weekdays": (["Mon, 3 Jan 2022"], "'Mon, 3 Jan 2022'", '{x: "%a, %d %b %Y"}'),
    "two-digits": (["20-Aug-52"], "'20-Aug-52'", '{x: "%d-%b-%y"}'),
    "korean": (["2022년 1월 3일"], "'2022년 1월 3일'", '{x: "%Y년 %m월 %d일"}'),
    "an-offset-in-some": (
        ["2023-01-01 00:00", "2023-01-01 00:00 +0100"],
        "several offsets from UTC, such as '2023-01-01 00:00' and '2023-01-01 00:00 +0100'",
        "data.time_zone: UTC",
    ),
    "zones": (
        ["2023-01-01T00:00Z", "2023-01-01T00:00+01:00"],
        "several offsets from UTC, such as '2023-01-01T00:00Z' and '2023-01-01T00:00+01:00'",
        "data.time_zone: UTC",
    ),
}


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(("cells", "message", "advice"), BAD_DATES.values(), ids=BAD_DATES)
def test_dates_that_are_unclear_or_impossible_are_refused(tmp_path, cells, message, advice):
    (fault,) = faults_of(tmp_path, column_of(*cells))
    assert message in fault.message
    assert advice in f"{fault.message} {fault.hint}"
    assert "data.types: {x: category}" in (fault.hint or "")


def test_a_declared_format_is_held_to(tmp_path):
    (fault,) = faults_of(tmp_path, column_of("01/02/2023", "13/13/2023"), data={"dates": {"x": "%d/%m/%Y"}})
    assert "expected dates of the form %d/%m/%Y; found '13/13/2023' (line 3)" in fault.message


def test_many_times_of_day_need_a_format(tmp_path):
    content = "x,y\n" + "".join(f"{n % 24:02}:{n:02}:00,{n}\n" for n in range(40))
    (fault,) = faults_of(tmp_path, content)
    assert 'Set data.dates: {x: "%H:%M:%S"}, or data.types: {x: category}' in fault.hint
    assert load(tmp_path, content, data={"dates": {"x": "%H:%M:%S"}}).columns[0].kind == "date"


def test_offsets_are_brought_into_the_zone_of_the_config(tmp_path):
    cells = ("2023-07-01 12:00Z", "2023-07-01 12:00 +0200", "2023-07-01 12:00")
    (column,) = load(tmp_path, column_of(*cells), data={"time_zone": "Europe/Berlin"}).columns
    assert column == Column("x", "date", "%Y-%m-%d %H:%M%z", None, "Europe/Berlin")
    # One offset is a part of the format, unless there is a zone to bring it into.
    (column,) = load(tmp_path, column_of(cells[0])).columns
    assert column == Column("x", "date", "%Y-%m-%d %H:%MZ")
    (column,) = load(tmp_path, column_of(cells[0]), data={"time_zone": "UTC"}).columns
    assert column == Column("x", "date", "%Y-%m-%d %H:%M%z", None, "UTC")
    (column,) = load(tmp_path, column_of(cells[2]), data={"time_zone": "UTC"}).columns
    assert column == Column("x", "date", "%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("cells", "later"),
    [
        (("2023-01-01 12:00+01:00", "2023-02-01 12:00+01:00"), "2023-07-01 12:00+02:00"),
        (("2023-01-01 12:00", "2023-02-01 12:00"), "2023-07-01 12:00Z"),
        (("2023-01-01 12:00Z", "2023-02-01 12:00Z"), "2023-07-01 12:00"),
    ],
)
def test_another_offset_than_those_trained_on_needs_a_zone(tmp_path, cells, later):
    (tmp_path / "test.csv").write_text(f"x,y\n{later},1\n{cells[0]},2\n")
    data = {"test_path": "test.csv"}
    (fault,) = faults_of(tmp_path, column_of(*cells), data=data)
    assert f"found {later!r} (line 2)" in fault.message
    hint = 'Train with data.time_zone: UTC and data.dates: {x: "%Y-%m-%d %H:%M%z"}'
    assert fault.hint == hint
    data |= {"time_zone": "UTC", "dates": {"x": "%Y-%m-%d %H:%M%z"}}
    assert len(load(tmp_path, column_of(*cells), data=data).parts["test"].rows) == 2


def test_moments_order_the_rows_of_a_split_by_time(tmp_path):
    cells = [f"2023-07-01 {n:02}:00{'+14:00' if n % 2 else '-12:00'}" for n in range(24)]
    content = "t,x,y\n" + "".join(f"{cell},{n % 5},{n}\n" for n, cell in enumerate(cells))
    data = {"time_zone": "UTC", "split": "time", "split_by": "t", "test_split": 0.5}
    dataset = load(tmp_path, content, data=data, training={"validation_split": 0})
    assert dataset.parts["test"].rows.tolist() == list(range(0, 24, 2))


def test_blanks_around_a_date_are_taken_away(tmp_path):
    dataset = load(
        tmp_path,
        column_of("31/01/2023", " 31/01/2023", "31/01/2023\u00a0", "  "),
        data={"dates": {"x": "%d/%m/%Y"}},
    )
    assert {cell for part in dataset.parts.values() for cell in part.cells["x"][:, 0]} == {"31/01/2023", ""}


def test_a_date_column_without_dates_is_refused(tmp_path):
    faults = faults_of(tmp_path, column_of(""), data={"types": {"x": "date"}})
    assert "no dates" in faults[0].message


def test_every_bad_column_is_named_at_once(tmp_path):
    content = "a,b,c,y\n" + "".join(f'{n},{n},01/02/2023,"{n},5"\n' for n in Y) + "x,1e999,01/02/2023,1\n"
    faults = faults_of(tmp_path, content)
    assert [fault.message.split("'")[1] for fault in faults] == ["a", "b", "c", "y"]
