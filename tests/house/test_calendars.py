"""Sessions of an exchange, and when news could first be traded on."""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import check_closed_day, exchange_sessions, trading_day_of_moment


def day_of(moment: str, exchange: str = "XNYS") -> tuple[str, bool]:
    day, late = trading_day_of_moment(pd.Timestamp(moment), exchange)
    return f"{day:%Y-%m-%d}", late


def test_january_2025_has_twenty_sessions_without_the_three_closures():
    days = exchange_sessions("XNYS", "2025-01-01", "2025-01-31")
    assert len(days) == 20
    assert not {"2025-01-01", "2025-01-09", "2025-01-20"} & set(days.strftime("%Y-%m-%d"))
    assert days.is_monotonic_increasing
    assert days.tz is None


def test_both_ends_are_included():
    days = exchange_sessions("XNYS", "2025-01-27", "2025-01-28")
    assert days.strftime("%Y-%m-%d").tolist() == ["2025-01-27", "2025-01-28"]


def test_other_exchanges_keep_their_own_holidays():
    assert pd.Timestamp("2025-01-20") in exchange_sessions("XLON", "2025-01-20", "2025-01-20")


def test_an_unknown_exchange_names_the_choices():
    with pytest.raises(es.errors.InvalidInput, match=r"'NYSE2'.*XNYS.*calendar=None"):
        exchange_sessions("NYSE2", "2025-01-01", "2025-01-31")


@pytest.mark.parametrize(("first", "last"), [("1969-01-01", "1975-01-01"), ("2029-01-01", "2031-06-01")])
def test_days_beyond_the_calendar_are_refused(first, last):
    with pytest.raises(es.errors.InvalidInput, match="known from 1970-01-02 to 2030-12-31"):
        exchange_sessions("XNYS", first, last)


@pytest.mark.parametrize("word", ["next", "previous", "drop", "error"])
def test_the_four_rules_for_closed_days(word):
    assert check_closed_day(word) == word


def test_another_rule_is_refused_with_the_choices():
    with pytest.raises(es.errors.InvalidInput, match="'skip'; choose one of next, previous, drop, error"):
        check_closed_day("skip")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-01-27 09:00-05:00", ("2025-01-27", False)),
        ("2025-01-27 15:59:59-05:00", ("2025-01-27", False)),
        ("2025-01-27 16:00-05:00", ("2025-01-28", True)),
        ("2025-01-31 16:00-05:00", ("2025-02-01", True)),
        ("2025-01-26 17:16-05:00", ("2025-01-26", False)),
        ("2025-01-27 20:59+00:00", ("2025-01-27", False)),
        ("2025-01-27 21:00+00:00", ("2025-01-28", True)),
    ],
)
def test_news_at_or_after_the_close_belongs_to_a_later_day(moment, expected):
    assert day_of(moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2024-11-29 12:59-05:00", ("2024-11-29", False)),
        ("2024-11-29 13:00-05:00", ("2024-11-30", True)),
        ("2024-11-29 15:00-05:00", ("2024-11-30", True)),
    ],
)
def test_an_early_close_counts(moment, expected):
    assert day_of(moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # New York changed to summer time on 9 March 2025, Europe on 30 March.
        ("2025-03-07 20:30+00:00", ("2025-03-07", False)),
        ("2025-03-07 21:00+00:00", ("2025-03-08", True)),
        ("2025-03-10 20:30+00:00", ("2025-03-11", True)),
        ("2025-03-10 19:59+00:00", ("2025-03-10", False)),
    ],
)
def test_summer_time_moves_the_close(moment, expected):
    assert day_of(moment) == expected


def test_a_moment_is_read_in_the_zone_of_the_exchange():
    # 22:30 in New York on Sunday is Monday morning in Tokyo, in the session.
    assert day_of("2025-01-26 22:30-05:00", "XTKS") == ("2025-01-27", False)


def test_a_calendar_that_knows_fewer_years_still_works_and_says_so():
    with pytest.raises(es.errors.InvalidInput, match="The calendar XTKS is known from 1997-01-01"):
        exchange_sessions("XTKS", "1990-01-01", "1990-02-01")
