"""Claims against raw closes where the exchange, the quotation, the yardstick or the digits decide; each was wrong before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions

DATA = Path(es.__file__).parent / "data"
D = "2025-01-27"

FITS: list[tuple[str, str, dict[str, object]]] = [
    ("AMD, which does not make $5 chips, fell", "direction", {"asset": "AMD", "says": "fell", "date": "2025-01-27"}),
    ("Nvidia rose after it fell 17% on Monday", "direction", {"asset": "NVDA", "says": "rose", "date": "2025-01-28"}),
    ("Nvidia fell 17% while Meta rose", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    ("Nvidia fell 17% while Meta rose", "direction", {"asset": "META", "says": "rose", "date": "2025-01-27"}),
    ("Google and Meta plunged", "direction", {"asset": "GOOGL", "says": "plunged", "date": "2025-01-27"}),
    (
        "chip makers such as Nvidia fell sharply",
        "direction",
        {"asset": "AVGO", "says": "fell", "wording": "sharply", "date": "2025-01-27"},
    ),
    (
        "Nvidia shares, which had gained 171% in 2024, fell 17%",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    ("a 17% slide in Nvidia", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    ("Nvidia's worst day: minus 17%", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    ("Nvidia dropped by a sixth", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    (
        "Nvidia closed 17% lower at $118.42, after hitting $153",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "the S&P 500 fell 1.5%, dragged down by Nvidia's 17% fall",
        "size",
        {"asset": "^GSPC", "says": "fell", "value": 1.5, "date": "2025-01-27"},
    ),
    (
        "Nvidia dragged the S&P 500 down 1.5%",
        "size",
        {"asset": "^GSPC", "says": "fell", "value": 1.5, "date": "2025-01-27"},
    ),
    ("Nvidia led the market down", "direction", {"asset": "^GSPC", "says": "fell", "date": "2025-01-27"}),
    ("Apple rose while Nvidia fell", "direction", {"asset": "AAPL", "says": "rose", "date": "2025-01-27"}),
    ("Apple overtook Nvidia, which fell 17%", "direction", {"asset": "AAPL", "says": "rose", "date": "2025-01-27"}),
    (
        "The chip maker lost $593bn of value on Monday",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    (
        "Nvidia lost $593 billion, more than the value of Mastercard",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    (
        "Nvidia shed nearly 600 billion dollars",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 600, "unit": "billion", "wording": "nearly", "date": "2025-01-27"},
    ),
    (
        "Nvidia fell around 17%",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "wording": "about", "date": "2025-01-27"},
    ),
    (
        "Nvidia fell 17% on Monday, 27 January 2025",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    ("Nvidia fell Jan. 27", "direction", {"asset": "NVDA", "says": "fell", "date": "2025-01-27"}),
    ("Nvidia fell after Sunday's reports", "direction", {"asset": "NVDA", "says": "fell", "date": "2025-01-27"}),
    (
        "Nvidia fell the day after the App Store ranking on Sunday",
        "direction",
        {"asset": "NVDA", "says": "fell", "date": "2025-01-27"},
    ),
    (
        "Nvidia fell the most since Wednesday 18 December",
        "direction",
        {"asset": "NVDA", "says": "fell", "date": "2025-01-27"},
    ),
    (
        "Meta beat the S&P 500 by 3 points",
        "size",
        {"asset": "META", "says": "rose", "measure": "abnormal", "value": 3, "date": "2025-01-27"},
    ),
    (
        "Nvidia did not recover",
        "period",
        {"asset": "NVDA", "says": "did not recover", "from": "2025-01-27", "to": "2025-01-31"},
    ),
    (
        "Wall Street's darling lost a sixth of its value",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    ("AMD and Broadcom fell, too", "direction", {"assets": ["AMD", "AVGO"], "says": "fell", "date": "2025-01-27"}),
    (
        "Vistra, an energy company, fell 28%",
        "size",
        {"asset": "VST", "says": "fell", "value": 28, "date": "2025-01-27"},
    ),
    (
        "the biggest loser was Vistra; Nvidia fell 17%",
        "rank",
        {
            "asset": "VST",
            "says": "fell",
            "measure": "percent",
            "among": "firms",
            "basket": "sp500",
            "date": "2025-01-27",
        },
    ),
    (
        "Broadcom and Marvell fell 17% and 19%",
        "size",
        {"asset": "AVGO", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "The Dow rose 0.7% even as the Nasdaq fell 3.1%",
        "size",
        {"asset": "^DJI", "says": "rose", "value": 0.7, "date": "2025-01-27"},
    ),
    (
        "The Dow rose 0.7% even as the Nasdaq fell 3.1%",
        "size",
        {"asset": "^IXIC", "says": "fell", "value": 3.1, "date": "2025-01-27"},
    ),
    (
        "Nvidia's 17% plunge wiped out $593 billion",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "Nvidia's 17% plunge wiped out $593 billion",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    (
        "Nvidia shares closed down 17 per cent at $118.58",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "The stock fell 17%, its worst day since March 2020",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "Broadcom, another chip maker, dropped 17.4 per cent",
        "size",
        {"asset": "AVGO", "says": "fell", "value": 17.4, "date": "2025-01-27"},
    ),
    (
        "shares in Oracle fell nearly 14%",
        "size",
        {"asset": "ORCL", "says": "fell", "value": 14, "wording": "nearly", "date": "2025-01-27"},
    ),
    ("the 28% fall of Vistra", "size", {"asset": "VST", "says": "fell", "value": 28, "date": "2025-01-27"}),
    (
        "Apple gained 3.2% as investors sought shelter from the rout of Nvidia",
        "size",
        {"asset": "AAPL", "says": "rose", "value": 3.2, "date": "2025-01-27"},
    ),
    (
        "up 3.2%, Apple was the best of the seven",
        "size",
        {"asset": "AAPL", "says": "rose", "value": 3.2, "date": "2025-01-27"},
    ),
    (
        "Nvidia's market value fell by $593 billion, the biggest loss ever",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    (
        "Nvidia, down 17%, lost $593bn",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    ("Nvidia lost $593bn, or 17%", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    (
        "a loss of roughly $600bn for Nvidia",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 600, "unit": "billion", "wording": "about", "date": "2025-01-27"},
    ),
    (
        "The Dow rose 289 points, or 0.7%",
        "size",
        {"asset": "^DJI", "says": "rose", "value": 289, "unit": "points", "date": "2025-01-27"},
    ),
    (
        "The Nasdaq Composite fell 612 points",
        "size",
        {"asset": "^IXIC", "says": "fell", "value": 612, "unit": "points", "date": "2025-01-27"},
    ),
    (
        "Nvidia bounced 8.9% after Monday's 17% plunge",
        "size",
        {"asset": "NVDA", "says": "rose", "value": 8.9, "date": "2025-01-28"},
    ),
    (
        "Nvidia bounced back after Monday's plunge",
        "direction",
        {"asset": "NVDA", "says": "bounced back", "date": "2025-01-28"},
    ),
    ("Nvidia clawed back 9% on Tuesday", "size", {"asset": "NVDA", "says": "rose", "value": 8.9, "date": "2025-01-28"}),
    (
        "Mr Huang's fortune shrank by $21bn as Nvidia fell 17%",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "Nvidia fell 17% to trade at 25 times earnings",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "Microsoft fell 2.1% and Alphabet 4.2%",
        "size",
        {"asset": "GOOGL", "says": "fell", "value": 4.2, "date": "2025-01-27"},
    ),
    (
        "Microsoft fell 2.1% and Alphabet 4.2%",
        "size",
        {"asset": "MSFT", "says": "fell", "value": 2.1, "date": "2025-01-27"},
    ),
    (
        "Siemens Energy fell 20%; GE Vernova lost 21%",
        "size",
        {"asset": "GEV", "says": "fell", "value": 21, "date": "2025-01-27"},
    ),
    ("Constellation and Vistra plunged", "direction", {"asset": "CEG", "says": "plunged", "date": "2025-01-27"}),
    ("Meta finished higher", "direction", {"asset": "META", "says": "finished higher", "date": "2025-01-27"}),
    ("Facebook's owner rose 1.9%", "size", {"asset": "META", "says": "rose", "value": 1.9, "date": "2025-01-27"}),
    ("Google fell 4.2%", "size", {"asset": "GOOGL", "says": "fell", "value": 4.2, "date": "2025-01-27"}),
    (
        "Alphabet, Google's parent, fell 4.2%",
        "size",
        {"asset": "GOOGL", "says": "fell", "value": 4.2, "date": "2025-01-27"},
    ),
    (
        "AMD lost 6.4% on Monday while TSMC shed 13%",
        "size",
        {"asset": "AMD", "says": "fell", "value": 6.4, "date": "2025-01-27"},
    ),
    (
        "Arista tumbled more than 22%",
        "size",
        {"asset": "ANET", "says": "tumbled", "value": 22, "wording": "more than", "date": "2025-01-27"},
    ),
    (
        "Not even Arista, down 22%, fell as far as Vistra",
        "direction",
        {"asset": "VST", "says": "fell", "date": "2025-01-27"},
    ),
    (
        "Micron lost over a tenth of its value",
        "size",
        {"asset": "MU", "says": "fell", "value": 10, "wording": "over", "date": "2025-01-27"},
    ),
    (
        "Nvidia, which makes chips, was down by 17% on January 27th",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "On Monday, January 27, Nvidia sank 17%",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"},
    ),
    (
        "Nvidia fell in the week to Friday",
        "period",
        {"asset": "NVDA", "says": "fell", "from": "2025-01-27", "to": "2025-01-31"},
    ),
    (
        "Nvidia fell 3.1% on Friday 24 January",
        "size",
        {"asset": "NVDA", "says": "fell", "value": 3.1, "date": "2025-01-24"},
    ),
    ("It was up 2% on Wednesday", "size", {"asset": "META", "says": "rose", "value": 2, "date": "2025-01-29"}),
]
DIFFERS: list[tuple[str, str, dict[str, object]]] = [
    ("AMD fell 12%", "size", {"asset": "AMD", "says": "fell", "value": 6, "date": "2025-01-27"}),
    ("AMD never fell 6%", "size", {"asset": "AMD", "says": "fell", "value": 6, "date": "2025-01-27"}),
    ("AMD did not tumble that day", "direction", {"asset": "AMD", "says": "tumbled", "date": "2025-01-27"}),
    ("AMD dropped $6.40", "size", {"asset": "AMD", "says": "dropped", "value": 6.4, "date": "2025-01-27"}),
    ("Broadcom fell 17%", "size", {"asset": "AMD", "says": "fell", "value": 6, "date": "2025-01-27"}),
    ("Vistra rose 28%", "size", {"asset": "VST", "says": "fell", "value": 28, "date": "2025-01-27"}),
    ("Vistra plunged on Wednesday", "direction", {"asset": "VST", "says": "plunged", "date": "2025-01-27"}),
    ("Vistra plunged on 28 January", "direction", {"asset": "VST", "says": "plunged", "date": "2025-01-27"}),
    (
        "Broadcom lost $300bn",
        "market_value",
        {"asset": "AVGO", "says": "lost", "value": 200, "unit": "billion", "date": "2025-01-27"},
    ),
    ("Oracle fell almost 14%", "size", {"asset": "ORCL", "says": "fell", "value": 14, "date": "2025-01-27"}),
    (
        "Oracle fell 14%",
        "size",
        {"asset": "ORCL", "says": "fell", "value": 14, "wording": "almost", "date": "2025-01-27"},
    ),
    ("Tesla soared", "direction", {"asset": "TSLA", "says": "fell", "date": "2025-01-27"}),
    ("Apple's shares rose", "direction", {"asset": "MSFT", "says": "fell", "date": "2025-01-27"}),
    (
        "the Dow lost 500 points",
        "size",
        {"asset": "^DJI", "says": "rose", "value": 289, "unit": "points", "date": "2025-01-27"},
    ),
    ("the Nasdaq fell 3.1%", "size", {"asset": "^GSPC", "says": "fell", "value": 1.5, "date": "2025-01-27"}),
    ("fell 12%", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    ("lost a quarter of its value", "size", {"asset": "NVDA", "says": "fell", "value": 17, "date": "2025-01-27"}),
    ("Arista fell 12%", "size", {"asset": "ANET", "says": "fell", "value": 22, "date": "2025-01-27"}),
    ("Micron fell on Friday", "direction", {"asset": "MU", "says": "fell", "date": "2025-01-27"}),
    ("Vistra fell 28%", "size", {"asset": "CEG", "says": "fell", "value": 28, "date": "2025-01-27"}),
    (
        "Micron lost less than a tenth of its value",
        "size",
        {"asset": "MU", "says": "fell", "value": 10, "wording": "over", "date": "2025-01-27"},
    ),
    (
        "the Dow fell 289 points",
        "size",
        {"asset": "^DJI", "says": "rose", "value": 289, "unit": "points", "date": "2025-01-27"},
    ),
    ("Meta tumbled", "direction", {"asset": "META", "says": "rose", "date": "2025-01-27"}),
    ("Meta lost 2%", "size", {"asset": "META", "says": "rose", "value": 2, "date": "2025-01-27"}),
    (
        "Nvidia lost $500 billion",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    (
        "Nvidia lost $593 billion on Wednesday",
        "market_value",
        {"asset": "NVDA", "says": "lost", "value": 593, "unit": "billion", "date": "2025-01-27"},
    ),
    ("Oracle lost 13.8% on January 28", "size", {"asset": "ORCL", "says": "fell", "value": 13.8, "date": "2025-01-27"}),
    ("Microsoft's shares dropped", "impact", {"asset": "NVDA", "says": "fell", "date": "2025-01-27"}),
    (
        "Apple was the biggest loser as Apple fell",
        "rank",
        {
            "asset": "NVDA",
            "says": "fell",
            "measure": "percent",
            "among": "firms",
            "basket": "sp500",
            "date": "2025-01-27",
        },
    ),
]

CLAIMS = list[tuple[str, str, dict[str, object]]]
US = """
title = "T"
event = "E"
events = "events.csv"
claims = "claims.toml"
[model]
benchmark = "^GSPC"
estimation = [-270, -21]
window = [-5, 5]
report = [[0, 0]]
"""


def judged(folder: Path, claims: CLAIMS, study: str = US, events: str = "") -> list[es.claims.Claim]:
    (folder / "study.toml").write_text(study, encoding="utf-8")
    events = events or f"ticker,date\nNVDA,{D}\nMETA,{D}\nGOOGL,{D}\n"
    (folder / "events.csv").write_text(events, encoding="utf-8")
    text = '[articles.a]\ntitle = "A"\n'
    for i, (quote, kind, keys) in enumerate(claims):
        text += f'[[claims]]\nid = "c{i}"\narticle = "a"\nquote = {json.dumps(quote)}\nkind = "{kind}"\n'
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    (folder / "claims.toml").write_text(text, encoding="utf-8")
    return list(es.judge_claims(folder))


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    return wide.filter(regex="^close:").rename(columns=lambda c: c.split(":")[1])


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return pd.read_csv(DATA / "sp500.csv.gz", index_col=0, parse_dates=True)


# -- Whose days.


TOKYO = """
title = "T"
event = "E"
events = "events.csv"
claims = "claims.toml"
[prices]
source = { "6758.T" = "own.csv", "^TOPX" = "index.csv" }
currency = "JPY"
[model]
benchmark = "^TOPX"
calendar = "XTKS"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""


