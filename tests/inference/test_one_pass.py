"""One pass over the events: the same numbers in chunks of any size, kept or gathered again, and a refusal where memory would not do."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest

import eventstudy as es
from eventstudy.errors import TooLarge
from eventstudy.estimation import deferred
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference import TESTS
from eventstudy.inference.days import CountSizes, SumByDay, block_sums
from eventstudy.inference.resampling import placebo

WINDOWS = ((0, 0), (-2, 1), (-4, 4))
MODELS = {
    "market": es.MarketModel("mkt"),
    "mean": es.MeanAdjusted(),
    "adjusted": es.MarketAdjusted("mkt"),
    "factors": es.FactorModel(["mkt", "f"], risk_free="rf"),
    "peers": es.PeerPortfolio(["S00", "S01", "S02"]),
    "dimson": es.Dimson("mkt"),
    "scholes": es.ScholesWilliams("mkt"),
    "hac": es.HacMarketModel("mkt"),
    "hold": es.BuyAndHold("mkt"),
    "trades": es.TradeToTrade("mkt"),
    "huber": es.RobustMarketModel("mkt"),
}


def table(seed: int, days: int = 420, firms: int = 11, lost: float = 0.006) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market, other = rng.normal(0.0004, 0.01, days), rng.normal(0.0, 0.006, days)
    returns = np.outer(market, rng.uniform(0.4, 1.7, firms)) + 0.015 * rng.standard_t(4, (days, firms))
    returns[rng.random(returns.shape) < lost] = np.nan
    returns[rng.random(returns.shape) < 0.02] = 0.0
    dates = pd.bdate_range("2019-01-02", periods=days)
    frame = pd.DataFrame(returns, index=dates, columns=[f"S{i:02d}" for i in range(firms)])
    return frame.assign(mkt=market, f=other, rf=0.0001)


def events(seed: int, returns: pd.DataFrame, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    place = np.concatenate([rng.integers(140, len(returns) - 10, n - n // 3), rng.integers(200, 206, n // 3)])
    firms = [c for c in returns.columns if c.startswith("S")]
    return pd.DataFrame({"ticker": rng.choice(firms, n), "date": returns.index[place]})


def everything(result: es.EventStudyResult) -> dict[str, object]:
    """All that a study says, as values."""
    names = [name for name, method in TESTS.items() if method.scope == "many"]
    found: dict[str, object] = {"checks": result.checks, "printed": str(result), "car": result.car(-3, 2)}
    for window in WINDOWS:
        tests, recommended = result.run_tests(window, names=names)
        found |= {f"{window} {t.name}": (t.statistic, t.p_value, t.n, t.reason, t.note) for t in tests}
        found[f"{window}"] = (recommended, result.recommended(window).sentence)
    return found


def same(one: dict[str, object], other: dict[str, object]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, other[key], rtol=1e-11, atol=1e-14)
        elif isinstance(value, tuple) and value and isinstance(value[0], float):
            assert value[2:] == other[key][2:], key
            np.testing.assert_allclose(value[:2], other[key][:2], rtol=1e-11, atol=1e-13, err_msg=key)
        else:
            assert value == other[key], key


@pytest.mark.parametrize("gaps", ["skip", "void"])
@pytest.mark.parametrize("name", MODELS)
def test_chunks_of_any_size_say_the_same(monkeypatch: pytest.MonkeyPatch, name: str, gaps: str) -> None:
    returns = table(len(name), lost=0.003 if gaps == "void" else 0.006)
    kind = "log" if name == "trades" else "simple"
    study = es.EventStudy(MODELS[name], (-120, -11), (-4, 4), returns=kind, gaps=gaps, max_dropped=0.9)
    found = []
    for size in (1_000, 17, 4):
        monkeypatch.setattr(deferred, "CHUNK", size)
        found.append(everything(study.run(returns, events(3, returns, 60))))
    same(found[0], found[1])
    same(found[0], found[2])


def test_events_that_cannot_be_fitted_are_dropped_from_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = table(5)
    returns["S03"] = 0.0
    study = es.EventStudy(MODELS["market"], (-120, -11), (-4, 4), max_dropped=0.5)
    asked = events(4, returns, 80)
    found = []
    for size in (1_000, 7):
        monkeypatch.setattr(deferred, "CHUNK", size)
        result = study.run(returns, asked)
        assert {d.event.ticker for d in result.dropped} == {"S03"}
        assert result.audit["kept"].sum() == result.abnormal.n == len(result.coefficients)
        found.append((everything(result), result.audit, result.coefficients))
    same(found[0][0], found[1][0])
    pd.testing.assert_frame_equal(found[0][1], found[1][1])
    pd.testing.assert_frame_equal(found[0][2], found[1][2], rtol=1e-11)


def test_what_is_large_is_gathered_again_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = table(6)
    study = es.EventStudy(MODELS["factors"], (-120, -11), (-4, 4))
    asked = events(2, returns, 50)
    kept = study.run(returns, asked)
    monkeypatch.setattr(deferred, "CHUNK", 8)
    again = study.run(returns, asked)
    for record, other in ((again.abnormal, kept.abnormal), (again.panel, kept.panel), (again.fit, kept.fit)):
        assert record.is_deferred
        some = record.part(np.array([31, 4, 7]))
        assert not some.is_deferred
        assert record.is_deferred
        for name in type(record).LARGE:
            mine, theirs = getattr(some, name), getattr(other, name)
            if theirs is None:
                assert mine is None
            else:
                np.testing.assert_allclose(mine, theirs[[31, 4, 7]], rtol=1e-10, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(again.abnormal.residuals, kept.abnormal.residuals, rtol=1e-9, atol=1e-15)
    assert not again.abnormal.is_deferred


def test_no_more_passes_than_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = table(7, lost=0.0)
    monkeypatch.setattr(deferred, "CHUNK", 10)
    fitted: list[int] = []
    fit = es.MarketModel.fit
    monkeypatch.setattr(es.MarketModel, "fit", lambda self, panel: (fitted.append(panel.n), fit(self, panel))[1])
    result = es.EventStudy(MODELS["market"], (-120, -11), (-4, 4)).run(returns, events(9, returns, 60))
    assert (
        sum(fitted) < 1.5 * result.abnormal.n
    )  # what the checks ask is answered in the pass that fits; a few dates are looked at closer
    fitted.clear()
    for window in ((0, 0), (0, 1)):
        for name in ("csect_t", "cda_t", "kp_bmp_t", "corrado_rank_z", "placebo", "gsign_z"):
            assert result.test(name, window).applicable
    assert not fitted


def test_arrays_that_would_not_fit_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = table(8)
    monkeypatch.setattr(deferred, "CHUNK", 10)
    result = es.EventStudy(MODELS["market"], (-120, -11), (-4, 4)).run(returns, events(1, returns, 40))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=20_000))
    with pytest.raises(TooLarge, match=r"40 events take 0\.0 GB, and 0\.0 GB of memory are left; ask for fewer events"):
        _ = result.abnormal.residuals
    assert isinstance(result.abnormal.part(np.array([3])), AbnormalReturns)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_signed_ranks_by_size_are_those_of_all_sums(length: int) -> None:
    rng = np.random.default_rng(length)
    residuals = 0.001 + 0.02 * rng.standard_t(3, (3_000, 120))
    residuals[rng.random(residuals.shape) < 0.01] = np.nan
    part = SimpleNamespace(residuals=residuals)
    found = CountSizes(length).answer(part).share
    sums = block_sums(residuals, length).ravel()
    sums = sums[np.isfinite(sums) & (sums != 0.0)]
    order = np.argsort(np.argsort(np.abs(sums), kind="stable"), kind="stable") + 1.0
    exact = order[sums > 0].sum() / (len(sums) * (len(sums) + 1) / 2)
    assert found == pytest.approx(exact, abs=1e-5)


def test_sums_of_blocks_are_those_of_a_loop() -> None:
    values = np.random.default_rng(1).normal(size=(3, 23))
    for length in range(1, 24):
        loop = [[row[k : k + length].sum() for k in range(0, 23 // length * length, length)] for row in values]
        np.testing.assert_allclose(block_sums(values, length), loop, atol=1e-14)


def test_an_answer_is_kept_and_subsets_have_their_own() -> None:
    returns = table(9)
    result = es.EventStudy(MODELS["market"], (-120, -11), (-4, 4)).run(returns, events(6, returns, 30))
    ab = result.abnormal
    assert ab.ask(SumByDay()) is ab.ask(SumByDay())
    half = ab.take(np.arange(0, 30, 2))
    np.testing.assert_allclose(half.ask(SumByDay()).ar, np.nansum(ab.ar[::2], axis=0), atol=1e-15)
    assert placebo(half, es.Window(0, 0)).n == 15
