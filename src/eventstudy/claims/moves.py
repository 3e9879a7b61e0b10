"""Claims about what shares did: direction, impact, size, a period, no change, counts of shares."""

from __future__ import annotations

import math
from dataclasses import replace

from eventstudy.claims.evidence import Days, Evidence, Move
from eventstudy.claims.ruling import (
    CEILINGS,
    COUNT_WORDS,
    SEVERAL,
    Reading,
    Ruling,
    Verdict,
    judge_amount,
    listed,
    missing_text,
    moved,
    not_testable,
    together,
    tolerance,
)
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.values import basket
from eventstudy.wording import interval, percent

_SIGN = {"fell": -1.0, "rose": 1.0, "lost": -1.0, "gained": 1.0}
_INTERVAL = "95% interval of the abnormal return"


def verdict_of_move(says: str, wording: str, move: Move) -> Verdict:
    """Judge that a share fell or rose, if worded so sharply or slightly.

    Returns
    -------
    str
        ``contradicted`` if the return has the other sign or none. Then *sharply* needs two things: a return beyond the outermost 5 % of the
        share's own ordinary stretches of as many days, on that side (else ``overstated``), and an abnormal return whose 95 % interval
        lies wholly on that side (else ``supported in price only``). *Slightly* needs a return that two thirds of the ordinary moves
        exceed in size at least (else ``understated``). Without a word the sign of the return and the interval decide.

    Notes
    -----
    Both conditions of *sharply* are needed: a calm share leaves its ordinary days behind with a market's move that any index fund makes
    too, and a wild one is abnormal on days that its holders know well.

    Examples
    --------
    >>> day = Move(-0.17, -0.133, -0.18, -0.08, -0.04, 0.05, 0.02, 250)
    >>> verdict_of_move("fell", "sharply", day), verdict_of_move("rose", "", day)
    ('supported', 'contradicted')
    """
    if not math.isfinite(move.raw):
        return "not testable here"
    sign = _SIGN[says]
    if sign * move.raw <= 0.0:
        return "contradicted"
    if wording in ("slight", "slightly"):
        return _among(move.inner, abs(move.raw), "supported", "understated")
    if wording in ("sharp", "sharply"):
        verdict = _among(
            sign * (move.tail_low if sign < 0 else move.tail_high), sign * move.raw, "overstated", "supported"
        )
        if verdict != "supported":
            return verdict
    if not math.isfinite(move.abnormal):
        return "supported" if move.yardstick else "supported in price only"
    beyond = move.high < 0.0 if sign < 0 else move.low > 0.0
    return "supported" if beyond else "supported in price only"


def _among(bound: float, size: float, inside: Verdict, beyond: Verdict) -> Verdict:
    """Return the verdict of a size up to a bound, or beyond it; without a bound there is none."""
    if not math.isfinite(bound):
        return "not testable here"
    return beyond if size > bound else inside


def verdict_of_impact(says: str, wording: str, move: Move) -> Verdict:
    """Judge that news hurt or helped a company, by its abnormal return alone.

    Returns
    -------
    str
        ``not visible in prices`` if the 95 % interval of the abnormal return holds zero; ``supported`` if it lies on the claim's side, and
        with *sharply* the return itself is beyond the outermost 5 % of ordinary stretches (else ``overstated``); ``contradicted`` if it
        lies on the other side.

    Examples
    --------
    >>> verdict_of_impact("fell", "", Move(0.02, -0.001, -0.06, 0.057, -0.04, 0.05, 0.02, 250))
    'not visible in prices'
    """
    if not math.isfinite(move.abnormal):
        return "not testable here"
    if move.low <= 0.0 <= move.high:
        return "not visible in prices"
    if (move.abnormal < 0.0) != (says == "fell"):
        return "contradicted"
    tail = move.tail_low if says == "fell" else -move.tail_high
    strong = (move.raw if says == "fell" else -move.raw) < tail
    return "supported" if strong or wording not in ("sharp", "sharply") else "overstated"


