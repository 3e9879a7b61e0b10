"""The report of a day: how unusual it was among ordinary days, for all shares, by group and share by share."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.figures.ordinary import NAMED_DAYS, Calendar, GroupDays, had_extreme_day
from eventstudy.prices.snapshot import universe_members
from eventstudy.report.findings import Findings
from eventstudy.report.tables import ReportTable, audit_table, checks_table, days_text
from eventstudy.statements import ABNORMAL, Numbers
from eventstudy.study.ordinary import FEWEST, TAIL, OrdinaryDays
from eventstudy.windows import Window
from eventstudy.wording import capital, iso_day, listed, long_day, number, p_text, percent, plural

#: Shares shown at each end; all are in the file.
SHOWN = 10
#: Days shown, those with the most extreme shares.
SHOWN_DAYS = 10
#: p-values below this stand out.
STANDS_OUT = 0.05
#: A mean with a p-value above this is nothing unusual; it hides shares that go both ways, this part of them at least on either side.
CALM, BOTH_SIDES = 0.2, 0.25
#: Groups that a sentence names.
NAMED = 4


def day_of(f: Findings) -> OrdinaryDays:
    """Return the ordinary days of a report of a day."""
    assert f.ordinary is not None
    return f.ordinary


def noun_of(f: Findings) -> str:
    """Return what the groups are called."""
    assert f.spec.ordinary_days is not None
    return f.spec.ordinary_days.groups


def _one_of(f: Findings) -> str:
    """Return what one group is called: a sector, an industry."""
    noun = noun_of(f)
    return noun.removesuffix("ies") + "y" if noun.endswith("ies") else noun.removesuffix("s")


@lru_cache(maxsize=1)
def names_of(f: Findings) -> dict[str, str]:
    """Return what each firm is called: by the study file, by a label that is its alone, by the list of the embedded prices, by its ticker."""
    events = f.everyone.panel.events
    tickers, labels = events.tickers.tolist(), events.labels.tolist()
    own = {ticker: label for ticker, label in zip(tickers, labels, strict=True) if label and labels.count(label) == 1}
    members = universe_members()["name"].to_dict() if f.prices.provenance.embedded else {}
    found = {**members, **own, **f.spec.names}
    return {ticker: found.get(ticker, ticker) for ticker in tickers}


def formula_of(f: Findings) -> str:
    """Return the formula of the model with names in place of tickers."""
    model = f.everyone.model
    left, equals, right = model.formula.partition("=")
    for ticker in model.columns:
        right = re.sub(rf"(?<![\w^.-]){re.escape(ticker)}(?![\w.-])", lambda found: f.spec.call(found[0]), right)
    return f"{left}{equals}{right}"


# -- What the figures show.


def calendar_of(f: Findings) -> Calendar:
    """Return the counts of extreme shares, day by day."""
    days = day_of(f)
    down, up, firms = (days.by_day[name].to_numpy() for name in ("down", "up", "firms"))
    apart = Window.of(f.spec.model.window)
    return Calendar(days.days, down, up, firms, days.day, TAIL, (apart.start, apart.end))


def groups_of(f: Findings) -> GroupDays:
    """Return the means of the groups, the most unusual first."""
    days, table = day_of(f), day_of(f).by_group
    names = list(map(str, table.index))
    means = days.group_means[names].to_numpy()
    columns = (table[name].to_numpy() for name in ("as_far", "low", "high"))
    return GroupDays(names, noun_of(f), days.days, means, days.day, *columns)


# -- Tables.


def _rows(table: pd.DataFrame) -> Iterator[tuple[Hashable, dict[Hashable, Any]]]:
    """Return each row with its own kinds of values, whole numbers whole."""
    return zip(table.index, table.to_dict("records"), strict=True)


def groups_table(f: Findings) -> ReportTable | None:
    """Return the mean abnormal return of each group, and where it stands among its ordinary days."""
    table = day_of(f).by_group
    if table.empty:
        return None
    rows = tuple(
        (
            str(name),
            str(row["firms"]),
            percent(row["abnormal"]),
            f"{row['as_far']} of {row['of']}",
            p_text(row["p"]),
            p_text(row["p_adjusted"]),
            str(row["up"]),
            str(row["down"]),
        )
        for name, row in _rows(table)
    )
    noun = capital(noun_of(f))
    headers = (
        capital(_one_of(f)),
        "Shares",
        "Mean abnormal",
        "Days as far",
        "p",
        "p, adjusted",
        "Extreme up",
        "Extreme down",
    )
    caption = f"{noun}: mean abnormal return on {long_day(day_of(f).date)} and on ordinary days, the most unusual first"
    return ReportTable("groups", caption, headers, rows, table.reset_index(), named_by=("group",))


def firms_table(f: Findings) -> ReportTable:
    """Return the shares with the lowest and with the highest abnormal returns; all of them in the file."""
    table, n = day_of(f).by_firm, len(day_of(f).by_firm)
    shown = table if n <= 2 * SHOWN else pd.concat([table.iloc[:SHOWN], table.iloc[n - SHOWN :].iloc[::-1]])
    named = names_of(f)
    rows = tuple(
        (
            named[str(firm)] if named[str(firm)] == firm else f"{named[str(firm)]} ({firm})",
            str(row["group"]),
            percent(row["abnormal"]),
            f"{row['as_far']} of {row['of']}",
            p_text(row["p"]),
        )
        for firm, row in _rows(shown)
    )
    headers = ("Share", capital(_one_of(f)), "Abnormal", "Days as far", "p")
    raw = table.reset_index()
    raw.insert(1, "name", [named[str(firm)] for firm in table.index])
    which = f", the {SHOWN} lowest and the {SHOWN} highest of {n}" if len(shown) < n else ""
    caption = f"Abnormal returns on {long_day(day_of(f).date)} and on ordinary days{which}"
    return ReportTable("shares", caption, headers, rows, raw, left=2, published=False)


def days_table(f: Findings) -> ReportTable:
    """Return the days with the most extreme shares; all days in the file."""
    table = day_of(f).by_day
    order = table.sort_values("extreme", ascending=False, kind="stable").head(SHOWN_DAYS)
    rows = tuple(
        (
            iso_day(pd.Timestamp(str(day))) + ("" if row["is_ordinary"] else ", the day"),
            str(row["extreme"]),
            str(row["up"]),
            str(row["down"]),
            percent(row["spread"], sign=False),
            percent(row["mean"]),
        )
        for day, row in _rows(order)
    )
    headers = ("Day", "Extreme shares", "Up", "Down", "Spread", "Mean abnormal")
    raw = table.reset_index()
    raw["date"] = [iso_day(day) for day in raw["date"]]
    caption = f"The {len(order)} of {len(table)} days with the most extreme shares"
    return ReportTable("days", caption, headers, rows, raw, published=False)


def _whole(value: float) -> str:
    return number(value, 0)


def whole_table(f: Findings) -> ReportTable:
    """Return where numbers of all shares together stand among ordinary days."""
    table = day_of(f).whole
    forms: dict[str, Callable[[float], str]] = {"spread": lambda v: percent(v, 2, sign=False), "mean": percent}
    titles = {
        "spread": "Standard deviation of abnormal returns across shares",
        "extreme": "Shares with an extreme day",
        "down": "… with one of their lowest days",
        "up": "… with one of their highest days",
        "mean": "Mean abnormal return",
    }
    rows = []
    for name, row in _rows(table):
        write = forms.get(str(name), _whole)
        middle = f"{write(row['low'])} to {write(row['high'])}"
        rows.append(
            (titles[str(name)], write(row["value"]), middle, f"{row['as_far']} of {row['of']}", p_text(row["p"]))
        )
    headers = ("All shares together", "The day", "Middle 95%", "Days as far", "p")
    raw = table.drop(columns="p_adjusted").reset_index()
    return ReportTable("together", "The day among ordinary days", headers, tuple(rows), raw, named_by=("what",))


#: Every table that a report of a day may have, in the order of the page; one without rows is None.
TABLES = (groups_table, firms_table, days_table, whole_table, audit_table, checks_table)


# -- Sentences.


@lru_cache(maxsize=1)
def day_sentences(f: Findings) -> dict[str, tuple[str, Numbers]]:
    """Return the sentences of a report of a day, by name or by the words that lead in, each with what it is held against."""
    numbers, hidden = day_numbers(f), _hidden(f)
    of_hidden = numbers
    if hidden is not None:
        own = {name: int(hidden[name]) for name in ("up", "down", "extreme", "as_far", "as_many", "firms")}
        counts = {**numbers.counts, **own}
        of_hidden = replace(numbers, counts=counts)
    found = {
        "standfirst": _standfirst(f),
        "method": _method(f),
        _spread_lead(f): _spread_sentence(f),
        "Without the common part": _median_sentence(f),
        capital(noun_of(f)): _groups_sentence(f),
        "What a mean hides": _hidden_sentence(f),
        "Share by share": _firms_sentence(f),
    }
    return {name: (text, of_hidden if name == "What a mean hides" else numbers) for name, text in found.items() if text}


def day_numbers(f: Findings) -> Numbers:
    """Return the numbers that the sentences of a report of a day may say."""
    days, whole = day_of(f), day_of(f).whole
    rest = days.from_median.whole
    own, groups = calendar_of(f).numbers(), groups_of(f).numbers() if len(day_of(f).by_group) else Numbers()
    named = days.by_firm["p_adjusted"] < STANDS_OUT
    first = days.by_firm.index[0], days.by_firm.index[-1], *days.by_firm.index[named]
    firms = {names_of(f)[str(firm)]: str(firm) for firm in first}
    values = {(str(firm), ABNORMAL, (0, 0)): float(days.by_firm["abnormal"][firm]) for firm in first}
    counts = {
        "as_wide": int(whole["as_far"]["spread"]),
        "spread": 100.0 * float(whole["value"]["spread"]),
        "usual_spread": 100.0 * _usual_spread(days),
        "alone": _alone(days.by_firm),
        "stand_out": int((days.by_group["p_adjusted"] < STANDS_OUT).sum()),
        "groups_alone": int(((days.by_group["as_far"] == 0) & days.by_group["abnormal"].notna()).sum()),
        "shares_out": int(named.sum()),
        "window_days": len(f.everyone.abnormal.estimation),
        "few": int(np.floor(TAIL * len(days.days))),
        "test_level": 100.0 * STANDS_OUT,
        **{f"rest_{name}": int(rest["value"][name]) for name in ("extreme", "up", "down")},
        "rest_as_many": int(rest["as_far"]["extreme"]),
    }
    spans = (Window(0, 0), Window.of(f.spec.model.window), f.everyone.abnormal.estimation)
    ends = {long_day(day): None for day in _ends(days)}
    return Numbers(
        names={**groups.names, **firms},
        values={**groups.values, **values},
        counts={**groups.counts, **own.counts, **counts},
        days={**ends, **own.days},
        spans=frozenset((w.start, w.end) for w in spans),
        quoted=frozenset([formula_of(f)]),
    )


def _ends(days: OrdinaryDays) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last ordinary day."""
    ordinary = days.days[days.ordinary]
    return ordinary[0], ordinary[-1]


