"""Claims of other days, firms and words, judged beforehand by hand from the closes; every number by plain division of raw closes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DATA = Path(es.__file__).parent / "data"
STUDY = """
title = "Other days"
event = "the rout of August 2024"
events = "events.csv"
timeline = "timeline.csv"
claims = "claims.toml"
[model]
benchmark = "^GSPC"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""
TIMELINE = """date,what,source,zone
2024-08-02,Intel suspends its dividend,Form 8-K,New York
2024-08-01,Rumour of a delay,general knowledge,
2024-08-04,Report of a delay,The Information,
2024-07-31,Tokyo raises its rate,Bank of Japan,Tokyo
"""
SEVEN = ["NVDA", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "TSLA"]


class Case(NamedTuple):
    kind: str
    quote: str
    keys: str
    verdict: str
    number: Callable[[Raw], float] | None = None
    words: str = ""


class Raw:
    """Closes and share counts of the embedded files, read without the package."""

    def __init__(self) -> None:
        wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
        self.close = wide.filter(regex="^close:").rename(columns=lambda c: c.split(":")[1])
        shares = pd.read_csv(DATA / "shares.csv", keep_default_na=False, parse_dates=["period_end"])
        self.shares = shares.sort_values("period_end")

    def step(self, ticker: str, first: str, last: str = "") -> float:
        """Close of the last day less the close before the first."""
        days = list(self.close.index)
        start, end = days.index(pd.Timestamp(first)) - 1, days.index(pd.Timestamp(last or first))
        return float(self.close[ticker].iloc[end] - self.close[ticker].iloc[start])

    def move(self, ticker: str, first: str, last: str = "") -> float:
        days = list(self.close.index)
        start = float(self.close[ticker].iloc[days.index(pd.Timestamp(first)) - 1])
        return self.step(ticker, first, last) / start

    def dollars(self, ticker: str, day: str) -> float:
        own = self.shares[(self.shares["ticker"] == ticker) & (self.shares["period_end"] <= day)]
        return float(own["shares"].iloc[-1]) * self.step(ticker, day)

    def rank(self, ticker: str, first: str, day: str, sign: float) -> float:
        """Place of a day among the days from a first one on, counted in a loop."""
        own, place = self.move(ticker, day), 1
        for other in self.close[first:day].index[:-1]:
            place += sign * self.move(ticker, str(other.date())) > sign * own
        return float(place)

    def rank_of_period(self, ticker: str, first: str, own: str, freq: str, sign: float) -> float:
        """Place of a week or month among those that begin on or after a day."""
        last: dict[pd.Period, float] = {}
        for day, value in self.close[ticker].items():
            last[pd.Timestamp(str(day)).to_period(freq)] = float(value)
        periods = list(last)
        changes = {p: last[p] / last[q] - 1.0 for q, p in pairwise(periods)}
        mine = pd.Timestamp(own).to_period(freq)
        seen = [v for p, v in changes.items() if pd.Timestamp(first) <= p.start_time and p <= mine]
        return 1.0 + sum(sign * v > sign * changes[mine] for v in seen)


def asset(ticker: str, day: str, says: str = "", **more: object) -> str:
    lines = [f'asset = "{ticker}"', f'date = "{day}"'] + ([f'says = "{says}"'] if says else [])
    return "\n".join([*lines, *(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in more.items())])


def over(ticker: str, first: str, last: str, says: str, **more: object) -> str:
    return asset(ticker, first, says, **more).replace(f'date = "{first}"', f'from = "{first}"\nto = "{last}"')


