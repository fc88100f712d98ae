"""What a person sees in a terminal of 80 columns, with and without colour."""

import re

import pytest
from support.terminal import run_in_terminal

COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|38)")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "plain"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "run"],
        ["explain", "run", "--repeats", "1", "-o", "importance.svg"],
        ["check", "config.yaml"],
        ["runs", "."],
        ["docs", "ci"],
        ["evaluate", "--help"],
    ],
    ids=" ".join,
)
def test_lines_fit_and_end_without_blanks(arguments, environment, project):
    seen = run_in_terminal(*arguments, cwd=project, **environment)
    assert seen.returncode == 0, seen.raw
    lines = [line for line in seen.frames if not line.startswith(("note: ", "table.csv:"))]
    assert lines
    for line in lines:
        assert line == line.rstrip(" ")
        assert len(line) <= 80
    assert not environment or not COLOUR.search(seen.raw)


def test_the_head_of_an_error_alone_is_coloured(tmp_path):
    seen = run_in_terminal("train", "absent.yaml", cwd=tmp_path)
    assert seen.returncode == 3
    assert re.search(r"\x1b\[1;31merror:\x1b\[0m absent.yaml: there is no such config file", seen.raw)
