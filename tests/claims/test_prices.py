"""Claims are judged by prices as articles print them: without dividends, before later splits, with nobody counted twice or left out unsaid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.claims.evidence import price_returns
from eventstudy.prices.snapshot import file_facts
from eventstudy.studyfile.spec import StudySpec

pytestmark = pytest.mark.slow

DATA = Path(es.__file__).parent / "data"
STUDY = """
title = "Claims"
event = "DeepSeek R1"
events = "events.csv"
claims = "claims.toml"
[model]
benchmark = "^GSPC"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""
BASKETS = """
[articles.paper]
title = "An invented article"
[baskets.thin]
tickers = ["NVDA", "ANSS", "JNPR"]
[baskets.three]
tickers = ["AAPL", "CRM", "META"]
[baskets.most]
tickers = ["NVDA", "AVGO", "AMD", "MU", "ANSS"]
[baskets.classes]
tickers = ["NVDA", "GOOG", "GOOGL", "META"]
"""
DAY = 'date = "2025-01-27"'
CLAIMS = {
    "size-bare": ("size", f'asset = "NVDA"\nsays = "fell"\nvalue = 17\n{DAY}', "supported"),
    "size-unit": ("size", f'asset = "NVDA"\nsays = "fell"\nvalue = 17\nunit = "percent"\n{DAY}', "supported"),
    "period-bare": ("period", 'asset = "NVDA"\nsays = "fell"\nvalue = 17\nfrom = "2025-01-27"\nto = "2025-01-27"', "supported"),
    "count-bare": ("count", f'basket = "three"\nsays = "rose"\nvalue = 3\n{DAY}', "supported"),
    "ibm": ("direction", 'asset = "IBM"\nsays = "fell"\ndate = "2024-08-09"', None),
    "ibm-size": ("size", 'asset = "IBM"\nsays = "fell"\nvalue = 0.6\ndate = "2024-08-09"', "supported"),
    "ibm-days": ("rank", 'asset = "IBM"\nsays = "fell"\namong = "firms"\nbasket = "three"\ndate = "2024-08-09"', None),
    "panel": ("direction", f'asset = "LLY"\nsays = "rose"\n{DAY}', None),
    "nvda-split": ("level", 'asset = "NVDA"\nvalue = 1037.99\ndate = "2024-05-23"', "supported"),
    "tsla-split": ("level", 'asset = "TSLA"\nvalue = 891.29\ndate = "2022-08-24"', "supported"),
    "nvda-after": ("level", 'asset = "NVDA"\nvalue = 121.79\ndate = "2024-06-10"', "supported"),
    "nvda-divided": ("level", 'asset = "NVDA"\nvalue = 103.8\ndate = "2024-05-23"', "understated"),
    "meta": ("direction", f'asset = "META"\nsays = "rose"\n{DAY}', None),
    "nvidia": ("direction", f'asset = "NVDA"\nsays = "fell"\n{DAY}', None),
    "all-thin": ("count", f'basket = "thin"\nsays = "fell"\nwording = "all"\n{DAY}', "not testable here"),
    "none-thin": ("count", f'basket = "thin"\nsays = "fell"\nwording = "none"\n{DAY}', "contradicted"),
    "several-most": ("count", f'basket = "most"\nsays = "fell"\nwording = "several"\n{DAY}', "supported"),
    "exactly-most": ("count", f'basket = "most"\nsays = "fell"\nvalue = 4\n{DAY}', "not testable here"),
    "fewer": ("count", f'basket = "three"\nsays = "fell"\nvalue = 3\nwording = "less than"\n{DAY}', "supported"),
    "under": ("count", f'basket = "three"\nsays = "fell"\nvalue = 10\nunit = "percent"\nwording = "under"\n{DAY}', "supported"),
    "zero-three": ("count", f'basket = "three"\nsays = "fell"\nvalue = 3\n{DAY}', "contradicted"),
    "zero-about": ("count", f'basket = "three"\nsays = "fell"\nvalue = 3\nwording = "about"\n{DAY}', "contradicted"),
    "zero-least": ("count", f'basket = "three"\nsays = "fell"\nvalue = 1\nwording = "at least"\n{DAY}', "contradicted"),
    "zero-none": ("count", f'basket = "three"\nsays = "fell"\nwording = "none"\n{DAY}', "supported"),
    "not-fewer": ("count", f'basket = "three"\nsays = "rose"\nvalue = 3\nwording = "under"\n{DAY}', "understated"),
    "not-more": ("count", f'basket = "three"\nsays = "rose"\nvalue = 3\nwording = "more than"\n{DAY}', "overstated"),
    "at-least": ("count", f'basket = "three"\nsays = "rose"\nvalue = 3\nwording = "at least"\n{DAY}', "supported"),
    "classes": ("rank", f'asset = "META"\nsays = "fell"\nmeasure = "percent"\namong = "firms"\nbasket = "classes"\n{DAY}', None),
    "since-before": ("rank", f'asset = "NVDA"\nsays = "fell"\namong = "days"\nsince = "2019-01-02"\n{DAY}', "not testable here"),
    "since-within": ("rank", f'asset = "NVDA"\nsays = "fell"\namong = "days"\nsince = "2022-01-03"\n{DAY}', "supported"),
    "since-beaten": ("rank", f'asset = "GOOGL"\nsays = "fell"\namong = "days"\nsince = "2019-01-02"\n{DAY}', "overstated"),
    "two-per-cent": ("size", f'asset = "META"\nsays = "rose"\nvalue = 2\n{DAY}', "supported"),
    "one-per-cent": ("size", f'asset = "META"\nsays = "rose"\nvalue = 1\n{DAY}', "understated"),
    "second-class": ("rank", f'asset = "GOOG"\nsays = "fell"\namong = "firms"\nbasket = "classes"\nvalue = 2\n{DAY}', "supported"),
    "wide": ("rank", f'asset = "NVDA"\nsays = "lost"\nbasket = "sp500"\n{DAY}', "supported"),
}  # fmt: skip