AUG, DEC, NV = "2024-08-05", "2024-12-18", "2024-02-22"
CASES = {
    # index points
    "points-over": Case("size", "fell more than 1,000 points", asset("^DJI", AUG, "fell", value=1000, unit="points", wording="more than"), "supported", lambda r: r.step("^DJI", AUG)),
    "points-over-line": Case("size", "over 1,034 points", asset("^DJI", AUG, "tumbled", value=1034, unit="points", wording="over"), "overstated", lambda r: r.step("^DJI", AUG)),
    "points-plain": Case("size", "1,100 points lower", asset("^DJI", DEC, "fell", value=1100, unit="points"), "supported", lambda r: r.step("^DJI", DEC)),
    "points-nearly": Case("size", "nearly 1,200 points", asset("^DJI", DEC, "fell", value=1200, unit="points", wording="nearly"), "overstated", None, "allows 1,140 to below 1,200 points"),
    "points-just-under": Case("size", "just under 1,124 points", asset("^DJI", DEC, "fell", value=1124, unit="points", wording="just under"), "supported"),
    "points-week": Case("period", "shed about 1,000 points in a week", over("^DJI", "2024-12-16", "2024-12-20", "fell", value=1000, unit="points", wording="about"), "supported", lambda r: r.step("^DJI", "2024-12-16", "2024-12-20")),
    "points-share": Case("size", "Nvidia fell 7 points", asset("NVDA", AUG, "fell", value=7, unit="points"), "not testable here"),
    "points-other-way": Case("size", "rose 300 points", asset("^DJI", AUG, "rose", value=300, unit="points"), "contradicted"),
    # levels on both sides of a line
    "level-above": Case("level", "held above 5,900", asset("^GSPC", DEC, value=5900, wording="above"), "overstated", lambda r: r.close.at[pd.Timestamp(DEC), "^GSPC"]),
    "level-above-holds": Case("level", "above 5,872", asset("^GSPC", DEC, value=5872, wording="above"), "supported"),
    "level-below": Case("level", "below 5,872", asset("^GSPC", DEC, value=5872, wording="below"), "understated"),
    "level-broke-below": Case("level", "broke below 42,000", asset("^DJI", DEC, value=42000, wording="broke below"), "understated"),
    "level-broke-through": Case("level", "broke through 20,000", asset("^IXIC", "2024-12-11", value=20000, wording="broke through"), "supported", lambda r: r.close.at[pd.Timestamp("2024-12-11"), "^IXIC"]),
    "level-there-before": Case("level", "broke through 20,000", asset("^IXIC", "2024-12-17", value=20000, wording="broke through"), "contradicted"),
    "level-fell-through": Case("level", "broke through 42,500", asset("^DJI", DEC, value=42500, wording="broke through"), "supported"),
    "level-not-through": Case("level", "broke above 42,500", asset("^DJI", DEC, value=42500, wording="broke above"), "overstated"),
    "level-topped": Case("level", "topped 20,000", asset("^IXIC", "2024-12-17", value=20000, wording="topped"), "supported"),
    "level-north-of": Case("level", "north of 20,110", asset("^IXIC", "2024-12-17", value=20110, wording="north of"), "overstated"),
    "level-shy": Case("level", "just shy of 20,200", asset("^IXIC", "2024-12-17", value=20200, wording="just shy of"), "supported"),
    "level-at-most": Case("level", "no more than 100.45", asset("NVDA", AUG, value=100.45, wording="no more than"), "supported"),
    "level-split": Case("level", "topped 1,000 dollars", asset("NVDA", "2024-05-23", value=1000, wording="topped"), "supported"),
    # sizes
    "size-at-least": Case("size", "at least 4.82%", asset("AAPL", AUG, "fell", value=4.82, wording="at least"), "overstated", lambda r: r.move("AAPL", AUG), "that is 4.8167%; “at least 4.82%” allows 4.82% or more"),
    "size-more-than": Case("size", "more than 20%", asset("META", "2024-02-02", "jumped", value=20, wording="more than"), "supported", lambda r: r.move("META", "2024-02-02")),
    "size-almost": Case("size", "almost 16.5%", asset("NVDA", NV, "rose", value=16.5, wording="almost"), "supported", lambda r: r.move("NVDA", NV)),
    "size-almost-far": Case("size", "almost 18%", asset("NVDA", NV, "rose", value=18, wording="almost"), "overstated"),
    "size-almost-over": Case("size", "almost 16%", asset("NVDA", NV, "rose", value=16, wording="almost"), "understated"),
    "size-about": Case("size", "some 16%", asset("NVDA", NV, "rose", value=16, wording="some"), "supported"),
    "size-exactly": Case("size", "exactly 16%", asset("NVDA", NV, "rose", value=16, wording="exactly"), "understated"),
    "size-well-over": Case("size", "well over 16%", asset("NVDA", NV, "rose", value=16, wording="well over"), "overstated"),
    "size-fewer": Case("size", "less than 7%", asset("INTC", AUG, "fell", value=7, wording="less than"), "supported"),
    "size-up-to": Case("size", "fell up to 6.4%", 'assets = ["NVDA", "AAPL", "TSLA"]\nsays = "fell"\nvalue = 6.4\nwording = "up to"\n' + f'date = "{AUG}"', "supported", lambda r: r.move("NVDA", AUG)),
    "size-up-to-over": Case("size", "fell up to 6.3%", 'assets = ["NVDA", "AAPL", "TSLA"]\nsays = "fell"\nvalue = 6.3\nwording = "up to"\n' + f'date = "{AUG}"', "understated"),
    "within-the-day": Case("size", "fell as much as 15% in the morning", asset("NVDA", AUG, "fell", value=15, wording="up to"), "not testable here", None, "“as much as” speaks of a price within the day"),
    "briefly": Case("level", "briefly below 100", asset("NVDA", AUG, value=100, wording="below"), "not testable here"),
    "one-share-up-to": Case("size", "fell up to 7%", asset("NVDA", AUG, "fell", value=7, wording="up to"), "not testable here"),
    # verbs
    "plunged": Case("direction", "Intel plunged", asset("INTC", "2024-08-02", "plunged"), "supported", lambda r: r.move("INTC", "2024-08-02"), "the yardstick of “plunged” is the sign of the change and the price's own estimation days"),
    "slumped-not": Case("direction", "the market slumped", asset("^GSPC", "2024-12-19", "slumped"), "overstated"),
    "soared-not": Case("direction", "Nvidia soared", asset("NVDA", "2024-11-21", "soared"), "overstated"),
    "edged-up": Case("direction", "Nvidia edged up", asset("NVDA", "2024-11-21", "edged up"), "supported"),
    "fell-with-the-market": Case("direction", "Netflix fell", asset("NFLX", AUG, "fell"), "supported"),
    # denials
    "not-fall": Case("direction", "the S&P 500 did not fall", asset("^GSPC", "2024-08-29", "did not fall"), "contradicted", lambda r: r.move("^GSPC", "2024-08-29")),
    "not-fall-dow": Case("direction", "the Dow did not fall", asset("^DJI", "2024-08-29", "did not fall"), "supported"),
    "no-recovery": Case("period", "failed to recover that week", over("^GSPC", AUG, "2024-08-09", "failed to recover"), "supported", lambda r: r.move("^GSPC", AUG, "2024-08-09")),
    "recovery": Case("period", "failed to recover", over("^GSPC", AUG, "2024-08-16", "failed to recover"), "contradicted", lambda r: r.move("^GSPC", AUG, "2024-08-16")),
    "not-plunge": Case("direction", "Qualcomm did not plunge", asset("QCOM", AUG, "did not plunge"), "supported"),
    "none-rose": Case("count", "none of the seven rose", f'assets = {SEVEN}\nsays = "rose"\nwording = "none"\ndate = "{DEC}"', "supported"),
    "not-rise-count": Case("count", "seven did not rise", f'assets = {SEVEN}\nsays = "did not rise"\nvalue = 7\ndate = "{DEC}"', "supported", lambda r: float(sum(r.move(t, DEC) <= 0 for t in SEVEN)), "7 of 7 did not rise"),
    # counts
    "more-than-seven": Case("count", "more than seven", f'assets = {SEVEN}\nsays = "fell"\nvalue = 7\nwording = "more than"\ndate = "{DEC}"', "overstated"),
    "at-least-seven": Case("count", "at least seven", f'assets = {SEVEN}\nsays = "fell"\nvalue = 7\nwording = "at least"\ndate = "{DEC}"', "supported"),
    "fewer-than-seven": Case("count", "fewer than seven", f'assets = {SEVEN}\nsays = "fell"\nvalue = 7\nwording = "fewer than"\ndate = "{DEC}"', "understated"),
    # ranks
    "since-august": Case("rank", "worst day since 5 August", asset("^GSPC", DEC, "fell", wording="worst", among="days", since=AUG), "supported", lambda r: r.rank("^GSPC", "2024-08-06", DEC, -1.0), "left out is its change on 2024-08-05, when it fell 3.00%"),
    "since-early-august": Case("rank", "worst day since 2 August", asset("^GSPC", DEC, "fell", wording="worst", among="days", since="2024-08-02"), "overstated", lambda r: r.rank("^GSPC", "2024-08-03", DEC, -1.0)),
    "since-smaller": Case("rank", "worst day since August", asset("^IXIC", DEC, "fell", wording="worst", among="days", since="2024-08"), "supported", lambda r: r.rank("^IXIC", "2024-09-01", DEC, -1.0)),
    "two-years": Case("rank", "worst day in two years", asset("^GSPC", DEC, "fell", wording="worst", among="days", since="2 years"), "overstated", lambda r: r.rank("^GSPC", "2022-12-19", DEC, -1.0)),
    "since-2020": Case("rank", "worst day since 2020", asset("^GSPC", "2025-04-04", "fell", wording="worst", among="days", since=2020), "not testable here"),
    "on-record": Case("rank", "worst day on record", asset("^GSPC", "2025-04-04", "fell", wording="on record", among="days"), "supported", lambda r: r.rank("^GSPC", "2022-01-04", "2025-04-04", -1.0), "where the data begin, 2022-01-04"),
    "on-record-not": Case("rank", "worst day on record", asset("^DJI", AUG, "fell", wording="on record", among="days"), "overstated", lambda r: r.rank("^DJI", "2022-01-04", AUG, -1.0)),
    "worst-week": Case("rank", "worst week since March 2023", asset("^GSPC", "2024-09-06", "fell", wording="worst", among="days", per="week", since="2023-03"), "supported", lambda r: r.rank_of_period("^GSPC", "2023-04-01", "2024-09-06", "W", -1.0), "among the one-week losses"),
    "worst-week-not": Case("rank", "worst week since March 2023", asset("^GSPC", "2024-12-18", "fell", wording="worst", among="days", per="week", since="2023-03"), "overstated", lambda r: r.rank_of_period("^GSPC", "2023-04-01", "2024-12-18", "W", -1.0)),
    "best-week": Case("rank", "best week of the year", over("^GSPC", "2024-11-04", "2024-11-08", "rose", wording="best", among="days", per="week", since=2023), "supported", lambda r: r.rank_of_period("^GSPC", "2024-01-01", "2024-11-08", "W", 1.0)),
    "best-month-not": Case("rank", "best month of the year", asset("^IXIC", "2024-11-29", "rose", wording="best", among="days", per="month", since=2023), "overstated", lambda r: r.rank_of_period("^IXIC", "2024-01-01", "2024-11-29", "M", 1.0)),
    "best-month": Case("rank", "best month since November 2023", asset("^DJI", "2024-11-29", "rose", wording="best", among="days", per="month", since="2023-11"), "supported", lambda r: r.rank_of_period("^DJI", "2023-12-01", "2024-11-29", "M", 1.0)),
    "week-of-a-saturday": Case("rank", "worst week since March 2023", asset("^GSPC", "2024-09-07", "fell", wording="worst", among="days", per="week", since="2023-03"), "supported", lambda r: r.rank_of_period("^GSPC", "2023-04-01", "2024-09-06", "W", -1.0), "2024-09-03 to 2024-09-06"),
    "week-among-firms": Case("rank", "the biggest loser of the week", asset("NVDA", "2024-09-06", "fell", among="firms", per="week", basket="mixed"), "supported", lambda r: 1.0 + sum(r.move(t, "2024-09-03", "2024-09-06") < r.move("NVDA", "2024-09-03", "2024-09-06") for t in ("AAPL", "TSLA", "META"))),
    "week-across": Case("rank", "worst week", over("^GSPC", "2024-09-05", "2024-09-10", "fell", among="days", per="week"), "not testable here"),
    "week-not-over": Case("rank", "best week since March", asset("^GSPC", "2025-06-30", "rose", wording="best", among="days", per="week", since="2025-03"), "not testable here"),
    "month-before-the-data": Case("rank", "worst month since December 2021", asset("^GSPC", "2022-02-28", "fell", wording="worst", among="days", per="month", since="2021-12"), "not testable here"),
    # reasons
    "on-news": Case("size", "jumped over 20% on news of its first dividend", asset("META", "2024-02-02", "jumped", value=20, wording="over"), "supported in price only", None, "“on news of its first dividend”, is not testable by prices"),
    "because": Case("size", "lost 26%", asset("INTC", "2024-08-02", "fell", value=26, because="its dividend was suspended"), "supported in price only"),
    "after": Case("direction", "Nvidia fell after its results", asset("NVDA", "2024-08-29", "fell"), "supported"),
    "reason-and-wrong": Case("direction", "Nvidia fell after its results", asset("NVDA", "2024-11-21", "fell"), "contradicted"),
    "reason-waived": Case("direction", "Nvidia fell on fears of a glut", asset("NVDA", "2024-08-29", "fell", because=""), "supported"),
    "day-after": Case("direction", "Nvidia rose the day after", asset("NVDA", "2024-08-06", "rose"), "supported"),
    # no change
    "index-calm": Case("no_change", "the S&P 500 stood still", asset("^GSPC", "2024-08-29"), "supported"),
    "index-not-calm": Case("no_change", "the S&P 500 stood still", asset("^GSPC", AUG), "contradicted"),
    "share-calm": Case("no_change", "Nvidia hardly moved", asset("NVDA", "2024-11-21"), "supported"),
    "share-unclear": Case("no_change", "Intel hardly moved", asset("INTC", "2024-11-21"), "not clear"),
    "share-beyond-the-market": Case("no_change", "SPY hardly moved", asset("SPY", AUG), "supported beyond the market only"),
    "share-moved": Case("no_change", "Nvidia hardly moved", asset("NVDA", NV), "contradicted"),
    # sums
    "value-over": Case("market_value", "adding more than $100 billion", asset("TSLA", "2024-11-06", "added", value=100, unit="billion", wording="more than"), "supported", lambda r: r.dollars("TSLA", "2024-11-06")),
    "value-just-over": Case("market_value", "just over $100 billion", asset("TSLA", "2024-11-06", "gained", value=100, unit="billion", wording="just over"), "understated"),
    "value-well-over": Case("market_value", "well over $100 billion", asset("TSLA", "2024-11-06", "gained", value=100, unit="billion", wording="well over"), "supported"),
    "basket-net": Case("basket_value", "four chip makers lost $200 billion", f'basket = "mixed"\nsays = "lost"\nvalue = 200\nunit = "billion"\ndate = "{DEC}"', "", lambda r: sum(r.dollars(t, DEC) for t in ("NVDA", "AAPL", "TSLA", "META"))),
    # dates and words that are not read
    "more-than-weeks": Case("date", "more than two weeks later", f'date = "2024-08-19"\nafter = "{AUG}"\nvalue = 2\nunit = "weeks"\nwording = "more than"', "overstated"),
    "at-least-weeks": Case("date", "at least two weeks later", f'date = "2024-08-19"\nafter = "{AUG}"\nvalue = 2\nunit = "weeks"\nwording = "at least"', "supported"),
    "dated": Case("date", "suspended on Monday", f'date = "{AUG}"\ntimeline = "dividend"', "contradicted", None, "source: Form 8-K; day of New York"),
    "no-source": Case("date", "rumours on Monday", f'date = "{AUG}"\ntimeline = "Rumour"', "not testable here", None, "without a source"),
    "no-zone": Case("date", "reported on Monday", f'date = "{AUG}"\ntimeline = "Report of"', "not clear", None, "source: The Information; zone not given"),
    "zone": Case("date", "raised on 30 July", 'date = "2024-07-30"\ntimeline = "Tokyo"', "contradicted", None, "day of Tokyo"),
    "unknown-word": Case("size", "a whisker from 6%", asset("NVDA", AUG, "fell", value=6, wording="a whisker from"), "not testable here", None, "“a whisker from” is no word"),
    "unknown-verb": Case("direction", "Nvidia wobbled", asset("NVDA", AUG, "wobbled"), "not testable here", None, "“wobbled” is no word"),
    "mistyped-word": Case("size", "allmost 7%", asset("NVDA", AUG, "fell", value=7, wording="allmost"), "not testable here", None, "did you mean almost"),
}  # fmt: skip


