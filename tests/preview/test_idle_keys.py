"""A key for text or a sheet is no key for a Parquet file: it is refused where it would choose other rows."""

import pandas as pd
import pytest
from support.configs import load as load_config
from support.forms import arrow, excel, parquet

from dlreg.errors import ConfigError
from dlreg.preview.idle_keys import refuse_idle_keys, suspect_idle_keys

TABLE = pd.DataFrame({"x": range(40), "y": range(40)})


@pytest.fixture
def folder(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    for name, form in (("t.parquet", parquet), ("t.arrow", arrow), ("t.xlsx", excel)):
        (tmp_path / name).write_bytes(form(TABLE))
    return tmp_path


def config(folder, path, *lines):
    more = "".join(f"  {line}\n" for line in lines)
    return load_config(folder, f"data:\n  path: {path}\n  target: y\n{more}")


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("t.parquet", "skip_rows: 2", "data.skip_rows is for a text file or an Excel workbook"),
        ("t.arrow", "skip_footer: 1", "data.skip_footer is for a text file or an Excel workbook"),
        ("t.parquet", 'comment: "#"', "t.parquet is a Parquet or Arrow file"),
        ("t.csv", "sheet: Prices", "data.sheet is for an Excel workbook, and .*t.csv is a text file"),
        ("t.parquet", "sheet: Prices", "data.sheet is for an Excel workbook"),
    ],
)
def test_a_key_that_would_choose_rows_is_refused_at_its_line(folder, path, line, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        refuse_idle_keys(config(folder, path, "exclude: []", line))
    (fault,) = caught.value.faults
    assert fault.line == 5
    assert fault.hint == f"Leave data.{line.partition(':')[0]} out"


@pytest.mark.parametrize("path", ["t.parquet", "t.xlsx"])
def test_a_key_for_characters_is_pointed_out(folder, path):
    settings = config(folder, path, 'delimiter: ";"', "encoding: cp949", "skip_initial_space: true")
    refuse_idle_keys(settings)
    assert [(fault.line, fault.message.split()[0]) for fault in suspect_idle_keys(settings)] == [
        (5, "data.encoding"),
        (4, "data.delimiter"),
        (6, "data.skip_initial_space"),
    ]


def test_a_key_for_one_of_the_files_is_none_without_use(folder):
    settings = config(
        folder, "t.parquet", "test_split: null", "test_path: t.csv", "skip_rows: 1", "encoding: cp949"
    )
    refuse_idle_keys(settings)
    assert not list(suspect_idle_keys(settings))
    refuse_idle_keys(config(folder, "t.xlsx", "sheet: Sheet", "skip_footer: 1"))
    for path in ("t.csv", "t.parquet"):
        refuse_idle_keys(config(folder, path))
        assert not list(suspect_idle_keys(config(folder, path)))
