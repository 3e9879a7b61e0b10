"""One answer of Yahoo: what it must fulfil before it is taken over, and the download that it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy.files import parse_json
from eventstudy.prices.checks.days import carried_closes
from eventstudy.sources.yahoo.bars import (
    DELAY,
    LONG_GAP,
    Market,
    check_blocks,
    check_daily,
    check_numbers,
    list_days,
    read,
    scale_changes,
    unpaid_steps,
)
from eventstudy.sources.yahoo.failures import Refused
from eventstudy.wording import iso_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eventstudy.sources.yahoo.failures import Reply

COLUMNS = ("adj_close", "close", "volume")


@dataclass(frozen=True, eq=False)
class Download:
    """The daily figures of one ticker as Yahoo sent them, with what was seen in them and what the user accepted by name.

    ``market`` is Yahoo's name of an exchange without a calendar; empty if the days were compared with one.
    """

    ticker: str
    table: pd.DataFrame
    currency: str
    retrieved: str
    cautions: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    market: str = ""

    def csv(self) -> bytes:
        """Return the figures as CSV text, all digits kept."""
        return self.table.to_csv(lineterminator="\n", date_format="%Y-%m-%d").encode("utf-8")


#: Bars of so many sessions may come late; more that are missing at the end were no accident of the hour.
LATEST_SESSIONS = 2
#: The last trade of a session may come a little before its close.
QUIET_END = pd.Timedelta(minutes=15)


@dataclass(frozen=True)
class Request:
    """What is asked for: a symbol, the first and the last day (ISO format), at which moment, and which findings the user accepts.

    ``closed`` says that the last day is over everywhere, so that an answer for it is final.
    """

    ticker: str
    start: str
    end: str
    closed: bool
    now: pd.Timestamp
    accept: tuple[str, ...] = ()


@dataclass
class Notes:
    """Cautions, and the notes that only the user's word has made cautions."""

    request: Request
    cautions: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    def refuse_unless_accepted(self, kind: str, cause: str) -> None:
        """Refuse the answer, or note what the user has accepted."""
        if kind not in self.request.accept:
            raise Refused(kind, cause)
        self.accepted.append(kind)
        self.add(f"accepted as {kind}: {cause}")

    def add(self, text: str) -> None:
        """Add a caution."""
        self.cautions.append(f"{self.request.ticker}: {text}.")


def read_answer(
    request: Request, frame: pd.DataFrame, metadata: Mapping[str, object], replies: Sequence[Reply] = ()
) -> Download:
    """Check one ticker's answer and bring it to the form of a download."""
    notes, market = Notes(request), Market.of(metadata)
    _check_identity(request, metadata)
    currency = _currency(market, metadata, replies)
    bars = _bars(frame, request)
    _check_sent(bars, metadata, replies)
    check_numbers(bars)
    check_daily(bars)
    bars = _drop_unfinished(bars, market, metadata, notes)
    bars = _drop_closed_days(bars, market, notes)
    bars = _with_listed_splits(bars, replies, metadata)
    if bars.empty or bars["close"].isna().all():
        raise Refused("empty", "the answer holds no bars in this range")
    _check_sessions(bars, market, metadata, notes)
    check_blocks(bars)
    for kind, cause in (*scale_changes(bars), *unpaid_steps(bars)):
        notes.refuse_unless_accepted(kind, cause)
    return Download(
        ticker=request.ticker,
        table=bars[["adj_close", "close", "volume"]],
        currency=currency,
        retrieved=f"{pd.Timestamp.now('UTC'):%Y-%m-%dT%H:%M:%SZ}",
        cautions=tuple(notes.cautions),
        accepted=tuple(sorted(set(notes.accepted))),
        market="" if market.calendar else market.name or str(read(metadata, "exchangeTimezoneName")),
    )


