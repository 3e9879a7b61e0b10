"""Dates written as moments in UTC: midnights east of Greenwich are read as the day they begin, closing times as the day they end."""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput

WINTER = pd.bdate_range("2025-01-13", periods=10)  # from a Monday to a Friday
SUMMER = pd.bdate_range("2025-06-16", periods=10)
YEAR = pd.bdate_range("2025-01-13", "2025-12-12")


def utc(days, zone, clock="00:00"):
    return (days + pd.Timedelta(f"{clock}:00")).tz_localize(zone).tz_convert("UTC")


def read(folder, moments, form="%Y-%m-%d %H:%M:%S+00:00"):
    rows = [f"{m.strftime(form)},{100 + i % 7},{50 + i % 5}" for i, m in enumerate(moments)]
    (folder / "closes.csv").write_text("\n".join(["date,AAA,BBB", *rows]) + "\n")
    return es.sources.read_prices(folder / "closes.csv")


@pytest.mark.parametrize(
    ("zone", "clocks"),
    [
        ("Europe/Paris", "22:00 and 23:00"),
        ("Europe/London", "00:00 and 23:00"),
        ("Europe/Helsinki", "21:00 and 22:00"),
        ("Asia/Tokyo", "15:00"),
        ("Asia/Hong_Kong", "16:00"),
        ("Asia/Kolkata", "18:30"),
        ("Australia/Sydney", "13:00 and 14:00"),
    ],
)
def test_midnights_east_of_greenwich_are_the_day_they_begin(tmp_path, zone, clocks):
    prices = read(tmp_path, utc(YEAR, zone))
    assert list(prices.dates) == list(YEAR)
    said = prices.provenance.cautions[-1]
    assert (
        f"Dates at {clocks} UTC were taken as m" in said
    )  # midnights of a place, or moments of an exchange's sessions
    first = "2025-01-13" if zone != "Europe/London" else "2025-03-31"  # the first that is not the day written
    assert f"was read as {first}" in said


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M UTC", "%Y/%m/%d %H:%M:%S.000+0000"])
@pytest.mark.parametrize("days", [WINTER, SUMMER])
def test_one_season_is_told_by_its_weekends(tmp_path, days, form):
    prices = read(tmp_path, utc(days, "Europe/Berlin"), form)
    assert list(prices.dates) == list(days)
    assert "midnights of" in prices.provenance.cautions[-1]


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        ("America/New_York", "16:00"),  # 20:00 and 21:00 UTC
        ("America/New_York", "17:00"),  # currencies: 21:00 and 22:00 UTC
        ("America/New_York", "00:00"),
        ("Europe/London", "16:30"),
        ("Europe/London", "16:00"),
        ("Europe/Berlin", "17:30"),
        ("Asia/Tokyo", "15:00"),
        ("UTC", "00:00"),
    ],
)
@pytest.mark.parametrize("days", [WINTER, SUMMER, YEAR])
def test_closing_times_are_the_day_they_end(tmp_path, zone, clock, days):
    prices = read(tmp_path, utc(days, zone, clock))
    assert list(prices.dates) == list(days)
    assert len(prices.provenance.cautions) == 1


def test_what_neither_weekend_nor_clock_tells_is_refused_or_told(tmp_path):
    with pytest.raises(
        InvalidInput, match=r"closes\.csv has dates at 22:00 UTC .*2025-01-13 22:00.*Write the day alone"
    ):
        read(tmp_path, utc(WINTER[:3], "UTC", "22:00"))
    every_day = pd.date_range("2025-01-01", periods=30)
    with pytest.raises(InvalidInput, match="dates at 23:00 UTC"):
        read(tmp_path, utc(every_day, "UTC", "23:00"))
    said = read(tmp_path, utc(WINTER[:3], "UTC", "15:00"))
    assert list(said.dates) == list(WINTER[:3])
    assert "read as the days that are written; midnights of Asia/Tokyo" in said.provenance.cautions[-1]
    assert len(read(tmp_path, utc(WINTER[:3], "UTC", "21:00")).provenance.cautions) == 1
    both = read(tmp_path, utc(every_day.union(pd.date_range("2025-07-01", periods=30)), "Europe/Berlin"))
    assert both.dates[0] == every_day[0]


