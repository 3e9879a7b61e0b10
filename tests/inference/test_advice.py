"""Which tests are recommended: what the design, the number of events and the day decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from trio import DAY, TRIO

import eventstudy as es
from eventstudy.errors import InvalidInput
from eventstudy.inference import (
    RECOMMENDED,
    RECOMMENDED_BUY_AND_HOLD,
    TESTS,
    Method,
    Note,
    Overlooks,
    advice,
    assume_no_dependence,
    notes_on_tests,
    overlooking,
    recommend,
    registry,
)
from eventstudy.inference.advice import serial_inflation, skewness, variance_limit


@pytest.mark.parametrize(
    ("days", "window", "design"),
    [
        ((DAY,), (0, 0), "one event"),
        ((DAY, DAY), (0, 0), "one date"),
        ((DAY, "2025-01-28"), (0, 1), "overlapping"),
        ((DAY, "2025-01-28"), (0, 0), "separate dates"),
        ((DAY, "2025-01-29"), (0, 1), "separate dates"),
        ((DAY, DAY, "2024-06-03"), (0, 0), "shared dates"),
        ((DAY, DAY, "2025-01-28"), (0, 0), "shared dates"),
        ((DAY, DAY, "2025-01-28"), (0, 1), "overlapping"),
    ],
)
def test_the_design_decides_which_tests_are_recommended(study, prices, days, window, design):
    result = study.run(prices, [es.Event(t, d) for t, d in zip(TRIO, days, strict=False)])
    assert recommend(result.abnormal, es.Window(*window))[0] == design
    table = result.tests(window)
    recommended = table.index[table["recommended"]].tolist()
    assert recommended
    assert set(recommended) <= set(RECOMMENDED[design])
    assert result.recommended(window).sentence.startswith(f"Recommended: {', '.join(recommended)}. ")


def simulated(study, n, wild, seed=5):
    """Study n firms on one date; on a wild day the event days are spread ``wild`` times as widely."""
    generator = np.random.default_rng(seed)
    days = es.exchange_sessions("XNYS", "2023-01-03", "2025-03-31")
    market = generator.normal(0.0, 0.01, len(days))
    firms = market[:, None] + generator.normal(0.0, 0.02, (len(days), n))
    firms[days.get_loc(DAY)] += generator.normal(0.0, 0.02 * np.sqrt(wild - 1.0), n)
    table = pd.DataFrame(firms, days, [f"F{i}" for i in range(n)]).assign(**{"^GSPC": market})
    return study.run(table, [es.Event(f"F{i}", DAY) for i in range(n)])


def test_on_one_date_only_a_test_that_allows_for_event_induced_variance_is_recommended(study):
    day, week = es.Window(0, 0), es.Window(0, 4)
    calm, few = simulated(study, 30, 1.0).abnormal, simulated(study, 5, 1.0).abnormal
    for abnormal in (calm, few, simulated(study, 30, 15.0).abnormal):
        for window in (day, week):
            assert recommend(abnormal, window)[1] == ("kp_bmp_t",)
    assert notes_on_tests(calm, week)["placebo"].text == "needs 300 estimation days or more"
    assert notes_on_tests(calm, day)["cda_t"].text == "assumes no event-induced variance"
    assert notes_on_tests(few, day)["grank_t"].text == "needs 30 events or more"
    wild = recommend(simulated(study, 30, 15.0).abnormal, day)[2]
    assert "times that of estimation days (event-induced variance), which some tests overlook" in wild
    assert "event-induced variance), which" not in recommend(calm, day)[2]


def test_the_limit_of_the_variance_depends_on_the_number_of_events():
    """The 95 % point of chi-square over its degrees of freedom, within 1.5 and 3."""
    assert variance_limit(10) == pytest.approx(stats.chi2.ppf(0.95, 9) / 9)
    assert (variance_limit(1), variance_limit(2), variance_limit(400)) == (3.0, 3.0, 1.5)


def test_recommended_gives_outcomes_and_the_reason(result, single):
    advice = result.recommended((0, 1))
    assert advice.names == tuple(t.name for t in advice.tests) == ("kp_bmp_t",)
    assert advice.sentence == result.recommended((0, 1)).sentence
    assert str(advice.tests[0]) in repr(advice)
    assert single.recommended().names == ("t_pe", "sq", "permutation")
    assert result.recommended((0, 0), event="META").design == "one event"
    assert "sq" not in single.recommended((-5, 5)).names


def test_the_advice_minds_missing_days_thin_trading_and_many_firms(study):
    generator = np.random.default_rng(8)
    days = es.exchange_sessions("XNYS", "2023-01-03", "2025-03-31")
    table = pd.DataFrame(generator.normal(0.0, 0.02, (len(days), 40)), days, [f"F{i}" for i in range(40)])
    table["^GSPC"] = generator.normal(0.0, 0.01, len(days))
    events = [es.Event(f"F{i}", DAY) for i in range(40)]
    whole = study.run(table, events).recommended()
    assert whole.names == ("kp_bmp_t",)
    assert "so many firms on one date" in whole.reason
    thin = table.copy()
    thin.iloc[::4, 0] = 0.0
    thin.iloc[days.get_loc(DAY) - 100, 1] = np.nan
    thin.iloc[days.get_loc(DAY) + 1, 2] = np.nan
    left = study.run(thin, events).recommended((0, 1))
    assert left.reason.endswith("left out for want of an abnormal return on every day of the window: F2")
    assert (left.tests[0].n, left.design) == (39, "one date")
    lacking = replace(study, gaps="skip").run(thin, events)
    found = lacking.recommended((0, 1))
    assert notes_on_tests(lacking.abnormal, es.Window(0, 1))["cda_t"].text == "assumes no missing days in the window"
    assert "1 of 40 firms often do not trade" in found.reason
    assert "1 of 40 events lack days in the window" in found.reason


def test_clusters_of_unlike_size_count_for_less(study, prices):
    days = [DAY, DAY, "2024-06-03", "2024-07-03"]
    result = study.run(prices, [es.Event(t, d) for t, d in zip([*TRIO, "NVDA"], days, strict=True)])
    assert result.recommended().design == "shared dates"
    assert "clustered_t" not in result.recommended().names
    assert "even this test rejects up to 10%" in result.recommended().sentence


def test_nothing_that_overlooks_dependence_is_recommended_on_common_days():
    for design in ("one date", "shared dates", "overlapping"):
        assert assume_no_dependence(design) >= overlooking(Overlooks.DEPENDENCE)
        for recommended in (RECOMMENDED, RECOMMENDED_BUY_AND_HOLD):
            assert not assume_no_dependence(design) & set(recommended[design])
    assert assume_no_dependence("separate dates") == frozenset()
    assert set().union(*RECOMMENDED.values(), *RECOMMENDED_BUY_AND_HOLD.values()) <= set(TESTS)
    assert list(RECOMMENDED_BUY_AND_HOLD) == list(RECOMMENDED)


#: What each test of an average overlooks of the two that matter most; a new test is added here on purpose.
NO_DEPENDENCE = {
    "csect_t", "bw80_z", "mackinlay_j1_z", "patell_z", "bmp_t", "skew_t", "sign_z", "sign_exact", "gsign_z", "cumrank_z", "grank_z",
    "wilcoxon",
}  # fmt: skip
NO_OVERLAP = {
    "cda_t", "lamb_z", "placebo", "grank_t", "corrado_rank_z", "corrado_zivney_rank_z", "corrado_zivney_sign_z", "clustered_t",
    "signflip", "bootstrap", "wild_bootstrap",
}  # fmt: skip
NO_VARIANCE = {
    "bw80_z", "mackinlay_j1_z", "cda_t", "lamb_z", "patell_z", "kp_patell_z", "placebo", "joint_wald", "corrado_rank_z",
    "corrado_zivney_rank_z", "cumrank_z",
}  # fmt: skip


def test_the_registry_says_what_each_test_overlooks():
    several = {name for name, method in TESTS.items() if method.scope == "many"}
    assert overlooking(Overlooks.DEPENDENCE) == NO_DEPENDENCE
    assert overlooking(Overlooks.OVERLAP) == NO_OVERLAP
    assert overlooking(Overlooks.VARIANCE) == NO_VARIANCE | (set(TESTS) - several)
    silent = {name for name in several if not TESTS[name].overlooks}
    assert silent == {"calendar_time"}
    assert all(method.fewest >= 1 for method in TESTS.values())
    assert {n: m.fewest_dates for n, m in TESTS.items() if m.fewest_dates} == {
        "clustered_t": 8,
        "signflip": 8,
        "bootstrap": 30,
        "wild_bootstrap": 10,
    }
    assert {n: m.fewest_days for n, m in TESTS.items() if m.fewest_days} == {
        "sq": 100,
        "permutation": 20,
        "placebo": 60,
    }


def test_a_new_test_is_shown_with_its_note(monkeypatch, result):
    """One entry in the registry is all that it takes."""
    minima = {"fewest": 50, "fewest_dates": 0, "fewest_days": 0}
    entry = ("many", "A new test", "nothing happened", "nobody 2026")
    naive = Method(TESTS["patell_z"].compute, *entry, {Overlooks.DEPENDENCE}, **minima)
    calm = Method(TESTS["patell_z"].compute, *entry, {Overlooks.VARIANCE}, **minima | {"fewest": 1})
    large = Method(TESTS["patell_z"].compute, *entry, set(), **minima)
    grown = {**TESTS, "naive_z": naive, "calm_z": calm, "large_z": large}
    monkeypatch.setattr(registry, "TESTS", grown)
    monkeypatch.setattr(advice, "TESTS", grown)
    notes = notes_on_tests(result.abnormal, es.Window(0, 0))
    assert notes["naive_z"] == Note("assumes no cross-sectional dependence", "ignores correlation")
    assert notes["calm_z"].text == "assumes no event-induced variance"
    assert notes["large_z"].text == "needs 50 events or more"
    assert "naive_z" in assume_no_dependence("one date")


def test_a_test_without_a_word_on_what_it_overlooks_is_refused():
    entry = (TESTS["patell_z"].compute, "many", "A new test", "nothing happened", "nobody 2026")
    with pytest.raises(TypeError, match=r"overlooks.*fewest.*fewest_dates.*fewest_days"):
        Method(*entry)
    with pytest.raises(InvalidInput, match="A new test overlooks"):
        Method(*entry, {"dependence"}, 2, 0, 0)


def studied(study, residuals, dates, same_day=False):
    """Study firms with these residuals of the market model, shape (days, firms), each on a date of its own or all on one."""
    days = es.exchange_sessions("XNYS", "2015-01-02", "2025-03-31")[-len(residuals) :]
    market = np.random.default_rng(1).normal(0.0, 0.01, len(days))
    table = pd.DataFrame(market[:, None] + 0.02 * residuals, days, [f"F{i}" for i in range(residuals.shape[1])])
    places = [len(days) - 20 - (0 if same_day else 12 * i) for i in range(dates)]
    return study.run(table.assign(**{"^GSPC": market}), [es.Event(f"F{i}", days[p]) for i, p in enumerate(places)])


def gamma(shape, size, seed=3):
    return (np.random.default_rng(seed).gamma(shape, 1.0, size) - shape) / np.sqrt(shape)


def test_skewed_residuals_are_seen_and_far_days_are_not(study):
    assert skewness(studied(study, gamma(2, (900, 40)), 40).abnormal) == pytest.approx(2 / np.sqrt(2), abs=0.15)
    assert skewness(studied(study, -gamma(2, (900, 40)), 40).abnormal) == pytest.approx(-2 / np.sqrt(2), abs=0.15)
    jumps = np.random.default_rng(4).normal(size=(900, 40))
    jumps[::225] = 12.0
    assert abs(skewness(studied(study, jumps, 40).abnormal)) < 0.45


def test_skewed_events_are_not_judged_by_tests_that_skewness_misleads(study):
    day, week = es.Window(0, 0), es.Window(0, 4)
    many = studied(study, gamma(2, (1500, 110)), 110).abnormal
    assert recommend(many, day)[1] == ("bmp_t", "signflip", "gsign_z")
    assert recommend(many, week)[1] == ("bmp_t", "signflip")
    reason = recommend(many, week)[2]
    assert "not wilcoxon: residuals are skewed" in reason
    assert "use single days" in reason
    ten = studied(study, gamma(0.5, (900, 10)), 10).abnormal
    assert recommend(ten, day)[1] == ("corrado_rank_z",)
    assert (
        "a mean of 10 such events is not normal enough; squares and the like are better studied as logarithms"
        in recommend(ten, day)[2]
    )
    assert not {"bmp_t", "signflip"} & set(recommend(ten, week)[1])
    assert recommend(studied(study, gamma(0.5, (900, 4)), 4, same_day=True).abnormal, day)[1] == ()
    notes = notes_on_tests(many, day)
    assert "not half" in notes["sign_z"].text
    assert "not ranked as estimation days are" in notes["grank_t"].text
    fat = np.random.default_rng(5).standard_t(4, (1500, 110))
    assert recommend(studied(study, fat, 110).abnormal, day)[1] == RECOMMENDED["separate dates"]


def autocorrelated(rho, days=900, firms=1, seed=6):
    noise = np.random.default_rng(seed).normal(size=(days, firms))
    for t in range(1, days):
        noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho**2) * noise[t]
    return noise


def test_one_event_over_several_days_needs_days_that_are_not_alike(study):
    week = es.Window(0, 4)
    calm, alike, very = (studied(study, autocorrelated(rho), 1).abnormal for rho in (0.0, 0.25, 0.6))
    assert recommend(calm, week)[1] == ("t_pe", "permutation")
    assert serial_inflation(calm, week) == serial_inflation(very, es.Window(0, 0)) == 1.0
    assert recommend(alike, es.Window(0, 0))[1] == RECOMMENDED["one event"]
    assert recommend(alike, week)[1] == ()
    assert "use HacMarketModel(prewhiten=True), or single days" in recommend(alike, week)[2]
    assert recommend(very, week)[1] == ()
    by_hand = 1 + 2 * sum((1 - k / 5) * 0.6**k for k in range(1, 5))
    assert serial_inflation(very, week) == pytest.approx(by_hand, abs=0.4)
    plain, white = (
        es.EventStudy(model=es.HacMarketModel("^GSPC", prewhiten=way), estimation=(-270, -21), window=(-5, 5))
        for way in (False, True)
    )
    assert recommend(studied(plain, autocorrelated(0.2), 1).abnormal, week)[1] == ("t_pe",)
    short = studied(plain, autocorrelated(0.6), 1).abnormal
    assert recommend(short, week)[1] == ()
    assert "and the model's errors allow for" in recommend(short, week)[2]
    assert recommend(studied(white, autocorrelated(0.6), 1).abnormal, week)[1] == ("t_pe",)
    several = studied(study, autocorrelated(0.6, firms=10), 10).abnormal
    assert "bmp_t" in recommend(several, week)[1]


def test_two_shares_that_move_as_one_are_not_two_events(study):
    own = np.random.default_rng(7).normal(size=(900, 5))
    own[:, 1] = own[:, 0] + 0.02 * own[:, 1]
    for firms, recommended in ((3, ()), (4, ()), (5, ("kp_bmp_t",))):
        abnormal = studied(study, own[:, :firms], firms, same_day=True).abnormal
        assert recommend(abnormal, es.Window(0, 0))[1] == recommended
    assert (
        "move almost as another one"
        in recommend(studied(study, own[:, :3], 3, same_day=True).abnormal, es.Window(0, 0))[2]
    )
    assert recommend(studied(study, own[:, 1:4], 3, same_day=True).abnormal, es.Window(0, 0))[1] == ("kp_bmp_t",)


def test_the_advice_does_not_promise_what_one_date_cannot_tell(result):
    said = result.recommended((0, 0)).sentence
    assert "in each firm's own part; a move that all have in common cannot be told from the news" in said
