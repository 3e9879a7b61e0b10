"""Prices given as returns, raw tables given for prices, factors under other names: each is told the one call that mends it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from handed_in import DAYS, EVENT_DAY, MODEL, SPEC, closes, on_returns, returns

import eventstudy as es

STUDY = es.EventStudy(model=MODEL, **SPEC)
EVENT = es.Event("A", EVENT_DAY)


def bars(table: pd.DataFrame) -> dict[str, object]:
    """Return the shapes in which libraries and files hand prices over."""
    one = table["A"]
    long = table.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="close")
    return {
        "two levels": pd.concat({"Close": table, "Volume": table * 1e4}, axis=1),
        "two levels, turned": pd.concat({"Close": table, "Volume": table * 1e4}, axis=1).swaplevel(axis=1),
        "long": long,
        "one share": pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close", "Volume"), one)),
        "one share, a close": pd.DataFrame({"Date": table.index, "Close": one.to_numpy()}),
        "a path": "closes.csv",
        "a dict": {"A": one},
        "a list": [table],
        "a column": one,
    }


@pytest.mark.parametrize("shape", list(bars(closes())))
def test_prices_in_place_of_returns_are_told_the_one_call(shape):
    with pytest.raises(es.errors.InvalidInput, match=r"study\.run\(es\.load_prices\(.*data.*\), events\)"):
        STUDY.run(bars(closes())[shape], EVENT)


@pytest.mark.parametrize("level", [1.0, 1e-2, 1e-4])
def test_closes_of_any_level_are_no_returns(level):
    with pytest.raises(es.errors.DataUnfit, match=r"all figures are positive, as prices are.*es\.load_prices\(data\)"):
        STUDY.run(closes() * level, EVENT)


def test_tickers_that_are_words_of_prices_stay_tickers():
    table = returns().rename(columns={"A": "LOW", "B": "OPEN", "C": "HIGH"})
    assert on_returns(table, es.Event("LOW", EVENT_DAY)).abnormal.n == 1


@pytest.mark.parametrize("shape", list(bars(closes())))
def test_checks_of_a_raw_table_are_told_the_one_call(shape):
    with pytest.raises(es.errors.InvalidInput, match=r"es\.check_prices\(es\.load_prices\(prices\)\)"):
        es.check_prices(bars(closes())[shape])
    with pytest.raises(es.errors.InvalidInput, match=r"^other is .*es\.load_prices\(other\)"):
        es.check_prices(es.Prices.from_frame(closes()), other=bars(closes())[shape])


# -- factors --------------------------------------------------------------------------------------------------------


def factors(seed: int = 3) -> pd.DataFrame:
    """Return factors as `load_factors` names them, made up, on the days of the made-up market."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(0, 0.007, (len(DAYS), 4)), index=DAYS, columns=["mkt_rf", "smb", "hml", "mom"])
    return table.assign(rf=0.0002)


NAMES = {
    "pandas-datareader": {"mkt_rf": "Mkt-RF", "smb": "SMB", "hml": "HML", "mom": "Mom   ", "rf": "RF"},
    "WRDS": {"mkt_rf": "mktrf", "smb": "smb", "hml": "hml", "mom": "umd", "rf": "rf"},
    "underscores": {"mkt_rf": "Mkt_RF", "smb": "SMB", "hml": "HML", "mom": "WML", "rf": "risk_free"},
    "words": {"mkt_rf": "market_premium", "smb": "Smb", "hml": "Hml", "mom": "momentum", "rf": "Risk Free Rate"},
    "the market's": {"mkt_rf": "MKT", "smb": "SMB", "hml": "HML", "mom": "UMD", "rf": "RF"},
}


def by_hand(returns_of_a: np.ndarray, table: pd.DataFrame) -> float:
    """Return the abnormal return of day 0 by least squares on raw numbers."""
    day = DAYS.get_loc(EVENT_DAY)
    used = np.arange(day + SPEC["estimation"][0], day + SPEC["estimation"][1] + 1)
    x = np.column_stack([np.ones(len(DAYS)), table[["mkt_rf", "smb", "hml", "mom"]].to_numpy()])
    y = returns_of_a - table["rf"].to_numpy()
    beta = np.linalg.lstsq(x[used], y[used], rcond=None)[0]
    return float(y[day] - x[day] @ beta)


