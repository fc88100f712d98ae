"""`dlreg plot`: each kind of figure in each format."""

import pytest
from support.command_line import run_cli


@pytest.mark.parametrize(
    ("name", "kind", "start"),
    [("a.png", "loss", b"\x89PNG"), ("b.svg", "predictions", b"<?xml"), ("c.pdf", "residuals", b"%PDF")],
)
def test_plot_draws_each_kind_in_each_format(project, name, kind, start):
    done = run_cli("plot", "run", "--kind", kind, "-o", name, cwd=project)
    assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr
    assert (project / name).read_bytes().startswith(start)
