"""Columns that a CSV lacks: each is named with the one that was most likely meant."""

import pytest
from support.tables import faults_of, rows

from dlreg.table.missing_columns import missing_columns

TABLE = rows("a,b,name,y", *(f"{n},{n * n % 7},{'uv'[n % 2]},{n}.5" for n in range(1, 41)))


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("header", "data", "message", "hint"),
    [
        ("a,b,price", {"target": "Price"}, "no column 'Price'", "Did you mean 'price'?"),
        ("a,b,price", {"target": "prize"}, "no column 'prize'", "Did you mean 'price'?"),
        ("a,b, price ", {"target": "price"}, "no column 'price'", "Did you mean ' price '?"),
        ("a,b,y", {"target": "zzz"}, "no column 'zzz'", "The columns are 'a', 'b', 'y'"),
        ("a,b,y", {"features": ["a", "B"]}, "no column 'B'", "Did you mean 'b'?"),
        ("x z q", {"target": "q"}, "no column 'q'", "looks like ' '"),
        ("a,b,y", {"exclude": ["c"]}, "no column 'c'", "The columns are"),
        ("a,b,y", {"types": {"bb": "number"}}, "no column 'bb'", "Did you mean 'b'?"),
        ("a,b,y", {"dates": {"aa": "%Y"}}, "no column 'aa'", "Did you mean 'a'?"),
        ("a,b,y", {"split": "group", "split_by": "aa"}, "no column 'aa'", "Did you mean 'a'?"),
        ("a;q,b,y", {"target": "q"}, "no column 'q'", "looks like ';'"),
        (
            "a,b,소요 시간",
            {"target": "\u1109\u1169\u110b\u116d \u1109\u1175\u1100\u1161\u11ab"},
            "no column",
            "copy it",
        ),
        ("a,b,caf\u0065\u0301", {"target": "café"}, "no column 'café'", "looks the same"),
    ],
)
def test_a_column_that_is_missing_names_its_near_match(tmp_path, header, data, message, hint):
    fault, *_ = faults_of(
        tmp_path, rows(header, *(["1,2,3", "2,3,4"] if "," in header else ["1 2 3"]), times=9), data=data
    )
    assert message in fault.message
    assert hint in (fault.hint or "")
    assert (fault.path or "").endswith("config.yaml")
    assert fault.line


def test_all_missing_columns_are_named_at_once(tmp_path):
    faults = faults_of(tmp_path, TABLE, data={"target": "Y", "exclude": ["c"], "types": {"d": "number"}})
    assert len(faults) == 3


def test_many_missing_columns_do_not_fill_the_screen(tmp_path):
    faults = faults_of(
        tmp_path, TABLE, data={"features": ["a", "b", "name", *(f"column {n}" for n in range(25))]}
    )
    assert len(faults) == 21
    assert "5 more columns are missing" in faults[-1].message


@pytest.mark.bad_input("data")
def test_another_table_has_one_fault_that_counts(tmp_path):
    listed = [f"column {n}" for n in range(3000)]
    (fault,) = faults_of(tmp_path, TABLE, data={"target": "price", "features": listed})
    assert "another table: it has none of the 3,001 columns" in fault.message
    assert "lacks 'price', 'column 0', 'column 1', …" in fault.message
    assert fault.hint == "The columns are 'a', 'b', 'name', 'y'"


def test_names_that_are_alike_are_mistyped_and_no_other_table(tmp_path):
    wanted = ["north", "south", "east", "west"]
    faults = missing_columns(wanted, [name.upper() for name in wanted], "t.csv", 4)
    assert [fault.hint for fault in faults] == [f"Did you mean {name.upper()!r}?" for name in wanted]
    (fault,) = missing_columns(wanted, ["a;north", "b"], "t.csv", 4)
    assert "looks like ';'" in (fault.hint or "")
    assert len(missing_columns(wanted, ["a", "b"], "t.csv", 5)) == 4


def test_a_list_of_many_columns_is_cut(tmp_path):
    header = ",".join(f"column {n}" for n in range(500))
    (fault,) = faults_of(tmp_path, rows(header, header.replace("column ", "")), data={"target": "qqq"})
    assert "and 480 more" in (fault.hint or "")