@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize("names", list(NAMES))
@pytest.mark.parametrize("kind", ["prices", "returns"])
def test_factors_under_other_names_are_named_with_the_line_that_mends_them(names, scale, kind):
    right = factors()
    given = right.rename(columns=NAMES[names]) * scale
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    data = es.Prices.from_frame(closes()) if kind == "prices" else returns()
    with pytest.raises(es.errors.DataMissing) as caught:
        study.run(data, EVENT, factors=given)
    message = caught.value.message
    assert f"The table of factors has {', '.join(map(str, given.columns))}; the data have A, B, C, MKT" in message
    assert ("/ 100" in message) == (scale == 100)
    there = {"factors": given}
    exec(message.split("Write: ")[1].split(", for its figures")[0].split(". MKT")[0].rstrip("."), there)  # noqa: S102
    got = study.run(data, EVENT, factors=there["factors"]).ar.loc["A", 0]
    assert got == pytest.approx(by_hand(returns()["A"].to_numpy(), right), abs=1e-12)


def test_what_no_column_stands_for_is_said():
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    with pytest.raises(es.errors.DataMissing, match=r"No column that is known stands for mom\."):
        study.run(returns(), EVENT, factors=factors().rename(columns=NAMES["WRDS"]).drop(columns="umd"))


def test_a_benchmark_that_is_nowhere_is_not_looked_for_among_the_factors_alone():
    study = es.EventStudy(model=es.MarketModel("MKTX"), **SPEC)
    with pytest.raises(
        es.errors.DataMissing, match=r"needs MKTX\. The table of factors has mkt_rf, .*; the data have A, B, C, MKT\."
    ):
        study.run(es.Prices.from_frame(closes()), EVENT, factors=factors())


def test_factors_among_returns_under_other_names_are_told_the_same():
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    data = returns().join(factors().rename(columns=NAMES["WRDS"]))
    with pytest.raises(es.errors.DataMissing, match=r"Write: data = data\.rename") as caught:
        study.run(data, EVENT)
    there = {"data": data}
    exec(caught.value.message.split("Write: ")[1].rstrip("."), there)  # noqa: S102
    right = by_hand(returns()["A"].to_numpy(), factors())
    assert study.run(there["data"], EVENT).ar.loc["A", 0] == pytest.approx(right, abs=1e-12)


def test_a_model_with_names_of_its_own_takes_its_columns_as_they_are():
    own = es.FactorModel(["market_premium", "oil"], risk_free="bill")
    rng = np.random.default_rng(5)
    table = (
        factors()[["mkt_rf", "rf"]]
        .set_axis(["market_premium", "bill"], axis=1)
        .assign(oil=rng.normal(0, 0.02, len(DAYS)))
    )
    result = es.EventStudy(model=own, **SPEC).run(es.Prices.from_frame(closes()), EVENT, factors=table)
    assert result.fit.names[-2:] == ("market_premium", "oil")


@pytest.mark.parametrize("rate", [0.02, 0.04])
def test_a_risk_free_rate_left_in_per_cent_or_per_year_is_refused(rate):
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    with pytest.raises(es.errors.DataUnfit, match=rf"risk-free rate rf is {rate:g} on the typical day"):
        study.run(returns(), EVENT, factors=factors().assign(rf=rate))


def test_factors_indexed_by_periods_of_a_day_are_days_and_months_are_refused():
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    right = study.run(returns(), EVENT, factors=factors()).ar
    pd.testing.assert_frame_equal(study.run(returns(), EVENT, factors=factors().to_period("D")).ar, right)
    with pytest.raises(es.errors.InvalidInput, match="rows for periods such as 2024-01"):
        study.run(returns(), EVENT, factors=factors().resample("MS").sum().to_period("M"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({0: factors(), "DESCR": "about"}, r"give one of them: factors\[0\]"),
        ("F-F.zip", r"es\.sources\.read_french_factors\('F-F\.zip'\)"),
    ],
)
def test_what_a_library_or_a_file_holds_is_told_the_one_call(given, words):
    study = es.EventStudy(model=es.FactorModel.named("carhart"), **SPEC)
    with pytest.raises(es.errors.InvalidInput, match=words):
        study.run(returns(), EVENT, factors=given)
