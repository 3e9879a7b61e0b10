"""The report of a day: the committed one comes out the same, its numbers are those of the raw panel, and it shows all that its file says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import figures
from eventstudy.errors import StudyFileError
from eventstudy.report.builds.build import build, rebuild_differs
from eventstudy.report.charts import draw_charts
from eventstudy.report.day import firms_table, groups_table, names_of
from eventstudy.report.findings import Findings, compute
from eventstudy.report.story import sentences
from eventstudy.statements import read
from eventstudy.study.ordinary import OrdinaryDays

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "sp500"
DATA = ROOT / "src" / "eventstudy" / "data"

OTHER = """
title = "A forecast and its neighbours"
event = "Broadcom’s forecast"
notebooks = []

[prices]
start = "2023-06-01"
end = "2025-04-30"

[model]
benchmark = "SPY"
estimation = [-120, -21]
window = [-3, 3]
report = [[0, 0]]

[ordinary_days]
groups = "trades"
"""


def other_study(folder: Path, more: str = "", text: str = OTHER) -> Path:
    folder.mkdir(parents=True)
    groups = {"AVGO": "Chips", "AMD": "Chips", "MU": "Chips", "MSFT": "Software", "ORCL": "Software", "TSLA": "Cars"}
    rows = [f"{ticker},2024-12-13,{name}" for ticker, name in groups.items()]
    (folder / "events.csv").write_text("\n".join(["ticker,date,group", *rows]) + "\n", encoding="utf-8")
    (folder / "study.toml").write_text(more + text, encoding="utf-8")
    return folder


# -- The committed report.


def test_its_events_are_the_members_that_have_prices() -> None:
    events = pd.read_csv(REPORT / "events.csv", keep_default_na=False)
    members = es.sources.universe_members()
    there = members[members["has_prices"]]
    assert events["ticker"].tolist() == there.index.tolist()
    assert events["group"].tolist() == there["sector"].tolist()
    lost = members.index[~members["has_prices"]].tolist()
    said = es.load_study(REPORT).background
    assert f"{len(there)} of the {len(members)} members have prices" in said
    assert all(ticker in said for ticker in lost)


def test_the_readme_makes_its_events_and_names_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## A day among ordinary days\n")[2]
        .partition("\n## ")[0]
    )
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # noqa: S102
    made, kept = (pd.read_csv(p / "events.csv", keep_default_na=False).set_index("ticker") for p in (tmp_path, REPORT))
    pd.testing.assert_frame_equal(made[["date", "label", "group"]], kept[["date", "label", "group"]])
    keys = "\n".join(re.findall(r"^    (.*)$", section, flags=re.MULTILINE)[:12])
    (tmp_path / "study.toml").write_text(f'title = "T"\nevent = "E"\nnotebooks = []\n{keys}\n', encoding="utf-8")
    assert es.load_study(tmp_path).ordinary_days is not None


def test_its_numbers_are_those_of_the_raw_panel() -> None:
    """One matrix of returns, numpy, and nothing of the package."""
    panel = pd.read_csv(DATA / "sp500.csv.gz", index_col="date", parse_dates=True)
    index = pd.read_csv(DATA / "prices.csv.gz", index_col="date", parse_dates=True)["adj_close:^GSPC"]
    r = panel.pct_change(fill_method=None).to_numpy()
    m = index.reindex(panel.index).pct_change(fill_method=None).to_numpy()
    at = panel.index.get_loc("2025-01-27")
    days = [t for t in range(131, len(panel)) if t == at or abs(t - at) > 5]
    ar = np.full((len(days), r.shape[1]), np.nan)
    for k, t in enumerate(days):
        x, y = m[t - 130 : t - 10], r[t - 130 : t - 10]
        seen = np.isfinite(y)
        n = seen.sum(axis=0)
        x_mean = np.where(seen, x[:, None], 0).sum(axis=0) / n
        y_mean = np.where(seen, y, 0).sum(axis=0) / n
        dx = np.where(seen, x[:, None] - x_mean, 0.0)
        slope = (dx * np.where(seen, y, 0)).sum(axis=0) / (dx**2).sum(axis=0)
        ar[k] = r[t] - y_mean - slope * (m[t] - x_mean)
    own = days.index(at)
    shares = pd.read_csv(REPORT / "tables" / "shares.csv", keep_default_na=False).set_index("firm")
    names = panel.columns
    np.testing.assert_allclose(shares["abnormal"][names], ar[own], rtol=1e-7)
    # the panel has stale days of SW, which the study leaves out
    far = (np.abs(np.delete(ar, own, axis=0)) >= np.abs(ar[own])).sum(axis=0)
    assert [t for t in names if shares["as_far"][t] != far[names.get_loc(t)]] in ([], ["SW"])
    table = pd.read_csv(REPORT / "tables" / "days.csv").set_index("date")
    fourth = [np.sort(np.where(np.isfinite(s * ar), s * ar, np.inf), axis=0)[3] for s in (1, -1)]
    down, up = (((s * ar) <= limit).sum(axis=1) for s, limit in zip((1, -1), fourth, strict=True))
    label = panel.index[at].date().isoformat()
    assert (table["down"][label], table["up"][label]) == (down[own], up[own]) == (33, 145)
    assert table["spread"][label] == pytest.approx(ar[own].std(ddof=1), rel=1e-7)
    sector = es.sources.universe_members()["sector"][names].to_numpy()
    groups = pd.read_csv(REPORT / "tables" / "groups.csv").set_index("group")
    for name in groups.index:
        mean = np.nanmean(ar[:, sector == name], axis=1)
        assert groups["abnormal"][name] == pytest.approx(mean[own], rel=1e-6)
        assert groups["as_far"][name] == (np.abs(np.delete(mean, own)) >= abs(mean[own])).sum()


@pytest.mark.builds
@pytest.mark.slow
def test_the_committed_report_comes_out_the_same_and_is_read_to_the_last_number() -> None:
    differing = [r for r in rebuild_differs(es.load_study(REPORT)) if r.what not in ("manifest.json", "numbers.json")]
    assert differing == []
    words = json.loads((REPORT / "manifest.json").read_text(encoding="utf-8"))["words"]
    assert {name for name, kind in words.items() if kind != "certified"} <= {"title"}


# -- What may be said of made days: of no firm, with or without a day on which many, or whole groups, go far.


@pytest.fixture(scope="module")
def of_six(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return compute(es.load_study(other_study(tmp_path_factory.mktemp("made") / "forecast")))


def made(
    of_six: Findings, day: list[float], groups: list[str] | None = None, further: dict[int, list[float]] | None = None
) -> Findings:
    """The same firms on 200 days of noise and on days that are given, in standard deviations of a firm's days; the day is the 61st."""
    values = 0.01 * np.random.default_rng(3).normal(size=(200, 6))
    for place, given in {60: day, **(further or {})}.items():
        values[place] = 0.01 * np.array(given)
    ordinary = of_six.ordinary
    assert ordinary is not None
    found = OrdinaryDays(
        pd.bdate_range("2024-03-01", periods=200), 60, ordinary.firms, tuple(groups or ordinary.groups), values
    )
    return replace(of_six, ordinary=found)