def _usual_spread(days: OrdinaryDays) -> float:
    return float(days.by_day["spread"][days.ordinary].median())


def _standfirst(f: Findings) -> str:
    shown, n = calendar_of(f), calendar_of(f).numbers().counts
    when, more = long_day(shown.days[shown.day]), shown.as_many
    had = f"On {when}, {had_extreme_day(int(n['up']), int(n['down']), int(n['events']))}; the median ordinary day has {n['usual']:g}."
    rest = f"{_from_median(f)}."
    if not n["extreme"]:
        return f"{had} {rest}"
    if not more:
        return f"{had} That is more than on any of {n['ordinary']} ordinary days. {rest}"
    named = [long_day(shown.days[i]) for i in shown.others[: min(more, NAMED_DAYS)]]
    which = f": {listed(named)}" if more <= NAMED_DAYS else ""
    return f"{had} At least as many had one on {more} of {n['ordinary']} ordinary days{which}. {rest}"


def _spread_lead(f: Findings) -> str:
    """Return the words that lead in the spread: what its place among ordinary days allows."""
    row = day_of(f).whole.loc["spread"]
    if row["p"] <= STANDS_OUT:
        return "Wide apart"
    return "Unusually close together" if row["as_far"] >= (1.0 - STANDS_OUT) * row["of"] else "Not unusually wide apart"


