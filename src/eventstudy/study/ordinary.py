"""How unusual a day was: abnormal returns of the same firms on every other day on which the same study can be made.

Each day is an event day of its own: the model is estimated on the days before it, as far back as for the day that is asked about. No
distribution is assumed; a number of the day is compared with the same number of the ordinary days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit
from eventstudy.estimation.abnormal import nan_mean
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.events import EventList
from eventstudy.prices.table import Prices
from eventstudy.study.results import EventStudyResult
from eventstudy.study.run import EventStudy, unchecked
from eventstudy.windows import Window
from eventstudy.wording import iso_day, plural

#: A firm's day is among its extreme ones if at most this share of its days lie as far out on that side.
TAIL = 0.025
#: Fewest ordinary days: with fewer no day can be among the extreme ones of a side, and no p-value is below 5 %.
FEWEST = 40
#: Fewest firms of which a day is compared as a whole, and fewest with a number for a day to count.
FEWEST_FIRMS, FEWEST_THERE = 5, 2


@dataclass(frozen=True, eq=False)
class Place:
    """Where the day stands among the ordinary days, arrays of shape (K,) for K series.

    Attributes
    ----------
    value : ndarray
        The day's own number.
    as_far : ndarray of int
        Ordinary days whose number is at least as large, sign left out.
    of : ndarray of int
        Ordinary days that have one.
    p : ndarray
        ``(1 + as_far) / (1 + of)``: the chance that a day drawn from all of them is as far out, NaN where the day has no number.
    p_adjusted : ndarray
        The same of the series that is farthest out on each day, numbers in units of the series' root mean square over all days: the chance
        that a day has any series as far out.
    low, high : ndarray
        The range that holds the middle 95 % of the ordinary days.
    """

    value: FloatArray
    as_far: IntArray
    of: IntArray
    p: FloatArray
    p_adjusted: FloatArray
    low: FloatArray
    high: FloatArray


def place_among(values: FloatArray, day: int, ordinary: BoolArray) -> Place:
    """Return where one day stands among the ordinary ones.

    Parameters
    ----------
    values : ndarray, shape (D, K)
        A number a day and series; NaN where there is none.
    day : int
        The row that is asked about.
    ordinary : ndarray of bool, shape (D,)
        The rows that it is compared with.

    Notes
    -----
    The p-value is that of a permutation test of which day is the event: exact if days are exchangeable. The adjusted one is the single-step
    maximum of Westfall and Young (1993), which keeps the dependence of the series of one day.
    """
    size = np.abs(values)
    own, others = size[day], size[ordinary]
    known, seen = np.isfinite(own), np.isfinite(others)
    with np.errstate(invalid="ignore"):
        as_far = (others >= own).sum(axis=0)
    of = seen.sum(axis=0)
    unit = np.sqrt(nan_mean(np.vstack([own[None], others]) ** 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = np.where(seen, others / unit, -np.inf).max(axis=1, initial=-np.inf)
        any_as_far = (largest[:, None] >= own / unit).sum(axis=0)
    ends, there = np.full((2, values.shape[1]), np.nan), of > 0
    if there.any():
        ends[:, there] = np.nanquantile(values[ordinary][:, there], [TAIL, 1.0 - TAIL], axis=0)
    return Place(
        value=values[day],
        as_far=np.where(known, as_far, 0),
        of=of,
        p=np.where(known, (1.0 + as_far) / (1.0 + of), np.nan),
        p_adjusted=np.where(known, (1.0 + any_as_far) / (1.0 + len(others)), np.nan),
        low=ends[0],
        high=ends[1],
    )


def extremes(values: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which days are among the lowest, and which among the highest, of a series, shape (D, K) each.

    Those of which at most `TAIL` of all days of the series, itself included, lie as far out: of 170 days the 4 lowest and the 4 highest. All
    days are counted alike, so that the number of such series may be compared between days.
    """
    n = np.isfinite(values).sum(axis=0)
    ranks = [pd.DataFrame(side).rank(axis=0, method="max").to_numpy() for side in (values, -values)]
    low, high = (np.asarray(rank <= TAIL * n) for rank in ranks)
    return low, high


