"""What the bars of an answer must be: on the sessions of the exchange that it names, and of figures that can be prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.calendars import calendar_bounds, exchange_sessions, trading_day_of_moment, zone_of
from eventstudy.prices.checks.copies import COPIED, copied_days
from eventstudy.prices.table import no_price
from eventstudy.sources.yahoo.failures import Refused
from eventstudy.wording import first_few, iso_day, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The kind of a failure, and its cause in words.
Problem = tuple[str, str]

#: Yahoo shows some exchanges with a delay, so a session is expected this long after its close.
DELAY = pd.Timedelta(minutes=30)
#: More days than a weekend with holidays on both sides; what counts as a gap where no calendar is known.
LONG_GAP = pd.Timedelta(days=7)

# Yahoo's exchange codes, the calendar of each, and the currencies in which it quotes.
_GROUPS = {
    ("XNYS", "USD"): "NMS NGM NCM NYQ ASE PCX BTS SNP DJI NIM NAS",
    ("XLON", "GBp GBP USD EUR"): "LSE FGI",
    ("XTKS", "JPY"): "JPX OSA TYO",
    ("XETR", "EUR USD GBP"): "GER",
    ("XFRA", "EUR USD"): "FRA",
    ("XPAR", "EUR USD"): "PAR",
    ("XAMS", "EUR USD GBP"): "AMS",
    ("XBRU", "EUR USD"): "BRU",
    ("XMIL", "EUR USD"): "MIL",
    ("XMAD", "EUR"): "MCE",
    ("XSWX", "CHF USD EUR GBP"): "EBS VTX ZRH",
    ("XSTO", "SEK EUR"): "STO",
    ("XCSE", "DKK EUR"): "CPH",
    ("XHEL", "EUR"): "HEL",
    ("XOSL", "NOK"): "OSL",
    ("XWBO", "EUR"): "VIE",
    ("XASX", "AUD"): "ASX",
    ("XNZE", "NZD"): "NZE",
    ("XTSE", "CAD USD"): "TOR",
    ("XHKG", "HKD CNY USD"): "HKG",
    ("XKRX", "KRW"): "KSC KOE",
    ("XTAI", "TWD"): "TAI",
    ("BVMF", "BRL"): "SAO",
}
_EXCHANGES = {code: pair for pair, codes in _GROUPS.items() for code in codes.split()}
#: What keeps the sessions of its exchange, so that the calendar of its zone holds where the exchange is not known by name; of indexes
#: only where none is named, since some are of other markets that share a zone.
_SHARES = ("EQUITY", "ETF")


@lru_cache(maxsize=128)
def _calendar_in(zone: str) -> str:
    """Return the calendar of an exchange above that is in a zone, the first of several; empty if none is. A calendar takes long to make."""
    return next((calendar for calendar, _ in _GROUPS if zone_of(calendar) == zone), "")


@dataclass(frozen=True)
class Market:
    """Where an instrument is traded: Yahoo's code of the exchange, its calendar, the currencies in which it quotes; empty as far as not known."""

    name: str
    calendar: str
    currencies: tuple[str, ...] = ()

    @classmethod
    def of(cls, metadata: Mapping[str, object]) -> Market:
        """Return the market that an answer names; a share's of an unknown name has the calendar of its zone.

        Examples
        --------
        >>> Market.of({"exchangeName": "NMS"}).calendar, Market.of({"exchangeName": "CCC"}).calendar
        ('XNYS', '')
        """
        name = printable(str(read(metadata, "exchangeName") or ""))[:20]
        if name in _EXCHANGES:
            calendar, currencies = _EXCHANGES[name]
            return cls(name, calendar, tuple(currencies.split()))
        kinds = _SHARES if name else (*_SHARES, "INDEX")
        zone = str(read(metadata, "exchangeTimezoneName"))
        return cls(name, _calendar_in(zone) if read(metadata, "instrumentType") in kinds else "")

    def sessions(self, start: str, end: str) -> pd.DatetimeIndex | None:
        """Return the sessions of a range, or None where they are not known."""
        if not self.calendar:
            return None
        first, last = calendar_bounds(self.calendar)
        if pd.Timestamp(start) < first or pd.Timestamp(end) > last:
            return None
        return exchange_sessions(self.calendar, start, end)

    def first_open_day(self, now: pd.Timestamp) -> pd.Timestamp | None:
        """Return the first day whose session is not over at a moment; None without a calendar."""
        return trading_day_of_moment(now - DELAY, self.calendar)[0] if self.calendar else None

    def is_over(self, day: pd.Timestamp, moment: pd.Timestamp) -> bool:
        """Tell whether the session of a day is over at a moment."""
        if not self.calendar:
            return day < moment.tz_localize(None).normalize()
        return day < trading_day_of_moment(moment, self.calendar)[0]


