"""One page about runs: what was asked, what was found, and what to make of it."""

from collections.abc import Sequence
from pathlib import Path

from dlreg.commands.report_facts import gather_facts
from dlreg.commands.report_summary import summarise
from dlreg.errors import Fault, UsageError
from dlreg.files.whole_file import reporting_storage_errors, sweep_temporaries, write_atomically
from dlreg.report.page import render_page
from dlreg.runs.names import REPORT
from dlreg.runs.trained_run import use_run


def report(paths: Sequence[Path], output: Path | None) -> Path:
    """Writes the page of some runs: every one of them, measured on its own rows.

    Args:
        paths: The run directories.
        output: Where to write; None for `report.html` in the run directory, of several in the working one.

    Returns:
        The file written.

    Raises:
        UsageError: `output` is not called as HTML is.
        RunDirError: There is no complete run, it is damaged, or its table is not what it was trained on.
    """
    output = output or (paths[0] / REPORT if len(paths) == 1 else Path(REPORT))
    _refuse_other_names(output, (".html", ".htm"), "an HTML file")
    text = render_page([use_run(path, gather_facts) for path in paths])
    _write(output, text)
    return output


def report_as_markdown(paths: Sequence[Path], output: Path | None) -> str | None:
    """The same in short, as Markdown for a comment: results, metrics and checks.

    Args:
        paths: The run directories.
        output: Where to write; None for nowhere.

    Returns:
        The text if it is not written.

    Raises:
        UsageError: `output` is not called as Markdown is.
        RunDirError: As of `report`.
    """
    if output:
        _refuse_other_names(output, (".md",), "a Markdown file")
    text = summarise([use_run(path, gather_facts) for path in paths])
    if output is None:
        return text
    _write(output, text)
    return None


def _refuse_other_names(output: Path, suffixes: Sequence[str], words: str) -> None:
    if output.suffix.lower() not in suffixes:
        hint = f"Give a name that ends in {suffixes[0]}"
        raise UsageError(Fault(f"--output takes the name of {words}; found {output.name!r}", hint=hint))


def _write(output: Path, text: str) -> None:
    with reporting_storage_errors(output):
        sweep_temporaries(output.parent)
        write_atomically(output, text.encode())
