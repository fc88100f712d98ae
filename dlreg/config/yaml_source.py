"""YAML text → plain values, with the line and column of every key and value.

YAML 1.2 core scalars (`1e-3` is a number, `no` is text) and only what a config
needs: aliases, anchors, tags, merge keys and further documents are faults. The
text is read as a stream of events, so that nothing a file says is built, resolved
or nested before it has been looked at.
"""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from dlreg.config.places import KeyPath, Place, Position
from dlreg.config.yaml_syntax import position_of, syntax_fault
from dlreg.errors import ConfigError, Fault
from dlreg.files.plain_file import NotPlainError, open_plain
from dlreg.files.similar_file import similar_file
from dlreg.files.table_files import TABLE_SUFFIXES
from dlreg.wording import shorten

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
# The config of a table of 10,000 columns may have one for each; a thousand are read in 0.1 s.
MAX_KEYS = 20_000
MAX_DIGITS = 100


@dataclass(frozen=True)
class YamlDocument:
    """One YAML document.

    Attributes:
        source: The file, or what else the text came from.
        value: Plain dict, list, str, int, float, bool and None.
        places: Where each value stands, by its keys; `()` is the document.
        faults: What is not allowed in the text although it could be read on.
    """

    source: str
    value: Any
    places: Mapping[KeyPath, Place]
    faults: tuple[Fault, ...]


def read_yaml(path: str | Path) -> YamlDocument:
    """Reads a file that holds one mapping.

    Raises:
        ConfigError: The file cannot be read, or its text not be understood.
    """
    source = str(path)
    try:
        return _read_yaml(source)
    except ConfigError:
        if TABLE_SUFFIXES & set(Path(path).suffixes) and Path(path).is_file():
            hint = f"Write a config for it with dlreg init {shlex.quote(source)} --target COLUMN -o my.yaml"
            raise ConfigError(Fault("this is a table, not a config", source, hint=hint)) from None
        raise


def _read_yaml(source: str) -> YamlDocument:
    path = Path(source)
    try:
        content = _read_plain_file(path)
    except FileNotFoundError:
        near = similar_file(path)
        hint = f"Did you mean {near}?" if near else "`dlreg init` writes a config to start from."
        raise ConfigError(Fault("there is no such config file", source, hint=hint)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        hint = "Check its name, and who may read it, with ls -l."
        raise ConfigError(Fault(f"the config file cannot be read: {reason}", source, hint=hint)) from None
    return decode_yaml(content, source)


def decode_yaml(content: bytes, source: str) -> YamlDocument:
    """Reads the bytes of a file that holds one mapping; `source` names it in faults.

    Raises:
        ConfigError: They are not UTF-8, not YAML, or not a mapping.
    """
    try:
        return parse_yaml(content.decode("utf-8-sig"), source)
    except UnicodeDecodeError as error:
        # The decoder counts from behind the byte order mark, `error.object` as well.
        position = _position_after(error.object[: error.start].decode())
        message = f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02X}"
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            message = "expected UTF-8 text, found UTF-16"
        raise ConfigError(Fault(message, source, *position, "Save the file as UTF-8.")) from None


def parse_yaml(text: str, source: str) -> YamlDocument:
    """Reads text that holds one mapping; `source` names it in faults.

    Raises:
        ConfigError: The text is not YAML, or not a mapping.
    """
    document = _parse(text, source)
    if not isinstance(document.value, dict):
        kind = "a list" if isinstance(document.value, list) else "a single value"
        kind = "nothing" if document.value is None else kind
        hint = "Write one `key: value` a line, such as `data:` with `path:` and `target:` below it."
        fault = Fault(f"expected a mapping, found {kind}", source, *document.places[()].value, hint)
        raise ConfigError(*document.faults, fault)
    return document


def parse_scalar_or_flow(text: str, source: str) -> YamlDocument:
    """Reads any YAML value, as after `--set KEY=`; empty text is null.

    Raises:
        ConfigError: The text is not YAML.
    """
    try:
        document = _parse(text, source)
    except ConfigError as error:
        raise ConfigError(*map(_without_position, error.faults)) from None
    places = {key: replace(place, key=Position(), value=Position()) for key, place in document.places.items()}
    return replace(document, places=places, faults=tuple(map(_without_position, document.faults)))


