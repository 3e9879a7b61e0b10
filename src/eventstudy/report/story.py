"""What a report says, as plain values: the page and the PDF are two layouts of the same content."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy.report.charts import Chart, day_text
from eventstudy.report.content import ReportTable, data_checks, days_text
from eventstudy.report.findings import Findings, happenings
from eventstudy.report.prose import further_findings, method_paragraph, standfirst
from eventstudy.report.vendors import vendor_lines
from eventstudy.wording import DASH, MINUS

#: What a correction says; the keys of an entry of ``corrections``.
CORRECTION_KEYS = ("date", "what", "old", "new", "reason")

#: More claims than this are too many to be read one after the other: the first to fold are those that need no second look.
CLAIMS_IN_FULL = 8
FOLDED_VERDICTS = (
    ("Supported", "Claims that the prices support"),
    ("Not testable here", "Claims that cannot be tested here"),
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
    """Return everything that a report says, in words and rows, without a layout.

    Parameters
    ----------
    f : Findings
        The computed content.
    charts : sequence of Chart
        The figures.
    tables : sequence of ReportTable
        The tables.
    corrections : sequence of mapping
        What was corrected since the first publication: ``date``, ``what``, ``old``, ``new``, ``reason``.
    mark : str
        ``DRAFT`` or the like; empty for a report that may be published.

    Returns
    -------
    dict
        Plain values only, so that it can be written as JSON.
    """
    spec, origin = f.spec, f.prices.provenance
    shown = {t.name: _table(t) for t in tables}
    return {
        "title": spec.title,
        "study": spec.name,
        "mark": mark,
        "day": day_text(f.headline),
        "standfirst": standfirst(f),
        "question": spec.question,
        "background": spec.background,
        "findings": [{"lead": lead, "text": text} for lead, text in further_findings(f)],
        "method": method_paragraph(f),
        "advice": _advice(f),
        "figures": {c.name: {"title": c.article.words.title, "alt": c.article.words.alt} for c in charts},
        "tables": shown,
        "uncounted": ", ".join(c.key for c in f.dollars if c.reason),
        "claims": _claims(shown.get("claims")),
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
        "failed_checks": _failed(shown.get("checks")),
        "events": len(f.everyone.audit),
        "dropped": [f"{d.event.ticker} {d.event.asked}: {d.reason}" for d in f.everyone.dropped],
        "notebooks": [{"file": stem(n), "title": notebook_title(spec.folder / n)} for n in spec.notebooks],
        "files": _files(f),
        "corrections": [{k: str(entry.get(k, "")) for k in CORRECTION_KEYS} for entry in corrections],
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


def _advice(f: Findings) -> str:
    """Return which test of the average to believe and why, with the tests' titles beside their names."""
    if f.everyone.abnormal.n < 2:
        return ""
    tests, _ = f.everyone.run_tests((0, 0))
    titles = {t.name: t.title for t in tests}
    return re.sub(
        r"\b[a-z]+\d*(?:_[a-z0-9]+)+\b",
        lambda found: f"{titles[found[0]]} ({found[0]})" if found[0] in titles else found[0],
        f.everyone.advice((0, 0)),
    )


def _claims(table: Content | None) -> Content:
    """Return the claims by article, those that hold and those that cannot be tested folded if there are many, and a count."""
    if table is None:
        return {"tally": "", "articles": [], "folded": []}
    claims = [_claim(dict(zip(table["headers"], row, strict=True))) for row in table["rows"]]
    folded = []
    for verdict, summary in FOLDED_VERDICTS if len(claims) > CLAIMS_IN_FULL else ():
        chosen = [c for c in claims if c["verdict"] == verdict]
        claims = [c for c in claims if c["verdict"] != verdict]
        folded += [{"summary": f"{summary} ({len(chosen)})", "claims": chosen}] if chosen else []
    articles: dict[str, list[Content]] = {}
    for claim in claims:
        articles.setdefault(claim["article"], []).append(claim)
    place = table["headers"].index("Verdict")
    return {
        "tally": _tally([row[place] for row in table["rows"]]),
        "articles": [{"article": name, "claims": found} for name, found in articles.items()],
        "folded": folded,
    }


def _claim(row: Mapping[str, str]) -> Content:
    return {
        "quote": row["Claim"],
        "article": row["Article"],
        "verdict": _sentence(row["Verdict"]).rstrip("."),
        "about": ", ".join(row[k] for k in ("About", "Days") if row[k].strip(DASH)),
        "numbers": row["The numbers"],
        "inputs": row["Inputs"],
    }


def _tally(verdicts: Sequence[str]) -> str:
    count = Counter("depends on the reading" if v.startswith("depends on") else v for v in verdicts)
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
    lines = data_checks(f)
    notes = [line for line in lines if line.partition(":")[0].endswith("note")]
    return {"serious": [line for line in lines if line not in notes], "notes": notes}


def _failed(table: Content | None) -> Content:
    """Return the checks of validity that do not hold, as a table of their own, with the number of all."""
    if table is None:
        return {"all": 0, "table": None}
    place = table["headers"].index("Holds")
    keep = [i for i in range(len(table["headers"])) if i != place]
    rows = [[row[i] for i in keep] for row in table["rows"] if row[place] == "no"]
    headers = [table["headers"][i] for i in keep]
    one = {"name": "", "caption": "Checks that do not hold", "headers": headers, "rows": rows, "left": len(headers)}
    return {"all": len(table["rows"]), "table": one if rows else None}


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


def stem(name: str) -> str:
    """Return a notebook's file name without folder and suffix."""
    return name.rsplit("/", 1)[-1].removesuffix(".ipynb")


def notebook_title(path: Path) -> str:
    """Return a notebook's first heading, or its file name in words."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"]) if cells else ""
    if first.startswith("# "):
        return first.removeprefix("# ").splitlines()[0].strip()
    return path.stem.lstrip("0123456789").strip("_").replace("_", " ").capitalize()
