"""Market claims of articles, held against the numbers."""

from __future__ import annotations

from eventstudy.claims.evidence import Evidence
from eventstudy.claims.ledger import Claim, ClaimsLedger, judge
from eventstudy.claims.ruling import Reading, Ruling, Verdict
from eventstudy.claims.schema import ClaimBook, claims_of, read_claims

__all__ = [
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
]