def _spread_sentence(f: Findings) -> str:
    days = day_of(f)
    row = dict(_rows(days.whole))["spread"]
    return (
        f"The standard deviation of abnormal returns across shares was {percent(row['value'], 1, sign=False)}, on the median ordinary day it "
        f"was {percent(_usual_spread(days), 1, sign=False)}; on {row['as_far']} of {row['of']} ordinary days it was at least as large."
    )


def _groups_sentence(f: Findings) -> str:
    table = day_of(f).by_group
    if table.empty:
        return ""
    n, noun, ordinary = len(table), noun_of(f), len(day_of(f).days) - 1
    out, alone = table[table["p_adjusted"] < STANDS_OUT], table[(table["as_far"] == 0) & table["abnormal"].notna()]
    said = f"Of {n} {noun}, {_stand_out(len(out), 'mean abnormal return')}, allowing for all {n} at once{_among(out)}. "
    never, first = f"farther from zero than on any of {ordinary} ordinary days", table.iloc[0]
    if n == 1 and len(alone):
        return f"The mean abnormal return of {_named(alone)} was {never}."
    if len(alone):
        names = list(alone.index.astype(str)[:NAMED])
        whose = f"{len(alone)} {noun}, among them {listed(names)}" if len(alone) > NAMED else listed(names)
        return f"{said}{capital(never)} was that of {whose}."
    if len(out):
        return said.strip()
    where = f"{said}Farthest out among its own days is the" if n > 1 else "The"
    return f"{where} mean abnormal return of {_named(table, 1)}: on {int(first['as_far'])} of {int(first['of'])} ordinary days it was at least as far from zero."


