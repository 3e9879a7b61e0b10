"""Two price tables compared and joined: a dividend, a split, a wrong price, jitter, a missing day, each named."""

from __future__ import annotations

import json
import time
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.vintages.changes import split_ratio
from eventstudy.vintages.compare import compare_prices
from eventstudy.vintages.join import join_prices

SNAPSHOT = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-06-01", "2025-06-30")
EX = "2024-11-15"  # a day inside
STUDY = es.EventStudy(model=es.MarketModel("^GSPC"), estimation=(-270, -21), window=(-5, 5))
EVENTS = [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")]


def copy(adj=None, close=None, volume=None, base=SNAPSHOT):
    return es.Prices.from_frame(
        base.adj_close if adj is None else adj,
        close=base.close if close is None else close,
        volume=base.volume if volume is None else volume,
        currency=base.currency,
    )


def scaled(frame, ticker, factor, before=None):
    table = frame.copy()
    rows = slice(None) if before is None else table.index < before
    table.loc[rows, ticker] *= factor
    return table


def kinds(found):
    return {t.ticker: t.kind for t in found.tickers}


def others_same(found, ticker):
    assert {k for t, k in kinds(found).items() if t != ticker} == {"same"}
    return found[ticker]


def test_equal_tables_are_the_same():
    found = compare_prices(SNAPSHOT, copy())
    assert set(kinds(found).values()) == {"same"}
    assert not found.differ
    assert found.summary() == "4 of 4 tickers the same"
    assert found["NVDA"].days == len(SNAPSHOT.dates)


def test_jitter_of_single_precision_is_no_difference():
    noisy = SNAPSHOT.adj_close.astype("float32").astype("float64")
    found = compare_prices(SNAPSHOT, copy(noisy))
    assert set(kinds(found).values()) == {"jitter"}
    assert not found.differ
    assert all(0 < t.largest < 3e-7 and t.changes == () for t in found.tickers)


def test_a_dividend_after_the_old_table_is_named_with_day_and_factor():
    """META's dividend of 14 March 2025, as a download before and one after it have it."""
    old_days = SNAPSHOT.between(end="2025-03-12")
    before = old_days.adj_close / (SNAPSHOT.adj_close / SNAPSHOT.close).loc["2025-03-12"]
    found = compare_prices(es.Prices.from_frame(before, old_days.close, old_days.volume), SNAPSHOT)
    meta = found["META"]
    assert (meta.kind, meta.closes, meta.volumes, meta.inner_days) == ("dividend", 0, 0, 0)
    assert not found.differ
    (change,) = meta.changes
    # Ex-days by the table: March and June
    assert change.text.startswith("dividends on 2025-03-14 (factor 0.999")
    assert "2025-06-16" in change.text
    assert change.factor == pytest.approx((SNAPSHOT.adj_close / SNAPSHOT.close).at["2025-03-12", "META"], rel=1e-9)
    assert len(meta.added) == len(SNAPSHOT.dates) - len(old_days.dates)
    assert kinds(found)["^GSPC"] == "same"


@pytest.mark.parametrize("with_close", [True, False])
def test_a_constant_factor_without_a_dividend_in_sight(with_close):
    changed = scaled(SNAPSHOT.adj_close, "NVDA", 0.9971)
    new = copy(changed) if with_close else es.Prices.from_frame(changed)
    nvda = others_same(compare_prices(SNAPSHOT, new), "NVDA")
    assert nvda.kind == "rescaled"
    assert nvda.changes[0].factor == pytest.approx(0.9971)
    assert nvda.largest < 1e-12
    assert not nvda.differs


def test_a_dividend_booked_in_one_table_only_restates_one_return():
    found = compare_prices(SNAPSHOT, copy(scaled(SNAPSHOT.adj_close, "META", 0.9975, EX)))
    meta = others_same(found, "META")
    assert (meta.kind, [c.kind for c in meta.changes]) == ("restated", ["dividend"])
    (change,) = meta.changes
    assert change.last == "2024-11-14"
    assert change.factor == pytest.approx(0.9975)
    true = SNAPSHOT.returns().at[pd.Timestamp(EX), "META"]
    assert meta.largest == pytest.approx((1 + true) / 0.9975 - (1 + true))
    assert change.text.startswith(f"dividend on {EX} booked, factor 0.997500; the return of {EX} differs by +0.2")
    assert found.differ
    back = compare_prices(copy(scaled(SNAPSHOT.adj_close, "META", 0.9975, EX)), SNAPSHOT)
    assert f"dividend on {EX} taken out" in back["META"].changes[0].text


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.1, "10-for-1 split"), (1.5**-1, "3-for-2 split"), (8.0, "1-for-8 reverse split")]
)
def test_a_split_after_both_tables_rescales_and_leaves_returns(ratio, words):
    new = copy(
        scaled(SNAPSHOT.adj_close, "NVDA", ratio),
        scaled(SNAPSHOT.close, "NVDA", ratio).round(6),
        scaled(SNAPSHOT.volume, "NVDA", 1 / ratio),
    )
    nvda = others_same(compare_prices(SNAPSHOT, new), "NVDA")
    assert nvda.kind == "split"
    assert [c.kind for c in nvda.changes] == ["split"]
    assert nvda.changes[0].text.startswith(words)
    assert nvda.changes[0].factor == pytest.approx(ratio)
    assert not nvda.differs


