"""Completion, asked for as the shells ask."""

import gzip
import os
import re
import shutil
import subprocess
import sys

import pytest

from dlreg.cli.completion import complete_override, complete_search, whole_words
from dlreg.config.keys import override_keys
from dlreg.config.search_faults import is_searchable


def ask(shell, words, tmp_path):
    """What `dlreg` offers for the last of some words."""
    environment = {**os.environ, "_DLREG_COMPLETE": f"complete_{shell}", "HOME": str(tmp_path)}
    if shell == "bash":
        environment |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    else:
        environment |= {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    command = [sys.executable, "-m", "dlreg"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_keys_and_values_are_offered(shell, tmp_path):
    assert "evaluate" in ask(shell, ["dlreg", "ev"], tmp_path)
    keys = ask(shell, ["dlreg", "check", "c.yaml", "--set", "training.l"], tmp_path)
    assert "training.learning_rate=" in keys
    assert "training.loss=" in keys
    assert "training.epochs" not in keys


@pytest.mark.parametrize(
    ("shell", "prefix"), [("zsh", "training.optimizer="), ("fish", "training.optimizer=")]
)
def test_values_are_whole_words_where_the_shell_has_whole_words(shell, prefix, tmp_path):
    values = ask(shell, ["dlreg", "train", "c.yaml", "--set", f"{prefix}a"], tmp_path)
    assert f"{prefix}adam" in values
    assert f"{prefix}adamw" in values
    assert "sgd" not in values


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--set", "training.optimizer", "="], ["sgd", "adam", "adamw", "rmsprop", "nadam", "muon"]),
        (["--set", "training.optimizer", "=", "ad"], ["adam", "adamw"]),
        (["--set", "=", "model.batch_norm", "="], ["true", "false"]),
        (["--set", "a", "=", "1", "--set", "data.test_path", "="], ["null"]),
        (["--set", "training.epochs", "="], ["auto"]),
        (["--set", "nonsense", "=", "x"], []),
        (["--set", "preset"], ["preset="]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bash_gets_the_part_after_the_equals_sign(words, expected, tmp_path):
    assert ask("bash", ["dlreg", "train", "c.yaml", *words], tmp_path).split() == expected


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_script_for_bash_completes_in_bash(tmp_path):
    """The script that `--show-completion` prints, in the shell itself."""
    environment = {**os.environ, "_DLREG_COMPLETE": "source_bash"}
    command = [sys.executable, "-m", "dlreg"]
    script = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    (tmp_path / "dlreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlreg "$@"\n')
    (tmp_path / "dlreg").chmod(0o755)
    ask_bash = (
        "COMP_WORDS=(dlreg train c.yaml --set training.schedule = c); COMP_CWORD=6; "
        '_dlreg_completion dlreg; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    del environment["_DLREG_COMPLETE"]
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{ask_bash}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["constant", "cosine", "coslog4"]


def test_every_key_is_offered_with_its_meaning():
    offered = dict(complete_override(""))
    assert set(offered) == {f"{key}=" for key in override_keys()}
    assert {"preset=", "data.path=", "training.early_stopping.patience=", "training.schedule.name="} <= set(
        offered
    )
    assert all(offered.values())


def test_keys_to_search_are_offered_and_their_values_one_by_one():
    offered = dict(complete_search(""))
    assert set(offered) == {f"{key}=" for key in override_keys() if is_searchable(key)}
    assert [word for word, _ in complete_search("training.learning_r")] == [
        "training.learning_rate=", "training.learning_rate_factors=", "training.learning_rate_factors.weights=",
        "training.learning_rate_factors.biases=", "training.learning_rate_factors.embeddings=",
        "training.learning_rate_factors.feature_scale=", "training.learning_rate_factors.weights_by_fan_in=",
    ]  # fmt: skip
    assert complete_search("preprocessing.numeric=standard,robust_") == [
        ("preprocessing.numeric=standard,robust_clip", "")
    ]
    assert complete_search("data.path=") == []


@pytest.mark.parametrize(
    ("words", "cursor", "joined", "at"),
    [
        ("dlreg\ntrain\n", 2, "dlreg\ntrain\n", 2),
        ("dlreg train ", 2, "dlreg\ntrain\n", 2),
        ("dlreg\n--set\na\n=\nb\nc", 5, "dlreg\n--set\na=b\nc", 3),
        ("dlreg\n--set\na\n=\nb\nc", 3, "dlreg\n--set\na=", 2),
    ],
)
def test_words_are_put_together_again(words, cursor, joined, at):
    environment = {"COMP_WORDS": words, "COMP_CWORD": str(cursor)}
    with whole_words(environment):
        pass
    assert environment == {"COMP_WORDS": joined, "COMP_CWORD": str(at)}


def test_completion_imports_nothing_heavy(tmp_path):
    code = (
        "import sys\nfrom dlreg.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print({'numpy', 'pandas', 'tensorflow', 'sklearn', 'matplotlib'} & set(sys.modules), file=sys.stderr)"
    )
    environment = {
        **os.environ,
        "_DLREG_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    environment["_TYPER_COMPLETE_ARGS"] = "dlreg train c.yaml --set model."
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "model.dropout=" in done.stdout
    assert done.stderr == "set()\n"


@pytest.fixture
def folder(tmp_path):
    """A table, a folder with runs, and a folder without."""
    (tmp_path / "t.csv").write_text("a b,소요 시간,x=1\n1,2,3\n", encoding="utf-8")
    (tmp_path / "cp.csv").write_bytes("소요;y\n".encode("cp949"))
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("p\tq\n1\t2\n")
    for name in ("runs/mine-1", "runs/mine-2", "rest"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("mine-1", "mine-2"):
        (tmp_path / "runs" / name / "run.json").write_text("{}")
    (tmp_path / "runs" / "mine-1" / "preprocessing.json").write_text('{"columns": {"age": {}, "bmi": {}}}')
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["init", "t.csv", "--target", ""], {"a b", "소요 시간", "x=1"}),
        (["init", "cp.csv", "--target", ""], {"소요", "y"}),
        (["init", "t.csv.gz", "--target", "q"], {"q"}),
        (["predict", "runs/mine-1", "--keep", ""], {"age", "bmi"}),
        (["predict", "runs/mine-1", "t.csv", "--keep", "소"], {"소요 시간"}),
        (["evaluate", "r"], {"runs/mine-1", "runs/mine-2"}),
        (["evaluate", "runs/"], {"runs/mine-1", "runs/mine-2"}),
        (["evaluate", "runs/mine-1", "--baseline", "runs/mine-2"], {"runs/mine-2"}),
        (["evaluate", "runs/mine-1", "--fail-if", "validation.r"], {"validation.rmse", "validation.r2"}),
        (["evaluate", "runs/mine-1", "--max-regression", "rm"], {"rmse="}),
        (["docs", "run-"], {"run-directory"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_what_there_is_is_offered(shell, words, expected, folder):
    lines = ask(shell, ["dlreg", *words], folder).splitlines()
    if shell == "bash":
        lines = [re.sub(r"\\(.)", r"\1", line) for line in lines]
    assert {line.partition("\t")[0] for line in lines} == expected


@pytest.mark.parametrize(
    "words",
    [
        ["init", "--target", ""],
        ["init", "absent.csv", "--target", ""],
        ["init", "rest", "--target", ""],
        ["predict", "rest", "--keep", ""],
        ["evaluate", "absent/x/"],
    ],
    ids=" ".join,
)
def test_what_stands_in_the_way_of_completion_is_no_noise(words, folder):
    assert ask("bash", ["dlreg", *words], folder).strip() == ""


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_gets_a_column_with_a_blank_as_one_word(folder):
    (folder / "dlreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlreg "$@"\n')
    (folder / "dlreg").chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-c", 'dlreg --install-completion bash && source ~/.bashrc && COMP_WORDS=(dlreg init t.csv --target "")'
         ' && COMP_CWORD=4 && _dlreg_completion dlreg && printf "%s\\n" "${COMPREPLY[@]}"'],
        env=environment, cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    installed, *columns = done.stdout.splitlines()
    assert installed.startswith("bash completes the words of dlreg once it is started anew: ")
    assert columns == ["a\\ b", "소요\\ 시간", "x=1"]


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
@pytest.mark.parametrize(
    ("shell", "fragment"), [("zhs", "Did you mean zsh?"), ("3", "there is no completion for '3'")]
)
def test_nonsense_is_no_shell(option, shell, fragment, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for words in ([option, shell], [f"{option}={shell}"]):
        done = cli(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert fragment in done.stderr
        assert "The shells are bash, zsh, fish, powershell, pwsh" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_shell_that_cannot_be_told_has_to_be_named(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: None)
    done = cli("--install-completion", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot tell the shell. The shells are bash" in done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_shell_that_is_named_gets_its_script(shell, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    done = cli("--install-completion", shell, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = [path for path in tmp_path.rglob("*dlreg*") if path.is_file()]
    shown = cli("--show-completion", shell, cwd=tmp_path).stdout
    assert [path.read_text().strip() for path in written] == [shown.strip()]
