"""What is to be said of how dates were read stands once in the provenance, by whichever way the prices came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import _calendar, exchange_sessions


def doubtful(exchange: str, first: str, last: str) -> pd.DataFrame:
    """Days that can be read in two ways: midnights of an exchange in UTC whose time was cut off."""
    days = exchange_sessions(exchange, first, last)
    cut = days.tz_localize(_calendar(exchange).tz).tz_convert("UTC").tz_localize(None).normalize()
    steps = np.random.default_rng(7).normal(0, 0.01, (len(days), 2))
    return pd.DataFrame(50 * np.exp(steps.cumsum(axis=0)), pd.DatetimeIndex(cut, name="date"), ["ONE", "TWO"])


def zoned() -> pd.DataFrame:
    days = exchange_sessions("XTKS", "2022-01-04", "2023-06-30")
    steps = np.random.default_rng(9).normal(0, 0.01, (len(days), 2))
    stamps = pd.DatetimeIndex(days.tz_localize("Asia/Tokyo").tz_convert("UTC"), name="date")
    return pd.DataFrame(50 * np.exp(steps.cumsum(axis=0)), stamps, ["ONE", "TWO"])


class Own:
    name = "ours"

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def load(self, tickers, start, end):
        return self.answer


TABLES = {
    "London": doubtful("XLON", "2022-08-18", "2023-08-25"),
    "Riyadh": doubtful("XSAU", "2022-12-08", "2023-06-25"),
    "Tokyo": zoned(),
}


@pytest.mark.parametrize("place", list(TABLES))
@pytest.mark.parametrize(
    "way", ["frame", "table", "long", "mapping", "list", "own table", "own prices", "file", "files"]
)
def test_how_dates_were_read_is_said_once(place, way, tmp_path):
    table = TABLES[place]
    long = table.reset_index().melt("date", var_name="ticker", value_name="close")
    file = tmp_path / "p.csv"
    table.to_csv(file)
    one, two = table[["ONE"]], table[["TWO"]]
    one.to_csv(tmp_path / "ONE.csv")
    two.to_csv(tmp_path / "TWO.csv")
    prices = {
        "frame": lambda: es.Prices.from_frame(table),
        "table": lambda: es.load_prices(table),
        "long": lambda: es.load_prices(long),
        "mapping": lambda: es.load_prices({"ONE": table["ONE"], "TWO": table["TWO"]}),
        "list": lambda: es.load_prices([one, two]),
        "own table": lambda: es.load_prices(["ONE", "TWO"], source=Own(table)),
        "own prices": lambda: es.load_prices(["ONE"], source=Own(es.Prices.from_frame(table))),
        "file": lambda: es.load_prices(str(file)),
        "files": lambda: es.load_prices([str(tmp_path / "ONE.csv"), str(tmp_path / "TWO.csv")]),
    }[way]()
    cautions = prices.provenance.cautions
    said = [c for c in cautions if "was read as" in c]
    assert len(said) == 1, cautions
    bare = [c.rpartition(": ")[2] for c in cautions]
    assert len(set(bare)) == len(bare)
    again = es.Prices.from_frame(prices.adj_close, provenance=prices.provenance)
    assert again.provenance.cautions == cautions
    if way in {"mapping", "list", "files"}:
        assert "ONE" in said[0] or "table 1, table 2: " in said[0]
