"""Texts that `Event` and a table of events read by one rule: clocks by name, days in any form that cannot be misread."""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput
from eventstudy.sources.events import as_events

NO_ZONE = "such as '2023-06-14 15:40 Europe/Berlin', Asia/Tokyo or America/New_York"


def both(text: str) -> list[object]:
    """Return what `Event` and a table make of a text: the moment in UTC, or the refusal."""

    def taken(read):
        try:
            event = read()
        except InvalidInput as error:
            return str(error).removeprefix("Row 1: ")
        return event.moment.tz_convert("UTC") if event.is_moment else event.asked

    return [
        taken(lambda: es.Event("A", text)),
        taken(lambda: as_events(pd.DataFrame({"ticker": ["A"], "date": [text]}))[0]),
    ]


@pytest.mark.parametrize(("name", "utc"), [
    ("ET", "19:40"), ("JST", "06:40"), ("KST", "06:40"), ("HKT", "07:40"), ("SGT", "07:40"),
    ("Asia/Tokyo", "06:40"), ("UTC", "15:40"),
])  # fmt: skip
def test_names_of_one_clock_are_read_alike(name, utc):
    assert both(f"2023-06-14 15:40 {name}") == [pd.Timestamp(f"2023-06-14 {utc}", tz="UTC")] * 2


def test_et_is_new_yorks_clock_in_winter_and_summer():
    assert es.Event("A", "2023-12-14 16:05 ET").asked == "2023-12-14 16:05-0500"
    assert es.Event("A", "2023-07-14 16:05 ET").asked == "2023-07-14 16:05-0400"


@pytest.mark.parametrize(("name", "place"), [
    ("EST", "America/New_York"), ("EDT", "America/New_York"), ("PST", "America/Los_Angeles"), ("CET", "Europe/Berlin"),
    ("BST", "Europe/London"), ("AEST", "Australia/Sydney"), ("Tokyo", "Asia/Tokyo"), ("Frankfurt", "Europe/Berlin"),
    ("Zurich", "Europe/Zurich"), ("CST", "America/Chicago or Asia/Shanghai"),
])  # fmt: skip
def test_other_names_are_refused_with_the_text_to_write(name, place):
    for said in both(f"2023-06-14 15:40 {name}"):
        assert isinstance(said, str)
        assert "'2023-06-14 15:40" in said
        assert f"{place}'" in said
        assert "-05:00" not in said


@pytest.mark.parametrize(
    ("exchange", "way"),
    [("XTKS", "'2023-06-14 15:40 Asia/Tokyo'"), ("XETR", "'2023-06-14 15:40 Europe/Berlin'"), ("", NO_ZONE)],
)
def test_a_time_without_a_zone_is_offered_the_clock_of_its_exchange(exchange, way):
    for text in ("2023-06-14 15:40", "2023-06-14 15:40 Nowhere/Land"):
        with pytest.raises(InvalidInput) as error:
            es.Event("A", text, exchange=exchange)
        assert way in str(error.value)
        assert "-05:00" not in str(error.value)


@pytest.mark.parametrize(("text", "day"), [
    ("28-Jan-2025", "2025-01-28"), ("31.10.2022", "2022-10-31"), ("12/31/2021", "2021-12-31"), ("2024年11月6日", "2024-11-06"),
    ("5 März 2024", "2024-03-05"), ("July 4, 2023", "2023-07-04"), ("20230704", "2023-07-04"), ("2023/7/4", "2023-07-04"),
    ("28-Jan-2025 amc", "2025-01-28 after the close"), ("31.10.2022 nachbörslich", "2022-10-31 after the close"),
])  # fmt: skip
def test_days_that_cannot_be_misread_are_read_alike(text, day):
    assert both(text) == [day] * 2


@pytest.mark.parametrize("text", ["11.02.2025", "03/04/2024", "1-2-2023", "31.02.2025", "next week", "Jan 2025"])
def test_days_that_can_be_misread_or_are_none_are_refused_alike(text):
    for said in both(text):
        assert "2025-01-27" in str(said)


@pytest.mark.parametrize(("text", "utc"), [
    ("28.01.2025 07:30 Europe/Berlin", "2025-01-28 06:30"), ("01/28/2025 4:05 PM America/New_York", "2025-01-28 21:05"),
    ("2024-10-17 4:05 pm ET", "2024-10-17 20:05"), ("17 Oct 2024 08:00 UTC+2", "2024-10-17 06:00"), ("17.10.2024 9:15 Uhr Europe/Zurich", "2024-10-17 07:15"),
    ("2024年10月17日 15:30 Asia/Tokyo", "2024-10-17 06:30"), ("09.09.2024 12:00+02:00", "2024-09-09 10:00"),
])  # fmt: skip
def test_moments_are_read_alike(text, utc):
    assert both(text) == [pd.Timestamp(utc, tz="UTC")] * 2


@pytest.mark.parametrize("text", ["05.11.2024 07:30 Europe/Berlin", "05.11.2024", "11/05/2024 4:05 PM ET"])
def test_a_day_that_can_be_misread_is_refused_with_both_readings(text):
    for said in both(text):
        assert "2024-11-05" in said
        assert "2024-05-11" in said


@pytest.mark.parametrize("text", ["2025-01-27 00:00:00+99:99 17:16-05:00", "2025-01-27 09:00 16:20-05:00"])
def test_two_times_in_one_text_are_refused(text):
    for said in both(text):
        assert isinstance(said, str)
        assert "2025-01-27'" in said or "2025-01-27 (year-month-day)" in said


def test_one_number_twice_is_one_day_in_any_order():
    assert both("07.07.2023") == ["2023-07-07"] * 2
