"""Power: how large an effect a design finds, in closed form and on the user's own returns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import AlignmentRules, BoolArray, FloatArray, IntArray, Windows
from eventstudy.events import Event, EventList
from eventstudy.inference import TESTS, HypothesisTest, run_test
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.days import SharePositive
from eventstudy.inference.result import LEVEL, check_seed, members
from eventstudy.inference.samples import AT_ONCE, Samples
from eventstudy.prices.snapshot import FACTOR_COLUMNS, FUNDS
from eventstudy.prices.table import Prices, ReturnKind, clean_frame
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, listed, percent, plural

#: Usual power with which an effect is said to be found.
POWER = 0.8
#: Halvings of an interval: more leave no digit of a double to find.
HALVINGS = 60


def power(
    effect: ArrayLike, sd: ArrayLike, n: ArrayLike = 1, level: ArrayLike = LEVEL, *, df: ArrayLike | None = None
) -> float | FloatArray:
    """Return how often a two-sided test of a mean abnormal return finds an effect.

    Parameters
    ----------
    effect : float or array
        The true mean abnormal return, e.g. 0.01; its sign does not matter.
    sd : float or array
        Standard deviation of one event's abnormal return, in the same unit; for a window the S_CAR of an event.
    n : float or array
        Number of independent events.
    level : float or array
        Level of the test.
    df : float or array, optional
        Degrees of freedom of a t-test whose standard deviation is estimated: M - p for one event, n - 1 across
        events. By default the deviation is known and the test is a z-test.

    Returns
    -------
    float, or ndarray of the arguments' common shape

    Raises
    ------
    InvalidInput
        If an argument is no number or outside its range.

    Notes
    -----
    ``Φ(z_(α/2) - δ) + Φ(z_(α/2) + δ)`` with ``δ = |effect| √n / sd``; with ``df`` the same of the noncentral t law.
    MacKinlay (1997), Journal of Economic Literature 35, 13-39, section 9; Campbell, Lo and MacKinlay (1997), table 4.2.

    Examples
    --------
    >>> round(power(0.01, 0.02, 20), 3)
    0.609
    >>> power([0.005, 0.01], 0.02, 50).round(3).tolist()
    [0.424, 0.942]
    """
    size, number, spread = _numbers("effect", effect, "a finite number", np.isfinite), _count(n), _positive("sd", sd)
    share, degrees = _share("level", level), None if df is None else _positive("df", df)
    _check_shapes(effect=size, sd=spread, n=number, level=share, df=np.empty(()) if degrees is None else degrees)
    found = _found(np.abs(size) * np.sqrt(number) / spread, share, degrees)
    return _plain(found)


def detectable_effect(
    sd: ArrayLike, n: ArrayLike = 1, power: ArrayLike = POWER, level: ArrayLike = LEVEL, *, df: ArrayLike | None = None
) -> float | FloatArray:
    """Return the smallest effect that a two-sided test finds with a given power: the inverse of `power`.

    Parameters
    ----------
    sd, n, level, df
        As in `power`.
    power : float or array
        How often the effect is to be found; above the level.

    Returns
    -------
    float, or ndarray of the arguments' common shape
        In the unit of ``sd``: ``2.80 sd/√n`` at 80 % and 5 % with known deviation.

    Raises
    ------
    InvalidInput
        If an argument is no number or outside its range, or the power is not above the level.

    Examples
    --------
    >>> round(detectable_effect(0.022), 4)
    0.0616
    >>> round(detectable_effect(0.022, df=30), 4)
    0.0637
    """
    wanted, alpha = _share("power", power), _share("level", level)
    if (wanted <= alpha).any():
        raise InvalidInput(
            f"power is {power!r} and level {level!r}; a test finds nothing less often than its level: raise power."
        )
    spread, number, degrees = _positive("sd", sd), _count(n), None if df is None else _positive("df", df)
    _check_shapes(sd=spread, n=number, power=wanted, level=alpha, df=np.empty(()) if degrees is None else degrees)
    return _plain(_shift(wanted, alpha, degrees) * spread / np.sqrt(number))


def detectable_changes(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return the smallest change of each event that its own `t_pe` test finds with 80 % power at 5 %, shape (N,).

    In the unit of the abnormal returns; NaN where an event has no abnormal return in the window.
    """
    shift = abnormal.once(("detectable shift",), lambda: _shift_of(abnormal.df))
    return np.asarray(shift * abnormal.sums(window).s_car, dtype=np.float64)


