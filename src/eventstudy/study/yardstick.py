"""Whether the benchmark holds the firms whose events are studied: an abnormal return is then measured against a part of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.deferred import chunks, is_many
from eventstudy.estimation.model import Fit, MarketModel, NormalReturnModel, centred, deviation, masked
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray, IntArray
from eventstudy.inference import recommend, run_test
from eventstudy.inference.result import LEVEL, t_two_sided
from eventstudy.prices.snapshot import universe_members
from eventstudy.prices.sp500 import INDEX_SERIES, IndexMembers, index_members, may_hold
from eventstudy.study.validity import NAMED, Check, event_day
from eventstudy.wording import first_few, iso_day, p_text, percent

#: Name of the check that says what of the benchmark are the events' own firms.
BENCHMARK_CHECK = "Benchmark without the events' firms"
#: An abnormal return is diluted by the factor 1 - βw; up to this βw one of -10 % is off by 0.2 points, less than its standard error.
NEGLIGIBLE = 0.02
#: A benchmark of which the events' firms explain so much is made of them: its own weights that drift leave 0.999.
MADE_OF, MADE_OF_MEAN = 0.999, 0.998
#: From this share of its variance on a benchmark is so much the events' firms that it may hold them.
LIKELY = 0.95
#: The share of a benchmark whose members are not known by which a printed abnormal return is told as it would be.
A_TENTH = 0.1
#: Dates whose firms are looked at, those with the most.
LOOK_AT = 20
#: Estimation days that a regression of the benchmark on the firms must have to spare.
TO_SPARE = 20
#: Returns of the rebuilt index agree with those of the index itself to this correlation (0.996 found), made-up ones do not.
AGREES = 0.98
#: Least share of the estimation days that the rebuilt index must cover.
COVERED = 0.9


@dataclass(frozen=True, slots=True)
class AgainstRest:
    """One event, or the average, against the benchmark and against the rest of it; changes as fractions of prices.

    ``scaled`` is what the change would be by the factor 1 - βw alone.
    """

    name: str
    change: float
    p: float
    against_rest: float
    p_rest: float
    share: float = 0.0
    diluted: float = 0.0
    scaled: float = 0.0
    single: bool = True

    @property
    def turns(self) -> bool:
        """Whether the verdicts differ."""
        return (self.p < LEVEL) != (self.p_rest < LEVEL)

    @property
    def words(self) -> str:
        """Both numbers, with their p-values."""
        before, after = (
            f"{percent(v)} (p {p_text(p)})" for v, p in ((self.change, self.p), (self.against_rest, self.p_rest))
        )
        return f"{self.name} {before} is {after}"


@dataclass(frozen=True, slots=True)
class BenchmarkCheck(Check):
    """The check with its numbers: the events against the rest of the benchmark, or how much of it (a fraction) their firms explain.

    ``plain`` says it without numbers, where what the benchmark holds is not known.
    """

    rows: tuple[AgainstRest, ...] = ()
    explained: float = 1.0
    without: tuple[str, ...] = ()
    one_date: bool = True
    plain: str = ""

    @property
    def turned(self) -> tuple[str, ...]:
        """The single events whose verdict is another one against the rest of the benchmark."""
        return tuple(r.name for r in self.rows if r.turns and r.single)


@dataclass(frozen=True, eq=False, slots=True)
class Explained:
    """Events of one date each, and how much of the benchmark's variance their firms explain on estimation days; of the dates with the most."""

    groups: tuple[IntArray, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, position: IntArray, panel: EventPanel) -> Explained:
        """Look at the dates of events of a panel; at none unless it has one benchmark."""
        groups = _dates(position) if len(panel.columns) == 1 else []
        return cls(tuple(groups), tuple(_explained(panel, group) for group in groups))


