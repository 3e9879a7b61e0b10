"""What a report says: sentences that are computed, and all of it as plain values, of which the page and the PDF are two layouts.

A word such as "fell" stands only where the numbers carry it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.claims import Claim
from eventstudy.claims.ledger import inputs_text
from eventstudy.errors import StudyFileError
from eventstudy.figures.titles import own_words
from eventstudy.files import MAX_TABLE, parse_json, read_small
from eventstudy.inference.advice import variance_limit
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.inference.result import LEVEL
from eventstudy.prices.snapshot import VendorFacts, is_snapshot, vendor_agreement
from eventstudy.report.charts import Chart
from eventstudy.report.day import day_sentences, headings
from eventstudy.report.findings import FAR, Findings, data_checks, happenings, joint_result, market_day
from eventstudy.report.held import (
    advice_numbers,
    average_of_everyone,
    benchmark_check,
    benchmark_numbers,
    benchmark_rows,
    clear_sign,
    headline_numbers,
    joint_numbers,
    kept_by_models,
    market_numbers,
    read_title,
    turned_headlines,
)
from eventstudy.report.tables import ReportTable, days_text
from eventstudy.statements import Numbers, certified, read
from eventstudy.study.results import EventStudyResult
from eventstudy.study.said import LED_BY, called, result_sentence
from eventstudy.study.yardstick import NEGLIGIBLE
from eventstudy.windows import Window
from eventstudy.wording import (
    DASH,
    MINUS,
    billions,
    capital,
    in_brackets,
    interval,
    iso_day,
    listed,
    long_day,
    p_text,
    percent,
)

#: What a correction says; the keys of an entry of ``corrections``.
CORRECTION_KEYS = ("date", "what", "old", "new", "reason")

#: More claims than this are too many to be read one after the other: the first to fold are those that need no second look.
CLAIMS_IN_FULL = 8
FOLDED_VERDICTS = (
    ("supported", "Claims that the prices support"),
    ("not testable here", "Claims that cannot be tested here"),
)

# The values go to a template or, as JSON, to a typesetter; their kinds are mixed on purpose.
Content = dict[str, Any]


def report_content(
    f: Findings,
    charts: Sequence[Chart],
    tables: Sequence[ReportTable],
    corrections: Sequence[Mapping[str, str]] = (),
    mark: str = "",
) -> Content:
    """Return everything that a report says, in words and rows, without a layout."""
    spec, origin = f.spec, f.prices.provenance
    read_title(f)
    said = sentences(f)
    for text, numbers in said.values():
        certified(text, numbers, "The report")
    return {
        "title": spec.title,
        "study": spec.name,
        "mark": mark,
        "day": day_text(f.headline),
        "standfirst": said["standfirst"][0],
        "question": spec.question,
        "background": spec.background,
        "findings": [{"lead": lead, "text": text} for lead, text in further_findings(f, said)],
        "method": said["method"][0],
        "recommended_tests": certified(_recommended_tests(f), advice_numbers(f), "The report"),
        "figures": {c.name: {"title": c.article.words.title, "alt": c.article.words.alt} for c in charts},
        "further_figures": [c.name for c in charts if c.further],
        "tables": {t.name: _table(t) for t in tables},
        "of_a_day": f.ordinary is not None,
        "headings": {} if f.ordinary is None else headings(f),
        "money_heading": money_heading(f),
        "money_noun": "dollars" if _in_dollars(f) else "amounts",
        "uncounted": ", ".join(c.key for c in f.dollars if c.reason),
        "claims": _claims(f),
        "timeline": _timeline(f),
        "windows": [
            {"days": days_text(w), "news": [list(pair) for pair in happenings(f, w)]} for w in f.spec.model.report
        ],
        "prices": {
            "source": origin.source,
            "retrieved": origin.retrieved,
            "first": origin.first,
            "last": origin.last,
            "adjustments": _sentence(origin.adjustments),
            "digest": origin.digest,
        },
        "vendors": list(vendor_lines(f)),
        "cautions": _cautions(f),
        "data_checks": _data_checks(f),
        "failed_checks": _failed_checks(f),
        "events": len(f.everyone.audit),
        "dropped": [f"{d.event.ticker} {d.event.asked}: {d.reason}" for d in f.everyone.dropped],
        "notebooks": [{"file": stem(n), "title": notebook_title(spec.folder / n)} for n in spec.notebooks],
        "files": _files(f),
        "corrections": _told_once([{k: str(entry.get(k, "")) for k in CORRECTION_KEYS} for entry in corrections]),
    }


def _table(table: ReportTable) -> Content:
    return {
        "name": table.name,
        "caption": table.caption,
        "headers": list(table.headers),
        "rows": [[str(cell) for cell in row] for row in table.rows],
        "left": table.left,
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def _recommended_tests(f: Findings) -> str:
    """Return which tests of the average are recommended and why, with the tests' titles beside their names."""
    if f.everyone.abnormal.n < 2:
        return ""
    tests, _ = f.everyone.run_tests((0, 0))
    titles = {t.name: t.title for t in tests}
    return re.sub(
        r"\b[a-z]+\d*(?:_[a-z0-9]+)+\b",
        lambda found: f"{titles[found[0]]} ({found[0]})" if found[0] in titles else found[0],
        f.everyone.recommended((0, 0)).sentence,
    )