@pytest.fixture(scope="module")
def raw() -> Raw:
    return Raw()


def write(folder: Path, cases: dict[str, Case]) -> es.claims.ClaimsLedger:
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "events.csv").write_text("ticker,date\nNVDA,2024-08-05\n", encoding="utf-8")
    (folder / "timeline.csv").write_text(TIMELINE, encoding="utf-8")
    head = '[articles.paper]\ntitle = "A paper"\n[baskets.mixed]\ntickers = ["NVDA", "AAPL", "TSLA", "META"]\n'
    tables = [
        f'[[claims]]\nid = "{name}"\narticle = "paper"\nquote = "{c.quote}"\nkind = "{c.kind}"\n{c.keys}\n'
        for name, c in cases.items()
    ]
    (folder / "claims.toml").write_text(head + "\n".join(tables), encoding="utf-8")
    return es.judge_claims(folder)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> es.claims.ClaimsLedger:
    return write(tmp_path_factory.mktemp("others"), CASES)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.verdict])
def test_the_verdict_is_the_one_given_beforehand(ledger: es.claims.ClaimsLedger, name: str) -> None:
    claim = ledger[name]
    assert claim.verdict == CASES[name].verdict, claim.sentence
    assert CASES[name].words in claim.sentence


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.number])
def test_the_number_is_that_of_the_raw_closes(ledger: es.claims.ClaimsLedger, raw: Raw, name: str) -> None:
    number = CASES[name].number
    assert number is not None
    assert ledger[name].ruling.number == pytest.approx(number(raw), rel=1e-9)