def made_of_the_firms(abnormal: AbnormalReturns, panel: EventPanel, explained: Explained) -> str:
    """Say that the benchmark is a combination of the events' firms, so that their average is zero by algebra, or return an empty text.

    Looks at the firms of each date: their mean, or any combination of them, explains the benchmark's returns of the estimation days.
    The average is void if that holds for at least half of the events looked at.
    """
    if len(panel.columns) != 1 or abnormal.n < 2:
        return ""
    groups = explained.groups
    held = sum(len(group) for group, share in zip(groups, explained.shares, strict=True) if share >= 1.0)
    alone = len(np.unique(abnormal.position)) - len(groups) if len(groups) < LOOK_AT else 0
    if not held or 2 * held < sum(map(len, groups)) + alone:
        return ""
    return f"{panel.columns[0]} is made of these firms, so their abnormal returns add up to zero whatever happened"


def _dates(position: IntArray) -> list[IntArray]:
    """Return the events of the dates that have several, the `LOOK_AT` largest first."""
    order = np.argsort(position, kind="stable").astype(np.int64)
    _, start = np.unique(position[order], return_index=True)
    groups = [group for group in np.split(order, start[1:]) if len(group) > 1]
    return sorted(groups, key=len, reverse=True)[:LOOK_AT]


def _explained(panel: EventPanel, group: IntArray) -> float:
    """Return how much of the benchmark's variance several firms of one date explain on estimation days, 1 if it is made of them.

    It is made of them if their mean, or a combination of more than half of them, is the benchmark to `MADE_OF`.
    """
    some = panel.part(group)
    benchmark, firms = some.est_columns[0, :, 0], some.est_returns
    used = np.isfinite(benchmark) & np.isfinite(firms).all(axis=0)
    n, m = firms.shape[0], int(used.sum())
    if m < TO_SPARE + 2:
        return 0.0
    y, x = benchmark[used] - benchmark[used].mean(), (firms[:, used] - firms[:, used].mean(axis=1, keepdims=True)).T
    total, mean = float(y @ y), x.mean(axis=1)
    by_mean = float(mean @ y) ** 2 / max(total * float(mean @ mean), np.finfo(float).tiny)
    if by_mean >= MADE_OF_MEAN:
        return 1.0
    if m < n + TO_SPARE or not total > 0:
        return by_mean
    weight = np.linalg.lstsq(x, y, rcond=None)[0]
    left = y - x @ weight
    share = 1.0 - float(left @ left) / total * (m - 1) / (m - n - 1)
    of_many = float(weight.sum()) ** 2 > n / 2 * float(
        weight @ weight
    )  # not one firm that is the benchmark itself, as a fund may be
    return (1.0 if share >= MADE_OF else share) if of_many else by_mean


def benchmark_checks(
    abnormal: AbnormalReturns,
    panel: EventPanel,
    model: NormalReturnModel,
    fit: Fit,
    returns_kind: str,
    measure: str = "return",
    foreign: frozenset[str] = frozenset(),
    explained: Explained | None = None,
) -> tuple[Check, ...]:
    """Return the check of what the benchmark holds of the events' firms, or may hold where that is not known; none where it does not matter.

    Known is a benchmark made of the firms, and the S&P 500 on the days of the embedded panel of its members. ``foreign``: tickers whose
    sessions are another market's than the benchmark's, which does not hold them. ``explained``: what the dates with the most events explain.

    Notes
    -----
    With ``R_m = w R_i + (1 - w) R_o`` the abnormal return against R_m is ``1 - βw`` times that against R_o. With many firms of one
    date their common move is in the benchmark too. Both are measured against the members' own prices without these firms.

    Where w is not known, ``Cov(R_m, R_i) = w Var(R_i) + (1 - w) Cov(R_o, R_i)`` bounds it: unless firm and rest move against each other,
    ``w ≤ Cov(R_m, R_i)/Var(R_i)``, so that of the market model ``βw ≤ R²``. The check says so where a dilution up to that bound moves an
    abnormal return by more than its standard error, ``|t| R²/(1 - R²) > 1``, and is silent where no share could.
    """
    if measure != "return":
        return ()
    rule = f"shares times beta of at most {percent(NEGLIGIBLE, 0, sign=False)}, and the verdicts of day {event_day(abnormal.window).start} at 5% as against the rest"
    if abnormal.void:
        comment = f"{abnormal.void} (they explain it fully on estimation days): their average is void; take a benchmark without them"
        return (BenchmarkCheck(BENCHMARK_CHECK, "made of them", rule, passed=False, comment=comment),)
    one_day = panel.columns == (model.benchmark,) and model.offsets == (0,) and not model.bridges_gaps
    tickers = set(panel.events.tickers.tolist())
    index = model.benchmark in INDEX_SERIES and one_day
    held = _held(panel, index_members(), returns_kind) if index and may_hold(tickers, panel.sessions) else None
    if held is None:
        if index and (shares := _nearest_shares(panel)) is not None:
            return _outside(abnormal, panel, shares)
        foreign |= tickers.difference(universe_members().index) if index else set()
        return _unknown(
            abnormal,
            panel,
            foreign,
            fit if model.least_squares else None,
            explained or Explained.of(abnormal.position, panel),
        )
    return (_check_of(_compared(abnormal, panel, model, held), held, model.benchmark, rule),)


