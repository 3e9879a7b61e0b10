"""An adjusted close under a name that says nothing is found by its figures; other columns beside a close are not taken for one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput

DAYS = pd.bdate_range("2021-03-01", periods=260)
FIRMS = {"7203.T": 61.0, "SAN.MC": 3.1, "^STOXX": 4100.0}


def market(seed=5, pays=(1, 1, 0), split=1.0):
    """Return closes as traded and adjusted: one and a half per cent each 60 days, a split on day 100, by a loop on the days."""
    rng, raw, adjusted = np.random.default_rng(seed), {}, {}
    for (firm, start), pay in zip(FIRMS.items(), pays, strict=True):
        worth, held, units = [start], [start], 1.0
        for day in range(1, len(DAYS)):
            change, cut = np.exp(rng.normal(0, 0.012)), 0.985 if pay and day % 60 == 0 else 1.0
            if pay and day == 100:
                units /= split
            worth.append(worth[-1] * change * cut)
            held.append(held[-1] * change)
            raw.setdefault(firm, [start]).append(worth[-1] * units)
        adjusted[firm] = held
    return pd.DataFrame(raw, index=DAYS), pd.DataFrame(adjusted, index=DAYS)


def long(digits=4, order=None, **columns):
    """Return blocks of dates × tickers as a long table, one column each."""
    table = pd.concat({k: v.rename_axis("date").melt(ignore_index=False, var_name="ticker")["value"] for k, v in columns.items()}, axis=1)  # fmt: skip
    table.insert(0, "ticker", np.repeat([*FIRMS], len(DAYS)))
    table = table.round(digits).reset_index()
    return table if order is None else table.sample(frac=1.0, random_state=order, ignore_index=True)


@pytest.mark.parametrize("name", ["wealth", "px_tr", "Kurs2", "P", "bhr", "W", "v1", "収益指数"])
@pytest.mark.parametrize(
    ("digits", "order", "split", "base"), [(4, None, 1.0, 1.0), (2, 3, 4.0, 1.0), (3, 8, 0.1, 100.0)]
)
def test_an_adjusted_close_without_a_name_stops_the_read(name, digits, order, split, base):
    raw, adjusted = market(len(name), split=split)
    table = long(digits, order, close=raw, **{name: adjusted / adjusted.iloc[0] * base if base > 1 else adjusted})
    with pytest.raises(InvalidInput, match=rf"the column '{name}', .* Rename it adj_close .* or leave it out"):
        es.load_prices(table)
    renamed = es.load_prices(table.rename(columns={name: "adj_close"}))
    right = table.pivot_table(index="date", columns="ticker", values=name)
    pd.testing.assert_frame_equal(
        renamed.adj_close, right, check_names=False, check_freq=False, check_like=True, check_index_type=False
    )


def test_so_does_one_of_one_share_and_one_under_two_header_rows(tmp_path):
    raw, adjusted = market()
    table = pd.DataFrame({"Date": DAYS, "Close": raw["SAN.MC"].to_numpy(), "wealth": adjusted["SAN.MC"].to_numpy()})
    table.round({"Close": 3, "wealth": 3}).to_csv(tmp_path / "SAN.csv", index=False)
    with pytest.raises(InvalidInput, match="'wealth'"):
        es.load_prices(source=str(tmp_path / "SAN.csv"))
    with pytest.raises(InvalidInput, match="'wealth'"):
        es.load_prices(pd.concat({"Close": raw, "wealth": adjusted}, axis=1))


def others():
    """Return columns beside a close that are no adjusted closes."""
    raw, _ = market()
    rng = np.random.default_rng(2)
    noise = pd.DataFrame(rng.normal(0, 0.004, raw.shape), index=DAYS, columns=raw.columns)
    auction = raw.where(rng.random(raw.shape) > 0.06, raw * (1 + noise))
    shares = raw * 0 + (np.floor(np.arange(len(DAYS)) / 63) * 1e5 + 4e7)[:, None]
    index = pd.DataFrame(np.repeat(raw[["^STOXX"]].to_numpy(), 3, axis=1), index=DAYS, columns=raw.columns)
    rate = np.exp(np.cumsum(rng.normal(0, 0.004, len(DAYS))))[:, None]
    return {
        "px_first": raw.shift() * (1 + noise), "peak": raw * (1 + noise.abs()), "trough": raw * (1 - noise.abs()), "px_mean": raw * (1 + noise / 2),
        "geld": raw - 0.01, "brief": raw + 0.01, "copy": raw, "auction": auction, "so_many": shares, "level": index, "in_usd": raw * rate,
        "Mkt Cap (m)": raw * shares / 1e6, "market_value": raw * shares, "MV": raw * shares, "mktcap": raw * shares, "cap": raw * shares, "時価総額": raw * shares,
        "one_wrong": raw * np.where(DAYS[77] == DAYS, 1.3, 1.0)[:, None], "rank": raw.rank(), "yesterday": raw.shift(),
    }  # fmt: skip


@pytest.mark.parametrize("name", others())
@pytest.mark.parametrize("digits", [2, 6])
def test_other_columns_are_told_and_do_not_stop_it(name, digits):
    raw, _ = market()
    prices = es.load_prices(long(digits, close=raw, **{name: others()[name]}))
    assert prices.tickers == tuple(FIRMS)
    assert any(name in said for said in prices.provenance.cautions)
