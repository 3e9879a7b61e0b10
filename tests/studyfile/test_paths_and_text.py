"""A study from a stranger: its paths stay inside its folder, and its words are words, in every format."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.report.builds.build import build
from eventstudy.study.tables import latex_escape, rounded_csv

EVIL = """<script>alert("x")</script>'"&\\input{/etc/passwd}"""
STUDY = """
title = '''{evil}'''
question = '''{evil}'''
event = '''{evil}'''
background = '''{evil}'''
timeline = "timeline.csv"

[names]
NVDA = '''{evil}'''

[prices]
source = "snapshot"

[model]
kind = "market_model"
benchmark = "^GSPC"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0], [0, 1]]

[[other_days]]
date = "2025-01-24"
label = '''{evil}'''

[[robustness]]
kind = "mean_adjusted"
label = '''{evil}'''

[[claims]]
quote = '''{evil}'''
source = '''{evil}'''
ticker = "NVDA"
kind = "direction"
says = "fell"
remark = '''{evil}'''
"""


def plain_study(folder: Path, lines: str = "", events: str = "ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.csv").write_text(events, encoding="utf-8")
    (folder / "study.toml").write_text(f"title = 'T'\nevent = 'E'\n{lines}", encoding="utf-8")
    return folder


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "study"
    quoted = EVIL.replace('"', '""')
    plain_study(folder, events=f'ticker,date,label,group\nNVDA,2025-01-27,"{quoted}","{quoted}"\nMETA,2025-01-27,,\n')
    (folder / "study.toml").write_text(STUDY.format(evil=EVIL), encoding="utf-8")
    (folder / "timeline.csv").write_text(f'date,what\n2025-01-28,"{quoted}"\n', encoding="utf-8")
    build(es.load_study(folder))
    return folder


@pytest.mark.builds
def test_words_of_a_study_are_no_markup_on_the_page(hostile: Path) -> None:
    page = Tags()
    text = (hostile / "index.html").read_text(encoding="utf-8")
    page.feed(text)
    assert "script" not in page.tags
    assert not {name for name in page.attributes if name.startswith("on")}
    assert text.count("&lt;script&gt;") >= 8  # shown as text wherever it was written


@pytest.mark.builds
@pytest.mark.parametrize("name", ["event_day", "car_paths"])
def test_words_of_a_study_are_no_markup_in_a_figure(hostile: Path, name: str) -> None:
    from xml.etree import ElementTree

    tree = ElementTree.parse(hostile / "figures" / f"{name}.svg")  # noqa: S314 - made a moment ago
    assert not [item for item in tree.iter() if item.tag.endswith(("script", "foreignObject"))]


@pytest.mark.builds
def test_words_of_a_study_are_no_commands_in_latex(hostile: Path) -> None:
    for path in (hostile / "tables").glob("*.tex"):
        assert not re.search(r"\\(?:input|include|write|immediate|openin)\b", path.read_text(encoding="utf-8")), path


@pytest.mark.builds
def test_files_of_a_report_have_names_of_our_own(hostile: Path) -> None:
    for path in hostile.rglob("*"):
        assert re.fullmatch(r"[\w.-]+", path.name), path


@pytest.mark.parametrize("text", [r"\input{x}", "100% $5 #1 a_b ~ ^ {x}", "\\\\", r"\%"])
def test_latex_has_no_bare_special_character(text: str) -> None:
    bare = re.sub(r"\\textbackslash\{\}|\\textascii(?:tilde|circum)\{\}|\\[&%$#_{}]", "", latex_escape(text))
    assert not re.search(r"[\\&%$#_{}~^]", bare), latex_escape(text)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_table_is_a_formula(cell: str) -> None:
    import pandas as pd

    line = rounded_csv(pd.DataFrame({"label": [cell], "value": [1.5]}), index=False).splitlines()[1]
    assert line.lstrip('"').startswith("'")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("events = '../events.csv'", "events"),
        ("timeline = '/etc/passwd'", "timeline"),
        ("notebooks = ['../other/n.ipynb']", "notebooks"),
        ("notebooks = ['../../../n.ipynb']", "notebooks"),
        ("[prices]\nsource = '../p.csv'", "prices.source"),
        ("[prices]\nsource = '/etc/p.csv'", "prices.source"),
    ],
)
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, line: str, key: str) -> None:
    with pytest.raises(es.errors.StudyFileError, match=re.escape(key)) as caught:
        es.load_study(plain_study(tmp_path / "s", line))
    assert "study's folder" in str(caught.value)


@pytest.mark.parametrize("key", ["events", "timeline", "notebooks", "prices.source"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("ticker,date\nPASSWORD,2025-01-27\n", encoding="utf-8")
    lines = {
        "events": "events = 'link.csv'",
        "timeline": "timeline = 'link.csv'",
        "notebooks": "notebooks = ['link.csv']",
        "prices.source": "[prices]\nsource = 'link.csv'",
    }
    folder = plain_study(tmp_path / "s", lines[key])
    os.symlink(secret, folder / "link.csv")
    with pytest.raises(es.errors.StudyFileError, match="leaves the study's folder") as caught:
        es.load_study(folder)
    assert "PASSWORD" not in str(caught.value)


def test_notebooks_beside_the_reports_may_be_shared(tmp_path: Path) -> None:
    folder = plain_study(tmp_path / "reports" / "s", "notebooks = ['../../notebooks/a.ipynb']")
    assert es.load_study(folder).notebooks == ("../../notebooks/a.ipynb",)


def test_a_study_may_be_reached_through_a_link(tmp_path: Path) -> None:
    folder = plain_study(tmp_path / "s")
    os.symlink(folder, tmp_path / "link")
    assert es.load_study(tmp_path / "link").run().abnormal.n == 2