def test_a_net_sum_names_what_the_losers_alone_lost(ledger: es.claims.ClaimsLedger, raw: Raw) -> None:
    steps = [raw.dollars(t, "2024-12-18") for t in ("NVDA", "AAPL", "TSLA", "META")]
    claim = ledger["basket-net"]
    size = -sum(steps) / 200e9
    assert claim.verdict == ("overstated" if size < 0.975 else "supported" if size <= 1.025 else "understated")
    assert "the losers alone come to is another number" in claim.sentence
    assert len(claim.ruling.readings) == 1


@pytest.mark.parametrize(("name", "ticker"), [("share-calm", "NVDA"), ("share-unclear", "INTC")])
def test_no_change_is_equivalence_within_the_ordinary(
    ledger: es.claims.ClaimsLedger, raw: Raw, name: str, ticker: str
) -> None:
    """The margin and the interval of a share on a calm day, by normal equations on the adjusted closes."""
    from scipy.stats import t as student

    wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    returns = wide[[f"adj_close:{ticker}", "adj_close:^GSPC"]].pct_change(fill_method=None)
    day = returns.index.get_loc(pd.Timestamp("2024-11-21"))
    inside = returns.iloc[day - 120 : day - 20].to_numpy()
    x = np.column_stack([np.ones(len(inside)), inside[:, 1]])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ inside[:, 0]
    s2 = ((inside[:, 0] - x @ beta) ** 2).sum() / (len(inside) - 2)
    seen = np.array([1.0, returns.iloc[day, 1]])
    abnormal = returns.iloc[day, 0] - seen @ beta
    reach = student.ppf(0.975, len(inside) - 2) * np.sqrt(s2 * (1.0 + seen @ inverse @ seen))
    margin = raw.close[ticker].pct_change(fill_method=None).iloc[day - 120 : day - 20].quantile([0.05, 0.95])
    ruling = ledger[name].ruling
    assert (ruling.low, ruling.high) == pytest.approx((abnormal - reach, abnormal + reach), rel=1e-9)
    assert abnormal - reach < 0.0 < abnormal + reach
    inside_margin = margin[0.05] <= abnormal - reach and abnormal + reach <= margin[0.95]
    assert ruling.verdict == ("supported" if inside_margin else "not clear")
    assert f"−{-margin[0.05]:.2%} to +{margin[0.95]:.2%}" in ruling.sentence


