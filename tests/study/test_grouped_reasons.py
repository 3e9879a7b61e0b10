"""Reasons that many events share are said once, with their count and their names."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.study.summary import gap_lines, summary_html, summary_text
from eventstudy.windows import Window
from eventstudy.wording import by_reason

DAYS = exchange_sessions("XSTO", "2021-06-01", "2023-06-30")
FIRMS = [f"S{i:02d}" for i in range(28)]


def closes() -> pd.DataFrame:
    rng = np.random.default_rng(61)
    market = rng.normal(0, 0.01, len(DAYS))
    firms = {f: market * rng.uniform(0.5, 1.5) + rng.normal(0, 0.015, len(DAYS)) for f in FIRMS}
    return 80.0 * (1 + pd.DataFrame({"OMX": market, **firms}, index=DAYS)).cumprod()


def run(lost: dict[int, range], extra: int = 0) -> es.EventStudyResult:
    """Study a firm a week; the firms of a range lack the close of a relative day; so many events come before the data suffice."""
    table, places = closes(), {f: 260 + 8 * i for i, f in enumerate(FIRMS)}
    for day, firms in lost.items():
        for i in firms:
            table.iloc[places[FIRMS[i]] + day, table.columns.get_loc(FIRMS[i])] = np.nan
    events = [es.Event(f, str(DAYS[p].date())) for f, p in places.items()]
    events += [es.Event(f, str(DAYS[30].date())) for f in FIRMS[:extra]]
    study = es.EventStudy(es.MarketModel("OMX"), estimation=(-200, -11), window=(-2, 3), max_dropped=0.5)
    return study.run(es.Prices.from_frame(table), events)


@pytest.mark.parametrize("count", [9, 20])
def test_equal_gaps_are_counted_and_named_once(count):
    result = run({0: range(count), 2: range(count, count + 1)})
    (line,) = gap_lines(result, Window(-2, 3))
    names = re.findall(r"S\d\d", line)
    assert names == [*FIRMS[:6], FIRMS[count]]
    assert (
        f"{count} ({', '.join(FIRMS[:6])} and {count - 6} more): no price on day 0 (TradeToTrade bridges such gaps); {FIRMS[count]}: no price on day +2 ("
        in line
    )
    assert line.count("TradeToTrade") == 2
    assert len(line) < 400
    day = result.panel.sessions[count] + pd.Timedelta(0)
    assert f"{DAYS[DAYS.get_loc(day) + 2].date()}" in line  # one event's own reason keeps its dates
    assert line in summary_text(result, [Window(-2, 3)])


def test_dropped_events_share_their_reason():
    result = run({}, extra=12)
    check = next(c for c in result.checks if c.name == "Events kept")
    assert check.value == "28 of 40"
    assert check.comment.count("usable returns") == 1 or check.comment.count("reaches beyond") == 1
    assert check.comment.startswith("12 (")
    assert "and 6 more" in check.comment
    with pytest.raises(es.errors.DataUnfit, match=r"12 \(S00 2021-07-14, .* and 7 more\): ") as refused:
        es.EventStudy(es.MarketModel("OMX"), estimation=(-200, -11), window=(-2, 3)).run(
            es.Prices.from_frame(closes()), [es.Event(f, str(DAYS[30].date())) for f in FIRMS[:12]]
        )
    assert str(refused.value).count("usable returns") == 1


def test_a_window_in_which_no_event_has_a_sum_says_so_once():
    result = run({3: range(28)})
    text, page = summary_text(result, [Window(-2, 3)]), summary_html(result)
    assert text.count("no event has an abnormal return on every day of the window") == 1
    assert "No test applies: no event has an abnormal return on every day of the window." in text
    assert "No test applies" not in page  # day 0 alone is whole
    assert "28 (S00, S01, S02, S03, S04, S05 and 22 more): no price on day +3" in text


def test_windows_with_one_advice_share_a_line():
    rng = np.random.default_rng(3)
    table = closes()
    places = rng.integers(260, 290, 20)
    study = es.EventStudy(es.MarketModel("OMX"), estimation=(-200, -11), window=(-5, 5))
    result = study.run(
        es.Prices.from_frame(table), [es.Event(f, str(DAYS[p].date())) for f, p in zip(FIRMS, places, strict=False)]
    )
    text = summary_text(result)
    sentences = {result.recommended(w).sentence for w in (0, (0, 1), (-5, 5))}
    assert len(sentences) < 3
    assert text.count("\nDays [0, 0]") + text.count("\nDays [0, +1]") >= len(sentences)
    for sentence in sentences:
        assert text.count(sentence) == 1


def test_reasons_are_grouped_by_kind_in_their_order():
    rows = [("A", "late 1"), ("B", "gone"), ("C", "late 2"), ("D", "gone"), ("E", "gone")]
    assert by_reason(rows, 2) == ["A: late 1", "3 (B, D and 1 more): gone", "C: late 2"]
    assert by_reason(rows, 9, lambda r: re.sub(r" \d", "", r)) == ["2 (A, C): late", "3 (B, D, E): gone"]
    assert by_reason([], 3) == []
