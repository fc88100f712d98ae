"""Columns that the config declares to be numbers: units, signs and digits as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import PLAIN, faults_of, load, read, rows

from dlreg.errors import DataError
from dlreg.table.column import Column
from dlreg.table.columns import read_cells, recognise_columns
from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.number import plain_numbers, read_numbers
from dlreg.table.kinds.unit_counts import count_without_unit

DECLARED = {"types": {"x": "number"}}


def column_of(*cells: str, rows_of_each: int = 4) -> str:
    """A table with the column `x` of these cells, again and again, and a target that varies."""
    lines = [f'"{cell}",{number}' for number, cell in enumerate(cells * rows_of_each)]
    return rows("x,y", *lines)


def test_plain_numbers_are_those_that_are_read_as_they_are(tmp_path):
    cells = {"whole": "12", "float": "1.5", "gap": "", "text": "a", "large": "1e101", "infinite": "-inf"}
    table = read(tmp_path, rows(",".join(cells), ",".join(["1"] * 6), ",".join(cells.values())))
    plain = plain_numbers(table, {*cells, "none"})
    assert list(plain) == ["whole", "float", "gap"]
    for name, values in plain.items():
        np.testing.assert_array_equal(values, read_numbers(table, name))
    assert list(plain_numbers(table, {"gap", "text"})) == ["gap"]


def values_of(dataset) -> set[float]:
    return {value for part in dataset.parts.values() for value in part.cells["x"][:, 0]}


@pytest.mark.parametrize(
    ("cells", "data", "values", "unit"),
    [
        (["16.6%", "3 %", "0%"], {}, {16.6, 3, 0}, "%"),
        (["€71.62", "€ 3", "-€1"], {}, {71.62, 3, -1}, "€"),
        (["71,62 €", "3 €", "1.000 €"], {"decimal": ",", "thousands": "."}, {71.62, 3, 1000}, "€"),
        (["113 m2", "96 m²", "7㎡"], {}, {113, 96, 7}, "m2"),
        (["(79.01)", "41.26", "5-"], {}, {-79.01, 41.26, -5}, ""),
        (["−5", "3", "－２"], {}, {-5, 3, -2}, ""),
        (["１２", "７", "3"], {}, {12, 7, 3}, ""),
        (["1 234", "1\u00a0234", "1\u202f235", "1\u2009236"], {"thousands": " "}, {1234, 1235, 1236}, ""),
        (["1'234 CHF", "1’235 CHF", "3 CHF"], {"thousands": "'"}, {1234, 1235, 3}, "CHF"),
        (["12만원", "3만원", "0"], {}, {12, 3, 0}, "만원"),
        (["3 lbs", "1 lb", "5"], {}, {3, 1, 5}, "lbs"),
    ],
)
def test_declared_numbers_have_the_value_a_reader_sees(tmp_path, cells, data, values, unit):
    dataset = load(tmp_path, column_of(*cells), data={**data, **DECLARED})
    assert values_of(dataset) == values
    assert dataset.columns == (Column("x", "number", unit=unit),)


@pytest.mark.parametrize(
    ("cells", "data", "mean", "unit"),
    [
        (["$311,290.00", "$1,000.50"], {"thousands": ","}, 156145.25, "$"),
        (["(5)", "7"], {}, 1, ""),
        (["1,5 %", "2,5 %"], {"decimal": ","}, 2, "%"),
    ],
)
def test_a_declared_target_is_read_the_same_way(tmp_path, cells, data, mean, unit):
    content = rows("a,price", *(f'{number % 7},"{cells[number % 2]}"' for number in range(20)))
    dataset = load(tmp_path, content, data={"target": "price", "types": {"price": "number"}, **data})
    assert np.mean(np.concatenate([part.y_true for part in dataset.parts.values()])) == pytest.approx(mean)
    assert dataset.target_unit == unit


@given(
    numbers=st.lists(st.decimals(-(10**5), 10**5, places=2), min_size=3, max_size=8, unique=True),
    unit=st.sampled_from(["", "%", " €", " kg/m²", "円"]),
)
def test_a_unit_changes_no_number(tmp_path_factory, numbers, unit):
    folder = tmp_path_factory.mktemp("unit")
    cells = [f"{number:f}" for number in numbers]
    table = read(folder, rows("x,y", *(f'"{cell}{unit}",1' for cell in cells)), text=["x"])
    (column,) = recognise_columns(table, ["x"], {"x": "number"}, {})
    assert list(read_cells(table, [column])["x"][:, 0]) == [float(cell) for cell in cells]


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("cells", "message", "hint"),
    [
        (["$5", "$6", "€7"], "expected numbers in one unit, '$'; found '€7' (line 4)", "none is converted"),
        (["5 kg", "6 kg", "7 lb"], "expected numbers in one unit, 'kg'; found '7 lb' (line 4)", "one"),
        (["5k", "6k", "800"], "expected numbers in 'k'; found '800' (line 4)", "'k' in every cell"),
        (["$1.2M", "$0.3M", "$900k"], "expected numbers in one unit, '$ M'; found '$900k' (line 4)", ""),
        (["5%", "6%", "low"], "expected finite numbers", "data.missing_values"),
        (["5 kg", "6 kg", "1,5 kg"], "expected finite numbers", 'data.decimal: ","'),
        (["$5", "$6", "$1,234.50"], "expected finite numbers", 'Set data.thousands: ","'),
        (["0x1F", "0x2F", "0x3F"], "expected finite numbers", "Mend"),
        (["1e200 kg", "1 kg", "2 kg"], "none beyond 1e+100; found '1e200 kg' (line 2)", "Mend"),
    ],
)
@pytest.mark.parametrize("as_target", [False, True], ids=["feature", "target"])
def test_a_declared_column_of_anything_else_is_refused_by_line(tmp_path, cells, message, hint, as_target):
    target = {"target": "x"} if as_target else {}
    (fault,) = faults_of(tmp_path, column_of(*cells), data={**DECLARED, **target})
    assert f"column 'x': {message}" in fault.message or message in fault.message
    assert hint in (fault.hint or "")


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (["16.6%", "3.5%", "7.1%"], "Set data.types: {x: number}"),
        (["$1,234.50", "$5.00", "$7.00"], 'Set data.thousands: "," and data.types: {x: number}'),
        (["1.234,50 €", "5,00 €", "7,25 €"], 'Set data.decimal: "," and data.thousands: "." and data.types'),
        (["(79.01)", "5", "7"], "Mend the cells, or set data.types: {x: number}"),
        (["−5", "5", "7"], "Mend the cells, or set data.types: {x: number}"),
        (["１２", "５", "７"], "Set data.types: {x: number}"),
    ],
)
@pytest.mark.parametrize("as_target", [False, True], ids=["feature", "target"])
def test_the_fault_of_an_undeclared_column_names_the_key_that_reads_it(tmp_path, cells, hint, as_target):
    target = {"target": "x"} if as_target else {}
    (fault,) = faults_of(tmp_path, column_of(*cells), data=target)
    assert (fault.hint or "").startswith(hint)


@pytest.mark.bad_input("data")
def test_the_key_is_not_named_where_it_would_not_read_every_cell(tmp_path):
    (fault,) = faults_of(tmp_path, column_of("5%", "6%", "$7"))
    assert "{x: number}" not in (fault.hint or "")


def test_a_unit_with_a_text_per_row_is_refused_with_the_key_that_reads_it(tmp_path):
    (fault,) = faults_of(tmp_path, rows("x,y", *(f"{number} m2,{number % 5}" for number in range(40))))
    assert "data.types: {x: number}" in (fault.hint or "")


def test_notes_say_what_was_read_how(tmp_path):
    cells = ["16.6%", "(3%)", "5", ""]
    dataset = load(tmp_path, column_of(*cells, rows_of_each=5), data=DECLARED)
    assert dataset.notes[:3] == (
        "column 'x' holds numbers in '%': '16.6%' is 16.6",
        "5 cells of column 'x' are negative as in accounts: '(3%)' is -3",
        "5 of 20 cells have no unit in column 'x', taken as '%'",
    )


def test_bare_numbers_have_no_notes(tmp_path):
    assert load(tmp_path, column_of("-5", "6.5", "7"), data=DECLARED).notes == ()


@pytest.mark.parametrize(
    ("cells", "numbers"), [(["5 %", "6%"], [5, 6]), (["5", "6"], [5, 6]), (["(5%)", "6"], [-5, 6])]
)
def test_another_table_may_have_the_same_unit_or_none(tmp_path, cells, numbers):
    table = read(tmp_path, rows("x,y", *(f'"{cell}",1' for cell in cells)))
    assert list(read_cells(table, [Column("x", "number", unit="%")])["x"][:, 0]) == numbers


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("cell", "unit", "message"),
    [
        ("5 €", "%", "expected numbers in one unit, '%'; found '5 €' (line 3)"),
        ("5%", "", "expected numbers without a unit; found '5%' (line 3)"),
        ("5%", None, "expected finite numbers"),
        ("(5)", None, "expected finite numbers"),
        ("5", "k", "expected numbers in 'k'; found '5' (line 3)"),
    ],
)
def test_another_table_with_another_unit_is_refused_by_line(tmp_path, cell, unit, message):
    first = f"1{unit or ''}"
    table = read(tmp_path, rows("x,y", f'"{first}",1', f'"{cell}",1'))
    with pytest.raises(DataError) as caught:
        read_cells(table, [Column("x", "number", unit=unit)])
    assert message in str(caught.value)


def test_a_table_of_bare_numbers_is_no_table_of_thousands(tmp_path):
    table = read(tmp_path, rows("x,y", "5,1", "0,1"))
    with pytest.raises(DataError, match="expected numbers in 'k'; found '5'"):
        read_cells(table, [Column("x", "number", unit="k")])


def test_cells_without_the_unit_are_counted(tmp_path):
    table = read(tmp_path, rows("x,z,w,y", "5%,1,3,1", "6,2,4,1", ",3,5,1"))
    columns = [
        Column("x", "number", unit="%"),
        Column("z", "number", unit="kg"),
        Column("w", "number", unit=""),
    ]
    assert count_without_unit(table, columns) == {"x": 1, "z": 3}


def test_a_test_file_must_have_the_unit_of_the_training_file(tmp_path):
    (tmp_path / "test.csv").write_text(rows("x,y", *(f"{number} lb,{number} €" for number in range(9))))
    data = {"types": {"x": "number", "y": "number"}, "test_path": "test.csv", "test_split": None}
    content = rows("x,y", *(f"{number} kg,{number}€" for number in range(20)))
    (fault,) = faults_of(tmp_path, content, data=data)
    assert "'kg'; found '0 lb' (line 2)" in fault.message
    (tmp_path / "test.csv").write_text(rows("x,y", *(f"{number}kg,{number} $" for number in range(9))))
    (fault,) = faults_of(tmp_path, content, data=data)
    assert "column 'y': expected numbers in one unit, '€'; found '0 $' (line 2)" in fault.message
    (tmp_path / "test.csv").write_text(rows("x,y", *(f"{number}kg,€{number}" for number in range(9))))
    assert load(tmp_path, content, data=data).parts["test"].y_true.size == 9


@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u2007", "\u2008", "\u2009", "\u202f", "\u205f", "\u3000"])
def test_blanks_of_every_kind_group_digits(tmp_path, mark):
    csv_format = CsvFormat(thousands=" ")
    table = read(tmp_path, rows("x,y", f"1{mark}234{mark}567.5,1", "3,1"), csv_format)
    assert list(read_cells(table, [Column("x", "number")])["x"][:, 0]) == [1234567.5, 3]


def test_apostrophes_of_every_kind_group_digits(tmp_path):
    table = read(tmp_path, rows("x,y", "1'234,1", "1’234,1", "1ʼ234,1"), CsvFormat(thousands="'"))
    assert list(read_cells(table, [Column("x", "number")])["x"][:, 0]) == [1234, 1234, 1234]


def test_a_column_without_any_cell_can_be_declared(tmp_path):
    table = read(tmp_path, rows("x,y", ",1", ",1"), PLAIN, text=["x"])
    (column,) = recognise_columns(table, ["x"], {"x": "number"}, {})
    assert np.isnan(read_cells(table, [column])["x"]).all()


def test_notes_write_numbers_in_full(tmp_path):
    dataset = load(
        tmp_path, column_of("$1,472,247", "$3", "($12,345,678)"), data={"thousands": ",", **DECLARED}
    )
    assert dataset.notes == (
        "column 'x' holds numbers in '$': '$1,472,247' is 1472247",
        "4 cells of column 'x' are negative as in accounts: '($12,345,678)' is -12345678",
    )
