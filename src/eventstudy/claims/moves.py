"""Claims about what shares did: direction, impact, size, a period, no change, counts of shares."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from eventstudy.claims.evidence import Days, Evidence, Move
from eventstudy.claims.kind import DAYS, FELL_ROSE, Kind, each_asset
from eventstudy.claims.ruling import (
    SEVERAL,
    Reading,
    Ruling,
    Verdict,
    allows,
    enough_digits,
    joint_ruling,
    judge_amount,
    missing_text,
    moved,
    not_testable,
    tolerance,
)
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.words import AMOUNT_WORDS, COUNT_WORDS, MOVE_WORDS, SHARPLY, SIGN, SLIGHTLY, UP_TO, VERBS
from eventstudy.inference.result import LEVEL
from eventstudy.study.yardstick import AgainstRest
from eventstudy.wording import interval, listed, percent

_INTERVAL = "95% interval of the abnormal return"


def verdict_of_move(says: str, wording: str, move: Move) -> Verdict:
    """Judge what a verb says of a price, of an index as of a share.

    Notes
    -----
    A verb speaks of the price, so the price judges it: ``contradicted`` if it went the other way or did not move. One bound parts the sharp
    from the slight, the ordinary move: the outermost 5 % of the stretches of as many days in its own estimation window, on that side.
    *Sharply*, or a verb as strong, needs a change beyond it (else ``overstated``), *slightly* one inside (else ``understated``), as does
    no change at all (`verdict_of_calm`). What the market did with it is the abnormal
    return, which is told beside and judges claims of kind ``impact``. A denied verb gets the opposite.

    Examples
    --------
    >>> day = Move(-0.17, -0.133, -0.18, -0.08, -0.04, 0.05, 250)
    >>> [verdict_of_move(says, "", day) for says in ("plunged", "rose", "did not fall")]
    ['supported', 'contradicted', 'contradicted']
    """
    verb = VERBS[says]
    verdict = _verdict_of_move(verb.base, wording or verb.strength, move)
    return _denied(verdict) if verb.negated else verdict


def _verdict_of_move(base: str, strength: str, move: Move) -> Verdict:
    size = SIGN[base] * move.raw
    if not math.isfinite(size):
        return "not testable here"
    if size < 0.0 or (size == 0.0 and base != "recovered"):
        return "contradicted"
    if strength in SLIGHTLY:
        return _by_bound(SIGN[base] * move.tail(SIGN[base]), size, inside="supported", beyond="understated")
    if strength in SHARPLY:
        return _by_bound(SIGN[base] * move.tail(SIGN[base]), size, inside="overstated", beyond="supported")
    return "supported"


def _denied(verdict: Verdict) -> Verdict:
    """Return the verdict on a claim that something was not so; that it is not seen in the noise proves neither."""
    if verdict == "supported":
        return "contradicted"
    if verdict == "not visible in prices":
        return "not clear"
    return verdict if verdict == "not testable here" else "supported"


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
    ``contradicted`` if it lies on the other side. A denied verb gets the opposite, and ``not clear`` where the interval holds zero.

    Examples
    --------
    >>> verdict_of_impact("fell", "", Move(0.02, -0.001, -0.06, 0.057, -0.04, 0.05, 250))
    'not visible in prices'
    """
    verb = VERBS[says]
    verdict = _verdict_of_impact(SIGN[verb.base], wording or verb.strength, move)
    return _denied(verdict) if verb.negated else verdict


def _verdict_of_impact(sign: float, strength: str, move: Move) -> Verdict:
    if not math.isfinite(move.abnormal):
        return "not testable here"
    if move.low <= 0.0 <= move.high:
        return "not visible in prices"
    if sign * move.abnormal < 0.0:
        return "contradicted"
    strong = sign * move.raw > sign * move.tail(sign)
    return "supported" if strong or strength not in SHARPLY else "overstated"