def said(word: str, claimed: float, truth: float) -> str:
    """What a reader would say of a number and a word: a line, a side, and one twentieth for near."""
    near = 0.05 * claimed
    low, high = {
        "over": (claimed, np.inf), "well above": (claimed + near, np.inf), "just over": (claimed, claimed + near),
        "under": (0.0, claimed), "well below": (0.0, claimed - near), "nearly": (claimed - near, claimed),
        "around": (claimed - near, claimed + near), "at least": (claimed, np.inf), "at most": (0.0, claimed),
    }[word]  # fmt: skip
    return "overstated" if truth < low else "understated" if truth > high else "supported"


def test_random_lines_on_both_sides_of_the_truth(tmp_path: Path, raw: Raw) -> None:
    draw = np.random.default_rng(20240805)
    indexes, days = ["^GSPC", "^DJI", "^IXIC", "^NDX"], raw.close.index[300:-1]
    words = ["over", "well above", "just over", "under", "well below", "nearly", "around", "at least", "at most"]
    cases, expected = {}, {}
    for i in range(360):
        ticker, day = str(draw.choice(indexes)), f"{pd.Timestamp(draw.choice(days)):%Y-%m-%d}"
        word = words[i % len(words)]
        kind = ("level", "size", "points")[i % 3 if i < 90 else 0]
        number = {
            "level": float(raw.close.at[pd.Timestamp(day), ticker]),
            "size": 100.0 * raw.move(ticker, day),
            "points": raw.step(ticker, day),
        }[kind]
        truth = abs(number)
        if truth < 0.2:
            continue
        value = round(truth / float(draw.choice([0.93, 0.949, 0.951, 0.999, 1.001, 1.049, 1.051, 1.07])), 4)
        says = "" if kind == "level" else "fell" if number < 0 else "rose"
        more = {"unit": "points"} if kind == "points" else {}
        keys = asset(ticker, day, says, value=value, wording=word, **more)
        cases[f"c{i}"] = Case("level" if kind == "level" else "size", "as printed", keys, "")
        expected[f"c{i}"] = said(word, value, truth)
    found = {c.id: c.verdict for c in write(tmp_path, cases)}
    assert len(found) > 300
    assert found == expected