def _named(groups: pd.DataFrame, most: int = NAMED) -> str:
    """Return the first groups with their means."""
    return listed(f"{name} ({percent(v)})" for name, v in groups["abnormal"].head(most).items())


def _among(groups: pd.DataFrame) -> str:
    """Return whom a count of groups is of, or the first of them."""
    return f"{': ' if len(groups) <= NAMED else ', among them '}{_named(groups)}" if len(groups) else ""


def _hidden(f: Findings) -> pd.Series | None:
    """Return the group whose mean hides most: ordinary itself, of firms with extreme days on both sides in an unusual number; or None."""
    table = day_of(f).by_group
    many = day_of(f).extremes_by_group.loc[table.index]
    table = table.assign(as_many=many["as_far"], extreme=table["up"] + table["down"])
    weaker = table[["up", "down"]].min(axis=1)
    hides = (table["p"] > CALM) & (many["p"] <= STANDS_OUT) & (weaker > 0) & (weaker >= BOTH_SIDES * table["extreme"])
    found = table[hides]
    return None if found.empty else found.iloc[int((found["extreme"] / found["firms"]).to_numpy().argmax())]


def _hidden_sentence(f: Findings) -> str:
    row = _hidden(f)
    if row is None:
        return ""
    extreme, up, down, firms, as_far, of, as_many = (
        int(row[name]) for name in ("extreme", "up", "down", "firms", "as_far", "of", "as_many")
    )
    return (
        f"The mean abnormal return of {row.name} ({percent(row['abnormal'], 1)}) is nothing unusual: on {as_far} of {of} ordinary days it was at least as "
        f"far from zero. Yet {extreme} of its {firms} shares had an extreme day, {up} up and {down} down, and at least as many of them on "
        f"{as_many or 'none'} of {of} ordinary days."
    )


