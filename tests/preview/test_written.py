"""Numbers that may be misread: grouped by thousands, codes with leading zeros, a first line of data."""

import numpy as np
import pytest
from support.tables import advice_on, load, rows

GENERATOR = np.random.default_rng(31)
VALUES = [f"{GENERATOR.integers(1, 999)}.{GENERATOR.integers(0, 999):03}" for _ in range(30)]


def table_of(cells, header="x,z,y", delimiter=","):
    lines = (f'"{cell}"{delimiter}{row % 7}{delimiter}{row * row % 11}' for row, cell in enumerate(cells))
    return rows(header.replace(",", delimiter), *lines)


def grouped(advice):
    return [message for message in advice if "three digits after its" in message]


@pytest.mark.parametrize(
    "cells", [VALUES, [*VALUES[:-1], ""], [f"-{cell}" for cell in VALUES], [f" {cell} " for cell in VALUES]]
)
def test_three_digits_after_every_point_may_be_thousands(tmp_path, cells):
    (message,) = grouped(advice_on(tmp_path, table_of(cells)))
    assert message.startswith("every cell of column 'x' has three digits after its '.', as ")
    assert VALUES[0].replace(".", "") in message


def test_the_same_of_a_comma_of_a_unit_and_of_the_target(tmp_path):
    commas = [cell.replace(".", ",") for cell in VALUES]
    data = {"decimal": ",", "delimiter": ";"}
    (message,) = grouped(advice_on(tmp_path, table_of(commas, delimiter=";"), data=data))
    assert "after its ','" in message
    priced = table_of([f"€{cell}" for cell in VALUES])
    assert grouped(advice_on(tmp_path, priced, data={"types": {"x": "number"}}))
    assert grouped(advice_on(tmp_path, table_of(VALUES), data={"target": "x"}))


@pytest.mark.parametrize(
    "cells",
    [
        [*VALUES[:-1], "1.5"], [*VALUES[:-1], "17"], [*VALUES[:-1], "0.125"], [*VALUES[:-1], "1234.567"],
        [f"{cell}0" for cell in VALUES], VALUES[:9],
    ],
    ids=["one-digit", "no-point", "below-one", "four-before", "four-after", "few"],
)  # fmt: skip
def test_other_numbers_are_no_thousands(tmp_path, cells):
    assert not grouped(advice_on(tmp_path, table_of(cells)))


def test_thousands_that_are_set_are_not_suspected(tmp_path):
    content = table_of(VALUES, delimiter=";")
    data = {"delimiter": ";", "decimal": ",", "thousands": "."}
    assert not grouped(advice_on(tmp_path, content, data=data))
    total = sum(part.cells["x"].sum() for part in load(tmp_path, content, data=data).parts.values())
    assert total == sum(int(cell.replace(".", "")) for cell in VALUES)


ZIPS = ["07030", "10001", "60601"] * 10


def test_codes_with_leading_zeros_are_pointed_out(tmp_path):
    advice = advice_on(tmp_path, table_of(ZIPS))
    assert "column 'x' has cells such as '07030': leading zeros are lost in a number" in advice


@pytest.mark.parametrize("kind", ["category", "number"])
def test_codes_that_the_config_declares_are_not(tmp_path, kind):
    assert not any(
        "leading" in message for message in advice_on(tmp_path, table_of(ZIPS), data={"types": {"x": kind}})
    )


@pytest.mark.parametrize(
    "cells", [["0", "10", "7"] * 10, ["0.5", "00.5", "1"] * 10], ids=["zero", "decimals"]
)
def test_zeros_that_are_numbers_are_not(tmp_path, cells):
    assert not any("leading" in message for message in advice_on(tmp_path, table_of(cells)))


def test_a_first_line_of_data_is_pointed_out(tmp_path):
    content = rows(
        "142.6,2,Oak,311290",
        *(f"{row}.5,{row % 5},{['Oak', 'Ash'][row % 2]},{row * row}" for row in range(30)),
    )
    advice = advice_on(tmp_path, content, data={"target": "311290"})
    assert "the first line looks like a row of data, not like names: 142.6, 2, Oak, 311290" in advice


def test_names_of_years_are_names(tmp_path):
    content = rows(
        "town,2019,2020,price", *(f"{['Oak', 'Ash'][row % 2]},{row % 5},{row % 3},{row}" for row in range(30))
    )
    assert not any(
        "first line" in message for message in advice_on(tmp_path, content, data={"target": "price"})
    )


def test_one_number_or_nothing_is_pointed_out(tmp_path):
    advice = advice_on(tmp_path, table_of(["1", "", ""] * 10))
    assert "column 'x' is 1 or missing in all training rows: as a number it cannot help" in advice
