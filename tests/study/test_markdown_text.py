"""Markdown readers, one of GitHub's kind and one of CommonMark, show text of a study as it is: nothing of it is live."""

from __future__ import annotations

import html
import re

import mistune
import pandas as pd
import pytest

from eventstudy.study.tables import markdown_table, markdown_text, rounded_csv

LIVE = re.compile(r"<(a|img|code|em|strong|del|script|iframe|h\d)\b")
TEXTS = (
    "[here](https://example.com)", "![i](//example.com/y.png)", r"[a]\](javascript:1)", r"\[a](b)", "[a][b]", "]](a)(b)", "[a](<b>)",
    "see https://example.com", "HTTP://EXAMPLE.com", "www.example.com", "WWW.www.example.com", "ftp://example.com", "<https://example.com>",
    "<script>alert(1)", "**b** _c_ ~~d~~ and a_b", r"a\|b|c", r"x\`code`", "a `b` |", "one\u2028two\nthree\r\nfour", "ends in \\",
    "[0, +1]", "csect_t", "p <0.001",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_a_study_is_shown_as_it_is(text: str) -> None:
    read = mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])
    for shown in (str(read(markdown_table(["head"], [[text]]))), str(read(f"» {markdown_text(text)}"))):
        assert not LIVE.search(shown), shown
        cell = re.search(r"<(td|p)[^>]*>(?:» )?(.*?)</\1>", shown, re.DOTALL)
        assert cell is not None
        assert html.unescape(cell[2]).strip() == " ".join(text.splitlines())


def test_columns_and_rows_named_like_formulas_are_inert_too() -> None:
    table = pd.DataFrame({"=cmd()": ["@SUM(1)", "x"], "b": [0.5, -0.25]}, index=pd.Index(["=1+1", "y"], name="+id"))
    assert rounded_csv(table).splitlines() == ["'+id,'=cmd(),b", "'=1+1,'@SUM(1),0.5", "y,x,-0.25"]
