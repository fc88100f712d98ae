"""`dlreg schema`: the JSON Schema accepts what the loader accepts, and documents every key."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES

from dlreg.config.json_schema import config_schema
from dlreg.config.reading import load_config, parse_config
from dlreg.config.schema import Config
from dlreg.config.writing import to_yaml
from dlreg.errors import ConfigError

SCHEMA = config_schema()
KINDS = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    ),
}
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "format", "discriminator"}


def accepts(node, value) -> bool:
    """JSON Schema 2020-12, as far as the config's schema uses it; an unknown keyword is an error."""
    bounds = {
        "minimum": lambda bound: value >= bound,
        "maximum": lambda bound: value <= bound,
        "exclusiveMinimum": lambda bound: value > bound,
        "exclusiveMaximum": lambda bound: value < bound,
    }
    checks = {
        "$ref": lambda name: accepts(SCHEMA["$defs"][name.removeprefix("#/$defs/")], value),
        "type": lambda names: any(KINDS[name](value) for name in ([names] if isinstance(names, str) else names)),
        "enum": lambda words: value in words,
        "const": lambda word: value == word,
        "anyOf": lambda nodes: any(accepts(inner, value) for inner in nodes),
        "oneOf": lambda nodes: sum(accepts(alternative, value) for alternative in nodes) == 1,
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value),
        "minLength": lambda length: not isinstance(value, str) or len(value) >= length,
        "maxLength": lambda length: not isinstance(value, str) or len(value) <= length,
        "minItems": lambda length: not isinstance(value, list) or len(value) >= length,
        "maxItems": lambda length: not isinstance(value, list) or len(value) <= length,
        "items": lambda each: not isinstance(value, list) or all(accepts(each, item) for item in value),
        "required": lambda names: not isinstance(value, dict) or set(names) <= set(value),
        "properties": lambda nodes: not isinstance(value, dict)
        or all(accepts(each, value[key]) for key, each in nodes.items() if key in value),
        "additionalProperties": lambda each: not isinstance(value, dict)
        or all(each and accepts(each, value[key]) for key in set(value) - set(node.get("properties", ()))),
    }  # fmt: skip
    is_number = KINDS["number"](value)
    return all(
        (not is_number or bounds[key](argument)) if key in bounds else checks[key](argument)
        for key, argument in node.items()
        if key not in ANNOTATIONS
    )


def loads(values) -> bool:
    try:
        parse_config(to_yaml(values).encode(), "/folder/config.yaml")
    except ConfigError:
        return False
    return True


def test_the_command_prints_it(cli, tmp_path):
    done = cli("schema", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(SCHEMA))
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["title"] == "dlreg config"


def test_every_key_has_a_description_and_almost_all_a_default():
    undescribed, required = [], []
    for name, node in (("", SCHEMA), *SCHEMA["$defs"].items()):
        for key, value in node["properties"].items():
            undescribed += [] if value.get("description") else [f"{name}.{key}"]
            required += [] if "default" in value else [f"{name}.{key}"]
    assert undescribed == []
    assert required == [".data", "DataConfig.path", "DataConfig.target", "DateColumn.format",
                        "SampledRange.min", "SampledRange.max", "SearchRange.min", "SearchRange.max", "SearchValues.values"]  # fmt: skip


def test_defaults_are_those_of_the_loader(tmp_path):
    (tmp_path / "c.yaml").write_text("data: {path: t.csv, target: y}\n")
    values = load_config(tmp_path / "c.yaml").model_dump(mode="json")
    for section in ("preprocessing", "model", "training", "run", "search"):
        assert SCHEMA["properties"][section]["default"] == values[section]
    for key, node in SCHEMA["$defs"]["DataConfig"]["properties"].items():
        assert key in ("path", "target") or node["default"] == values["data"][key]


def with_value(section, key, value):
    values = {"data": {"path": "t.csv", "target": "y"}}
    values.setdefault(section, {})[key] = value
    return values