def test_a_special_session_on_a_saturday_tells_nothing(tmp_path):
    days = YEAR.union(pd.DatetimeIndex(["2025-02-01"]))
    assert list(read(tmp_path, utc(days, "Asia/Kolkata")).dates) == list(days)


def test_the_moment_of_the_download_hides_nothing(tmp_path):
    moments = utc(WINTER, "Europe/Berlin")
    last = moments[:-1].append(pd.DatetimeIndex(["2025-01-24 15:41:07"], tz="UTC"))
    prices = read(tmp_path, last)
    assert list(prices.dates) == list(WINTER)
    assert "Dates at 23:00 UTC were taken" in prices.provenance.cautions[-1]
    early = utc(WINTER[:-1], "America/New_York", "16:00").append(pd.DatetimeIndex(["2025-01-24 18:00"], tz="UTC"))
    assert list(read(tmp_path, early).dates) == list(WINTER)


def test_other_zones_are_read_as_they_are_written(tmp_path):
    assert list(read(tmp_path, WINTER, "%Y-%m-%d 23:00:00+01:00").dates) == list(WINTER)
    assert list(read(tmp_path, WINTER, "%Y-%m-%d 23:00:00").dates) == list(WINTER)


@pytest.mark.parametrize("layout", ["wide", "long", "two rows", "one share", "index"])
def test_tables_and_parquet_in_every_layout(tmp_path, layout):
    moments = utc(WINTER, "Europe/Berlin").rename("date")
    wide = pd.DataFrame({"AAA": [100.0 + i for i in range(10)]}, index=moments)
    two = pd.concat({"Adj Close": wide, "Close": wide}, axis=1)
    table = {
        "wide": wide.reset_index(),
        "index": wide,
        "long": wide.reset_index().melt("date", var_name="ticker", value_name="adj_close"),
        "two rows": two,
        "one share": wide.rename(columns={"AAA": "close"}).reset_index(),
    }[layout]
    table.to_parquet(tmp_path / "AAA.parquet")
    for prices in (es.sources.read_prices(tmp_path / "AAA.parquet"), es.load_prices("AAA", source=table)):
        assert list(prices.dates) == list(WINTER)
        assert any("midnights of" in c for c in prices.provenance.cautions)


@pytest.mark.parametrize("moment", ["9999-12-31 23:00:00Z", "1500-01-01 23:00:00Z", "2025-02-30 23:00:00Z"])
def test_days_that_cannot_be_are_refused_as_ever(tmp_path, moment):
    (tmp_path / "closes.csv").write_text(f"date,AAA,BBB\n{moment},1,2\n")
    with pytest.raises(InvalidInput, match=rf"has '{moment}' as a date in data row 1"):
        es.sources.read_prices(tmp_path / "closes.csv")


@pytest.mark.parametrize("hour", [22, 23])
def test_midnights_of_a_place_without_summer_time_are_read_as_the_day_that_begins(tmp_path, hour):
    days = es.exchange_sessions("XNYS", "2024-01-02", "2024-12-31")
    rows = [f"{d - pd.Timedelta(hours=24 - hour):%Y-%m-%dT%H:%M:%S}+00:00,{100 + i % 7}" for i, d in enumerate(days)]
    file = tmp_path / "given.csv"
    file.write_text("date,AAA\n" + "\n".join(rows) + "\n")
    prices = es.sources.read_prices(file)
    assert (prices.adj_close.index == days).all()
    assert f"{hour}:00 UTC were taken as moments of the sessions of XNYS" in " ".join(prices.provenance.cautions)
