"""Trade-to-trade returns against an independent implementation of Maynes and Rumsey (1993).

The expected numbers were computed in base R from the published formulas, on log returns of firms that do not trade every day
(`tools/make_reference.py`). Each firm's returns begin with its first row, without a price before it: that return counts one session.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from golden import read, synthetic

import eventstudy as es

pytestmark = pytest.mark.reference

# Both sides are double precision; ten digits is what two different orders of summation leave in common.
RTOL = 1e-10
# A sum of abnormal returns of about 0.05 may cancel.
ATOL = 1e-13


def expected(part: str) -> pd.DataFrame:
    return read(f"synth_thin_trade_to_trade_log_{part}")


def log_returns() -> pd.DataFrame:
    returns, _ = synthetic("synth_thin")
    return np.log1p(returns.loc[:, :"mkt"])


def events() -> pd.DataFrame:
    return synthetic("synth_thin")[1]


@lru_cache
def result() -> es.EventStudyResult:
    study = es.EventStudy(
        model=es.TradeToTrade("mkt"), estimation=(-260, -11), window=(-10, 10), returns="log", max_dropped=0.0
    )
    return study.run(log_returns(), events())


def close(actual: object, wanted: object, rtol: float = RTOL, atol: float = ATOL) -> None:
    np.testing.assert_allclose(np.asarray(actual, float), np.asarray(wanted, float), rtol=rtol, atol=atol)


def test_coefficients() -> None:
    wanted = expected("fit")
    close(result().abnormal.n_est, wanted["n_trades"])
    close(result().fit.coefficients, wanted[["alpha", "beta"]])
    close(result().abnormal.sigma, wanted["sigma"])


def test_daily() -> None:
    wanted, ab = expected("ar"), result().abnormal
    at = (wanted["event_id"].to_numpy() - 1, wanted["tau"].to_numpy() - ab.window.start)
    close(ab.ar[at], wanted["ar"])
    close(ab.se[at], wanted["s_ar"])
    close(ab.sar[at], wanted["t"])
    close(ab.df[at[0]], wanted["df"])
    seen = wanted["ar"].notna().to_numpy()
    assert ab.span is not None
    np.testing.assert_array_equal(ab.span[at][seen], wanted["days_since_last_trade"][seen])
    assert (ab.span[at][seen] > 1).sum() > 50


def test_sums_and_those_without_a_value() -> None:
    wanted, void = expected("car"), 0
    for (start, end), part in wanted.groupby(["tau1", "tau2"]):
        sums = result().abnormal.sums((int(start), int(end)))
        at = part["event_id"].to_numpy() - 1
        valid = part["valid"].to_numpy() == 1
        np.testing.assert_array_equal(np.isfinite(sums.car[at]), valid)
        np.testing.assert_array_equal(sums.n_days[at], part["n_trades"])
        close(sums.car[at], part["car"])
        close(sums.s_car[at], part["s_car"])
        close(sums.scar[at], part["scar"])
        void += int((~valid).sum())
    assert void == 14


def test_tests() -> None:
    wanted = expected("tests")
    assert len(wanted) == 4
    for row in wanted.itertuples():
        window = (row.tau1, row.tau2)
        for name in ("csect_t", "bmp_t"):
            got = result().test(name, window)
            close(got.statistic, getattr(row, name))
            close(got.p_value, getattr(row, name.replace("_t", "_p")), rtol=1e-8)
            assert got.n == row.n
        close(result().caar(*window), row.caar)


def test_prices_give_the_same_as_returns() -> None:
    """A price on the day before a firm's first row, and none on days without a trade: the same spans and the same numbers."""
    logs = log_returns()
    levels = logs.cumsum().where(logs.notna())
    days = pd.DatetimeIndex(logs.index)
    for name in logs:
        place = days.get_loc(logs.index[logs[name].notna()][0])
        if place > 0:
            levels.iloc[place - 1, levels.columns.get_loc(name)] = 0.0
    before = pd.DataFrame(np.nan, index=[days[0] - pd.Timedelta(days=1)], columns=logs.columns)
    before[[c for c in logs if pd.notna(logs[c].iloc[0])]] = 0.0
    levels.index = days
    prices = es.Prices.from_frame(100.0 * np.exp(pd.concat([before, levels])))
    study = es.EventStudy(
        model=es.TradeToTrade("mkt"), estimation=(-260, -11), window=(-10, 10), returns="log", calendar=None
    )
    again = study.run(prices, events())
    assert again.abnormal.span is not None
    np.testing.assert_array_equal(again.abnormal.span, result().abnormal.span)
    close(again.fit.coefficients, result().fit.coefficients, rtol=1e-8, atol=1e-12)
    close(again.abnormal.ar, result().abnormal.ar, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("day", [-10, -3, 3])
def test_the_average_of_a_day_leaves_out_returns_of_several_sessions(day: int) -> None:
    wanted = expected("ar")
    part = wanted[(wanted["tau"] == day) & (wanted["days_since_last_trade"] == 1)]
    assert len(part) < 40
    close(result().aar[day], part["ar"].mean())
    assert result().test("csect_t", (day, day)).n == len(part)
