"""Which tests are recommended: what the design, the number of events and the day decide."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from trio import DAY, TRIO

import eventstudy as es
from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import abnormal_returns
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
from eventstudy.inference.advice import serial_inflation, signed_rank_shift, skewness, variance_limit
from eventstudy.windows import Window


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
    assert single.recommended().names == ("t_pe",)
    assert result.recommended((0, 0), event="META").design == "one event"


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
    left = replace(study, gaps="void").run(thin, events).recommended((0, 1))
    assert left.reason.endswith("left out for want of an abnormal return on every day of the window: F2")
    assert (left.tests[0].n, left.design) == (39, "one date")
    lacking = replace(study).run(thin, events)
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
    assert recommend(calm, week)[1] == ("t_pe",)
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
        "move almost as that of another firm"
        in recommend(studied(study, own[:, :3], 3, same_day=True).abnormal, es.Window(0, 0))[2]
    )
    assert recommend(studied(study, own[:, 1:4], 3, same_day=True).abnormal, es.Window(0, 0))[1] == ("kp_bmp_t",)


def on_dates(study, firms, events, seed=11):
    """Study events given as pairs of a firm's number and a session counted from the last one."""
    days = es.exchange_sessions("XNYS", "2018-01-02", "2024-12-20")
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.01, len(days))
    table = pd.DataFrame(
        market[:, None] + rng.normal(0.0, 0.02, (len(days), firms)), days, [f"F{i}" for i in range(firms)]
    )
    table["F1"] = table["F0"] + 0.002 * rng.standard_normal(len(days))  # F0 and F1 move as one
    return study.run(table.assign(**{"^GSPC": market}), [es.Event(f"F{f}", days[-20 - d]) for f, d in events])


def test_one_firm_on_several_dates_is_no_double(study):
    """Not in one draw: its other dates are other events, on dates apart, shared or overlapping."""
    week = es.Window(0, 4)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        alone = [(0, int(d)) for d in rng.choice(120, 4, replace=False)]
        shared = [(f, d) for f in (0, 2, 3) for d in rng.choice(200, 3, replace=False) * 6]
        for events in (alone, shared, [(0, 3), (0, 0), (2, 3), (2, 1)], [(0, 50), (2, 50), (0, 0), (2, 0)]):
            abnormal = on_dates(study, 4, events, seed).abnormal
            for window in (es.Window(0, 0), week):
                assert "move almost as" not in recommend(abnormal, window)[2], (events, window)


def test_few_firms_of_one_date_have_their_portfolio_beside_them(study):
    """The portfolio's test has another null, and is never a recommendation."""
    for firms, beside_them in ((2, True), (5, True), (6, False)):
        abnormal = studied(study, np.random.default_rng(3).normal(size=(900, firms)), firms, same_day=True).abnormal
        for window, test in ((es.Window(0, 0), "placebo"), (es.Window(0, 4), "lamb_z")):
            assert advice.beside(abnormal, window) == ((test,) if beside_them else ())
            assert recommend(abnormal, window)[1] == ("kp_bmp_t",)
            assert (notes_on_tests(abnormal, window)[test] == advice.IS_BESIDE) == beside_them
            assert (f"{test} beside it" in recommend(abnormal, window)[2]) == beside_them
    apart = studied(study, np.random.default_rng(3).normal(size=(900, 3)), 3).abnormal
    assert advice.beside(apart, es.Window(0, 0)) == ()


def test_from_ten_shared_dates_on_tests_of_dates_come_first(study):
    day = es.Window(0, 0)
    few, many = (
        on_dates(study, 6, [(f, 15 * d) for d in range(dates) for f in (0, 2, 3)]).abnormal for dates in (9, 10)
    )
    assert recommend(few, day)[1] == ("kp_bmp_t", "clustered_t", "signflip")
    assert "kp_bmp_t rejects 8 to 15% of true nulls" in recommend(few, day)[2]
    assert recommend(many, day)[1] == ("clustered_t", "signflip")
    assert "8 to 15%" not in recommend(many, day)[2]
    unlike = [(f, 0) for f in range(6)] + [(f, 15 * d) for d in range(1, 10) for f in (2,)]
    assert "kp_bmp_t" in recommend(on_dates(study, 6, unlike).abnormal, day)[1]


def correlated(within, between, blocks, each, seed=2):
    """Residuals in blocks of firms."""
    n = blocks * each
    cov = np.full((n, n), between)
    for k in range(blocks):
        cov[k * each : (k + 1) * each, k * each : (k + 1) * each] = within
    np.fill_diagonal(cov, 1.0)
    return np.random.default_rng(seed).normal(size=(900, n)) @ np.linalg.cholesky(cov).T, cov


