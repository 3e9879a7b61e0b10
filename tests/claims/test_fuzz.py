"""Claims filled in at random end in a verdict or in words that name the claim; never in another error."""

from __future__ import annotations

import datetime
import math
import random
from pathlib import Path
from typing import get_args

import pytest

import eventstudy as es
from eventstudy.claims import claims_of
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.kinds import KINDS
from eventstudy.claims.ledger import judge
from eventstudy.claims.ruling import Verdict
from eventstudy.claims.schema import ClaimPart, Unit
from eventstudy.claims.words import WORDINGS

pytestmark = pytest.mark.faults

#: By key: values that fit, and some that do not.
POOL: dict[str, list[object]] = {
    "assets": [["NVDA"], ["NVDA", "META"], ["^GSPC"], ["LLY"], ["TSM"], ["NVDAX"], [], "NVDA", [3]],
    "baskets": [["sp500"], ["study"], ["all"], ["none"], [], "sp500"],
    "says": ["fell", "rose", "lost", "gained", "no change", "sank", 1],
    "window": [[0, 0], [-4, -1], [0, 3], [-400, -390], [5, 1], [0, 90000], 0, "day"],
    "windows": [[[0, 0], [-1, 0]], [], [[3, 1]], 5],
    "from": ["2025-01-21", "2020-01-01", "soon", datetime.date(2025, 1, 21)],
    "to": ["2025-01-24", "2030-01-01", 3],
    "date": ["2025-01-27", "2025-01-20", "2025-06-30", "1066-10-14", "2999-01-01", datetime.date(2025, 1, 27), "x"],
    "value": [1, 600, 0.5, 17, -1, 0, math.inf, math.nan, 1e300, True, "600"],
    "unit": [*get_args(Unit), "furlongs"],
    "wording": [*WORDINGS, "hugely", "w" * 41],
    "measure": ["raw", "abnormal", "dollars", "percent", "weight"],
    "sums": [["gross"], ["net", "gross"], [], ["half"]],
    "shares_billion": [[24.3, 24.8], [24.8, 24.3], [1], "24"],
    "among": ["days", "firms", "firm-days", "stars"],
    "per": ["day", "week", "month", "year", "hour"],
    "since": ["2024-06-03", "2024-06", 2024, "2 years", "2026-01-01", "then", "2024-13", "0 years"],
    "because": ["fears", ""],
    "weekday": ["Monday", "Moonday"],
    "session": [True, False, "yes"],
    "first_session": ["2025-01-21", "later"],
    "after": ["2025-01-20", "2031-01-01", "before"],
    "timeline": ["rout", "moon", ""],
    "reason": ["none", ""],
    "needs": ["more", ""],
    "quote": ["w", "", "w " * 30, "a\x1b[2Jb"],
}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "study.toml").write_text('title = "T"\nevent = "E"\n[model]\nestimation = [-120, -21]\n')
    (folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n")
    spec = es.load_study(folder)
    result = spec.run()
    return Evidence(result.prices, spec.build_study(), result, spec.claims)


def table(draw: random.Random) -> dict[str, object]:
    """A claim of a random kind with the keys that it needs, mostly fitting, and a few more."""
    word, kind = draw.choice(list(KINDS.items()))
    fits: dict[str, tuple[object, ...]] = {"says": kind.says, "unit": kind.units, "wording": kind.wordings}
    more = draw.sample(kind.allows, min(len(kind.allows), draw.randint(0, 4)))
    keys = {*kind.needs, *(("unit",) if kind.units else ()), *more}
    out: dict[str, object] = {"quote": "w", "source": "s", "kind": word}
    for key in sorted(keys):
        fitting = fits.get(key) or POOL[key][:2]
        out[key] = draw.choice(fitting if draw.random() < 0.85 else POOL[key])
    if draw.random() < 0.1:
        key = draw.choice(sorted(POOL))
        out[key] = draw.choice(POOL[key])
    return out


@pytest.mark.slow
def test_random_claims_end_in_a_verdict_or_in_words(evidence: Evidence) -> None:
    from dataclasses import replace

    draw = random.Random(20250127)
    judged: dict[str, int] = {}
    refused = unnamed = 0
    for _ in range(2500):
        given = table(draw)
        try:
            book = claims_of(Path(), [given])
            (claim,) = (
                judge(replace(evidence, book=book, given_panel=evidence.panel))
                if judged.get(str(given["kind"]), 0) < 8
                else (None,)
            )
        except es.errors.StudyFileError as error:
            refused += "claim" in str(error)
            unnamed += "claim" not in str(error)
            continue
        if claim is None:
            continue
        judged[str(given["kind"])] = judged.get(str(given["kind"]), 0) + 1
        assert claim.verdict in get_args(Verdict), given
        assert claim.sentence, given
        assert claim.verdict == "not testable here" or claim.ruling.days, given
    assert refused > 100
    assert unnamed == 0, "every refusal names the claim"
    assert set(judged) == set(KINDS), "every kind was judged at least once"


def test_the_pool_knows_every_key() -> None:
    names = {f.alias or name for name, f in ClaimPart.model_fields.items()}
    assert names - set(POOL) == {"id", "article", "source", "kind", "remark"}