@dataclass(frozen=True, eq=False)
class OrdinaryDays:
    """Abnormal returns of the firms of a study on its day and on ordinary days.

    Attributes
    ----------
    days : DatetimeIndex, shape (D,)
        The day and the ordinary ones, ascending.
    day : int
        The place of the day.
    firms, groups : tuple of str, length K
        The firms, and the group of each.
    values : ndarray, shape (D, K)
        Abnormal returns as fractions of prices; NaN where there is none.
    """

    days: pd.DatetimeIndex
    day: int
    firms: tuple[str, ...]
    groups: tuple[str, ...]
    values: FloatArray

    @property
    def ordinary(self) -> BoolArray:
        """Which days are ordinary, shape (D,)."""
        return np.asarray(np.arange(len(self.days)) != self.day, dtype=np.bool_)

    @property
    def date(self) -> pd.Timestamp:
        """The day."""
        return self.days[self.day]

    @cached_property
    def _extremes(self) -> tuple[BoolArray, BoolArray]:
        return extremes(self.values)

    @cached_property
    def by_day(self) -> pd.DataFrame:
        """One row a day.

        ``firms`` with a number; ``spread``, the standard deviation of their abnormal returns (a fraction); ``mean``; ``down`` and ``up``,
        how many of them have one of their lowest and of their highest days; ``extreme``, both; ``is_ordinary``.
        """
        down, up = (side.sum(axis=1) for side in self._extremes)
        return pd.DataFrame(
            {
                "firms": np.isfinite(self.values).sum(axis=1),
                "spread": np.nanstd(self.values, axis=1, ddof=1),
                "mean": nan_mean(self.values.T),
                "down": down,
                "up": up,
                "extreme": down + up,
                "is_ordinary": self.ordinary,
            },
            index=self.days.rename("date"),
        )

    @cached_property
    def from_median(self) -> OrdinaryDays:
        """The same, each day measured from its median firm."""
        return replace(self, values=self.values - np.nanmedian(self.values, axis=1, keepdims=True))

    def _placed(self, values: FloatArray) -> dict[str, np.ndarray]:
        found = place_among(values, self.day, self.ordinary)
        return {
            "abnormal": found.value,
            "as_far": found.as_far,
            "of": found.of,
            "p": found.p,
            "p_adjusted": found.p_adjusted,
            "low": found.low,
            "high": found.high,
        }

    @cached_property
    def group_means(self) -> pd.DataFrame:
        """Mean abnormal return of each group on each day, days × groups."""
        names = pd.Index(self.groups)
        there = [name for name in sorted(set(self.groups)) if name]
        means = {name: nan_mean(self.values[:, np.flatnonzero(names == name)].T) for name in there}
        return pd.DataFrame(means, index=self.days.rename("date"))

    @cached_property
    def by_group(self) -> pd.DataFrame:
        """One row a group, the most unusual first: `Place` of its mean abnormal return, ``firms``, and how many of them ``down`` and ``up``."""
        means = self.group_means
        names, (low, high) = pd.Index(self.groups), self._extremes
        table = pd.DataFrame(self._placed(means.to_numpy()), index=means.columns.rename("group"))
        members = [names == name for name in means.columns]
        there = np.isfinite(self.values[self.day])
        table.insert(0, "firms", [int(there[m].sum()) for m in members])
        table["down"] = [int(low[self.day, m].sum()) for m in members]
        table["up"] = [int(high[self.day, m].sum()) for m in members]
        table["farness"] = table["abnormal"].abs() / np.sqrt((means**2).mean())
        table["gone"] = table["abnormal"].isna()
        order = table.sort_values(["gone", "as_far", "farness"], ascending=[True, True, False], kind="stable")
        return order.drop(columns=["gone", "farness"])

    @cached_property
    def extremes_by_group(self) -> pd.DataFrame:
        """One row a group: `Place` of how many of its firms have an extreme day, ``value`` their number."""
        groups, (low, high) = self.group_means.columns, self._extremes
        members = np.array(self.groups, dtype=object)[:, None] == groups.to_numpy(dtype=object)
        counts = (low | high).astype(np.float64) @ members.astype(np.float64)
        table = pd.DataFrame(self._placed(counts), index=groups.rename("group"))
        return table.rename(columns={"abnormal": "value"})

    @cached_property
    def by_firm(self) -> pd.DataFrame:
        """One row a firm with a number on the day, ascending: ``group``, `Place` of its abnormal return, ``extreme`` (-1 low, 1 high, 0)."""
        low, high = self._extremes
        table = pd.DataFrame(self._placed(self.values), index=pd.Index(self.firms, name="firm"))
        table.insert(0, "group", list(self.groups))
        table["extreme"] = high[self.day].astype(int) - low[self.day].astype(int)
        seen: pd.DataFrame = table[np.isfinite(table["abnormal"])]
        return seen.sort_values("abnormal", kind="stable")

    @cached_property
    def whole(self) -> pd.DataFrame:
        """`Place` of numbers of all firms together: ``spread``, ``extreme``, ``down``, ``up`` and ``mean``, one row each."""
        names = ["spread", "extreme", "down", "up", "mean"]
        values = self.by_day[names].to_numpy(dtype=np.float64)
        return pd.DataFrame(self._placed(values), index=pd.Index(names, name="what")).rename(
            columns={"abnormal": "value"}
        )


