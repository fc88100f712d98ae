"""Files that do not start with the names of their columns are named as what they are, in one fault."""

import re
from typing import Any

import pytest
import yaml
from support.tables import faults_of, load, read, rows

from dlreg.commands.init import init
from dlreg.errors import DataError
from dlreg.table.csv_format import CsvFormat

ROWS = [
    f"{142.6 + row},{1 + row % 5},{['Oak', 'Ash', 'Elm'][row % 3]},{311290 + 7 * row}" for row in range(30)
]
NAMES = "area,rooms,town,price"
DATA = {"target": "price", "types": {"area": "number", "town": "category"}, "exclude": ["rooms"]}


def aligned(lines, width=12):
    """Cells padded with blanks to columns, as in a print-out."""
    return "".join("".join(f"{cell:{width}} " for cell in line.split(",")) + "\n" for line in lines)


def keys_in(hint: str | None) -> dict[str, Any]:
    """The section `data` that a hint asks for."""
    settings = re.split(r", (?=data\.)| and (?=data\.)", str(hint).split("; no")[0].removeprefix("Set "))
    return {
        key: yaml.safe_load(value)
        for key, value in (re.fullmatch(r"data\.(\w+): (.*)", s).groups() for s in settings)
    }


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("content", "line", "message", "hint"),
    [
        ("\n".join(ROWS) + "\n", 1, "the file has no header: its first line holds data, 142.6, 1, Oak, 311290",
         "Set data.header: false and data.names to a name for each of the 4 columns"),
        (rows("3,Oak,Elm,311290", "4,Ash,Elm,5", "5,Oak,Ash,6.5"), 1, "the file has no header", "data.header: false"),
        (rows("0,0,Oak,17", "1,0,Ash,12", "0,1,Elm,3"), 1, "the file has no header", "data.header: false"),
        (rows("€5,2 kg,Oak,1", "€6,3 kg,Ash,2"), 1, "the file has no header", "data.header: false"),
        (rows("# exported 2024-05-01", "# by tool 3", NAMES, *ROWS), 1,
         "expected column names, found a comment: '# exported 2024-05-01'", 'data.comment: "#"'),
        (rows("#", NAMES, *ROWS), 1, "found a comment: '#'", 'data.comment: "#"'),
        (rows("% a, with, commas; and more, of, them", "% b", "%", NAMES, *ROWS), 1, "found a comment", 'data.comment: "%"'),
        (rows("\n// x", NAMES, *ROWS), 2, "found a comment", 'data.comment: "//"'),
        (rows("# c", NAMES.replace(",", ";"), *(row.replace(",", ";") for row in ROWS)), 1, "found a comment",
         'data.comment: "#"'),
        (rows("sep=;", NAMES.replace(",", ";"), *(row.replace(",", ";") for row in ROWS)), 1, "found 'sep=;', which tells Excel the delimiter",
         'Set data.skip_rows: 1 and data.delimiter: ";"'),
        (aligned([NAMES, *ROWS]), 1, "there is no column 'price': the columns are aligned by runs of blanks", "data.delimiter: whitespace"),
    ],
    ids=["data", "texts", "equal-numbers", "units", "comments", "short", "commas", "slashes", "semicolons", "sep",
         "aligned"],
)  # fmt: skip
def test_what_stands_in_place_of_names_is_named(tmp_path, content, line, message, hint):
    (fault,) = faults_of(tmp_path, content, data=DATA)
    assert fault.line == line
    assert (fault.path or "").endswith("table.csv")
    assert message in fault.message
    assert hint in (fault.hint or "")
    if "Set data.header" not in str(fault.hint):
        assert all(key in init(str(tmp_path / "table.csv"), "price", None)[0] for key in keys_in(fault.hint))
        return
    with pytest.raises(DataError) as caught:
        init(str(tmp_path / "table.csv"), "price", None)
    assert len(caught.value.faults) == 1
    assert message.split("=;'")[0] in caught.value.faults[0].message


FOLLOWED = {
    "comments": rows("# exported 2024-05-01", "# by tool 3", NAMES, *ROWS),
    "slashes": rows("\n// x", NAMES, *ROWS),
    "sep": rows("sep=;", NAMES.replace(",", ";"), *(row.replace(",", ";") for row in ROWS)),
    "aligned": aligned([NAMES, *ROWS]),
    "aligned-names-with-blanks": aligned([NAMES.replace("town", "home town"), *ROWS]),
    "blank-before-quotes": rows(NAMES, *(re.sub("([A-Z][a-z]+)", r' "\1"', row) for row in ROWS)),
}


@pytest.mark.parametrize("content", FOLLOWED.values(), ids=FOLLOWED)
def test_the_keys_that_a_hint_names_read_the_file(tmp_path, content):
    (fault, *_) = faults_of(tmp_path, content, data={"target": "price"})
    dataset = load(tmp_path, content, data={"target": "price", **keys_in(fault.hint)})
    assert [column.name.split()[-1] for column in dataset.columns] == ["area", "rooms", "town"]
    assert sum(part.rows.size for part in dataset.parts.values()) == 30


def test_the_keys_named_for_a_file_without_a_header_read_it(tmp_path):
    content = "\n".join(ROWS) + "\n"
    (fault,) = faults_of(tmp_path, content, data={"target": "price"})
    assert "data.header: false and data.names to a name for each of the 4 columns" in str(fault.hint)
    dataset = load(tmp_path, content, data={"target": "price", "header": False, "names": NAMES.split(",")})
    assert sum(part.rows.size for part in dataset.parts.values()) == 30


@pytest.mark.bad_input("data")
def test_aligned_columns_cannot_be_cut_at_single_blanks(tmp_path):
    (fault,) = faults_of(tmp_path, aligned([NAMES, *ROWS], 7), data={"target": "price", "delimiter": " "})
    assert "aligned by runs of blanks" in fault.message


def test_a_name_may_start_like_a_comment(tmp_path):
    dataset = load(
        tmp_path, rows("#id,% of all,//,y", *(f"{row * row % 7},{row},{row % 3},{row}" for row in range(30)))
    )
    assert [column.name for column in dataset.columns] == ["#id", "% of all", "//"]
    (fault,) = faults_of(tmp_path, rows("#id,b,y", "1,2,3", "4,5", "6,7,8", "9,1,2"))
    assert "expected 3 cells as in the header, found 2" in fault.message


def test_names_may_be_numbers(tmp_path):
    header = "store,2019,2020,2021,1100.5,1102.0,protein"
    content = rows(
        header, *(f"s{row % 3},{row},{row * row % 5},3.5,{row % 7},{row % 4},{row}" for row in range(30))
    )
    assert len(load(tmp_path, content, data={"target": "protein"}).columns) == 6
    (fault,) = faults_of(tmp_path, content, data={"target": "protien"})
    assert "Did you mean 'protein'?" in (fault.hint or "")


def test_a_column_of_one_name_with_blanks_is_one_column(tmp_path):
    frame = read(tmp_path, '"wind  speed"\n1.5\n2.5\n', CsvFormat()).frame
    assert list(frame["wind  speed"]) == [1.5, 2.5]