def write(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n", encoding="utf-8")
    claims = "".join(
        f'[[claims]]\nid = "{n}"\narticle = "paper"\nquote = "words"\nkind = "{k}"\n{keys}\n'
        for n, (k, keys, _) in CLAIMS.items()
    )
    (folder / "claims.toml").write_text(BASKETS + claims, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> StudySpec:
    return es.load_study(write(tmp_path_factory.mktemp("claims") / "s"))


@pytest.fixture(scope="module")
def ledger(spec: StudySpec) -> es.claims.ClaimsLedger:
    return spec.claims_ledger()


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    return wide.filter(regex="^close:").rename(columns=lambda c: c.split(":")[1])


@pytest.mark.parametrize("name", [n for n, (_, _, verdict) in CLAIMS.items() if verdict])
def test_verdicts(ledger: es.claims.ClaimsLedger, name: str) -> None:
    assert ledger[name].verdict == CLAIMS[name][2], ledger[name].sentence


def test_a_size_without_a_unit_is_in_per_cent(ledger: es.claims.ClaimsLedger) -> None:
    assert ledger["size-bare"].claimed == ledger["size-unit"].claimed == "fell 17%"
    assert ledger["size-bare"].sentence == ledger["size-unit"].sentence
    assert ledger["count-bare"].claimed == "rose 3 names"


def test_a_fall_on_an_ex_dividend_day_is_a_fall_of_the_price(
    ledger: es.claims.ClaimsLedger, closes: pd.DataFrame
) -> None:
    own = closes["IBM"].loc["2024-08-08":"2024-08-09"]
    fall = own.iloc[1] / own.iloc[0] - 1.0
    assert fall < 0.0
    ruling = ledger["ibm"].ruling
    assert ledger["ibm"].verdict in ("supported", "supported in price only")
    assert ruling.number == pytest.approx(fall, rel=1e-12)
    inputs = dict(ruling.inputs)
    assert inputs["change of the price"] == "−0.60%"
    assert inputs["return with dividends"].startswith("+")
    assert "fell 0.60%" in ledger["ibm-days"].sentence
    assert "return with dividends" not in dict(ledger["nvidia"].ruling.inputs)


def test_estimation_days_are_moves_of_the_same_closes(ledger: es.claims.ClaimsLedger, closes: pd.DataFrame) -> None:
    days = closes["IBM"].pct_change(fill_method=None)
    zero = days.index.get_loc(pd.Timestamp("2024-08-09"))
    tail = days.iloc[zero - 120 : zero - 20].quantile(0.05)
    assert f"it falls by more than {abs(tail):.2%};" in ledger["ibm"].sentence


def test_a_share_with_adjusted_closes_only_says_so(ledger: es.claims.ClaimsLedger) -> None:
    inputs = dict(ledger["panel"].ruling.inputs)
    assert "change of the price" not in inputs
    assert "return with dividends, for want of closes without them" in inputs


def test_a_split_in_closes_that_were_never_divided_is_no_move() -> None:
    returns, priced = price_returns(np.array([10.0, 10.1, 10.2]), np.array([100.0, 101.0, 10.15]), 1)
    assert returns == pytest.approx([0.01, 10.2 / 10.1 - 1.0])
    assert priced.tolist() == [True, False]


def test_recorded_splits_are_all_that_the_closes_show(closes: pd.DataFrame) -> None:
    """Exchanges trade in whole cents, divided closes are not whole; half cents of vendors are few."""
    splits = {s["ticker"]: s for s in file_facts("prices.csv.gz")["splits"]}
    assert len(splits) == len(file_facts("prices.csv.gz")["splits"])
    for ticker in (t for t in closes if not t.startswith("^")):
        own = closes[ticker].dropna()
        if ticker in splits:
            first, ratio = pd.Timestamp(splits[ticker]["first"]), splits[ticker]["ratio"]
            old = own[own.index < first] * ratio * 100.0
            assert (np.abs(old - old.round()) > 0.02).sum() == 0, ticker
            own = own[own.index >= first]
        broken = np.abs(own * 100.0 - (own * 100.0).round()) > 0.001
        assert broken.sum() <= 6, ticker


def test_levels_before_a_split_name_it(ledger: es.claims.ClaimsLedger) -> None:
    assert "1,037.99" in ledger["nvda-split"].sentence
    assert dict(ledger["nvda-split"].ruling.inputs)["splits since in the table's closes"] == "10 shares for 1"
    assert dict(ledger["nvda-after"].ruling.inputs)["splits since in the table's closes"] == "none"


@pytest.mark.parametrize(
    ("factor", "verdicts"),
    [
        (1.0, ("supported", "understated")),
        (10.0, ("supported", "understated")),
        (0.5, ("not testable here", "not testable here")),
    ],
)
def test_levels_in_another_table(spec: StudySpec, factor: float, verdicts: tuple[str, str]) -> None:
    """The split basis of the snapshot, closes never divided, and one more split."""
    prices = spec.load_prices()
    close = prices.close * factor
    own = es.Prices.from_frame(
        prices.adj_close * min(factor, 1.0), close, provenance=es.sources.Provenance(source="own.csv")
    )
    found = es.judge_claims(spec, own)
    assert (found["nvda-split"].verdict, found["nvda-divided"].verdict) == verdicts
    if factor == 0.5:
        assert "splits since" in found["nvda-split"].sentence


def test_sentences_compare_the_move_before_they_name_the_abnormal_return(ledger: es.claims.ClaimsLedger) -> None:
    assert " rose 1.91% (2025-01-27), within the ordinary: on one of twenty estimation days it rises by more than " in (
        ledger["meta"].sentence
    )
    assert "; its abnormal return is +" in ledger["meta"].sentence
    assert "fell 16.97% (2025-01-27), out of the ordinary: on one of twenty estimation days it falls by more than " in (
        ledger["nvidia"].sentence
    )


def test_missing_companies_are_named_where_they_could_decide(ledger: es.claims.ClaimsLedger) -> None:
    assert "ANSS, JNPR" in ledger["all-thin"].sentence
    assert "Needed: the closes of 2 (ANSS, JNPR)" in ledger["all-thin"].sentence
    assert "without prices: 1 (ANSS)" in ledger["several-most"].sentence


def test_two_classes_of_a_company_are_one_in_a_rank(ledger: es.claims.ClaimsLedger) -> None:
    inputs = dict(ledger["classes"].ruling.inputs)
    assert inputs["companies compared"] == "3"
    assert inputs["share classes left out"] == "GOOGL"  # the second of the two in the basket
    assert ledger["classes"].ruling.number == 3
    assert dict(ledger["second-class"].ruling.inputs)["share classes left out"] == "GOOGL"


def test_the_other_measure_is_counted_over_the_same_companies_and_days(
    ledger: es.claims.ClaimsLedger, closes: pd.DataFrame
) -> None:
    panel = pd.read_csv(DATA / "sp500.csv.gz", index_col=0, parse_dates=True)
    shares = set(pd.read_csv(DATA / "shares.csv", keep_default_na=False)["ticker"])
    members = pd.read_csv(DATA / "sp500_members.csv", keep_default_na=False)["ticker"]
    adjusted = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    steps = {}
    for ticker in members:
        if ticker in ("GOOG", "FOXA", "NWSA") or ticker not in shares:
            continue
        if ticker in closes:
            price = closes[ticker]
        elif f"adj_close:{ticker}" in adjusted:
            price = adjusted[f"adj_close:{ticker}"]
        elif ticker in panel:
            price = panel[ticker]
        else:
            continue
        steps[ticker] = price.reindex(closes.index).pct_change(fill_method=None)[:"2025-01-27"]
    table = pd.DataFrame(steps)
    own = table.at[pd.Timestamp("2025-01-27"), "NVDA"]
    inputs = dict(ledger["wide"].ruling.inputs)
    assert inputs["companies compared"] == str(table.shape[1])
    assert inputs["company-days compared"] == f"{table.notna().to_numpy().sum():,}"
    assert inputs["the same in per cent"] == f"16.97%, number {1 + (table.to_numpy() < own).sum()}"
