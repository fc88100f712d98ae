"""Figures as files, in the format that the file's name asks for."""

import io
import warnings
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from dlreg.errors import UsageError
from dlreg.figures.style import settings
from dlreg.files.whole_file import reporting_storage_errors, sweep_temporaries, write_atomically

FORMATS = ("png", "svg", "pdf")


def format_of(output: Path, option: str = "--output") -> str:
    """The format of a figure, by the suffix of its file.

    Raises:
        UsageError: The suffix is not one of `FORMATS`.
    """
    suffix = output.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(f"{option}: expected a name ending in .png, .svg or .pdf, found {output.name!r}")
    return suffix


def render_figure(figure: Figure, file_format: str) -> bytes:
    """The bytes of a `png`, `svg` or `pdf` file; equal figures give equal bytes."""
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    content = io.BytesIO()
    with mpl.rc_context(settings()), warnings.catch_warnings():
        # A glyph that no font has is said once, in `styled`, for all places it appears in.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format=file_format, metadata=undated[file_format])
    return content.getvalue()


def write_figure(figure: Figure, output: Path) -> None:
    """Writes a figure in one step, in the format of the file's suffix."""
    content = render_figure(figure, format_of(output))
    with reporting_storage_errors(output):
        sweep_temporaries(output.parent)
        write_atomically(output, content)