def read(metadata: Mapping[str, object], key: str) -> object:
    """Return a value or None; by key only, because going over all keys makes the client ask Yahoo once more."""
    try:
        return metadata[key]
    except KeyError:
        return None


def list_days(days: pd.Index[pd.Timestamp]) -> str:
    """Return days as text, the first five of many."""
    return first_few(map(iso_day, days), 5)


# -- The figures. What any table of prices must fulfil is asked of `eventstudy.prices.checks`; here stand the checks that need what an
# -- answer says besides its closes: splits and payments listed, and days that a calendar does not know.


#: No share, fund or index stands higher.
HIGHEST_PRICE = 1e9
#: Log steps that a missed split leaves and real moves hardly reach: threefold and more, and twofold ± 6 %.
LARGEST_STEP = float(np.log(3)) - 0.06
TWOFOLD, TWOFOLD_TOLERANCE = float(np.log(2)), 0.06
#: A split that is smaller than this looks like the move of any day.
SMALLEST_SPLIT = float(np.log(1.15))
#: A listed split of a smaller ratio cannot be distinguished from an ordinary move.
LEAST_LISTED = float(np.log(1.1))
#: Sessions on either side of a listed split on which a step of its ratio is the split's; ordinary steps in robust deviations, the least
#: such deviation, and the share of the ratio up to which they blur it.
SPLIT_REACH, STEP_DEVIATIONS, LEAST_DEVIATION, MOST_BLUR = 3, 4.0, 0.01, 0.25
#: By how much a step of adjusted to traded closes may differ from that of the payments listed: a share of it, and a rest
#: for the rounding of amounts and closes. Elsewhere the rest alone is allowed.
STEP_SHARE, STEP_REST = 0.1, 5e-4
#: Decimals of the closes of very low-priced shares.
LAST_DIGIT = 1e-4


def check_numbers(bars: pd.DataFrame) -> None:
    """Refuse prices that are none."""
    for name in ("close", "adj_close"):
        values = bars[name]
        wrong = bars.index[no_price(values.to_numpy()) | (values > HIGHEST_PRICE)]
        if len(wrong):
            raise Refused("non_positive_prices", f"the {name} is {values[wrong[0]]:g} on {list_days(wrong)}")
    wrong = bars.index[bars["volume"] < 0]
    if len(wrong):
        raise Refused("negative_volume", f"the volume is negative on {list_days(wrong)}")
    for name, what in (("paid", "payment"), ("split", "split")):
        wrong = bars.index[~((bars[name] >= 0) & (bars[name] <= HIGHEST_PRICE))]
        if len(wrong):
            raise Refused("schema_changed", f"the {what} is {bars[name][wrong[0]]:g} on {list_days(wrong)}")


def check_daily(bars: pd.DataFrame) -> None:
    """Refuse bars that are not daily."""
    steps = np.diff(bars.index.to_numpy()) / np.timedelta64(1, "D")
    if len(steps) >= 4 and float(np.median(steps)) > 4:
        raise Refused("schema_changed", "the answer holds weekly or monthly bars instead of daily ones")


def check_blocks(bars: pd.DataFrame) -> None:
    """Refuse days that repeat earlier ones, close and volume."""
    traded = bars[bars["close"].notna() & (bars["volume"] > 0)]
    for copy in copied_days(traded[["close", "volume"]].to_numpy(), COPIED):
        copied, source = (traded.index[row : row + copy.days] for row in (copy.row, copy.source))
        raise Refused(
            "repeated_block", f"closes and volumes of {list_days(copied)} are those of {list_days(source)} again"
        )


def scale_changes(bars: pd.DataFrame) -> Iterator[Problem]:
    """Yield the first day from which the closes are on another scale, as after a split that was not applied."""
    for name in ("close", "adj_close"):
        values = bars[name].dropna()
        steps = np.log(values).diff()
        for day, step in steps[steps.abs() > SMALLEST_SPLIT / 2].items():
            ratio = bars["split"].get(day, 0.0)
            if ratio > 0 and abs(np.log(ratio)) > SMALLEST_SPLIT and abs(step + np.log(ratio)) < abs(step):
                yield (
                    "unapplied_split",
                    f"the split of {iso_day(day)} ({ratio:g} for 1) is listed but the {name} still has it",
                )
                return
            if abs(step) > LARGEST_STEP or abs(abs(step) - TWOFOLD) < TWOFOLD_TOLERANCE:
                before = values.shift().loc[day]
                yield (
                    "unapplied_split",
                    f"the {name} goes from {before:g} to {values[day]:g} on {iso_day(day)}, as after a missed split",
                )
                return
        near = _step_of_a_split(steps, bars["split"])
        if near is not None:
            day, listed, ratio = near
            step = f"the {name} goes from {values.shift().loc[day]:g} to {values[day]:g} on {iso_day(day)}"
            split = f"by the ratio of the split listed on {iso_day(listed)} ({ratio:g} for 1)"
            yield "unapplied_split", f"{step}, {split}: left out, applied twice or on another day"
            return


