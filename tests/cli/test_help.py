"""What `--help` shows: in 80 columns, in plain words, with examples that are right and a page there is."""

import re
import shlex

import pytest
import typer
from typer.testing import CliRunner

from dlreg.cli.app import app
from dlreg.commands.docs import PAGES

COMMANDS = typer.main.get_command(app).commands


def help_of(*names):
    done = CliRunner().invoke(app, [*names, "--help"], prog_name="dlreg", env={"COLUMNS": "80"})
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("names", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_is_plain(names):
    text = help_of(*names)
    assert not re.search(r"[<{][A-Za-z ]+[>}]", text), text
    for line in text.splitlines():
        assert len(line) <= 80
        assert line == line.rstrip()
    assert "..." not in text.replace("[ARGS]...", "").replace("RUN_DIR...", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_and_a_page(name):
    _, _, end = help_of(name).partition("\nExample")
    *examples, _, page = end.strip().splitlines()[1:]
    assert examples and all(f"{example} ".startswith(f"  dlreg {name} ") for example in examples)
    assert page.removeprefix("More: dlreg docs ") in PAGES
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])[2:]
        # It is read without a fault; nothing is done.
        COMMANDS[name].make_context(name, words, resilient_parsing=False)


def test_every_command_is_listed_with_what_it_does():
    text = help_of()
    for name, command in COMMANDS.items():
        (line,) = re.findall(rf"^  {name} +(.*)", text, re.MULTILINE)
        assert command.help.startswith(line.split(" ", 1)[0])
