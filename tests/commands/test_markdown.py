"""Markdown of anybody's texts: what is rendered is what was written."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dlreg.commands import markdown
from dlreg.errors import printable

RENDERER = MarkdownIt("commonmark").enable("table")
TEXTS = st.text(st.sampled_from("ab 1.-+=*_`|\\<>&!#[]()~$@:/\n\x1b\"'é가"), max_size=30)


def words(html):
    return unescape(re.sub(r"</?(p|code|td|tr|th|table|tbody|thead)>|\n", "", html))


@given(TEXTS)
def test_names_are_rendered_as_they_are_written(text):
    shown = printable(text)
    rendered = words(RENDERER.render(f"x{markdown.code(text)}x"))
    assert rendered in (f"x{shown}x", f'x"{shown}"x')
    assert words(RENDERER.render(f"x{markdown.plain_text(text)}x")) == f"x{shown}x"


@given(TEXTS)
def test_a_cell_is_one_cell(text):
    html = RENDERER.render(markdown.table(("a", "b"), [(markdown.code(text), markdown.plain_text(text))]))
    assert len(re.findall("<td>", html)) == 2


@given(TEXTS)
def test_a_sentence_stays_one(text):
    html = RENDERER.render(f"- {markdown.sentence_text(f'column {text!r}')}")
    assert re.fullmatch(r"<ul>\n<li>[^<]*</li>\n</ul>\n", html)


@pytest.mark.parametrize("text", ["1. one", "- one", "+ one", "= one", "12) one"])
def test_a_sentence_begins_no_list(text):
    assert words(RENDERER.render(markdown.sentence_text(text))) == text


def test_a_table_may_align_numbers():
    html = RENDERER.render(markdown.table(("a", "b"), [("x", "1")], numbers=True))
    assert '<td style="text-align:right">1</td>' in html
    assert markdown.fenced("python", "x\n") == "```python\nx\n```"