def test_a_split_and_dividends_since_are_told_apart():
    new = copy(scaled(SNAPSHOT.adj_close, "NVDA", 0.1 * 0.998), scaled(SNAPSHOT.close, "NVDA", 0.1))
    nvda = compare_prices(SNAPSHOT, new)["NVDA"]
    assert [(c.kind, round(c.factor, 9)) for c in nvda.changes] == [("rescaled", 0.998), ("split", 0.1)]
    assert nvda.kind == "split"


def test_another_split_basis_before_a_day():
    """Closes as traded before NVDA's split of 10 June 2024 against closes adjusted for it."""
    day = "2024-06-10"
    new = copy(None, scaled(SNAPSHOT.close, "NVDA", 10, day), scaled(SNAPSHOT.volume, "NVDA", 0.1, day))
    nvda = others_same(compare_prices(SNAPSHOT, new), "NVDA")
    (change,) = nvda.changes
    assert (nvda.kind, change.kind, change.last, change.factor) == ("split", "split", "2024-06-07", 10.0)
    assert not nvda.differs


def test_a_split_that_one_table_missed():
    day = "2024-06-10"
    missed = copy(scaled(SNAPSHOT.adj_close, "NVDA", 10, day), scaled(SNAPSHOT.close, "NVDA", 10, day))
    nvda = others_same(compare_prices(missed, SNAPSHOT), "NVDA")
    (change,) = nvda.changes
    assert (nvda.kind, change.kind, change.returns_differ) == ("restated", "split", True)
    assert change.text.startswith(f"10-for-1 split on {day} is in one table only; the return of {day} differs by +9")


@pytest.mark.parametrize("place", [0, 1, 200, -2, -1])
def test_one_wrong_price_is_named_with_its_two_returns(place):
    wrong, close = SNAPSHOT.adj_close.copy(), SNAPSHOT.close.copy()
    column = wrong.columns.get_loc("GOOGL")
    wrong.iloc[place, column] *= 1.03
    close.iloc[place, column] *= 1.03
    found = compare_prices(SNAPSHOT, copy(wrong, close))
    googl = others_same(found, "GOOGL")
    (change,) = googl.changes
    day = f"{SNAPSHOT.dates[place]:%Y-%m-%d}"
    assert (googl.kind, change.kind, change.first, change.last) == ("restated", "price", day, day)
    assert change.factor == pytest.approx(1.03)
    assert change.text.startswith(f"price of {day}: ")
    assert ("and" in change.text) == (place in (1, 200, -2))
    assert (googl.adj_closes, googl.closes) == (1, 1)
    assert found.differ
    assert "RESTATED: GOOGL" in found.summary()
    assert f"GOOGL: RESTATED: price of {day}" in repr(found)


def test_two_wrong_prices_and_a_dividend_in_one_ticker():
    wrong = scaled(SNAPSHOT.adj_close, "META", 0.999, EX)
    wrong.loc["2024-02-01":"2024-02-02", "META"] *= 1.01
    wrong.loc["2025-05-01", "META"] *= 0.98
    meta = compare_prices(SNAPSHOT, copy(wrong))["META"]
    assert [(c.kind, c.first, c.last) for c in meta.changes] == [
        ("dividend", "2023-06-01", "2024-11-14"),
        ("price", "2024-02-01", "2024-02-02"),
        ("price", "2025-05-01", "2025-05-01"),
    ]


def test_a_wrong_close_as_traded_alone():
    close = SNAPSHOT.close.copy()
    close.loc["2025-01-27", "NVDA"] = 118.24
    found = compare_prices(SNAPSHOT, copy(None, close))
    nvda = others_same(found, "NVDA")
    assert (nvda.kind, [c.kind for c in nvda.changes], nvda.largest) == ("restated", ["close"], 0.0)
    assert nvda.changes[0].first == "2025-01-27"
    assert found.differ