def _unknown(
    abnormal: AbnormalReturns, panel: EventPanel, foreign: frozenset[str], fit: Fit | None, explained: Explained
) -> tuple[Check, ...]:
    """Return a check if a benchmark whose members are not known may hold so much of the firms that a number would be another one."""
    if len(panel.columns) != 1:
        return ()
    name, held = panel.columns[0], "a benchmark that does not hold them"
    groups, most = explained.groups, max(explained.shares, default=0.0)
    if most >= LIKELY:
        return (
            BenchmarkCheck(
                BENCHMARK_CHECK,
                f"the events' firms of one date explain {percent(most, 0, sign=False)} of {name}",
                f"less than {percent(LIKELY, 0, sign=False)}, or {held}",
                passed=False,
                comment="if it holds them, their common move is in it and their abnormal returns are diluted: compare a benchmark without them",
                explained=most,
            ),
        )
    own = np.array([t not in foreign for t in panel.events.tickers.tolist()], dtype=np.bool_)
    heavy = [
        *_bounds(abnormal, panel, [np.array([i]) for i in np.flatnonzero(own & _may_be_moved(abnormal, fit))]),
        *_bounds(abnormal, panel, [group for group in groups if own[group].all()]),
    ]
    heavy = sorted((b for b in heavy if b.moved > 1.0), key=lambda b: -b.moved)
    if not heavy:
        return ()
    parts = [_diluted_words(abnormal, b, name) for b in heavy]
    value = f"whether {name} holds {'the firm' if abnormal.n == 1 else 'these firms'} is not known here"
    return (
        BenchmarkCheck(
            BENCHMARK_CHECK,
            value,
            f"a share that moves no abnormal return by its standard error, or {held}",
            passed=False,
            comment=f"if it does, abnormal returns are diluted by the factor 1 − beta × share, at most by 1 − R²: {first_few(parts, 3, '; ')}; "
            "compare a benchmark without them",
            explained=max(b.most for b in heavy),
            plain=f"{value}; if it does, their abnormal returns are larger than they look",
        ),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Bound:
    """What a benchmark may hold of a firm, or of the mean of several of one date.

    Its events, beta, the largest share, the largest βw, the abnormal return, and by how many standard errors that may be off.
    """

    events: IntArray
    beta: float
    share: float
    most: float
    car: float
    moved: float


def _may_be_moved(abnormal: AbnormalReturns, fit: Fit | None) -> BoolArray:
    """Return whose abnormal return may be off by its standard error, shape (N,): by the R² of a regression on the benchmark, if there is one."""
    if fit is None or fit.n_params != 2:
        return np.ones(abnormal.n, dtype=np.bool_)
    t = np.abs(abnormal.sums(event_day(abnormal.window)).scar)
    return np.asarray(~(t * fit.r_squared < 0.99 * (1.0 - fit.r_squared)), dtype=np.bool_)


def _bounds(abnormal: AbnormalReturns, panel: EventPanel, groups: Sequence[IntArray]) -> list[_Bound]:
    """Return the bounds of the share and of the dilution of each group's mean on the event day; of single events for groups of one."""
    if not groups:
        return []
    first = np.array([group[0] for group in groups])
    if is_many(len(groups)):
        some_at_once = chunks(np.arange(len(groups)))
        return [b for places in some_at_once for b in _bounds(abnormal, panel, [groups[i] for i in places.tolist()])]
    sums, some = abnormal.sums(event_day(abnormal.window)), panel.part(first)
    if all(len(group) == 1 for group in groups):
        firm, car, error = some.est_returns, sums.car[first], sums.s_car[first]
    else:
        members, size = np.concatenate(groups), np.array([len(group) for group in groups])
        start = np.cumsum(size) - size
        firm = np.add.reduceat(panel.part(members).est_returns, start, axis=0) / size[:, None]
        car = np.array([sums.car[group].mean() for group in groups])
        residuals = np.add.reduceat(abnormal.part(members).residuals, start, axis=0) / size[:, None]
        error = deviation(masked(residuals, np.isfinite(residuals)), np.isfinite(residuals).sum(axis=1) - 1)
    benchmark = some.est_columns[:, :, 0]
    used = np.isfinite(benchmark) & np.isfinite(firm)
    x, y = centred(benchmark, used), centred(firm, used)
    both, of_market, own = ((one * other).sum(axis=1) for one, other in ((x, y), (x, x), (y, y)))
    beta = both / np.where(of_market > 0, of_market, np.inf) if abnormal.root.any() else np.ones(len(first))
    share = np.clip(both / np.where(own > 0, own, np.inf), 0.0, 1.0)
    most = np.minimum(np.maximum(beta, 0.0) * share, 1.0 - 1e-9)
    known = (used.sum(axis=1) >= TO_SPARE) & np.isfinite(car) & (error > 0)
    moved = np.where(known, np.abs(car) / np.where(error > 0, error, np.inf) * most / (1.0 - most), 0.0)
    return [
        _Bound(group, *values)
        for group, values in zip(
            groups, zip(*(v.tolist() for v in (beta, share, most, car, moved)), strict=True), strict=True
        )
    ]


def _diluted_words(abnormal: AbnormalReturns, bound: _Bound, benchmark: str) -> str:
    """Return an abnormal return as it would be against the rest, at a tenth of the benchmark and at most."""
    keys = [abnormal.keys[i] for i in bound.events]
    who = keys[0] if len(keys) == 1 else f"the mean of {len(keys)}, {first_few(keys, 2)},"
    now, tenth, most = (
        percent(float(abnormal.as_fractions(bound.car / (1.0 - diluted))))
        for diluted in (0.0, min(bound.beta * A_TENTH, bound.most), bound.most)
    )
    return f"{who} {now} would be {f'{tenth} at a tenth of {benchmark} and ' if bound.share > A_TENTH else ''}{most} at most"


@dataclass(frozen=True, eq=False)
class _Nearest:
    """Shares of the index, NaN for other firms, on the nearest days of the panel of members, shape (N,)."""

    shares: FloatArray
    days: pd.DatetimeIndex


def _nearest_shares(panel: EventPanel) -> _Nearest | None:
    """Return what the index held of its members on the nearest day that is known; None unless estimation windows lie outside the panel."""
    if not universe_members().index.isin(panel.events.tickers).any():
        return None
    members = index_members()
    first = panel.calendar[np.clip(panel.position + panel.estimation.start, 0, len(panel.calendar) - 1)]
    if ((first >= members.days[0]) & (panel.sessions <= members.days[-1])).all():
        return None
    row = np.clip(members.days.searchsorted(panel.sessions), 1, len(members.days) - 1)
    shares = [members.shares_of([t], int(r))[0] for t, r in zip(panel.events.tickers.tolist(), row, strict=True)]
    return _Nearest(np.array(shares), members.days[row])


def _outside(abnormal: AbnormalReturns, panel: EventPanel, nearest: _Nearest) -> tuple[Check, ...]:
    """Return a check if members of the index are diluted beyond what is negligible by their shares on the nearest day that is known."""
    found = _bounds(abnormal, panel, [np.array([i]) for i in np.flatnonzero(np.isfinite(nearest.shares))])
    heavy = [(b.beta * min(float(nearest.shares[i]), b.share), b, i) for b in found for i in b.events.tolist()]
    heavy = sorted(((d, b, i) for d, b, i in heavy if d > NEGLIGIBLE), key=lambda each: -each[0])
    if not heavy:
        return ()
    name, keys = panel.columns[0], abnormal.keys
    shares = [
        f"{percent(float(nearest.shares[i]), 1, sign=False)} was {keys[i]} on {iso_day(nearest.days[i])}"
        for _, _, i in heavy
    ]
    parts = [
        f"{keys[i]} by {1.0 - d:.2f}: {percent(float(abnormal.as_fractions(b.car)))} would be {percent(float(abnormal.as_fractions(b.car / (1.0 - d))))}"
        for d, b, i in heavy
    ]
    value = f"of {name} about {first_few(shares, 3)}, the nearest day that is known"
    return (
        BenchmarkCheck(
            BENCHMARK_CHECK,
            value,
            f"shares times beta of at most {percent(NEGLIGIBLE, 0, sign=False)}",
            passed=False,
            comment=f"with these shares abnormal returns are diluted by the factor 1 − beta × share ({first_few(parts, 3, '; ')} against the rest)",
            explained=max(d for d, _, _ in heavy),
            plain=f"{name} holds these firms, and their shares of it on these days are not known: their abnormal returns are larger than they look",
        ),
    )


@dataclass(frozen=True, eq=False)
class _Held:
    """Which events' firms the index holds, their shares, and the panel with the rest of the index as benchmark."""

    events: IntArray
    shares: FloatArray
    rest: EventPanel


def _held(panel: EventPanel, members: IndexMembers, returns_kind: str) -> _Held | None:
    """Return what the index holds of the events' firms; None if nothing, or the days or the benchmark's figures are others."""
    row = members.days.get_indexer(panel.sessions)
    inside = np.array([r > 0 and t in members.company for r, t in zip(row, panel.events.tickers.tolist(), strict=True)])
    if not inside.any():
        return None
    places = np.flatnonzero(inside)
    some = panel.part(places)
    whole = _on_days(some, members.index_return(), returns_kind)
    share, agrees = _agreement(whole.est_columns[:, :, 0], some.est_columns[:, :, 0])
    if share < COVERED or agrees < AGREES:
        return None
    est, event = whole.est_columns.copy(), whole.event_columns.copy()
    for place in np.unique(some.position):
        group = some.position == place
        part = _on_days(some.keep(group), members.index_return(some.events.tickers[group].tolist()), returns_kind)
        est[group], event[group] = part.est_columns, part.event_columns
    shares = members.shares_on(some.events.tickers.tolist(), row[places])
    return _Held(places.astype(np.int64), shares, replace(some, est_columns=est, event_columns=event))


def _on_days(panel: EventPanel, index: pd.Series[float], returns_kind: str) -> EventPanel:
    """Return the panel with an index as its one column."""
    on_calendar = index.reindex(panel.calendar).to_numpy(dtype=np.float64)
    if returns_kind == "log":
        on_calendar = np.log1p(on_calendar)
    last = len(on_calendar) - 1

    def column(days: IntArray) -> FloatArray:
        place = panel.position[:, None] + days[None, :]
        found = np.where((place >= 0) & (place <= last), on_calendar[np.clip(place, 0, last)], np.nan)
        return np.asarray(found[:, :, None], dtype=np.float64)

    return replace(panel, est_columns=column(panel.estimation.days), event_columns=column(panel.window.days))


def _agreement(ours: FloatArray, theirs: FloatArray) -> tuple[float, float]:
    """Return the share of days that both have, and the correlation of both on these."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    share = float(both.sum()) / max(int(np.isfinite(theirs).sum()), 1)
    if both.sum() < TO_SPARE:
        return share, 0.0
    return share, float(np.corrcoef(ours[both], theirs[both])[0, 1])


def _compared(abnormal: AbnormalReturns, panel: EventPanel, model: NormalReturnModel, held: _Held) -> list[AgainstRest]:
    """Return the events that the index holds, and their average, against both yardsticks on the event day."""
    fitted = model if model.least_squares else MarketModel(str(model.benchmark))
    some, fit = panel.part(held.events), fitted.fit(held.rest)
    own = fitted.fit(some)
    ours = abnormal.take(held.events) if fitted is model else abnormal_returns(some, own)
    rest, day, beta = abnormal_returns(held.rest, fit), event_day(abnormal.window), own.coefficients[:, 1]
    a, b = ours.sums(day), rest.sums(day)
    change, against, diluted = ours.as_fractions(a.car), rest.as_fractions(b.car), beta * held.shares
    scaled = ours.as_fractions(a.car / (1.0 - diluted))
    seen = np.isfinite(a.car) & np.isfinite(b.car) & (np.array(fit.unusable, dtype=object) == "")
    columns = (
        change,
        t_two_sided(a.scar, ours.df),
        against,
        t_two_sided(b.scar, rest.df),
        held.shares,
        diluted,
        scaled,
    )
    kept = [np.asarray(column, dtype=np.float64)[seen].tolist() for column in columns]
    keys = [ours.keys[i] for i in np.flatnonzero(seen).tolist()]
    rows = [AgainstRest(*row) for row in zip(keys, *kept, strict=True)]
    names = recommend(ours, day)[1]
    if len(rows) == ours.n > 1 and names:
        p, p_rest = (run_test(names[0], ab, day).p_value for ab in (ours, rest))
        if np.isfinite([p, p_rest]).all():
            means = (float(ab.as_fractions(ab.caar(day))) for ab in (ours, rest))
            name = f"the average of {len(rows)} ({names[0]})"
            rows.append(AgainstRest(name, next(means), p, next(means), p_rest, single=False))
    return rows


def _check_of(rows: Sequence[AgainstRest], held: _Held, benchmark: str | None, rule: str) -> Check:
    """Put the check into words."""
    order = np.argsort(-held.shares, kind="stable")
    keys = [held.rest.keys[i] for i in order]
    shares = [f"{percent(float(held.shares[i]), 1, sign=False)} {k}" for k, i in zip(keys, order, strict=True)]
    value = f"{benchmark} is about {first_few(shares, 3)}"
    heavy = [r for r in rows if r.diluted > NEGLIGIBLE]
    turned = [r for r in rows if r.turns]
    said = []
    one_date = len(np.unique(held.rest.position)) == 1
    if turned:
        said.append(
            f"depends on the benchmark: without {_firms(keys, one_date)} in it {first_few([r.words for r in turned], NAMED, '; ')}"
        )
    if heavy:
        parts = [
            f"{r.name} by {1.0 - r.diluted:.2f}: {percent(r.change)} would be {percent(r.scaled)}"
            for r in sorted(heavy, key=lambda r: -r.diluted)
        ]
        said.append(
            f"abnormal returns are diluted by the factor 1 − beta × share ({first_few(parts, 3, '; ')} against the rest)"
        )
    return BenchmarkCheck(
        BENCHMARK_CHECK, value, rule, not said, "; ".join(said), tuple(rows), without=tuple(keys), one_date=one_date
    )


def _firms(keys: Sequence[str], one_date: bool) -> str:
    """Return which firms are left out of the benchmark, by name."""
    if len(keys) == 1:
        return keys[0]
    return f"{first_few(keys, NAMED)} ({'the' if one_date else 'each time the'} events' firms of that date)"
