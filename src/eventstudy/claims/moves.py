"""Claims about what shares did: direction, impact, size, a period, no change, counts of shares."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from eventstudy.claims.evidence import Days, Evidence, Move
from eventstudy.claims.kind import DAYS, FELL_ROSE, Kind, each_asset
from eventstudy.claims.ruling import (
    AMOUNT_WORDS,
    CEILINGS,
    COUNT_WORDS,
    MOVE_WORDS,
    SEVERAL,
    Reading,
    Ruling,
    Verdict,
    joint_ruling,
    judge_amount,
    missing_text,
    moved,
    not_testable,
    tolerance,
)
from eventstudy.claims.schema import SIGN, ClaimPart
from eventstudy.wording import interval, listed, percent

_INTERVAL = "95% interval of the abnormal return"
_SHARP, _SLIGHT = ("sharp", "sharply"), ("slight", "slightly")


def verdict_of_move(says: str, wording: str, move: Move) -> Verdict:
    """Judge that a share fell or rose, if worded so sharply or slightly.

    Notes
    -----
    ``contradicted`` if the return has the other sign or none. Then *sharply* needs two things: a return beyond the outermost 5 % of the
    stretches of as many days in the share's estimation window, on that side (else ``overstated``), and an abnormal return whose 95 %
    interval lies wholly on that side (else ``supported in price only``). *Slightly* needs a return that two thirds of the moves of the
    estimation window exceed in size at least (else ``understated``). Without a word the sign of the return and the interval decide.

    Both conditions of *sharply* are needed: a calm share leaves the range of its estimation window with a market's move that any index
    fund makes too, and a volatile one is abnormal on days that its holders know well.

    Examples
    --------
    >>> day = Move(-0.17, -0.133, -0.18, -0.08, -0.04, 0.05, 0.02, 250)
    >>> verdict_of_move("fell", "sharply", day), verdict_of_move("rose", "", day)
    ('supported', 'contradicted')
    """
    if not math.isfinite(move.raw):
        return "not testable here"
    sign = SIGN[says]
    if sign * move.raw <= 0.0:
        return "contradicted"
    if wording in _SLIGHT:
        return _by_bound(move.inner, abs(move.raw), inside="supported", beyond="understated")
    if wording in _SHARP:
        verdict = _by_bound(sign * move.tail(sign), sign * move.raw, inside="overstated", beyond="supported")
        if verdict != "supported":
            return verdict
    if not math.isfinite(move.abnormal):
        return "supported" if move.yardstick else "supported in price only"
    beyond = move.high < 0.0 if sign < 0 else move.low > 0.0
    return "supported" if beyond else "supported in price only"


def _by_bound(bound: float, size: float, *, inside: Verdict, beyond: Verdict) -> Verdict:
    """Return the verdict of a size up to a bound, or beyond it; without a bound there is none."""
    if not math.isfinite(bound):
        return "not testable here"
    return beyond if size > bound else inside


def verdict_of_impact(says: str, wording: str, move: Move) -> Verdict:
    """Judge that news hurt or helped a company, by its abnormal return alone.

    Notes
    -----
    ``not visible in prices`` if the 95 % interval of the abnormal return holds zero; ``supported`` if it lies on the claim's side, and
    with *sharply* the return itself is beyond the outermost 5 % of the stretches of its estimation window (else ``overstated``);
    ``contradicted`` if it lies on the other side.

    Examples
    --------
    >>> verdict_of_impact("fell", "", Move(0.02, -0.001, -0.06, 0.057, -0.04, 0.05, 0.02, 250))
    'not visible in prices'
    """
    sign = SIGN[says]
    if not math.isfinite(move.abnormal):
        return "not testable here"
    if move.low <= 0.0 <= move.high:
        return "not visible in prices"
    if sign * move.abnormal < 0.0:
        return "contradicted"
    strong = sign * move.raw > sign * move.tail(sign)
    return "supported" if strong or wording not in _SHARP else "overstated"


def _direction(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge which way a price went."""
    move = ev.move(ticker, days)
    return _ruling(ev, ticker, days, move, verdict_of_move(part.says, part.wording, move))


