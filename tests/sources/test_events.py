"""Lists of events as they come: right firms, days and times of day, or a sentence that names the cause; nothing dropped without a word."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.sources.events import as_events
from eventstudy.sources.files.cells import WORDS


def read(**columns: object) -> list[tuple[str, str]]:
    return [(e.ticker, e.asked) for e in as_events(pd.DataFrame(columns))]


def told(line: str, **names: object) -> object:
    """Run the line that a message gives, as its reader would."""
    there = {"pandas": pd, **names}
    exec(f"answer = {line}" if " = " not in line else line, there)  # noqa: S102
    return there.get("answer")


def refusal(table: object) -> str:
    with pytest.raises(es.errors.InvalidInput) as caught:
        as_events(table)
    return caught.value.message


# -- which column is what -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "firm",
    ["Symbol", "TIC", "isin", "permno", "Company Code", "Name", "Firma", "Société", "银行".replace("银行", "代码")],
)
@pytest.mark.parametrize(
    "day", ["event_date", "Announcement Date", "anndats", "rdq", "Datum", "Fecha", "data", "dataEvento", "日期", "when"]
)
def test_firms_and_days_are_found_under_their_usual_words(firm, day):
    assert read(**{day: ["2024-05-02", "2024-05-03"], firm: ["SAP", "BMW"]}) == [
        ("SAP", "2024-05-02"),
        ("BMW", "2024-05-03"),
    ]


def test_no_word_of_events_means_two_things():
    words = [w for line in WORDS["events"].values() for w in line.split()]
    assert sorted({w for w in words if words.count(w) > 1}) == []


def test_a_ticker_comes_before_a_code_and_a_code_before_a_name_and_the_others_are_named():
    table = pd.DataFrame(
        {"Name": ["Allianz"], "isin": ["DE0008404005"], "ticker": ["ALV"], "date": ["2024-05-15"], "sector": ["x"]}
    )
    found = as_events(table)
    assert [e.ticker for e in found] == ["ALV"]
    assert found.unused == ("Name", "isin", "sector")
    assert as_events(table.drop(columns="ticker"))[0].ticker == "DE0008404005"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"symbol": ["BMW", "SAP"]}, "ticker and symbol, and each could be the firm"),
        ({"rdq": ["2024-05-03", "2024-05-06"]}, "date and rdq, and each could be the day of the event"),
        ({"session": ["2024-05-03", "2024-05-06"]}, "date and session, and each could be the day of the event"),
        ({"timing": ["amc", "bmo"], "slot": ["bmo", "amc"]}, "timing and slot, and each could be the time of day"),
    ],
)
def test_two_columns_that_could_be_one_are_refused_with_the_line_that_keeps_one(extra, words):
    table = pd.DataFrame({"ticker": ["SAP", "BMW"], "date": ["2024-05-02", "2024-05-03"], **extra})
    message = refusal(table)
    assert words in message
    kept = as_events(told(message.split(": ")[-1].rstrip("."), events=table))
    assert [e.ticker for e in kept] == ["SAP", "BMW"]


def test_two_columns_that_say_the_same_are_no_question():
    table = pd.DataFrame(
        {"ticker": ["SAP"], "symbol": ["SAP"], "date": ["2024-05-02"], "time": ["amc"], "hour": ["post-market"]}
    )
    assert [(e.ticker, e.asked) for e in as_events(table)] == [("SAP", "2024-05-02 after the close")]


def test_a_second_column_of_days_under_another_word_is_named_as_one():
    found = as_events(pd.DataFrame({"tic": ["A"], "rdq": ["2024-05-02"], "datadate": ["2024-03-31"], "eps": [1.2]}))
    assert found.unused == ("datadate (holds days)", "eps")


def test_columns_without_a_known_word_are_refused_with_the_line_that_names_the_day():
    table = pd.DataFrame({"Firma": ["SAP"], "Ereignistermin": ["2024-05-02"]})
    message = refusal(table)
    assert "has the columns Firma, Ereignistermin" in message
    line = message.split("Rename: ")[1].rstrip(".")
    assert as_events(told(line, events=table))[0].asked == "2024-05-02"


@pytest.mark.parametrize(
    "table", [pd.DataFrame({"date": ["2024-05-01", "2024-06-12"]}), pd.DataFrame(index=pd.to_datetime(["2024-05-01"]))]
)
def test_days_without_firms_are_refused_with_the_line_that_crosses_them(table):
    message = refusal(table)
    assert "'ticker' is not there" in message
    line = message.split("cross them: ")[1].rstrip(".")
    events = table.reset_index(names="date") if not table.shape[1] else table
    crossed = as_events(told(line, events=events))
    assert [e.ticker for e in crossed][:2] == ["NVDA", "META"]
    assert len(crossed) == 2 * len(events)


def test_a_list_of_days_is_told_the_same():
    assert "holds the day" in refusal([dt.date(2024, 5, 1)])
    assert "how='cross'" in refusal(pd.DatetimeIndex(["2024-05-01"]))


def test_codes_with_a_gap_in_their_column_stay_codes():
    with pytest.raises(es.errors.InvalidInput, match="Row 2: An event's ticker is ''"):
        as_events(pd.DataFrame({"permno": [10107.0, np.nan], "date": [20240502, 20240503]}))
    assert read(permno=[10107.0], date=[20240502]) == [("10107", "2024-05-02")]


def test_days_and_firms_may_stand_in_the_index():
    by_day = pd.DataFrame(
        {"symbol": ["A"]}, index=pd.DatetimeIndex(["2024-05-02 16:05"], tz="America/New_York", name="Earnings Date")
    )
    assert [(e.ticker, e.asked) for e in as_events(by_day)] == [("A", "2024-05-02 16:05-0400")]
    by_firm = pd.DataFrame({"date": ["2024-05-02"]}, index=pd.Index(["A"], name="ticker"))
    assert [(e.ticker, e.asked) for e in as_events(by_firm[by_firm["date"] > "2024"])] == [("A", "2024-05-02")]


# -- days -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (["02-May-2024", "3-Jun-2024"], ["2024-05-02", "2024-06-03"]),
        (["31/10/2024", "05/11/2024"], ["2024-10-31", "2024-11-05"]),
        (["10/31/2024", "05/11/2024"], ["2024-10-31", "2024-05-11"]),
        (["05.11.2024", "13.11.2024"], ["2024-11-05", "2024-11-13"]),
        ([20240502, 20240603], ["2024-05-02", "2024-06-03"]),
        (["2024-05-02 00:00:00", "2024-06-03"], ["2024-05-02", "2024-06-03"]),
        ([pd.Timestamp("2024-05-02"), dt.date(2024, 6, 3)], ["2024-05-02", "2024-06-03"]),
    ],
)
def test_days_are_read_as_those_of_price_files(written, days):
    assert [asked for _, asked in read(symbol=["A", "B"], date=written)] == days


def test_days_that_leave_day_and_month_open_are_refused_with_both_readings():
    message = refusal(pd.DataFrame({"symbol": ["A"], "date": ["05/11/2024"]}))
    assert "2024-11-05 or 2024-05-11" in message


@pytest.mark.parametrize(
    "written", [["2024-05-02", "31/10/2024"], ["soon", "2024-05-02"], ["31/10/2024", "10/31/2024"]]
)
def test_days_in_two_forms_are_refused(written):
    assert "write dates as 2025-01-27" in refusal(pd.DataFrame({"ticker": ["A", "B"], "date": written}))


# -- times of day ---------------------------------------------------------------------------------------------------

AFTER = [
    "amc",
    "After Market Close",
    "after_hours",
    "post-market",
    "PostMarket",
    "time-after-hours",
    "after the close",
    "After-Hours Trading",
]
AFTER += [
    "nach Börsenschluss",
    "nachbörslich",
    "après clôture",
    "después del cierre",
    "盘后",
    "引け後",
    "After the bell",
]
BEFORE = [
    "bmo",
    "Before Market Open",
    "pre-market",
    "time-pre-market",
    "before open",
    "before the bell",
    "vorbörslich",
    "盘前",
    "premarket",
]
DURING = [
    "dmh",
    "DMT",
    "during market hours",
    "intraday",
    "after the open",
    "while the market is open".replace(" is", ""),
]


@pytest.mark.parametrize("header", ["timing", "session", "hour", "announcement_time", "release window", "AMC/BMO/DMH"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (w, s)
        for s, ws in (("after the close", AFTER), ("before the open", BEFORE), ("during the session", DURING))
        for w in ws
    ],
)
def test_words_for_the_time_of_day_are_used_under_any_header(header, words, said):
    assert read(ticker=["A"], date=["2024-05-02"], **{header: [words]}) == [("A", f"2024-05-02 {said}")]


@pytest.mark.parametrize(
    "words", ["after market opening bell tomorrow", "evening", "close", "16", "AM", "after the close of 2 May"]
)
def test_words_that_are_not_known_stop_the_read(words):
    message = refusal(pd.DataFrame({"ticker": ["A"], "date": ["2024-05-02"], "time": [words]}))
    assert f"Row 1: the events table has {words!r} in the column 'time'" in message
    assert "'amc' (after the close)" in message


@pytest.mark.parametrize("value", ["16:20", "16:20:00", "4:20 PM", dt.time(16, 20), pd.Timedelta(hours=16, minutes=20)])
@pytest.mark.parametrize("header", ["time", "anntims", "Uhrzeit", "published"])
def test_a_clock_needs_a_zone_and_is_a_moment_with_one(value, header):
    table = pd.DataFrame({"ticker": ["A"], "date": ["2024-05-02"], header: pd.Series([value], dtype=object)})
    message = refusal(table)
    assert f"has the time 16:20 in the column {header!r}, but no time zone" in message
    events = table
    told(message.split("whose clock it is: ")[1].split(";")[0], events=events)
    assert as_events(events)[0].asked == "2024-05-02 16:20-0400"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("2024-05-02 16:20 ET", "2024-05-02 16:20-0400"),
        ("2024-05-02T20:20:00Z", "2024-05-02 20:20+0000"),
        ("2024-11-04 07:30 Europe/Berlin", "2024-11-04 07:30+0100"),
        ("2024-05-02 16:20-04:00", "2024-05-02 16:20-0400"),
        ("2024-05-02 09:00 UTC+9", "2024-05-02 09:00+0900"),
        ("2024-05-02 amc", "2024-05-02 after the close"),
        ("28.05.2024 nachbörslich", "2024-05-28 after the close"),
    ],
)
def test_the_time_of_day_may_stand_beside_the_day(written, asked):
    assert read(ticker=["A"], date=[written]) == [("A", asked)]


@pytest.mark.parametrize("zone", ["EST", "CET", "Mars/Base", "local", "+19:00"])
def test_zones_that_are_none_or_mean_two_are_refused(zone):
    table = pd.DataFrame({"ticker": ["A"], "date": ["2024-05-02"], "time": ["16:20"], "tz": [zone]})
    message = refusal(table)
    assert message.startswith("Row 1: Event A: ")
    assert zone in message


def test_an_exchange_beside_a_moment_places_it_and_one_that_is_none_is_named():
    table = pd.DataFrame({"ticker": ["A", "B"], "date": ["2024-05-02 16:45+00:00"] * 2, "exchange": ["XLON", "NASDAQ"]})
    found = as_events(table)
    assert [e.first_session() for e in found] == [pd.Timestamp("2024-05-03"), pd.Timestamp("2024-05-02")]
    assert found.unused == ()
    assert as_events(table.assign(exchange="Prime Market")).unused == ("exchange",)


def test_the_zone_may_stand_in_the_header():
    assert read(ticker=["A"], date=["2024-05-02"], **{"Time (Asia/Tokyo)": ["15:00"]}) == [
        ("A", "2024-05-02 15:00+0900")
    ]


def test_a_time_of_day_that_is_given_twice_is_refused():
    table = pd.DataFrame({"ticker": ["A"], "date": ["2024-05-02 16:20-04:00"], "timing": ["bmo"]})
    assert "gives the time of day twice, in date" in refusal(table)


def test_events_without_a_time_of_day_among_others_are_named():
    table = pd.DataFrame(
        {"ticker": list("ABCD"), "date": ["2024-05-02"] * 4, "timing": ["amc", None, "time-not-supplied", "0:00:00"]}
    )
    found = as_events(table)
    assert found.untimed == ("row 2 (B 2024-05-02)", "row 3 (C 2024-05-02)", "row 4 (D 2024-05-02)")
    assert as_events(table[["ticker", "date"]]).untimed == ()


@pytest.mark.parametrize(
    ("column", "cells"),
    [("peer", ["AMC", "AMC"]), ("after_hours", [True, False]), ("Pre-Market", ["yes", "no"]), ("bmo", [1, 0])],
)
def test_what_may_be_a_time_of_day_or_something_else_stops_the_read(column, cells):
    table = pd.DataFrame({"ticker": ["NVDA", "CNK"], "date": ["2024-05-02"] * 2, column: cells})
    message = refusal(table)
    assert f"in the column {column!r}, which may be the time of day or something else" in message
    assert as_events(told(message.split("else: ")[-1].rstrip("."), events=table)).unused == ()
    assert as_events(table.assign(**{column: ["amc", "bmo"]}).rename(columns={column: "timing"})).unused == ()


@pytest.mark.parametrize(
    "stamps",
    [["2024-05-02T20:06:11.000Z", ""], ["2024-05-02 16:06", "2024-05-02"], [pd.Timestamp("2024-05-02 16:06"), pd.NaT]],
)
def test_moments_beside_the_day_stop_the_read(stamps):
    table = pd.DataFrame({"ticker": ["A", "B"], "date": ["2024-05-02"] * 2, "accepted_at": stamps})
    assert "date and accepted_at, and each could be the day of the event" in refusal(table)


THREE = {"ticker": ["SAP", "BMW", "ALV"], "date": ["2024-05-02", "2024-05-03", "2024-05-06"]}


@pytest.mark.parametrize(
    ("column", "cells", "wrong"),
    [
        ("Marktphase", ["amc", "morning", "morning"], "row 2: the events table has 'morning'"),
        ("remarks", ["after the close", "--", "tbc by firm"], "row 3: the events table has 'tbc by firm'"),
        ("phase", ["AMC", "early", "early"], "row 2: the events table has 'early'"),
        ("reporting", ["After close (4:05 PM ET)"] * 3, "row 1: the events table has 'After close (4:05 PM ET)'"),
        ("note", ["came out after the close", "x", "y"], "row 1: the events table has 'came out after the close'"),
        ("tm", [162000, 70500, 93000], "row 1: the events table has '162000'"),
        ("hr", [16.33, 7.1, 9.5], "row 1: the events table has '16.33'"),
        ("ann_tm", [1620, 705, 930], "row 1: the events table has '1620'"),
        ("Call Time", ["late", "early", "late"], "row 1: the events table has 'late'"),
    ],
)
def test_one_time_of_day_makes_a_column_of_them_and_what_is_not_understood_stops_the_read(column, cells, wrong):
    table = pd.DataFrame({**THREE, column: cells})
    message = refusal(table)
    assert wrong.lower() in message.lower()
    assert f"in the column {column!r}, which holds times of day" in message
    assert as_events(told(message.split("else: ")[-1].rstrip("."), events=table)).unused == ()


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("is_amc", [True, False, True]),
        ("isAfterHours", [1, 0, 1]),
        ("outside trading hours", ["yes", "no", "no"]),
        ("PreMarketFlag", ["ja", "nein", "ja"]),
        ("released_post_close", [1.0, None, 0.0]),
        ("nachbörslich?", ["x", None, None]),
    ],
)
def test_yes_and_no_under_a_header_that_speaks_of_the_time_of_day_stop_the_read(column, cells):
    assert "may be the time of day or something else" in refusal(pd.DataFrame({**THREE, column: cells}))


def test_firms_titles_and_figures_are_no_times_of_day():
    table = pd.DataFrame(
        {
            **THREE,
            "company": ["AMC", "BMO", "x"],
            "title": ["Up after hours", "b", "c"],
            "after_hours_return": [0.1] * 3,
        }
    )
    assert as_events(table).unused == ("company", "after_hours_return")


@pytest.mark.parametrize("day", ["date", "Datum", "event_date"])
@pytest.mark.parametrize(
    "other", ["announced", "day0", "first trading session", "Publikation published", "tag_ann", "W"]
)
def test_a_second_column_of_other_days_stops_the_read_and_one_of_the_same_does_not(day, other):
    days = {"ticker": THREE["ticker"], day: THREE["date"]}
    table = pd.DataFrame({**days, other: ["20240502", "20240503", ""]})
    assert as_events(table).unused == (f"{other} (holds days)",)
    table[other] = ["20240502", "20240503", "20240507"]
    if other == "W" and day == "event_date":  # the day names itself, the other says nothing
        assert as_events(table).unused == ("W (holds days)",)
    else:
        assert f"{day} and {other}, and each could be the day of the event" in refusal(table)


@pytest.mark.parametrize("other", ["fiscal period end", "ExpiryDate", "last_updated", "datadate", "quarter"])
def test_days_that_by_name_are_others_are_named(other):
    assert as_events(pd.DataFrame({**THREE, other: ["2024-03-31"] * 3})).unused == (f"{other} (holds days)",)


def test_a_midnight_with_a_zone_is_a_day_and_asks_for_no_times():
    table = pd.DataFrame({"ticker": ["A", "B"], "date": [pd.Timestamp("2024-05-02", tz="UTC"), "2024-05-03"]})
    assert as_events(table).untimed == ()


def test_a_column_of_other_words_or_figures_is_no_time_of_day():
    found = as_events(
        pd.DataFrame(
            {"ticker": ["A", "B"], "date": ["2024-05-02"] * 2, "note": ["after", "before"], "eps": ["1.43", "16.20"]}
        )
    )
    assert found.unused == ("note", "eps")


def test_what_an_event_was_asked_for_makes_the_same_event():
    for when in (
        "2024-05-02",
        "2024-05-02 amc",
        "2024-05-02 pre-market",
        "2024-05-02 during market hours",
        "2024-05-02 16:20-04:00",
    ):
        event = es.Event("A", when)
        again = es.Event("A", event.asked)
        assert (again.asked, again.first_session()) == (event.asked, event.first_session())


# -- all together: tables against a truth known by construction -----------------------------------------------------

ZONES = {"XNYS": "America/New_York", "XLON": "Europe/London", "XTKS": "Asia/Tokyo", "XFRA": "Europe/Berlin"}
#: Clocks before the open, during the session and after the close, local to each exchange, early closes aside.
CLOCKS = {"before": ("06:30", "07:45"), "during": ("11:00", "12:31"), "after": ("20:15", "21:00")}
SAID = {"before": BEFORE, "during": DURING, "after": AFTER}


def made_up(rng: np.random.Generator) -> tuple[pd.DataFrame, str, list[pd.Timestamp]]:
    """Return a table of events, its exchange, and the session of each event."""

    def one(values):
        return values[int(rng.integers(len(values)))]

    exchange = one(list(ZONES))
    sessions = es.exchange_sessions(exchange, "2021-01-04", "2024-12-20")
    places = np.sort(rng.choice(len(sessions) - 3, 12, replace=False))
    local, when = sessions[places], [one(list(SAID)) for _ in places]
    truth = [sessions[p + (w == "after")] for p, w in zip(places, when, strict=True)]
    clocks = [one(CLOCKS[w]) for w in when]
    moments = [pd.Timestamp(f"{d:%Y-%m-%d} {c}", tz=ZONES[exchange]) for d, c in zip(local, clocks, strict=True)]
    form = one(["%Y-%m-%d", "%d-%b-%Y", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "stamp"])

    def days(index):
        return list(index) if form == "stamp" else [f"{d:{form}}" for d in index]

    day, time = (
        one(["date", "Event Date", "anndats", "rdq", "Datum", "fecha", "data"]),
        one(["time", "timing", "hour", "anntims", "slot"]),
    )
    kind = one(["words", "local clock", "UTC clock", "header", "moments", "text"])
    columns: dict[str, object] = {
        one(["ticker", "Symbol", "tic", "isin", "Firma", "gvkey"]): [f"F{i}" for i in range(12)]
    }
    if kind == "words":
        columns |= {day: days(local), time: [one(SAID[w]) for w in when]}
    elif kind == "local clock":
        columns |= {day: days(local), time: clocks, "tz": ZONES[exchange]}
    elif kind == "UTC clock":
        in_utc = [m.tz_convert("UTC") for m in moments]
        columns |= {
            day: days([m.tz_localize(None).normalize() for m in in_utc]),
            time: [f"{m:%H:%M:%S}" for m in in_utc],
            "timezone": "UTC",
        }
    elif kind == "header":
        columns |= {day: days(local), f"Time ({ZONES[exchange]})": clocks}
    elif kind == "moments":
        columns |= {day: [m.tz_convert(one(["UTC", "Asia/Kolkata", ZONES[exchange]])) for m in moments]}
    else:
        columns |= {day: [f"{m:%Y-%m-%d %H:%M} {ZONES[exchange]}" for m in moments]}
    columns |= {"eps": rng.normal(size=12).round(2), "sector": one(["Energy", "AMC"])} if rng.random() < 0.5 else {}
    columns.pop("sector", None) if columns.get("sector") == "AMC" else None
    table = pd.DataFrame(columns)
    return table[[table.columns[k] for k in rng.permutation(table.shape[1])]], exchange, truth


@pytest.mark.parametrize("seed", range(12))
def test_generated_lists_are_placed_as_they_were_made(seed):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        table, exchange, truth = made_up(rng)
        assert [e.first_session(exchange) for e in as_events(table)] == truth, table.to_string()


# -- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Symbol;Datum;Uhrzeit;Titel;;\nSAP;28.01.2025;nachbörslich;Zahlen, Q4;;\nBMW;14.03.2025;vorbörslich;;;\n;;;;;\n",
        "\ufeffsymbol\tdate\ttiming\ttitle\nSAP\t28-Jan-2025\tamc\tZahlen, Q4\nBMW\t14-Mar-2025\tbmo\t\n",
        'Results of the year\n\nticker,date,when,label\nSAP,2025-01-28,amc,"Zahlen, Q4"\n\nBMW,2025-03-14,bmo,\n',
    ],
)
def test_files_of_events_are_read_like_those_of_prices(tmp_path: Path, text: str):
    file = tmp_path / "events.csv"
    file.write_text(text, encoding="utf-8")
    found = as_events(str(file))
    assert [(e.ticker, e.asked) for e in found] == [
        ("SAP", "2025-01-28 after the close"),
        ("BMW", "2025-03-14 before the open"),
    ]
    assert list(as_events(file)) == list(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ticker,date\nSAP,2025-01-28,x\n", "row 1 has 3 fields, the header 2"),
        ("ticker,date,label\nSAP,2025-01-28\n", "row 1 has 2 fields, the header 3"),
        ("date\n2025-01-28\n", "'ticker' is not there"),
        ("ticker,date,date\nSAP,2025-01-28,2025-01-28\n", "column 'date' more than once"),
    ],
)
def test_files_that_are_wrong_say_why(tmp_path: Path, text: str, words: str):
    file = tmp_path / "events.csv"
    file.write_text(text)
    assert words in refusal(str(file))


def test_a_path_of_nothing_and_of_another_kind_of_file(tmp_path: Path):
    with pytest.raises(es.errors.DataMissing, match="There is no file"):
        as_events("nothing.csv")
    file = tmp_path / "events.feather"
    file.write_bytes(b"x")
    assert "read them with pandas and hand the table over" in refusal(file)


def test_parquet_files_of_events_are_read_with_the_reader_of_prices(tmp_path: Path):
    table = pd.DataFrame({"symbol": ["TTE", "ASML"], "Datum": ["2024-07-25", "2024-07-17"], "timing": ["bmo", None]})
    table.to_parquet(tmp_path / "events.parquet")
    assert list(as_events(tmp_path / "events.parquet")) == list(as_events(table))
    (tmp_path / "events.parquet").write_bytes(b"x")
    with pytest.raises(es.errors.DataUnfit, match="not readable as Parquet"):
        as_events(tmp_path / "events.parquet")


@pytest.mark.parametrize(
    ("encoding", "firm"), [("cp1252", "Société Générale"), ("shift_jis", "トヨタ"), ("utf-16", "Ørsted")]
)
def test_events_in_another_encoding_are_read_where_it_is_named(tmp_path: Path, encoding: str, firm: str):
    file = tmp_path / "ereignisse.csv"
    file.write_text(f"Name;Datum\n{firm};2024-02-08\n", encoding=encoding)
    with pytest.raises(es.errors.InvalidInput, match="encoding="):
        as_events(file)
    assert [(e.ticker, e.asked) for e in es.sources.read_events(file, encoding=encoding)] == [(firm, "2024-02-08")]
