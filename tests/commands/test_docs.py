"""`dlreg docs`: the list, a page as Markdown or laid out, and a name that is none."""

import os
import pty
import re
import subprocess
import sys

from support.command_line import run_cli

from dlreg.cli.completion import complete_page
from dlreg.commands.docs import FOLDER, PAGES


def test_the_pages_are_listed_each_with_what_it_is_about(tmp_path):
    done = run_cli("docs", cwd=tmp_path)
    assert done.returncode == 0
    *lines, blank, hint = done.stdout.splitlines()
    assert [re.split(" {2,}", line) for line in lines] == [list(item) for item in PAGES.items()]
    assert (blank, hint) == ("", "Read one with: dlreg docs PAGE")


def test_a_page_in_a_pipe_is_the_markdown_that_was_written(tmp_path):
    done = run_cli("docs", "ci", cwd=tmp_path)
    assert done.stdout == (FOLDER / "ci.md").read_text(encoding="utf-8")


def test_a_page_on_a_terminal_is_laid_out():
    reader, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlreg", "docs", "intervals"],
        stdout=terminal,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "60", "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(reader, 4096):
            shown += piece
    except OSError:
        pass  # As Linux says that nobody writes any more.
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[\d;]*m", "", shown.decode())
    assert "# Intervals" not in text
    assert "Intervals" in text
    assert max(map(len, text.splitlines())) <= 60
    assert "`" not in text


def test_a_mistyped_page_is_told_with_the_one_meant(tmp_path):
    done = run_cli("docs", "conifg", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: there is no page 'conifg'. Did you mean config?\n"


def test_names_of_pages_are_completed():
    assert [name for name, _ in complete_page("c")] == ["commands", "config", "ci", "cluster"]
