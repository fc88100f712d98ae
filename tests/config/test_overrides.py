"""`--set` and `--search`: what their texts mean, and whose fault it is."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.configs import HEAD, faults_of, load
from support.fuzzing import EXAMPLES, check_faults, feed, mutated

from dlreg.config.keys import override_keys
from dlreg.config.reading import Reading, read_config
from dlreg.config.schema import Config
from dlreg.config.sections.search import SearchRange, SearchValues
from dlreg.errors import ConfigError, UsageError


def parameters_of(folder: Path, *searches: str, text: str = HEAD) -> dict[str, SearchRange | SearchValues]:
    return load(folder, text, searches=searches).search.parameters


@pytest.mark.parametrize(
    ("search", "entry"),
    [
        ("training.learning_rate=1e-4..1e-1:log", SearchRange(min=1e-4, max=0.1, distribution="log_uniform")),
        ("training.learning_rate= 1e-4 .. 0.1 : log ", SearchRange(min=1e-4, max=0.1, distribution="log_uniform")),
        ("training.learning_rate=1e-4..0.1:log_uniform", SearchRange(min=1e-4, max=0.1, distribution="log_uniform")),
        ("model.dropout=0..0.5", SearchRange(min=0, max=0.5)),
        ("model.dropout=0..0.5:uniform", SearchRange(min=0, max=0.5)),
        ("model.dropout=0,0.1,0.2", SearchValues(values=(0, 0.1, 0.2))),
        ("model.dropout=0.1", SearchValues(values=(0.1,))),
        ("model.hidden_layers=[64,64],[128,128]", SearchValues(values=([64, 64], [128, 128]))),
        ("model.hidden_layers=[]", SearchValues(values=([],))),
        ("preprocessing.numeric=standard, robust_clip", SearchValues(values=("standard", "robust_clip"))),
        ("training.clip_norm=null,1", SearchValues(values=(None, 1))),
        ("model.batch_norm=true,false", SearchValues(values=(True, False))),
        ("training.early_stopping=null,{patience: 5}", SearchValues(values=(None, {"patience": 5}))),
        ("training.schedule=cosine,{name: step, every_epochs: 3}",
         SearchValues(values=("cosine", {"name": "step", "every_epochs": 3}))),
        ("model.l2={min: 1e-6, max: 1, distribution: log_uniform}",
         SearchRange(min=1e-6, max=1, distribution="log_uniform")),
        ("model.l2={values: [0, 1]}", SearchValues(values=(0, 1))),
        ("training.batch_size=8..64", SearchRange(min=8, max=64)),
    ],
)  # fmt: skip
def test_a_search_in_one_text(tmp_path: Path, search: str, entry: SearchRange | SearchValues) -> None:
    assert parameters_of(tmp_path, search) == {search.partition("=")[0]: entry}


def test_a_search_takes_the_place_of_what_the_file_says_of_its_key(tmp_path: Path) -> None:
    text = (
        HEAD
        + "search:\n  trials: 7\n  parameters:\n    model.l2: {min: 0, max: 1}\n    model.dropout: {values: [0]}\n"
    )
    config = load(tmp_path, text, "search.trials=9", searches=["model.l2=0,1"])
    assert config.search.trials == 9
    assert config.search.parameters == {
        "model.l2": SearchValues(values=(0, 1)),
        "model.dropout": SearchValues(values=(0,)),
    }


def test_where_the_file_names_no_keys_those_of_the_command_line_are_all(tmp_path: Path) -> None:
    searches = ("model.l2=0,1", "model.dropout=0..0.5")
    for text in (HEAD, HEAD + "search: {trials: 3}\n", HEAD + "search: {parameters: {}}\n"):
        assert list(parameters_of(tmp_path, *searches, text=text)) == ["model.l2", "model.dropout"]


def test_a_key_with_dots_can_be_set_below_the_parameters(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        HEAD + "search: {parameters: {model.l2: {min: 0, max: 1}}}\n",
        "search.parameters.model.l2.max=0.5",
        "search.parameters.model.dropout={values: [0, 0.1]}",
        "search.parameters.training.learning_rate.min=1e-4",
        "search.parameters.training.learning_rate.max=1",
    )
    assert config.search.parameters == {
        "model.l2": SearchRange(min=0, max=0.5),
        "model.dropout": SearchValues(values=(0, 0.1)),
        "training.learning_rate": SearchRange(min=1e-4, max=1),
    }


@pytest.mark.parametrize(
    ("search", "fragment"),
    [
        ("training.learnin_rate=1..2", "unknown key"),
        ("training.learning_rate=2..1", "min must be below max"),
        ("training.learning_rate=..1", "min must be a number, found null"),
        ("training.learning_rate=1..", "max must be a number, found null"),
        ("training.learning_rate=1e-4...1e-1:log", "a range has two dots between its numbers"),
        ("model.dropout=0...5", "a range has two dots between its numbers"),
        ("training.learning_rate=a..b", 'min must be a number, found "a"'),
        ("training.learning_rate=1e-4..1:lug", "must be one of uniform, log_uniform"),
        ("training.learning_rate=0..1:log", "min must be above 0 for log_uniform"),
        ("training.learning_rate=0,1", "training.learning_rate must be a number above 0, found 0"),
        ("training.learning_rate=", "search.parameters.training.learning_rate.values must be a list of at least 1"),
        ("model.hidden_layers=64,32", "model.hidden_layers must be a list"),
        ("model.hidden_layers=[64", "a bracket without its ]"),
        ("model.hidden_layers=64],[64", "something follows the end of the value"),
        ("model.activation=relu,rellu", 'found "rellu"'),
        ("data.path=a,b", "data.path cannot be searched"),
        ("model.l2=!!int 1", "the tag !!int is not allowed"),
    ],
)  # fmt: skip
def test_a_fault_names_the_option(tmp_path: Path, search: str, fragment: str) -> None:
    faults = faults_of(tmp_path, HEAD, searches=[search])
    assert fragment in faults[0].message
    assert {fault.path for fault in faults} == {f"--search {search.partition('=')[0]}"}
    assert faults[-1].hint


@pytest.mark.parametrize("search", ["training.learning_rate", "=1", "training.=1", ".seed=1", ""])
def test_what_is_no_search_at_all_is_wrong_usage(tmp_path: Path, search: str) -> None:
    with pytest.raises(UsageError, match="--search takes KEY="):
        load(tmp_path, HEAD, searches=[search])


def test_a_key_that_two_searches_name_is_wrong_usage(tmp_path: Path) -> None:
    searches = ["model.dropout=0,0.1", "model.l2=0..1", "model.dropout =0.2,0.3"]
    with pytest.raises(UsageError, match=r"--search names \"model\.dropout\" twice") as caught:
        load(tmp_path, HEAD, searches=searches)
    assert caught.value.faults[0].hint
    assert set(parameters_of(tmp_path, *searches[:2])) == {"model.dropout", "model.l2"}


TEXTS = (
    "training.learning_rate=1e-4..1e-1:log", "model.dropout=0,0.1,0.2", "model.hidden_layers=[64,64],[128,128]",
    "training.schedule=cosine,{name: step, every_epochs: 3}", "preset=standard,fast", "model.l2={min: 0, max: 1}",
)  # fmt: skip
PIECES = (
    *("=", "..", ",", ":", "[", "]", "{", "}", '"', "'", ":log", "min", "values", "null", "-", "1e400", "&a", "*a"),
    *("!!int", "#", "\n", "\t", "\0", "\ud800", "가", "%", "---", "...", "?", "|", ">", "<<", " ", ".", "data.", "0"),
)  # fmt: skip


def test_any_text_is_a_space_or_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(HEAD)

    def make(random: Random) -> str:
        if random.random() < 0.2:
            return f"{random.choice(list(override_keys()))}={mutated(random, '1..2', PIECES, 2)}"
        return mutated(random, random.choice(TEXTS), PIECES, random.choice((0, 1, 2, 5)))

    def read(text: str) -> Config:
        config, faults = read_config(path, (), [text])
        if faults or config is None:
            raise ConfigError(*faults)
        return config

    feed("--search", EXAMPLES // 3, make, read)


@given(key=st.text(max_size=12), text=st.text(max_size=20))
@settings(max_examples=EXAMPLES // 30, deadline=None)
def test_whatever_is_typed_ends_in_a_space_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, key: str, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "search.yaml"
    path.write_text(HEAD)
    for search in (f"{key}={text}", f"model.dropout={text}", text):
        try:
            reading = read_config(path, (), [search])
        except UsageError as error:
            check_faults(error)
        else:
            assert isinstance(reading, Reading)
            assert bool(reading.faults) != bool(reading.config and reading.config.search.parameters)
