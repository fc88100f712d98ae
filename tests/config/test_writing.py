"""The resolved config: how it is written, and that any config comes back from it."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.configs import HEAD, load
from support.fuzzing import EXAMPLES

from dlreg.config.checks import LOCAL_PATH
from dlreg.config.contradictions import Contradiction, contradictions, lacking_parts
from dlreg.config.keys import SECTIONS
from dlreg.config.precedence import over_defaults, over_preset, section_of
from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.writing import dump_config, to_yaml


def test_dumped_text(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD + "  test_path: t.csv\n  types: {가격: number, 1e3: date}\nrun: {dir: r}\n")
    text = dump_config(config)
    assert text.startswith("# ") and text.endswith("\n")
    assert "  hidden_layers: [64, 64]\n" in text
    assert '    가격: number\n    "1e3": date\n' in text
    assert "  test_split: null\n" in text
    assert text.endswith("run:\n  dir: null\n  threads: null\n  compile_cache: true\n  log: []\ngates: []\n")
    keys = [line.partition(":")[0] for line in text.splitlines()[1:] if line[0] != " "]
    assert keys == ["preset", "data", "preprocessing", "model", "training", "run", "gates"]


def test_a_search_is_written_only_where_there_is_one(tmp_path: Path) -> None:
    text = dump_config(load(tmp_path, HEAD + "search: {trials: 3}\n"))
    assert text.endswith("\nsearch:\n  metric: rmse\n  trials: 3\n  time_limit: null\n  method: tpe\n"
                         "  prune: null\n  storage: null\n  parameters: {}\n")  # fmt: skip
    assert dump_config(load(tmp_path, HEAD + "search: {}\n")) == dump_config(load(tmp_path, HEAD))


TRICKY = st.sampled_from(
    [
        *("no", "1e3", "012", "null", "", "2020-01-31", "1:30", "0o7", "~", "true", "9" * 5000, "<<", "="),
        *(
            " x ",
            "a\nb",
            "\0\x1b\x85\u2028\ufeff",
            "# x",
            "- a",
            "a: b",
            "가격",
            "😀",
            "'\"\\",
            "%Y",
            "x" * 200,
        ),
    ]
)


TEXT = TRICKY | st.text(st.characters(exclude_categories=["Cs"]))


PATHS = TEXT.filter(LOCAL_PATH.fullmatch)


# What the JSON Schema of a key does not tell.
SPECIAL = {
    "path": PATHS,
    "test_path": PATHS | st.none(),
    "cache": PATHS | st.sampled_from(["auto", "memory", "disk"]),
    "validation_path": PATHS | st.none(),
    "dir": PATHS | st.none(),
    "encoding": st.sampled_from(["utf-8", "cp949", "utf-16"]),
    "delimiter": st.sampled_from([",", ";", "\t", " ", "#", "whitespace"]),
    "comment": st.sampled_from(["#", "//", "%", "é"]) | st.none(),
    "dates": st.dictionaries(
        TEXT,
        st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%b %d, %y %I:%M %p", "epoch_seconds", "%Y %H:%M%z"])
        | st.fixed_dictionaries(
            {"format": st.sampled_from(["%d.%m.%y", "%b-%y"])}, optional={"latest": st.integers(1990, 2100)}
        ),
        max_size=2,
    ),
    "holidays": st.sampled_from(["KR", "DE-BY", None]),
    "time_zone": st.sampled_from(["UTC", "+01:00", "-0530", "Europe/Berlin"]) | st.none(),
    "gates": st.lists(st.sampled_from(["train.rmse>3", " train . r2 <= -.5e1"]), max_size=2),
    "features": st.just("all") | st.lists(TEXT, min_size=1, max_size=3),
    "metric": st.sampled_from(["mae", "train.r2", "rmse"]),
    "time_limit": st.sampled_from(["90s", "1h30m", 60.5, None]),
    "storage": st.sampled_from(["sqlite:////folder/study.db", None]),
    "parameters": st.fixed_dictionaries(
        {},
        optional={
            "training.learning_rate": st.just({"min": 1e-4, "max": 1, "distribution": "log_uniform"}),
            "model.hidden_layers": st.just({"values": [[64, 64], [], [3]]}),
            "training.schedule": st.just({"values": ["cosine", {"name": "step", "every_epochs": 7}]}),
            "training.clip_norm": st.just({"values": [None, 1]}),
        },
    ),
}


def values_of(node: dict, definitions: dict) -> st.SearchStrategy:
    """Any value that a part of a JSON Schema allows."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    if members := node.get("anyOf") or node.get("oneOf"):
        return st.one_of(values_of(member, definitions) for member in members)
    if choices := node.get("enum", [node["const"]] if "const" in node else []):
        return st.sampled_from(choices)
    match node["type"]:
        case "object" if "properties" in node:
            keys = {
                # `preprocessing.dates` is a word.
                key: SPECIAL[key] if key in SPECIAL and "enum" not in inner else values_of(inner, definitions)
                for key, inner in node["properties"].items()
            }
            # Only its name tells one schedule from another.
            names = ["name"] if "name" in keys else node.get("required", [])
            required = {key: keys.pop(key) for key in names}
            return st.fixed_dictionaries(required, optional=keys)
        case "object":
            return st.dictionaries(TEXT, values_of(node["additionalProperties"], definitions), max_size=3)
        case "array":
            least = node.get("minItems", 0)
            return st.lists(values_of(node["items"], definitions), min_size=least, max_size=least + 3)
        case "integer":
            return st.integers(node["minimum"], node.get("maximum"))
        case "number":
            low, high = (
                node.get(name, node.get(f"exclusive{name.title()}")) for name in ("minimum", "maximum")
            )
            return st.floats(
                low, high, allow_nan=False, allow_infinity=False,
                exclude_min="minimum" not in node, exclude_max="exclusiveMaximum" in node,
            )  # fmt: skip
    return {"boolean": st.booleans(), "null": st.none(), "string": TEXT}[node["type"]]


