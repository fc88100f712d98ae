"""YAML text → values and places: scalars, refusals, files of every kind."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES

from dlreg.config.places import Position
from dlreg.config.yaml_source import (
    MAX_BYTES,
    core_scalar,
    parse_scalar_or_flow,
    parse_yaml,
    read_yaml,
)
from dlreg.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.5e3", 1500.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("0o17", 15),
        ("0x1F", 31),
        ("012", 12),
        ("+7", 7),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1:30:00", "1:30:00"),
        ("2020-01-31", "2020-01-31"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("NaN", "NaN"),
        ("inf", "inf"),
        ("٣", "٣"),
        ("9" * 100, 10**100 - 1),
        ("9" * 5000, math.inf),
        ("1e400", math.inf),
    ],
)
def test_core_scalars(text: str, value: object) -> None:
    scalar = core_scalar(text)
    assert scalar == value and type(scalar) is type(value)
    assert parse_yaml(f"key: {text}", "f").value == {"key": value}
    assert parse_yaml(f"key: '{text}'", "f").value == {"key": text}


def test_nan() -> None:
    assert math.isnan(core_scalar(".nan"))


def test_places_of_keys_and_values() -> None:
    document = parse_yaml('a:\n  가격: [1, "x"]\nb: 1e3\n2020: {c:}\n', "f")
    assert document.value == {"a": {"가격": [1, "x"]}, "b": 1000.0, "2020": {"c": None}}
    places = document.places
    assert (places["a",].key, places["a",].value) == (Position(1, 1), Position(2, 3))
    assert (places["a", "가격"].key, places["a", "가격"].value) == (Position(2, 3), Position(2, 7))
    assert places["a", "가격", 1].value == Position(2, 11)
    assert places["b",].written == "1e3"
    assert (places["2020", "c"].key, places["2020", "c"].value) == (Position(4, 8), Position(4, 10))


REFUSED = [
    ("", 1, 1, "expected a mapping, found nothing"),
    ("# nothing\n", 1, 1, "expected a mapping, found nothing"),
    ("text", 1, 1, "found a single value"),
    ("\n- a\n", 2, 1, "found a list"),
    ("a: 1\nb: 2\na: 3", 3, 1, "`a` is given twice, first in line 1"),
    ("a: &x 1", 1, 4, "anchor &x"),
    ("a: 1\nb: *x", 2, 4, "alias *x"),
    ("*x : 1", 1, 1, "alias *x"),
    ("a: !!int 3", 1, 4, "tag !!int"),
    ("a: !!python/object:os.system {}", 1, 4, "tag !!python/object:os.system"),
    ("a: ! x", 1, 4, "tag ! "),
    ("!!map\na: 1", 1, 1, "tag !!map"),
    ("a: 1\n<<: {b: 1}", 2, 1, "merge keys"),
    ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
    ("a: 1\n...\nb: 2\n", 3, 1, "something follows"),
    ("null: 1", 1, 1, "without a name"),
    ("a: {~: 1}", 1, 5, "without a name"),
    ("? [a]\n: 1", 1, 3, "a key is text"),
    ("a: " + "[" * 5000, 1, 23, "nested deeper than 20"),
    ("{? " * 5000, 1, 61, "nested deeper than 20"),
    ("a:\n\tb: 1", 2, 1, "a tab"),
    ("a:\n    b: 1\n  c: 2", 3, 3, "does not continue"),
    ("a: 1\n  b: 2", 2, 4, "colon out of place"),
    ("a: b: c", 1, 5, "colon out of place"),
    ("a: 1\nb\nc: 2", 2, 1, "not `key: value`"),
    ("a: [1, 2\nb: 3", 1, 4, "a bracket without its ]"),
    ("a: {b: 1", 1, 4, "a bracket without its }"),
    ("a: 'x\nb: 2", 1, 4, "a quote without its end"),
    ('a: "C:\\data"', 1, 8, "backslash"),
    ('a: "\\xZZ"', 1, 7, "backslash"),
    ('a: "\\UFFFFFFFF"', 1, 7, "too large"),
    (f"%YAML 1.{'9' * 5000}\n---\na: 1", 1, 9, "too large"),
    ("%YAML 2.0\n---\na: 1", 1, 1, "incompatible"),
    ("a: %x", 1, 4, "cannot start with %"),
    ("a: *", 1, 4, "cannot start with"),
    ("a: [1,,2]", 1, 7, "a value is missing"),
    ("a: - b", 1, 4, "list item out of place"),
    ("a: 1\nb: \0", 2, 4, "U+0000"),
    ("a: \x1b[31m", 1, 4, "U+001B"),
    ("a: x\u2028y", 1, 5, "U+2028"),
    ("a: \ud800", 1, 4, "U+D800"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("text", "line", "column", "fragment"), REFUSED)
def test_refused_with_place_and_hint(
    record_property: Callable[[str, bool], None], text: str, line: int, column: int, fragment: str
) -> None:
    fault = faults_of(text)[-1]
    assert (fault.path, fault.line, fault.column) == ("f", line, column), fault
    assert fragment in f"{fault.message} "
    assert fault.hint
    record_property("suggestion", True)


def faults_of(text: str) -> tuple:
    try:
        return parse_yaml(text, "f").faults
    except ConfigError as error:
        return error.faults


def test_all_faults_of_a_readable_text_at_once() -> None:
    faults = faults_of("a: &x 1\na: *x\nb: !t 2\nb: 3\n<<: {}\na: 4\n? {c: 1}\n: 5\n")
    places = [(fault.line, fault.column) for fault in faults]
    assert places == [(1, 4), (2, 4), (2, 1), (3, 4), (4, 1), (5, 1), (6, 1), (7, 3)]


def test_the_first_of_two_keys_stays() -> None:
    assert parse_yaml("a: {b: 1}\na: {b: 2}", "f").value == {"a": {"b": 1}}


def test_value_of_an_override() -> None:
    assert parse_scalar_or_flow("", "--set a").value is None
    assert parse_scalar_or_flow("[1, {b: no}]", "--set a").value == [1, {"b": "no"}]
    assert parse_scalar_or_flow("3", "--set a").places[()].value == Position(None, None)
    with pytest.raises(ConfigError) as caught:
        parse_scalar_or_flow("[1", "--set a")
    assert str(caught.value).startswith("--set a: a bracket without its ]")


@pytest.mark.parametrize(
    ("content", "fragment", "line", "column"),
    [
        (b"a: 1\nb: x\xb0\xa1\n", "found the byte 0xB0", 2, 5),
        (b"\xef\xbb\xbfa: \xff", "found the byte 0xFF", 1, 4),
        ("a: 1".encode("utf-16"), "found UTF-16", 1, 1),
        (b"a: 1\0", "U+0000", 1, 5),
        (b"\x89PNG\r\n\x1a\n", "found the byte 0x89", 1, 1),
        (b"a: 1\n" + b"#" * MAX_BYTES, "has more", None, None),
    ],
)
def test_unreadable_content(
    tmp_path: Path, content: bytes, fragment: str, line: int | None, column: int | None
) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=fragment.replace("+", r"\+")) as caught:
        read_yaml(file)
    (fault,) = caught.value.faults
    assert (fault.path, fault.line, fault.column) == (str(file), line, column)
    assert fault.hint


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, fragment in [
        ("missing.yaml", "no such config file"),
        ("", "found a directory"),
        ("pipe", "found a pipe or device"),
        ("loop", "cannot be read"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ]:
        with pytest.raises(ConfigError, match=fragment):
            read_yaml(tmp_path / name)


def test_byte_order_mark_line_ends_and_links(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes("\ufeffa: 1\r\nb:\r\n  c: 가\r\n".encode())
    (tmp_path / "link.yaml").symlink_to(file)
    document = read_yaml(tmp_path / "link.yaml")
    assert document.value == {"a": 1, "b": {"c": "가"}}
    assert document.places["a",].key == Position(1, 1)
    assert document.places["b", "c"].value == Position(3, 6)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(), PLAIN, max_size=4))
@settings(max_examples=EXAMPLES // 30, deadline=None)
def test_quoted_text_survives(value: dict) -> None:
    text = yaml.dump(value, Dumper=Quoting, allow_unicode=True, width=2**31)
    assert parse_yaml(text, "f").value == value


class Quoting(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(text=st.text(alphabet=st.sampled_from("ab01:-?[]{},&*!|>'\"%@`#\\ \t\n<~.é\0\x85")))
@settings(max_examples=EXAMPLES // 10, deadline=None)
def test_any_text_is_a_mapping_or_a_config_error(text: str) -> None:
    for fault in faults_of(text):
        assert fault.message and fault.line and fault.column