@pytest.mark.parametrize(
    ("section", "key", "value", "valid"),
    [
        ("data", "features", "all", True),
        ("data", "features", ["a", 2020], True),
        ("data", "features", "a", False),
        ("data", "features", [], False),
        ("data", "features", [None], False),
        ("data", "target", 2020, True),
        ("data", "target", True, True),
        ("data", "target", None, False),
        ("data", "target", ["y"], False),
        ("data", "path", 7, True),
        ("data", "path", "", False),
        ("data", "missing_values", [-999, "?"], True),
        ("data", "exclude", "a", False),
        ("data", "delimiter", ";", True),
        ("data", "delimiter", "tab", False),
        ("data", "delimiter", "whitespace", True),
        ("data", "comment", "//", True),
        ("data", "comment", "# ", False),
        ("data", "decimal", ";", False),
        ("data", "thousands", None, True),
        ("data", "types", {"a": "date"}, True),
        ("data", "types", {"a": "text"}, False),
        ("data", "dates", {"a": "%d/%m/%y"}, True),
        ("data", "dates", {"a": {"format": "%d/%m/%y", "latest": 2030}}, True),
        ("data", "dates", {"a": {"format": "%d/%m/%y"}}, True),
        ("data", "dates", {"a": {"latest": 2030}}, False),
        ("data", "dates", {"a": {"format": "%d/%m/%y", "latest": 30}}, False),
        ("data", "dates", {"a": {"format": "%d/%m/%y", "last": 2030}}, False),
        ("data", "dates", {"a": ["%d/%m/%y"]}, False),
        ("data", "time_zone", "UTC", True),
        ("data", "time_zone", [], False),
        ("data", "test_split", 0, True),
        ("data", "test_split", 1, False),
        ("data", "split_by", 3, False),
        ("model", "hidden_layers", [], True),
        ("model", "hidden_layers", 64, False),
        ("model", "hidden_layers", [0], False),
        ("model", "activation", "gelu", True),
        ("model", "activation", "softmax", False),
        ("model", "batch_norm", 1, False),
        ("training", "schedule", "step", True),
        ("training", "schedule", {"name": "step", "every_epochs": 3}, True),
        ("training", "schedule", {"every_epochs": 3}, False),
        ("training", "schedule", {"name": "step", "patience": 3}, False),
        ("training", "schedule", "steps", False),
        ("training", "early_stopping", None, True),
        ("training", "early_stopping", {}, True),
        ("training", "early_stopping", False, False),
        ("training", "learning_rate", 0, False),
        ("training", "learning_rate", 1, True),
        ("training", "learning_rate", "fast", False),
        ("training", "epochs", 10, True),
        ("training", "epochs", 0, False),
        ("training", "clip_norm", None, True),
        ("training", "learning_rte", 1, False),
        ("run", "dir", None, True),
        ("search", "trials", None, False),
        ("search", "trials", 3, True),
        ("search", "time_limit", "10m", True),
        ("search", "time_limit", "soon", False),
        ("search", "time_limit", "90", True),
        ("search", "time_limit", 600, True),
        ("search", "time_limit", 0, False),
        ("search", "metric", "mae", True),
        ("search", "metric", "test.mae", False),
        ("search", "storage", "sqlite:///study.db", False),
        ("search", "storage", "sqlite:////home/me/study.db", True),
        ("search", "storage", "study.db", False),
        ("search", "parameters", {"model.dropout": {"values": [0.1]}}, True),
        ("search", "parameters", {"model.dropout": {"min": 0, "max": 0.5}}, True),
        ("search", "parameters", {"model.dropout": {"min": 0}}, False),
        ("search", "parameters", {"model.dropout": {"values": []}}, False),
        ("search", "parameters", {"model.dropout": [0.1]}, False),
        ("search", "parameters", {"model.dropout": {"values": [0.1], "min": 0}}, False),
        ("run", "dir", "x", True),
    ],
)
def test_schema_and_loader_agree(section, key, value, valid):
    values = with_value(section, key, value)
    # That `split_by` needs a `split`, and no trials a time limit, are contradictions a schema cannot say.
    assert loads(values) == valid
    assert accepts(SCHEMA, values) == (valid or key == "split_by" or (key, value) == ("trials", None))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 200), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4),
    st.sampled_from(["all", "random", "y", "relu", "adam", "cosine", "minmax", ",", "utf-8"]),
    st.lists(st.one_of(st.integers(-1, 99), st.text(max_size=2), st.none()), max_size=3),
    st.sampled_from([{"name": "step"}, {"name": "plateau", "factor": 0.5}, {"patience": 2}, {}]),
)  # fmt: skip
KEYS = [(section, key) for section in ("data", "preprocessing", "model", "training", "run", "search") for key in
        type(getattr(Config.model_validate({"data": {"path": "/t.csv", "target": "y"}}), section)).model_fields]  # fmt: skip


@given(where=st.sampled_from(KEYS), value=VALUES)
@settings(max_examples=EXAMPLES // 12, deadline=None)
def test_the_schema_accepts_whatever_the_loader_accepts(where, value):
    values = with_value(*where, value)
    if loads(values):
        assert accepts(SCHEMA, values)


def test_ranges_stand_in_the_schema():
    rate = SCHEMA["$defs"]["TrainingConfig"]["properties"]["learning_rate"]
    assert (rate["exclusiveMinimum"], rate["default"], rate["type"]) == (0, 0.001, "number")
    widths = SCHEMA["$defs"]["ModelConfig"]["properties"]["hidden_layers"]["items"]
    assert (widths["minimum"], widths["maximum"]) == (1, 65536)
    assert not math.isinf(SCHEMA["$defs"]["TrainingConfig"]["properties"]["seed"]["maximum"])
    assert re.search("0 for none", SCHEMA["$defs"]["DataConfig"]["properties"]["test_split"]["description"])