def tokyo(folder: Path, claims: CLAIMS) -> list[es.claims.Claim]:
    """A study of made-up closes on Tokyo's sessions."""
    days = pd.DatetimeIndex(exchange_sessions("XTKS", "2024-06-03", "2025-03-31"))
    draw = np.random.default_rng(6758)
    market = draw.normal(0, 0.01, len(days))
    for name, steps in (("index", market), ("own", market + draw.normal(0, 0.01, len(days)))):
        table = pd.DataFrame({"Close": 1000 * np.cumprod(1 + steps)}, index=days.rename("Date"))
        table.to_csv(folder / f"{name}.csv")
    return judged(folder, claims, TOKYO, "ticker,date\n6758.T,2025-01-27\n")


def test_closes_of_new_york_keep_new_yorks_days_in_a_study_of_tokyo(tmp_path: Path, panel: pd.DataFrame) -> None:
    day, before = pd.Timestamp("2025-01-13"), pd.Timestamp("2025-01-10")  # Tokyo was closed on the 13th
    found = tokyo(
        tmp_path,
        [
            ("It fell", "direction", {"asset": "AVGO", "says": "fell", "date": "2025-01-13"}),
            ("It fell", "period", {"asset": "AMD", "says": "fell", "from": "2025-01-08", "to": "2025-01-13"}),
            ("Most fell", "count", {"basket": "sp500", "says": "fell", "wording": "most", "date": "2025-01-13"}),
            ("It lost", "market_value", {"asset": "AVGO", "says": "lost", "value": 9, "unit": "billion", "date": "2025-01-13"}),
            ("The worst", "rank", {"asset": "MRNA", "says": "fell", "measure": "percent", "among": "firms", "basket": "sp500", "date": "2025-01-13"}),
            ("It rose", "direction", {"asset": "AVGO", "says": "rose", "date": "2025-01-17"}),
            ("It was hurt", "impact", {"asset": "NVDA", "says": "fell", "date": D}),
            ("All fell", "count", {"assets": ["NVDA", "6758.T"], "says": "fell", "wording": "all", "date": D}),
            ("The worst ever", "rank", {"asset": "NVDA", "says": "fell", "measure": "percent", "date": D}),
        ],
    )  # fmt: skip
    change = panel.loc[day] / panel.loc[before] - 1
    assert found[0].ruling.number == pytest.approx(change["AVGO"], rel=1e-9)
    assert found[0].days == "2025-01-13"
    own = panel["AMD"]
    assert found[1].ruling.number == pytest.approx(own[day] / own[pd.Timestamp("2025-01-07")] - 1, rel=1e-9)
    assert found[2].ruling.number == (change.dropna() < 0).sum()
    shares = pd.read_csv(DATA / "shares.csv", keep_default_na=False)
    known = shares[(shares["ticker"] == "AVGO") & (shares["period_end"] <= "2025-01-13")].sort_values("period_end")
    step = panel.at[day, "AVGO"] - panel.at[before, "AVGO"]
    assert found[3].ruling.number == pytest.approx(known["shares"].iloc[-1] * step, rel=1e-9)
    assert found[4].ruling.number == 1 + (change < change["MRNA"]).sum()
    friday = panel["AVGO"].loc["2025-01-16":"2025-01-17"]
    assert found[5].ruling.number == pytest.approx(friday.iloc[1] / friday.iloc[0] - 1, rel=1e-9)
    assert found[6].verdict == "not testable here"
    assert "of another exchange than the study, whose yardstick ^TOPX" in found[6].sentence
    for claim in found[7:]:
        assert claim.verdict == "not testable here"
        assert "exchanges that are not open on the same days" in claim.sentence


