"""Tables of events in a study: the time of day decides the session, and nothing of a table is dropped without a word.

``tests/data/earnings.csv`` holds 350 quarterly results of 27 firms, 2022 to 2025: ``time`` is New York's clock of the filing with the SEC, or AMC
and BMO of Yahoo's calendar.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handed_in import DAYS, MODEL, SPEC, returns

import eventstudy as es

EARNINGS = Path(__file__).resolve().parents[1] / "data" / "earnings.csv"


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    return es.load_prices()


@pytest.fixture(scope="module")
def earnings() -> pd.DataFrame:
    return pd.read_csv(EARNINGS)


STUDY = es.EventStudy(model=es.MarketAdjusted("SPY"), estimation=(-60, -21), window=(-1, 1))


def by_hand(table: pd.DataFrame, prices: es.Prices) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return abnormal returns (firm less SPY) of the session before, of and after the news, by firm and row, with a loop over raw closes."""
    days, closes = prices.adj_close.index, prices.adj_close
    out = {}
    for ticker, day, time in zip(table["ticker"], table["date"], table["time"], strict=True):
        place = days.get_loc(pd.Timestamp(day))
        late = time == "AMC" or (isinstance(time, str) and time[0].isdigit() and int(time[:2]) >= 16)
        place += 1 if late else 0
        own, market = closes[ticker].to_numpy(), closes["SPY"].to_numpy()
        out[ticker, day] = tuple(own[p] / own[p - 1] - market[p] / market[p - 1] for p in (place - 1, place, place + 1))
    return out


def test_earnings_with_their_time_of_day_react_on_day_0_as_a_loop_says(prices, earnings):
    result = STUDY.run(prices, earnings.assign(zone="America/New_York"))
    right = by_hand(earnings, prices)
    asked = [
        (t, a[:10]) for t, a in result.audit.loc[result.audit["kept"], ["ticker", "asked"]].itertuples(index=False)
    ]
    assert len(asked) == result.abnormal.n == 329
    np.testing.assert_allclose(result.ar.to_numpy(), [right[key] for key in asked], rtol=0, atol=1e-12)
    before, on, after = result.ar.abs().mean()
    assert on > 3 * max(before, after)
    assert (
        result.audit["remark"] == "after the close: next session"
    ).sum() == 274  # as the list's own description counts


def test_the_same_list_without_its_times_reacts_a_session_too_late(prices, earnings):
    table = earnings[["ticker", "date"]]
    before, on, after = STUDY.run(prices, table).ar.abs().mean()
    assert after > 2.5 * max(before, on)


def reaction(result: es.EventStudyResult) -> list[str]:
    return [c.value for c in result.checks if c.name == "Day of the reaction"]


def test_a_list_whose_times_were_lost_is_told_the_day_that_moves(prices, earnings):
    table = earnings[["ticker", "date"]]
    lost = STUDY.run(prices, table)
    by_date = (
        pd.DataFrame(np.abs(lost.abnormal.sar)).groupby(lost.audit.loc[lost.audit["kept"], "session"].to_numpy()).mean()
    )
    _, on, after = by_date.mean()
    assert reaction(lost) == [f"day +1 moves {after / on:.1f} times as much as day 0, over {len(by_date)} dates"]
    assert "say so (a column timing" in str(lost)
    assert reaction(STUDY.run(prices, earnings.assign(zone="America/New_York"))) == []
    days = prices.adj_close.index
    late = table.assign(date=[days[days.get_loc(pd.Timestamp(d)) + 2] for d in table["date"]])
    assert reaction(STUDY.run(prices, late))[0].startswith("day -1 moves")


def test_events_that_move_nothing_are_hardly_ever_told_another_day():
    rng = np.random.default_rng(11)
    told = 0
    for _ in range(60):
        days = es.exchange_sessions("XNYS", "2022-01-03", "2024-12-20")
        table = pd.DataFrame(
            rng.standard_t(4, (len(days), 13)) * 0.01, index=days, columns=["MKT", *(f"F{i}" for i in range(12))]
        )
        events = [es.Event(f"F{i}", days[k]) for i, k in enumerate(rng.choice(np.arange(200, 700), 12, replace=False))]
        told += bool(
            reaction(
                es.EventStudy(model=es.MarketModel("MKT"), estimation=(-120, -11), window=(-2, 2)).run(table, events)
            )
        )
    assert told == 0


