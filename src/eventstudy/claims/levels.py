"""Claims about the level of a price: the close as traded on a day, whatever splits came later."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.kind import Kind, each_asset
from eventstudy.claims.ruling import Ruling, Verdict, allows, enough_digits, judge_amount, not_testable, tolerance
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.values import not_in_dollars
from eventstudy.claims.words import AMOUNT_WORDS, CROSSINGS
from eventstudy.prices.firms import SPLIT_BASIS_TOLERANCE
from eventstudy.prices.snapshot import is_snapshot, later_splits, load_snapshot


@dataclass(frozen=True, slots=True)
class _Level:
    """A table's close, what the exchange's close was as a multiple of it, and whether that multiple is known."""

    close: float
    splits: float
    known: bool

    @property
    def since(self) -> str:
        """The splits since that day in words."""
        if self.splits != 1.0:
            return f"{self.splits:g} shares for 1"
        return "none" if self.known else "not known here"


def _level_of(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge a claimed price: the close of a day as the exchange had it then.

    Tables divide old closes by the ratio of later splits. Where these are known, the close is multiplied by them; where they are not, only
    an agreement with both ends stands, since no split leaves one.
    """
    if part.unit == "dollars" and not ticker.startswith("^") and (reason := not_in_dollars(ev, ticker)):
        return not_testable(reason, f"closes of {ticker} in US dollars")
    traded, name = ev.traded(ticker), ev.call(ticker)
    close = math.nan if traded is None else float(traded[days.last])
    if not math.isfinite(close):
        return not_testable(f"{name} has no close as traded on {days.text}", f"the close of {ticker}")
    level = _level(ev, ticker, ev.sessions[days.last], close)
    price = level.close * level.splits
    bounds = tolerance(part.wording, float(part.value or 0.0))
    verdict = judge_amount(price / float(part.value or 1.0), bounds)
    before = float(traded[days.before]) * level.splits if traded is not None else math.nan
    if part.wording in CROSSINGS:
        verdict = _crossing(part, before, price, verdict)
    if not level.known and not (verdict == "supported" and bounds.two_sided):
        return not_testable(
            f"{name} has the close {close:,.2f} on {days.text} in {ev.source(ticker).provenance.source}, and whether that was divided by "
            f"splits since is not known here",
            f"the close of {ticker} as the exchange had it that day",
        )
    split = f" ({close:,.2f} in the table, before splits of {level.splits:g} for 1)" if level.splits != 1.0 else ""
    allowed = allows(part.wording, float(part.value or 0.0), bounds, lambda value: f"{value:,.10g}")
    digits = enough_digits(
        lambda value, d: f"{value:,.{d}f}",
        [price],
        [float(part.value or 0.0) * b for b in (bounds.low, bounds.high)],
        2,
    )
    text = f"{name} closed at {price:,.{digits}f} on {days.text}{split}; {allowed}"
    text += f", from the other side: it closed at {before:,.2f} before." if part.wording in CROSSINGS else "."
    inputs = ((f"close {days.text}", f"{close:,.2f}"), ("splits since in the table's closes", level.since))
    return Ruling(verdict, text, number=price, unit="price", inputs=inputs, days=days.text)


def _crossing(part: ClaimPart, before: float, price: float, plain: Verdict) -> Verdict:
    """Judge that a price came over its number from the other side: where it had been beyond it already, it did not."""
    line, way = float(part.value or 0.0), CROSSINGS[part.wording]
    if not math.isfinite(before):
        return "not testable here"
    came = 1 if before <= line < price else -1 if price < line <= before else 0
    if came and way in (0, came):
        return "supported"
    return "contradicted" if plain == "supported" else plain


def _level(ev: Evidence, ticker: str, day: pd.Timestamp, close: float) -> _Level:
    """Return how a table's close relates to the exchange's: by the splits of the snapshot, or by its closes if they are the same."""
    if ticker.startswith("^"):  # indexes have no splits
        return _Level(close, 1.0, True)
    splits = later_splits(ticker, day)
    if is_snapshot(ev.source(ticker)):
        return _Level(close, splits, True)
    known = load_snapshot().close
    if known is None or ticker not in known.columns or day not in known.index:
        return _Level(close, 1.0, False)
    embedded = float(known[ticker].to_numpy()[known.index.get_indexer(pd.DatetimeIndex([day]))[0]])
    for multiple in (splits, 1.0):  # on the snapshot's basis, or never divided
        if abs(close * multiple / (embedded * splits) - 1.0) <= SPLIT_BASIS_TOLERANCE:
            return _Level(close, multiple, True)
    return _Level(close, 1.0, False)


LEVELS = {
    "level": Kind(
        each_asset(_level_of),
        needs=("assets", "value", "date"),
        allows=("unit", "wording"),
        units=("dollars",),
        wordings=AMOUNT_WORDS,
        per_share=True,
    ),
}