def test_relative_days_count_the_sessions_of_the_asset(tmp_path: Path, panel: pd.DataFrame) -> None:
    """Of a day on which Tokyo was open and New York closed, New York's is the next one."""
    keys = {"asset": "NVDA", "says": "rose", "window": [-5, -5]}
    (claim,) = tokyo(tmp_path, [("It rose", "direction", keys)])
    days = list(panel.index)
    place = days.index(pd.Timestamp(D)) - 5
    own = panel["NVDA"]
    assert claim.ruling.number == pytest.approx(own.iloc[place] / own.iloc[place - 1] - 1, rel=1e-9)


# -- The quotation beside the keys.


def test_a_quotation_that_fits_its_keys_raises_no_alarm(tmp_path: Path) -> None:
    found = judged(tmp_path, FITS)
    assert [c.quote for c in found if "does not say what the keys say" in c.sentence] == []


def test_a_quotation_that_says_something_else_is_refused_with_both(tmp_path: Path) -> None:
    found = judged(tmp_path, DIFFERS)
    assert [c.quote for c in found if c.verdict != "not testable here"] == []
    assert [c.quote for c in found if "does not say what the keys say" not in c.sentence] == []


def test_a_closed_day_in_print_is_no_day_of_a_move(tmp_path: Path, close: pd.DataFrame) -> None:
    found = judged(
        tmp_path,
        [
            ("Nvidia fell on Thursday 9 January", "direction", {"asset": "NVDA", "says": "fell", "date": "2025-01-09"}),
            ("Apple dropped 3% on Monday, January 20", "size", {"asset": "AAPL", "says": "fell", "value": 3, "date": "2025-01-20"}),
            ("Nvidia fell", "direction", {"asset": "NVDA", "says": "fell", "date": "2025-01-09"}),
            ("Nvidia fell after the funeral on Thursday", "direction", {"asset": "NVDA", "says": "fell", "date": "2025-01-09"}),
        ],
    )  # fmt: skip
    own = close["NVDA"]
    fell = own[pd.Timestamp("2025-01-10")] / own[pd.Timestamp("2025-01-08")] - 1
    assert [c.verdict for c in found] == ["contradicted", "contradicted", "supported", "supported"]
    assert "closed on Thursday 9 January 2025, the day that the quotation names" in found[0].sentence
    assert f"fell {-fell:.2%}" in found[0].sentence
    assert found[2].ruling.number == pytest.approx(fell, rel=1e-9)