def _claims(f: Findings) -> Content:
    """Return the claims by article, those that hold and those that cannot be tested folded if there are many, and a count."""
    left = [(source, c) for source, claims in f.claims.by_article().items() for c in claims]
    folded = []
    for verdict, summary in FOLDED_VERDICTS if len(left) > CLAIMS_IN_FULL else ():
        chosen = [_claim(*pair) for pair in left if pair[1].verdict == verdict]
        left = [pair for pair in left if pair[1].verdict != verdict]
        folded += [{"summary": f"{summary} ({len(chosen)})", "claims": chosen}] if chosen else []
    articles: dict[str, list[Content]] = {}
    for source, claim in left:
        articles.setdefault(source, []).append(_claim(source, claim))
    return {
        "tally": _tally([c.verdict for c in f.claims]),
        "articles": [{"article": name, "claims": found} for name, found in articles.items()],
        "folded": folded,
    }


def _claim(source: str, claim: Claim) -> Content:
    return {
        "quote": f"“{claim.quote}”",
        "article": source,
        "verdict": _sentence(claim.verdict_text).rstrip("."),
        "about": ", ".join(filter(None, (claim.about, claim.days))),
        "numbers": claim.sentence,
        "inputs": inputs_text(claim.ruling.inputs),
    }


def _tally(verdicts: Sequence[str]) -> str:
    words = {"depends on": "depends on the reading"}
    count = Counter(words.get(v, v) for v in verdicts)
    parts = [f"{n} {verdict}" for verdict, n in count.most_common()]
    return f"{len(verdicts)} claims: {', '.join(parts)}." if len(verdicts) > 1 else ""


def _timeline(f: Findings) -> Content:
    """Return what happened, each with its trading day relative to the event, and split at the event window."""
    inside: list[Content] = []
    outside: list[Content] = []
    panel, shared = f.headline.panel, bool(f.headline.when())
    for row in f.timeline.to_dict("records"):
        entry = {
            "date": str(row["date"]),
            "session": "" if row["session"] == row["date"] else str(row["session"]),
            "what": str(row["what"]),
            "other": str(row["confound"] or "") != "",
            "day": "",
        }
        if shared:
            day = int(panel.calendar.searchsorted(pd.Timestamp(str(row["session"])))) - int(panel.position[0])
            entry["day"] = f"day {day:+d}".replace("-", MINUS) if day else "day 0"
            window = f.headline.abnormal.window
            (inside if window.start <= day <= window.end else outside).append(entry)
        else:
            outside.append(entry)
    return {"inside": inside, "outside": outside, "window": days_text(f.headline.abnormal.window)}


