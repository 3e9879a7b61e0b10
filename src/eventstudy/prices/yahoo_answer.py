"""What a price table from Yahoo must fulfil before it is taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.prices.downloads import Download

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More days than a weekend with holidays on both sides.
LONG_GAP = pd.Timedelta(days=7)


class Refused(Exception):
    """An answer that must not be used.

    Parameters
    ----------
    kind : str
        The kind of failure.
    cause : str
        The cause in words.
    """

    def __init__(self, kind: str, cause: str) -> None:
        super().__init__(cause)
        self.kind = kind


def read_answer(ticker: str, frame: pd.DataFrame, metadata: Mapping[str, object], start: str, end: str) -> Download:
    """Check one ticker's answer and bring it to the form of a download.

    Parameters
    ----------
    ticker : str
        The ticker asked for.
    frame : DataFrame
        Columns ``Close``, ``Adj Close``, ``Volume``, ``Dividends``; days of the exchange as index.
    metadata : mapping
        ``symbol``, ``currency``, ``regularMarketTime``, ``currentTradingPeriod``.
    start, end : str
        First and last day asked for, ISO format.

    Returns
    -------
    Download
        Days from ``start`` to ``end``; a session not over at download is left out.

    Raises
    ------
    Refused
        If the answer is another instrument's, is empty, not daily, lacks the last close or the
        adjusted closes.
    """
    symbol = _read(metadata, "symbol")
    if symbol is not None and str(symbol).upper() != ticker.upper():
        raise Refused("wrong_instrument", f"the answer is for {symbol}")
    absent = [c for c in ("Close", "Adj Close", "Volume") if c not in frame.columns]
    if absent:
        raise Refused("schema_changed", f"the answer has no {', '.join(absent)}")
    bars = _bars(frame, start, end)
    cautions: list[str] = []
    bars = _drop_unfinished(ticker, bars, metadata, cautions)
    if bars.empty or bars["close"].isna().all():
        raise Refused("empty", "the answer holds no bars in this range")
    _check_bars(bars)
    _note_gaps(ticker, bars, start, end, cautions)
    currency = _read(metadata, "currency")
    return Download(
        ticker=ticker,
        table=bars[["adj_close", "close", "volume"]],
        currency="" if currency is None else str(currency),
        retrieved=f"{pd.Timestamp.now('UTC'):%Y-%m-%dT%H:%M:%SZ}",
        cautions=tuple(cautions),
    )


# By key only: going over all keys makes the client ask Yahoo once more.
def _read(metadata: Mapping[str, object], key: str) -> object:
    try:
        return metadata[key]
    except KeyError:
        return None


def _bars(frame: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    days = pd.DatetimeIndex(frame.index).tz_localize(None).normalize()
    paid = frame["Dividends"] if "Dividends" in frame.columns else pd.Series(0.0, index=frame.index)
    bars = pd.DataFrame(
        {
            "adj_close": frame["Adj Close"].to_numpy(dtype=float),
            "close": frame["Close"].to_numpy(dtype=float),
            "volume": frame["Volume"].to_numpy(dtype=float),
            "dividend": paid.to_numpy(dtype=float),
        },
        index=pd.DatetimeIndex(days.to_numpy(dtype="datetime64[ns]"), name="date"),
    ).sort_index()
    return bars[(bars.index >= pd.Timestamp(start)) & (bars.index <= pd.Timestamp(end))]


def _drop_unfinished(
    ticker: str, bars: pd.DataFrame, metadata: Mapping[str, object], cautions: list[str]
) -> pd.DataFrame:
    now = _read(metadata, "regularMarketTime")
    if bars.empty or not isinstance(now, pd.Timestamp) or now.tz is None:
        return bars
    last = bars.index[-1]
    if last != now.tz_localize(None).normalize() or now >= _session_close(now, metadata):
        return bars
    cautions.append(f"{ticker}: the session of {last:%Y-%m-%d} was not over at download; its row was left out.")
    return bars.iloc[:-1]


def _session_close(now: pd.Timestamp, metadata: Mapping[str, object]) -> pd.Timestamp:
    period = _read(metadata, "currentTradingPeriod")
    regular = period.get("regular") if isinstance(period, dict) else None
    close = regular.get("end") if isinstance(regular, dict) else None
    if isinstance(close, pd.Timestamp) and close.tz_convert(now.tz).date() == now.date():
        return close
    return now.normalize() + pd.Timedelta(hours=16)


def _check_bars(bars: pd.DataFrame) -> None:
    last = bars.index[-1]
    if bars[["close", "adj_close"]].iloc[-1].isna().any():
        known = bars.index[bars[["close", "adj_close"]].notna().all(axis=1)]
        upto = f"; the last complete day is {known[-1]:%Y-%m-%d}" if len(known) else ""
        raise Refused("unfinished", f"the last day, {last:%Y-%m-%d}, has no close{upto}")
    if bars.index.has_duplicates:
        day = bars.index[bars.index.duplicated()][0]
        raise Refused("schema_changed", f"the answer has {day:%Y-%m-%d} twice")
    steps = np.diff(bars.index.to_numpy()) / np.timedelta64(1, "D")
    if len(steps) >= 4 and float(np.median(steps)) > 4:
        raise Refused("schema_changed", "the answer holds weekly or monthly bars instead of daily ones")
    _check_adjustment(bars)


def _check_adjustment(bars: pd.DataFrame) -> None:
    """Without adjusted closes the client repeats the plain ones: a dividend must leave a step."""
    ratio = (bars["adj_close"] / bars["close"]).to_numpy()
    close, paid = bars["close"].to_numpy(), bars["dividend"].to_numpy()
    for row in np.flatnonzero(paid > 0).tolist():
        if row == 0 or np.isnan(ratio[row - 1 : row + 1]).any():
            continue
        expected = paid[row] / close[row - 1]
        if expected > 5e-5 and 1 - ratio[row - 1] / ratio[row] < 0.1 * expected:
            raise Refused(
                "schema_changed",
                f"the adjusted closes show no step at the dividend of {bars.index[row]:%Y-%m-%d}",
            )


def _note_gaps(ticker: str, bars: pd.DataFrame, start: str, end: str, cautions: list[str]) -> None:
    first, last = bars.index[0], bars.index[-1]
    if first - pd.Timestamp(start) > LONG_GAP:
        cautions.append(f"{ticker}: prices begin on {first:%Y-%m-%d}, {start} was asked for.")
    if pd.Timestamp(end) - last > LONG_GAP:
        cautions.append(f"{ticker}: prices end on {last:%Y-%m-%d}, {end} was asked for.")
    holes = bars.index[bars[["close", "adj_close"]].isna().any(axis=1)]
    if len(holes):
        shown = ", ".join(f"{day:%Y-%m-%d}" for day in holes[:5]) + (" …" if len(holes) > 5 else "")
        cautions.append(f"{ticker}: {len(holes)} day(s) without a close: {shown}.")