# -- Recoveries.


@pytest.mark.parametrize(("ticker", "last"), [("^IXIC", "2025-02-27"), ("^GSPC", "2025-02-27"), ("NVDA", "2025-02-28"), ("^DJI", "2025-01-31")])  # fmt: skip
def test_any_close_of_the_days_is_a_recovery(tmp_path: Path, close: pd.DataFrame, ticker: str, last: str) -> None:
    keys = {"asset": ticker, "from": D, "to": last}
    did, did_not = judged(
        tmp_path,
        [
            ("within a month", "period", {"says": "recovered", **keys}),
            ("not within a month", "period", {"says": "failed to recover", **keys}),
        ],
    )
    own = close[ticker]
    level, inside = own[: pd.Timestamp("2025-01-24")].iloc[-1], own[D:last]
    below = inside < level
    back = [str(day)[:10] for day, value in inside.items() if value >= level and below[:day].any()]
    holds = bool(back) or not below.any()
    assert (did.verdict, did_not.verdict) == (("supported", "contradicted") if holds else ("contradicted", "supported"))
    if back:
        assert f"on {back[0]}" in did.sentence
        assert ("was below again at the end" in did.sentence) == bool(below.iloc[-1])


# -- Impacts.


def test_an_impact_whose_verdict_the_yardstick_turns_depends_on_it(tmp_path: Path) -> None:
    claims: CLAIMS = [
        ("hurt", "impact", {"asset": t, "says": says, "date": D})
        for t, says in (("NVDA", "fell"), ("META", "rose"), ("GOOGL", "fell"))
    ]
    both: CLAIMS = [("hurt", "impact", {"assets": ["GOOGL", "META"], "says": "fell", "date": D})]
    *found, joint = judged(tmp_path, claims + both)
    result = es.load_study(tmp_path).run()
    rows = next({r.name: r for r in c.rows} for c in result.checks if c.name == "Benchmark without the events' firms")
    assert sum(rows[c.assets[0]].turns for c in found) > 0
    for claim in found:
        row = rows[claim.assets[0]]
        assert (claim.verdict == "depends on") == row.turns
        if row.turns:
            first, second = claim.ruling.readings
            assert (first.verdict == "not visible in prices") == (row.p >= 0.05)
            assert (second.verdict == "not visible in prices") == (row.p_rest >= 0.05)
            assert "depends on the yardstick" in claim.sentence
            assert claim.verdict_text.startswith("depends on the yardstick")
    if rows["GOOGL"].turns and rows["META"].turns:
        assert joint.verdict_text == "depends on the yardstick"


