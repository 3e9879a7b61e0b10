"""The order of rows and columns says nothing: any permutation leaves every abnormal return as it was."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es

TICKERS = ["NVDA", "META", "GOOGL", "^GSPC"]
SNAPSHOT = es.load_prices(TICKERS, "2023-12-01", "2025-02-10")
STUDY = es.EventStudy(es.MarketModel("^GSPC"), window=(-5, 5))
EVENTS = [es.Event(t, "2025-01-27") for t in TICKERS[:3]]
WHOLE = STUDY.run(SNAPSHOT, EVENTS).ar.to_numpy()


def ar(data: object) -> np.ndarray:
    return STUDY.run(data, EVENTS).ar.to_numpy()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rows_and_columns_of_a_table_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(SNAPSHOT.dates)), rng.permutation(len(TICKERS))
    mixed = es.Prices.from_frame(
        SNAPSHOT.adj_close.iloc[rows, columns], close=SNAPSHOT.close.iloc[rng.permutation(rows), columns]
    )
    np.testing.assert_allclose(ar(mixed), WHOLE, rtol=0, atol=1e-12)
    returns = SNAPSHOT.returns().iloc[1:]
    np.testing.assert_allclose(ar(returns.iloc[rng.permutation(len(returns)), columns]), WHOLE, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["long", "wide"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_rows_of_a_file_in_any_order(tmp_path_factory: pytest.TempPathFactory, layout: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if layout == "wide":
        table = SNAPSHOT.adj_close.reset_index()
    else:
        close = SNAPSHOT.close.melt(ignore_index=False, var_name="ticker", value_name="close")
        adjusted = SNAPSHOT.adj_close.melt(ignore_index=False, var_name="ticker", value_name="adj_close")
        table = close.assign(adj_close=adjusted["adj_close"]).reset_index()
    table = table.iloc[rng.permutation(len(table))]
    path: Path = tmp_path_factory.mktemp("rows") / "prices.csv.gz"
    text = io.StringIO()
    table.to_csv(text, index=False, date_format="%Y-%m-%d", float_format="%.17g")
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    np.testing.assert_allclose(ar(es.load_prices(TICKERS, source=path)), WHOLE, rtol=0, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.permutations(EVENTS))
def test_events_in_any_order(events: list[es.Event]) -> None:
    result = STUDY.run(SNAPSHOT, events)
    order = [TICKERS.index(e.ticker) for e in events]
    np.testing.assert_allclose(result.ar.to_numpy(), WHOLE[order], rtol=0, atol=1e-12)


def test_the_comparison_would_see_a_shift() -> None:
    moved = SNAPSHOT.adj_close.copy()
    moved.iloc[-10, 0] *= 1 + 1e-9
    assert np.abs(ar(es.Prices.from_frame(pd.DataFrame(moved))) - WHOLE).max() > 1e-12