def _step_of_a_split(
    steps: pd.Series[float], splits: pd.Series[float]
) -> tuple[pd.Timestamp, pd.Timestamp, float] | None:
    """Return the day of a log step of a listed split's ratio beside it, the day it is listed on, and the ratio; None if there is none."""
    noise = STEP_DEVIATIONS * max(1.4826 * float(steps.abs().median()), LEAST_DEVIATION)
    days, listed = pd.DatetimeIndex(steps.index), splits[splits > 0]
    for day, ratio in zip(pd.DatetimeIndex(listed.index), listed.tolist(), strict=True):
        size = abs(float(np.log(ratio)))
        if size <= LEAST_LISTED:
            continue
        at = int(days.searchsorted(day))
        beside = steps.iloc[max(at - SPLIT_REACH, 0) : at + SPLIT_REACH + 1]
        like = beside[(beside.abs() - size).abs() < min(noise, MOST_BLUR * size)]
        if len(like):
            return pd.DatetimeIndex(like.index)[0], day, ratio
    return None


def unpaid_steps(bars: pd.DataFrame) -> Iterator[Problem]:
    """Yield the first day on which the adjusted closes do not step by what was paid, or step where nothing was.

    Parameters
    ----------
    bars : DataFrame
        Dates × ``close``, ``adj_close``, ``paid`` (dividends and capital gains a share), and the part of it in ``gains``.
    """
    rows = bars[["close", "adj_close"]].notna().all(axis=1).to_numpy()
    known = bars[rows]
    if len(known) < 2:
        return
    adjusted, close = known["adj_close"].to_numpy(), known["close"].to_numpy()
    ratio = adjusted / close
    step = 1 - ratio[:-1] / ratio[1:]
    paid, gains = (_since_last(bars.get(name), rows) for name in ("paid", "gains"))
    expected = paid / close[:-1]
    rest = STEP_REST + LAST_DIGIT / np.minimum(adjusted, close)[:-1]
    wrong = np.abs(step - expected) > STEP_SHARE * expected + rest
    missed = (expected > 5e-5) & (step < 0.1 * expected)
    for at in np.flatnonzero(wrong | missed).tolist():
        if not missed[at] and _fits_together(at, step, expected, gains / close[:-1], rest[at]):
            continue
        day = iso_day(pd.Timestamp(known.index[at + 1]))
        if missed[at]:
            cause = f"the adjusted closes show no step at the dividend of {day}"
        elif paid[at] > 0:
            cause = (
                f"the adjusted closes step by {step[at]:+.3g} of the price on {day}, "
                f"where {paid[at]:g} was paid, which is {expected[at]:.3g} of it"
            )
        else:
            cause = f"the adjusted closes step by {step[at]:+.3g} of the price on {day} without a dividend"
        yield "adjustment_ratio", cause
        return


def _since_last(amounts: pd.Series | None, rows: np.ndarray) -> np.ndarray:
    """Return what was paid from each priced day, not counted, to the next one."""
    if amounts is None:
        return np.zeros(int(rows.sum()) - 1)
    total = np.cumsum(amounts.to_numpy())[rows]
    return np.where(np.diff(total) > 1e-9, np.diff(total), 0.0)


def _fits_together(at: int, step: np.ndarray, expected: np.ndarray, gains: np.ndarray, rest: float) -> bool:
    """Tell whether payments listed on days side by side fit the steps of these days together.

    Funds list a dividend and capital gains apart, or capital gains also within the dividend, and step once.
    """
    first, last = at, at + 1
    while first > 0 and expected[first - 1] > 0:
        first -= 1
    while last < len(step) and expected[last] > 0:
        last += 1
    beside = slice(max(first - 1, 0), last + 1)
    gained = gains[beside].sum()
    if (expected[beside] > 0).sum() < 2 and not gained:
        return False
    stepped, listed = step[beside].sum(), expected[beside].sum()
    return any(abs(stepped - amount) <= STEP_SHARE * amount + rest for amount in (listed, listed - gained))