@pytest.mark.parametrize("place", [0, 1, 198, 199])
def test_the_day_may_be_the_first_or_the_last(of_six: Findings, place: int) -> None:
    found = made(of_six, [0.0] * 6)
    assert found.ordinary is not None
    moved = replace(found, ordinary=replace(found.ordinary, day=place))
    days = found.ordinary.days.delete(place)
    first, last = (f"{day.day} {day:%B %Y}" for day in (days[0], days[-1]))
    assert f"Ordinary are the 199 days from {first} to {last} that" in said_of(moved)["method"]


def said_of(f: Findings) -> dict[str, str]:
    """Every sentence, each held against the numbers."""
    found = sentences(f)
    assert [(text, read(text, n)) for text, n in found.values() if not read(text, n).holds] == []
    return {name: text for name, (text, _) in found.items()}


def test_a_day_is_unusual_for_how_many_only_if_their_number_is(of_six: Findings) -> None:
    dull = made(of_six, [0.3, -0.4, 2.2, 0.1, 0.2, -0.3])
    assert dull.ordinary is not None
    assert dull.ordinary.whole["p"]["extreme"] > 0.05
    assert "unusual for how many" not in said_of(dull)["Share by share"]
    assert said_of(dull)["Share by share"].endswith("Nor was it unusual how many shares had an extreme day.")
    many = made(of_six, [2.5, -2.5, 2.6, -2.6, 2.4, 2.5])
    assert many.ordinary is not None
    assert many.ordinary.whole["p"]["extreme"] < 0.01
    assert "The day was unusual for how many shares had an extreme day" in said_of(many)["Share by share"]