def judge_move(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claim of kind ``direction``, ``impact`` or ``period``, for each of its assets."""
    days = ev.days(part)
    rulings = [(ev.call(t), _one_move(ev, part, t, days)) for t in part.assets]
    return together(rulings, "which company is meant")


def _one_move(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    move = ev.move(ticker, days)
    name = ev.call(ticker)
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    if part.kind == "period":
        return _period(ev, part, ticker, days, move)
    judge = verdict_of_impact if part.kind == "impact" else verdict_of_move
    return _told(ev, ticker, days, move, judge(part.says, part.wording, move), f"{moved(name, move.raw)} ({days.text})")


def _told(ev: Evidence, ticker: str, days: Days, move: Move, verdict: Verdict, start: str, end: str = "") -> Ruling:
    """Put a move into a sentence with its ordinary days and its abnormal part, between a start and an end."""
    text = f"{start}{_beside_ordinary(move, days)}"
    if math.isfinite(move.abnormal):
        text += f"; its abnormal return is {percent(move.abnormal)} (95% interval {interval(move.low, move.high)})"
    text += f"; {end}" if end else ""
    inputs = _inputs(ev, ticker, days, move)
    return Ruling(
        verdict,
        f"{text}.",
        number=move.raw,
        low=move.low,
        high=move.high,
        unit="fraction",
        range_of=_INTERVAL if math.isfinite(move.low) else "",
        inputs=inputs,
        days=days.text,
        needs="enough ordinary days of the share before these" if verdict == "not testable here" else "",
    )


def _beside_ordinary(move: Move, days: Days) -> str:
    """Say how a move compares with the outermost twentieth of the share's ordinary ones, on its side."""
    falls = move.raw < 0.0
    tail = move.tail_low if falls else move.tail_high
    if not math.isfinite(tail) or move.raw == 0.0:
        return ""
    far = move.raw < tail if falls else move.raw > tail
    on = "on one of twenty ordinary days" if days.n == 1 else f"in one of twenty ordinary {_stretches(days)}"
    if (tail < 0.0) == falls:
        beyond = f"{'falls' if falls else 'rises'} by more than {percent(abs(tail), sign=False)}"
    else:  # a share that drifted so far that even its outermost twentieth lies on the other side of zero
        beyond = f"stays {'below' if falls else 'above'} {percent(tail)}"
    return f", {'out of' if far else 'within'} the ordinary: {on} it {beyond}"


def _stretches(days: Days) -> str:
    return "days" if days.n == 1 else f"stretches of {days.n} days"


def _inputs(ev: Evidence, ticker: str, days: Days, move: Move) -> tuple[tuple[str, str], ...]:
    traded = ev.traded(ticker)
    shown = traded if traded is not None and move.priced else ev.adjusted(ticker)
    kind = "close" if move.priced else "adjusted close"
    found = [
        (f"{kind} {ev.sessions[days.before]:%Y-%m-%d}", f"{shown[days.before]:,.2f}"),
        (f"{kind} {ev.sessions[days.last]:%Y-%m-%d}", f"{shown[days.last]:,.2f}"),
        (
            "change of the price" if move.priced else "return with dividends, for want of closes without them",
            percent(move.raw),
        ),
    ]
    if move.priced and percent(move.total) != percent(move.raw):
        found.append(("return with dividends", percent(move.total)))
    found.append(("ordinary " + _stretches(days), str(move.ordinary)))
    if math.isfinite(move.abnormal):
        found += [("abnormal return", percent(move.abnormal)), ("95% interval", interval(move.low, move.high))]
    elif move.reason:
        found.append(("no abnormal return", move.reason))
    return tuple(found)


def _no_closes(ev: Evidence, ticker: str, days: Days) -> Ruling:
    a, b = (f"{ev.sessions[i]:%Y-%m-%d}" for i in (days.before, days.last))
    return not_testable(f"{ev.call(ticker)} has no close on {a} or {b}", f"closes of {ticker} on both days")


def _period(ev: Evidence, part: ClaimPart, ticker: str, days: Days, move: Move) -> Ruling:
    """Judge a move over calendar days by its sign, and by its size if one is claimed."""
    start = f"{moved(ev.call(ticker), move.raw)} from the close of {ev.sessions[days.before]:%Y-%m-%d} to that of {ev.sessions[days.last]:%Y-%m-%d}"
    if part.value is not None:
        ratio = _SIGN[part.says] * move.raw / part.amount
        verdict: Verdict = judge_amount(ratio, tolerance(part.wording, float(part.value), dollars=False))
    elif _SIGN[part.says] * move.raw <= 0.0:
        verdict = "contradicted"
    else:  # an index is its own yardstick; over days, the word alone is judged by ordinary stretches
        plain = replace(move, abnormal=math.nan, low=math.nan, high=math.nan, yardstick=True)
        verdict = verdict_of_move(part.says, part.wording, plain)
    return _told(ev, ticker, days, move, verdict, start)


def judge_size(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed move in per cent; of several assets, with ``up to`` the largest counts."""
    days = ev.days(part)
    sign = _SIGN[part.says]
    moves = {t: ev.move(t, days) for t in part.assets}
    if part.wording == "up to" and len(moves) > 1:
        known = {t: m for t, m in moves.items() if math.isfinite(m.raw)}
        if not known:
            return not_testable("none of the assets has closes on these days", "their closes")
        moves = dict([max(known.items(), key=lambda item: sign * item[1].raw)])
    return together([(ev.call(t), _one_size(ev, part, t, days, m)) for t, m in moves.items()], "which company is meant")


def _one_size(ev: Evidence, part: ClaimPart, ticker: str, days: Days, move: Move) -> Ruling:
    number = move.abnormal if part.measure == "abnormal" else move.raw
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    if not math.isfinite(number):
        return not_testable(move.reason or "there is no abnormal return", "an abnormal return")
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=False)
    verdict: Verdict = judge_amount(_SIGN[part.says] * number / part.amount, bounds)
    what = "abnormal return" if part.measure == "abnormal" else "return"
    top = "any size above" if math.isinf(bounds[1]) else percent(part.amount * bounds[1], sign=False)
    end = f"the claim is a {what} between {percent(part.amount * bounds[0], sign=False)} and {top}"
    told = _told(ev, ticker, days, move, verdict, f"{moved(ev.call(ticker), move.raw)} ({days.text})", end)
    return replace(told, number=number)


def judge_no_change(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge that nothing had happened: while each abnormal return lies within its noise, and each price moved as on ordinary days.

    A price that left its ordinary days behind together with the market is ``supported beyond the market only``.
    """
    days = ev.days(part)
    found = []
    for ticker in part.assets:
        move, name = ev.move(ticker, days), ev.call(ticker)
        if not math.isfinite(move.raw):
            found.append((name, _no_closes(ev, ticker, days)))
            continue
        verdict: Verdict = _verdict_of_calm(move)
        found.append((name, _told(ev, ticker, days, move, verdict, f"{moved(name, move.raw)} ({days.text})")))
    return together(found, "which company is meant")


def _verdict_of_calm(move: Move) -> Verdict:
    """Judge that nothing happened, by the abnormal return; of the yardstick itself, by its ordinary days."""
    low, high, value = (move.tail_low, move.tail_high, move.raw) if move.yardstick else (move.low, move.high, 0.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not testable here"
    if not low <= value <= high:
        return "contradicted"
    ordinary = not math.isfinite(move.tail_low) or move.tail_low <= move.raw <= move.tail_high
    return "supported" if ordinary else "supported beyond the market only"


def judge_count(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge how many of some companies fell or rose."""
    days = ev.days(part)
    groups = [basket(ev, key) for key in part.baskets] or [("the named companies", part.assets)]
    return together(
        [(label, _one_count(ev, part, label, tickers, days)) for label, tickers in groups],
        "which companies are counted",
    )


def _one_count(ev: Evidence, part: ClaimPart, label: str, tickers: tuple[str, ...], days: Days) -> Ruling:
    raws = {t: ev.raw(t, days) for t in tickers if ev.has(t)}
    seen = {t: r for t, (r, _) in raws.items() if math.isfinite(r)}
    missing = [t for t in tickers if t not in seen]
    if not seen:
        return not_testable(f"none of {label} has closes on these days", "closes of its companies")
    did = [t for t, r in seen.items() if _SIGN[part.says] * r > 0.0]
    k, n = len(did), len(seen)
    text = f"{k} of {n} {part.says} ({label}, {days.text}): {percent(k / n, 1, sign=False)}"
    if len(seen) <= 12:
        called = dict(zip(seen, ev.call_all(list(seen)), strict=True))
        others = [called[t] for t in seen if t not in did]
        text += f"; {listed([called[t] for t in did]) or 'none'} did" + (
            f", {listed(others)} did not" if others else ""
        )
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
    of = k / n if part.unit == "percent" else float(k)
    unit = "fraction" if part.unit == "percent" else "count"
    return Ruling(
        verdict,
        f"{text}.",
        number=of,
        unit=unit,
        inputs=tuple(inputs),
        readings=(Reading(label, of, verdict),),
        days=days.text,
        needs=needs,
    )


def _bounded(part: ClaimPart, k: int, n: int, missing: int) -> Verdict:
    """Judge a count of k among n; it stands only if it is the same whatever the missing companies did."""
    possible = {_verdict_of_count(part, k + more, n + missing) for more in range(missing + 1)}
    return possible.pop() if len(possible) == 1 else "not testable here"


def _verdict_of_count(part: ClaimPart, k: int, n: int) -> Verdict:
    """Judge a count: names are counted exactly, a share of them is judged as an amount; none at all contradicts all but a ceiling."""
    if part.wording in COUNT_WORDS:
        enough = {"most": k > n / 2, "several": k >= SEVERAL, "all": k == n, "none": k == 0}[part.wording]
        return "supported" if enough else "contradicted" if k == 0 or part.wording == "none" else "overstated"
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
