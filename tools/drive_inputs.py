"""Drive generated inputs through every way in, against a truth known by construction.

    python tools/drive_inputs.py [N] [--seed S]      a report of N inputs (2,000); exit code 1 if any is silently wrong or crashes
    python tools/drive_inputs.py --only K [--seed S] one input in full: what was handed in, what came out, what is right

Each input is a market of a few firms and an index on the sessions of a real exchange. One firm has news of 10 % or more on a known
session and pays 2 % that day, so that raw and adjusted closes differ. It is written down in one of many ways (exchange, form of the
dates, words of the columns, layout, order, holes, frequency, way in, form of the event, factors), handed to the public functions of
`eventstudy`, and the abnormal returns of five days are compared with least squares in numpy on the figures from which it was made.

The outcomes: *right* (all five days, the session in the audit, every ticker there); *refused* (an error of the package's own); *told* (a
caution, check or warning names the very cause); **silently wrong**; **crash** (any other error). What proves the package right
is that the last two do not occur; "right" may not be traded for "refused", so inputs whose every part is ordinary are counted apart.

What cannot be right in any reading (rows that contradict each other, weekly rows in a daily study, no price on the day of the news)
counts as silently wrong if it gives a number without a word. A failure is reduced, by setting one part after the other back to the
ordinary, before it is shown; failures that reduce to the same are shown once.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd

import eventstudy as es

Spec = dict[str, str]

EXCHANGES = """XNYS XTSE BVMF XMEX XBUE XLON XPAR XETR XFRA XSWX XSTO XOSL XHEL XWAR XMAD XMIL XIST XTAE XSAU XJSE XBOM XKRX XTKS XHKG
XSHG XTAI XSES XIDX XBKK XASX XNZE 24/7""".split()  # noqa: SIM905
#: Words of vendors and languages: date, ticker, close, adjusted close, volume, open.
WORDS = {
    "plain": ("date", "ticker", "close", "adj_close", "volume", "open"),
    "Yahoo": ("Date", "Symbol", "Close", "Adj Close", "Volume", "Open"),
    "tidyquant": ("date", "symbol", "close", "adjusted", "volume", "open"),
    "Tiingo": ("date", "ticker", "close", "adjClose", "volume", "open"),
    "EODHD": ("Date", "Code", "Close", "Adjusted_close", "Volume", "Open"),
    "Sharadar": ("date", "ticker", "closeunadj", "closeadj", "volume", "open"),
    "Compustat": ("datadate", "tic", "prccd", "adj_prccd", "cshtrd", "prcod"),
    "OptionMetrics": ("date", "secid", "close", "adj_price", "volume", "open"),
    "Bloomberg": ("Dates", "Security", "PX_LAST", "PX_LAST_ADJ", "PX_VOLUME", "PX_OPEN"),
    "Refinitiv": ("Exchange Date", "Instrument", "Close", "Adjusted Close", "Volume", "Open"),
    "Tushare": ("trade_date", "ts_code", "close", "close_hfq", "vol", "open"),
    "Kaggle": ("Date", "Name", "Last", "Adj. Close", "Volume", "Open"),
    "capitals": ("TRADE_DATE", "STOCK", "CLOSE", "ADJCLOSE", "VOLUME", "OPEN"),
    "German": ("Datum", "Kürzel", "Schlusskurs", "Bereinigter Schlusskurs", "Volumen", "Eröffnung"),
    "German bank": ("Datum", "Wertpapier", "Schluss", "Schluss bereinigt", "Umsatz", "Erster"),
    "French": ("Date", "Symbole", "Clôture", "Clôture ajustée", "Volume", "Ouverture"),
    "Spanish": ("Fecha", "Símbolo", "Cierre", "Cierre ajustado", "Volumen", "Apertura"),
    "Portuguese": ("Data", "Código", "Fechamento", "Fechamento ajustado", "Volume", "Abertura"),
    "Italian": ("Data", "Simbolo", "Chiusura", "Chiusura rettificata", "Volume", "Apertura"),
    "Polish": ("Data", "Symbol", "Zamkniecie", "Zamkniecie skorygowane", "Wolumen", "Otwarcie"),
    "Dutch": ("Datum", "Aandeel", "Slotkoers", "Aangepaste slotkoers", "Volume", "Opening"),
    "Swedish": ("Datum", "Aktie", "Stängningskurs", "Justerad stängningskurs", "Volym", "Öppning"),
    "Turkish": ("Tarih", "Sembol", "Kapanış", "Düzeltilmiş kapanış", "Hacim", "Açılış"),
    "Russian": ("Дата", "Тикер", "Закрытие", "Скорр. закрытие", "Объём", "Открытие"),
    "Chinese": ("日期", "代码", "收盘", "复权收盘", "成交量", "开盘"),
    "Japanese": ("日付", "銘柄コード", "終値", "調整後終値", "出来高", "始値"),
    "Korean": ("날짜", "종목코드", "종가", "수정종가", "거래량", "시가"),
}
ADJUSTED = """adj|Adj.|AdjPrc|px_adj|adj_last|close_hfq|total_return|AdjClose|adjusted close|Adj_Close|adjustedClose|CloseAdj
Close (adjusted)|Adj Close**|Last Adjusted|bereinigt|ajusté|ajustado|korrigiert|后复权|調整後終値|수정주가|TRI|return_index|Settle Adj
justerad|adj_factor_close|close_split_div_adj""".replace("\n", "|").split("|")
TIMING = "timing time session when announcement_time anntims hour amc_bmo release Zeitpunkt reported".split()  # noqa: SIM905
AFTER = "AMC|amc|after hours|After market close|post-market|nachbörslich|clock".split("|")  # noqa: SIM905
BEFORE = "BMO|bmo|before open|pre-market|vorbörslich|clock".split("|")  # noqa: SIM905
EVENT_COLUMNS = [("symbol", "date"), ("Symbol", "event_date"), ("tic", "rdq"), ("Name", "Datum"), ("code", "announcement_date"), ("Ticker", "Date")]  # fmt: skip
TICKERS = {"letters": "ABC QRS KLM IDX", "suffix": "BRK-B 7203.T MC.PA ^IDX", "digits": "005930 000660 600519 998407"}

FILE_WAYS = ("source='x.csv'", "'x.csv' alone", "semicolons", "tabs", "study file")
TABLE_WAYS = ("source=table", "table alone", "parquet", "polars")
WIDE_WAYS = ("from_frame", "returns", "polars returns")
SEVERAL_WAYS = ("files", "dict of files", "dict of series", "list of tables")
TEXT_WAYS = (*FILE_WAYS, "files", "dict of files")
MOMENTS = ("local midnights", "midnights in UTC", "naive midnights in UTC", "openings in UTC", "local closings", "closings in UTC", "naive local closings")  # fmt: skip
NATIONAL = {"27.01.2025": "%d.%m.%Y", "31/10/2024": "%d/%m/%Y", "10/31/2024": "%m/%d/%Y", "27-Jan-2025": "%d-%b-%Y", "27-January-2025": "%d-%B-%Y",
            "20250127": "%Y%m%d", "2025/1/7": "%Y/%-m/%-d", "2025年1月27日": "%Y年%-m月%-d日"}  # fmt: skip
TWO_HEADERS = ("two headers", "two headers, tickers above")
NEVER_FACTORS = ("weekly", "gross", "cumulated", "weekly interpolated")
NAMED = ("long", "one share each")  # the layouts whose columns have words of their own
SPREAD = ("weekly benchmark interpolated", "monthly benchmark interpolated", "weekly firm interpolated")
MISSING = ("few rows missing", "a tenth missing", "a third missing")
NO_DAY_0 = ("event day of the firm", "event day of the benchmark")


# --- the parts of an input: for each its values, given those chosen before; the first is the ordinary one ---------------------------


def _layouts(spec: Spec) -> tuple[str, ...]:
    way = spec["way"]
    if way in WIDE_WAYS:
        return ("wide",)
    if way in SEVERAL_WAYS:
        return ("one share each",)
    if way == "run(download)":
        return TWO_HEADERS
    mangled = ("mangled", "mangled, no tickers") if way != "polars" else ()
    return ("long", "wide", *mangled, *(TWO_HEADERS if way not in {"polars", "parquet"} else ()))


def _dates(spec: Spec) -> tuple[str, ...]:
    moments = MOMENTS if spec["exchange"] != "24/7" else ("local midnights", "closings in UTC")
    if spec["way"] in TEXT_WAYS or spec["layout"].startswith("mangled"):
        return ("days", *moments, *NATIONAL, "Excel serial")
    if spec["way"] in WIDE_WAYS or spec["layout"] in TWO_HEADERS:
        return ("days", *moments, "ISO text", "text with offset")
    return ("days", *moments, "date objects", "ISO text", "text with offset", *NATIONAL, "Excel serial")


def _words(spec: Spec) -> tuple[str, ...]:
    if spec["layout"] not in NAMED:
        return ("Yahoo",)
    return tuple(WORDS) if spec["way"] != "dict of series" else ("plain",)


def _adjusted(spec: Spec) -> tuple[str, ...]:
    if spec["layout"] == "wide" or spec["way"] == "dict of series":
        return ("one close",)
    return (
        ("one close", "beside raw", "beside raw, odd name") if spec["layout"] in NAMED else ("one close", "beside raw")
    )


def _holes(spec: Spec) -> tuple[str, ...]:
    holes = ["none", "estimation days", *NO_DAY_0, "contradicting rows", "repeated rows"]
    holes += ["early history"] if spec["dates"] not in MOMENTS[3:] else []
    if (
        spec["way"] in WIDE_WAYS
        or spec["way"] == "dict of series"
        or spec["layout"] not in {"long", "wide", "one share each"}
    ):
        return tuple(holes)
    holes += ["empty rows", "empty columns"] + (["dividend rows"] if spec["layout"] != "wide" else [])
    return (*holes, *(("short rows", "footer", "title lines", "sep= line") if spec["way"] in TEXT_WAYS else ()))


def _frequencies(spec: Spec) -> tuple[str, ...]:
    filled: tuple[str, ...] = SPREAD
    if spec["exchange"] != "24/7" and spec["dates"] not in MOMENTS[3:]:
        filled += ("weekends filled", "weekends interpolated", "holidays interpolated")
    if spec["calendar"] != "None":  # which takes the rows as they are
        filled += MISSING
    if spec["dates"] in {"days", "ISO text", "date objects", "Excel serial"}:
        filled += ("days and months swapped",)
    if "returns" in spec["way"]:
        filled += ("cumulative returns",)
    return (
        ("daily", "weekly", "monthly", "weekly rows first", "weekly benchmark", *filled)
        if spec["hole"] == "none"
        else ("daily",)
    )


def _events(spec: Spec) -> tuple[str, ...]:
    tables = ("table", "table, other names", "table, before the open", "table, national dates", "table, moments")
    days = ("day", "date object", "Timestamp", "local midnight", "midnight in UTC", "closed day", "in the morning")
    if spec["exchange"] != "24/7":
        tables += ("table, after the close",)
        days += ("before the close", "after the close", "after the close, in UTC", "before the open, zone's name")
    return tables if spec["way"] == "study file" else (*days, *tables)


def _factors(spec: Spec) -> tuple[str, ...]:
    plain = (
        spec["hole"] == "none" and spec["frequency"] == "daily" and spec["way"] not in {"study file", "run(download)"}
    )
    return (
        ("none", "capm", "per cent, French names", "weekly", "local midnights", "midnights in UTC", *NEVER_FACTORS[1:])
        if plain
        else ("none",)
    )


PARTS: dict[str, Callable[[Spec], Sequence[str]]] = {
    "exchange": lambda _: EXCHANGES,
    "way": lambda _: (*FILE_WAYS, *TABLE_WAYS, *WIDE_WAYS, *SEVERAL_WAYS, "run(download)"),
    "calendar": lambda _: ("own", "left out", "None"),
    "layout": _layouts,
    "tickers": lambda _: tuple(TICKERS),
    "dates": _dates,
    "words": _words,
    "adjusted": _adjusted,
    "order": lambda _: ("sorted", "reversed", "shuffled"),
    "hole": _holes,
    "frequency": _frequencies,
    "event": _events,
    "factors": _factors,
}


def draw(rng: np.random.Generator) -> Spec:
    """Return one combination: any exchange, any way in, and up to four other parts that are not the ordinary ones."""
    odd = rng.choice(list(PARTS)[2:], int(rng.integers(0, 5)), replace=False)
    spec: Spec = {}
    for part, allowed in PARTS.items():
        values = allowed(spec)
        spec[part] = values[int(rng.integers(len(values)))] if part in {"exchange", "way", *odd} else values[0]
    return spec


def unusual(spec: Spec) -> list[str]:
    """Return the parts of a combination that are not the ordinary ones."""
    return [f"{part}: {value}" for part, value in spec.items() if value != PARTS[part](spec)[0]]


# --- the market, and what is right -------------------------------------------------------------------------------------------------


@cache
def exchange(code: str) -> tuple[pd.DatetimeIndex, pd.Series, pd.Series, str]:
    """Return an exchange's sessions, its opening and closing moments (UTC), and its zone.

    exchange_calendars cannot build Tel Aviv with every pandas: its days here are Sunday to Thursday but for some made-up holidays.
    """
    if code == "XTAE":
        days = pd.date_range("2012-01-02", "2025-10-31")
        days = days[(days.day_of_week != 4) & (days.day_of_week != 5) & (days.day_of_year % 37 != 0)]
        local = days.tz_localize("Asia/Jerusalem", nonexistent="shift_forward")
        opens, closes = (pd.Series((local + pd.Timedelta(hours=h)).tz_convert("UTC"), index=days) for h in (10, 17.25))
        return days, opens, closes, "Asia/Jerusalem"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what newer pandas say of exchange_calendars
        known = exchange_calendars.get_calendar(code)
    days = known.sessions[(known.sessions >= "2012-01-02") & (known.sessions <= "2025-10-31")]
    closes = known.closes - pd.Timedelta(seconds=1) if code == "24/7" else known.closes
    return days, known.opens[days], closes[days], str(known.tz)


@dataclass
class Market:
    """Closes of one to three firms and an index; the first firm has news on day ``at``, and pays 2 % that day."""

    days: pd.DatetimeIndex
    at: int
    adjusted: pd.DataFrame
    raw: pd.DataFrame
    factors: pd.DataFrame
    estimation: tuple[int, int]

    @property
    def news(self) -> pd.Timestamp:
        """The session of the news."""
        return self.days[self.at]


def make_market(spec: Spec, rng: np.random.Generator) -> Market:
    """Return a market for a combination."""
    sessions = exchange(spec["exchange"])[0]
    slow = spec["frequency"] in {"weekly", "monthly"}
    length = 1150 if slow else int(rng.integers(160, 320))
    first = int(rng.integers(0, len(sessions) - length))
    days, at = sessions[first : first + length], length - int(rng.integers(8, 30))
    while spec["event"] == "closed day" and spec["exchange"] != "24/7" and (days[at] - days[at - 1]).days == 1:
        at -= 1
    names = TICKERS[spec["tickers"]].split()
    names = [*names[: int(rng.integers(1, 4))], names[-1]]
    index = rng.normal(0.0003, 0.01, length)
    returns = np.outer(index, [*rng.uniform(0.6, 1.5, len(names) - 1), 1.0])
    returns[:, :-1] += rng.normal(0, 0.006, (length, len(names) - 1))
    returns[at, 0] += rng.choice([-0.12, 0.10, 0.14])
    adjusted = pd.DataFrame(
        rng.uniform(20, 900, len(names)) * np.cumprod(1 + returns, axis=0), index=days, columns=names
    )
    raw = adjusted.copy()
    raw.iloc[:at, 0] /= 0.98
    factors = pd.DataFrame({"mkt_rf": index - 0.0001 + rng.normal(0, 0.001, length), "rf": 0.0001}, index=days)
    return Market(days, at, adjusted.round(4), raw.round(4), factors, (-45, -6) if slow else (-100, -11))


def truth(closes: pd.DataFrame, market: Market, spec: Spec, shift: int = 0) -> np.ndarray:
    """Return the abnormal returns of days -2 to 2 around ``at + shift``, by least squares on the figures as they stand."""
    returns = (closes / closes.shift(1) - 1).to_numpy()
    y, x = returns[:, 0], returns[:, -1]
    if spec["factors"] != "none":
        x, y = market.factors["mkt_rf"].to_numpy(), y - market.factors["rf"].to_numpy()
    at = market.at + shift
    used = np.arange(at + market.estimation[0], at + market.estimation[1] + 1)
    used = used[np.isfinite(y[used]) & np.isfinite(x[used])]
    alpha, beta = np.linalg.lstsq(np.column_stack([np.ones(len(used)), x[used]]), y[used], rcond=None)[0]
    return y[at - 2 : at + 3] - alpha - beta * x[at - 2 : at + 3]


# --- writing it down ---------------------------------------------------------------------------------------------------------------


def stamps(days: pd.DatetimeIndex, form: str, code: str, as_text: bool = False) -> list[object]:
    """Return days in one of the forms of dates."""
    _, opens, closes, zone = exchange(code)
    if form in NATIONAL:
        return [day.strftime(NATIONAL[form]) for day in days]
    if form == "Excel serial":
        return [(day - pd.Timestamp("1899-12-30")).days for day in days]
    if form == "date objects":
        return [day.date() for day in days]
    if form == "ISO text" or (form == "days" and as_text):
        return [f"{day:%Y-%m-%d}" for day in days]
    if form == "days":
        return list(days)
    moments = opens.reindex(days) if "opening" in form else closes.reindex(days)
    local = pd.DatetimeIndex(moments).tz_convert(zone)
    if "midnight" in form or form == "text with offset":
        local = days.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    cells = local.tz_convert("UTC") if "UTC" in form else local
    cells = cells.tz_localize(None) if "naive" in form else cells
    return [cell.isoformat(sep=" ") for cell in cells] if as_text or form == "text with offset" else list(cells)


@dataclass
class Case:
    """One input: how it is handed over, and what is right."""

    spec: Spec
    market: Market
    closes: pd.DataFrame  # the adjusted closes, holes and all
    call: str = ""
    shown: str = ""
    column: str = ""  # the adjusted closes' name
    timing: str = ""  # the name of an event table's column of times
    run: Callable[[], tuple[object, es.EventStudyResult]] | None = None


def thinned(table: pd.DataFrame, spec: Spec, market: Market, rows: np.ndarray) -> pd.DataFrame:  # noqa: PLR0911
    """Return closes with the holes and the frequency of a combination; ``rows`` are estimation days that may be missing."""
    table, days, at = table.copy(), market.days, market.at
    column = -1 if spec["hole"] == "event day of the benchmark" else 0
    if spec["hole"] in {*NO_DAY_0, "estimation days"}:
        table.iloc[rows if spec["hole"] == "estimation days" else at, column] = np.nan
    if spec["frequency"] == "daily":
        return table
    if spec["frequency"] == "weekends filled":
        return table.reindex(pd.date_range(days[0], days[-1])).ffill()
    if spec["frequency"] == "weekends interpolated":
        return table.reindex(pd.date_range(days[0], days[-1])).interpolate()
    if spec["frequency"] == "holidays interpolated":
        week = np.unique(days.day_of_week)
        every = pd.date_range(days[0], days[-1])
        return table.reindex(every[every.day_of_week.isin(week) | every.isin(days)]).interpolate()
    if spec["frequency"] in SPREAD:
        rule = "ME" if "monthly" in spec["frequency"] else "W-FRI"
        column = table.columns[0 if "firm" in spec["frequency"] else -1]
        slow = table[column].resample(rule).last().resample("D").interpolate().reindex(days)
        return table.assign(**{column: slow.fillna(table[column])})
    if spec["frequency"] in MISSING:
        share = {"few rows missing": 0.02, "a tenth missing": 0.1, "a third missing": 0.33}[spec["frequency"]]
        gone = np.random.default_rng(at).random(len(days)) < share  # the same rows of raw and adjusted closes
        gone[max(at - 4, 0) :] = gone[0] = False
        table.iloc[gone] = np.nan
        return table
    if spec["frequency"] in {"days and months swapped", "cumulative returns"}:
        return table
    period = days.to_period("M" if spec["frequency"] == "monthly" else "W-SUN")
    last = np.append(period[1:] != period[:-1], True)
    if spec["frequency"] == "weekly benchmark":
        table.iloc[~last, -1] = np.nan
        return table
    return table[last | (np.arange(len(days)) > at - 40)] if spec["frequency"] == "weekly rows first" else table[last]


def swapped(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return a table whose days up to the 12th have day and month changed over, if the combination says so."""
    if spec["frequency"] != "days and months swapped":
        return table
    days = [pd.Timestamp(d.year, d.day, d.month) if d.day <= 12 else d for d in pd.DatetimeIndex(table.index)]
    return table.set_axis(pd.DatetimeIndex(days))