def test_a_mean_hides_only_what_goes_both_ways(of_six: Findings) -> None:
    """Against counts by hand of each group's days."""
    hides = "What a mean hides"
    both = made(of_six, [2.9, -2.8, 2.7, -2.9, 0.1, 0.2], ["North"] * 4 + ["South"] * 2)
    found = both.ordinary
    assert found is not None
    low, high = (np.sort(s * found.values, axis=0)[int(0.025 * 200) - 1] for s in (1, -1))
    extreme = ((found.values <= low) | (-found.values <= high))[:, :4].sum(axis=1)
    mean = np.abs(found.values[:, :4].mean(axis=1))
    as_many, as_far = ((np.delete(x, 60) >= x[60]).sum() for x in (extreme, mean))
    assert extreme[60] == 4
    assert (
        f"on {as_far} of 199 ordinary days it was at least as far from zero. Yet 4 of its 4 shares had an extreme day, 2 up and 2 down, "
        f"and at least as many of them on {as_many or 'none'} of 199 ordinary days." in said_of(both)[hides]
    )
    # all one way, and a mean that is nearly unusual
    assert hides not in said_of(made(of_six, [-2.9, -2.8, 0.9, 1.6, 0.1, 0.2], ["North"] * 4 + ["South"] * 2))
    # one extreme share of a group, as on many a day
    assert hides not in said_of(made(of_six, [0.1, 2.6, -1.6, 0.9, -0.5, 0.2], ["North"] * 2 + ["South"] * 4))
    # every other one, but hardly any on the other side
    assert hides not in said_of(made(of_six, [2.4, 2.4, 2.4, 2.4, 2.4, -12.0], ["North"] * 6))


def test_groups_that_stand_out_are_named_first_and_falls_are_farther_not_larger(of_six: Findings) -> None:
    pairs = ["North", "North", "South", "South", "East", "East"]
    two = made(of_six, [-9.0, -8.0, 7.0, 6.5, 0.1, -0.2], pairs)
    assert two.ordinary is not None
    means = 100 * two.ordinary.values[60].reshape(3, 2).mean(axis=1)
    north, south = f"North (−{abs(means[0]):.2f}%)", f"South (+{means[1]:.2f}%)"
    assert said_of(two)["Trades"] == (
        f"Of 3 trades, 2 stand out at 5% by their mean abnormal return, allowing for all 3 at once: {north} and {south}. "
        "Farther from zero than on any of 199 ordinary days was that of North and South."
    )
    none = made(of_six, [0.3, -0.2, -1.5, -1.3, 0.1, 0.1], pairs)
    assert none.ordinary is not None
    as_far = none.ordinary.by_group["as_far"]["South"]
    assert as_far > 0
    assert said_of(none)["Trades"] == (
        "Of 3 trades, none stands out at 5% by its mean abnormal return, allowing for all 3 at once. Farthest out among its own days is the mean "
        f"abnormal return of South (−1.40%): on {as_far} of 199 ordinary days it was at least as far from zero."
    )
    alone = made(of_six, [0.1, -0.1, 0.2, 0.0, 0.0, 0.4], ["North"] * 6)
    assert said_of(alone)["Trades"].startswith("The mean abnormal return of North (+0.10%): on ")
    farther = made(of_six, [-7.0] * 6, ["North"] * 6)
    assert (
        said_of(farther)["Trades"]
        == "The mean abnormal return of North (−7.00%) was farther from zero than on any of 199 ordinary days."
    )
    # one day went farther, so that it stands out and is not alone
    beaten = made(of_six, [-6.0, -6.1, 0.2, 0.1, 0.1, 0.1], pairs, further={90: [7.0] * 6})
    assert said_of(beaten)["Trades"] == (
        "Of 3 trades, 1 stands out at 5% by its mean abnormal return, allowing for all 3 at once: North (−6.05%)."
    )
    alone = said_of(made(of_six, [0.1, 9.0, 0.2, 0.1, 0.1, 0.1]))["Share by share"]
    assert alone.endswith(f"Allowing for all 6 at once, 1 stands out at 5%: {list(names_of(of_six).values())[1]}.")
    many = made(of_six, [9.0, -9.0, 8.0, -8.0, 7.0, -7.0], ["A", "B", "C", "D", "E", "F"])
    assert (
        "6 stand out at 5% by their mean abnormal return, allowing for all 6 at once, among them"
        in said_of(many)["Trades"]
    )
    assert "was that of 6 trades, among them A, B, C and D" in said_of(many)["Trades"]


