"""Embedded share counts and names are of firms in New York; a foreign share of the same ticker, or in another currency, does not get them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import figures
from eventstudy.prices.firms import another_firm, currency_of
from eventstudy.prices.snapshot import load_snapshot, load_universe
from eventstudy.windows import Window

DAY = "2025-01-28"
#: Tickers of Toronto, London and Sydney that are S&P 500 members' in New York.
ABROAD = ("T", "CAT", "BA", "DIS")


def foreign(seed: int, tickers: tuple[str, ...] = ABROAD, level: float = 40.0) -> pd.DataFrame:
    """Return made-up closes on the embedded days, and a benchmark."""
    days = load_snapshot().dates
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.009, len(days))
    moves = 0.9 * market[:, None] + rng.normal(0.0, 0.012, (len(days), len(tickers)))
    closes = pd.DataFrame(level * np.exp(np.cumsum(moves, axis=0)), index=days, columns=list(tickers))
    return closes.assign(**{"^ABR": 9000.0 * np.exp(np.cumsum(market))}).round(2)


def of(table: pd.DataFrame, currency: str = "") -> es.Prices:
    return es.Prices.from_frame(table, close=table, currency={t: currency for t in table if currency and t[0] != "^"})


def run(prices: es.Prices, *tickers: str) -> es.EventStudyResult:
    study = es.EventStudy(es.MarketModel(next(t for t in prices.tickers if t[0] == "^")), estimation=(-120, -21))
    return study.run(prices, [es.Event(t, DAY) for t in tickers])


@pytest.mark.parametrize("currency", ["", "CAD", "USD"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_foreign_share_gets_no_embedded_count(seed: int, currency: str) -> None:
    table = run(of(foreign(seed), currency), *ABROAD).market_value()
    assert table["shares"].isna().all()
    assert table["raw"].isna().all()
    for ticker, note in table["note"].items():
        assert note.startswith("no share count: ")
        assert (f"in {currency}" if currency == "CAD" else f"not those of the embedded {ticker}") in note
        assert note.endswith(f"give shares={{'{ticker}': ...}}")
    assert (table["currency"] == currency).all()


@pytest.mark.parametrize("tickers", [("NVDA", "ORCL"), ("LLY", "KO", "T")])
def test_prices_of_ones_own_that_are_the_embedded_ones_get_their_counts(tickers: tuple[str, ...]) -> None:
    snapshot, panel = load_snapshot(), load_universe().adj_close
    index = snapshot.close["^GSPC"]
    assert snapshot.close is not None
    table = pd.DataFrame({t: snapshot.close[t] if t in snapshot.tickers else panel[t] for t in tickers}).dropna()
    own = of(table.join(index).round(2))
    found = run(own, *tickers).market_value()
    assert (found["currency"] == "USD").all()
    for ticker, row in found.iterrows():
        expected = es.share_count(str(ticker), DAY).shares * (table.at[DAY, ticker] - table.at["2025-01-27", ticker])
        assert row["raw"] == pytest.approx(expected, abs=0.011 * row["shares"])
    other = of(own.close.assign(**{t: own.close[t] * 7.78 for t in tickers}))  # pegged to the dollar, as in Hong Kong
    assert run(other, *tickers).market_value()["raw"].isna().all()
    assert {currency_of(other, t) for t in tickers} == {""}
    assert {another_firm(of(own.close, "HKD"), t) != "" for t in tickers} == {True}


def test_too_few_days_in_common_tell_nothing() -> None:
    table = foreign(3).set_axis(pd.bdate_range("2025-07-01", periods=len(foreign(3))), axis=0)
    assert "fewer than 20 days in common" in another_firm(of(table), "CAT")
    assert another_firm(of(foreign(3).rename(columns={"CAT": "SAP"})), "SAP") == ""  # nothing is embedded under it


def test_share_counts_may_be_numbers_and_are_refused_in_words() -> None:
    result = run(of(foreign(4), "AUD"), "DIS", "BA")
    row = result.market_value(shares={"DIS": 1.2e9, "BA": np.int64(300_000_000)}).loc["DIS"]
    assert row["raw"] == pytest.approx(1.2e9 * (row["close_after"] - row["close_before"]), rel=1e-12)
    assert row["currency"] == "AUD"
    for wrong in ({"DIS": "many"}, {"DIS": -3}, {"DIS": np.nan}, {"DIS": True}, {"DIS": (1, 2)}, [1.2e9]):
        with pytest.raises(es.errors.InvalidInput, match="give shares outstanding by ticker"):
            result.market_value(shares=wrong)


@pytest.mark.parametrize(("currency", "sign"), [("EUR", "€"), ("GBP", "£"), ("CHF", "CHF "), ("", "")])
def test_the_sign_of_money_is_that_of_the_prices(currency: str, sign: str) -> None:
    result = run(of(foreign(5), currency), "CAT", "BA")
    changes = result.value_changes(Window(0, 0), shares={"CAT": 9e8, "BA": 7e8})
    figure = figures.dollars(changes)
    assert "$" not in " ".join([figure.words.title, figure.words.subtitle, figure.words.note, figure.words.alt])
    assert (f"{sign}bn" if currency else "bn in the currency of the prices") in figure.words.subtitle
    assert figure.recipe.facts.own_words == ()
    size, does = abs(changes[0].raw) / 1e9, "gained" if changes[0].raw > 0 else "lost"
    right = figure.with_words(title=f"CAT {does} {sign}{size:.2f}bn")
    assert right.recipe.facts.own_words == ()
    for other in {"€", "$", "£", "CHF "} - {sign}:
        title = f"CAT {does} {other}{size:.2f}bn"
        if currency:
            with pytest.raises(es.errors.InvalidInput, match=f"whose market value is in {currency}"):
                figure.with_words(title=title)
        else:
            assert figure.with_words(title=title).recipe.facts.own_words == ("title",)
    assert figure.with_words(title=f"Caterpillar {does} {sign}{size:.2f}bn").recipe.facts.own_words == ("title",)


def test_a_figure_of_a_foreign_share_does_not_know_the_american_name() -> None:
    result = run(of(foreign(6)), "CAT", "BA")
    figure, move = result.plot_event_day(), result.returns.loc["CAT", 0]
    said = f"{'rose' if move > 0 else 'fell'} {abs(move):.1%}"
    assert figure.with_words(title=f"CAT {said}").recipe.facts.own_words == ()
    assert figure.with_words(title=f"Caterpillar {said}").recipe.facts.own_words == ("title",)
    here = run(es.load_prices(["NVDA", "ORCL", "^GSPC"]), "NVDA", "ORCL").plot_event_day()
    with pytest.raises(es.errors.InvalidInput, match="is said of NVDA"):
        here.with_words(title="Nvidia fell 99%")


STUDY = """
title = "A study"
event = "an event"
events = "events.csv"
claims = "claims.toml"
[prices]
source = {{"CAT" = "cat.csv", "^ABR" = "index.csv"}}
{currency}
[model]
benchmark = "^ABR"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""
CLAIMS = """
[articles.paper]
title = "An invented article"
[[claims]]
id = "money"
article = "paper"
quote = "2 billion"
kind = "market_value"
asset = "CAT"
says = "gained"
value = 2
unit = "billion"
shares_billion = [0.5, 0.5]
[[claims]]
id = "price"
article = "paper"
quote = "40 dollars"
kind = "level"
asset = "CAT"
value = 40
unit = "dollars"
date = "2025-01-28"
[[claims]]
id = "index"
article = "paper"
quote = "the index closed above 1,000"
kind = "level"
asset = "^ABR"
value = 1000
wording = "above"
date = "2025-01-28"
"""