def _shift_of(df: IntArray) -> FloatArray:
    """Return the shift of each event's t that is found with the usual power, shape (N,)."""
    degrees, place = np.unique(np.maximum(df, 1), return_inverse=True)
    return _shift(np.asarray(POWER), np.asarray(LEVEL), degrees.astype(np.float64))[place]


def detectable_average(abnormal: AbnormalReturns, window: Window, test: HypothesisTest) -> float:
    """Return the smallest average change that a test of the average finds with 80 % power at 5 %.

    Returns
    -------
    float
        In the unit of the abnormal returns; NaN for a test without a standard error (ranks, signs, resampling), one that does not apply,
        and where no change is found so often.

    Notes
    -----
    The standard error is that of ordinary days, from the N × M residuals: S_CAR of each event and the mean correlation r̄ of their windows,
    ``√((1 + (n-1) r̄)/n) / mean(1/S_i)`` for means of standardised returns, which weigh events by ``1/S_i``, else
    ``√((1 - r̄) Σ S_i² + r̄ (Σ S_i)²)/n``. The test's own error is an estimate on n - 1 degrees of freedom: of a change computed from it two
    events show 58 %, ten 74 % in place of 80 %. The change is one and the same of every event, so standardised returns of unlike events
    move by unlike steps, which a t of them takes for spread: it is then doubly noncentral, with ``δ² Σ(1/S_i - mean)² / (1 - r̄)`` below.
    Where the events' variance is above that of ordinary days the number is too small (`is_void`).
    """
    mean_of = TESTS[test.name].mean_of
    if not test.applicable or not mean_of:
        return math.nan
    errors = abnormal.sums(window).s_car
    chosen = members(errors)
    s, n, r = errors[chosen], len(chosen), mean_correlation(abnormal, chosen, window)
    if mean_of == "standardised":
        variance = (1.0 + (n - 1) * r) / n / float((1.0 / s).mean()) ** 2
    else:
        variance = ((1.0 - r) * float((s**2).sum()) + r * float(s.sum()) ** 2) / n**2
    if not variance > 0.0:
        return math.nan
    degrees = np.asarray(test.df) if test.distribution == "t" else None
    if mean_of == "standardised" and degrees is not None:
        spread = float(((1.0 / s - (1.0 / s).mean()) ** 2).sum()) / (1.0 - r) * variance
        return math.sqrt(variance) * _shift_of_unlike(spread, float(degrees))
    return math.sqrt(variance) * float(_shift(np.asarray(POWER), np.asarray(LEVEL), degrees))


#: Checks of validity that, where they do not hold, make a detectable change void: of any event, and of an average.
VOID = frozenset({"Gaps in the benchmark", "Prices that move on the event day"})
VOID_FOR_AVERAGES = VOID | {"No event-induced variance", "Benchmark without the events' firms"}


class Checked(Protocol):
    """A check of validity: its name, and whether it holds."""

    @property
    def name(self) -> str:
        """What was looked at."""

    @property
    def passed(self) -> bool:
        """Whether it holds."""


def is_void(checks: Iterable[Checked], *, average: bool = False) -> bool:
    """Return whether a check that does not hold makes a detectable change say nothing, of an event or of an average."""
    names = VOID_FOR_AVERAGES if average else VOID
    return any(check.name.split(" on day ")[0] in names for check in checks if not check.passed)


def _found(shift: FloatArray, level: FloatArray, df: FloatArray | None) -> FloatArray:
    """Return the two-sided power at a shift of the statistic, each tail as a tail."""
    from scipy.special import nctdtr, ndtr, ndtri, stdtrit

    if df is None:
        z = ndtri(level / 2.0)
        return np.asarray(ndtr(z - shift) + ndtr(z + shift), dtype=np.float64)
    t = stdtrit(df, level / 2.0)
    far = np.nan_to_num(nctdtr(df, shift, t))  # the library has no number where this tail is below 1e-14
    return np.asarray(nctdtr(df, -shift, t) + far, dtype=np.float64)


