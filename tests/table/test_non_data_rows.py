"""Rows that are no observations: found wherever they stand, and no observation is taken for one."""

import json
import random

import numpy as np
import pytest
from support.tables import faults_of, load, rows

from dlreg.config.sections.data import DataConfig
from dlreg.table import non_data_rows
from dlreg.table.csv_format import CsvFormat
from dlreg.table.non_data_rows import find_non_data_rows
from dlreg.table.source import read_table
from dlreg.table.spelling import canonical_text, small_letters

PRICES = [101.5, 87.25, 143.0, 99.75, 120.5, 76.0, 155.25, 131.5, 90.0, 112.75, 84.5, 149.0]


def table_lines(**cells):
    """A header and a line for each price: area, town, price."""
    generator = np.random.default_rng(3)
    areas = generator.uniform(40, 200, len(PRICES)).round(1)
    towns = generator.choice(["Oak", "Elm"], len(PRICES))
    return [
        "area,town,y",
        *(f"{area},{town},{price}" for area, town, price in zip(areas, towns, PRICES, strict=True)),
    ]


def found_in(tmp_path, lines, target="y"):
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = find_non_data_rows(read_table(str(tmp_path / "table.csv"), CsvFormat()), target)
    return [row for row, _ in found]


@pytest.mark.parametrize("place", [1, 6, len(PRICES) + 1])
@pytest.mark.parametrize(
    "row",
    [
        "Total,,1351.0", "TOTAL:,,99", "Summe,,1351", "Gesamt (EUR),,5", "moyenne,,112.6", "Sous-total,,400", "합계,,1351",
        "평균,,112", "合計,,1351", "Total 2024,,12", "Итого,,1351", "** Grand Total **,,3", ",Average,112.6", "Total,,",
    ],
)  # fmt: skip
def test_a_word_for_a_total_beside_empty_cells(tmp_path, row, place):
    lines = table_lines()
    lines.insert(place, row)
    assert found_in(tmp_path, lines) == [place - 1]


@pytest.mark.parametrize("place", [1, 6, len(PRICES) + 1])
def test_a_target_that_is_the_sum_of_all_others(tmp_path, place):
    lines = table_lines()
    lines.insert(place, f"1500.5,Oak,{sum(PRICES)}")
    assert found_in(tmp_path, lines) == [place - 1]


def test_a_last_row_that_is_the_mean_of_the_others_beside_empty_cells(tmp_path):
    mean = f"{np.mean(PRICES):.2f}"
    assert found_in(tmp_path, [*table_lines(), f"120.1,,{mean}"]) == [len(PRICES)]
    assert found_in(tmp_path, [*table_lines(), f"120.1,Oak,{mean}"]) == []
    assert found_in(tmp_path, [*table_lines(), f"120.1,,{np.mean(PRICES) + 0.2:.2f}"]) == []


@pytest.mark.parametrize("units", ["m2,name,EUR", "(m²),,(€)", "제곱미터,이름,원", "m2,,kEUR"])
def test_a_second_header_of_units(tmp_path, units):
    header, *lines = table_lines()
    assert found_in(tmp_path, [header, units, *lines]) == [0]
    # Further down it is a fault of its cells.
    assert found_in(tmp_path, [header, *lines[:3], units, *lines[3:]]) == []


def test_a_header_that_stands_again_where_files_were_joined(tmp_path):
    header, *lines = table_lines()
    text_first = [
        ",".join(reversed(line.split(",")[:2])) + "," + line.split(",")[2] for line in [header, *lines]
    ]
    assert found_in(tmp_path, [*text_first, *text_first]) == [len(lines)]


@pytest.mark.parametrize(
    "change",
    [
        # A brand, a district and a kind of lens that are called like a sum.
        lambda lines: [line.replace("Elm", "Total").replace("Oak", "Media") for line in lines],
        lambda lines: [line.replace("Elm", "Somme") for line in [*lines, ",Somme,99"]],
        # A cell that is missing, an error, an outlier, a row without a target.
        lambda lines: [*lines, ",Oak,101"],
        lambda lines: [lines[0], "n/a,Oak,101", *lines[1:]],
        lambda lines: [*lines, "99.1,Oak,90000"],
        lambda lines: [*lines, "99.1,Oak,"],
        lambda lines: [lines[0], "#REF!,Oak,101", *lines[1:]],
        lambda lines: lines[:4],
    ],
)  # fmt: skip
def test_an_observation_is_not_taken_for_a_total(tmp_path, change):
    assert found_in(tmp_path, change(table_lines())) == []