def _cautions(f: Findings) -> list[str]:
    found = list(f.prices.provenance.cautions)
    if f.universe is not None:
        found += f.universe.provenance.cautions
    return list(dict.fromkeys(found))


def _data_checks(f: Findings) -> Content:
    """Return what the checks of prices found: what needs an eye, and notes."""
    found = data_checks(f)
    return {
        "serious": [str(check) for check in found if not check.is_note],
        "notes": [str(check) for check in found if check.is_note],
    }


def _failed_checks(f: Findings) -> Content:
    """Return the checks of validity that do not hold, as a table of their own, with the number of all."""
    checks = f.everyone.checks
    rows = [[c.name, c.value, c.rule, c.comment or DASH] for c in checks if not c.passed]
    headers = ["Check", "Found", "Expected", "Comment"]
    table = {"name": "", "caption": "Checks that do not hold", "headers": headers, "rows": rows, "left": len(headers)}
    return {"all": len(checks), "table": table if rows else None}


def _files(f: Findings) -> list[Content]:
    """Return the files that the report is made from, as pairs of what and where."""
    spec = f.spec
    pairs = [
        ("Study file", spec.path.name),
        ("Events", spec.events),
        ("Timeline", spec.timeline),
        ("Claims", spec.claims.file),
    ]
    return [{"what": what, "file": name} for what, name in pairs if name]


