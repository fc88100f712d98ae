"""Hints that name a key of the config are about `--set` where the file at hand is another one."""

import pytest

from dlreg.commands.other_format import naming_set_option
from dlreg.errors import DataError, Fault


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ('Set data.decimal: ","', "Give --set 'data.decimal=\",\"'"),
        ("Set data.encoding: utf-16", "Give --set 'data.encoding=utf-16'"),
        ("The delimiter looks like ';': set data.delimiter", "The delimiter looks like ';': give --set data.delimiter=…"),
        (
            'Set data.dates: {sold: "%d/%m/%Y"} or data.dates: {sold: "%m/%d/%Y"}',
            "Give --set 'data.dates={sold: \"%d/%m/%Y\"}' or --set 'data.dates={sold: \"%m/%d/%Y\"}'",
        ),
        (
            "Mend the cells, or name texts that mean a missing value in data.missing_values",
            "Mend the cells, or name texts that mean a missing value in --set data.missing_values=…",
        ),
        (
            "Set data.non_data_rows: exclude to leave such rows out",
            "Give --set 'data.non_data_rows=exclude' to leave such rows out",
        ),
        ("Leave it out with data.exclude", "Leave it out with data.exclude"),
        (None, None),
    ],
)  # fmt: skip
def test_a_hint_names_the_option(hint, expected):
    with pytest.raises(DataError) as caught, naming_set_option():
        raise DataError(Fault("wrong", "new.csv", hint=hint))
    assert [(fault.message, fault.hint) for fault in caught.value.faults] == [("wrong", expected)]
