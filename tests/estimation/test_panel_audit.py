"""The audit: one row for each event asked for, with what was found and why it was kept or dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions

DAYS = exchange_sessions("XNYS", "2024-01-02", "2025-03-31")
ESTIMATION, WINDOW = (-120, -11), (-2, 2)


def returns(**changes: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    market = rng.normal(0.0003, 0.01, len(DAYS))
    table = pd.DataFrame({"MKT": market}, index=DAYS)
    for i, ticker in enumerate(("A", "B", "C")):
        table[ticker] = (0.8 + 0.2 * i) * market + rng.normal(0.0, 0.02, len(DAYS))
    return table.assign(**changes)


def run(table: pd.DataFrame, events: list[es.Event], **options: object) -> es.EventStudyResult:
    study = es.EventStudy(
        model=es.MarketModel("MKT"), estimation=ESTIMATION, window=WINDOW, **{"max_dropped": 1.0, **options}
    )
    return study.run(table, events)


def test_a_clean_event_has_a_clean_row():
    row = run(returns(), [es.Event("A", "2025-01-27", label="R1")]).audit.loc["A"]
    assert row.to_dict() == {
        "ticker": "A",
        "label": "R1",
        "asked": "2025-01-27",
        "session": "2025-01-27",
        "remark": "",
        "estimation_days": 110,
        "estimation_asked": 110,
        "event_days": 5,
        "event_asked": 5,
        "kept": True,
        "reason": "",
        "duplicate": False,
        "overlapping": False,
        "shared_date": False,
        "event_in_estimation": False,
    }


def test_a_moved_event_says_from_where_and_by_which_rule():
    result = run(returns(), [es.Event("A", "2025-01-20"), es.Event("B", "2025-01-27 16:30-05:00")])
    assert result.audit["session"].tolist() == ["2025-01-21", "2025-01-28"]
    assert result.audit["remark"].tolist() == [
        "no session on Mon 2025-01-20: next session",
        "after the close: next session",
    ]
    moved = next(c for c in result.checks if c.name == "Events on closed days")
    assert (moved.value, moved.passed) == ("1", False)
    assert "A: no session on Mon 2025-01-20: next session, 2025-01-21" in moved.comment
    assert "no session on Mon 2025-01-20" in repr(result)


@pytest.mark.parametrize(
    ("rule", "session", "kept"), [("next", "2025-01-21", True), ("previous", "2025-01-17", True), ("drop", "", False)]
)
def test_the_rule_for_closed_days_reaches_the_audit(rule, session, kept):
    result = run(returns(), [es.Event("A", "2025-01-20"), es.Event("B", "2025-01-27")], closed_day=rule)
    assert result.audit.loc["A", "session"] == session
    assert bool(result.audit.loc["A", "kept"]) is kept
    if not kept:
        assert result.audit.loc["A", "reason"] == "no session on Mon 2025-01-20, and closed_day is 'drop'"


def test_missing_days_are_counted_and_flagged():
    table = returns()
    table.loc["2024-11-01":"2024-11-08", "A"] = np.nan
    table.loc["2025-01-28", "A"] = np.nan
    result = run(table, [es.Event("A", "2025-01-27")])
    row = result.audit.loc["A"]
    assert (row["estimation_days"], row["event_days"], bool(row["kept"])) == (104, 4, True)
    failed = {c.name: c for c in result.checks if not c.passed}
    assert set(failed) == {"Complete event windows", "Complete estimation windows"}
    assert np.isnan(result.ar.loc["A", 1])
    assert result.ar.loc["A"].notna().sum() == 4


def test_a_missing_event_day_is_named_in_the_checks():
    table = returns()
    table.loc["2025-01-27", "A"] = np.nan
    check = next(c for c in run(table, [es.Event("A", "2025-01-27")]).checks if c.name == "Complete event windows")
    assert not check.passed
    assert check.comment.endswith("no return on the event day: A")


def test_dropped_events_keep_their_row_and_their_reason():
    events = [
        es.Event("A", "2025-01-27"),
        es.Event("B", "2024-02-01"),
        es.Event("C", "2025-03-31"),
        es.Event("C", "2030-01-02"),
    ]
    result = run(returns(), events)
    reasons = result.audit["reason"].tolist()
    assert result.audit["kept"].tolist() == [True, False, False, False]
    assert result.audit["kept"].dtype == bool
    assert reasons[1] == "11 usable returns in the estimation window [-120, -11], at least 30 needed"
    assert reasons[2] == "the event window [-2, +2] reaches beyond the data (2024-01-02 to 2025-03-31)"
    assert reasons[3] == "outside the data (2024-01-02 to 2025-03-31)"
    assert [d.reason for d in result.dropped] == reasons[1:]
    assert [d.event for d in result.dropped] == events[1:]
    assert result.events.tolist() == ["A"]


def test_repeats_are_flagged_from_the_second_on():
    result = run(returns(), [es.Event("A", "2025-01-27"), es.Event("B", "2025-01-27"), es.Event("A", "2025-01-27")])
    assert result.audit["duplicate"].tolist() == [False, False, True]
    check = next(c for c in result.checks if c.name == "Repeated events")
    assert (check.passed, check.value) == (False, "1")
    assert "A 2025-01-27 #2" in check.comment


@pytest.mark.parametrize(("second", "flag"), [("2025-01-31", True), ("2025-02-03", False)])
def test_windows_of_one_firm_overlap_if_they_share_a_day(second, flag):
    # [-2, +2] holds five sessions: 27 January + 4 sessions is the 31st, + 5 the 3rd of February.
    result = run(returns(), [es.Event("A", second), es.Event("A", "2025-01-27"), es.Event("B", "2025-01-28")])
    assert result.audit["overlapping"].tolist() == [flag, flag, False]
    assert next(c for c in result.checks if c.name == "Overlapping windows of one firm").passed is not flag


def test_shared_dates_are_flagged_and_named_in_the_checks():
    result = run(returns(), [es.Event("A", "2025-01-27"), es.Event("B", "2025-01-25"), es.Event("C", "2025-01-28")])
    assert result.audit["shared_date"].tolist() == [True, True, False]
    check = next(c for c in result.checks if c.name == "Independent dates")
    assert (check.passed, check.value) == (False, "2 dates for 3 events")
    assert "kp_bmp_t" in check.comment


def test_too_many_dropped_events_stop_the_study():
    events = [es.Event("A", "2025-01-27"), es.Event("B", "2024-01-05"), es.Event("C", "2025-01-27")]
    with pytest.raises(
        es.errors.DataUnfit, match=r"1 of 3 events \(33%\).*max_dropped allows 10%.*B 2024-01-05"
    ) as caught:
        run(returns(), events, max_dropped=0.1)
    assert [d.event.ticker for d in caught.value.facts["dropped"]] == ["B"]
    assert run(returns(), events, max_dropped=0.35).abnormal.n == 2


def test_a_firm_without_variation_is_dropped_after_the_fit_and_the_rest_is_untouched():
    table = returns(B=np.zeros(len(DAYS)))
    with_b = run(table, [es.Event(t, "2025-01-27") for t in "ABC"])
    without = run(table, [es.Event(t, "2025-01-27") for t in "AC"])
    assert with_b.audit["kept"].tolist() == [True, False, True]
    assert "no residual variation" in with_b.audit.loc["B", "reason"]
    pd.testing.assert_frame_equal(with_b.ar, without.ar)
    pd.testing.assert_frame_equal(with_b.tests((0, 1)), without.tests((0, 1)))


def test_windows_that_share_calendar_days_are_named_even_if_no_date_is_shared():
    near = run(returns(), [es.Event("A", "2025-01-27"), es.Event("B", "2025-01-28")])
    check = next(c for c in near.checks if c.name == "Independent dates")
    assert (check.passed, check.value) == (False, "2 dates for 2 events")
    assert "1 session apart: windows of more than 1 day share calendar days" in check.comment
    far = run(returns(), [es.Event("A", "2025-01-27"), es.Event("B", "2025-02-03")])
    assert next(c for c in far.checks if c.name == "Independent dates").passed


def test_an_earlier_event_inside_an_estimation_window_is_flagged():
    prices = es.load_prices(["NVDA", "META", "^GSPC"])
    study = es.EventStudy(es.MarketModel("^GSPC"))
    events = [es.Event("NVDA", "2024-05-23"), es.Event("NVDA", "2025-01-27"), es.Event("META", "2025-01-27")]
    result = study.run(prices, events)
    assert result.audit["event_in_estimation"].tolist() == [False, True, False]
    (check,) = [c for c in result.checks if c.name.startswith("Estimation windows without")]
    assert not check.passed
    assert "NVDA 2025-01-27" in check.comment
