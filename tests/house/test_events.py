"""Events: what is read, what is refused, and the session that an event gets."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.events import event_keys, locate_sessions
from eventstudy.sources.events import as_events

NEW_YORK = ZoneInfo("America/New_York")


def session(when: object, closed_day: str = "next") -> str | None:
    found = es.Event("NVDA", when).first_session(closed_day=closed_day)
    return None if found is None else f"{found:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2025-01-27", "2025-01-27"),
        ("2025-01-20", "2025-01-21"),  # R1's release: Martin Luther King Jr Day
        ("2025-01-09", "2025-01-10"),  # day of mourning for Jimmy Carter
        ("2025-01-25", "2025-01-27"),  # Saturday
        ("2025-01-26", "2025-01-27"),  # Sunday
        ("2025-01-27 08:00-05:00", "2025-01-27"),
        ("2025-01-27 16:00-05:00", "2025-01-28"),
        ("2025-01-24 18:00-05:00", "2025-01-27"),
        ("2025-01-26 17:16-05:00", "2025-01-27"),
        ("2025-01-17 17:00-05:00", "2025-01-21"),  # after a Friday's close, Monday is a holiday
        ("2024-11-29 12:59-05:00", "2024-11-29"),
        ("2024-11-29 13:00-05:00", "2024-12-02"),
        (date(2025, 1, 27), "2025-01-27"),
        (datetime(2025, 1, 27), "2025-01-27"),  # noqa: DTZ001 - a day without a time
        (datetime(2025, 1, 27, 17, 0, tzinfo=NEW_YORK), "2025-01-28"),
        (datetime(2025, 7, 3, 12, 59, tzinfo=NEW_YORK), "2025-07-03"),
        (datetime(2025, 7, 3, 13, 0, tzinfo=NEW_YORK), "2025-07-07"),  # early close, then Independence Day
        (datetime(2025, 1, 27, 22, 0, tzinfo=timezone(timedelta(hours=1))), "2025-01-28"),
        (pd.Timestamp("2025-01-27"), "2025-01-27"),
        (np.datetime64("2025-01-27"), "2025-01-27"),
        ("20250127", "2025-01-27"),
    ],
)
def test_the_first_session_in_which_news_could_be_traded_on(when, expected):
    assert session(when) == expected


@pytest.mark.parametrize(("rule", "expected"), [("next", "2025-01-21"), ("previous", "2025-01-17"), ("drop", None)])
def test_three_rules_for_a_holiday(rule, expected):
    assert session("2025-01-20", rule) == expected


def test_the_fourth_rule_is_an_error_that_names_the_sessions_around():
    with pytest.raises(es.errors.InvalidInput, match=r"NVDA.*Mon 2025-01-20.*2025-01-17 and 2025-01-21"):
        session("2025-01-20", "error")


@pytest.mark.parametrize("rule", ["next", "previous", "drop", "error"])
def test_after_a_close_the_next_session_is_meant_whatever_the_rule(rule):
    assert session("2025-01-24 16:01-05:00", rule) == "2025-01-27"


@pytest.mark.parametrize("day", ["1960-01-04", "2031-01-06"])
def test_a_day_outside_the_calendar_is_an_error_not_none(day):
    with pytest.raises(es.errors.InvalidInput, match=f"1970-01-02 to 2030-12-31 and has no session for {day}"):
        es.Event("NVDA", day).first_session()


@pytest.mark.parametrize(
    "text", ["01/02/2025", "07.01.2025", "1-2-2025", "27 lis 2025", "now", "today", "2025", "soon", "32.01.2025"]
)
def test_dates_that_can_be_read_in_two_ways_are_refused(text):
    with pytest.raises(es.errors.InvalidInput, match=r"NVDA: .*write the date as 2025-01-27"):
        es.Event("NVDA", text)


@pytest.mark.parametrize("value", [20250127, 45684.0, None, True, np.int64(5), "2025-13-45", object()])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(es.errors.InvalidInput, match=r"NVDA: .*give e\.g\. '2025-01-27'"):
        es.Event("NVDA", value)


@pytest.mark.parametrize("value", [pd.NaT, "", "NaT"])
def test_a_missing_date_is_refused(value):
    with pytest.raises(es.errors.InvalidInput, match="the date is missing"):
        es.Event("NVDA", value)


@pytest.mark.parametrize("value", ["2025-01-27 17:00", "2025-01-27T09:30", pd.Timestamp("2025-01-27 10:00")])
def test_a_time_without_a_zone_is_refused_with_the_remedy(value):
    with pytest.raises(
        es.errors.InvalidInput,
        match=r"has a time but no time zone; write after it the place whose clock it is, such as '2025-01-27",
    ):
        es.Event("NVDA", value)


@pytest.mark.parametrize("ticker", ["", "  ", None, 5])
def test_a_ticker_must_be_a_name(ticker):
    with pytest.raises(es.errors.InvalidInput, match="give a name such as 'NVDA'"):
        es.Event(ticker, "2025-01-27")


def test_spaces_around_a_ticker_are_not_part_of_it():
    assert es.Event(" NVDA ", "2025-01-27").ticker == "NVDA"


def test_what_was_asked_is_kept_as_text():
    assert es.Event("NVDA", "2025-01-27").asked == "2025-01-27"
    assert es.Event("NVDA", "2025-01-26 17:16-05:00").asked == "2025-01-26 17:16-0500"


@pytest.mark.parametrize(
    ("when", "session"),
    [
        ("2025-01-24 amc", "2025-01-27"),  # a Friday
        ("2025-01-24 bmo", "2025-01-24"),
        ("2025-01-24 during the session", "2025-01-24"),
        ("2025-01-25 amc", "2025-01-27"),  # a Saturday: the rule for closed days, not a session more
        ("2025-01-20 after the close", "2025-01-21"),  # a holiday, with a session on the day after
        ("2025-01-17 after hours", "2025-01-21"),  # the Friday before it
    ],
)
def test_news_after_the_close_of_a_session_belongs_to_the_next(when, session):
    assert es.Event("A", when).first_session() == pd.Timestamp(session)
    sessions = es.exchange_sessions("XNYS", "2025-01-02", "2025-02-28")
    for exchange in ("XNYS", None):
        found = locate_sessions([es.Event("A", when)], sessions, exchange, "next")[0]
        assert sessions[found.position] == pd.Timestamp(session)


@pytest.mark.parametrize("when", ["2025-01-25 amc", "2025-01-26 bmo"])
def test_news_of_a_closed_day_with_a_time_of_day_never_gets_the_session_before(when):
    event = es.Event("A", when)
    assert event.first_session(closed_day="drop") is None
    with pytest.raises(es.errors.InvalidInput, match="no session on"):
        event.first_session(closed_day="error")
    with pytest.raises(es.errors.InvalidInput, match="would take the session before the news"):
        event.first_session(closed_day="previous")


def test_a_moment_with_words_beside_it_is_refused():
    with pytest.raises(es.errors.InvalidInput, match="'2025-01-27 16:20-05:00 amc'"):
        es.Event("A", "2025-01-27 16:20-05:00 amc")


def test_a_table_of_events_is_read_whatever_the_case_of_its_columns():
    table = pd.DataFrame(
        {
            "Ticker": ["NVDA", "META"],
            "Date": ["2025-01-27", "2025-01-28"],
            "Label": ["R1", np.nan],
            "other": [1, 2],
        }
    )
    before = table.copy()
    events = as_events(table)
    assert [(e.ticker, e.asked, e.label, e.group) for e in events] == [
        ("NVDA", "2025-01-27", "R1", ""),
        ("META", "2025-01-28", "", ""),
    ]
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("dates", [pd.to_datetime(["2025-01-27"]), [date(2025, 1, 27)], ["2025-01-27"]])
def test_dates_of_a_table_may_be_text_or_dates(dates):
    assert as_events(pd.DataFrame({"ticker": ["A"], "when": dates}))[0].asked == "2025-01-27"


def test_a_table_without_the_two_columns_names_what_it_has():
    with pytest.raises(es.errors.InvalidInput, match="columns who, then; it needs 'ticker' and 'date'"):
        as_events(pd.DataFrame({"who": ["A"], "then": ["2025-01-27"]}))


@pytest.mark.parametrize("nothing", [[], (), pd.DataFrame({"ticker": [], "date": []}), iter(())])
def test_no_events_are_an_error(nothing):
    with pytest.raises(es.errors.InvalidInput, match="needs at least one"):
        as_events(nothing)


@pytest.mark.parametrize(
    "row", [{"ticker": [np.nan], "date": ["2025-01-27"]}, {"ticker": [""], "date": ["2025-01-27"]}]
)
def test_a_missing_ticker_in_a_table_is_an_error(row):
    with pytest.raises(es.errors.InvalidInput, match="ticker is ''"):
        as_events(pd.DataFrame(row))


@pytest.mark.parametrize("wrong", ["NVDA", 5, ["NVDA"], [("NVDA", "2025-01-27")]])
def test_other_things_are_no_events(wrong):
    with pytest.raises(es.errors.InvalidInput, match="ticker and date"):
        as_events(wrong)


def test_a_generator_of_events_is_read_once_and_whole():
    assert len(as_events(es.Event(t, "2025-01-27") for t in "ABC")) == 3


def test_keys_are_short_and_unique():
    events = [
        es.Event(t, d) for t, d in [("A", "2025-01-27"), ("B", "2025-01-27"), ("B", "2025-01-28"), ("B", "2025-01-28")]
    ]
    keys = event_keys(np.array([e.ticker for e in events], dtype=object), [e.asked for e in events])
    assert keys == ["A", "B 2025-01-27", "B 2025-01-28", "B 2025-01-28 #2"]


def test_events_outside_the_sessions_have_no_place_and_a_remark():
    sessions = pd.DatetimeIndex(["2025-01-27", "2025-01-28"])
    events = [es.Event("A", d) for d in ("2025-01-24", "2025-01-27", "2025-01-29")]
    found = locate_sessions(events, sessions, "XNYS", "next")
    assert [f.position for f in found] == [-1, 0, -1]
    assert found[0].remark == "outside the data (2025-01-27 to 2025-01-28)"


@pytest.mark.parametrize("when", ["2025-01-26 17:16-05:" + "9" * 400, "9" * 400, "2025-01-26 17:16-99:99"])
def test_a_moment_of_too_many_digits_is_refused(when):
    with pytest.raises(es.errors.InvalidInput, match="Event NVDA"):
        es.Event("NVDA", when)


def test_a_table_of_days_and_a_list_of_events_are_the_same_events():
    days = pd.to_datetime(["2025-01-27", "2025-01-18", "2025-01-28", "2025-01-28", "2019-12-31"])
    table = pd.DataFrame({"ticker": list("ABBBA"), "date": days, "label": ["x", "", "y", "y", ""]})
    made = as_events(table)
    written = as_events([es.Event(t, str(d)[:10], label) for t, d, label in table.itertuples(index=False)])
    assert made.given is None
    assert made == written
    assert (list(made), made.asked) == (list(written), [e.asked for e in written])
    sessions = pd.DatetimeIndex(["2019-12-30", "2019-12-31", "2025-01-17", "2025-01-21", "2025-01-27"])
    one, two = (locate_sessions(events, sessions, "XNYS", "next") for events in (made, written))
    assert list(one) == list(two) == [locate_sessions([e], sessions, "XNYS", "next")[0] for e in written]
    some = np.array([4, 1, 1])
    assert made.take(some) == written.take(some) == [written[i] for i in some]
    with pytest.raises(es.errors.InvalidInput, match="Row 2"):
        as_events(table.assign(ticker=["A", " ", "B", "C", "D"]))


def test_moments_keep_their_place_when_events_are_taken():
    events = as_events(
        [es.Event("A", "2025-01-27"), es.Event("B", "2025-01-27 17:00-05:00"), es.Event("C", "2025-01-24 amc")]
    )
    taken = events.take(np.array([2, 1]))
    assert sorted(taken.timed) == [0, 1]
    assert [e.ticker for e in taken] == ["C", "B"]
    sessions = pd.bdate_range("2025-01-20", "2025-01-31")
    assert [sessions[p.position].day for p in locate_sessions(taken, sessions, "XNYS", "next")] == [27, 28]