def ordinary_days(
    study: EventStudy,
    data: Prices | pd.DataFrame,
    result: EventStudyResult,
    factors: pd.DataFrame | None = None,
    apart: Window | None = None,
) -> OrdinaryDays:
    """Return the firms of a result on its event day, and on every other day of the data on which the study can be made.

    Parameters
    ----------
    study : EventStudy
        Model, estimation window and rules; of its event window only the event day is used.
    data : Prices or DataFrame
        What the result is of.
    result : EventStudyResult
        Events of one session, each firm once.
    factors : DataFrame, optional
        As in `EventStudy.run`.
    apart : Window, optional
        Days around the event that are not ordinary, by default the study's event window.

    Raises
    ------
    DataUnfit
        If the events are of several sessions, name a firm twice or are of fewer than `FEWEST_FIRMS`, or fewer than `FEWEST` ordinary days are left.
    """
    panel = result.panel
    firms = tuple(panel.events.tickers.tolist())
    if len(np.unique(panel.position)) != 1 or len(set(firms)) != len(firms):
        raise DataUnfit("Ordinary days are those of firms with one event each, all of one day; leave the others out.")
    if len(firms) < FEWEST_FIRMS:
        raise DataUnfit(
            f"The events are of {plural(len(firms), 'firm')}; how unusual a day was is told of at least {FEWEST_FIRMS} together. Of one firm result.plot_estimation_days() "
            "shows the day among others."
        )
    at = int(panel.position[0])
    before = max((-later for later in study.model.offsets), default=0) + (result.prices is not None)
    first = before - Window.of(study.estimation).start
    places = np.arange(first, len(panel.calendar))
    away = Window.of(study.window) if apart is None else apart
    places = places[(places == at) | (places < at + away.start) | (places > at + away.end)]
    _require_days(study, panel.calendar, at, first, int((places != at).sum()))
    days = panel.calendar[places]
    nothing = np.full(len(days) * len(firms), "", dtype=object)
    every = EventList(
        np.repeat(np.array(firms, dtype=object), len(days)),
        np.tile(days.to_numpy(dtype="datetime64[ns]"), len(firms)),
        nothing,
        nothing,
    )
    found, abnormal = unchecked(replace(study, window=(0, 0)), data, every, factors)
    values = np.full((len(days), len(firms)), np.nan)
    column = pd.Index(firms).get_indexer(pd.Index(found.events.tickers))
    values[days.get_indexer(found.sessions), column] = abnormal.as_fractions(abnormal.ar[:, 0])
    kept = (np.isfinite(values).sum(axis=1) >= FEWEST_THERE) | (places == at)
    _require_days(study, panel.calendar, at, first, int(kept.sum()) - 1)
    day = int(np.flatnonzero(places[kept] == at)[0])
    there = int(np.isfinite(values[kept][day]).sum())
    if there < FEWEST_FIRMS:
        raise DataUnfit(
            f"On {iso_day(panel.calendar[at])} {there} of {len(firms)} firms have an abnormal return; how unusual a day was is told of at least "
            f"{FEWEST_FIRMS} together. Name a day on which more of them have prices."
        )
    return OrdinaryDays(pd.DatetimeIndex(days[kept]), day, firms, tuple(panel.events.groups.tolist()), values[kept])


def _require_days(study: EventStudy, calendar: pd.DatetimeIndex, at: int, first: int, left: int) -> None:
    """Raise `DataUnfit` if the day lies before the first one on which the study can be made, or too few ordinary days are left."""
    if at >= first and left >= FEWEST:
        return
    possible = (
        f"the first possible day is {iso_day(calendar[first])}" if first < len(calendar) else "no day has so many"
    )
    early = f"The study of {iso_day(calendar[at])} looks back {first} sessions, and the data have {at} before it: {possible}."
    few = (
        f"The data of {iso_day(calendar[0])} to {iso_day(calendar[-1])} leave {plural(left, 'ordinary day')}, on which the study can be made (it looks back "
        f"{plural(first, 'session')}; {possible}), and {iso_day(calendar[at])} is compared with at least {FEWEST}."
    )
    if at >= first:
        raise DataUnfit(f"{few} Use a shorter estimation window, or more days.")
    raise DataUnfit(
        f"{early} It would be compared with {plural(left, 'ordinary day')}, of which at least {FEWEST} are needed. Use a shorter estimation window, prices "
        "that begin earlier, or a later day."
    )