@pytest.mark.parametrize(
    ("within", "between", "blocks", "each", "told"),
    [
        (0.7, 0.0, 3, 4, True),
        (0.6, -0.3, 2, 5, True),
        (0.4, 0.0, 2, 9, True),
        (0.3, 0.3, 1, 12, False),
        (0.0, 0.0, 1, 12, False),
    ],
)
def test_firms_that_move_in_blocks_are_told_with_the_rate(study, within, between, blocks, each, told):
    values, cov = correlated(within, between, blocks, each)
    abnormal = studied(study, values, blocks * each, same_day=True).abnormal
    _, recommended, reason = recommend(abnormal, es.Window(0, 0))
    assert recommended == ("kp_bmp_t",)
    assert ("in blocks or against one another" in reason) == told
    assert ("kp_bmp_t then rejects 6 to 11% of true nulls" in reason) == told
    n = len(cov)
    centre = np.eye(n) - 1 / n
    degrees = np.trace(centre @ cov) ** 2 / np.trace(centre @ cov @ centre @ cov)
    found = advice.independent_worth(abnormal, es.Window(0, 0))
    assert found == pytest.approx(1 + degrees, rel=0.25) if told else found == np.inf


def test_one_event_is_told_where_its_test_does_not_keep_its_size(study):
    """A restless or a calm month before, persistent residuals, ten days, and days without a trade, each with its rate."""
    day = es.Window(0, 0)
    rng = np.random.default_rng(9)
    plain = rng.normal(size=(900, 1))

    def reason(residuals, window=day):
        return recommend(studied(study, residuals, 1).abnormal, window)[2]

    assert "% of true nulls" not in reason(plain)
    far = studied(study, plain, 1)
    day0, before = far.panel.event_columns[0, 5, 0], far.panel.est_columns[0, :, 0]
    z = (day0 - before.mean()) / before.std(ddof=1)
    assert advice.farthest_move(far.abnormal, day) == pytest.approx(abs(z), rel=1e-9)
    returns = far.panel.event_columns.copy()
    returns[0, 5, 0] = 0.07
    moved = replace(
        far.panel,
        event_columns=returns,
        event_returns=far.panel.event_returns + returns[:, :, 0] - far.panel.event_columns[:, :, 0],
    )
    fitted = abnormal_returns(moved, study.model.fit(moved))
    assert "t_pe rejects 12 to 16% of true nulls of shares" in recommend(fitted, day)[2]
    # the event is the twentieth session from the end; what the last estimation days did is past
    last, past = slice(900 - 20 - 20, 900 - 20), slice(900 - 20 - 40, 900 - 20 - 20)
    restless, calm = plain.copy(), plain.copy()
    restless[last] *= 2.5
    calm[last] *= 0.3
    assert "18 to 20% where restlessness lasts: compare GarchMarketModel" in reason(restless)
    assert "3% of true nulls at most" in reason(calm)
    earlier = plain.copy()
    earlier[past] *= 2.5
    assert "times as widely" not in reason(earlier)
    assert "t_pe rejects 7 to 10% of true nulls" in reason(autocorrelated(0.55))
    assert "at a serial correlation of 0.1" in reason(plain, es.Window(-5, 4))
    assert "at a serial correlation of 0.1" not in reason(plain, es.Window(0, 3))
    still = studied(study, plain, 1).abnormal
    thin = recommend(replace(still, zero_share=np.array([0.45])), day)[2]
    assert "45% of its estimation days are still" in thin
    assert "11% at two fifths" in thin


@pytest.mark.parametrize("ticker", ["AMD", "MU"])
@pytest.mark.parametrize(
    ("estimation", "window", "tested", "log"),
    [
        ((-270, -21), (-5, 5), (0, 0), False),
        ((-270, -21), (0, 1), (0, 1), True),
        ((-200, -12), (-2, 3), (1, 3), False),
        ((-150, -4), (-3, 3), (0, 0), True),
        ((-300, -61), (-10, 10), (-10, 10), False),
    ],
)
def test_the_month_before_is_that_of_the_tested_window(ticker, estimation, window, tested, log):
    """Returns against the line through the estimation days, by lstsq on prices: whatever lies between, estimation days where it is short."""
    prices = es.load_prices([ticker, "MSFT", "^GSPC"])
    model = es.MarketModel("^GSPC")
    study = es.EventStudy(model=model, estimation=estimation, window=window, returns="log" if log else "simple")
    result = study.run(prices, [es.Event("MSFT", "2024-05-01"), es.Event(ticker, "2024-08-08")])
    closes = prices.adj_close.loc[prices.adj_close["^GSPC"].notna()]
    moves = (np.log(closes).diff() if log else closes.pct_change(fill_method=None)).to_numpy()
    x, y = moves[:, closes.columns.get_loc("^GSPC")], moves[:, closes.columns.get_loc(ticker)]
    day = closes.index.get_loc("2024-08-08")
    days = np.arange(day + estimation[0], day + estimation[1] + 1)
    rows = np.column_stack([np.ones(len(x)), x])
    line = np.linalg.lstsq(rows[days], y[days], rcond=None)[0]
    before = day + tested[0] - np.arange(20, 0, -1)
    expected = (y - rows @ line)[before]
    own = result.abnormal.take(np.array([1]))
    if estimation[1] == -61:
        assert own.run_up.shape == (1, 20)
    np.testing.assert_allclose(advice.month_before(own, es.Window(*tested)), expected, atol=1e-13)
    alone = study.run(prices, es.Event(ticker, "2024-08-08")).abnormal
    np.testing.assert_allclose(alone.run_up[0], result.abnormal.run_up[1], atol=1e-13)


