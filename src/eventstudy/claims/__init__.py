"""Market claims of articles, judged by the numbers."""

from __future__ import annotations

from eventstudy.claims.book import claims_of, read_claims
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.ledger import Claim, ClaimsLedger, judge
from eventstudy.claims.ruling import Reading, Ruling, Verdict, tolerance
from eventstudy.claims.schema import ClaimBook
from eventstudy.distances import Bounds

__all__ = [
    "Bounds",
    "Claim",
    "ClaimBook",
    "ClaimsLedger",
    "Evidence",
    "Reading",
    "Ruling",
    "Verdict",
    "claims_of",
    "judge",
    "read_claims",
    "tolerance",
]


def __dir__() -> list[str]:
    return sorted(__all__)
