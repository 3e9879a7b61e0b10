"""Events as columns: keys that are written on demand, closed days settled once a day, days compared with exchanges by what they lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendars import _known, exchange_sessions, match_exchanges
from eventstudy.errors import InvalidInput
from eventstudy.events import Event, EventKeys, EventList, as_objects, event_keys, keys_of_events, locate_sessions
from eventstudy.sources.events import as_events

PLAIN = ["SAP", "BMW.DE", "ÖBB", "A B"]
LIKE_KEYS = ["SAP", "SAP 2021-03-04", "SAP #2", "SAP 2021-03-04 #2"]


def _events(g: np.random.Generator, names: list[str], count: int, days: int) -> tuple[EventList, np.ndarray]:
    when = np.datetime64("2021-03-01") + g.integers(0, days, count)
    tickers = as_objects([names[i] for i in g.integers(0, len(names), count)])
    none = np.full(count, "", dtype=object)
    return EventList(tickers, when.astype("datetime64[ns]"), none, none), when


@pytest.mark.parametrize("names", [PLAIN, LIKE_KEYS])
def test_keys_on_demand_are_those_that_were_written_at_once(names):
    g = np.random.default_rng(3)
    for _ in range(80):
        events, when = _events(g, names, int(g.integers(1, 50)), 5)
        told, keys = tuple(event_keys(events.tickers, [str(d) for d in when])), keys_of_events(events, when)
        assert keys == told
        assert told == keys
        assert tuple(keys) == told
        assert hash(keys) == hash(told)
        assert [keys[i] for i in range(-len(told), len(told))] == [*told, *told]
        assert np.asarray(keys, dtype=object).tolist() == list(told)
        assert pd.Index(keys).tolist() == list(told)
        assert keys.index(told[-1]) == told.index(told[-1])
        assert "no key" not in keys
        assert keys[1:] == told[1:]
        assert keys != told[1:]
        assert keys != "SAP"
        if isinstance(keys, EventKeys):
            chosen = g.integers(0, len(told), 7)
            assert list(keys.take(chosen)) == [told[i] for i in chosen]


def test_keys_of_many_events_are_no_text():
    events, when = _events(np.random.default_rng(4), PLAIN, 50, 5)
    assert isinstance(keys_of_events(events, when), EventKeys)


@pytest.mark.parametrize("rule", ["next", "previous", "drop"])
def test_closed_days_are_settled_as_event_by_event(rule):
    sessions = exchange_sessions("XETR", "2021-03-15", "2021-04-30")
    events, _ = _events(np.random.default_rng(5), PLAIN, 300, 80)
    one_by_one = [locate_sessions([event], sessions, "XETR", rule)[0] for event in events]
    places = locate_sessions(events, sessions, "XETR", rule)
    assert list(places) == one_by_one
    assert all(type(i) is int for i in (*places.remarks, *places.outside))


def test_the_first_event_on_a_closed_day_is_named():
    sessions = exchange_sessions("XETR", "2021-03-15", "2021-04-30")
    table = pd.DataFrame(
        {"ticker": ["SAP", "BMW", "ALV"], "date": pd.to_datetime(["2021-03-16", "2021-04-05", "2021-04-02"])}
    )
    with pytest.raises(InvalidInput, match="Event BMW: no session on Mon 2021-04-05"):
        locate_sessions(as_events(table), sessions, "XETR", "error")


@pytest.mark.parametrize("lacking", [0.004, 0.2])
def test_days_are_counted_alike_by_what_is_there_and_by_what_lacks(lacking):
    g = np.random.default_rng(6)
    days = exchange_sessions("XSTO", "2015-01-02", "2017-12-29")
    there = g.random((len(days), 9)) >= lacking
    there[:, 0] = True
    there[:, 1] = False
    there[:300, 2], there[500:, 3] = False, False  # listed late, and gone early
    there[:200, 4], there[201:, 4], there[200, 4] = False, False, True
    found, known = match_exchanges(days, there), _known()
    at = np.asarray((days - pd.Timestamp("1970-01-02")).days)
    for k in range(there.shape[1]):
        for e in (0, 7, known.names.index("XSTO")):
            mine = at[there[:, k]]
            held = (mine >= known.spans[e, 0]) & (mine <= known.spans[e, 1])
            assert found.known[k, e] == held.sum()
            assert found.closed[k, e] == held.sum() - known.open[e, mine[held]].sum()


def test_a_table_of_events_is_read_as_its_rows_are():
    g = np.random.default_rng(7)
    names = as_objects([" SAP ", "BMW", "600519", "ÖBB"])[g.integers(0, 4, 60)]
    table = pd.DataFrame(
        {"ticker": names, "date": pd.Timestamp("2021-03-01") + pd.to_timedelta(g.integers(0, 9, 60), "D")}
    )
    table["headline"] = as_objects(["results", "", "split"])[g.integers(0, 3, 60)]
    rows = [Event(t.strip(), str(d)[:10], label=h) for t, d, h in table.itertuples(index=False)]
    assert list(as_events(table)) == rows
    assert list(as_events(table.assign(ticker=table["ticker"].astype("category")))) == rows


@pytest.mark.parametrize("bad", ["", "B\tC", "B\x1b[0m"])
def test_the_row_of_a_name_that_is_none_is_named(bad):
    table = pd.DataFrame({"ticker": ["A", "A", "D", bad, bad], "date": pd.Timestamp("2021-03-01")})
    with pytest.raises(InvalidInput, match="Row 4: An event's ticker"):
        as_events(table)
