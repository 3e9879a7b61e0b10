"""How often rank, sign and resampling tests reject when nothing happened; and how often they must, by their own assumptions.

Firms with residuals of t(5), 120 estimation days, windows of three days; the market is the same for all. Events on separate dates are
independent; on one date, or on a few dates, residuals have correlation 0.2.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtr

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import run_test
from eventstudy.inference.multiple import adjust, romano_wolf
from eventstudy.windows import Window

pytestmark = pytest.mark.simulation

M, L = 120, 3
WHOLE = Window(0, L - 1)
DRAWS = 200
# A band of four Monte Carlo standard errors: a right test fails once in 16,000 comparisons, and the seed is fixed.
BAND = 4.0 * np.sqrt(0.05 * 0.95 / DRAWS)
FEW = {"draws": 199}


def simulate(
    rng: np.random.Generator, dates: int, each: int, rho: float, k: float = 0.0, est: int = M
) -> AbnormalReturns:
    """Return ``dates × each`` events; residuals of one date are correlated, the event days' variance is 1 + k times the ordinary."""
    n, days = dates * each, est + L
    common = np.repeat(rng.standard_t(5, (dates, days)), each, axis=0)
    noise = np.sqrt(rho) * common + np.sqrt(1.0 - rho) * rng.standard_t(5, (n, days))
    noise[:, est:] += np.sqrt(k * 5.0 / 3.0) * rng.standard_normal((n, L))
    market = np.repeat(rng.normal(0.0, 0.01, (dates, days)), each, axis=0)
    returns = market + rng.uniform(0.01, 0.02, (n, 1)) * noise
    panel = EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * n,
        keys=tuple(map(str, range(n))),
        position=np.repeat(est + 10 * np.arange(dates), each).astype(np.int64),
        calendar=pd.bdate_range("2010-01-01", periods=est + 10 * dates + L),
        estimation=Window(-est, -1),
        window=WHOLE,
        est_returns=returns[:, :est],
        event_returns=returns[:, est:],
        columns=("MKT",),
        est_columns=market[:, :est, None],
        event_columns=market[:, est:, None],
    )
    model = es.MarketModel("MKT")
    return abnormal_returns(panel, model.fit(panel))


CASES = {
    "corrado_zivney_rank_z": ("corrado_zivney_rank_z", {}),
    "weighted": ("corrado_zivney_rank_z", {"variant": "weighted"}),
    "eiv": ("corrado_zivney_rank_z", {"variant": "eiv"}),
    "corrado_zivney_sign_z": ("corrado_zivney_sign_z", {}),
    "cumrank_z": ("cumrank_z", {}),
    "grank_z": ("grank_z", {}),
    "sign_z": ("sign_z", {}),
    "sign_exact": ("sign_exact", {}),
    "wilcoxon": ("wilcoxon", {}),
    "wilcoxon_cc": ("wilcoxon", {"variant": "normal_cc"}),
    "signflip": ("signflip", FEW),
    "bootstrap": ("bootstrap", FEW),
    "skew": ("bootstrap", {"variant": "skew", **FEW}),
    "wild_bootstrap": ("wild_bootstrap", FEW),
    "mammen": ("wild_bootstrap", {"weights": "mammen", **FEW}),
    "signflip_event": ("signflip", {"cluster": "event", **FEW}),
    "wild_event": ("wild_bootstrap", {"cluster": "event", **FEW}),
}
INDEPENDENT = tuple(c for c in CASES if not c.endswith("_event"))
DESIGNS = {
    # dates, events on each, correlation, extra variance
    "separate": (30, 1, 0.0, 0.0),
    "wild days": (30, 1, 0.0, 2.0),
    "some dates": (20, 3, 0.2, 0.0),
    "one date": (1, 30, 0.2, 0.0),
}


@lru_cache
def rejected(design: str, cases: tuple[str, ...]) -> dict[str, float]:
    """Share of draws with p ≤ 5 %; a test that does not apply does not reject."""
    rng, counts = np.random.default_rng(11), dict.fromkeys(cases, 0)
    for _ in range(DRAWS):
        ab = simulate(rng, *DESIGNS[design])
        for case in cases:
            name, options = CASES[case]
            counts[case] += run_test(name, ab, WHOLE, **options).p_value <= 0.05
    return {case: count / DRAWS for case, count in counts.items()}


#: Tests of discrete counts stay below their level: of 30 signs at most 9 or at least 21 have probability 4.3 %.
DISCRETE = ("sign_exact",)
#: The spread of few skewed resamples is too wide a standard error (Mammen), or too narrow (quarter resamples of 7).
ROUGH = ("mammen", "skew")


@pytest.mark.parametrize("case", INDEPENDENT)
def test_on_separate_dates_all_keep_their_size(case):
    share = rejected("separate", INDEPENDENT)[case]
    assert share < 0.05 + BAND + 0.04 * (case in ROUGH)
    assert share > 0.0 if case in (*DISCRETE, *ROUGH) else share > 0.05 - BAND


STAND = ("eiv", "corrado_zivney_sign_z", "grank_z", "sign_z", "signflip", "bootstrap", "wild_bootstrap")
FAIL = ("corrado_zivney_rank_z", "cumrank_z")


@pytest.mark.parametrize("case", [*STAND, *FAIL])
def test_wild_days_break_the_rank_tests_that_take_the_variance_for_ordinary(case):
    share = rejected("wild days", (*STAND, *FAIL))[case]
    if case in FAIL:
        assert share > 0.05 + BAND
    else:
        assert share < 0.05 + BAND


def test_what_takes_events_for_independent_fails_on_shared_dates():
    by_event = ("sign_z", "wilcoxon", "cumrank_z", "grank_z", "signflip_event", "wild_event")
    by_date = ("signflip", "bootstrap", "wild_bootstrap")
    share = rejected("some dates", (*by_event, *by_date))
    one = rejected("one date", (*by_event, "corrado_zivney_rank_z", "corrado_zivney_sign_z", *by_date))
    for case in by_event:
        assert one[case] > 0.25, case
    for case in ("wilcoxon", "signflip_event", "wild_event"):
        assert share[case] > 0.05 + BAND / 2, case
    for case in by_date:
        assert abs(share[case] - 0.05) < BAND, case
        assert one[case] == 0.0, "one date is one cluster: no number"
    for case in ("corrado_zivney_rank_z", "corrado_zivney_sign_z"):
        assert abs(one[case] - 0.05) < BAND, case


def test_the_step_down_keeps_the_familywise_error_where_holm_does_not():
    """Twenty firms of one day: Holm is shy for correlated normal errors, and bold for fat tails; resampled days are neither."""
    rng, draws, day = np.random.default_rng(4), 300, Window(0, 0)
    step = holm = 0
    for seed in range(draws):
        ab = simulate(rng, 1, 20, 0.5)
        step += romano_wolf(ab, day, draws=199, seed=seed).min() <= 0.05
        holm += adjust(2.0 * stdtr(ab.df, -np.abs(ab.sums(day).scar)), "holm").min() <= 0.05
    reach = 4.0 * np.sqrt(0.05 * 0.95 / draws)
    assert abs(step / draws - 0.05) < reach
    assert holm / draws > 0.05