def _check_identity(request: Request, metadata: Mapping[str, object]) -> None:
    symbol, step = read(metadata, "symbol"), read(metadata, "dataGranularity")
    if symbol is None:
        raise Refused("schema_changed", "the answer names no symbol")
    if str(symbol).upper() != request.ticker.upper():
        raise Refused("wrong_instrument", f"the answer is for {str(symbol)[:40]}")
    if step not in (None, "1d"):
        raise Refused("schema_changed", f"the answer holds bars of {step} instead of 1d")


def _currency(market: Market, metadata: Mapping[str, object], replies: Sequence[Reply]) -> str:
    currency = read(metadata, "currency")
    shares = read(metadata, "instrumentType") in ("EQUITY", "ETF")
    if not currency:
        if shares:
            raise Refused("schema_changed", "the answer names no currency")
        return ""
    if not re.fullmatch(r"[A-Za-z]{2,5}", str(currency)):
        raise Refused("currency", f"the answer names {str(currency)[:20]!r}, which is no currency")
    if market.currencies and currency not in market.currencies:
        raise Refused("currency", f"the prices are in {currency}; {market.name} quotes in {market.currencies[0]}")
    others = {str(said) for said in map(_currency_said, replies) if said} - {str(currency)}
    if others:
        raise Refused("currency", f"one answer is in {currency}, another in {min(others)}")
    return str(currency)


