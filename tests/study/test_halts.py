"""Days without a trade in an event window: accepted or not, with volumes or without, they never pass for calm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.study.summary import power_line, summary_html, summary_text
from eventstudy.windows import Window

DAYS = exchange_sessions("XLON", "2017-01-03", "2018-12-31")
ZERO = 371
EVENT = str(DAYS[ZERO].date())
NO_TRADE = "suspended by the exchange until the announcement"


def table(seed: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Made-up closes and volumes; the fall of PLC comes when trading begins again."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.008, len(DAYS))
    returns = pd.DataFrame(
        {
            "ASX": market,
            "PLC": market + rng.normal(0, 0.012, len(DAYS)),
            "LTD": market + rng.normal(0, 0.01, len(DAYS)),
        },
        index=DAYS,
    )
    closes = 250.0 * (1 + returns).cumprod()
    return closes, pd.DataFrame(1e6, index=DAYS, columns=closes.columns)


def halted(first: int, days: int, firm: str = "PLC", fall: float = 0.7) -> tuple[pd.DataFrame, pd.DataFrame]:
    closes, volume = table()
    rows = DAYS[ZERO + first : ZERO + first + days]
    closes.loc[rows, firm] = closes[firm].iloc[ZERO + first - 1]
    closes.loc[DAYS[ZERO + first + days] :, firm] *= fall
    volume.loc[rows, firm] = 0.0
    return closes, volume


def run(closes: pd.DataFrame, volume: pd.DataFrame | None = None, firms=("PLC",), **options: object):
    spec = {"model": es.MarketModel("ASX"), "estimation": (-220, -21), "window": (-3, 8), **options}
    return es.EventStudy(**spec).run(es.Prices.from_frame(closes, volume=volume), [es.Event(f, EVENT) for f in firms])


@pytest.mark.parametrize(("first", "days", "check"), [
    (0, 1, "zero_volume"), (0, 3, "zero_volume"), (-2, 3, "zero_volume"), (0, 7, "stale_prices"), (2, 1, "zero_volume"),
])  # fmt: skip
@pytest.mark.parametrize("returns", ["simple", "log"])
def test_an_accepted_halt_is_a_gap_as_if_the_cells_were_empty(first, days, check, returns):
    closes, volume = halted(first, days)
    with pytest.raises(es.errors.DataUnfit, match=check):
        run(closes, volume, returns=returns)
    result = run(closes, volume, returns=returns, accept={check: NO_TRADE})
    emptied = closes.copy()
    emptied.iloc[ZERO + first : ZERO + first + days, closes.columns.get_loc("PLC")] = np.nan
    right = run(emptied, volume, returns=returns)
    for window in ((0, 0), (0, 1), (-3, 8), (5, 8)):
        pd.testing.assert_frame_equal(result.car(window), right.car(window))
        assert power_line(result, Window(*window)) == power_line(right, Window(*window))
    lost = range(first, first + days + 1)
    assert np.isnan(result.ar.to_numpy()[0]).tolist() == [d in lost for d in range(-3, 9)]
    (taken,) = (f for f in result.findings if f.check == check and f.accepted)
    assert taken.accepted == NO_TRADE
    if 0 in lost:
        assert "no verdict: PLC: no price on day" in summary_text(result)
        assert "within its ordinary noise" not in result.sentence()


def test_a_halt_before_the_window_stays_what_was_accepted():
    closes, volume = halted(-60, 2)
    result = run(closes, volume, accept={"zero_volume": NO_TRADE})
    assert np.isfinite(result.ar.to_numpy()).all()
    assert result.audit["estimation_days"].tolist() == [200]


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize("returns", ["simple", "log"])
def test_a_price_that_stands_on_the_event_day_is_doubted_unless_it_was_traded(volume, returns):
    closes, shares = halted(0, 1, "LTD")
    shares.loc[:] = 1e6
    shares.iloc[ZERO] = 7e5  # else a repeated row
    result = run(closes, shares if volume else None, ("PLC", "LTD"), returns=returns)
    found = [c for c in result.checks if c.name == "Prices that move on the event day"]
    text = summary_text(result)
    if volume:
        assert not found
        return
    assert found[0].value == "1 of 2 did not"
    assert found[0].comment.startswith("LTD: the price is to the last digit that of the session before")
    assert text.count(found[0].comment) == 1
    assert text.index(found[0].comment) < text.index("Days [0, 0]")
    assert "leave the day" in summary_html(result)
    alone = run(closes, None, ("LTD",), returns=returns)
    assert power_line(alone, Window(0, 0)) == ""


def test_a_firm_that_often_stands_still_is_not_doubted_for_it():
    closes, _ = halted(0, 1, "LTD")
    for place in range(ZERO - 200, ZERO - 30, 17):
        closes.iloc[place, closes.columns.get_loc("LTD")] = closes["LTD"].iloc[place - 1]
    assert "Prices that move on the event day" not in {c.name for c in run(closes, None, ("LTD",)).checks}


def test_with_one_event_left_its_own_tests_are_shown():
    closes, _ = table(8)
    closes.iloc[ZERO, closes.columns.get_loc("PLC")] = np.nan
    two, one = run(closes, None, ("PLC", "LTD")), run(closes, None, ("LTD",))
    shown, alone = two.tests((0, 0)), one.tests((0, 0))
    assert shown.index.tolist() == alone.index.tolist()
    assert shown["p_value"].tolist() == alone["p_value"].tolist()
    assert shown.loc["t_pe", "recommended"]
    text = summary_text(two, [Window(0, 0)])
    assert "Average over 1 of 2 events" in text
    assert "it tests one event at a time" not in text
    assert "it needs at least two events" not in text


def test_a_long_halt_names_the_model_that_bridges_it():
    closes, _ = table(9)
    closes.iloc[ZERO : ZERO + 5, closes.columns.get_loc("PLC")] = np.nan
    for window in ((0, 0), (0, 2), (0, 6)):
        assert "TradeToTrade bridges" in run(closes).car(window)["note"].iloc[0]
