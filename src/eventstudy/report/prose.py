"""The report's sentences, computed: a word such as "fell" stands only where the numbers carry it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.report.charts import day_text
from eventstudy.report.content import days_text
from eventstudy.report.findings import Findings
from eventstudy.wording import billions, interval, p_text, percent


def move_word(low: float, high: float) -> str:
    """Return ``fell``, ``rose`` or ``did not clearly move`` from an interval of the abnormal return."""
    return "fell" if high < 0 else "rose" if low > 0 else "did not clearly move"


def _raw_word(value: float) -> str:
    return "fell" if value < 0 else "rose" if value > 0 else "stood still"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _call(f: Findings, key: str) -> str:
    """Return what to call an event in a sentence: the company's name if it is the only event of its ticker."""
    return f.spec.call(key)


def standfirst(f: Findings) -> str:
    """Return the finding in two or three sentences: the largest abnormal move first, then the others."""
    car, raw = f.headline.car(0), f.headline.returns[0]
    order = car["car"].abs().sort_values(ascending=False, kind="stable").index
    return " ".join(_share_sentence(_call(f, str(k)), float(raw[k]), car.loc[k]) for k in order[:4])


def _share_sentence(name: str, raw: float, row: pd.Series[float]) -> str:
    """Say what a share did, and what of it the market does not explain."""
    low, high = float(row["low"]), float(row["high"])
    if not np.isfinite(low):
        return f"{name} has no abnormal return on the event day."
    start = f"{name} {_raw_word(raw)} {percent(abs(raw), 1, sign=False)}"
    reach = f"95% interval {interval(low, high, lambda v: percent(v, 1))}"
    points = f"{abs(float(row['car'])) * 100:.1f} percentage points"
    if move_word(low, high) == "did not clearly move":
        part = percent(float(row["car"]), 1)
        return f"{start}; less the market’s part that is {part}, within its ordinary noise ({reach})."
    side = "below" if row["car"] < 0 else "above"
    return f"{start}, {points} {side} what the market’s move explains ({reach})."


def verdict_sentences(f: Findings) -> list[str]:
    """Return the further findings: who rose against the tide, the joint tests, the dollars."""
    car, raw = f.headline.car(0), f.headline.returns[0]
    out = []
    for key in f.headline.events:
        row = car.loc[key]
        if move_word(float(row["low"]), float(row["high"])) == "rose" and raw[key] > 0:
            out.append(
                f"{_call(f, str(key))} did not fall. It rose {percent(float(raw[key]), sign=False)}, and its abnormal return is "
                f"positive: {percent(float(row['car']))} (p {p_text(float(row['p_value']))})."
            )
    if f.everyone.abnormal.n > 1:
        out.append(_joint(f))
    if f.dollars:
        out.append(_dollar_sentence(f))
    return [s for s in out if s]


def _joint(f: Findings) -> str:
    """Say what the recommended tests make of the average, and why they differ if they do."""
    found, believed = f.everyone.run_tests((0, 0))
    tests = [t for t in found if t.name in believed and t.applicable]
    if not tests:
        return ""
    caar = f.everyone.abnormal.caar((0, 0))
    parts = "; ".join(f"{t.title} p {p_text(t.p_value)}" for t in tests)
    text = f"Across all {f.everyone.abnormal.n} shares of the study the mean abnormal return was {percent(caar)} ({parts})."
    if len({t.p_value < 0.05 for t in tests}) > 1:
        ratio = event_variance_ratio(f)
        text += (
            f" The tests disagree because the shares went apart: standardised abnormal returns were spread {ratio:.0f} times as "
            f"widely (in variance) as on an ordinary day, some far down and some up. The average is large against ordinary days, "
            f"and uncertain against the spread of that day. The single shares tell more than their mean."
        )
    return text


def event_variance_ratio(f: Findings) -> float:
    """Return the cross-sectional variance of day-0 standardised abnormal returns over their ordinary variance.

    The ordinary variance of a standardised abnormal return is that of Student's t, ``(M-p)/(M-p-2)``.
    """
    ab = f.everyone.abnormal
    sar = ab.sums((0, 0)).scar
    seen = np.isfinite(sar)
    ordinary = float(np.mean(ab.df[seen] / (ab.df[seen] - 2.0)))
    return float(np.var(sar[seen], ddof=1) / ordinary)


def _dollar_sentence(f: Findings) -> str:
    keys = set(f.headline.abnormal.keys)
    parts = [
        f"{_call(f, c.key)} {'lost' if c.raw < 0 else 'gained'} {billions(abs(c.raw)).lstrip('+')}, of it abnormal "
        f"{billions(c.abnormal)} ({interval(c.low, c.high, billions)})"
        for c in f.dollars
        if c.key in keys and not c.reason
    ]
    return f"In market value {'; '.join(parts)}." if parts else ""


def universe_sentence(f: Findings) -> str:
    """Return how the whole market did on the event day; empty without a panel."""
    if f.universe is None:
        return ""
    day = f.universe.ar[0]
    ar, raw = day.to_numpy(dtype=float), f.universe.returns[0].to_numpy(dtype=float)
    seen = np.isfinite(ar)
    median, lowest = float(np.median(ar[seen])), str(day.idxmin())
    text = (
        f"Of {int(seen.sum())} members of the S&P 500 with prices, {int((raw[seen] > 0).sum())} rose on "
        f"{day_text(f.headline)}. The index fell because a few very large companies did, and it is the yardstick here: the "
        f"median member stands {percent(median)} against what its beta explains, the lowest, {_call(f, lowest)}, "
        f"{percent(float(np.nanmin(ar)))}."
    )
    beside = [f"{_call(f, t)} {percent(float(day[t]) - median)}" for t in f.spec.headline_tickers() if t in day.index]
    return f"{text} Measured from that median instead of the index: {_and(beside)}." if beside else text


def method_paragraph(f: Findings) -> str:
    """Return how the numbers were made, in a paragraph."""
    ab, model = f.headline.abnormal, f.headline.model
    panel = f.headline.panel
    first = panel.calendar[int(panel.position[0]) + ab.estimation.start]
    last = panel.calendar[int(panel.position[0]) + ab.estimation.end]
    return (
        f"For each share the {model.name} ({model.formula}) is estimated by least squares on the {len(ab.estimation)} sessions "
        f"{days_text(ab.estimation)}, {first.day} {first:%B %Y} to {last.day} {last:%B %Y}. The abnormal return is what the share did beyond that. Its "
        f"standard error is the exact prediction error, for sums of days too; intervals are two-sided 95%, from Student’s t. "
        f"Beside the t-test stand two tests that need no normality: SQ counts how many ordinary days were as extreme, and the "
        f"permutation test exchanges the event day with them."
    )