def test_days_that_came_and_went():
    short = copy(base=SNAPSHOT.between("2023-07-01", "2025-05-30"))
    grown = compare_prices(short, SNAPSHOT)
    assert not grown.differ
    assert (len(grown["NVDA"].added), grown["NVDA"].removed, grown["NVDA"].kind) == (
        len(SNAPSHOT.dates) - len(short.dates),
        (),
        "same",
    )
    holed = SNAPSHOT.adj_close.copy()
    holed.loc["2025-01-28", "META"] = np.nan
    found = compare_prices(SNAPSHOT, copy(holed))
    meta = others_same(found, "META")
    assert (meta.kind, meta.removed, meta.inner_days, meta.largest) == ("restated", ("2025-01-28",), 1, 0.0)
    assert "1 day removed: 2025-01-28" in repr(found)


def test_tickers_that_one_table_has_and_no_common_day():
    found = compare_prices(SNAPSHOT.select(["NVDA", "META"]), SNAPSHOT.select(["META", "GOOGL"]))
    assert (found.only_old, found.only_new, [t.ticker for t in found.tickers]) == (("NVDA",), ("GOOGL",), ["META"])
    apart = compare_prices(SNAPSHOT.between(end="2024-01-02"), SNAPSHOT.between(start="2024-01-03"))
    assert set(kinds(apart).values()) == {"no common days"}
    with pytest.raises(InvalidInput, match="tolerance"):
        compare_prices(SNAPSHOT, SNAPSHOT, 0)


def test_plain_values_and_volumes():
    volume = SNAPSHOT.volume.copy()
    volume.loc["2025-01-27", "NVDA"] += 1000
    found = compare_prices(SNAPSHOT, copy(None, None, volume))
    assert found["NVDA"].volumes == 1
    assert not found.differ
    content = json.loads(json.dumps(found.to_dict()))
    assert content["differ"] is False
    assert content["tickers"][0]["volumes"] == 1


@pytest.mark.parametrize(
    ("factor", "ratio"),
    [
        (0.1, Fraction(1, 10)),
        (20, 20),
        (2 / 3, Fraction(2, 3)),
        (0.99, None),
        (0.83, None),
        (np.nan, None),
        (0.5003, None),
    ],
)
def test_split_ratios(factor, ratio):
    assert split_ratio(factor) == ratio


def test_prices_rounded_to_the_cent_are_told_in_a_few_lines_and_pass_with_a_tolerance_for_it():
    cents = copy((SNAPSHOT.adj_close * 0.99).round(2))
    nvda = compare_prices(SNAPSHOT, cents)["NVDA"]
    assert nvda.kind == "restated"
    assert len(nvda.changes) > 100
    assert len(nvda.lines()) < 10
    assert "more changes; returns differ by up to 0.00" in nvda.lines()[-1]
    assert not compare_prices(SNAPSHOT, cents, 1e-3).differ


def test_five_hundred_tickers_in_seconds():
    panel = es.load_universe()
    start = time.perf_counter()
    found = compare_prices(panel, es.Prices.from_frame(panel.adj_close * 0.99))
    assert {t.kind for t in found.tickers} == {"rescaled"}
    assert time.perf_counter() - start < 20


# -- joining ----------------------------------------------------------------------------------------------


def ar(prices):
    return STUDY.run(prices, EVENTS).ar.to_numpy()


WHOLE = ar(SNAPSHOT)
days = st.integers(min_value=5, max_value=len(SNAPSHOT.dates) - 6)


