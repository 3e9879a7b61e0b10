"""Options that cannot be used end in an error that names them, never in a library's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trio import EVENTS

import eventstudy as es


@pytest.fixture(scope="module")
def result(prices: es.Prices) -> es.EventStudyResult:
    study = es.EventStudy(es.MarketModel("^GSPC"), estimation=(-140, -21), window=(-2, 4))
    return study.run(prices, EVENTS)


@pytest.mark.parametrize("seed", [-1, "x", None, 1.5, True])
@pytest.mark.parametrize("window", [(0, 0), (0, 1)])
def test_seeds_of_the_permutation_test(result, seed, window) -> None:
    with pytest.raises(es.errors.InvalidInput, match="seed"):
        result.test("permutation", window, event="NVDA", seed=seed)


@pytest.mark.parametrize("draws", [0, -5, 1.5, True, "x"])
def test_draws_of_the_permutation_test(result, draws) -> None:
    with pytest.raises(es.errors.InvalidInput, match="draws"):
        result.test("permutation", (0, 1), event="NVDA", draws=draws)


def test_many_relabellings_are_drawn_in_parts(result, monkeypatch) -> None:
    from eventstudy.inference import single

    whole = result.test("permutation", (0, 1), event="META", draws=20_000)
    monkeypatch.setattr(single, "DRAWN_AT_ONCE", 100_000)
    parts = result.test("permutation", (0, 1), event="META", draws=20_000)
    error = 4 * np.sqrt(2 * whole.p_value * (1 - whole.p_value) / 20_000)
    assert 0.01 < whole.p_value < 0.99
    assert abs(whole.p_value - parts.p_value) < error


def test_level_of_an_interval(result) -> None:
    for level in ("x", None, True, 0, 1):
        with pytest.raises(es.errors.InvalidInput, match="level"):
            result.car(0, 1, level=level)


def test_methods_that_draw_nothing_take_no_draws(result) -> None:
    with pytest.raises(es.errors.InvalidInput, match="draws nothing"):
        result.adjusted((0, 1), method="holm", draws=99)
    with pytest.raises(TypeError, match="nonsense"):
        result.adjusted((0, 1), method="romano_wolf", nonsense=1)
    assert result.adjusted((0, 1), method="romano_wolf", draws=99, seed=1)["p_adjusted"].between(0.01, 1).all()


@pytest.mark.parametrize("window", [(0, 10**9), (-(10**9), 0)])
def test_windows_of_millennia(window) -> None:
    with pytest.raises(es.errors.InvalidInput, match="beyond 100,000 trading days"):
        es.Window(*window)


def test_lags_beyond_the_sessions_are_those_there_are(result) -> None:
    most = result.test("calendar_time", (0, 4), errors="hac", lags=10**9)
    assert most.applicable == (not most.reason)


def test_simulated_power_checks_its_seed() -> None:
    returns = es.load_prices().returns().iloc[1:]
    with pytest.raises(es.errors.InvalidInput, match="seed"):
        es.simulated_power(returns, es.MarketModel("^GSPC"), n=2, draws=5, seed=-1)


def test_peer_weights_may_be_an_array_or_a_series() -> None:
    import pandas as pd

    for weights in (np.array([1.0, 3.0]), pd.Series([1.0, 3.0], index=["AMD", "INTC"])):
        assert (
            es.PeerPortfolio(["AMD", "INTC"], weights=weights).weights
            == es.PeerPortfolio(["AMD", "INTC"], weights=[1, 3]).weights
        )


def test_a_folder_that_cannot_be_made_is_named(result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(es.errors.InvalidInput, match="file"):
        result.save(tmp_path / "file" / "folder")