def test_targets_that_add_up_to_nothing_are_no_totals(tmp_path):
    residuals = [*np.arange(-6.0, 7.0)]
    assert found_in(tmp_path, ["x,y", *(f"{i},{y}" for i, y in enumerate(residuals))]) == []


def test_such_rows_are_refused_with_a_way_out_that_works(tmp_path):
    content = rows(*table_lines(), "Total,,1351.0")
    (fault,) = faults_of(tmp_path, content)
    assert (fault.line, fault.path) == (14, str(tmp_path / "table.csv"))
    assert "'Total' in column 'area'" in fault.message
    assert "data.non_data_rows: exclude" in str(fault.hint)
    dataset = load(tmp_path, content, data={"non_data_rows": "exclude"})
    assert dataset.notes == ("left out: line 14: 'Total' in column 'area' beside empty cells",)
    assert sorted(np.concatenate([part.rows for part in dataset.parts.values()])) == list(range(12))
    assert {column.name: column.kind for column in dataset.columns} == {"area": "number", "town": "category"}
    clean = load(tmp_path, rows(*table_lines()))
    for name, part in clean.parts.items():
        assert part.y_true.tolist() == dataset.parts[name].y_true.tolist()
        assert part.cells["area"].tolist() == dataset.parts[name].cells["area"].tolist()


def test_such_a_row_can_be_kept(tmp_path):
    content = rows(*table_lines(), f"1500,Oak,{sum(PRICES)}")
    dataset = load(tmp_path, content, data={"non_data_rows": "keep"})
    assert sum(part.rows.size for part in dataset.parts.values()) == 13
    assert dataset.notes[0].startswith("kept as an observation: line 14: the target 'y' is the sum")


def test_other_faults_are_told_beside_it(tmp_path):
    lines = table_lines()
    lines[3] = lines[3].replace(lines[3].split(",")[0], "wide")
    faults = faults_of(tmp_path, rows(*lines, "Total,,1351.0"))
    assert [fault.line for fault in faults] == [14, 4]


def test_of_many_only_the_first_are_named(tmp_path):
    faults = faults_of(tmp_path, rows(*table_lines(), *["Subtotal,,400"] * 9))
    assert [fault.line for fault in faults] == [14, 15, 16, 17, 18, None]
    assert faults[-1].message.startswith("4 more rows")


def test_the_test_file_is_looked_at_too(tmp_path):
    (tmp_path / "test.csv").write_text(rows(*table_lines(), "Total,,1351.0"))
    faults = faults_of(tmp_path, rows(*table_lines()), data={"test_path": "test.csv"})
    assert [(fault.path, fault.line) for fault in faults] == [(str(tmp_path / "test.csv"), 14)]


def test_the_policy_stands_in_the_config():
    config = json.loads(DataConfig(path="t.csv", target="y").model_dump_json())
    assert config["non_data_rows"] == "refuse"


def test_a_word_for_a_total_is_known_by_its_first_letter_with_any_blanks_and_marks_before_it():
    """The short cut that spares columns of many texts finds what the whole pattern finds."""
    generator = random.Random(18)
    hits = 0
    for _ in range(20_000):
        word = generator.choice(non_data_rows._WORDS)
        word = generator.choice([word, word.upper(), word.title(), word[::-1], "2024-01-01", ""])
        lead = "".join(generator.choices(non_data_rows._BEFORE_WORDS, k=generator.randrange(4)))
        text = lead + word + generator.choice(["", " ", ":", " 2024", " (EUR)", "*", "\xa0"])
        plain = small_letters(canonical_text(text)).strip("*#=-– ")
        assert non_data_rows._is_word(text) == bool(non_data_rows._WORD.fullmatch(plain)), text
        hits += non_data_rows._is_word(text)
    assert hits > 5000