def test_what_of_the_list_was_not_used_is_said_once_with_the_result(prices, earnings):
    result = STUDY.run(prices, earnings.assign(zone="America/New_York"))
    (check,) = [c for c in result.checks if c.name == "Table of events"]
    assert check.value == "columns not used: surprise_percent"
    assert not check.passed
    assert check.comment == (
        "2 of 350 events have no time of day and were placed by their date alone: row 58 (ARM 2025-02-05); row 87 (CEG 2022-02-25)"
    )
    for shown in (str(result), result._repr_html_()):
        assert shown.count("columns not used: surprise_percent; 2 of 350 events") == 1
    assert any(c["name"] == "Table of events" for c in result.to_dict()["checks"])


def test_clock_times_without_a_zone_stop_the_study_and_the_line_given_mends_it(prices, earnings):
    with pytest.raises(es.errors.InvalidInput, match="time 16:32 in the column 'time', but no time zone") as caught:
        STUDY.run(prices, earnings)
    events = earnings.copy()
    exec(caught.value.message.split("whose clock it is: ")[1].split(";")[0], {"events": events})  # noqa: S102
    assert STUDY.run(prices, events).abnormal.n == 329


@pytest.mark.parametrize(
    ("column", "late", "early"),
    [
        ("timing", "AMC", "BMO"),
        ("hour", "after_hours", "pre-market"),
        ("Uhrzeit", "nach Börsenschluss", "vor Börsenbeginn"),
        ("anntims", "16:05:00", "07:30:00"),
        ("session", "post-market", "during market hours"),
    ],
)
def test_a_made_up_reaction_lands_on_day_0_under_any_word_and_with_any_calendar(column, late, early):
    table = returns()
    days = [DAYS[k] for k in (200, 220, 240, 260)]
    for place, day in enumerate(days):  # the news of every second day comes after its close
        table.loc[DAYS[DAYS.get_loc(day) + place % 2], "A"] += 0.5
    events = pd.DataFrame({"Symbol": "A", "event_date": [f"{d:%d-%b-%Y}" for d in days], column: [early, late] * 2})
    for calendar in ("XNYS", None):
        result = es.EventStudy(model=MODEL, calendar=calendar, **SPEC).run(table, events.assign(tz="America/New_York"))
        assert result.ar.abs().idxmax(axis=1).tolist() == [0, 0, 0, 0]
        assert not [c for c in result.checks if c.name == "Table of events"]


def test_events_with_a_time_of_day_survive_export_and_the_way_back():
    events = pd.DataFrame(
        {
            "ticker": list("ABC"),
            "date": [f"{d:%Y-%m-%d}" for d in DAYS[[200, 220, 240]]],
            "timing": ["amc", "bmo", "dmh"],
        }
    )
    study = es.EventStudy(model=MODEL, **SPEC)
    first = study.run(returns(), events)
    again = study.run(returns(), [es.Event(e["ticker"], e["asked"]) for e in first.to_dict()["events"]])
    pd.testing.assert_frame_equal(first.ar, again.ar)
    assert first.audit["asked"].str[11:].tolist() == ["after the close", "before the open", "during the session"]
    assert first.audit["remark"].tolist() == ["after the close: next session", "", ""]


def test_a_path_of_a_file_is_read_as_the_table_in_it(tmp_path: Path):
    file = tmp_path / "news.csv"
    file.write_text(f"Ticker;Datum;Timing\nA;{DAYS[200]:%d.%m.%Y};amc\nB;{DAYS[216]:%d.%m.%Y};bmo\n")
    study = es.EventStudy(model=MODEL, **SPEC)
    pd.testing.assert_frame_equal(
        study.run(returns(), str(file)).ar, study.run(returns(), pd.read_csv(file, sep=";")).ar
    )


def test_a_study_folder_reads_the_same_file_and_says_the_same(tmp_path: Path):
    folder = tmp_path / "quarter"
    folder.mkdir()
    (folder / "study.toml").write_text(
        'title = "Results"\nevent = "results"\n[model]\nbenchmark = "SPY"\nwindow = [-1, 1]\n'
    )
    (folder / "events.csv").write_text("tic;anndats;time;eps\nMETA;01-Feb-2024;amc;5,33\nIBM;24-Jul-2024;;2,43\n")
    result = es.load_study(folder).run()
    assert result.audit["session"].tolist() == ["2024-02-02", "2024-07-24"]
    (check,) = [c for c in result.checks if c.name == "Table of events"]
    assert (check.value, check.comment[:35]) == ("columns not used: eps", "1 of 2 events have no time of day a")
