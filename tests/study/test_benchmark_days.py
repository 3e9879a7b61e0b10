"""calendar=None: the sessions are the days of the benchmark, its holidays no holes, and the firms' further days left out and told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.study.summary import summary_text

EVERY = pd.date_range("2022-01-01", "2023-12-31")


def closes(exchange: str, seed: int = 3) -> pd.DataFrame:
    """Two coins with a price every day, and an index with one on the sessions of an exchange."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, len(EVERY))
    returns = pd.DataFrame(
        {"LTC": market + rng.normal(0, 0.02, len(EVERY)), "XRP": rng.normal(0, 0.03, len(EVERY)), "INDEX": market},
        index=EVERY,
    )
    table = 40.0 * (1 + returns).cumprod()
    table.loc[~EVERY.isin(exchange_sessions(exchange, EVERY[0], EVERY[-1])), "INDEX"] = np.nan
    return table


def study(**options: object) -> es.EventStudy:
    spec = {"model": es.MarketModel("INDEX"), "estimation": (-150, -21), "window": (-2, 2), "calendar": None, **options}
    return es.EventStudy(**spec)


@pytest.mark.parametrize(("exchange", "asked", "session"), [
    ("XNYS", "2023-06-17", "2023-06-20"),  # Saturday before a holiday on Monday
    ("XLON", "2023-08-26", "2023-08-29"),
    ("XTKS", "2023-10-08", "2023-10-10"),
    ("XSAU", "2023-09-22", "2023-09-24"),  # a Friday; the week begins on Sunday, 23 September is a holiday
])  # fmt: skip
@pytest.mark.parametrize("kind", ["prices", "returns"])
def test_holidays_of_the_benchmark_are_no_holes(exchange, asked, session, kind):
    table = closes(exchange)
    if kind == "prices":
        data = es.Prices.from_frame(table)
    else:
        own = table.dropna()
        data = own.pct_change().reindex(EVERY)
        coins = data[["LTC", "XRP"]].isna()
        data[["LTC", "XRP"]] = data[["LTC", "XRP"]].mask(coins, table[["LTC", "XRP"]].pct_change())
    result = study().run(data, [es.Event("LTC", asked), es.Event("XRP", asked)])
    assert result.audit["kept"].all()
    assert result.audit["session"].tolist() == [session] * 2
    days = exchange_sessions(exchange, EVERY[0], EVERY[-1])
    assert result.panel.calendar.isin(days).all()
    raw = table["LTC"].reindex(days).pct_change().loc[session]
    assert result.panel.event_returns[0, 2] == pytest.approx(raw, rel=1e-12)
    (told,) = (c for c in result.checks if c.name == "Days of the benchmark")
    assert told.value.startswith(f"{len(EVERY) - len(days)} further days of LTC, XRP left out: ")
    assert summary_text(result).count(told.value) == 1
    assert not [c for c in result.checks if c.name == "Gaps in the benchmark"]


@pytest.mark.parametrize("exchange", ["XNYS", "XPAR"])
def test_a_hole_of_the_benchmark_is_still_one(exchange):
    table = closes(exchange)
    table.loc["2023-05-16", "INDEX"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"benchmark_holes \(INDEX, 2023-05-16\)"):
        study().run(es.Prices.from_frame(table), [es.Event("LTC", "2023-05-18")])


def test_a_benchmark_of_no_known_exchange_is_taken_at_its_word_unless_a_share_speaks_against_it():
    table = closes("XNYS")
    table.loc[EVERY.day_of_week == 2, "INDEX"] = np.nan  # no exchange is closed on Wednesdays
    result = study().run(es.Prices.from_frame(table), [es.Event("LTC", "2023-05-18")])
    assert (result.panel.calendar.day_of_week != 2).all()
    share = table.assign(SHARE=closes("XNYS", 4)["INDEX"])
    with pytest.raises(es.errors.DataUnfit, match="benchmark_holes"):
        study().run(es.Prices.from_frame(share), [es.Event("SHARE", "2023-05-18")])


def test_extra_days_advise_what_works():
    table = es.Prices.from_frame(closes("XNYS"))
    with pytest.raises(es.errors.DataUnfit, match=r"extra_days.*use calendar=None"):
        study(calendar="XNYS").run(table, [es.Event("LTC", "2023-05-18")])
    assert study(calendar=None).run(table, [es.Event("LTC", "2023-05-18")]).abnormal.n == 1


@pytest.mark.parametrize("firms", [("A",), ("A", "B")])
def test_a_table_without_a_price_is_refused_at_loading(firms, tmp_path):
    table = pd.DataFrame(np.nan, index=EVERY[:9], columns=list(firms))
    with pytest.raises(es.errors.DataUnfit, match="holds no price at all: every close of A"):
        es.Prices.from_frame(table)
    file = tmp_path / "empty.csv"
    table.rename_axis("date").to_csv(file)
    with pytest.raises(es.errors.EventStudyError, match="no price"):
        es.load_prices(source=str(file))