def core_scalar(text: str) -> Any:
    """The value of an unquoted scalar by the core schema of YAML 1.2, infinite beyond `MAX_DIGITS`."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        # No number of a config is near this long, and `int` may refuse or be slow on such text.
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) <= MAX_DIGITS else math.inf
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    spelling: word == "true" for word in ("true", "false") for spelling in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
# U+0085, U+2028 and U+2029 are line breaks to PyYAML but not to YAML 1.2 or an editor.
_UNPRINTABLE = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What "\\ud800" makes, which no file can hold.
_UNPAIRED = re.compile("[\ud800-\udfff]")
# Blanks other than YAML's own, and what has no width: they come with text copied from a web page.
_BLANK_AROUND = re.compile(r"\A[\s\u200b-\u200f\u2060\ufeff]|[\s\u200b-\u200f\u2060\ufeff]\Z")


def _read_plain_file(path: Path) -> bytes:
    try:
        with open_plain(path, follow_link=True) as file:
            content = file.read(MAX_BYTES + 1)
    except NotPlainError as error:
        hint = "Name the YAML file itself."
        message = f"expected a config file, found {error.kind}"
        raise ConfigError(Fault(message, str(path), hint=hint)) from None
    if len(content) > MAX_BYTES:
        message = f"a config file has at most {MAX_BYTES:,} bytes, this has more"
        raise ConfigError(Fault(message, str(path), hint="Is it the data instead of the config?"))
    return content


def _parse(text: str, source: str) -> YamlDocument:
    if unprintable := _UNPRINTABLE.search(text):
        message = f"the control character U+{ord(unprintable[0]):04X}, as found in binary files"
        hint = 'Save the config as plain UTF-8 text; in double quotes "\\u0085" and the like can be written.'
        raise ConfigError(Fault(message, source, *_position_after(text[: unprintable.start()]), hint))
    builder = _Builder(text, source)
    try:
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        raise ConfigError(*builder.faults, syntax_fault(error, source)) from None
    except (ValueError, OverflowError):
        # PyYAML converts "\UFFFFFFFF" and the digits after %YAML without a look at their size.
        position = position_of(builder.loader.get_mark())
        hint = "A character has at most the number 10FFFF."
        fault = Fault("a number too large for an escape or directive", source, *position, hint)
        raise ConfigError(*builder.faults, fault) from None
    return YamlDocument(source, value, builder.places, tuple(builder.faults))


class _Builder:
    """Builds the values from PyYAML's events, noting places and faults."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.loader: Any = yaml.SafeLoader(text)
        self.places: dict[KeyPath, Place] = {}
        self.faults: list[Fault] = []
        self.n_keys = 0

    def document(self) -> Any:
        self.loader.get_event()
        if self.loader.check_event(yaml.StreamEndEvent):
            self.places[()] = Place(self.source, Position(1, 1), Position(1, 1), "")
            return None
        self.loader.get_event()
        value = self._value(())
        self.loader.get_event()
        if self.loader.check_event(yaml.DocumentStartEvent):
            message = "a second document starts here, a config is one"
            self._fault(self.loader.peek_event(), message, "Remove what follows, and the `---`.")
        return value

    def _value(self, path: KeyPath, key: Position | None = None) -> Any:
        event = self.loader.get_event()
        self._refuse_properties(event)
        position = position_of(event.start_mark)
        written = event.value if isinstance(event, yaml.ScalarEvent) else None
        # Of a key given twice the first one stays, here as in `_mapping`.
        self.places.setdefault(path, Place(self.source, key or position, position, written))
        if isinstance(event, yaml.ScalarEvent):
            return core_scalar(event.value) if event.style is None else _UNPAIRED.sub("?", event.value)
        if isinstance(event, yaml.AliasEvent):
            return None
        if len(path) >= MAX_DEPTH:
            self._fault(event, f"mappings and lists nested deeper than {MAX_DEPTH}", "A config needs three.")
            raise ConfigError(*self.faults)
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._list(path)

    def _list(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not self.loader.check_event(yaml.SequenceEndEvent):
            items.append(self._value((*path, len(items))))
        self.loader.get_event()
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not self.loader.check_event(yaml.MappingEndEvent):
            event = self.loader.peek_event()
            self.n_keys += 1
            if self.n_keys > MAX_KEYS:
                message = f"a config has at most {MAX_KEYS:,} keys, here begins one more"
                self._fault(event, message, "Is it the data instead of the config?")
                raise ConfigError(*self.faults)
            key = self._key(path)
            value = self._value((*path, key), position_of(event.start_mark))
            if key in mapping:
                first = self.places[(*path, key)].key.line
                message = f"the key `{shorten(key)}` is given twice, first in line {first}"
                self._fault(event, message, "Remove one of the two.")
            mapping.setdefault(key, value)
        self.loader.get_event()
        return mapping

    def _key(self, path: KeyPath) -> str:
        """Reads a key; its text stands as written, so that a column may be called 2020."""
        event = self.loader.peek_event()
        if not isinstance(event, yaml.ScalarEvent):
            if not isinstance(event, yaml.AliasEvent):
                self._fault(event, "a key is text, not a list or mapping", "Write the key's name.")
            self._value((*path, -1))
            return ""
        self.loader.get_event()
        self._refuse_properties(event)
        if event.style is None and event.value == "<<":
            self._fault(event, "merge keys `<<` are not allowed", "Write the keys out.")
        elif event.style is None and core_scalar(event.value) is None:
            self._fault(
                event, "a key without a name", 'Write the key; a column called null needs quotes: "null".'
            )
        elif event.style is None and (blank := _BLANK_AROUND.search(event.value)):
            message = f"the key {shorten(event.value)} has U+{ord(blank[0]):04X} at its start or end"
            self._fault(event, message, "It looks like a plain blank, or like nothing: remove it.")
        return _UNPAIRED.sub("?", event.value)

    def _refuse_properties(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._fault(
                event, f"the alias *{shorten(str(event.anchor))} is not allowed", "Write the value out."
            )
            return
        if event.anchor is not None:
            self._fault(event, f"the anchor &{shorten(event.anchor)} is not allowed", "Remove it.")
        if event.tag is not None:
            tag = shorten(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._fault(event, f"the tag {tag} is not allowed", "Remove it; quotes make a value text.")
        if isinstance(event, yaml.ScalarEvent) and (half := _UNPAIRED.search(event.value)):
            message = f"U+{ord(half[0]):04X} is half a character"
            self._fault(event, message, "Write the character itself, or its number after \\U.")

    def _fault(self, event: Any, message: str, hint: str) -> None:
        self.faults.append(Fault(message, self.source, *position_of(event.start_mark), hint))


def _position_after(text: str) -> Position:
    lines = re.split("\r\n|\r|\n", text)
    return Position(len(lines), len(lines[-1]) + 1)


def _without_position(fault: Fault) -> Fault:
    return replace(fault, line=None, column=None)
