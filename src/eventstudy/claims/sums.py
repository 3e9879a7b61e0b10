"""Claims about market value: what a company or a basket of companies lost or gained, in dollars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.kind import DAYS, LOST_GAINED, Kind
from eventstudy.claims.ruling import (
    Reading,
    Ruling,
    allows,
    enough_digits,
    judge_amount,
    missing_text,
    money,
    not_testable,
    tolerance,
)
from eventstudy.claims.schema import DOLLARS, ClaimPart
from eventstudy.claims.values import ENOUGH, BasketChange, ValueChange, basket_change, not_in_dollars, value_change
from eventstudy.claims.words import AMOUNT_WORDS
from eventstudy.distances import Bounds
from eventstudy.wording import dollars, interval, listed, percent


def _judge_value(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed change of one company's market value.

    The verdict must hold for every share count: the latest on or before the day, the ones around it, and the range that the claim's
    ``shares_billion`` names. Where it does not, the verdict is ``depends on`` the share count.
    """
    ev, ticker = ev.home(part.assets), part.assets[0]
    days = ev.days(part)
    if reason := not_in_dollars(ev, ticker):
        return not_testable(reason, f"closes of {ticker} in US dollars")
    change = value_change(ev, ticker, days, part.shares_billion)
    if isinstance(change, str):
        return not_testable(change, f"closes and a share count of {ticker}")
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=True)
    step = change.close_after - change.close_before
    counts = sorted({c.shares for c in change.counts} | {n * 1e9 for n in part.shares_billion or ()})
    readings = tuple(
        Reading(f"{n / 1e9:.3f}bn shares", n * step, judge_amount(part.sign * n * step / part.amount, bounds))
        for n in counts
    )
    condition = _which_count(counts, readings)
    near, far = sorted((readings[0].number, readings[-1].number), key=abs)
    form = _form(part, bounds, [r.number for r in readings])
    others = "" if math.isclose(near, far) else f"; with other share counts {form(near)} to {form(far)}"
    return Ruling(
        "depends on" if condition else readings[0].verdict,
        f"{ev.call(ticker)} {'lost' if change.raw < 0 else 'gained'} {form(change.raw)}: {change.shares.shares / 1e9:.3f}bn shares × "
        f"${abs(step):,.2f} ({days.text}){others}. {allows(part.wording, part.amount, bounds, form)}.",
        number=change.raw,
        low=min(near, far),
        high=max(near, far),
        unit="USD",
        range_of="over share counts",
        condition=condition,
        inputs=_value_inputs(ev, change, days, part),
        readings=readings,
        days=days.text,
    )


def _form(part: ClaimPart, bounds: Bounds, numbers: Sequence[float]) -> Callable[[float], str]:
    """Return how amounts are written: by as many digits as tell them from the bounds."""
    more = enough_digits(money, numbers, [part.amount * bounds.low, part.amount * bounds.high], 0)
    return lambda value: money(value, more)


def _which_count(counts: Sequence[float], readings: Sequence[Reading]) -> str:
    """Say which share counts give which verdict; an empty text if all give the same."""
    verdicts = list(dict.fromkeys(r.verdict for r in readings))
    if len(verdicts) == 1:
        return ""
    by_verdict = [
        f"{v} with {listed((f'{n / 1e9:.3f}bn' for n, r in zip(counts, readings, strict=True) if r.verdict == v), 'or')}"
        for v in verdicts
    ]
    return f"the share count within {counts[0] / 1e9:.3f} to {counts[-1] / 1e9:.3f}bn: {'; '.join(by_verdict)}"


def _value_inputs(ev: Evidence, c: ValueChange, days: Days, part: ClaimPart) -> tuple[tuple[str, str], ...]:
    move = ev.move(c.ticker, days)
    before = c.shares.shares * c.close_before
    found = [
        *ev.close_inputs(days, *ev.closes(c.ticker, days)),
        (f"shares, count of {c.shares.period_end}", f"{c.shares.shares / 1e9:,.3f}bn"),
        *((f"other count, of {o.period_end}", f"{o.shares / 1e9:,.3f}bn") for o in c.counts if o is not c.shares),
    ]
    if part.shares_billion:
        found.append(("share counts in print", f"{part.shares_billion[0]:g} to {part.shares_billion[1]:g}bn"))
    if math.isfinite(move.abnormal):
        reach = interval(move.low * before, move.high * before, _signed)
        found.append(("of it abnormal", f"{_signed(move.abnormal * before)} (95% interval {reach})"))
    return tuple(found)