def _firms_sentence(f: Findings) -> str:
    table = day_of(f).by_firm
    low, high = (
        f"{names_of(f)[str(firm)]} ({percent(table['abnormal'][firm])})" for firm in (table.index[0], table.index[-1])
    )
    alone, out = _alone(table), _firms_out(f)
    return (
        f"The lowest abnormal return and the highest: {low} and {high}. Farther from zero than on any ordinary day went "
        f"{plural(alone, 'share') if alone else 'no share'}. Allowing for all "
        f"{len(table)} at once, {_stand_out(len(out))}{': ' if 0 < len(out) <= NAMED else ''}{listed(out) if len(out) <= NAMED else ''}."
        f"{'' if out else _how_many_sentence(f)}"
    )


def _firms_out(f: Findings) -> list[str]:
    """Return what the firms are called that stand out among all."""
    table = day_of(f).by_firm
    return [names_of(f)[str(firm)] for firm in table.index[table["p_adjusted"] < STANDS_OUT]]


def _alone(firms: pd.DataFrame) -> int:
    """Return how many firms went farther than on any ordinary day, of those that have enough of them."""
    return int(((firms["as_far"] == 0) & (firms["of"] >= FEWEST)).sum())


def _how_many_sentence(f: Findings) -> str:
    """Say whether a day on which no share stands out was unusual for how many had an extreme day, by the p-value of their number."""
    if day_of(f).whole["p"]["extreme"] <= STANDS_OUT:
        return " The day was unusual for how many shares had an extreme day."
    return " Nor was it unusual how many shares had an extreme day."


def _stand_out(n: int, by: str = "") -> str:
    by = by and f" by {'its' if n < 2 else 'their'} {by}"
    return f"{n or 'none'} {'stands' if n < 2 else 'stand'} out at {100 * STANDS_OUT:g}%{by}"


def _from_median(f: Findings) -> str:
    """Say how many shares have an extreme day if each day is measured from its median share, whatever the benchmark did."""
    value = day_of(f).from_median.whole["value"].astype(int)
    return f"Measured from the median share of each day instead, {had_extreme_day(value['up'], value['down'])}"


def _median_sentence(f: Findings) -> str:
    row = dict(_rows(day_of(f).from_median.whole))["extreme"]
    many = f"; on {row['as_far']} of {row['of']} ordinary days at least as many had one" if row["value"] else ""
    return (
        "Where the benchmark is weighted by size, a few large firms can put all others on one side of it. "
        f"{_from_median(f)}{many}."
    )


def _method(f: Findings) -> str:
    days, ab, window = day_of(f), f.everyone.abnormal, Window.of(f.spec.model.window)
    most, (first, last) = int(np.floor(TAIL * len(days.days))), _ends(days)
    return (
        f"Every day of the prices is taken as an event day of its own: {f.everyone.model.name} ({formula_of(f)}), estimated on the "
        f"{len(ab.estimation)} sessions {days_text(ab.estimation)} before it. Ordinary are the {len(days.days) - 1} days from {long_day(first)} to "
        f"{long_day(last)} that have so many before them and lie outside {days_text(window)} around the day asked about; what else happened on "
        f"them is not looked at. A share has an extreme day if at most {100 * TAIL:g}% of its days lie as far out on that side: its {most} lowest and its "
        f"{most} highest. Days as far: ordinary days on which a number was at least as far from zero; p is one more than these over one more "
        "than all ordinary days. Adjusted p-values take for each day the row that is farthest out."
    )


def headings(f: Findings) -> Mapping[str, str]:
    """Return the headings that depend on what the groups are called."""
    return {"groups": capital(noun_of(f)) if len(day_of(f).by_group) else ""}