def test_doubles_are_counted_on_their_own_dates(study):
    """Three firms of which two are one share, on two dates: two events a date. Other firms on dates of their own do not hide them."""
    day, word = es.Window(0, 0), "move almost as that of another firm"
    twice = [(f, d) for d in (0, 40) for f in (0, 1, 2)]
    _, names, reason = recommend(on_dates(study, 6, twice).abnormal, day)
    assert "6 events of which 2 move almost as that of another firm" in reason
    assert "leave the doubles out" in reason
    assert names == ()
    single = [(f, d) for d in (0, 40) for f in (0, 2, 3)]
    assert word not in recommend(on_dates(study, 6, single).abnormal, day)[2]
    once = [(0, 0), (1, 0), *((f, d) for d in (40, 80) for f in (2, 3, 4))]
    assert word not in recommend(on_dates(study, 6, once).abnormal, day)[2]


def test_a_portfolio_is_compared_on_the_days_that_all_its_firms_have(study):
    """One firm lacks a quarter of the estimation days: placebo days are those of both, counted one by one."""
    days = es.exchange_sessions("XNYS", "2023-01-03", "2025-03-31")
    rng = np.random.default_rng(3)
    market = rng.normal(0.0, 0.01, len(days))
    table = pd.DataFrame(market[:, None] + rng.normal(0.0, [0.02, 0.05], (len(days), 2)), days, ["A", "B"])
    place = days.get_loc(DAY)
    table.iloc[place] = [-0.09, -0.21]
    table = table.assign(**{"^GSPC": market})
    for first, shared in ((place - 270 + 63, 187), (place - 270 + 150, 100)):
        short = table.copy()
        short.iloc[:first, 1] = np.nan
        result = study.run(short, [es.Event("A", DAY), es.Event("B", DAY)])
        day = es.Window(0, 0)
        if shared < 125:  # too few of them: nothing is said beside the recommended test
            assert advice.beside(result.abnormal, day)[:1] != ("placebo",)
            continue
        assert advice.beside(result.abnormal, day) == ("placebo",)
        scaled = result.abnormal.residuals / result.abnormal.sigma[:, None]
        averages = [sum(column) / 2 for column in scaled.T.tolist() if not any(np.isnan(column))]
        assert len(averages) == shared
        seen = float(result.abnormal.sar[:, 5].mean())
        beyond = sum(abs(a) >= abs(seen) for a in averages)
        assert result.test("placebo").p_value == pytest.approx((1 + beyond) / (shared + 1), rel=1e-12)


def test_two_firms_are_one_event_only_on_days_they_share(study):
    """F0 and F1 are two classes of one share."""
    day, week, word = es.Window(0, 0), es.Window(0, 4), "move almost as that of another firm"
    same, near, apart = ([(0, 0), (1, d), (2, 0)] for d in (0, 3, 40))
    assert word in recommend(on_dates(study, 4, same).abnormal, day)[2]
    assert word not in recommend(on_dates(study, 4, near).abnormal, day)[2]
    assert word in recommend(on_dates(study, 4, near).abnormal, week)[2]
    assert word not in recommend(on_dates(study, 4, apart).abnormal, week)[2]


def test_the_advice_does_not_promise_what_one_date_cannot_tell(result):
    said = result.recommended((0, 0)).sentence
    assert "in each firm's own part; a move that all have in common cannot be told from the news" in said


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("digits", [9, 2])  # with two digits many sums are equal
def test_the_shift_of_signed_ranks_is_that_of_all_ranks(length: int, digits: int) -> None:
    rng = np.random.default_rng(digits + length)
    residuals = np.round(0.001 + 0.01 * rng.standard_t(3, (50, 41)), digits)
    residuals[rng.random(residuals.shape) < 0.02] = np.nan
    days = residuals[:, : 41 // length * length].reshape(50, -1, length).sum(axis=2).ravel()
    days = days[np.isfinite(days) & (days != 0.0)]
    ranks = stats.rankdata(np.abs(days))
    share = ranks[days > 0].sum() / (len(days) * (len(days) + 1) / 2)
    abnormal = SimpleNamespace(
        residuals=residuals, n=50, estimation=Window(-50, -10), once=lambda _, compute: compute()
    )
    found = signed_rank_shift(abnormal, Window(0, length - 1), 7)
    assert found == pytest.approx(np.sqrt(3 * 7) * (share - 0.5), abs=1e-12)