def _judge_basket(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed change of value of many companies, by every reading that the claim allows.

    A reading is a basket, a window and a sum: *net* adds up all companies, which is what the basket lost; *gross*, those that went the
    claim's way alone, is another number, judged only if the claim's ``sums`` ask for it, and named beside otherwise. Where readings disagree
    the verdict is ``depends on``, with the verdict of each.
    """
    ev = ev.home([t for key in part.baskets for t in ev.basket(key)[1]])
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=True)
    readings: list[Reading] = []
    inputs: list[tuple[str, str]] = []
    ranges: list[tuple[float, float]] = []
    beside: list[Reading] = []
    days = ev.days(part, part.windows[0] if part.windows else None)
    for window in part.windows or (None,):
        span = ev.days(part, window)
        for key in part.baskets:
            label, tickers = ev.basket(key)
            change = basket_change(ev, tickers, span)
            if not change.changes:
                continue
            if len(change.changes) < ENOUGH * (len(change.changes) + len(change.missing)):
                return _too_many_missing(ev, label, change, span)
            for how in dict.fromkeys((*part.sums, "net", "gross")):
                raw, low, high = change.total(how, part.sign)
                name = f"{label}, {how}" + (f", {span.text}" if len(part.windows) > 1 else "")
                found = Reading(name, raw, judge_amount(part.sign * raw / part.amount, bounds))
                if how not in part.sums:
                    beside.append(found)
                    continue
                readings.append(found)
                ranges.append((low, high))
            if window is None or window == part.windows[0]:
                inputs += _basket_inputs(label, change)
    if not readings:
        return not_testable(
            "no company of the basket has prices and a share count on these days", "closes and share counts"
        )
    return _of_readings(part, bounds, readings, ranges, beside, tuple(inputs), days)


def _too_many_missing(ev: Evidence, label: str, c: BasketChange, span: Days) -> Ruling:
    """Refuse the sum of a basket of which more than a tenth of the companies has no number."""
    return not_testable(
        f"{len(c.missing)} of the {len(c.changes) + len(c.missing)} companies ({label}) have no price or share count on {span.text}"
        f"{ev.panel_ends}",
        f"closes and share counts of {missing_text(c.missing)}",
    )


def _basket_inputs(label: str, c: BasketChange) -> list[tuple[str, str]]:
    found = [
        (f"companies, {label}", str(len(c.changes))),
        ("without price or share count", missing_text(c.missing)),
    ]
    if c.twice:
        found.append(("share classes counted once", ", ".join(c.twice)))
    if c.adjusted:
        gap = ""
        if math.isfinite(c.gap_most):
            gap = f"; where both are known they lie {percent(c.gap_median, sign=False)} (median) to {percent(c.gap_most, sign=False)} (most) below"
        found.append(("closes adjusted for later dividends", f"{c.adjusted} of {len(c.changes)}{gap}"))
    return found


def _of_readings(
    part: ClaimPart,
    bounds: Bounds,
    readings: list[Reading],
    ranges: list[tuple[float, float]],
    beside: list[Reading],
    inputs: tuple[tuple[str, str], ...],
    days: Days,
) -> Ruling:
    """Return one ruling for all readings of a sum: theirs if they agree, else ``depends on`` with what differs between them."""
    kinds = list(dict.fromkeys(r.verdict for r in readings))
    asked = {
        "which companies are meant": part.baskets,
        "which days": part.windows,
        "whether gains are set against losses": part.sums,
    }
    form = _form(part, bounds, [r.number for r in readings])
    found = "; ".join(f"{v} with {_sums_text(form, [r for r in readings if r.verdict == v])}" for v in kinds)
    if beside:
        alone = (
            f"the {'losers' if part.sign < 0 else 'winners'} alone" if "net" in part.sums else "all companies together"
        )
        found += f"; what {alone} come to is another number: {_sums_text(form, beside)}"
    low, high = min(r.number for r in readings), max(r.number for r in readings)
    range_of = "over the readings"
    if len(readings) == 1:
        (low, high), range_of = ranges[0], "over share counts"
    return Ruling(
        "depends on" if len(kinds) > 1 else kinds[0],
        f"{allows(part.wording, part.amount, bounds, form)}; {found}.",
        number=readings[0].number,
        low=low,
        high=high,
        unit="USD",
        range_of=range_of,
        condition=listed(way for way, given in asked.items() if len(given) > 1) if len(kinds) > 1 else "",
        inputs=(
            *((f"sum, {r.label}", f"{_signed(r.number)}, {r.verdict}") for r in readings),
            *((f"another sum, {r.label}", f"{_signed(r.number)}, alone {r.verdict}") for r in beside),
            *inputs,
        ),
        readings=tuple(readings),
        days=days.text,
    )


def _sums_text(form: Callable[[float], str], readings: list[Reading]) -> str:
    """Return sums in words: the first two by name, more as a range."""
    texts = {r.number: f"{dollars(r.number, sign=True)[0] if r.number else ''}{form(r.number)}" for r in readings}
    if len(readings) <= 2:
        return listed(f"{texts[r.number]} ({r.label})" for r in readings)
    small, *_, large = sorted(texts, key=abs)
    return f"{len(readings)} sums from {texts[small]} to {texts[large]}"


def _signed(value: float) -> str:
    return dollars(value, sign=True)


def _needs_unit(part: ClaimPart) -> str:
    return "" if part.unit else f"needs 'unit': {', '.join(DOLLARS)}"


def _one_company(part: ClaimPart) -> str:
    several = len(part.assets) != 1
    return _needs_unit(part) or ("is about one company; for several use basket_value" if several else "")


SUMS = {
    "market_value": Kind(
        _judge_value,
        needs=("assets", "says", "value"),
        allows=(*DAYS, "unit", "wording", "shares_billion"),
        says=LOST_GAINED,
        units=tuple(DOLLARS),
        wordings=AMOUNT_WORDS,
        check=_one_company,
    ),
    "basket_value": Kind(
        _judge_basket,
        needs=("baskets", "says", "value"),
        allows=(*DAYS, "windows", "unit", "wording", "sums"),
        says=LOST_GAINED,
        units=tuple(DOLLARS),
        wordings=AMOUNT_WORDS,
        check=_needs_unit,
    ),
}