def _impact(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge which way news moved a price, beyond the market."""
    move = ev.move(ticker, days)
    return _ruling(ev, ticker, days, move, verdict_of_impact(part.says, part.wording, move))


def _ruling(
    ev: Evidence, ticker: str, days: Days, move: Move, verdict: Verdict, start: str = "", end: str = ""
) -> Ruling:
    """Put a move into a sentence, beside the moves of its estimation window and its abnormal part."""
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    text = start or f"{moved(ev.call(ticker), move.raw)} ({days.text})"
    text += _beside_estimation_window(move, days)
    if math.isfinite(move.abnormal):
        text += f"; its abnormal return is {percent(move.abnormal)} (95% interval {interval(move.low, move.high)})"
    text += f"; {end}" if end else ""
    return Ruling(
        verdict,
        f"{text}.",
        number=move.raw,
        low=move.low,
        high=move.high,
        unit="fraction",
        range_of=_INTERVAL if math.isfinite(move.low) else "",
        inputs=_inputs(ev, ticker, days, move),
        days=days.text,
        needs="enough estimation days of the share before these" if verdict == "not testable here" else "",
    )


def _beside_estimation_window(move: Move, days: Days) -> str:
    """Say how a move compares with the outermost twentieth of those of the share's estimation window, on its side."""
    sign = math.copysign(1.0, move.raw)
    tail = move.tail(sign)
    if not math.isfinite(tail) or move.raw == 0.0:
        return ""
    goes, below = ("falls", "below") if sign < 0.0 else ("rises", "above")
    far = "out of" if sign * move.raw > sign * tail else "within"
    on = "on" if days.n == 1 else "in"
    # a share may drift so far that even its outermost twentieth lies on the other side of zero
    beyond = f"{goes} by more than {percent(abs(tail), sign=False)}"
    if (tail < 0.0) != (sign < 0.0):
        beyond = f"stays {below} {percent(tail)}"
    return f", {far} the ordinary: {on} one of twenty {_stretches(days)} it {beyond}"


def _stretches(days: Days) -> str:
    return "estimation days" if days.n == 1 else f"stretches of {days.n} estimation days"


def _inputs(ev: Evidence, ticker: str, days: Days, move: Move) -> tuple[tuple[str, str], ...]:
    traded = ev.traded(ticker)
    if traded is not None and move.priced:
        found = [*ev.close_inputs(days, traded, True), ("change of the price", percent(move.raw))]
    else:
        found = [
            *ev.close_inputs(days, ev.adjusted(ticker), False),
            ("return with dividends, for want of closes without them", percent(move.raw)),
        ]
    if move.priced and percent(move.total) != percent(move.raw):
        found.append(("return with dividends", percent(move.total)))
    found.append((_stretches(days), str(move.compared)))
    if math.isfinite(move.abnormal):
        found += [("abnormal return", percent(move.abnormal)), ("95% interval", interval(move.low, move.high))]
    elif move.reason:
        found.append(("no abnormal return", move.reason))
    return tuple(found)


def _no_closes(ev: Evidence, ticker: str, days: Days) -> Ruling:
    return not_testable(
        f"{ev.call(ticker)} has no close on {ev.day(days.before)} or {ev.day(days.last)}",
        f"closes of {ticker} on both days",
    )


def _period(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge a move over calendar days by its sign, and by its size if one is claimed."""
    move = ev.move(ticker, days)
    start = f"{moved(ev.call(ticker), move.raw)} from the close of {ev.day(days.before)} to that of {ev.day(days.last)}"
    return _ruling(ev, ticker, days, move, _verdict_of_period(part, move), start)


def _verdict_of_period(part: ClaimPart, move: Move) -> Verdict:
    if part.value is not None:
        return judge_amount(part.sign * move.raw / part.amount, tolerance(part.wording, part.value, dollars=False))
    # an index is its own yardstick; over days, the word alone is judged by the stretches of the estimation window
    plain = replace(move, abnormal=math.nan, low=math.nan, high=math.nan, yardstick=True)
    return verdict_of_move(part.says, part.wording, plain)


def _judge_size(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed move in per cent; of several assets, with ``up to`` the largest counts."""
    if part.wording != "up to" or len(part.assets) == 1:
        return each_asset(_size)(ev, part)
    days = ev.days(part)
    raws = {t: part.sign * ev.move(t, days).raw for t in part.assets}
    known = {t: raw for t, raw in raws.items() if math.isfinite(raw)}
    if not known:
        return not_testable("none of the assets has closes on these days", "their closes")
    return _size(ev, part, max(known, key=known.__getitem__), days)


def _size(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    move = ev.move(ticker, days)
    what, number = ("abnormal return", move.abnormal) if part.measure == "abnormal" else ("return", move.raw)
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    if not math.isfinite(number):
        return not_testable(move.reason or "there is no abnormal return", "an abnormal return")
    low, high = tolerance(part.wording, float(part.value or 0.0), dollars=False)
    verdict = judge_amount(part.sign * number / part.amount, (low, high))
    top = "any size above" if math.isinf(high) else percent(part.amount * high, sign=False)
    end = f"the claim is a {what} between {percent(part.amount * low, sign=False)} and {top}"
    return replace(_ruling(ev, ticker, days, move, verdict, end=end), number=number)


def _no_change(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge that nothing had happened: while the abnormal return lies within its noise, and the price moved as in its estimation window.

    A price that left that range together with the market is ``supported beyond the market only``.
    """
    move = ev.move(ticker, days)
    return _ruling(ev, ticker, days, move, _verdict_of_calm(move))


def _verdict_of_calm(move: Move) -> Verdict:
    """Judge that nothing happened, by the abnormal return; of the yardstick itself, by the moves of its estimation window."""
    low, high, value = (move.tail_low, move.tail_high, move.raw) if move.yardstick else (move.low, move.high, 0.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not testable here"
    if not low <= value <= high:
        return "contradicted"
    usual = not math.isfinite(move.tail_low) or move.tail_low <= move.raw <= move.tail_high
    return "supported" if usual else "supported beyond the market only"


def _judge_count(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge how many of some companies fell or rose."""
    days = ev.days(part)
    groups = [ev.basket(key) for key in part.baskets] or [("the named companies", part.assets)]
    return joint_ruling(
        [(label, _count(ev, part, label, tickers, days)) for label, tickers in groups], "which companies are counted"
    )


def _count(ev: Evidence, part: ClaimPart, label: str, tickers: tuple[str, ...], days: Days) -> Ruling:
    raws = {t: ev.raw(t, days) for t in tickers if ev.has(t)}
    seen = {t: r for t, (r, _) in raws.items() if math.isfinite(r)}
    missing = [t for t in tickers if t not in seen]
    if not seen:
        return not_testable(f"none of {label} has closes on these days", "closes of its companies")
    did = [t for t, r in seen.items() if part.sign * r > 0.0]
    k, n = len(did), len(seen)
    text = f"{k} of {n} {part.says} ({label}, {days.text}): {percent(k / n, 1, sign=False)}{_who_did(ev, seen, did)}"
    verdict, needs = _bounded(part, k, n, len(missing)), ""
    if missing:
        text += f"; without prices: {missing_text(missing)}"
    if verdict == "not testable here":
        text += ", and what they did decides the claim"
        needs = f"the closes of {missing_text(missing)}"
    inputs = [("counted", str(n)), (part.says, str(k)), ("without prices", missing_text(missing))]
    adjusted = sum(not raws[t][1] for t in seen)
    if adjusted:
        inputs.append(("by returns with dividends, for want of closes without them", f"{adjusted} of {n}"))
    number, unit = (k / n, "fraction") if part.unit == "percent" else (float(k), "count")
    return Ruling(
        verdict,
        f"{text}.",
        number=number,
        unit=unit,
        inputs=tuple(inputs),
        readings=(Reading(label, number, verdict),),
        days=days.text,
        needs=needs,
    )


def _who_did(ev: Evidence, seen: Collection[str], did: Collection[str], most: int = 12) -> str:
    """Name the companies that did and those that did not, if they are few."""
    if len(seen) > most:
        return ""
    called = dict(zip(seen, ev.call_all(list(seen)), strict=True))
    others = [called[t] for t in seen if t not in did]
    text = f"; {listed(called[t] for t in did) or 'none'} did"
    return f"{text}, {listed(others)} did not" if others else text


def _bounded(part: ClaimPart, k: int, n: int, missing: int) -> Verdict:
    """Judge a count of k among n; it stands only if it is the same whatever the missing companies did."""
    possible = {_verdict_of_count(part, k + more, n + missing) for more in range(missing + 1)}
    return possible.pop() if len(possible) == 1 else "not testable here"


def _verdict_of_count(part: ClaimPart, k: int, n: int) -> Verdict:
    """Judge a count: names are counted exactly, a share of them is judged as an amount; none at all contradicts all but a ceiling."""
    if part.wording in COUNT_WORDS:
        if {"most": k > n / 2, "several": k >= SEVERAL, "all": k == n, "none": k == 0}[part.wording]:
            return "supported"
        return "contradicted" if k == 0 or part.wording == "none" else "overstated"
    if k == 0:
        return "supported" if part.wording in CEILINGS else "contradicted"
    claimed = float(part.value or 0.0)
    bounds = tolerance(part.wording, claimed, dollars=False)
    if part.unit == "percent":
        return judge_amount(k / n / part.amount, bounds)
    return judge_amount(k / claimed, _exact(part.wording, claimed) or bounds)


def _exact(wording: str, claimed: float) -> tuple[float, float] | None:
    """Return the bounds of a number of names over the claimed one, which has no rounding; None for words that are vague themselves."""
    step = 0.5 / claimed  # names are whole: half of one is on neither side
    if wording in CEILINGS:
        return 0.0, 1.0 - step
    return {
        "": (1.0, 1.0),
        "at least": (1.0, math.inf),
        "more than": (1.0 + step, math.inf),
        "over": (1.0 + step, math.inf),
    }.get(wording)


def _something_to_count(part: ClaimPart) -> str:
    if not part.assets and not part.baskets:
        return "needs 'assets' or 'baskets'"
    if part.value is None and part.wording not in COUNT_WORDS:
        return f"needs 'value', or a wording of {', '.join(COUNT_WORDS)}"
    return ""


MOVES = {
    "direction": Kind(
        each_asset(_direction),
        needs=("assets", "says"),
        allows=(*DAYS, "wording"),
        says=FELL_ROSE,
        wordings=MOVE_WORDS,
    ),
    "impact": Kind(
        each_asset(_impact),
        needs=("assets", "says"),
        allows=(*DAYS, "wording"),
        says=FELL_ROSE,
        wordings=MOVE_WORDS,
    ),
    "size": Kind(
        _judge_size,
        needs=("assets", "says", "value"),
        allows=(*DAYS, "unit", "wording", "measure"),
        says=FELL_ROSE,
        units=("percent",),
        wordings=AMOUNT_WORDS,
        measures=("raw", "abnormal"),
        usual_unit="percent",
    ),
    "period": Kind(
        each_asset(_period),
        needs=("assets", "says", "from", "to"),
        allows=("value", "unit", "wording"),
        says=FELL_ROSE,
        units=("percent",),
        wordings=(*AMOUNT_WORDS, *MOVE_WORDS[1:]),
        usual_unit="percent",
    ),
    "count": Kind(
        _judge_count,
        needs=("says",),
        allows=(*DAYS, "assets", "baskets", "value", "unit", "wording"),
        says=FELL_ROSE,
        units=("names", "percent"),
        wordings=(*AMOUNT_WORDS, *COUNT_WORDS),
        usual_unit="names",
        check=_something_to_count,
    ),
    "no_change": Kind(
        each_asset(_no_change),
        needs=("assets",),
        allows=(*DAYS, "says"),
        says=("no change",),
        wordings=("",),
    ),
}