def _shift(wanted: FloatArray, level: FloatArray, df: FloatArray | None) -> FloatArray:
    """Return the shift of the statistic at which the power is as wanted, by halving."""
    shape = np.broadcast_shapes(np.shape(wanted), np.shape(level), () if df is None else np.shape(df))
    low, high = np.zeros(shape), np.ones(shape)
    while (short := _found(high, level, df) < wanted).any() and high.max() < 1e6:
        high = np.where(short, 2.0 * high, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        short = _found(middle, level, df) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray(high, dtype=np.float64)


def _shift_of_unlike(spread: float, df: float) -> float:
    """Return the smallest shift found with the usual power if its square times ``spread`` is the noncentrality of the spread below.

    NaN if there is none: the statistic of ever larger changes nears ``√(df/spread)``, which may lie below its critical value.
    """
    from scipy.special import stdtrit

    bounded = spread > 0.0 and math.sqrt(df / spread) <= -float(stdtrit(df, LEVEL / 2.0))

    def short(shift: float) -> float:
        return _found_doubly(shift, shift * shift * spread, df) - POWER

    low, high = 0.0, 2.8
    while short(high) < 0.0:
        if bounded and short(high) < short(low):
            return math.nan
        low, high = high, 1.3 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if short(middle) < 0.0 else (low, middle)
    return high


#: Nodes and weights of Gauss and Hermite for means over a normal law.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(100)


def _found_doubly(shift: float, below: float, df: float) -> float:
    """Return the two-sided power of a doubly noncentral t, with noncentrality ``below`` of its chi-squared: a mean over the numerator."""
    from scipy.special import chndtr, stdtrit

    critical = float(stdtrit(df, LEVEL / 2.0))
    return float(WEIGHTS @ chndtr(df * ((NODES + shift) / critical) ** 2, df, below) / WEIGHTS.sum())


def _numbers(name: str, value: ArrayLike, allowed: str, holds: object) -> FloatArray:
    """Return an argument as numbers, or raise `InvalidInput`."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if array.size == 0 or not np.all(holds(array)):  # type: ignore[operator]
        raise InvalidInput(f"{name} is {value!r}; give {allowed}, or an array of them.")
    return array


def _check_shapes(**arrays: FloatArray) -> None:
    try:
        np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        shown = ", ".join(f"{name} {a.shape}" for name, a in arrays.items() if a.ndim)
        raise InvalidInput(
            f"The arrays {shown} do not go together; give one shape, or put each argument on an axis of its own."
        ) from error


def _positive(name: str, value: ArrayLike) -> FloatArray:
    return _numbers(name, value, "a finite number above 0", lambda x: np.isfinite(x) & (x > 0))


def _count(value: ArrayLike) -> FloatArray:
    return _numbers("n", value, "a number of events, at least 1", lambda x: np.isfinite(x) & (x >= 1))


def _share(name: str, value: ArrayLike) -> FloatArray:
    return _numbers(name, value, "a share between 0 and 1", lambda x: (x > 0) & (x < 1))


def _plain(values: FloatArray) -> float | FloatArray:
    return float(values) if values.ndim == 0 else values


# -- Size and power of tests on the user's own returns: random firms, random days, an effect added.


Dates = Literal["random", "common"]
#: Tests that are run unless others are named, for one event and for an average.
ONE, MANY = (
    ("t_pe", "sq", "permutation"),
    ("csect_t", "cda_t", "patell_z", "bmp_t", "kp_bmp_t", "corrado_rank_z", "grank_t"),
)
#: Events placed at once, and fitted and tested at once.
BLOCK, TOGETHER = 20_000, 1_000
#: Quantile of the normal law for Monte Carlo intervals of 95 %.
Z95 = 1.959963984540054


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedPower:
    """How often tests rejected in samples of random events.

    Attributes
    ----------
    table : DataFrame
        One row a test and effect: ``test``, ``effect``, ``rejected`` (share of samples), its Monte Carlo interval ``low`` and
        ``high`` (95 %, Wilson), ``samples`` on which the test applied, and in ``note`` why it did not on the others.
    model : str
        Name of the model.
    n, draws : int
        Events in a sample, and samples.
    dates : str
        ``random``: each event has its own random day; ``common``: one random day a sample.
    variance : float
        k of event-induced variance: the event day's variance is 1 + k times that of estimation days.
    level : float
        Level of the tests, two-sided.
    estimation, window : Window
        Relative days.
    firms, sessions : int
        Firms and days from which events were drawn.
    seed : int
        Of the random numbers.
    """

    table: pd.DataFrame
    model: str
    n: int
    draws: int
    dates: str
    variance: float
    level: float
    estimation: Window
    window: Window
    firms: int
    sessions: int
    seed: int

    def wide(self) -> pd.DataFrame:
        """Return shares rejected, tests × effects."""
        return self.table.pivot_table(index="test", columns="effect", values="rejected", sort=False, dropna=False)

    def __repr__(self) -> str:
        when = "on one date" if self.dates == "common" else "on random dates"
        wide = self.wide()
        shown = wide.map(lambda x: percent(x, 1, sign=False)).rename(columns=percent)
        shown.index.name = shown.columns.name = None
        largest = (self.table["high"] - self.table["low"]).max() / 2.0
        return (
            f"Samples rejected at {percent(self.level, 0, sign=False)}, two-sided, by effect on day 0: {self.draws} samples of "
            f"{plural(self.n, 'event')} {when}, drawn from {self.firms} firms and {self.sessions} days; {self.model}, "
            f"days {self.window}, {_variance_words(self.variance)}.\n"
            f"{shown.to_string()}\nMonte Carlo error up to ±{100 * largest:.1f} points."
        )


def _variance_words(variance: float) -> str:
    if variance:
        return f"event-day variance {1.0 + variance:g} times that of estimation days"
    return "no event-induced variance"


def simulated_power(
    data: Prices | pd.DataFrame,
    model: NormalReturnModel,
    *,
    n: int = 50,
    effects: Sequence[float] = (0.0, 0.005, 0.01, 0.02),
    tests: Sequence[str] | None = None,
    draws: int = 250,
    dates: Dates = "random",
    variance: float = 0.0,
    level: float = LEVEL,
    estimation: Window | tuple[int, int] = (-270, -21),
    window: Window | tuple[int, int] = (0, 0),
    tickers: Sequence[str] | None = None,
    min_estimation: int = 30,
    returns: ReturnKind = "simple",
    factors: pd.DataFrame | None = None,
    seed: int = 20250127,
) -> SimulatedPower:
    """Measure how often tests reject on random events of your own returns, without and with an effect.

    Parameters
    ----------
    data : Prices or DataFrame
        Prices, or a wide table of returns (dates × tickers, benchmark and factors as columns, fractions); one row a session.
    model : NormalReturnModel
        The model of normal returns.
    n : int
        Events in a sample.
    effects : sequence of float
        Abnormal returns added on day 0, fractions of the price; 0 gives the size of the test.
    tests : sequence of str, optional
        Names of `TESTS`; by default the usual ones for one event or for an average.
    draws : int
        Samples.
    dates : {"random", "common"}
        Every event on its own random day (which may coincide), or all events of a sample on one random day.
    variance : float
        k of event-induced variance: noise of variance ``k s_i²`` is added on day 0.
    level : float
        Level of the two-sided tests.
    estimation, window : Window or pair of int
        Relative days; the tests are of the whole window, which must hold day 0.
    tickers : sequence of str, optional
        Firms to draw from; by default all columns that the model does not use, but no index (``^``), no factor of `load_factors` and
        none of the embedded funds.
    min_estimation : int
        Fewest returns in the estimation window; the event window must be complete.
    returns : {"simple", "log"}
        What prices are turned into, or a table of returns holds.
    factors : DataFrame, optional
        Columns of the model that are not in the data, e.g. `load_factors`.
    seed : int
        Of the random numbers.

    Returns
    -------
    SimulatedPower

    Raises
    ------
    DataMissing
        If a column is not in the data.
    DataUnfit
        If there are too few firms or days to draw from.
    InvalidInput
        If an argument is not allowed.

    Notes
    -----
    Brown and Warner (1980, 1985), Journal of Financial Economics 8, 205-258 and 14, 3-31. Firms and days are drawn with replacement; on a
    common date the firms of a sample differ. The model is fitted once: an effect on day 0 changes no estimate. Some thousand events are fitted and
    tested at once, so memory does not grow with ``draws``. The interval is that
    of the draws; samples share the history they are drawn from, which a different history would change by more.
    Event-induced variance as in Boehmer, Musumeci and Poulsen (1991), Journal of Financial Economics 30, 253-272.

    Examples
    --------
    >>> import eventstudy as es
    >>> returns = es.load_universe().returns().iloc[1:]
    >>> found = simulated_power(returns.assign(index=returns.mean(axis=1)), es.MarketModel("index"), n=20, draws=20, tests=["bmp_t"])
    >>> found.wide().columns.tolist()
    [0.0, 0.005, 0.01, 0.02]
    """
    span, days = Window.of(estimation), Window.of(window)
    names = tuple(tests) if tests is not None else ONE if n == 1 else MANY
    sizes = _effects(effects)
    _check(model, n, draws, dates, variance, level, names)
    _check_windows(span, days)
    table = _returns(data, returns, factors)
    firms = _firms(table, model, tickers)
    open_to = _eligible(table, firms, model, span, days, min_estimation)
    check_seed(seed)
    rng = np.random.default_rng(seed)
    events = EventList.of(Event(ticker, table.index[0]) for ticker in firms)
    place, firm = _draw(rng, open_to, n, draws, dates)
    p = np.full((len(names), len(sizes), draws), np.nan)
    reasons: dict[str, str] = {}
    per_block, together = max(BLOCK // n, 1), max(TOGETHER // n, 1)
    rules = AlignmentRules(span, days, None, "next", min_estimation)
    added = [np.where(days.days == 0, math.log1p(size) if returns == "log" else size, 0.0) for size in sizes]
    for block in range(0, draws, per_block):
        rows = slice(block, min(block + per_block, draws))
        windows = Windows(table, events.take(firm[rows].ravel()), model, place[rows].ravel(), rules)
        for start in range(block, rows.stop, together):
            stop = min(start + together, rows.stop)
            panel = windows(np.arange((start - block) * n, (stop - block) * n))
            fit = model.fit(panel)
            whole = _with_variance(abnormal_returns(panel, fit), variance, rng)
            sound = np.array([not reason for reason in fit.unusable])
            _test_samples(p[:, :, start:stop], whole, sound, names, added, reasons)
    return SimulatedPower(
        _table(p, names, sizes, level, reasons), model.name, n, draws, dates, variance, level, span, days,
        len(firms), int(open_to.any(axis=1).sum()), seed,
    )  # fmt: skip


def _test_samples(
    p: FloatArray,
    whole: AbnormalReturns,
    sound: BoolArray,
    names: Sequence[str],
    added: Sequence[FloatArray],
    reasons: dict[str, str],
) -> None:
    """Put the p-values of some samples into p, shape (tests, effects, samples), and why a test does not apply into ``reasons``.

    All samples at once where a test can; one by one where it cannot, where it refuses, and where a sample has events that cannot be fitted.
    """
    n = whole.n // p.shape[2]
    plain = (sound & np.isfinite(whole.ar).all(axis=1)).reshape(-1, n).all(axis=1)
    if plain.any() and any(name in AT_ONCE for name in names):
        events = np.flatnonzero(np.repeat(plain, n)).astype(np.int64)
        samples = Samples(whole if plain.all() else whole.take(events), n)
        for e, more in enumerate(added):
            moved = samples.moved(more)
            for t, name in enumerate(names):
                if name in AT_ONCE:
                    p[t, e, plain] = AT_ONCE[name](moved)
    for s in np.flatnonzero(np.isnan(p).any(axis=(0, 1))).tolist():
        events = np.arange(s * n, (s + 1) * n, dtype=np.int64)
        _test_sample(p[:, :, s], whole.take(events[sound[events]]), names, added, reasons)


def _test_sample(
    p: FloatArray,
    sample: AbnormalReturns,
    names: Sequence[str],
    added: Sequence[FloatArray],
    reasons: dict[str, str],
) -> None:
    """Put the p-values of one sample into p, shape (tests, effects), where there are none, and why a test does not apply into ``reasons``."""
    if sample.n and len(added) > 1:
        sample.ask_all(SharePositive(1))  # of estimation days alone, so that it is asked once for all effects
    for e, more in enumerate(added):
        moved = sample.moved(more) if more.any() else sample
        for t in np.flatnonzero(np.isnan(p[:, e])).tolist():
            outcome = run_test(names[t], moved, sample.window)
            p[t, e] = outcome.p_value
            if not outcome.applicable:
                reasons.setdefault(names[t], outcome.reason)


def _with_variance(abnormal: AbnormalReturns, variance: float, rng: np.random.Generator) -> AbnormalReturns:
    """Return abnormal returns with noise of ``variance`` times the residual variance added on day 0."""
    if variance == 0.0:
        return abnormal
    noise = math.sqrt(variance) * abnormal.sigma * rng.standard_normal(abnormal.n)
    return abnormal.moved(np.where(abnormal.window.days == 0, noise[:, None], 0.0))


def _draw(rng: np.random.Generator, open_to: BoolArray, n: int, draws: int, dates: Dates) -> tuple[IntArray, IntArray]:
    """Return the rows of the days and the numbers of the firms of every sample, shape (draws, n) each."""
    if dates == "random":
        row, firm = np.nonzero(open_to)
        if len(row) < n:
            raise DataUnfit(
                f"Only {len(row)} pairs of a firm and a day have returns enough for samples of {n}; shorten the windows."
            )
        pick = rng.integers(0, len(row), (draws, n))
        return row[pick].astype(np.int64), firm[pick].astype(np.int64)
    enough = np.flatnonzero(open_to.sum(axis=1) >= n)
    if len(enough) == 0:
        most = int(open_to.sum(axis=1).max(initial=0))
        raise DataUnfit(f"No day has {n} firms with returns enough, at most {most}; lower n, or shorten the windows.")
    day = enough[rng.integers(0, len(enough), draws)]
    order = np.argsort(np.where(open_to[day], rng.random((draws, open_to.shape[1])), 2.0), axis=1, kind="stable")
    return np.repeat(day[:, None], n, axis=1).astype(np.int64), order[:, :n].astype(np.int64)


def _eligible(
    table: pd.DataFrame, firms: Sequence[str], model: NormalReturnModel, estimation: Window, window: Window, fewest: int
) -> BoolArray:
    """Return where a firm has returns enough around a day, shape (T, F)."""
    seen = np.isfinite(table[list(firms)].to_numpy(dtype=np.float64))
    total = np.concatenate([np.zeros((1, seen.shape[1]), dtype=np.int64), seen.cumsum(axis=0)])
    length, reach = len(seen), (0, *model.offsets)
    rows = np.arange(length)
    first, last = estimation.start + min(reach), window.end + max(reach)
    inside = (rows + first >= 0) & (rows + last < length)

    def count(days: Window) -> IntArray:
        low, high = (np.clip(rows + edge, 0, length) for edge in (days.start, days.end + 1))
        return np.asarray(total[high] - total[low], dtype=np.int64)

    return np.asarray(inside[:, None] & (count(estimation) >= fewest) & (count(window) == len(window)), dtype=np.bool_)


def _table(
    p: FloatArray, names: Sequence[str], sizes: Sequence[float], level: float, reasons: dict[str, str]
) -> pd.DataFrame:
    """Return shares rejected with Wilson's interval, one row a test and effect."""
    seen = np.isfinite(p)
    m = seen.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.where(seen, p, 2.0) <= level).sum(axis=2) / m
        centre = (share + Z95**2 / (2 * m)) / (1 + Z95**2 / m)
        half = Z95 * np.sqrt(share * (1 - share) / m + Z95**2 / (4 * m**2)) / (1 + Z95**2 / m)
    return pd.DataFrame(
        {
            "test": np.repeat(np.array(names, dtype=object), len(sizes)),
            "effect": np.tile(np.array(sizes), len(names)),
            "rejected": share.ravel(),
            "low": np.maximum(centre - half, 0.0).ravel(),
            "high": np.minimum(centre + half, 1.0).ravel(),
            "samples": m.ravel(),
            "note": np.repeat(np.array([reasons.get(name, "") for name in names], dtype=object), len(sizes)),
        }
    )