# -- What the sentence shows.


def test_sentences_say_what_the_claim_allows_in_digits_that_show_the_verdict(
    tmp_path: Path, close: pd.DataFrame
) -> None:
    number = 100 * -(close.at[pd.Timestamp(D), "NVDA"] / close.at[pd.Timestamp("2025-01-24"), "NVDA"] - 1)
    found = judged(
        tmp_path,
        [
            ("about half", "count", {"basket": "sp500", "says": "fell", "value": 50, "unit": "percent", "wording": "about", "date": D}),
            ("at least four", "count", {"assets": ["NVDA", "AAPL"], "says": "fell", "value": 4, "wording": "at least", "date": D}),
            ("among the three worst", "rank", {"asset": "NVDA", "says": "fell", "value": 3, "wording": "among the biggest", "among": "days", "date": D}),
            ("beyond the market", "size", {"asset": "NVDA", "says": "fell", "value": 15, "wording": "more than", "measure": "abnormal", "date": D}),
            ("millions", "market_value", {"asset": "META", "says": "gained", "value": 31.4, "unit": "million", "date": D}),
            ("as printed", "size", {"asset": "NVDA", "says": "fell", "value": round(number + 0.00004, 5), "wording": "at least", "date": D}),
            ("as printed", "market_value", {"asset": "AVGO", "says": "lost", "value": 200, "unit": "billion", "wording": "more than", "shares_billion": [4.686, 4.6982], "date": D}),
        ],
    )  # fmt: skip
    assert "“about 50%” allows 47.5% to 52.5%" in found[0].sentence
    assert "“at least 4” allows 4 or more" in found[1].sentence
    assert "“among the biggest” allows number 1 to 3" in found[2].sentence
    assert "“more than 15 percentage points” allows above 15 percentage points" in found[3].sentence
    assert "“$31.4mn” allows $31.1mn to $31.7mn" in found[4].sentence
    assert found[5].verdict == "overstated"
    assert f"that is {number:.5f}%" in found[5].sentence
    step = -(close.at[pd.Timestamp(D), "AVGO"] - close.at[pd.Timestamp("2025-01-24"), "AVGO"])
    assert 4.6982 * step > 200 > 4.686 * step
    assert found[6].verdict == "depends on"
    assert "within 4.686 to 4.7" in found[6].verdict_text
    shown = [
        float(part.split("$")[1].split("bn")[0])
        for part in found[6].sentence.split("counts ")[1].split(". ")[0].split(" to ")
    ]
    assert shown[0] < 200 < shown[1]
