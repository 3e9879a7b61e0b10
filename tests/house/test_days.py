"""Which day a date with a time stands for, against truth known by construction: right, told or refused, never silently another day."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendars import _calendar, _known, exchange_sessions, match_exchanges, recognised
from eventstudy.days import days_of, other_reading, refuse_other_frequency, refuse_sparse_columns, written_days
from eventstudy.errors import InvalidInput

EXCHANGES = [
    "XNYS", "XTSE", "BVMF", "XBUE", "XMEX", "XSGO", "XLON", "XDUB", "XETR", "XPAR", "XMIL", "XSWX", "XCSE", "XSTO", "XOSL",
    "XWAR", "XIST", "XJSE", "XSAU", "XKAR", "XBOM", "XBKK", "XSES", "XKLS", "XIDX", "XHKG", "XSHG", "XTAI", "XTKS", "XASX", "XNZE",
]  # fmt: skip
SPANS = (("2022-01-04", "2023-12-15"), ("2023-09-01", "2023-12-14"), ("2024-03-04", "2024-03-15"))


def forms(exchange: str, first: str, last: str) -> tuple[pd.DatetimeIndex, dict[str, pd.DatetimeIndex]]:
    """Return the sessions of an exchange and how files and clients write them."""
    days, calendar = exchange_sessions(exchange, first, last), _calendar(exchange)
    rows = calendar.sessions.get_indexer(days)
    midnight = days.tz_localize(calendar.tz)
    opens, closes = (pd.DatetimeIndex(moments.iloc[rows]) for moments in (calendar.opens, calendar.closes))
    return days, {
        "days": days,
        "midnights": midnight,
        "midnights in UTC": midnight.tz_convert("UTC"),
        "midnights in UTC without a zone": midnight.tz_convert(None),
        "midnights in another zone": midnight.tz_convert("America/New_York" if exchange != "XSGO" else "Asia/Tokyo"),
        "closes": closes.tz_convert(calendar.tz),
        "closes in UTC": closes,
        "closes in UTC without a zone": closes.tz_convert(None),
        "closes in another zone": closes.tz_convert("Asia/Tokyo"),
        "closes without a zone": closes.tz_convert(calendar.tz).tz_localize(None),
        "opens in UTC": opens,
        "opens in UTC without a zone": opens.tz_convert(None),
    }


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_form_of_every_exchange_is_read_right_or_not_silently(exchange):
    for first, last in SPANS if EXCHANGES.index(exchange) % 4 == 0 else SPANS[::2]:
        truth, written = forms(exchange, first, last)
        for form, stamps in written.items():
            try:
                days, said = days_of(stamps, "The table")
            except InvalidInput:
                assert form not in {"days", "midnights"}, (form, first)
                assert form not in {"midnights in UTC", "opens in UTC"} or len(truth) < 400, form
                continue
            if not said:
                assert days.equals(truth), (form, first)
            if len(truth) > 400:
                assert days.equals(truth), (form, first)
                assert bool(said) == bool((stamps.tz_localize(None).normalize() != truth).any()), form


@pytest.mark.parametrize("exchange", ["XASX", "XNZE", "XTKS", "XSAU", "XETR"])
def test_a_named_exchange_tells_in_a_few_weeks(exchange):
    truth, written = forms(exchange, *SPANS[2])
    for form in ("midnights in UTC", "opens in UTC"):
        assert days_of(written[form], "The table", exchange).days.equals(truth), form


def test_order_and_repeats_of_stamps_do_not_matter():
    truth, written = forms("XTAI", *SPANS[0])
    order = np.random.default_rng(3).integers(0, len(truth), 3 * len(truth))
    assert days_of(written["midnights in UTC"][order], "The table").days.equals(truth[order])


@pytest.mark.parametrize("hole", [0.0, 0.01, 0.2])
def test_holes_of_any_size_are_right_or_not_silent(hole):
    truth, written = forms("XKLS", *SPANS[0])
    kept = np.random.default_rng(1).random(len(truth)) >= hole
    days, said = days_of(written["midnights in UTC"][kept], "The table")
    assert days.equals(truth[kept])
    assert said


def test_the_moment_of_a_download_in_the_last_row_changes_nothing():
    truth, written = forms("XTAI", *SPANS[0])
    stamps = written["midnights in UTC"][:-1].append(
        pd.DatetimeIndex([truth[-1] + pd.Timedelta(hours=5, minutes=21)]).tz_localize("UTC")
    )
    assert days_of(stamps, "The table").days.equals(truth)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/London", "2023-03-20"),
        ("Africa/Casablanca", "2024-02-20"),
        ("Asia/Kathmandu", "2024-02-20"),
        ("America/St_Johns", "2023-10-20"),
    ],
)
def test_midnights_of_any_zone_are_its_days_also_where_clocks_change(zone, first):
    days = pd.bdate_range(first, periods=40)
    read, said = days_of(days.tz_localize(zone), "The table")
    assert read.equals(days)
    assert not said
    fixed = pd.Series([f"{d:%Y-%m-%d} 00:00:00{d.tz_localize(zone):%z}" for d in days])
    assert written_days(fixed, "The table").days.equals(days)


def test_coins_trade_every_day_and_their_days_are_those_of_utc():
    days = pd.date_range("2023-01-01", "2023-12-31")
    assert days_of(days.tz_localize("UTC"), "The table").days.equals(days)
    read, said = days_of(days.tz_localize("UTC").tz_convert("America/Chicago"), "The table")
    assert read.equals(days)
    assert "days of UTC" in said


@pytest.mark.parametrize("by", [-1, 1])
def test_days_whose_time_was_cut_off_are_refused_with_the_way_out(by):
    days = exchange_sessions("XTAI", *SPANS[0]) + pd.Timedelta(days=by)
    with pytest.raises(InvalidInput, match=r"each the day (before|after) a session of XTAI.*pd\.Timedelta\(days=1\)"):
        days_of(days, "The returns table")


@pytest.mark.parametrize(
    ("exchange", "first", "last"),
    [("XLON", "2022-08-18", "2023-08-25"), ("XSAU", "2022-12-08", "2023-06-25"), ("XCSE", "2024-01-09", "2024-06-12")],
)
def test_days_whose_time_was_cut_off_in_a_part_of_the_year_or_in_few_rows_are_told(exchange, first, last):
    days = exchange_sessions(exchange, first, last)
    cut = days.tz_localize(_calendar(exchange).tz).tz_convert("UTC").tz_localize(None).normalize()
    assert "are a day early" in days_of(cut, "The table").said
    assert not days_of(days, "The table").said


@pytest.mark.parametrize(("first", "last"), [("2022-02-06", "2024-10-31"), ("2023-03-05", "2024-03-28")])
def test_days_a_day_late_of_a_week_from_sunday_on_look_like_monday_to_friday_and_are_refused(first, last):
    days = exchange_sessions("XSAU", first, last) + pd.Timedelta(days=1)
    assert (days.day_of_week < 5).all()
    for named in (None, "XSAU"):
        with pytest.raises(InvalidInput, match=r"each the day after a session of XSAU.*- pd\.Timedelta\(days=1\)"):
            days_of(days, "The returns table", named)


@pytest.mark.parametrize("hole", [0.0, 0.04])
def test_the_sessions_of_no_exchange_from_monday_to_friday_are_held_for_others_that_were_moved(hole):
    rng, looked = np.random.default_rng(4), 0
    for name in _known().names:
        sessions = exchange_sessions(name, "2021-03-01", "2024-11-29")
        if name == "XSAU":
            continue
        for start, length in ((0, 55), (140, 90), (333, 120), (411, 240), (600, 300)):
            days = sessions[start : start + length]
            assert other_reading(days[rng.random(len(days)) >= hole]).by == 0, (name, start)
            looked += 1
    assert looked > 280


@pytest.mark.parametrize(("exchange", "named"), [("XWAR", "XWAR"), ("XTSE", "XTSE"), ("XJSE", "XJSE")])
def test_a_named_exchange_tells_which_of_two_readings_of_days_is_right(exchange, named):
    """Sunday to Thursday of some quiet weeks are the sessions of XSAU, and the days before those of others."""
    days = exchange_sessions(exchange, "2023-07-10", "2023-09-29")[:38]
    early = days - pd.Timedelta(days=1)
    with pytest.raises(InvalidInput, match=f"each the day before a session of {named}"):
        days_of(early, "The table", named)
    assert not days_of(early, "The table", "XSAU").said
    assert "sessions of XSAU, or each the day before" in days_of(early, "The table").said


def test_a_week_from_sunday_without_a_zone_in_the_afternoon_is_refused():
    """An exchange of Egypt or Qatar, or evenings in UTC: nothing tells."""
    week = pd.date_range("2019-01-06", "2019-06-27", freq="D")
    stamps = week[week.day_of_week.isin([6, 0, 1, 2, 3])] + pd.Timedelta(hours=14, minutes=30)
    with pytest.raises(InvalidInput, match=r"fall on Sundays \(2019-01-06 14:30\).*normalize"):
        days_of(stamps, "The table")
    assert days_of(stamps.normalize(), "The table").days.equals(stamps.normalize())


@pytest.mark.parametrize(("rule", "word"), [("W-WED", "weekly"), ("ME", "monthly"), ("YE", "annual")])
def test_other_frequencies_are_refused_by_name(rule, word):
    days = pd.date_range("1990-01-01", periods=40, freq=rule)
    with pytest.raises(InvalidInput, match=f"{word} figures; a study needs daily ones"):
        refuse_other_frequency(days, "The table")


def test_weekly_rows_among_daily_ones_are_refused_with_their_days():
    days = pd.date_range("2018-01-05", periods=52, freq="W-FRI").append(pd.bdate_range("2018-12-31", periods=400))
    with pytest.raises(
        InvalidInput, match="every 7 days from 2018-01-05 to 2018-12-28, weekly figures among daily ones"
    ):
        refuse_other_frequency(days, "The table")


@pytest.mark.parametrize("exchange", ["XNYS", "XSAU", "XSHG", "XBOM", "XIST", "24/7"])
def test_holidays_and_weeks_of_holidays_are_daily_all_the_same(exchange):
    refuse_other_frequency(exchange_sessions(exchange, "2021-06-01", "2025-12-31"), "The table")


def test_a_weekly_column_among_daily_ones_is_refused_and_a_share_that_trades_seldom_is_not():
    days, rng = exchange_sessions("XCSE", *SPANS[0]), np.random.default_rng(5)
    weekly = pd.Series(np.where(days.day_of_week == 4, 0.01, np.nan), days)
    seldom = pd.Series(np.where(rng.random(len(days)) < 0.15, 0.01, np.nan), days)
    refuse_sparse_columns(pd.DataFrame({"A": seldom}), "The table")
    with pytest.raises(InvalidInput, match="figures of B every 7 days only, weekly ones among daily rows"):
        refuse_sparse_columns(pd.DataFrame({"A": seldom, "B": weekly}), "The table")


# -- Recognition.


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_sessions_of_an_exchange_are_recognised_also_with_a_hole_and_a_day_too_many(exchange):
    days = exchange_sessions(exchange, "2022-01-04", "2024-11-29")
    assert exchange in recognised(days)
    holed = days.delete([100, 301]).union(days[[10]] + pd.Timedelta(days=0))
    assert exchange in recognised(holed)


def test_counts_agree_with_sets_of_days():
    rng = np.random.default_rng(11)
    days = pd.date_range("2021-06-01", "2024-02-28")
    present = rng.random((len(days), 7)) < rng.uniform(0.2, 0.9, 7)
    match = match_exchanges(days, present, thin=True)
    for k in range(7):
        mine = set(days[present[:, k]])
        for name in ("XNYS", "XSAU", "XBOM", "24/7", "XKLS"):
            e = match.names.index(name)
            theirs = set(exchange_sessions(name, min(mine).date(), max(mine).date()))
            assert match.closed[k, e] == len(mine - theirs)
            assert match.missing[k, e] == len(theirs - mine)


@pytest.mark.parametrize(("first", "last"), [("1995-01-02", "2004-12-31"), ("2000-01-03", "2024-02-23")])
def test_days_whose_sessions_are_not_known_count_on_neither_side(first, last):
    days = pd.bdate_range(first, last)
    match, known = match_exchanges(days), _known()
    at = np.asarray((days - pd.Timestamp("1970-01-02")).days)
    for e in range(len(match.names)):
        mine = at[(at >= known.spans[e, 0]) & (at <= known.spans[e, 1])]
        assert match.known[0, e] == len(mine)
        assert match.closed[0, e] == (known.open[e, mine] == 0).sum()
        assert match.missing[0, e] >= 0


def test_weekdays_with_filled_holidays_and_weekly_rows_are_no_exchanges():
    assert recognised(pd.bdate_range("2022-01-03", "2023-12-29")) == ()
    assert recognised(pd.date_range("2022-01-07", periods=100, freq="W-FRI")) == ()


@pytest.mark.parametrize(
    ("first", "last"), [("1966-01-03", "1972-12-29"), ("1971-01-04", "1975-06-30"), ("1979-01-01", "1988-12-30")]
)
def test_weekdays_of_years_whose_holidays_a_calendar_does_not_know_are_not_its_sessions(first, last):
    assert recognised(pd.bdate_range(first, last)) == ()


def test_days_of_two_exchanges_joined_fit_none_or_both():
    first, second = (exchange_sessions(x, "2022-01-04", "2023-12-29") for x in ("XNYS", "XLON"))
    assert set(recognised(first.intersection(second))) in ({"XNYS", "XLON"}, set())
    assert "XNYS" not in recognised(first.union(second)) or "XLON" in recognised(first.union(second))


def test_recognition_of_two_thousand_days_is_quick():
    days = exchange_sessions("XJSE", "2014-01-02", "2021-12-31")
    recognised(days)
    begin = time.perf_counter()
    recognised(days)
    assert time.perf_counter() - begin < 0.05


@pytest.mark.parametrize("exchange", ["XNYS", "XLON", "XSAU", "XJSE", "XTAI", "XBOM"])
def test_the_stored_sessions_are_those_of_the_library(exchange):
    match = match_exchanges(exchange_sessions(exchange, "2021-01-04", "2025-12-30"))
    e = match.names.index(exchange)
    assert (match.closed[0, e], match.missing[0, e]) == (0, 0)