def with_rows(
    table: pd.DataFrame, spec: Spec, market: Market, prices: list[object], rng: np.random.Generator
) -> pd.DataFrame:
    """Return a table by day with early, repeated or contradicting rows; ``prices`` are the columns that contradict."""
    if spec["hole"] == "early history":
        early = pd.DataFrame([table.iloc[0]] * 60, index=pd.bdate_range("1965-01-04", periods=60))
        return pd.concat([early * np.cumprod(1 + rng.normal(0, 0.01, (60, 1)), axis=0).round(2), table])
    if spec["hole"] == "repeated rows":
        return pd.concat([table, table.iloc[[5, 60, -3]]]).sort_index(kind="stable")
    if spec["hole"] == "contradicting rows" and prices:
        other = table.loc[[market.news]].copy()
        other[prices] *= 1.07
        return pd.concat([table, other]).sort_index(kind="stable")
    return table


def make_tables(case: Case, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Return what is written down: one table, or one a ticker. The index holds the days, not yet in their form."""
    spec, market = case.spec, case.market
    rows = rng.choice(np.arange(market.at - 90, market.at - 20), 2, replace=False)
    adjusted, raw = (thinned(table, spec, market, rows) for table in (market.adjusted, market.raw))
    case.closes, firm = adjusted, adjusted.columns[0]
    shares = pd.DataFrame(rng.integers(10_000, 900_000, adjusted.shape), index=adjusted.index, columns=adjusted.columns)
    _, ticker, close, name, volume, opening = WORDS[spec["words"]]
    case.column = name = str(rng.choice(ADJUSTED)) if spec["adjusted"] == "beside raw, odd name" else name
    one_close = spec["adjusted"] == "one close"
    fields = {close: adjusted, volume: shares} if one_close else {close: raw, name: adjusted, volume: shares}
    closes = [close] if one_close else [close, name]

    def ordered(table: pd.DataFrame) -> pd.DataFrame:
        rows = np.arange(len(table))
        return table.iloc[{"reversed": rows[::-1], "shuffled": rng.permutation(rows)}.get(spec["order"], rows)]

    if spec["layout"] == "wide":
        wide = adjusted.pct_change(fill_method=None).iloc[1:] if "returns" in spec["way"] else adjusted
        if spec["frequency"] in MISSING:
            wide = wide[adjusted.notna().any(axis=1).reindex(wide.index)].dropna(how="all")
        if spec["frequency"] == "cumulative returns":
            wide = (adjusted / adjusted.iloc[0] - 1).iloc[1:]
        wide = swapped(wide, spec)
        return {"x": ordered(with_rows(wide, spec, market, [firm], rng))}
    if spec["layout"] in NAMED:
        singles = {}
        for share in adjusted.columns:
            first = {opening: fields[close][share].shift(1).bfill()}
            table = pd.DataFrame(first | {field: values[share] for field, values in fields.items()})
            table = swapped(table.dropna(subset=[close]), spec)
            table = with_rows(table, spec, market, closes if share == firm else [], rng)
            if spec["hole"] == "dividend rows" and share == firm:
                table = pd.concat([table, table.loc[[market.news]] * np.nan]).sort_index(kind="stable")
            singles[share] = table.astype({volume: "float64"}).round({volume: 0}).astype({volume: "Int64"})
        if spec["layout"] == "one share each":
            return {share: ordered(table) for share, table in singles.items()}
        long = pd.concat([table.assign(**{ticker: share}) for share, table in singles.items()]).sort_index(
            kind="stable"
        )
        return {"x": ordered(long[[ticker, *long.columns.drop(ticker)]])}
    both = pd.concat(fields, axis=1, names=["Price", "Ticker"]).sort_index(axis=1)
    both = swapped(both[both[close].notna().any(axis=1)] if spec["frequency"] in MISSING else both, spec)
    both = ordered(with_rows(both, spec, market, [(field, firm) for field in closes], rng))
    return {"x": both.swaplevel(axis=1).sort_index(axis=1) if "above" in spec["layout"] else both}


def dated(table: pd.DataFrame, spec: Spec, as_text: bool = False) -> pd.DataFrame:
    """Return a table whose first column holds the dates in their form."""
    out = table.reset_index(drop=True)
    out.insert(
        0, WORDS[spec["words"]][0], stamps(pd.DatetimeIndex(table.index), spec["dates"], spec["exchange"], as_text)
    )
    if spec["hole"] == "empty columns":
        out[["Unnamed: 9", "Unnamed: 10"]] = np.nan
    return out.reindex(range(len(out) + 2)) if spec["hole"] == "empty rows" else out


def as_text(table: pd.DataFrame, spec: Spec) -> str:
    """Return a table as the text of a file."""
    mark, decimal = {"semicolons": (";", ","), "tabs": ("\t", ".")}.get(spec["way"], (",", "."))
    if table.columns.nlevels == 2:
        index = stamps(pd.DatetimeIndex(table.index), spec["dates"], spec["exchange"], as_text=True)
        lines = table.set_axis(pd.Index(index, name="Date")).to_csv(sep=mark, decimal=decimal).splitlines()
        if "mangled" in spec["layout"]:  # as pandas names the columns of the first header row
            words = lines[0].split(mark)
            lines[0] = mark.join(w if k == words.index(w) else f"{w}.{k - words.index(w)}" for k, w in enumerate(words))
        if spec["layout"] == "mangled, no tickers":
            lines[:3] = [lines[0].replace("Price", "Date", 1)]
        return "\n".join(lines) + "\n"
    lines = dated(table, spec, as_text=True).to_csv(index=False, sep=mark, decimal=decimal).splitlines()
    match spec["hole"]:
        case "empty columns":
            lines[0] = lines[0].replace("Unnamed: 9", "").replace("Unnamed: 10", "")
        case "short rows" if spec["layout"] != "wide":  # the volume, which stands last, and the mark before it
            lines[2:20] = [line.rpartition(mark)[0] for line in lines[2:20]]
        case "footer":
            lines.append('"Downloaded on 2025-11-02 from a vendor"')
        case "title lines":
            lines[:0] = ["Quotes of a vendor", ""]
        case "sep= line":
            lines.insert(0, f"sep={mark}")
    return "\n".join(lines) + "\n"


def make_events(case: Case, rng: np.random.Generator) -> object:
    """Return the event in one of its forms, a date or a table; in all of them it belongs to the session of the news."""
    code, market, kind = case.spec["exchange"], case.market, case.spec["event"]
    _, _, closes, zone = exchange(code)
    day, before = market.news, market.days[market.at - 1]
    close = closes[day].tz_convert(zone)
    late = closes[before].tz_convert(zone) + pd.Timedelta(minutes=int(rng.integers(20, 120)))
    midnight = day.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    firm, text = market.adjusted.columns[0], f"{day:%Y-%m-%d}"
    dates: dict[str, object] = {
        "day": text,
        "date object": day.date(),
        "Timestamp": day,
        "local midnight": midnight,
        "midnight in UTC": day.tz_localize("UTC"),
        "closed day": f"{day - pd.Timedelta(days=int((day - before).days > 1)):%Y-%m-%d}",
        "in the morning": midnight + pd.Timedelta(hours=10.5),
        "before the close": (close - pd.Timedelta(minutes=20)).to_pydatetime(),
        "after the close": late.isoformat(sep=" ", timespec="minutes"),
        "after the close, in UTC": f"{late.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}",
        "before the open, zone's name": f"{text} 07:15 {zone}",
    }
    if kind in dates:
        case.call += f"; Event({firm!r}, {dates[kind]!r})"
        return dates[kind]
    columns, date, more = ("ticker", "date"), text, {}
    match kind:
        case "table, other names":
            columns = EVENT_COLUMNS[int(rng.integers(len(EVENT_COLUMNS)))]
        case "table, national dates":
            form = str(rng.choice(["27.01.2025", "27-Jan-2025", "20250127", "2025/1/7"]))
            date = str(stamps(market.days[[market.at]], form, code)[0])
        case "table, moments":
            date = (midnight + pd.Timedelta(hours=10.5)).isoformat(sep=" ")
        case "table, after the close" | "table, before the open":
            after = "after" in kind
            case.timing, word = str(rng.choice(TIMING)), str(rng.choice(AFTER if after else BEFORE))
            date = f"{before:%Y-%m-%d}" if after else text
            more = {case.timing: word if word != "clock" else f"{late:%H:%M}" if after else "07:15"}
    table = pd.DataFrame([{columns[0]: firm, columns[1]: date, **more}])
    case.call += f"; events {table.to_dict('records')}"
    return table


def make_factors(spec: Spec, market: Market) -> pd.DataFrame:
    """Return the factors in one of their forms."""
    table, period = market.factors, market.days.to_period("W-SUN")
    if spec["factors"] == "weekly":
        last = np.append(period[1:] != period[:-1], True)
        weeks = ((1 + table).groupby(period).prod() - 1).set_axis(market.days[last])
        return pd.concat([weeks.drop(market.news, errors="ignore"), table.loc[[market.news]]]).sort_index()
    if spec["factors"] in NEVER_FACTORS:
        moves = table[["mkt_rf"]]
        if spec["factors"] == "gross":
            return table.assign(mkt_rf=1 + moves)
        levels = (1 + moves).cumprod()
        if spec["factors"] == "cumulated":
            return table.assign(mkt_rf=levels - 1)
        slow = levels.resample("W-FRI").last().resample("D").interpolate().reindex(market.days)
        return table.assign(mkt_rf=slow.pct_change(fill_method=None)).dropna()
    if "midnights" in spec["factors"]:
        return table.set_axis(pd.DatetimeIndex(stamps(market.days, spec["factors"], spec["exchange"])))
    return (table * 100).set_axis(["Mkt-RF", "RF"], axis=1) if "per cent" in spec["factors"] else table


def hand_over(case: Case, tables: dict[str, pd.DataFrame], folder: Path) -> object:  # noqa: C901, PLR0911, PLR0912
    """Write what is to be written; return what is to be called, or the table that is handed to `run`."""
    spec, way = case.spec, case.spec["way"]
    x, texts = next(iter(tables.values())), {}
    if way in TEXT_WAYS or "mangled" in spec["layout"]:
        texts = {name: as_text(table, spec) for name, table in tables.items()}
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        lines = next(iter(texts.values())).splitlines()
        case.shown = "\n".join([*lines[:5], "...", *lines[-2:]])
    paths = {name: str(folder / f"{name}.csv") for name in tables}
    index = pd.Index(stamps(pd.DatetimeIndex(x.index), spec["dates"], spec["exchange"]), name="Date")
    by_index = way in {"from_frame", "returns", "run(download)"} or spec["layout"] in TWO_HEADERS
    if "mangled" in spec["layout"]:
        table = x if way in TEXT_WAYS else pd.read_csv(folder / "x.csv")
    else:
        table = x.set_axis(index) if by_index else dated(x, spec)
    near = np.arange(case.market.at - 2, case.market.at + 2) % len(table)
    case.shown = case.shown or table.iloc[near].to_string(max_cols=7)
    case.call = f"{way}"
    match way:
        case "'x.csv' alone":
            return lambda: es.load_prices(paths["x"])
        case "files":
            return lambda: es.load_prices(source=list(paths.values()))
        case "dict of files":
            return lambda: es.load_prices(source=paths)
        case "dict of series":
            series = {name: dated(t, spec).set_index("date")["close"] for name, t in tables.items()}
            return lambda: es.load_prices(series)
        case "list of tables":
            named = [dated(t, spec).assign(**{WORDS[spec["words"]][1]: name}) for name, t in tables.items()]
            return lambda: es.load_prices(named)
        case "parquet":
            table.to_parquet(folder / "x.parquet")
            return lambda: es.load_prices(source=str(folder / "x.parquet"))
        case "polars" | "polars returns":
            frame = __import__("polars").from_pandas(table)
            return frame if way == "polars returns" else lambda: es.load_prices(source=frame)
        case "from_frame":
            return lambda: es.Prices.from_frame(table)
        case "returns" | "run(download)":
            return table
        case "table alone":
            return lambda: es.load_prices(table)
        case "source=table":
            return lambda: es.load_prices(source=table)
    return lambda: es.load_prices(source=paths["x"])


def make_case(spec: Spec, seed: tuple[int, int], folder: Path) -> Case:
    """Return one input, written into a folder where it is a file."""
    rng = np.random.default_rng(seed)
    market = make_market(spec, rng)
    case = Case(spec, market, market.adjusted)
    given = hand_over(case, make_tables(case, rng), folder)
    events, factors = make_events(case, rng), make_factors(spec, market)
    case.call += f"; calendar {spec['calendar']}; factors {spec['factors']}"
    firm, index = market.adjusted.columns[0], market.adjusted.columns[-1]
    calendar = {"own": {"calendar": spec["exchange"]}, "None": {"calendar": None}}.get(spec["calendar"], {})
    first, last = market.estimation
    if spec["way"] == "study file":
        assert isinstance(events, pd.DataFrame)
        events.to_csv(folder / "events.csv", index=False)
        setting = f'calendar = "{spec["exchange"]}"\n' if spec["calendar"] == "own" else ""
        model = f'kind = "market_model"\nbenchmark = "{index}"\nestimation = [{first}, {last}]\nwindow = [-2, 2]\nreport = [[0, 0]]\n{setting}'
        text = f'title = "A"\nevent = "news"\nevents = "events.csv"\n[prices]\nsource = "x.csv"\n[model]\n{model}'
        (folder / "study.toml").write_text(text, encoding="utf-8")

    def run() -> tuple[object, es.EventStudyResult]:
        if spec["way"] == "study file":
            study_file = es.load_study(folder)
            return study_file.load_prices(), study_file.run()
        none = spec["factors"] == "none"
        model = es.MarketModel(index) if none else es.FactorModel(["mkt_rf"], risk_free="rf")
        study = es.EventStudy(model=model, estimation=market.estimation, window=(-2, 2), **calendar)
        data = given() if callable(given) else given
        happened = events if isinstance(events, pd.DataFrame) else [es.Event(firm, events)]
        return data, study.run(data, happened, None if none else factors)

    case.run = run
    return case


# --- judging -----------------------------------------------------------------------------------------------------------------------

#: What a caution must speak of to have named a cause; a column or a ticker is named by its name.
CAUSES = {
    "the day": r"UTC|time zone|midnight|Sunday|Saturday|weekend|not sessions|no session|extra.days|closing time",
    "the frequency": r"week|month|Sunday|Saturday|not daily|days? apart|filled|sessions? (are )?missing|missing.sessions|was closed|interpolated",
    "no day 0": r"event day|day 0|no price on|no return on",
    "contradicting rows": r"different|contradict|more than once|twice|duplicate|repeat|two rows",
    "the factors": r"factor",
    "missing rows": r"missing.sessions|rows are missing|no (price|return) at all|are not among them|benchmark_holes|missing_prices",
}


@dataclass(frozen=True)
class Verdict:
    """What became of an input."""

    outcome: str
    cause: str = ""
    detail: str = ""


def judge(case: Case) -> Verdict:
    """Run an input and hold what comes out against what is right."""
    assert case.run is not None
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            data, result = case.run()
        prices = data if isinstance(data, es.Prices) else None
        wrong = what_is_wrong(case, prices, result)
    except es.errors.EventStudyError as error:
        return Verdict("refused" if str(error).strip() else "CRASH", "", str(error))
    except Exception as error:  # the very thing that must not happen
        return Verdict("CRASH", type(error).__name__, str(error)[:300])
    if wrong is None:
        return Verdict("right")
    cause, detail = wrong
    said = [str(w.message) for w in heard if not issubclass(w.category, DeprecationWarning)]
    said += list(prices.provenance.cautions) if prices else []
    said += [
        f"{c.name}: {c.value if c.name == 'Exchange' else ''} {c.comment}"
        for c in result.checks
        if not c.passed and c.name != "No drift before the event"
    ]
    column = {"raw closes": case.column, "the day": case.timing}.get(cause, "")
    patterns = [rf"\bcolumns?\b[^.]*(?<!\w){re.escape(column)}(?!\w)"] if column else [CAUSES.get(cause, "(?!)")]
    if cause == "tickers lost":
        patterns = [
            rf"(?<!\w){re.escape(name)}(?!\w)"
            for name in {*case.closes.columns} - {*(prices.tickers if prices else ())}
        ]
    told = all(any(re.search(pattern, sentence) for sentence in said) for pattern in patterns)
    return Verdict(
        "told" if told else "SILENTLY WRONG", cause, f"{detail}; said: {' | '.join(said)[:300] or 'nothing'}"
    )


def what_is_wrong(case: Case, prices: es.Prices | None, result: es.EventStudyResult) -> tuple[str, str] | None:  # noqa: C901, PLR0911
    """Return cause and detail of what is wrong with a result, or None."""
    spec, market = case.spec, case.market
    if prices is not None and {*prices.tickers} != {*case.closes.columns} and spec["way"] != "study file":
        return "tickers lost", f"tickers {prices.tickers}, right {tuple(case.closes.columns)}"
    got, day = result.ar.iloc[0].to_numpy(float), f"{market.news:%Y-%m-%d}"
    session = str(result.audit["session"].iloc[0])[:10]
    detail = f"session {session}, AR(-2..2) {np.round(got, 4).tolist()}"
    if spec["frequency"] == "weekends filled" and np.allclose(got, truth(market.adjusted, market, spec), atol=2e-6):
        return None  # the days without a session were left out
    if "interpolated" in spec["frequency"] and np.allclose(got, truth(market.adjusted, market, spec), atol=2e-6):
        return None
    if spec["frequency"] in MISSING:
        right = truth(case.closes, market, spec)
        return (
            None if np.allclose(got, right, atol=2e-6, equal_nan=True) else ("missing rows", f"{detail}; right {right}")
        )
    never_factors = spec["factors"] in NEVER_FACTORS
    for cause, never in (("the frequency", spec["frequency"] != "daily"), ("the factors", never_factors)):
        if never:
            return cause, f"{detail}; right: no daily study of such rows"
    if spec["hole"] == "contradicting rows":
        return "contradicting rows", f"{detail}; right: two figures on {day}, neither of which can be chosen"
    right = truth(case.closes, market, spec)
    detail += f"; right: session {day}, AR {np.round(right, 4).tolist()}"
    if spec["hole"] in NO_DAY_0 and session == day:
        return ("no day 0", detail) if bool(result.audit["kept"].iloc[0]) else None
    if session == day and np.allclose(got, right, atol=2e-6, equal_nan=True):
        return None
    elsewhere = np.flatnonzero(np.abs(got) > 0.08).tolist() not in ([2], [])
    shifted = [np.allclose(got[1:4], truth(case.closes, market, spec, k)[1:4], atol=2e-3) for k in (-1, 1)]
    if session != day or elsewhere or any(shifted):
        return "the day", detail
    if spec["adjusted"].startswith("beside") and np.allclose(got, truth(market.raw, market, spec), atol=2e-6):
        return "raw closes", f"{detail}; column {case.column!r}"
    return "the factors" if spec["factors"] != "none" else "the numbers", detail


def judge_spec(spec: Spec, seed: tuple[int, int], folder: Path) -> tuple[Case, Verdict]:
    """Make an input in an empty folder and judge it."""
    for path in folder.iterdir():
        path.unlink()
    case = make_case(spec, seed, folder)
    return case, judge(case)


def reduced(spec: Spec, seed: tuple[int, int], folder: Path, verdict: Verdict) -> Spec:
    """Return a combination with as many parts ordinary as leave outcome and cause as they are."""
    for part in PARTS:
        trial = spec | {part: PARTS[part](spec)[0]}
        if trial != spec and all(trial[p] in allowed(trial) for p, allowed in PARTS.items()):
            again = judge_spec(trial, seed, folder)[1]
            spec = trial if (again.outcome, again.cause) == (verdict.outcome, verdict.cause) else spec
    return spec


@dataclass
class Drive:
    """What became of all inputs."""

    specs: list[Spec] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def failures(self) -> list[int]:
        """Numbers of the inputs that are silently wrong or crash."""
        return [k for k, v in enumerate(self.verdicts) if v.outcome in {"SILENTLY WRONG", "CRASH"}]

    @property
    def refused_though_ordinary(self) -> list[int]:
        """Numbers of the refused inputs that are ordinary but for the exchange and the way in."""
        ordinary = [all(u.startswith(("exchange", "way")) for u in unusual(spec)) for spec in self.specs]
        return [k for k, v in enumerate(self.verdicts) if v.outcome == "refused" and ordinary[k]]


def spec_of(number: int, seed: int) -> Spec:
    """Return the combination of an input."""
    return draw(np.random.default_rng((seed, number)))


def drive(inputs: int, seed: int, folder: Path) -> Drive:
    """Judge a number of inputs; each depends on the seed and its own number only."""
    found = Drive()
    for number in range(inputs):
        found.specs.append(spec_of(number, seed))
        found.verdicts.append(judge_spec(found.specs[-1], (seed, number), folder)[1])
    return found


# --- the report --------------------------------------------------------------------------------------------------------------------

OUTCOMES = ("right", "refused", "told", "SILENTLY WRONG", "CRASH")


def show_counts(found: Drive) -> None:
    """Print how each value of each part fared."""
    print(f"{'':40}" + "".join(f"{outcome:>16}" for outcome in OUTCOMES))
    for part in ("all", *PARTS):
        counts: dict[str, Counter[str]] = {}
        for spec, verdict in zip(found.specs, found.verdicts, strict=True):
            counts.setdefault(spec.get(part, ""), Counter())[verdict.outcome] += 1
        for value, row in sorted(counts.items()):
            print(f"{part:12}{value:28}" + "".join(f"{row[outcome]:16,}" for outcome in OUTCOMES))


def show_refusals(found: Drive) -> None:
    """Print the messages of refusals by frequency, figures and names taken out, and the refusals of ordinary inputs."""
    words = [
        re.sub(r"\d+", "0", re.sub(r"'[^']*'|\b[A-Z0-9.^-]{3,}\b", "…", v.detail))
        for v in found.verdicts
        if v.outcome == "refused"
    ]
    print("\nRefusals")
    for message, number in Counter(" ".join(w.split())[:200] for w in words).most_common(40):
        print(f"{number:5,}  {message}")
    print(f"\n{len(found.refused_though_ordinary)} refused though ordinary but for exchange and way in")
    for number in found.refused_though_ordinary[:25]:
        print(f"    --only {number} {unusual(found.specs[number])} {found.verdicts[number].detail[:160]}")


def show_failures(found: Drive, seed: int, folder: Path, most: int) -> None:
    """Print each kind of failure once, reduced to what it needs."""
    print("\nFailures")
    for (outcome, cause), number in Counter(
        (found.verdicts[k].outcome, found.verdicts[k].cause) for k in found.failures
    ).most_common():
        print(f"{number:5,}  {outcome}: {cause}")
    kinds: dict[tuple[str, str, frozenset[str]], list[int]] = {}
    for number in found.failures[:most]:
        verdict, odd = found.verdicts[number], set(unusual(found.specs[number]))
        known = [k for k in kinds if k[:2] == (verdict.outcome, verdict.cause) and k[2] <= odd]
        if known:  # it has all that an earlier one needed to fail in this way
            kinds[known[0]].append(number)
            continue
        small = reduced(found.specs[number], (seed, number), folder, verdict)
        kinds[verdict.outcome, verdict.cause, frozenset(unusual(small))] = [number]
        case, again = judge_spec(small, (seed, number), folder)
        print(f"\n{verdict.outcome}: {verdict.cause} {unusual(small)}  --only {number} --seed {seed}")
        print(f"    {case.call}\n    {again.detail}")
        print("\n".join(f"        {line[:150]}" for line in case.shown.splitlines()), flush=True)
    print(f"\nKinds among the first {min(most, len(found.failures))} failures, reduced")
    for (outcome, cause, odd), numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):5,}  {outcome}: {cause} {sorted(odd)} e.g. {numbers[:4]}")


def main(arguments: Sequence[str]) -> int:
    """Print the report; return 1 if an input is silently wrong or crashes."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("inputs", nargs="?", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20250127)
    parser.add_argument("--only", type=int, help="the number of one input, shown in full")
    parser.add_argument("--reduce", type=int, default=200, help="how many failures are reduced and shown")
    options = parser.parse_args(arguments)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only is not None:
            case, verdict = judge_spec(spec_of(options.only, options.seed), (options.seed, options.only), folder)
            print(case.spec, case.call, case.shown, f"{verdict.outcome}: {verdict.cause}", verdict.detail, sep="\n")
            return int(verdict.outcome in {"SILENTLY WRONG", "CRASH"})
        found = drive(options.inputs, options.seed, folder)
        spent = time.process_time() - begun
        show_counts(found)
        show_refusals(found)
        show_failures(found, options.seed, folder, options.reduce)
    print(
        f"\n{options.inputs:,} inputs, seed {options.seed}: {len(found.failures):,} silently wrong or crashed; {spent:.0f} s"
    )
    return int(bool(found.failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
