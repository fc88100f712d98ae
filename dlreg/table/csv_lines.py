"""The lines of a CSV file that are no rows, and blanks that are no part of a cell, taken out of its text.

A line that is no row becomes a blank one, so that every row stays in the line in which it stands.
"""

import codecs
import re

from dlreg.table.csv_format import CsvFormat

# Text that waits longer for its second quote is no cell; who reads it refuses it.
_LONGEST_WAIT = 1 << 23


class LineCleaner:
    """Takes the text of a CSV file piece by piece and gives it back without what is no part of its rows.

    Args:
        csv_format: Says what that is.

    Attributes:
        waiting: The text that the next piece may be a part of.
    """

    def __init__(self, csv_format: CsvFormat) -> None:
        self.waiting = b""
        self._format = csv_format
        self._pattern = re.compile(_pattern(csv_format), re.MULTILINE)
        self._lines_to_skip = csv_format.skip_rows
        self._is_begun = False
        self._footer = b""

    def clean(self, text: bytes, *, last: bool) -> bytes:
        """The cleaned text of what waits and of the next piece, UTF-8, as far as it is known."""
        text = self.waiting + text
        if not self._is_begun:
            text = text.removeprefix(codecs.BOM_UTF8)
            self._is_begun = len(text) > len(codecs.BOM_UTF8)
        whole = text.rfind(b"\n") + 1
        if last or len(text) - whole > _LONGEST_WAIT:
            whole = len(text)
        text, self.waiting = text[:whole], text[whole:]
        skipped, text = self._skip(text)
        quote = -1 if last else _open_quote(text, self._pattern)
        if quote >= 0 and len(text) - quote <= _LONGEST_WAIT:
            self.waiting = text[quote:] + self.waiting
            # With the quote, so that blanks before it are not taken for the end of a line.
            cleaned = self._without_comments(text[: quote + 1])[:-1]
        else:
            cleaned = self._without_comments(text)
        return self._without_footer(skipped + cleaned)

    def _skip(self, text: bytes) -> tuple[bytes, bytes]:
        """Blank lines in place of those to skip, and the text behind them."""
        end, n_lines = 0, 0
        while n_lines < self._lines_to_skip and (newline := text.find(b"\n", end)) >= 0:
            end, n_lines = newline + 1, n_lines + 1
        self._lines_to_skip -= n_lines
        return b"\n" * n_lines, b"" if self._lines_to_skip else text[end:]

    def _without_comments(self, text: bytes) -> bytes:
        separator, is_aligned = self._format.separator.encode(), self._format.is_aligned
        if b'"' in text:
            return self._pattern.sub(self._kept, text)
        if self._format.comment:
            text = self._pattern.sub(lambda match: b"" if match["comment"] else match[0], text)
        # Without a function, as there may be as many blanks as cells.
        if is_aligned:
            text = re.sub(rb"[ \t]+", b" ", text)
            text = re.sub(rb"(?m)^ | (?=\r?$)", b"", text)
        elif self._format.skip_initial_space:
            text = re.sub(rb"(?m)(?:(?<=%s)|^) +" % re.escape(separator), b"", text)
        return text

    def _kept(self, match: re.Match[bytes]) -> bytes:
        if match["quoted"] is not None:
            return match["quoted"]
        between = self._format.is_aligned and match["blanks"] is not None
        starts, rest = match.start(), match.string[match.end() : match.end() + 2]
        at_edge = starts == 0 or match.string[starts - 1 : starts] == b"\n"
        at_edge |= rest in (b"", b"\r\n") or rest[:1] == b"\n"
        return b" " if between and not at_edge else b""

    def _without_footer(self, text: bytes) -> bytes:
        """The text without its last lines, which wait until it is known that they are the last."""
        if not self._format.skip_footer:
            return text
        text = self._footer + text
        end, n_lines = len(text), 0
        while n_lines < self._format.skip_footer and end > 0:
            start = text.rfind(b"\n", 0, end - 1) + 1
            n_lines += not text[start:end].isspace()
            end = start
        self._footer = text[end:]
        return text[:end]


def needs_cleaning(csv_format: CsvFormat) -> bool:
    """Whether a file may have lines that are no rows, or blanks that are no part of a cell."""
    return bool(
        csv_format.skip_rows
        or csv_format.skip_footer
        or csv_format.comment
        or csv_format.skip_initial_space
        or csv_format.is_aligned
    )


def _pattern(csv_format: CsvFormat) -> bytes:
    """What is looked for: quoted cells, which stay as they are, comments and blanks."""
    never = rb"(?!)"
    comment, blanks = never, never
    if csv_format.comment:
        comment = rb"^[ \t]*%s[^\n]*" % re.escape(csv_format.comment.encode())
    if csv_format.is_aligned:
        blanks = rb"[ \t]+"
    elif csv_format.skip_initial_space:
        blanks = rb"(?:(?<=%s)|^) +" % re.escape(csv_format.separator.encode())
    return rb'(?P<quoted>"[^"]*(?:"|\Z))|(?P<comment>%s)|(?P<blanks>%s)' % (comment, blanks)


def _open_quote(text: bytes, pattern: re.Pattern[bytes]) -> int:
    """Where a cell begins whose second quote is not there yet; -1 if there is none."""
    if b'"' not in text:
        return -1
    for match in pattern.finditer(text):
        quoted = match["quoted"]
        if quoted is not None and (len(quoted) == 1 or not quoted.endswith(b'"')):
            return match.start()
    return -1