def judged(folder: Path, currency: str, seed: int = 7) -> es.claims.ClaimsLedger:
    table = foreign(seed)
    folder.mkdir()
    for name, ticker, heading in (("cat", "CAT", "Adj Close"), ("index", "^ABR", "Schlusskurs")):
        table[ticker].rename(heading).rename_axis("Date").to_csv(folder / f"{name}.csv")
    (folder / "study.toml").write_text(STUDY.format(currency=currency))
    (folder / "claims.toml").write_text(CLAIMS)
    (folder / "events.csv").write_text(f"ticker,date\nCAT,{DAY}\n")
    return es.load_study(folder).claims_ledger()


def test_claims_of_dollars_need_prices_in_dollars(tmp_path: Path) -> None:
    for name, key, says in (
        ("unnamed", "", "currency of the prices of CAT is not known"),
        ("crown", 'currency = "SEK"', "closes of CAT are in SEK"),
    ):
        ledger = judged(tmp_path / name, key)
        for claim in ("money", "price"):
            assert ledger[claim].verdict == "not testable here"
            assert says in ledger[claim].sentence
            assert "Needed: closes of CAT in US dollars." in ledger[claim].sentence
        assert ledger["index"].verdict == "supported"  # an index has no dividends: its one close is the close
        assert "Caterpillar" not in repr(ledger)
    assert judged(tmp_path / "dollar", 'currency = "USD"')["money"].verdict != "not testable here"


def test_a_currency_of_the_study_file_may_not_contradict_the_prices(tmp_path: Path) -> None:
    with pytest.raises(es.errors.StudyFileError, match="currency"):
        judged(tmp_path / "wrong", 'currency = "euros"')
    study = judged(tmp_path / "right", 'currency = "EUR"')
    assert len(study) == 3
    (tmp_path / "right" / "study.toml").write_text(
        STUDY.format(currency='currency = "EUR"').replace("source = {", "# source = {")
    )
    with pytest.raises(es.errors.StudyFileError, match="embedded and downloaded prices name theirs"):
        es.load_study(tmp_path / "right")
