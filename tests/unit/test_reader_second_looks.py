"""Files that can be read in two ways, or are no prices: refused, or read with a word on how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput

DAYS = es.exchange_sessions("XNYS", "2024-01-02", "2024-12-31")
RNG = np.random.default_rng(0)
A, B = (start * np.cumprod(1 + RNG.normal(0, 0.02, len(DAYS))) for start in (100, 50))


def read(tmp_path, text: str, **options: object) -> es.Prices:
    file = tmp_path / "given.csv"
    file.write_text(text)
    return es.read_prices(file, **options)


def wide(**columns: object) -> str:
    return pd.DataFrame(columns, DAYS).rename_axis("date").to_csv()


@pytest.mark.parametrize("name", ["AAA_volume", "SPX return", "BBB close", "AAA.High", "AAA|Volume", "AAA PX_LAST"])
def test_a_column_of_a_wide_table_that_names_a_field_is_no_ticker(tmp_path, name):
    with pytest.raises(InvalidInput, match="name a field beside a ticker"):
        read(tmp_path, wide(**{"AAA": A, name: B}))


@pytest.mark.parametrize("name", ["BRK.B", "BF-A", "VOL", "^GSPC", "S&P 500 Total Return", "BTC-USD", "LOW", "HIGH.PA"])
def test_tickers_are_still_tickers(tmp_path, name):
    assert read(tmp_path, wide(**{"AAA": A, name: B})).tickers == ("AAA", name)


def test_percentages_of_one_sign_are_no_prices(tmp_path):
    with pytest.raises(DataUnfit, match="returns or percentages, not prices"):
        read(tmp_path, wide(AAA=A, BBB=np.abs(RNG.normal(1, 0.5, len(DAYS)))))
    wild = 50 * np.cumprod(1 + RNG.normal(0, 0.15, len(DAYS)))
    assert read(tmp_path, wide(AAA=A, WILD=np.maximum(wild, 0.01))).tickers == ("AAA", "WILD")


def stamped(hours: dict[int, int] | int, zone: str = "+00:00", earlier: bool = True) -> str:
    """Write days as the stamps of midnights farther east: an hour of the day before, by month if it changes with the season."""
    rows = []
    for day, price in zip(DAYS, A, strict=True):
        hour = hours if isinstance(hours, int) else hours[4 <= day.month <= 9]
        rows.append(f"{day - pd.Timedelta(days=int(earlier)):%Y-%m-%d}T{hour:02d}:00:00{zone},{price:.2f}")
    return "date,AAA\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("hours", [23, {True: 22, False: 23}, 15, 14])
@pytest.mark.parametrize("zone", ["+00:00", "Z", ""])
def test_midnights_of_a_zone_farther_east_are_not_read_a_day_early(tmp_path, hours, zone):
    with pytest.raises(InvalidInput, match="fall on Sundays and never on Fridays"):
        read(tmp_path, stamped(hours, zone))


@pytest.mark.parametrize("hours", [{True: 20, False: 21}, 0, 5, {True: 4, False: 5}, 22])
def test_closing_times_and_midnights_of_new_york_stay_where_they_are(tmp_path, hours):
    assert (read(tmp_path, stamped(hours, earlier=False)).adj_close.index == DAYS).all()


def test_late_stamps_that_no_weekday_explains_are_refused(tmp_path):
    lines = stamped(23).splitlines()
    with pytest.raises(InvalidInput, match="which is the next day"):
        read(tmp_path, "\n".join([lines[0], *lines[2:5]]) + "\n")  # Tuesday to Thursday


def test_parquet_stamps_are_looked_at_too(tmp_path):
    midnights = (DAYS.tz_localize("Europe/Berlin")).tz_convert("UTC")
    file = tmp_path / "given.parquet"
    pd.DataFrame({"date": midnights, "AAA": A}).to_parquet(file)
    with pytest.raises(InvalidInput, match="fall on Sundays and never on Fridays"):
        es.read_prices(file)
    pd.DataFrame({"date": DAYS.tz_localize("Europe/Berlin"), "AAA": A}).to_parquet(file)
    assert (es.read_prices(file).adj_close.index == DAYS).all()


def test_three_digits_after_every_point_are_told(tmp_path):
    rows = [f"{d:%Y-%m-%d};{a / 1000 + 1.9:.3f};{b / 1000 + 2.9:.3f}" for d, a, b in zip(DAYS, A, B, strict=True)]
    found = read(tmp_path, "date;AAA;BBB\n" + "\n".join(rows) + "\n").provenance.cautions
    assert any("all with three digits after the point" in c and "returns the same" in c for c in found)
    rows = [f"{d:%Y-%m-%d};{a:.2f};{b:.3f}" for d, a, b in zip(DAYS, A, B, strict=True)]
    told = read(tmp_path, "date;AAA;BBB\n" + "\n".join(rows) + "\n").provenance.cautions
    assert not any("three digits" in c for c in told)


def test_commas_between_thousands_are_told_unless_a_point_shows_them(tmp_path):
    def table(form: str) -> str:
        return (
            "date,open,close\n"
            + "\n".join(f'{d:%Y-%m-%d},{a:.2f},"{a * 120:{form}}"' for d, a in zip(DAYS, A, strict=True))
            + "\n"
        )

    found = read(tmp_path, table(",.0f"), ticker="AAA")
    assert found.adj_close["AAA"].iloc[0] == round(A[0] * 120)
    assert any("the comma was taken to part thousands" in c for c in found.provenance.cautions)
    assert not any("comma" in c for c in read(tmp_path, table(",.2f"), ticker="AAA").provenance.cautions)


def test_missing_adjusted_closes_are_counted(tmp_path):
    long = pd.concat(
        [pd.DataFrame({"date": DAYS, "ticker": t, "close": v, "adj_close": v}) for t, v in (("AAA", A), ("BBB", B))]
    )
    assert read(tmp_path, long.to_csv(index=False)).provenance.cautions == ()
    long.iloc[:40, 3] = np.nan
    long.iloc[len(DAYS) :, 3] = np.nan
    (said,) = read(tmp_path, long.to_csv(index=False)).provenance.cautions
    assert f"no adjusted close of AAA on 40 days, BBB on {len(DAYS)} days" in said