def _told_once(corrections: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the corrections, a reason that several in a row share beside the first of them."""
    before = [{}, *corrections[:-1]]
    return [
        {**entry, "reason": "" if entry["reason"] == last.get("reason") else entry["reason"]}
        for entry, last in zip(corrections, before, strict=False)
    ]


def stem(name: str) -> str:
    """Return a notebook's file name without folder and suffix."""
    return name.rsplit("/", 1)[-1].removesuffix(".ipynb")


def notebook_title(path: Path) -> str:
    """Return a notebook's first heading, or its file name in words."""
    try:
        cells = parse_json(read_small(path, MAX_TABLE))["cells"]
        first = "".join(cells[0]["source"]) if cells else ""
    except (ValueError, LookupError, TypeError) as error:
        if isinstance(error, StudyFileError):
            raise
        raise StudyFileError(f"{path.name} is no notebook that can be read ({error}).") from error
    if first.startswith("# "):
        return first.removeprefix("# ").splitlines()[0].strip()
    return path.stem.lstrip("0123456789").strip("_").replace("_", " ").capitalize()


# -- The sentences.


#: What the method says of log returns.
LOG_SENTENCE = (
    "Returns are log returns; every per cent is exp(x) − 1 of one, an abnormal return so the price beside the one expected, a mean that of "
    "the mean log return. "
)

#: What a share did: of its return, and of an abnormal return with an interval as a noun.
_RAW_WORDS = {-1: "fell", 0: "stood still", 1: "rose"}
_CLEAR_WORDS = {-1: "fell", 0: "no clear move", 1: "rose"}


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


#: What the manifest says of words: read from end to end and held against the numbers, or an author's own.
CERTIFIED, OWN = "certified", "the author's own words"


@lru_cache(maxsize=1)
def sentences(f: Findings) -> dict[str, tuple[str, Numbers]]:
    """Return the sentences that the report makes of its numbers, by name or by the words that lead in, each with what it is held against."""
    if f.ordinary is not None:
        return day_sentences(f)
    headline, together = headline_numbers(f), f.everyone.abnormal.n > 1
    found = {
        "standfirst": (result_sentence(f.headline, Window(0, 0), f.spec.names, turned_headlines(f)), headline),
        "method": (method_paragraph(f), headline),
        f"{f.headline.abnormal.n} events at once": (_many(f), headline),
        f"All {f.everyone.abnormal.n} events together": (_joint(f) if together else "", joint_numbers(f)),
        "With other models of normal": (_robustness_sentence(f), headline),
        "The market that day": (universe_sentence(f), market_numbers(f)),
        money_heading(f): (_dollar_sentence(f) if f.dollars else "", headline),
        "The benchmark": (benchmark_sentence(f), benchmark_numbers(f)),
    }
    return {name: (text, numbers) for name, (text, numbers) in found.items() if text}


def words_of(f: Findings, charts: Sequence[Chart]) -> dict[str, str]:
    """Return for the manifest which words are certified, by the one function that reads them, and which are an author's own."""
    said = {name: read(text, numbers).holds for name, (text, numbers) in sentences(f).items()}
    drawn = {f"figures/{c.name}": not own_words(c.article.recipe) for c in charts}
    known = {"title": read_title(f).certified, **said, **drawn}
    return {name: CERTIFIED if holds else OWN for name, holds in known.items()}


def _on_day(f: Findings, key: str) -> str:
    """Return an event's name, with its day if the events do not share one."""
    return called(f.headline, f.headline.abnormal.keys.index(key), f.spec.names)


def further_findings(f: Findings, said: Mapping[str, tuple[str, Numbers]] | None = None) -> list[tuple[str, str]]:
    """Return what else was found, each with a few words to lead in: claims contradicted, the joint tests, models, the market, dollars."""
    against = dict.fromkeys(_against(c) for c in f.claims if c.verdict == "contradicted" and c.kind != "date")
    out = [("Not as reported", sentence) for sentence in against]
    own = {name: text for name, (text, _) in (said or sentences(f)).items() if name not in ("standfirst", "method")}
    return [*out, *own.items()]


def _against(claim: Claim) -> str:
    """Say that a claim is contradicted, with its numbers."""
    if len(claim.assets) == 1 and claim.kind in ("direction", "impact", "size"):
        return f"{claim.about} did not do what one article says. {claim.ruling.sentence}"
    return f"One article’s “{claim.quote}” is contradicted. {claim.ruling.sentence}"


def _many(f: Findings) -> str:
    """Say what is left of each headline result when one allows for how many shares were looked at, by Holm's step-down."""
    table = f.headline.adjusted((0, 0), method="holm")
    table = table[table["p_adjusted"].notna()]
    if len(table) < 2:
        return ""
    parts = [f"{p_text(float(p))} for {_on_day(f, str(key))}" for key, p in table["p_adjusted"].items()]
    n = len(table)
    text = (
        f"The more events one looks at, the likelier it is that one of them stands out by chance. Allowing for {n} of them by Holm’s "
        f"method, the p-value of the t-test is {listed(parts)}."
    )
    lost = table[(table["p_value"] < LEVEL) & (table["p_adjusted"] >= LEVEL)].index
    if len(lost):
        text += f" The result of {listed([_on_day(f, str(key)) for key in lost])} is clear for an event looked at alone, not among {n}."
    return text


def _joint(f: Findings) -> str:
    """Say what the recommended tests make of the average, and why they differ if they do."""
    found, recommended = f.everyone.run_tests((0, 0))
    tests = [t for t in found if t.name in recommended and t.applicable]
    joint = joint_result(f)
    if not tests or joint is None:
        return ""
    ab = f.everyone.abnormal
    parts = "; ".join(f"{t.title}: p {p_text(t.p_value)}" for t in tests)
    text = f"Across all {ab.n} events of the study the mean abnormal return was {percent(joint.mean)} ({parts})."
    if (ratio := joint.variance_ratio) > variance_limit(ab.n):
        text += (
            f" That day the events went apart: their standardised abnormal returns were spread {ratio:.0f} times as widely (in "
            f"variance) as on an estimation day, {joint.far_down} of them more than {FAR:.0f} standard errors down and {joint.far_up} as far up. Tests "
            f"that assume no such event-induced variance overstate what is known of the average; the single shares tell more than "
            f"their mean."
        )
    return text


def benchmark_sentence(f: Findings) -> str:
    """Say what of the benchmark are the events' own firms, where that matters, and what is left against the rest of it."""
    check = benchmark_check(f)
    if check is None:
        return ""
    if not check.rows:
        said = f"{check.value}; {check.comment}" if check.explained < 1.0 else check.comment
        return _sentence(check.plain or said)
    rows = sorted((r for r in benchmark_rows(f) if r.turns or r.single), key=lambda r: (not r.turns, -r.diluted))[
        :LED_BY
    ]
    if not any(r.turns or r.diluted > NEGLIGIBLE for r in rows):
        return ""
    called_so = {r.name: _on_day(f, r.name) if r.single else average_of_everyone(f) for r in rows}
    held = sorted((r for r in rows if r.single), key=lambda r: -r.share)
    shares = listed([f"{called_so[r.name]} ({percent(r.share, 1, sign=False)})" for r in held])
    n = len(check.without)
    others = (
        f"{n} of the events’ firms, among them"
        if len(held) < n
        else "the event’s firm"
        if n == 1
        else "the events’ firms"
    )
    out = "it" if n == 1 else "both" if n == 2 else f"all {n}"
    rest = f"Without {out} in it" if check.one_date else "Without those of the same date in it"
    parts = [
        f"{called_so[r.name]} {percent(r.change)} (p {p_text(r.p)}) becomes {percent(r.against_rest)} (p {p_text(r.p_rest)})"
        for r in rows
    ]
    turned = listed([called_so[r.name] for r in rows if r.turns])
    return (
        f"{capital(f.spec.call(f.spec.model.benchmark))} holds {others}: {shares}. {rest} the abnormal return of "
        f"{'; of '.join(parts)}.{f' The verdict turns for {turned}.' if turned else ''}"
    )


def _robustness_sentence(f: Findings) -> str:
    """Say under how many other models of normal each headline result keeps its sign and its significance."""
    if not f.variants:
        return ""
    base, kept = f.headline.car(0), kept_by_models(f)
    parts = [
        f"{_on_day(f, str(key))} ({_CLEAR_WORDS[clear_sign(*base.loc[key, ['low', 'high']])]}) in {kept[f'kept of {key}']} of "
        f"{kept[f'models of {key}']}"
        for key in f.headline.events
    ]
    return f"Under other models of normal the finding stays for {listed(parts)}."


def _in_dollars(f: Findings) -> bool:
    """Whether all market values of a study are in US dollars."""
    return all(c.currency == "USD" for c in f.dollars)


def money_heading(f: Findings) -> str:
    """Return what leads in the changes in market value."""
    return "In dollars" if _in_dollars(f) else "In money"


def _bn(change: MarketValueChange) -> Callable[[float], str]:
    """Return how to write the money of a change: in billions of its currency."""
    return partial(billions, currency=change.currency)


def _dollar_sentence(f: Findings) -> str:
    """Say what the headline events cost or brought, and for which there is no figure."""
    keys = set(f.headline.abnormal.keys)
    chosen = [c for c in f.dollars if c.key in keys]
    parts = [
        f"{_on_day(f, c.key)} {'lost' if c.raw < 0 else 'gained'} {_bn(c)(abs(c.raw)).lstrip('+')} (abnormal "
        f"{_bn(c)(c.abnormal)}, {interval(c.low, c.high, _bn(c))})"
        for c in chosen
        if not c.reason
    ]
    missing = [_on_day(f, c.key) for c in chosen if c.reason]
    if not parts:
        return ""
    return f"In market value {'; '.join(parts)}." + (f" No figure for {listed(missing)}." if missing else "")


def universe_sentence(f: Findings) -> str:
    """Return how the whole market did on the event day; empty without a panel."""
    day = market_day(f)
    if f.universe is None or day is None:
        return ""
    text = f"Of {day.members} members of the S&P 500 with prices, {day.rose} rose on {day_text(f.universe)}"
    if np.isfinite(day.index) and (day.index < 0) == (day.rose > day.members / 2):
        text += (
            f", while {f.spec.call(f.spec.model.benchmark)} {_RAW_WORDS[_sign(day.index)]} {percent(abs(day.index), sign=False)}; it is "
            f"weighted by size and the yardstick here: a few very large companies moved it"
        )
    text += (
        f". The median member stands {percent(day.median)} against what its beta explains, the lowest, {f.spec.call(day.lowest_ticker)}, "
        f"{percent(day.lowest)}."
    )
    beside = [f"{f.spec.call(ticker)} {percent(value)}" for ticker, value in day.beside]
    return f"{text} Measured from that median instead: {listed(beside)}." if beside else text


def method_paragraph(f: Findings) -> str:
    """Return how the numbers were made, in a paragraph."""
    ab, model = f.headline.abnormal, f.headline.model
    fitted = (
        "is estimated by least squares on" if f.headline.fit.root.any() else "takes its spread, and nothing else, from"
    )
    return (
        f"For each share the {model.name.removesuffix(' model')} model ({model.formula}) {fitted} the {len(ab.estimation)} sessions "
        f"{days_text(ab.estimation)}{_estimation_dates(f)}. The abnormal return is what the share did beyond that. Its "
        f"standard error is the exact prediction error, for sums of days too; intervals are two-sided 95%, from Student’s t. "
        f"{LOG_SENTENCE if ab.log else ''}"
        f"Beside the t-test stand two tests that need no normality: SQ counts how many estimation days were as extreme, and the "
        f"permutation test exchanges the event day with them."
    )


def _estimation_dates(f: Findings) -> str:
    """Return the dates of the estimation window as far as there are data; empty if the events do not share a date."""
    if not f.headline.when():
        return ""
    place, window = int(f.headline.panel.position[0]), f.headline.abnormal.estimation
    first, last = (f.headline.panel.calendar[max(place + day, 0)] for day in (window.start, window.end))
    return f", {long_day(first)} to {long_day(last)}"


def day_text(result: EventStudyResult) -> str:
    """Return the session of a result's events in words, ``27 January 2025``, or the span of their sessions."""
    days = result.panel.sessions
    return result.when() or f"{iso_day(days.min())} to {iso_day(days.max())}"


# -- What other vendors say of the embedded prices.


def vendor_lines(f: Findings) -> tuple[str, ...]:
    """Return how many vendor-days agree: first in all, then vendor by vendor; empty for prices of the study's own."""
    if not is_snapshot(f.prices):
        return ()
    facts = vendor_agreement()
    return (_in_all(facts), *(_one(v) for v in facts)) if facts else ()


def _in_all(facts: tuple[VendorFacts, ...]) -> str:
    parts, late = [], []
    for what, limit in (("closes", "half a cent"), ("returns", "2 basis points")):
        chosen = [v for v in facts if v["what"] == what]
        compared = sum(v["compared"] for v in chosen)
        if compared:
            agreeing = compared - sum(v["differing"] for v in chosen)
            parts.append(f"{agreeing:,} of {compared:,} vendor-days of {what} agree to {limit}")
            late.append(f"{sum(v['differing_recent'] for v in chosen)} of {what}")
    since = min(v["recent"] for v in facts)
    return f"Other vendors on these series: {' and '.join(parts)}; since {since} there differ {' and '.join(late)}."


def _one(v: VendorFacts) -> str:
    agreeing = v["compared"] - v["differing"]
    text = (
        f"{v['vendor']}, {v['what']} of {v['tickers']} series, {v['first']} to {v['last']}: {agreeing:,} of {v['compared']:,} "
        f"vendor-days agree; since {v['recent']} there differ {v['differing_recent'] or 'none'}"
    )
    return f"{text}{in_brackets(v['remark'])}."
