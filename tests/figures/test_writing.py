"""Figures as files, in the format that the name asks for."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from dlreg.errors import StorageError, UsageError
from dlreg.figures.writing import FORMATS, format_of, write_figure


@pytest.mark.parametrize("name", ["a.png", "b.SVG", "c.d.pdf"])
def test_the_suffix_is_the_format(name):
    assert format_of(Path(name)) in FORMATS


@pytest.mark.parametrize("name", ["a.gif", "png", "a.", "a.png.txt"])
def test_other_suffixes_are_wrong_usage(name):
    with pytest.raises(UsageError, match=r"ending in \.png, \.svg or \.pdf"):
        format_of(Path(name))


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_figure_replaces_what_was_there(tmp_path, suffix, start):
    file = tmp_path / f"figure.{suffix}"
    file.write_bytes(b"old")
    write_figure(Figure(figsize=(1, 1)), file)
    assert file.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageError, match="absent"):
        write_figure(Figure(figsize=(1, 1)), tmp_path / "absent" / "figure.png")
