"""A small study on prices of its own, and builds of it without figures: what is tested here is not how they look."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.report.builds import outputs
from eventstudy.report.builds.build import build
from eventstudy.studyfile.spec import StudySpec
from eventstudy.vintages.store import store_vintage

STUDY = """
title = "Two firms"
event = "some news"
notebooks = []

[prices]
source = "yahoo"

[model]
benchmark = "^GSPC"
report = [[0, 0], [0, 1]]
"""
Change = Callable[[pd.DataFrame, pd.DataFrame], None]


def base() -> es.Prices:
    return es.load_prices(["NVDA", "META", "^GSPC"], "2023-11-01", "2025-02-28")


def changed(*changes: Change) -> es.Prices:
    prices = base()
    adj, close = prices.adj_close.copy(), prices.close.copy()
    for change in changes:
        change(adj, close)
    return es.Prices.from_frame(adj, close, prices.volume, prices.provenance, prices.currency)


def dividend(adj: pd.DataFrame, close: pd.DataFrame) -> None:
    """META pays after the last day: every adjusted close falls by one factor."""
    adj["META"] *= 0.9975


def split(adj: pd.DataFrame, close: pd.DataFrame) -> None:
    """NVDA splits two for one after the last day: the vendor halves all that it ever served."""
    adj["NVDA"] /= 2
    close["NVDA"] /= 2


def wrong_price(adj: pd.DataFrame, close: pd.DataFrame) -> None:
    """One price of META on the event day is a tenth too low."""
    adj.loc["2025-01-27", "META"] *= 0.9
    close.loc["2025-01-27", "META"] *= 0.9


def in_layout_1(path: Path) -> None:
    """Write a file of numbers as versions before did."""
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["format"] == 2
    for entry in content["numbers"].values():
        if "recommended" in entry:
            entry["believed"] = entry.pop("recommended")
    path.write_text(json.dumps({**content, "format": 1}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class Study:
    """A study's folder and what a test does to it."""

    dividend = staticmethod(dividend)
    split = staticmethod(split)
    wrong_price = staticmethod(wrong_price)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def spec(self) -> StudySpec:
        return es.load_study(self.folder)

    def build(self, **options: object):
        return build(self.spec, **options)

    def store(self, day: int, *changes: Change) -> str:
        """Store a vintage as of a day of November 2025 and return its name."""
        prices = changed(*changes)
        moment = datetime(2025, 11, day, 12, tzinfo=UTC)
        return store_vintage(prices, self.folder, moment, prices.tickers, "2023-11-01", "2025-02-28").stem

    def write(self, old: str, new: str) -> None:
        path = self.folder / "study.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def contents(self) -> dict[str, bytes]:
        """Every built file, and the corrections, by name."""
        left = ("study.toml", "events.csv")
        return {
            p.relative_to(self.folder).as_posix(): p.read_bytes()
            for p in sorted(self.folder.rglob("*"))
            if p.is_file()
            and p.name not in left
            and not p.relative_to(self.folder).parts[0].startswith((".", "prices"))
        }

    def copy(self, place: Path) -> Study:
        return Study(Path(shutil.copytree(self.folder, place / self.folder.name)))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build without figures."""
    monkeypatch.setattr(outputs, "draw_charts", lambda *given: ())


def make_two(place: Path) -> None:
    study = Study(place / "two")
    study.folder.mkdir()
    (study.folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n")
    (study.folder / "study.toml").write_text(STUDY)
    study.store(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "draw_charts", lambda *given: ())
        study.build()


@pytest.fixture(scope="session")
def built_once(once: Callable[[str, Callable[[Path], object]], Path]) -> Study:
    return Study(once("two", make_two) / "two")


@pytest.fixture
def study(built_once: Study, tmp_path: Path, plain: None) -> Study:
    """A copy of a study that was built on its first vintage."""
    return built_once.copy(tmp_path)
