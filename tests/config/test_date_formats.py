"""Formats of dates and time zones that no type tells right from wrong."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, load

from dlreg.config.date_formats import EPOCHS, SUPPORTED_DATE_DIRECTIVES

BAD_FORMATS = [
    ("%d/%m", "must contain %Y or %y, unless it is a time of day alone"),
    ("%d", "must contain %Y or %y"),
    ("%A %H:%M", "must contain %Y or %y"),
    ("%H:%M%z", "must contain %Y or %y"),
    ("%M:%S", "must contain %Y or %y"),
    ("", "must contain %Y or %y"),
    ("epoch", "must contain %Y or %y"),
    ("%Y%U", "may only use %Y, %y"),
    ("%Y%", "may only use %Y, %y"),
    ("%Y%%", "may only use %Y, %y"),
    ("%Y-%y", "must name the year once"),
    ("%Y-%m %b", "must name the month once"),
    ("%Y %d %j", "must name the day once"),
    ("%Y %m %j", "must name the month or %j"),
    ("%Y %H %I %p", "must name the hour once"),
    ("%Y %I:%M", "must have %I and %p together"),
    ("%Y %H:%M %p", "must have %I and %p together"),
    ("%Y %b%d", "must have a separator between %b and %d"),
    ("%Y %H%M%S%f", "must have a separator between %S and %f"),
    ("%Y%b-%d", "must have a separator between %Y and %b"),
    ("%d%A %Y", "must have a separator between %d and %A"),
    ("%A%d %Y", "must have a separator between %A and %d"),
    ("%I%p%Y", "must have a separator between %p and %Y"),
    ("%Y %H%z%d", "must have a separator between %z and %d"),
    ("%Y1%m", "must not have '1' right after %Y"),
    ("%Y %bu%d", "must not have 'u' right after %b"),
    ("%H%z:%Y", "must not have ':' right after %z"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("form", "fragment"), BAD_FORMATS)
def test_a_bad_format_is_refused_with_its_place(tmp_path: Path, form: str, fragment: str) -> None:
    check_only_fault(
        tmp_path, f'  dates: {{a: "{form}"}}\n  time_zone: UTC', 4, 14, f"data.dates.a {fragment}"
    )


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    ("entry", "column", "fragment"),
    [
        ('{format: "%Q"}', 23, "data.dates.a.format may only use"),
        ("{latest: 2030}", 11, "data.dates.a.format is required"),
        ('{format: "%y", latest: 30}', 37, "data.dates.a.latest must be a whole number from 100 to 9999"),
        ('{format: "%y", lates: 2030}', 29, "unknown key data.dates.a.lates"),
        ("[2030]", 14, "data.dates.a must be text or a mapping"),
        ("3", 14, "data.dates.a must be text or a mapping"),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(
    tmp_path: Path, entry: str, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, f"  dates: {{a: {entry}}}", 4, column, fragment)


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(
    "zone", ["CEST", "Europe", "Europe/Berlun", "+15:00", "+1:00", "../zone", "/etc/localtime", ""]
)
def test_a_bad_time_zone_is_refused(tmp_path: Path, zone: str) -> None:
    check_only_fault(
        tmp_path, f'  time_zone: "{zone}"', 4, 14, "data.time_zone must be UTC, an offset or a time"
    )


@pytest.mark.parametrize("zone", ["UTC", "+01:00", "-0530", "Europe/Berlin", "Asia/Seoul"])
def test_time_zones(tmp_path: Path, zone: str) -> None:
    assert load(tmp_path, f"{HEAD}  time_zone: {zone}").data.time_zone == zone


@pytest.mark.parametrize(
    "form",
    [
        "%Y%m%d", "%d/%m/%y", "%B %d, %Y %H:%M:%S.%f", "%Y", "%Y%j", "%m/%d/%Y %I:%M%p", "%H:%M", "%I %p",
        "%Y-%m-%dT%H:%M:%S.%f%z", "%a %b %d %H:%M:%S %z %Y", "%I:%M %p%z %Y", "%dth %B %Y", *EPOCHS,
    ],
)  # fmt: skip
def test_date_formats(tmp_path: Path, form: str) -> None:
    data = load(tmp_path, f'{HEAD}  dates: {{a: "{form}"}}\n  time_zone: UTC').data
    assert data.dates == {"a": form}
    assert (data.date_columns["a"].format, data.date_columns["a"].latest) == (form, None)


def test_the_century_may_be_chosen(tmp_path: Path) -> None:
    data = load(tmp_path, f'{HEAD}  dates: {{a: {{format: "%d.%m.%y", latest: 2026}}, b: "%Y"}}').data
    assert {name: (entry.format, entry.latest) for name, entry in data.date_columns.items()} == {
        "a": ("%d.%m.%y", 2026),
        "b": ("%Y", None),
    }


def test_a_refused_directive_is_told_all_others(tmp_path: Path) -> None:
    names = ", ".join(SUPPORTED_DATE_DIRECTIVES)
    check_only_fault(tmp_path, '  dates: {a: "%e"}', 4, 14, f"may only use {names}, or be epoch_seconds")
