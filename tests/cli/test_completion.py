"""Completion, asked for as the shells ask."""

import os
import shutil
import subprocess
import sys

import pytest

from dlreg.cli.completion import complete_override, whole_words
from dlreg.config.keys import override_keys


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
        (["--set", "training.optimizer", "="], ["sgd", "adam", "adamw", "rmsprop", "nadam"]),
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
        "import sys\nfrom dlreg.cli.app import main\n"
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