def _returns(data: Prices | pd.DataFrame, kind: ReturnKind, factors: pd.DataFrame | None) -> pd.DataFrame:
    extra = pd.DataFrame() if factors is None else clean_frame(factors, "factors")
    if isinstance(data, Prices):
        return data.returns(kind).iloc[1:].join(extra)
    if isinstance(data, pd.DataFrame):
        return clean_frame(data, "returns").join(extra)
    raise InvalidInput(f"data is a {type(data).__name__}; give Prices or a DataFrame of returns.")


def _is_firm(column: str, model: NormalReturnModel) -> bool:
    """Whether a column is drawn from unless tickers are named: no column of the model, no index, factor or fund that is known."""
    return not (column in model.columns or column.startswith("^") or column in FACTOR_COLUMNS or column in FUNDS)


def _firms(table: pd.DataFrame, model: NormalReturnModel, tickers: Sequence[str] | None) -> tuple[str, ...]:
    """Return the firms to draw from, or say which column is missing."""
    firms = tuple(tickers) if tickers is not None else tuple(c for c in table.columns if _is_firm(str(c), model))
    lost = [c for c in (*firms, *model.columns) if c not in table.columns]
    if lost:
        raise DataMissing(
            f"The data have no column {', '.join(map(str, lost))}.{did_you_mean(map(str, lost), table.columns)} Factors are handed "
            f"in with factors=, e.g. es.load_factors().",
            missing=tuple(lost),
            available=tuple(table.columns),
        )
    if not firms:
        raise InvalidInput("There are no firms to draw from: the model uses every column; name tickers.")
    return firms