@pytest.mark.slow
@given(
    cut=days,
    overlap=st.integers(1, 60),
    factors=st.lists(st.floats(0.2, 3.0), min_size=4, max_size=4),
    turn=st.booleans(),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_split_of_the_range_leaves_every_abnormal_return(cut, overlap, factors, turn):
    """The earlier fetch on another dividend basis, whatever the cut, the overlap and the order of the arguments."""
    dates = SNAPSHOT.dates
    low, high = max(cut - overlap // 2, 1), min(cut + overlap // 2 + 1, len(dates) - 2)
    early, late = SNAPSHOT.between(end=f"{dates[high]:%Y-%m-%d}"), SNAPSHOT.between(start=f"{dates[low]:%Y-%m-%d}")
    early = copy(early.adj_close * np.array(factors), base=early)
    joined = join_prices(late, early) if turn else join_prices(early, late)
    pd.testing.assert_index_equal(joined.dates, dates)
    pd.testing.assert_frame_equal(joined.close, SNAPSHOT.close)
    pd.testing.assert_frame_equal(joined.volume, SNAPSHOT.volume)
    np.testing.assert_allclose(ar(joined), WHOLE, rtol=0, atol=1e-12)


@pytest.mark.slow
@given(factors=st.lists(st.floats(0.05, 20.0), min_size=4, max_size=4), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_dividend_rescaling_and_order_of_rows_leaves_every_abnormal_return(factors, seed):
    new = SNAPSHOT.adj_close.mul(np.array(factors)).sample(frac=1, random_state=seed)
    prices = es.Prices.from_frame(new)
    np.testing.assert_allclose(ar(prices), WHOLE, rtol=0, atol=1e-12)
    assert not compare_prices(SNAPSHOT, prices).differ


def test_a_split_between_two_fetches_leaves_no_seam():
    early, late = SNAPSHOT.between(end="2024-12-31"), SNAPSHOT.between(start="2024-12-02")
    early = copy(
        scaled(early.adj_close, "NVDA", 10), scaled(early.close, "NVDA", 10), scaled(early.volume, "NVDA", 0.1), early
    )
    joined = join_prices(early, late)
    np.testing.assert_allclose(joined.close.to_numpy(), SNAPSHOT.close.to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(joined.volume["NVDA"], SNAPSHOT.volume["NVDA"], rtol=1e-12)
    np.testing.assert_allclose(ar(joined), WHOLE, rtol=0, atol=1e-12)


def test_what_does_not_fit_is_refused():
    early, late = SNAPSHOT.between(end="2024-12-31"), SNAPSHOT.between(start="2024-12-02")
    with pytest.raises(DataUnfit, match="no day of NVDA in common"):
        join_prices(SNAPSHOT.between(end="2024-11-29"), late)
    with pytest.raises(DataUnfit, match="Only one of the two tables has GOOGL"):
        join_prices(early.select(["NVDA", "META", "^GSPC"]), late)
    euros = es.Prices.from_frame(late.adj_close, currency={**late.currency, "META": "EUR"})
    with pytest.raises(DataUnfit, match="META is in USD in one table and in EUR"):
        join_prices(early, euros)
    wrong = early.adj_close.copy()
    wrong.loc["2024-12-10", "META"] *= 1.001
    with pytest.raises(DataUnfit, match="disagree on META where they overlap: adjusted close of 2024-12-10"):
        join_prices(copy(wrong, base=early), late)
    wrong.loc["2024-12-10", "META"] = np.nan
    with pytest.raises(DataUnfit, match="disagree on META"):
        join_prices(copy(wrong, base=early), late)


def test_the_joined_table_tells_where_it_comes_from():
    early, late = SNAPSHOT.between(end="2024-12-31"), SNAPSHOT.between(start="2024-12-02")
    origin = join_prices(early, late).provenance
    assert origin.source == "snapshot + snapshot"
    assert (origin.first, origin.last) == (f"{SNAPSHOT.dates[0]:%Y-%m-%d}", f"{SNAPSHOT.dates[-1]:%Y-%m-%d}")
    assert len(origin.digest) == 64


def test_a_few_days_that_slipped_by_one_session_are_named():
    adj, close = SNAPSHOT.adj_close.copy(), SNAPSHOT.close.copy()
    for table in (adj, close):
        run = table.index[(table.index >= "2025-01-17") & (table.index <= "2025-01-29")]
        table.loc[run, "GOOGL"] = table["GOOGL"].shift(1).loc[run]
    found = others_same(compare_prices(SNAPSHOT, copy(adj, close)), "GOOGL")
    assert (found.kind, [c.kind for c in found.changes]) == ("restated", ["shifted"])
    assert found.changes[0].text == (
        "shifted by one session: 2025-01-17 to 2025-01-29, 8 days, whose new prices are the old ones of one session before"
    )


@pytest.mark.parametrize(
    ("slip", "side"), [(1, "one session before"), (-1, "one session after"), (2, "2 sessions before")]
)
def test_a_whole_series_that_slipped_is_named_once(slip, side):
    adj, close = SNAPSHOT.adj_close.copy(), SNAPSHOT.close.copy()
    for table in (adj, close):
        table["META"] = table["META"].shift(slip)
    found = others_same(compare_prices(SNAPSHOT, copy(adj, close)), "META")
    assert [c.kind for c in found.changes] == ["shifted"]
    assert side in found.changes[0].text


def test_a_shift_and_a_wrong_price_are_both_named():
    adj = SNAPSHOT.adj_close.copy()
    run = adj.index[(adj.index >= "2025-03-03") & (adj.index <= "2025-03-31")]
    adj.loc[run, "NVDA"] = adj["NVDA"].shift(-1).loc[run]
    adj.loc["2024-05-15", "NVDA"] *= 1.1
    found = compare_prices(SNAPSHOT, copy(adj))["NVDA"]
    assert [c.kind for c in found.changes] == ["price", "shifted"]
    assert found.changes[0].text.startswith("adjusted close of 2024-05-15: ")  # the close as traded did not move


def test_a_wrong_price_is_told_as_it_was_traded():
    adj, close = SNAPSHOT.adj_close.copy(), SNAPSHOT.close.copy()
    for table in (adj, close):
        table.loc["2025-01-27", "META"] *= 0.95
    found = compare_prices(SNAPSHOT, copy(adj, close))["META"]
    assert found.changes[0].text.startswith("price of 2025-01-27: 659.88 → 626.886 (-5.00%")