def _direction(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge which way a price went."""
    move = ev.move(ticker, days)
    verdict = verdict_of_move(part.says, part.wording, move)
    return _ruling(ev, ticker, days, move, verdict, end=_yardstick(part, "the sign of the change"))


def _impact(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge which way news moved a price, beyond the market."""
    move = ev.move(ticker, days)
    verdict = verdict_of_impact(part.says, part.wording, move)
    ruling = _ruling(ev, ticker, days, move, verdict, end=_yardstick(part, "the abnormal return"))
    rest = ev.rest(ticker, days)
    return ruling if rest is None else _by_both_yardsticks(ev, part, ticker, move, ruling, rest)


def _by_both_yardsticks(
    ev: Evidence, part: ClaimPart, ticker: str, move: Move, ruling: Ruling, rest: AgainstRest
) -> Ruling:
    """Judge an impact by the yardstick and by the rest of it, without the firms whose events are studied."""
    away = abs(rest.against_rest)
    ends = (-away, away) if rest.p_rest >= LEVEL else (rest.against_rest, rest.against_rest)
    other = verdict_of_impact(
        part.says, part.wording, replace(move, abnormal=rest.against_rest, low=ends[0], high=ends[1])
    )
    if other == ruling.verdict:
        return ruling
    index = ev.call(" ".join(ev.study.model.columns))
    readings = (
        Reading(index, rest.change, ruling.verdict),
        Reading(f"{index} without the events' own firms", rest.against_rest, other),
    )
    numbers = f"{ev.call(ticker)}{rest.words.removeprefix(rest.name)} against {readings[1].label}"
    return replace(
        ruling,
        verdict="depends on",
        sentence=f"{ruling.sentence} Whether {ev.call(ticker)} moved beyond the market depends on the yardstick: {numbers}.",
        condition=f"the yardstick: {'; '.join(f'{r.verdict} against {r.label}' for r in readings)}",
        readings=readings,
    )


def _yardstick(part: ClaimPart, plain: str) -> str:
    """Say what the words of a claim without a number are measured by."""
    how = SHARPLY[0] if part.wording in SHARPLY else SLIGHTLY[0] if part.wording in SLIGHTLY else part.wording
    words = f"{part.says} {how}".strip()
    by = "the price's own estimation days" if part.strength else ""
    return f"the yardstick of “{words}” is {listed(filter(None, (plain, by)))}"


def _ruling(ev: Evidence, ticker: str, days: Days, move: Move, verdict: Verdict, end: str = "") -> Ruling:
    """Put a move into a sentence, beside the moves of its estimation window and its abnormal part."""
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    text = f"{moved(ev.call(ticker), move.raw)} ({_from_to(ev, days)})"
    text += _beside_estimation_window(move, days)
    if math.isfinite(move.abnormal):
        text += f"; its abnormal return is {percent(move.abnormal)} (95% interval {interval(move.low, move.high)})"
    text += f"; {end}" if end else ""
    no_abnormal = verdict == "not testable here" and not move.yardstick and move.reason
    text += f"; no abnormal return: {move.reason.rstrip('.')}" if no_abnormal else ""
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
        needs=_needed(ev, ticker) if verdict == "not testable here" else "",
    )


def _needed(ev: Evidence, ticker: str) -> str:
    """Say what an abnormal return needs that is not there."""
    if ev.elsewhere is not None:
        return f"a study of {ticker} against a yardstick of its own exchange"
    return "enough estimation days of the share before these"


def _from_to(ev: Evidence, days: Days) -> str:
    return days.text if days.n == 1 else f"{days.text}, from the close of {ev.day(days.before)}"


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