def _currency_said(reply: Reply) -> object:
    try:
        chart: Any = parse_json(reply.body)
        return chart["chart"]["result"][0]["meta"]["currency"]
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _bars(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    absent = [c for c in ("Close", "Adj Close", "Volume") if c not in frame.columns]
    if absent:
        raise Refused("schema_changed", f"the answer has no {', '.join(absent)}")
    zero = pd.Series(0.0, index=frame.index)
    days = pd.DatetimeIndex(frame.index).tz_localize(None).normalize()
    gains = frame.get("Capital Gains", zero)
    columns = {
        "adj_close": frame["Adj Close"],
        "close": frame["Close"],
        "volume": frame["Volume"],
        "paid": frame.get("Dividends", zero) + gains,
        "gains": gains,
        "split": frame.get("Stock Splits", zero),
    }
    bars = pd.DataFrame(
        {name: values.to_numpy(dtype=float) for name, values in columns.items()},
        index=pd.DatetimeIndex(days.to_numpy(dtype="datetime64[ns]"), name="date"),
    ).sort_index()
    bars = bars[(bars.index >= pd.Timestamp(request.start)) & (bars.index <= pd.Timestamp(request.end))]
    if bars.index.has_duplicates:
        raise Refused("schema_changed", f"the answer has {list_days(bars.index[bars.index.duplicated()])} twice")
    return bars


def _check_sent(bars: pd.DataFrame, metadata: Mapping[str, object], replies: Sequence[Reply]) -> None:
    """Look at the answer itself: the client drops rows of equal date and turns missing volumes into zeros."""
    prices = [reply for reply in replies if not reply.probe]
    if not prices:
        raise Refused("schema_changed", "the client no longer asks where it did")
    sent = _sent(prices[-1])
    if "adjclose" not in sent["indicators"]:
        raise Refused("schema_changed", "the answer has no adjusted closes")
    days = _stamped_days(sent["timestamp"], metadata)
    quote = sent["indicators"]["quote"][0]
    rows = pd.DataFrame(
        {"close": quote["close"], "adj_close": sent["indicators"]["adjclose"][0]["adjclose"]}, index=days, dtype=float
    )
    rows = rows[rows.index.isin(bars.index)]
    twice = rows[rows.index.duplicated(keep=False)]
    groups = twice.groupby(level=0)
    same = ((groups.max() - groups.min()) < 1e-6 * groups.max()).all(axis=1)  # a missing price is not the same
    if not same.all():
        raise Refused("schema_changed", f"the answer has {list_days(same.index[~same])} twice, with different prices")
    unknown = days[[v is None for v in quote["volume"]]]
    bars.loc[bars.index.isin(unknown), "volume"] = np.nan


def _sent(reply: Reply) -> Any:
    chart: Any = parse_json(reply.body)
    return chart["chart"]["result"][0]


def _stamped_days(stamps: Sequence[float], metadata: Mapping[str, object]) -> pd.DatetimeIndex:
    """Return the days of an exchange at which seconds since 1970 lie."""
    days = pd.to_datetime(stamps, unit="s", utc=True).tz_convert(str(read(metadata, "exchangeTimezoneName")))
    # An exchange east of Greenwich in summer time may be stamped an hour before its own midnight.
    return (days + pd.to_timedelta((days.hour >= 22) * 2, unit="h")).tz_localize(None).normalize()


def _with_listed_splits(bars: pd.DataFrame, replies: Sequence[Reply], metadata: Mapping[str, object]) -> pd.DataFrame:
    """Put splits that are listed on days without a session on the next one: the client leaves them out."""
    prices = [reply for reply in replies if not reply.probe]
    listed = list(((_sent(prices[-1]).get("events") or {}).get("splits") or {}).values()) if prices else []
    if bars.empty or not listed:
        return bars
    known = bars["split"].to_numpy(copy=True)
    for split, day in zip(listed, _stamped_days([s["date"] for s in listed], metadata), strict=True):
        place = min(int(bars.index.searchsorted(day)), len(bars) - 1)
        if day not in bars.index and abs(bars.index[place] - day) < LONG_GAP and split["denominator"]:
            known[place] = split["numerator"] / split["denominator"]
    return bars.assign(split=known)


def _drop_unfinished(bars: pd.DataFrame, market: Market, metadata: Mapping[str, object], notes: Notes) -> pd.DataFrame:
    if bars.empty:
        return bars
    request, last = notes.request, bars.index[-1]
    over = request.closed or market.is_over(last, request.now - DELAY)
    if over and _seen_to_its_end(last, over, market, metadata):
        return _without_open_end(bars, notes)
    if over:
        notes.refuse_unless_accepted(
            "early_end", f"the answer is of a moment at which the session of {iso_day(last)} was not over"
        )
    else:
        notes.add(f"the session of {iso_day(last)} was not over at download; its row was left out")
    return bars.iloc[:-1]


def _seen_to_its_end(last: pd.Timestamp, over: bool, market: Market, metadata: Mapping[str, object]) -> bool:
    """Tell whether the last trade that an answer knows of is not one in the middle of its last session."""
    traded = read(metadata, "regularMarketTime")
    if not isinstance(traded, pd.Timestamp) or traded.tz is None or last != traded.tz_localize(None).normalize():
        return True
    moment = traded + QUIET_END if over else traded
    period = read(metadata, "currentTradingPeriod")
    regular = period.get("regular") if isinstance(period, dict) else None
    close = regular.get("end") if isinstance(regular, dict) else None
    if isinstance(close, pd.Timestamp) and close.tz_convert(traded.tz).date() == traded.date():
        return moment >= close
    if market.calendar:
        return market.is_over(last, moment)
    return moment >= traded.normalize() + pd.Timedelta(hours=16)


def _without_open_end(bars: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Doubt a last day that has a row but no close yet."""
    known = bars.index[bars[["close", "adj_close"]].notna().all(axis=1)]
    if not len(known) or known[-1] == bars.index[-1]:
        return bars
    notes.refuse_unless_accepted(
        "early_end",
        f"the last day, {iso_day(bars.index[-1])}, has no close; the last complete day is {iso_day(known[-1])}",
    )
    return bars.loc[: known[-1]]


def _drop_closed_days(bars: pd.DataFrame, market: Market, notes: Notes) -> pd.DataFrame:
    """Leave out rows of days without a session that carry the price of the day before."""
    request = notes.request
    sessions = market.sessions(request.start, request.end)
    if sessions is None:
        return bars
    closed = bars.index.difference(sessions)
    carried = (bars["close"] == bars["close"].ffill().shift()) | (bars["volume"] == 0) | bars["close"].isna()
    extra = closed[~carried[closed].to_numpy()]
    if len(extra):
        notes.refuse_unless_accepted(
            "extra_days", f"{market.calendar} was closed on {list_days(extra)}, which has its own price"
        )
    idle = closed.difference(extra)
    if len(idle):
        notes.add(f"{market.calendar} was closed on {list_days(idle)}; the row was left out")
    return bars.drop(idle)


def _check_sessions(bars: pd.DataFrame, market: Market, metadata: Mapping[str, object], notes: Notes) -> None:
    request = notes.request
    known = bars.index[bars[["close", "adj_close"]].notna().all(axis=1)]
    first = read(metadata, "firstTradeDate")
    start = pd.Timestamp(request.start)
    if isinstance(first, pd.Timestamp):  # a bar before it refutes it
        start = max(start, min(first.tz_localize(None).normalize(), bars.index[0]))
    if start > pd.Timestamp(request.start):
        notes.add(f"prices begin on {iso_day(known[0])}, its first day; {request.start} was asked for")
    sessions = market.sessions(request.start, request.end)
    if sessions is None:
        _check_gaps(bars, known, start, notes)
        return
    wanted = sessions[sessions >= start]
    open_day = market.first_open_day(request.now)
    if not request.closed and open_day is not None:
        wanted = wanted[wanted < open_day]
    missing = wanted[~wanted.isin(known)]
    frozen = _frozen_days(bars, metadata)
    if len(missing) and _not_there_yet(missing, known[-1], market, request):
        notes.refuse_unless_accepted(
            "early_end", f"the bar of {list_days(missing)} is not there yet; the last is that of {iso_day(known[-1])}"
        )
    if len(missing) and "early_end" in notes.accepted:
        missing = missing[missing <= known[-1]]
    if len(missing):
        notes.refuse_unless_accepted(
            "missing_sessions", f"{len(missing)} of {len(wanted)} sessions are missing: {list_days(missing)}"
        )
    if len(frozen):
        notes.refuse_unless_accepted(
            "missing_sessions", f"no trade, and the close of the day before, on {list_days(frozen)}"
        )


def _not_there_yet(missing: pd.DatetimeIndex, last: pd.Timestamp, market: Market, request: Request) -> bool:
    """Tell whether all that is missing are the newest sessions, over a short while ago; who accepts missing sessions accepts these."""
    today = iso_day(request.now.tz_localize(None))
    since = market.sessions(iso_day(missing[0]), max(today, iso_day(missing[0])))
    open_day = market.first_open_day(request.now)
    if missing[0] < last or since is None or open_day is None or "missing_sessions" in request.accept:
        return False
    return len(since[since < open_day]) <= LATEST_SESSIONS


def _frozen_days(bars: pd.DataFrame, metadata: Mapping[str, object]) -> pd.Index[pd.Timestamp]:
    """Return days on which a share that otherwise trades every day has no volume, zero or missing, and no new price."""
    quiet = ~(bars["volume"] > 0)
    idle = carried_closes(bars[["close"]].to_numpy(), bars[["volume"]].to_numpy())[:, 0]
    liquid = read(metadata, "instrumentType") in ("EQUITY", "ETF") and quiet.mean() < 0.1
    return bars.index[idle] if liquid else bars.index[:0]


def _check_gaps(bars: pd.DataFrame, known: pd.Index[pd.Timestamp], start: pd.Timestamp, notes: Notes) -> None:
    """Without a calendar: rows without a close, and long stretches without a row."""
    request = notes.request
    holes = bars.index.difference(known)
    if len(holes):
        notes.refuse_unless_accepted("missing_sessions", f"no close on {list_days(holes)}")
    edges = pd.DatetimeIndex([start - pd.Timedelta(days=1), *known, pd.Timestamp(request.end) + pd.Timedelta(days=1)])
    steps = np.diff(edges.to_numpy())
    if len(steps) and steps.max() > LONG_GAP.to_timedelta64() + np.timedelta64(1, "D"):
        at = int(steps.argmax())
        notes.refuse_unless_accepted(
            "missing_sessions", f"no prices between {iso_day(edges[at])} and {iso_day(edges[at + 1])}"
        )
    notes.add("its exchange has no calendar here: only gaps of more than a week, and days that others have, count")
