"""Claims reach no farther than the data: companies without a price that day, days before the data, your own companies."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import StudyFileError

STUDY = """
title = "Claims"
event = "an invented day"
events = "events.csv"
claims = "claims.toml"
[model]
benchmark = "^GSPC"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""
HEAD = '[articles.paper]\ntitle = "An invented article"\n[baskets.thin]\ntickers = ["NVDA", "ANSS", "JNPR"]\n'


def judged(
    folder: Path, *claims: str, events: str = "NVDA,2025-01-27\nMETA,2025-01-27", study: str = STUDY
) -> es.claims.ClaimsLedger:
    folder.mkdir(exist_ok=True)
    (folder / "events.csv").write_text(f"ticker,date\n{events}\n")
    (folder / "study.toml").write_text(study)
    tables = [
        f'[[claims]]\nid = "c{i}"\narticle = "paper"\nquote = "as printed"\n{text}\n' for i, text in enumerate(claims)
    ]
    (folder / "claims.toml").write_text(HEAD + "\n".join(tables))
    return es.load_study(folder).claims_ledger()


RANK = 'kind = "rank"\nasset = "NVDA"\nsays = "rose"\nmeasure = "percent"\nwording = "among the biggest"\nvalue = 3\n'


def test_a_rank_needs_the_companies_that_day(tmp_path):
    late, early, inside = judged(
        tmp_path / "a",
        f'{RANK}among = "firms"\nbaskets = ["sp500"]\ndate = "2025-04-09"',
        f'{RANK}among = "firms"\nbaskets = ["sp500"]\ndate = "2023-05-25"',
        f'{RANK}among = "firms"\nbaskets = ["sp500"]\ndate = "2024-02-22"',
    )
    for claim in (late, early):
        assert claim.verdict == "not testable here", claim.sentence
        assert "prices of the S&P 500's members here are of 2023-12-01 to 2025-02-28" in claim.sentence
    assert inside.verdict != "not testable here"
    compared = int(dict(inside.ruling.inputs)["companies compared"])
    day = es.load_universe().returns().loc["2024-02-22"]
    assert abs(compared - int(day.notna().sum())) <= 3  # classes of one company count once


def test_a_rank_over_days_starts_where_the_companies_do(tmp_path):
    one, two = judged(
        tmp_path / "a",
        'kind = "rank"\nasset = "NVDA"\nsays = "lost"\nsince = "2023-06-02"\ndate = "2025-01-27"',
        'kind = "rank"\nasset = "NVDA"\nsays = "lost"\nsince = "2023-12-04"\ndate = "2025-01-27"',
    )
    assert one.verdict == "not testable here"
    assert re.search(r"\(2023-12-04 to 2025-01-27, 2\d of the companies from 2023-06-05 on\)", one.sentence)
    assert "the claim reaches back to 2023-06-02" in one.sentence
    assert two.verdict == "supported"


def test_a_sum_over_a_basket_that_is_largely_missing_is_no_sum(tmp_path):
    late, thin = judged(
        tmp_path / "a",
        'kind = "basket_value"\nbasket = "sp500"\nsays = "gained"\nvalue = 300\nunit = "billion"\ndate = "2025-04-09"',
        'kind = "basket_value"\nbasket = "thin"\nsays = "lost"\nvalue = 590\nunit = "billion"\nsums = ["net"]\ndate = "2025-01-27"',
    )
    assert (late.verdict, thin.verdict) == ("not testable here", "not testable here")
    assert "2 of the 3 companies" in thin.sentence
    assert "ANSS, JNPR" in thin.ruling.needs


def test_a_share_that_rose_with_the_market_did_not_stand_still(tmp_path):
    """On 9 April 2025 the S&P 500 rose by 9.5 %: much rose that was not abnormal."""
    prices = es.load_prices()
    names = [t for t in prices.tickers if not t.startswith("^")][:20]
    ledger = judged(
        tmp_path / "a",
        *(f'kind = "no_change"\nasset = "{t}"\ndate = "2025-04-09"' for t in names),
        events="NVDA,2025-04-09",
    )
    ruled = dict(zip(names, ledger, strict=True))
    calm = [t for t, c in ruled.items() if c.ruling.low <= 0.0 <= c.ruling.high]
    assert calm
    returns = prices.close.pct_change(fill_method=None)
    day = returns.index.get_loc(pd.Timestamp("2025-04-09"))
    for ticker in calm:
        low, high = returns[ticker].iloc[day - 120 : day - 20].quantile([0.05, 0.95])
        assert returns[ticker].iloc[day] > max(high, 0.02)
        inside = low <= ruled[ticker].ruling.low and ruled[ticker].ruling.high <= high
        expected = "supported beyond the market only" if inside else "contradicted"
        assert ruled[ticker].verdict == expected, ruled[ticker].sentence


OWN = STUDY.replace(
    '[model]\nbenchmark = "^GSPC"', '[prices]\nsource = "own.csv"\ncurrency = "USD"\n[model]\nbenchmark = "IDX"'
)


def own_prices(folder: Path) -> None:
    folder.mkdir()
    days = es.exchange_sessions("XNYS", "2024-01-02", "2025-03-03")
    rng = np.random.default_rng(2)
    market = rng.normal(0.0, 0.01, len(days))
    share = market + rng.normal(0.0, 0.01, len(days))
    share[days.get_loc("2025-01-27")] = -0.2
    table = pd.DataFrame({"OWN": 50 * np.cumprod(1 + share), "IDX": 100 * np.cumprod(1 + market)}, days)
    table.rename_axis("date").to_csv(folder / "own.csv")


def test_your_own_company_is_judged_by_the_counts_in_print(tmp_path):
    own_prices(tmp_path / "a")
    claim = 'kind = "market_value"\nasset = "OWN"\nsays = "lost"\nunit = "billion"\ndate = "2025-01-27"\n'
    table = pd.read_csv(tmp_path / "a" / "own.csv", index_col="date")["OWN"]
    step = table.iloc[table.index.get_loc("2025-01-27") - 1] - table["2025-01-27"]
    value = round(2.05 * step, 3)
    given, between, without = judged(
        tmp_path / "a",
        f'{claim}value = {value}\nwording = "about"\nshares_billion = [2.0, 2.1]',
        f'{claim}value = {value}\nwording = "about"\nshares_billion = [2.0, 4.0]',
        f"{claim}value = {value}",
        events="OWN,2025-01-27",
        study=OWN,
    )
    assert given.verdict == "supported", given.sentence
    assert (given.ruling.low, given.ruling.high) == pytest.approx((-2.1e9 * step, -2.0e9 * step))
    assert between.verdict == "depends on"
    assert without.verdict == "not testable here"
    assert "give the claim shares_billion = [lowest, highest]" in without.sentence


@pytest.mark.parametrize("given", ["[1.6]", "1.6", "[1.6, 1.7, 1.8]"])
def test_a_range_of_counts_is_two_numbers(tmp_path, given):
    claim = (
        f'kind = "market_value"\nasset = "NVDA"\nsays = "lost"\nvalue = 600\nunit = "billion"\nshares_billion = {given}'
    )
    with pytest.raises(StudyFileError, match=r"shares_billion: .*give two numbers, the lowest and the highest count"):
        judged(tmp_path / "a", claim)
