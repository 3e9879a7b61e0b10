"""What other vendors say of the embedded prices, in words for the page."""

from __future__ import annotations

from eventstudy.prices.embedded import VendorFacts
from eventstudy.prices.snapshot import vendor_agreement
from eventstudy.report.findings import Findings


def vendor_lines(f: Findings) -> tuple[str, ...]:
    """Return how many vendor-days agree: first in all, then vendor by vendor; empty for prices of the study's own."""
    if f.prices.provenance.source != "snapshot":
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
    return f"{text} ({v['remark']})." if v["remark"] else f"{text}."
