"""The price table: whatever comes in is brought in order or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.prices.table import Prices, Provenance

DAYS = ["2025-01-24", "2025-01-27", "2025-01-28"]


def frame(values=(10.0, 11.0, 12.0), index=DAYS, name="A"):
    return pd.DataFrame({name: list(values)}, index=list(index))


def test_unsorted_dates_are_sorted_and_the_input_is_left_alone():
    given = frame(index=[DAYS[2], DAYS[0], DAYS[1]])
    before = given.copy()
    prices = Prices.from_frame(given)
    assert list(prices.dates) == [pd.Timestamp(d) for d in DAYS]
    assert prices.adj_close["A"].tolist() == [11.0, 12.0, 10.0]
    pd.testing.assert_frame_equal(given, before)


def test_equal_repeats_are_dropped():
    prices = Prices.from_frame(frame([10, 11, 11], [DAYS[0], DAYS[1], DAYS[1]]))
    assert prices.adj_close["A"].tolist() == [10.0, 11.0]


def test_equal_repeats_with_holes_are_dropped():
    prices = Prices.from_frame(frame([10, np.nan, np.nan], [DAYS[0], DAYS[1], DAYS[1]]))
    assert len(prices.dates) == 2


def test_unequal_repeats_are_refused():
    with pytest.raises(DataUnfit, match="2025-01-27 more than once"):
        Prices.from_frame(frame([10, 11, 12], [DAYS[0], DAYS[1], DAYS[1]]))


def test_value_beside_a_hole_on_one_day_is_refused():
    with pytest.raises(DataUnfit, match="2025-01-27 more than once"):
        Prices.from_frame(frame([10, 11, np.nan], [DAYS[0], DAYS[1], DAYS[1]]))


def test_days_of_an_aware_index_are_those_of_its_own_zone():
    aware = pd.DatetimeIndex(DAYS).tz_localize("America/New_York") + pd.Timedelta(hours=20)
    prices = Prices.from_frame(frame(index=aware))
    assert prices.dates.tz is None
    assert [f"{d:%Y-%m-%d}" for d in prices.dates] == DAYS


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, -np.inf])
@pytest.mark.parametrize("table", ["adj_close", "close"])
def test_prices_that_cannot_be_are_refused(value, table):
    tables = {"adj_close": frame(), "close": frame(), table: frame([10.0, value, 12.0])}
    with pytest.raises(DataUnfit, match=r"A has .* as its (adjusted )?close on 2025-01-27") as caught:
        Prices.from_frame(**tables)
    assert caught.value.facts == {"ticker": "A", "day": "2025-01-27"}


@pytest.mark.parametrize("empty", [pd.DataFrame(), frame().iloc[:0], frame().iloc[:, :0]])
def test_empty_table_is_refused(empty):
    with pytest.raises(InvalidInput, match="is empty"):
        Prices.from_frame(empty)


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (frame(index=[0, 1, 2]), InvalidInput, "indexed by numbers"),
        (frame(index=["a", "b", "c"]), InvalidInput, "has 'a' as a date in data row 1; write dates as"),
        (frame(index=["01/02/2025", "01/03/2025", "01/06/2025"]), InvalidInput, "write dates as"),
        (frame(index=[DAYS[0], None, DAYS[2]]), InvalidInput, "missing date"),
        (frame(["ten", "11", "12"]), DataUnfit, "not a number"),
        (pd.concat([frame(), frame()], axis=1), DataUnfit, "column A more than once"),
        ([1, 2, 3], InvalidInput, "give a pandas DataFrame"),
    ],
)
def test_what_is_no_price_table_is_refused(bad, error, words):
    with pytest.raises(error, match=words):
        Prices.from_frame(bad)


def test_returns_never_bridge_a_gap():
    prices = Prices.from_frame(frame([10, np.nan, 12]))
    assert prices.returns().isna().all(axis=None)
    whole = Prices.from_frame(frame())
    np.testing.assert_allclose(whole.returns()["A"].to_numpy()[1:], [0.1, 12 / 11 - 1])
    np.testing.assert_allclose(whole.returns("log")["A"].to_numpy()[1:], np.log([1.1, 12 / 11]))
    with pytest.raises(InvalidInput, match="'simple' or 'log'"):
        whole.returns("daily")


def test_close_and_volume_follow_the_adjusted_closes():
    prices = Prices.from_frame(frame(), close=frame([20, 22], DAYS[:2]), volume=frame([1, 2, 3], DAYS[::-1]))
    assert prices.close["A"].tolist()[:2] == [20.0, 22.0]
    assert np.isnan(prices.close["A"].iloc[2])
    assert prices.volume["A"].tolist() == [3.0, 2.0, 1.0]


def test_selection_keeps_order_and_names_what_is_missing():
    both = pd.concat([frame(), frame(name="B")], axis=1)
    prices = Prices.from_frame(both, close=both, currency={"A": "USD", "B": "EUR"})
    assert prices.select(["B", "A", "B"]).tickers == ("B", "A")
    assert prices.select(["B"]).currency == {"B": "EUR"}
    with pytest.raises(DataMissing, match=r"No prices for C, D .* A, B") as caught:
        prices.select(["A", "C", "D"])
    assert caught.value.facts["missing"] == ("C", "D")


def test_between_is_inclusive():
    prices = Prices.from_frame(frame(), close=frame(), provenance=Provenance(source="here"))
    part = prices.between("2025-01-25", "2025-01-27")
    assert part.adj_close["A"].tolist() == [11.0]
    assert (part.provenance.first, part.provenance.last) == ("2025-01-27", "2025-01-27")
    assert len(part.close) == 1
    with pytest.raises(DataMissing, match="holds 2025-01-24 to 2025-01-28"):
        prices.between("2026-01-01")
    with pytest.raises(InvalidInput, match="swap"):
        prices.between("2025-01-28", "2025-01-27")
    with pytest.raises(InvalidInput, match="give a date"):
        prices.between("yesterday-ish")


@pytest.mark.parametrize("day", [pd.NaT, 2025, 1.5, True, "01/02/2025", "27.1.2025", [], object()])
def test_what_is_no_day_is_refused(day):
    with pytest.raises(InvalidInput, match=r"start is .*give a date"):
        Prices.from_frame(frame()).between(day)


def test_printed_form_is_short():
    wide = pd.DataFrame(1.0, index=DAYS, columns=[f"T{i}" for i in range(30)])
    text = repr(Prices.from_frame(wide))
    assert "(30 in all)" in text
    assert "2025-01-24 to 2025-01-28" in text
    assert "None" not in text