def test_the_words_before_the_spread_follow_it(of_six: Findings) -> None:
    leads = {
        "Wide apart": [5.0, -5.0, 3.0, -3.0, 2.0, 1.0],
        "Not unusually wide apart": [1.0, -1.0, 1.1, -0.9, 0.8, -1.2],
        "Unusually close together": [0.1, 0.11, 0.1, 0.12, 0.1, 0.1],
    }
    for lead, day in leads.items():
        assert [name for name in said_of(made(of_six, day)) if name in leads] == [lead]


def test_one_and_none_are_grammar_and_no_sentence_starts_with_a_figure(of_six: Findings) -> None:
    one = said_of(made(of_six, [-3.5, 0.1, 0.2, -0.3, 0.1, 0.2]))
    assert "On 24 May 2024, 1 of 6 shares had an extreme day, none up and 1 down; " in one["standfirst"]
    assert re.search(r"At least as many had one on \d+ of 199 ordinary days\.", one["standfirst"])
    assert re.search(
        r"instead, 1 share had an extreme day, none up and 1 down; on \d+ of 199 ordinary days at least as many had one\.",
        one["Without the common part"],
    )
    assert "Farther from zero than on any ordinary day went 1 share." in one["Share by share"]
    still = said_of(made(of_six, [0.1, 0.12, 0.11, 0.1, 0.1, 0.1]))
    assert still["standfirst"].startswith(
        "On 24 May 2024, no share of 6 had an extreme day; the median ordinary day has 0."
    )
    assert "At least as many" not in still["standfirst"]
    assert "instead, no share had an extreme day." in still["Without the common part"]
    assert "went no share." in still["Share by share"]
    many = said_of(made(of_six, [9.0, -9.0, 8.0, -8.0, 7.0, -7.0]))
    for text in (*one.values(), *still.values(), *many.values()):
        assert not re.search(r"(?:^|[.?!] )\d", text), text
        assert not re.search(r"\b0 (?:shares|up|down)|\b1 shares", text)


@pytest.mark.parametrize(
    ("noun", "one"), [("sectors", "Sector"), ("industries", "Industry"), ("trade groups", "Trade group")]
)
def test_a_group_is_called_as_the_study_file_calls_groups(of_six: Findings, noun: str, one: str) -> None:
    part = of_six.spec.ordinary_days
    assert part is not None
    spec = of_six.spec.model_copy(update={"ordinary_days": part.model_copy(update={"groups": noun})})
    found = replace(made(of_six, [2.0, -3.0, 1.0, 0.0, 0.0, 0.1]), spec=spec)
    groups = groups_table(found)
    assert groups is not None
    assert (groups.headers[0], firms_table(found).headers[1]) == (one, one)
    assert noun.capitalize() in said_of(found)


def test_tickers_have_names_wherever_they_are_written(tmp_path: Path) -> None:
    text = OTHER + '\n[names]\nSPY = "the fund on the S&P 500"\nAMD = "Advanced Micro Devices, Inc."\n'
    folder = other_study(tmp_path / "named", text=text)
    events = pd.read_csv(folder / "events.csv").assign(label="The forecast of Broadcom")
    events.loc[events["ticker"] == "TSLA", "label"] = "Tesla Motors"
    events.to_csv(folder / "events.csv", index=False)
    found = compute(es.load_study(folder))
    assert "SPY" not in said_of(found)["method"]
    assert "(R = alpha + beta × the fund on the S&P 500 + e)" in said_of(found)["method"]
    assert names_of(found)["AMD"] == "Advanced Micro Devices, Inc."
    assert names_of(found)["TSLA"] == "Tesla Motors"  # a label of its own, not one that all events share
    assert names_of(found)["MU"] == "Micron Technology"
    for chart in draw_charts(found):
        assert "Market model on the fund on the S&P 500." in figures.svg_bytes(chart.article).decode().replace(
            "\n", " "
        ) or ("the fund on the S&P 500" in chart.article.words.source)


