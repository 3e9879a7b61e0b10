"""A study on any exchange: moments by its closing times, filled and weekly rows refused, long histories cut."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import _calendar, exchange_sessions, match_exchanges
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.events import EventList, event_list, locate_sessions
from eventstudy.prices.table import Prices
from eventstudy.study import exchange
from eventstudy.study.exchange import exchanges_of

MODEL = es.MarketModel("IDX")
#: Exchanges whose dates of two years fit no other that closes at another time.
ALONE = [
    "XNYS",
    "XTSE",
    "BVMF",
    "XLON",
    "XSWX",
    "XCSE",
    "XIST",
    "XJSE",
    "XSAU",
    "XBOM",
    "XHKG",
    "XTAI",
    "XTKS",
    "XASX",
    "XNZE",
]
SHARED = ["XETR", "XPAR", "XDUB", "XMAD"]


def returns(days: pd.DatetimeIndex, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, len(days))
    return pd.DataFrame({"STK": 1.1 * market + rng.normal(0, 0.015, len(days)), "IDX": market}, index=days)


def closes(table: pd.DataFrame) -> pd.DataFrame:
    return 100 * (1 + table).cumprod()


def study(**more: object) -> es.EventStudy:
    return es.EventStudy(**{"model": MODEL, "estimation": (-200, -21), "window": (-1, 1), **more})


def took(data: object, event: es.Event, **more: object) -> str:
    return str(study(**more).run(data, [event]).audit["session"].iloc[0])


def first_to_trade(exchange: str, moment: pd.Timestamp) -> pd.Timestamp:
    """Return by the rule itself, session by session, the first that closes after a moment."""
    calendar = _calendar(exchange)
    row = calendar.sessions.get_indexer([moment.tz_convert(None).normalize()], method="pad")[0]
    around = calendar.sessions[row - 3 : row + 12]
    return next(day for day in around if calendar.session_close(day) > moment)


@pytest.mark.parametrize("exchange", [*ALONE, *SHARED])
def test_moments_are_placed_by_the_exchange_of_the_dates_or_refused(exchange):
    days = exchange_sessions(exchange, "2022-06-01", "2024-05-31")
    calendar, rng = _calendar(exchange), np.random.default_rng(7)
    right, refused = 0, []
    moments = [calendar.session_close(d) + pd.Timedelta(minutes=m) for d in days[[210, 333]] for m in (-1, 0, 25, 300)]
    moments += [calendar.session_close(days[300]) + pd.Timedelta(minutes=float(m)) for m in rng.integers(0, 3000, 4)]
    zone = timezone(timedelta(hours=-7, minutes=-30))
    for moment in moments:
        event = es.Event("STK", moment.tz_convert(zone))
        if event.moment == event.moment.normalize():
            continue
        try:
            found = locate_sessions([event], days, None, "next")[0]
        except InvalidInput as error:
            refused.append(str(error))
            continue
        assert days[found.position] == first_to_trade(exchange, moment)
        right += 1
    assert not refused or exchange in SHARED
    assert all("by whose closing times it belongs to different days" in text for text in refused)
    assert right >= (len(moments) - 1 if exchange in ALONE else 4)


@pytest.mark.parametrize(("exchange", "moment", "right"), [
    ("XTAI", "2023-10-12 14:00+08:00", "2023-10-13"),       # closed at 13:30
    ("BVMF", "2023-10-11 17:59-03:00", "2023-10-11"),
    ("XSAU", "2023-10-12 15:30 Asia/Riyadh", "2023-10-15"),  # a Thursday: the next session is Sunday
    ("XTSE", "2023-10-06 16:10 America/Toronto", "2023-10-10"),  # Thanksgiving on Monday
])  # fmt: skip
def test_returns_and_prices_of_any_exchange_place_a_moment_alike(exchange, moment, right):
    table = returns(exchange_sessions(exchange, "2022-06-01", "2024-05-31"))
    event = es.Event("STK", moment)
    prices = Prices.from_frame(closes(table))
    for data, more in (
        (table, {}),
        (table, {"calendar": None}),
        (prices, {}),
        (prices, {"calendar": None}),
        (prices, {"calendar": exchange}),
    ):
        result = study(**more).run(data, [event])
        assert result.audit["session"].iloc[0] == right
        said = [c.value for c in result.checks if c.name == "Exchange"]
        assert (
            said == []
            if more.get("calendar")
            else said[0].startswith(f"{exchange} ({_calendar(exchange).tz}), recognised")
        )


def test_new_york_is_not_named_where_it_always_was():
    table = returns(exchange_sessions("XNYS", "2022-06-01", "2024-05-31"))
    result = study().run(table, [es.Event("STK", "2023-10-11 16:05-04:00")])
    assert result.audit["session"].iloc[0] == "2023-10-12"
    assert "Exchange" not in {c.name for c in result.checks}


def test_dates_of_no_exchange_refuse_a_moment_with_the_ways_out_and_take_a_day():
    table = returns(pd.bdate_range("2022-06-01", "2024-05-31"))
    with pytest.raises(
        InvalidInput, match=r"sessions of no exchange.*calendar='XLON'.*exchange='XLON'.*24/7.*the day alone"
    ):
        study().run(table, [es.Event("STK", "2023-10-11 16:05-04:00")])
    assert took(table, es.Event("STK", "2023-10-11")) == "2023-10-11"
    assert took(table, es.Event("STK", "2023-10-11 16:05-04:00", exchange="XNYS")) == "2023-10-12"
    with pytest.raises(DataUnfit, match="days on which XNYS was closed"):
        took(table, es.Event("STK", "2023-10-11 16:05-04:00"), calendar="XNYS")


def test_exchanges_alike_place_a_moment_only_where_they_agree():
    table = returns(exchange_sessions("XETR", "2022-06-01", "2024-05-31"))
    assert took(table, es.Event("STK", "2023-10-11 12:00 Europe/Berlin")) == "2023-10-11"
    with pytest.raises(InvalidInput, match=r"2023-10-12 by XETR.*2023-10-11 by XDUS"):
        took(table, es.Event("STK", "2023-10-11 18:00 Europe/Berlin"))
    assert took(table, es.Event("STK", "2023-10-11 18:00 Europe/Berlin"), calendar="XETR") == "2023-10-12"


def test_an_event_names_its_exchange_and_that_wins_over_the_study():
    table = returns(exchange_sessions("XNYS", "2022-06-01", "2024-05-31"))
    late = "2023-10-11 12:00-04:00"  # 17:00 in London, after its close
    assert took(table, es.Event("STK", late)) == "2023-10-11"
    assert took(table, es.Event("STK", late, exchange="XLON"), calendar="XNYS") == "2023-10-12"
    with pytest.raises(InvalidInput, match="No exchange calendar is called 'LSEX'"):
        es.Event("STK", late, exchange="LSEX")


def test_a_firm_of_another_exchange_than_its_benchmark_is_placed_by_its_own_dates():
    home, away = (exchange_sessions(x, "2022-06-01", "2024-05-31") for x in ("XNYS", "XTKS"))
    table = pd.concat([returns(away)["STK"], returns(home, 2)["IDX"]], axis=1)
    event = es.Event("STK", "2023-10-11 17:00 Asia/Tokyo")  # 04:00 in New York
    assert took(table, event) == "2023-10-12"
    with pytest.raises(InvalidInput, match="different days"):  # on New York's dates alone it may be of either
        took(table[table["IDX"].notna()], event)


def test_a_share_that_trades_seldom_and_one_just_listed_are_placed_by_the_exchange_of_the_benchmark():
    days = exchange_sessions("XCSE", "2022-06-01", "2024-05-31")
    table, rng = returns(days).assign(NEW=0.01, THIN=0.02), np.random.default_rng(2)
    table.loc[: days[280], "NEW"] = np.nan
    table.loc[rng.random(len(days)) < 0.4, "THIN"] = np.nan
    events = [es.Event(t, "2023-10-11 17:30 Europe/Copenhagen") for t in ("NEW", "THIN", "STK")]
    found = exchanges_of(table, event_list(events), MODEL, None)
    assert [found.of(e) for e in events] == [("XCSE",)] * 3


@pytest.mark.parametrize(
    "zone", ["Asia/Taipei", "Africa/Johannesburg", "America/Sao_Paulo", "Pacific/Auckland", "Asia/Kolkata"]
)
def test_midnights_with_a_zone_are_days_in_returns_in_prices_and_in_events(zone):
    exchange = {
        "Asia/Taipei": "XTAI",
        "Africa/Johannesburg": "XJSE",
        "America/Sao_Paulo": "BVMF",
        "Pacific/Auckland": "XNZE",
        "Asia/Kolkata": "XBOM",
    }[zone]
    days = exchange_sessions(exchange, "2022-06-01", "2024-05-31")
    for stamps in (
        days.tz_localize(zone),
        days.tz_localize(zone).tz_convert("UTC"),
        days.tz_localize("UTC"),
        days.tz_localize(zone).tz_convert(None),
    ):
        table = returns(days).set_axis(stamps)
        for row in (250 + len(stamps) % 90,):
            asked = [
                es.Event("STK", days[row].tz_localize(zone)),
                es.Event("STK", days[row].tz_localize("UTC")),
                es.Event("STK", days[row]),
            ]
            for data, more in ((table, {}), (Prices.from_frame(closes(table)), {"calendar": None})):
                assert [took(data, e, **more) for e in asked] == [str(days[row].date())] * 3


def test_how_dates_were_read_is_told_beside_the_numbers():
    days = exchange_sessions("XKLS", "2022-06-01", "2024-05-31")
    table = returns(days).set_axis(days.tz_localize("Asia/Kuala_Lumpur").tz_convert("UTC"))
    result = study().run(table, [es.Event("STK", days[300])])
    said = next(c for c in result.checks if c.name == "Dates of the data")
    assert not said.passed
    assert "XKLS" in said.value
    assert result.provenance.cautions == (said.value,)
    assert Prices.from_frame(closes(table)).provenance.cautions == (said.value,)


def test_factors_are_read_by_the_same_function_and_told():
    table = returns(exchange_sessions("XJSE", "2022-06-01", "2024-05-31"))
    moved = table[["IDX"]].set_axis(table.index.tz_localize("Africa/Johannesburg").tz_convert("UTC"))
    event = [es.Event("STK", table.index[300])]
    found, expected = (study().run(table[["STK"]], event, factors=f) for f in (moved, table[["IDX"]]))
    pd.testing.assert_frame_equal(found.ar, expected.ar)
    assert [c.name for c in found.checks if not c.passed and c.name not in {x.name for x in expected.checks}] == [
        "Dates of the factors"
    ]


def test_a_midnight_that_is_another_session_as_a_moment_says_so():
    table = returns(exchange_sessions("XNYS", "2022-06-01", "2024-05-31"))
    result = study().run(table, [es.Event("STK", "2023-10-12 00:00+09:00")])  # 11:00 of the 11th in New York
    assert result.audit["session"].iloc[0] == "2023-10-12"
    assert (
        "midnight of UTC+09:00 read as its day; as a moment it is 2023-10-11 on XNYS" in result.audit["remark"].iloc[0]
    )
    plain = study().run(table, [es.Event("STK", "2023-10-12 00:00Z")])
    assert (plain.audit["session"].iloc[0], plain.audit["remark"].iloc[0]) == ("2023-10-12", "")


@pytest.mark.parametrize("exchange", ["XNYS", "XLON", "XSAU", "XTAI", "XNZE", "BVMF", "24/7"])
def test_midnight_in_utc_is_the_same_session_as_a_day_and_as_a_moment(exchange):
    days = exchange_sessions(exchange, "2023-01-02", "2023-12-29")
    for day in pd.date_range("2023-02-01", "2023-11-30"):
        as_day = days[days.searchsorted(day)]
        moment = day.tz_localize("UTC")
        calendar = _calendar(exchange)
        around = [d for d in days if abs((d - day).days) < 12]
        assert as_day == next(d for d in around if calendar.session_close(d) > moment)


@pytest.mark.parametrize(("text", "utc"), [
    ("2025-01-28 07:30 Europe/Berlin", "2025-01-28 06:30"),
    ("2025-07-28T17:45:10 America/Argentina/Buenos_Aires", "2025-07-28 20:45:10"),
    ("2025-01-28 07:30+01:00[Europe/Berlin]", "2025-01-28 06:30"),
    ("2025-10-26 02:30+01:00 Europe/Berlin", "2025-10-26 01:30"),
    ("2025-01-28 07:30 UTC", "2025-01-28 07:30"),
    ("28.01.2025 07:30 Europe/Berlin", "2025-01-28 06:30"),
    ("2025-01-28 07:30 Singapore", "2025-01-27 23:30"),
])  # fmt: skip
def test_names_of_zones_are_read(text, utc):
    assert es.Event("A", text).moment.tz_convert(None) == pd.Timestamp(utc)


@pytest.mark.parametrize(("text", "words"), [
    ("2025-01-28 07:30 Europe/Bonn", "no place's; write the place whose clock it is, such as '2025-01-28 07:30 Europe/Berlin'"),
    ("2025-07-28 07:30 EST", "no place's.*'2025-07-28 07:30 America/New_York'"),
    ("2025-07-28 07:30 CET", "no place's.*'2025-07-28 07:30 Europe/Berlin'"),
    ("2025-03-30 02:30 Europe/Berlin", "is no time there, as the clocks are put forward"),
    ("2025-10-26 02:30 Europe/Berlin", r"comes twice there.*write the offset.*02:30\+0200' or .*02:30\+0100'"),
    ("2025-01-28 07:30+02:00 Europe/Berlin", r"is at \+0100 then, not at \+02:00"),
    ("03.01.2025 07:30 Europe/Berlin", "may be 2025-01-03 or 2025-03-01; write"),
])  # fmt: skip
def test_what_no_zone_has_is_refused_in_words(text, words):
    with pytest.raises(InvalidInput, match=words):
        es.Event("A", text)


def test_datetimes_that_no_clock_shows_are_refused():
    with pytest.raises(InvalidInput, match="no time in Europe/Paris"):
        es.Event("A", datetime(2025, 3, 30, 2, 30, tzinfo=ZoneInfo("Europe/Paris")))
    later = es.Event("A", datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris")))
    assert later.moment.tz_convert(None) == pd.Timestamp("2025-10-26 01:30")
    pytz = pytest.importorskip("pytz")
    with pytest.raises(InvalidInput, match="local mean time of another century"):
        es.Event("A", datetime(2025, 1, 28, 7, 30, tzinfo=pytz.timezone("Asia/Kolkata")))
    assert (
        es.Event("A", pytz.timezone("Asia/Kolkata").localize(datetime(2025, 1, 28, 7, 30))).asked  # noqa: DTZ001
        == "2025-01-28 07:30+0530"
    )


# -- Rows that are no sessions, and other frequencies.


@pytest.mark.parametrize(
    ("exchange", "fill"), [("XTSE", "zero"), ("XTSE", "last"), ("XSAU", "zero"), ("XSAU", "last"), ("XTAI", "firm")]
)
def test_filled_weekends_are_refused_in_returns_and_in_prices_that_take_the_benchmarks_dates(exchange, fill):
    table = returns(exchange_sessions(exchange, "2022-06-01", "2024-05-31"))
    daily = table.asfreq("D")
    daily = daily.ffill() if fill == "last" else daily.fillna(0.0)
    if fill == "firm":
        daily["IDX"] = returns(daily.index, 3)["IDX"]
    with pytest.raises(DataUnfit, match=r"(Saturdays|Fridays).*filled in"):
        took(daily, es.Event("STK", "2023-10-11"))
    if fill != "firm":
        with pytest.raises(DataUnfit, match="filled in"):
            took(Prices.from_frame(closes(table).asfreq("D").ffill()), es.Event("STK", "2023-10-11"), calendar=None)


@pytest.mark.parametrize("exchange", ["24/7", "XSAU", "XBOM"])
def test_markets_that_trade_on_weekends_are_not_filled(exchange):
    table = returns(exchange_sessions(exchange, "2022-06-01", "2024-05-31"))
    day = str(table.index[300].date())
    assert took(table, es.Event("STK", day)) == day
    assert took(Prices.from_frame(closes(table)), es.Event("STK", day)) == day


def test_filled_holidays_are_told():
    table = returns(exchange_sessions("XJSE", "2022-06-01", "2024-05-31")).asfreq("B").fillna(0.0)
    result = study().run(table, [es.Event("STK", "2023-10-11")])
    check = next(c for c in result.checks if c.name == "Days without trade")
    assert not check.passed
    closed = pd.bdate_range("2022-06-01", "2024-05-31").difference(
        exchange_sessions("XJSE", "2022-06-01", "2024-05-31")
    )
    assert check.value.startswith(f"{len(closed)}: {closed[0]:%Y-%m-%d}")


def test_coins_are_offered_their_market():
    days = pd.date_range("2022-06-01", "2024-05-31")
    for more in ({}, {"calendar": None}, {"calendar": "24/7"}):
        for data in (returns(days), Prices.from_frame(closes(returns(days)))):
            assert took(data, es.Event("STK", "2023-10-14 23:30Z"), **more) == "2023-10-14"
            assert took(data, es.Event("STK", "2023-10-14 20:00-05:00"), **more) == "2023-10-15"
    late = returns(days).set_axis(days.tz_localize("UTC") + pd.Timedelta(hours=23))
    with pytest.raises(InvalidInput, match="nothing tells"):
        took(late, es.Event("STK", "2023-10-14"))
    assert took(late, es.Event("STK", "2023-10-14"), calendar="24/7") == "2023-10-14"


@pytest.mark.parametrize(("rule", "word"), [("W-WED", "weekly"), ("W-SAT", "weekly"), ("BME", "monthly")])
def test_factors_and_returns_of_other_frequencies_are_refused(rule, word):
    table = returns(exchange_sessions("XNYS", "2021-01-04", "2024-05-31"))
    sparse = (1 + table[["IDX"]]).resample(rule).prod() - 1
    with pytest.raises(InvalidInput, match=f"table of factors has a row every .* {word} figures"):
        study().run(table[["STK"]], [es.Event("STK", "2023-10-11")], factors=sparse)
    with pytest.raises(InvalidInput, match=f"table of returns has a row every .* {word} figures"):
        study().run((1 + table).resample(rule).prod() - 1, [es.Event("STK", "2023-10-11")])
    with pytest.raises(InvalidInput, match=f"table of prices has a row every .* {word} figures"):
        study(calendar=None).run(
            Prices.from_frame(closes(table).resample(rule).last()), [es.Event("STK", "2023-10-11")]
        )
    spread = sparse.reindex(table.index, method="bfill")
    with pytest.raises(DataUnfit, match="repeat the row before"):
        study().run(table[["STK"]], [es.Event("STK", "2023-10-11")], factors=spread)


# -- Short tables, which several exchanges fit.


SHORT = {"estimation": (-34, -3), "window": (-1, 1)}


def short(exchange: str, start: int, length: int = 64) -> pd.DataFrame:
    return returns(exchange_sessions(exchange, "2021-02-01", "2024-11-29")[start : start + length], start)


@pytest.mark.parametrize("exchange", ["XOSL", "XCSE", "XWAR", "XNZE", "XHKG", "BVMF", "XNYS"])
@pytest.mark.parametrize("start", [14, 250, 391, 640])
def test_dates_of_a_short_table_that_are_each_a_day_early_are_refused_and_not_taken_for_a_week_from_sunday_on(
    exchange, start
):
    table = short(exchange, start)
    early = table.set_axis(table.index - pd.Timedelta(days=1))
    day = es.Event("STK", str(table.index[45].date()))
    for data in (early, Prices.from_frame(closes(early))):
        with pytest.raises(
            InvalidInput, match=r"(?s)two ways.*each the day before a session of.*\+ pd\.Timedelta\(days=1\)"
        ):
            study(**SHORT).run(data, [day])
    moved = early.set_axis(early.index + pd.Timedelta(days=1))
    expected = study(**SHORT, calendar=exchange).run(table, [day]).ar
    pd.testing.assert_frame_equal(study(**SHORT, calendar=exchange).run(moved, [day]).ar, expected)


def test_a_week_from_sunday_on_that_could_be_another_is_taken_as_it_is_where_its_exchange_is_named():
    table = returns(exchange_sessions("XSAU", "2023-07-02", "2023-09-14"))
    day = str(table.index[45].date())
    for data in (table, Prices.from_frame(closes(table))):
        for calendar in ("auto", None):
            with pytest.raises(
                InvalidInput, match=r"sessions of XSAU; and they are each the day before.*calendar='XSAU'"
            ):
                study(**SHORT, calendar=calendar).run(data, [es.Event("STK", day)])
        result = study(**SHORT, calendar="XSAU").run(data, [es.Event("STK", day)])
        assert result.audit["session"].iloc[0] == day


@pytest.mark.parametrize("exchange", ["XNYS", "XETR", "XAMS", "XSWX", "XTSE", "XNZE", "XHEL", "XMIL"])
def test_the_exchange_of_a_short_table_is_the_one_that_most_days_speak_for(exchange):
    for start in range(3, 880, 73):
        table = short(exchange, start)
        day = es.Event("STK", str(table.index[40].date()))
        taken = exchanges_of(table, event_list([day]), MODEL, "auto").sessions
        own, theirs = set(table.index), set(exchange_sessions(taken, table.index[0].date(), table.index[-1].date()))
        assert own == theirs
        york = set(exchange_sessions("XNYS", table.index[0].date(), table.index[-1].date()))
        assert (taken == "XNYS") == (own == york)
        study(**SHORT).run(Prices.from_frame(closes(table)), [day])


@pytest.mark.parametrize("exchange", ["XSWX", "XTSE", "XKRX", "XJSE", "XNYS"])
def test_filled_holidays_and_lost_days_are_told_of_the_exchange_that_they_belong_to(exchange):
    table = returns(exchange_sessions(exchange, "2022-06-01", "2024-05-31"))
    prices, rng = closes(table), np.random.default_rng(6)
    day = es.Event("STK", str(table.index[330].date()))
    with pytest.raises(DataUnfit, match=f"on which {exchange} was closed") as found:
        study().run(Prices.from_frame(prices.asfreq("B").ffill()), [day])
    assert exchange == "XNYS" or "XNYS" not in str(found.value)
    lost = prices[(rng.random(len(prices)) >= 0.05) | (prices.index == day.day)]
    extra = lost.reindex(lost.index.union(pd.bdate_range("2023-04-03", "2023-04-11")))
    extra = extra.interpolate()
    for data in (lost, extra):
        assert exchanges_of(Prices.from_frame(data), event_list([day]), MODEL, "auto").sessions == exchange


@pytest.mark.parametrize("exchange", ["XLON", "XNYS"])
def test_prices_that_end_before_the_calendar_begins_name_its_start_and_the_way_out(exchange):
    prices = Prices.from_frame(closes(returns(pd.bdate_range("1957-01-01", "1962-12-31"))))
    day = es.Event("STK", "1960-05-04")
    with pytest.raises(DataUnfit, match=r"from 1957-01-01 to 1962-12-31.*known from 1970-01-02.*calendar=None"):
        study(calendar=exchange).run(prices, [day])
    assert took(prices, day, calendar=None) == "1960-05-04"
    assert took(prices, day) == "1960-05-04"  # no exchange shows itself: the dates are taken as they are


def test_the_refusal_of_a_moment_names_sessions():
    """A Friday evening in Europe is Saturday morning in Sydney, whose next session is Monday."""
    found = []
    for start in range(0, 900, 41):
        table = short("XASX", start)
        fridays = table.index[42:-3][table.index[42:-3].day_of_week == 4]
        try:
            study(**SHORT).run(table, [es.Event("STK", f"{fridays[0]:%Y-%m-%d} 21:30 Europe/Berlin")])
        except InvalidInput as error:
            found += re.findall(r"(\d{4}-\d\d-\d\d) by", str(error))
    assert found
    assert all(pd.Timestamp(day).day_of_week < 5 for day in found)


# -- Tables longer than a calendar.


@pytest.mark.parametrize(("exchange", "first", "last", "day"), [
    ("XNYS", "1927-12-30", "2019-06-28", "2018-06-05"),
    ("XLON", "1965-01-04", "2019-06-28", "2018-06-05"),
    ("XTKS", "1984-01-04", "2019-06-28", "2018-06-05"),
    ("XSAU", "2015-01-04", "2024-06-27", "2023-10-11"),
    ("XNYS", "2028-01-03", "2032-12-31", "2029-06-05"),
])  # fmt: skip
def test_a_history_longer_than_the_calendar_gives_the_numbers_of_the_part_that_it_knows(exchange, first, last, day):
    calendar = _calendar(exchange)
    weekend = {5, 6} if exchange != "XSAU" else {4, 5}
    whole = pd.date_range(first, last)
    known = calendar.sessions[(calendar.sessions >= first) & (calendar.sessions <= last)]
    outside = whole[
        ((whole < calendar.first_session) | (whole > calendar.last_session)) & ~whole.day_of_week.isin(weekend)
    ]
    table = returns(pd.DatetimeIndex(outside.union(known)).as_unit("ns"))
    prices = Prices.from_frame(closes(table / 10))
    part = Prices(prices.adj_close.loc[known], prices.provenance)
    found, expected = (study(calendar=exchange).run(p, [es.Event("STK", day)]).ar for p in (prices, part))
    pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(study().run(prices, [es.Event("STK", day)]).ar, expected)


def test_an_event_before_the_calendar_is_dropped_with_the_reason():
    days = pd.bdate_range("1960-01-04", "1969-12-31").append(exchange_sessions("XNYS", "1970-01-02", "1975-12-31"))
    table = returns(days)
    with pytest.raises(DataUnfit, match="the calendar XNYS is known from 1970-01-02"):
        study(calendar="XNYS").run(Prices.from_frame(closes(table)), [es.Event("STK", "1965-06-09")])
    moment = es.Event("STK", "1965-06-09 17:00-04:00")
    with pytest.raises(
        DataUnfit, match=r"outside the calendar XNYS .known from 1970-01-02 to 2030-12-31., which cannot place"
    ):
        study(calendar="XNYS").run(table, [moment])
    assert took(table, es.Event("STK", "1965-06-09")) == "1965-06-09"


def test_a_thousand_moments_are_placed_at_once():
    days = exchange_sessions("XHKG", "2015-01-05", "2023-12-29")
    rng = np.random.default_rng(0)
    moments = days[rng.integers(300, len(days) - 20, 1000)] + pd.to_timedelta(rng.integers(1, 1439, 1000), unit="min")
    events = [es.Event("STK", m.tz_localize("Asia/Hong_Kong")) for m in moments]
    found = [days[f.position] for f in locate_sessions(events, days, None, "next")]
    assert found == [first_to_trade("XHKG", e.moment) for e in events]


@pytest.mark.parametrize("together", [3, 7, 2048])
def test_tickers_of_other_exchanges_are_found_as_one_by_one(monkeypatch, together):
    """Late listings, delistings, lost rows, halves and nothing at all, of three exchanges; however many tickers are compared at once."""
    rng = np.random.default_rng(21)
    sessions = {name: es.exchange_sessions(name, "2018-01-01", "2021-12-31") for name in ("XNYS", "XETR", "XTKS")}
    days = sessions["XNYS"].union(sessions["XETR"]).union(sessions["XTKS"])
    table = pd.DataFrame({"index": pd.Series(1.0, sessions["XNYS"])}, index=days)
    for k in range(24):
        name = ("XNYS", "XETR", "XTKS")[k % 3]
        own = sessions[name]
        first = int(rng.integers(0, 700)) if k % 2 else 0
        own = own[first : int(rng.integers(first + 200, len(own))) if k % 4 > 1 else len(own)]
        if k % 5 == 1:
            own = own.delete(rng.integers(0, len(own), 4))
        if k == 20:
            own = own[rng.random(len(own)) < 0.5]
        table[f"T{k}"] = pd.Series(1.0, own[:0] if k == 22 else own)
    events = EventList.of(es.Event(f"T{k}", days[500]) for k in range(24) if k != 4)
    monkeypatch.setattr(exchange, "TOGETHER", together)
    found = exchange.of_another_market(table, events, es.MarketModel("index"))
    home, expected = set(), set()
    for name in table.columns:
        own = table.index[table[name].notna()]
        fits = set(match_exchanges(own).fits[0]) if len(own) else set()
        if name == "index":
            home = fits
        elif fits and home.isdisjoint(fits) and name != "T4":
            expected.add(name)
    assert found == expected
    assert 8 < len(found) < 20