SCHEMA = Config.model_json_schema()


def with_defaults(given: dict) -> dict:
    return over_defaults(over_preset(given))


def contradictions_in(given: dict) -> list[Contradiction]:
    sections = {name: section_of(given, name) for name in SECTIONS}
    return list(contradictions(sections, with_defaults(given)))


@given(given=values_of(SCHEMA, SCHEMA["$defs"]))
@settings(max_examples=EXAMPLES // 50, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_valid_config_comes_back_from_its_resolved_file(given: dict) -> None:
    sections = [given.setdefault(name, {}) for name in ("preprocessing", "model", "training", "run")]
    assert len(sections) == 4
    if given.get("search", {}).get("method") == "grid":
        given["search"]["parameters"] = {"model.l2": {"values": [0, 0.1]}}
    # What contradicts itself is left out, until nothing does.
    while contradicting := contradictions_in(given):
        section, key = next(
            path[:2]
            for path in (contradicting[0].key, contradicting[0].other)
            if path[1] in given.get(str(path[0]), {})
        )
        del given[section][key]
    # Members that share weights have hidden layers, whatever is tried.
    if given["model"].get("ensemble_kind") == "shared":
        given.get("search", {}).get("parameters", {}).pop("model.hidden_layers", None)
    # A search needs rows to choose by.
    if "search" in given and {"validation", "out_of_fold"} <= lacking_parts(with_defaults(given)).keys():
        given["search"]["metric"] = "train.rmse"
    config = parse_config(to_yaml(given).encode(), "/folder/config.yaml")
    resolved = dump_config(config)
    again = parse_config(resolved.encode(), "/elsewhere/resolved.yaml")
    assert again == config.model_copy(update={"run": config.run.model_copy(update={"dir": None})})
    assert dump_config(again) == resolved