def test_prices_of_a_file_give_no_names(of_six: Findings) -> None:
    """A ticker of somebody's file may be another firm's."""
    spec = of_six.spec.model_copy(update={"names": {"AMD": "A chip firm"}})
    prices = es.Prices.from_frame(of_six.prices.adj_close)
    own = replace(of_six, spec=spec, prices=prices)
    assert names_of(own) == {t: {"AMD": "A chip firm"}.get(t, t) for t in ("AVGO", "AMD", "MU", "MSFT", "ORCL", "TSLA")}
    assert "Broadcom" in names_of(of_six).values()


# -- Any day, any groups.


@pytest.mark.builds
def test_a_report_of_another_day_and_other_groups(tmp_path: Path) -> None:
    folder = other_study(tmp_path / "forecast")
    build(es.load_study(folder))
    page = (folder / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "On 13 December 2024, " in text
    assert "more than on any of" in text or "At least as many had one on" in text
    assert "Trades in numbers" in text
    again = text[text.index("Do it again") :]
    assert again.index("eventstudy build") < again.index("eventstudy run")
    files = re.findall(r"tables/\w+\.csv", again)
    assert files == [f"tables/{name}.csv" for name in ("together", "groups", "shares", "days")]
    assert all((folder / file).is_file() for file in files)
    assert "the result in a terminal" not in text
    assert "do not hold" not in text
    assert "This page uses no such test" in text
    assert "Broadcom" in (folder / "tables" / "shares.csv").read_text(
        encoding="utf-8"
    )  # of the list of the embedded prices
    assert sorted(p.stem for p in (folder / "figures").glob("*.svg")) == ["calendar", "groups"]
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))["numbers"]
    groups = pd.read_csv(folder / "tables" / "groups.csv").set_index("group")
    assert numbers["groups/Chips/p"]["value"] == pytest.approx(groups["p"]["Chips"])
    assert rebuild_differs(es.load_study(folder)) == ()


@pytest.mark.builds
def test_events_without_groups_make_a_page_without_them(tmp_path: Path) -> None:
    folder = other_study(tmp_path / "forecast")
    table = pd.read_csv(folder / "events.csv").drop(columns="group")
    table.to_csv(folder / "events.csv", index=False)
    build(es.load_study(folder))
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Trades" not in page
    assert [p.stem for p in (folder / "figures").glob("*.svg")] == ["calendar"]


def test_every_sentence_is_read_and_a_changed_number_is_caught(tmp_path: Path) -> None:
    found = compute(es.load_study(other_study(tmp_path / "forecast")))
    for name, (text, numbers) in sentences(found).items():
        assert read(text, numbers).holds, name
        for count in re.findall(r"(?<![\d.−+])\d+(?= (?:of|up|down|ordinary|shares|sessions) )", text):
            changed = text.replace(f"{count} ", f"{int(count) + 7} ", 1)
            assert not read(changed, numbers).holds, changed


@pytest.mark.parametrize(
    ("more", "named"),
    [('headline = ["AVGO"]\n', "headline"), ("pdf = true\n", "pdf"), ("timeline = 'timeline.csv'\n", "timeline")],
)
def test_what_it_would_not_show_is_refused(tmp_path: Path, more: str, named: str) -> None:
    with pytest.raises(StudyFileError, match=rf"ordinary_days\] makes a report of the day, in which {named} would not"):
        es.load_study(other_study(tmp_path / "forecast", more))


def test_too_few_days_and_volumes_are_refused(tmp_path: Path) -> None:
    short = OTHER.replace('start = "2023-06-01"', 'start = "2024-06-01"').replace("2025-04-30", "2025-01-15")
    with pytest.raises(StudyFileError, match=r"\[ordinary_days\]: .* leave \d+ ordinary days"):
        compute(es.load_study(other_study(tmp_path / "short", text=short)))
    volume = OTHER.replace("[model]", '[model]\nmeasure = "volume"')
    with pytest.raises(StudyFileError, match=r"is made of returns, and model\.measure is 'volume'"):
        es.load_study(other_study(tmp_path / "volume", text=volume))
    later = OTHER.replace("window = [-3, 3]\nreport = [[0, 0]]", "window = [1, 5]\nreport = [[1, 1]]")
    with pytest.raises(
        StudyFileError, match=r"ranks day 0 among ordinary days, and model\.window \[\+1, \+5\] does not hold it"
    ):
        es.load_study(other_study(tmp_path / "later", text=later))
