"""Files put together at random from known figures (language × separator × form of days × order × leftovers × columns): read right, or refused; never read wrongly."""

from __future__ import annotations

import collections
import random

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import EventStudyError
from eventstudy.sources import read_prices

HEADS = {
    "en": ("Date", "Open", "Close", "Volume"),
    "de": ("Datum", "Eröffnung", "Schlusskurs", "Volumen"),
    "fr": ("Date", "Ouverture", "Clôture", "Volume"),
    "it": ("Data", "Apertura", "Chiusura", "Volume"),
    "pl": ("Data", "Otwarcie", "Zamknięcie", "Wolumen"),
    "es": ("Fecha", "Apertura", "Cierre", "Volumen"),
    "zh": ("日期", "开盘", "收盘", "成交量"),
    "ja": ("日付", "始値", "終値", "出来高"),
    "ko": ("일자", "시가", "종가", "거래량"),
    "ru": ("Дата", "Открытие", "Закрытие", "Объем"),
    "nl": ("Datum", "Opening", "Slotkoers", "Volume"),
    "odd": ("Date", "Open", "Settle px", "Volume"),
}
FORMS = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%Y年%m月%d日",
    "%Y-%m-%d 00:00:00",
    "%d-%m-%Y",
]
FIRMS = ["ticker", "Symbol", "Name", "tic", "证券代码", "ISIN", "Emittent", "key"]
ADJUSTED = [
    None,
    None,
    None,
    "Adj Close",
    "adjusted",
    "px_adj",
    "Close (adj.)",
    "cours ajusté",
    "Kurs bereinigt",
    "total_return",
    "后复权收盘价",
    "adjfactor",
]
SHARES = ("0005.HK", "BHP.AX", "601318")


def left_over(table, mark, rng):
    """Return the lines of a table with what spreadsheets and web pages leave in them."""
    if rng.random() < 0.3:
        table = [[*cells, *[""] * rng.choice([1, 1, 2])] for cells in table]
    lines = [mark.join(cells) for cells in table]
    if rng.random() < 0.2:
        lines.append(rng.choice(["Downloaded today", f"Source{mark}somewhere", mark * len(table[0])]))
    if rng.random() < 0.2:
        lines[:0] = rng.choice([["Quotes"], [f"Symbol{mark}X", ""], ["Closing prices, not adjusted"]])
    if rng.random() < 0.1:
        lines.insert(0, f"sep={mark}")
    return lines


def made(rng):
    """Return a file's text and name, and the closes that make its returns by share."""
    language, mark, form = rng.choice(list(HEADS)), rng.choice([",", ";", "\t"]), rng.choice(FORMS)
    date, opening, close, volume = HEADS[language]
    firm, adjusted, comma = rng.choice([None, *FIRMS]), rng.choice(ADJUSTED), mark != "," and rng.random() < 0.5
    count = rng.choice([12, 30])
    shares = SHARES[: rng.choice([2, 3])] if firm else SHARES[:1]
    apart = firm is not None and rng.random() < 0.4  # event windows below each other
    head = [date, *([firm] if firm else []), opening, close, *([adjusted] if adjusted else []), volume]
    figures = np.random.default_rng(rng.randrange(10**6))
    rows, truth = [], {}
    for place, share in enumerate(shares):
        days = pd.bdate_range(pd.Timestamp("2021-03-01") + pd.Timedelta(days=120 * place * apart), periods=count)
        raw = np.round(80 * np.exp(np.cumsum(figures.normal(0, 0.02, count))), 4) + 0.00005
        own = np.round(raw * np.where(np.arange(count) < count // 2, 0.5, 1.0), 5)
        truth[share] = pd.Series(own if adjusted else raw, index=days)
        for day, shown, right in zip(days, raw, own, strict=True):
            cells = [f"{shown:.5f}", f"{shown:.5f}", *([f"{right:.5f}"] if adjusted else []), "1200"]
            cells = [c.replace(".", ",") for c in cells] if comma else cells
            rows.append((day, share, [f"{day:{form}}", *([share] if firm else []), *cells]))
    rng.choice([lambda: None, rows.reverse, lambda: rows.sort(key=lambda r: r[:2]), lambda: rng.shuffle(rows)])()
    body = [cells for _, _, cells in rows]
    width = len(head)
    if rng.random() < 0.2:
        body = [[*cells[:-1], ""] if i % 3 else cells[:-1] for i, cells in enumerate(body)]  # without a volume
    if rng.random() < 0.2:
        body.insert(rng.randrange(len(body)), [""] * width)
    if rng.random() < 0.2:  # a dividend beside the day's row
        at = rng.randrange(len(body))
        if body[at][0]:
            body.insert(
                at, [c if i < 1 + bool(firm) else "" for i, c in enumerate(body[at])] + [""] * (width - len(body[at]))
            )
    table = [head, *body]
    lines = left_over(table, mark, rng)
    return rng.choice(["\n", "\r\n"]).join(lines) + "\n", "ZZZ.csv", truth if firm else {"ZZZ": truth[shares[0]]}


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 6))])
def test_nothing_is_read_wrongly(block, tmp_path):
    counts = collections.Counter()
    for number in range(100):
        text, name, truth = made(random.Random(f"{block}:{number}"))
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        try:
            prices = read_prices(tmp_path / name)
        except EventStudyError:
            counts["refused"] += 1
            continue
        counts["read"] += 1
        assert set(prices.tickers) == set(truth), text[:400]
        for share, closes in truth.items():
            held = prices.adj_close[share].dropna()
            assert list(held.index) == list(closes.index), text[:400]
            np.testing.assert_allclose(held, closes, rtol=1e-9, err_msg=text[:400])
    assert counts["read"] > 25, counts  # what is odd is refused, and only that