def _effects(effects: Sequence[float]) -> tuple[float, ...]:
    try:
        sizes = tuple(dict.fromkeys(float(e) for e in effects))
    except (TypeError, ValueError):
        sizes = ()
    if not sizes or not all(math.isfinite(e) and e > -1.0 for e in sizes):
        raise InvalidInput(f"effects is {effects!r}; give fractions, e.g. (0.0, 0.01) for none and 1 %.")
    return sizes


def _check(
    model: NormalReturnModel, n: int, draws: int, dates: str, variance: float, level: float, tests: Sequence[str]
) -> None:
    """Raise `InvalidInput` at the first argument that is not allowed."""
    if isinstance(model, type) or not isinstance(model, NormalReturnModel):
        raise InvalidInput(f"model is {model!r}; give a model of normal returns such as MarketModel('^GSPC').")
    if model.bridges_gaps:
        raise InvalidInput(
            f"The {model.name} model needs to know where there was a trade; simulate with another model."
        )
    for name, value in (("n", n), ("draws", draws)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InvalidInput(f"{name} is {value!r}; give a whole number of at least 1.")
    if dates not in get_args(Dates):
        raise InvalidInput(f"dates is {dates!r}; choose {listed(map(repr, get_args(Dates)), 'or')}.")
    if not isinstance(variance, int | float) or not 0.0 <= variance < math.inf:
        raise InvalidInput(
            f"variance is {variance!r}; give 0 for no event-induced variance, or how many times s² the day adds."
        )
    if not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise InvalidInput(f"level is {level!r}; give a share between 0 and 1, e.g. 0.05.")
    unknown = [t for t in tests if t not in TESTS]
    if unknown or not tests:
        raise InvalidInput(f"tests is {tuple(tests)!r}; choose from {', '.join(TESTS)}.")


def _check_windows(estimation: Window, window: Window) -> None:
    """Raise `InvalidInput` unless the estimation window ends before an event window that holds day 0."""
    if 0 not in window:
        raise InvalidInput(f"The window {window} does not hold day 0, on which the effect is added.")
    if estimation.end >= window.start:
        raise InvalidInput(f"The estimation window {estimation} must end before the window {window} begins.")
