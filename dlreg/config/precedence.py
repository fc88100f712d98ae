"""Which value counts: the defaults are overruled by the preset, the preset by the file and `--set`.

All functions take and give plain mappings, which may be wrong in any way, and change none of them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

from dlreg.config.keys import SECTIONS
from dlreg.config.presets import PRESETS
from dlreg.config.schema import Config
from dlreg.config.sections.values import Section


def over_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a config gives, merged over those of the preset it names.

    A value that is given may switch off the default of another: `test_path` that of `test_split`,
    `validation_path` and `cross_validation` that of `validation_split`, `time_limit` and the method grid of a
    search that of its `trials`.
    """
    name = given.get("preset", "standard")
    values = _merged(PRESETS.get(name, {}) if isinstance(name, str) else {}, given)
    if section_of(values, "data").get("test_path") is not None:
        values["data"].setdefault("test_split", None)
    has_validation_rows = section_of(values, "data").get("validation_path") is not None
    if has_validation_rows or section_of(values, "training").get("cross_validation") is not None:
        values.setdefault("training", {})
        section_of(values, "training").setdefault("validation_split", 0.0)
    search = section_of(values, "search")
    if search.get("time_limit") is not None or search.get("method") == "grid":
        search.setdefault("trials", None)
    return values


def over_defaults(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The sections of a config, each merged over the defaults of its keys."""
    return {name: default | section_of(values, name) for name, default in _defaults().items()}


def validated(values: Mapping[str, Any]) -> tuple[Config | None, list[ErrorDetails]]:
    """The config of some values over the preset's, or what the schema finds wrong with them."""
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def section_of(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A section of a config; an empty one where it is not given, or is no mapping."""
    section = values.get(name)
    return section if isinstance(section, dict) else {}


@cache
def _defaults() -> dict[str, dict[str, Any]]:
    sections = {name: Config.model_fields[name].annotation for name in SECTIONS}
    return {
        name: {
            key: None if field.is_required() else to_jsonable_python(field.default)
            for key, field in section.model_fields.items()
        }
        for name, section in sections.items()
        if isinstance(section, type) and issubclass(section, Section)
    }


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings merged at every depth; the values of `above` win."""
    values = {key: _merged({}, value) if isinstance(value, dict) else value for key, value in below.items()}
    for key, value in above.items():
        inner = values.get(key)
        under = inner if isinstance(inner, dict) else {}
        values[key] = _merged(under, value) if isinstance(value, dict) else value
    return values
