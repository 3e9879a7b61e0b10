"""Market claims of articles, judged by the numbers."""

from __future__ import annotations

from eventstudy.claims.book import claims_of, read_claims
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.kind import Kind
from eventstudy.claims.kinds import KINDS
from eventstudy.claims.ledger import Claim, ClaimsLedger, judge
from eventstudy.claims.ruling import Reading, Ruling, Verdict, tolerance
from eventstudy.claims.schema import ClaimBook

__all__ = [
    "KINDS",
    "Claim",
    "ClaimBook",
    "ClaimsLedger",
    "Evidence",
    "Kind",
    "Reading",
    "Ruling",
    "Verdict",
    "claims_of",
    "judge",
    "read_claims",
    "tolerance",
]