def _judge_size(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed move in per cent; of several assets, with ``up to`` the largest counts."""
    if part.wording not in UP_TO or len(part.assets) == 1:
        return each_asset(_size)(ev, part)
    ev = ev.home(part.assets)
    days = ev.days(part)
    raws = {t: part.sign * ev.move(t, days).raw for t in part.assets}
    known = {t: raw for t, raw in raws.items() if math.isfinite(raw)}
    if not known:
        return not_testable("none of the assets has closes on these days", "their closes")
    return _size(ev, part, max(known, key=known.__getitem__), days)


def _period(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge a move over calendar days by its verb, or by its size if one is claimed."""
    if part.verb.base == "recovered" and part.value is None:
        return _recovery(ev, part, ticker, days)
    return (_size if part.value is not None else _direction)(ev, part, ticker, days)


def _recovery(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge whether a price that fell was back at the close before, or above, on any day of the claim's."""
    move, path = ev.move(ticker, days), ev.path(ticker, days)
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    below, back = path < 0.0, path >= 0.0
    fell = int(below.argmax()) if below.any() else -1
    later = np.flatnonzero(back[fell + 1 :]) + fell + 1
    level = f"its close of {ev.day(days.before)}"
    if fell < 0:
        end = f"it never closed below {level}"
    elif not later.size:
        end = f"from {ev.day(days.first + fell)} on it closed below {level} on all days"
    else:
        end = f"it was back at {level}, or above, on {ev.day(days.first + int(later[0]))}"
        end += ", and was below again at the end" if below[-1] else ""
    verdict: Verdict = "supported" if later.size else "contradicted"
    verdict = _denied(verdict) if part.verb.negated else verdict
    return _ruling(
        ev, ticker, days, move, verdict, end=f"{end}; the yardstick of “{part.says}” is any close of the days"
    )


def _size(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge a claimed size: of the return or the abnormal return in per cent, or of an index in points."""
    move, points = ev.move(ticker, days), part.unit == "points"
    if not math.isfinite(move.raw):
        return _no_closes(ev, ticker, days)
    if points and not ticker.startswith("^"):
        return not_testable(f"{ev.call(ticker)} is a share, and points are those of an index", "the move in per cent")
    number = move.raw
    if points:
        closes = ev.closes(ticker, days)[0]
        number = float(closes[days.last] - closes[days.before])
    elif part.measure == "abnormal":
        number = move.abnormal
    if not math.isfinite(number):
        return not_testable(move.reason or "there is no abnormal return", "an abnormal return")
    bounds = tolerance(part.wording, float(part.value or 0.0))
    abnormal = part.measure == "abnormal"
    form = _plain if points else _points_of if abnormal else _size_text
    unit = " points" if points else " percentage points" if abnormal else ""
    end = allows(part.wording, part.amount, bounds, form, unit)
    lines = [part.amount * b for b in (bounds.low, bounds.high)]
    exact = _index_points if points else _percent
    # two digits would print the line itself
    if points or abnormal or enough_digits(_percent, [number], lines, 2) > 2:
        digits = enough_digits(exact, [number], lines, 2 if points or abnormal else 4)
        shown = exact(abs(number), digits)
        end = f"that is {shown.rstrip('%') if abnormal else shown}{unit}; {end}"
    ruling = _ruling(ev, ticker, days, move, judge_amount(part.sign * number / part.amount, bounds), end=end)
    return replace(ruling, number=number, unit="points" if points else ruling.unit)


def _index_points(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _points_of(value: float) -> str:
    return _size_text(value).rstrip("%")


def _percent(value: float, digits: int) -> str:
    return percent(value, digits, sign=False)


def _plain(value: float) -> str:
    return f"{value:,.10g}"


def _size_text(value: float) -> str:
    return percent(value, 4, sign=False).rstrip("%").rstrip("0").rstrip(".") + "%"


def _no_change(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    """Judge that nothing happened beyond the ordinary: by two one-sided tests at 2.5 % each, whose margin is the ordinary itself.

    Notes
    -----
    The margin is the inner nine tenths of the price's own moves over as many estimation days: nothing that would be called sharp. The claim
    holds if the price and the 95 % interval of its abnormal return lie inside it. It is contradicted if the price left it, or the interval
    excludes zero; else the data are too noisy to say, which is ``not clear`` and no proof of calm. A price that left the margin while the
    interval lies inside is ``supported beyond the market only``. The yardstick itself has no noise: its change alone is judged.
    """
    move = ev.move(ticker, days)
    end = f"the margin of no change is its own ordinary move, {interval(move.tail_low, move.tail_high)}"
    return _ruling(ev, ticker, days, move, verdict_of_calm(move), end=end if math.isfinite(move.tail_low) else "")


def verdict_of_calm(move: Move) -> Verdict:
    """Judge that nothing happened, by the equivalence of the abnormal return with zero.

    Examples
    --------
    >>> [verdict_of_calm(Move(0.0, ar, ar - 0.02, ar + 0.02, -0.03, 0.03, 250)) for ar in (0.005, 0.015, 0.025)]
    ['supported', 'not clear', 'contradicted']
    """
    low, high = (move.raw, move.raw) if move.yardstick else (move.low, move.high)
    if not all(map(math.isfinite, (low, high, move.tail_low, move.tail_high))):
        return "not testable here"
    usual = move.tail_low <= move.raw <= move.tail_high
    if move.tail_low <= low and high <= move.tail_high:
        return "supported" if usual else "supported beyond the market only"
    return "not clear" if usual and low <= 0.0 <= high else "contradicted"


def _judge_count(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge how many of some companies fell or rose."""
    groups = [ev.basket(key) for key in part.baskets] or [("the named companies", part.assets)]
    ev = ev.home([t for _, tickers in groups for t in tickers])
    days = ev.days(part)
    return joint_ruling(
        [(label, _count(ev, part, label, tickers, days)) for label, tickers in groups], "which companies are counted"
    )


def _count(ev: Evidence, part: ClaimPart, label: str, tickers: tuple[str, ...], days: Days) -> Ruling:
    raws = {t: ev.raw(t, days) for t in tickers if ev.has(t)}
    seen = {t: r for t, (r, _) in raws.items() if math.isfinite(r)}
    missing = [t for t in tickers if t not in seen]
    if not seen:
        return not_testable(f"none of {label} has closes on these days", "closes of its companies")
    if part.strength:
        return not_testable(
            f"how hard each of them moved is not counted, and the claim says {part.says}", "a claim about fell or rose"
        )
    did, n = [t for t, r in seen.items() if part.sign * r > 0.0], len(seen)
    k = n - len(did) if part.verb.negated else len(did)
    text = f"{k} of {n} {part.says} ({label}, {days.text}): {percent(k / n, 1, sign=False)}{_who_did(ev, seen, did)}"
    text += f"; {_allowed(part, k / n)}"
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


def _allowed(part: ClaimPart, share: float) -> str:
    """Say which counts the claim allows."""
    words = {"most": "more than half", "several": f"{SEVERAL} or more", "all": "all of them", "none": "none of them"}
    if part.wording in words:
        return f"“{part.wording}” allows {words[part.wording]}"
    of_all = part.unit == "percent"
    bounds = tolerance(part.wording, float(part.value or 0.0), whole=not of_all)
    if not of_all:
        return allows(part.wording, part.amount, bounds, _plain)
    lines = [part.amount * bounds.low, part.amount * bounds.high]
    digits = enough_digits(_percent, [share], lines, 1)
    exact = "" if digits == 1 else f"that is {_percent(share, digits)}; "
    return exact + allows(part.wording, part.amount, bounds, _size_text)


def _verdict_of_count(part: ClaimPart, k: int, n: int) -> Verdict:
    """Judge a count: names are counted exactly, a share of them is judged as an amount; none at all contradicts all but a ceiling."""
    if part.wording in COUNT_WORDS:
        if {"most": k > n / 2, "several": k >= SEVERAL, "all": k == n, "none": k == 0}[part.wording]:
            return "supported"
        return "contradicted" if k == 0 or part.wording == "none" else "overstated"
    bounds = tolerance(part.wording, float(part.value or 0.0), whole=part.unit != "percent")
    if k == 0:
        return "supported" if bounds.ceiling else "contradicted"
    return judge_amount((k / n if part.unit == "percent" else k) / part.amount, bounds)


def _points_are_raw(part: ClaimPart) -> str:
    return "has no abnormal return in points" if (part.unit, part.measure) == ("points", "abnormal") else ""


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
        deniable=True,
    ),
    "impact": Kind(
        each_asset(_impact),
        needs=("assets", "says"),
        allows=(*DAYS, "wording"),
        says=FELL_ROSE,
        wordings=MOVE_WORDS,
        deniable=True,
    ),
    "size": Kind(
        _judge_size,
        needs=("assets", "says", "value"),
        allows=(*DAYS, "unit", "wording", "measure"),
        says=FELL_ROSE,
        units=("percent", "points"),
        wordings=AMOUNT_WORDS,
        measures=("raw", "abnormal"),
        usual_unit="percent",
        check=_points_are_raw,
    ),
    "period": Kind(
        each_asset(_period),
        needs=("assets", "says", "from", "to"),
        allows=("value", "unit", "wording"),
        says=(*FELL_ROSE, "recovered"),
        units=("percent", "points"),
        wordings=(*AMOUNT_WORDS, *MOVE_WORDS[1:]),
        usual_unit="percent",
        deniable=True,
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
        deniable=True,
    ),
    "no_change": Kind(
        each_asset(_no_change),
        needs=("assets",),
        allows=(*DAYS, "says"),
        says=("no change",),
        wordings=("",),
    ),
}
