"""Abnormal returns of any sub-window: AR, SAR, CAR, SCAR, AAR, CAAR, BHAR."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from eventstudy.errors import InvalidInput
from eventstudy.estimation.answers import Answer, Tally
from eventstudy.estimation.deferred import Deferred, chunks, is_many
from eventstudy.estimation.model import Fit, NormalReturnModel, masked
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray, IntArray, absent, panel_before
from eventstudy.windows import Window
from eventstudy.wording import first_few, iso_day, listed, relative_day

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
DayArray = NDArray[np.datetime64]
#: So many days without a price are named.
NAMED_DAYS = 4
#: So many sessions before an event window are looked at: a month.
RUN_UP = 20


Found_co = TypeVar("Found_co", bound=Answer, covariant=True)


class Question(Generic[Found_co]):
    """What can be asked of some events; a value that can be a key."""

    #: Whether estimation days alone decide the answer, so that it stands whatever abnormal returns the event window has.
    OF_RESIDUALS: ClassVar[bool] = False

    def answer(self, part: AbnormalReturns) -> Answer:
        """Return what these events say, of which the tally makes what all say."""
        raise NotImplementedError

    def tally(self) -> Tally:
        """Return what adds up the answers of some events after the other, in order of date."""
        return Tally()

    def serves(self, other: Question[Answer]) -> bool:
        """Return whether the answer to this question answers another one."""
        return self == other


def each_once(questions: Sequence[Question[Answer]]) -> tuple[Question[Answer], ...]:
    """Return questions without those that another one answers too."""
    asked = list(dict.fromkeys(questions))
    return tuple(q for q in asked if not any(other.serves(q) for other in asked if other is not q))


def answered(
    questions: Sequence[Question[Answer]], parts: Iterable[AbnormalReturns], n: int, *, settle: bool
) -> list[Tally]:
    """Put questions to at most n events, some after the other; ``settle``: in order of date, and there are no others."""
    tallies = [question.tally() for question in questions]
    for tally in tallies:
        tally.expect(n if is_many(n) else 0)
    for part in parts:
        for question, tally in zip(questions, tallies, strict=True):
            tally.add(question.answer(part))
            if settle:
                tally.settle()
    return tallies


@dataclass(frozen=True, eq=False, repr=False)
class WindowSums(Answer):
    """Abnormal returns of N events summed over one window.

    Attributes
    ----------
    n_days : ndarray of int, shape (N,)
        L_i, days of the window with an abnormal return.
    car : ndarray, shape (N,)
        Cumulative abnormal returns as fractions; NaN where L_i = 0.
    s_car : ndarray, shape (N,)
        Prediction standard error of the sum, S_CAR.
    csar : ndarray, shape (N,)
        Sum of the daily standardised abnormal returns.
    s_car_naive : ndarray, shape (N,)
        ``s_i √L_i``, the standard error that ignores estimation error.
    """

    EACH: ClassVar[frozenset[str]] = frozenset({"n_days", "car", "s_car", "csar", "s_car_naive"})
    ALIKE: ClassVar[frozenset[str]] = frozenset({"window"})

    window: Window
    n_days: IntArray
    car: FloatArray
    s_car: FloatArray
    csar: FloatArray
    s_car_naive: FloatArray

    @property
    def scar(self) -> FloatArray:
        """Standardised CARs, CAR / S_CAR, shape (N,)."""
        return self.car / self.s_car


@dataclass(frozen=True, eq=False, repr=False)
class AbnormalReturns(Deferred):
    """Abnormal returns of N events over L days, with what is needed to test them.

    Attributes
    ----------
    keys : sequence of str
        Short unique names of the events.
    window, estimation : Window
        Event window (L days) and estimation window (M days).
    ar : ndarray, shape (N, L)
        Abnormal returns as fractions, NaN where there is none.
    c : ndarray, shape (N, L)
        Forecast-error factor C_it: the day's own variance plus the estimation error of the coefficients.
    sigma : ndarray, shape (N,)
        Residual standard deviation s_i.
    residuals : ndarray, shape (N, M)
        Estimation-window residuals, NaN where there is none.
    n_est : ndarray of int, shape (N,)
        M_i.
    n_params : int
        p.
    rows, root : ndarray, shape (N, L, p) and (N, p, p)
        Regressor rows and R⁻¹, for the variance of sums (see `Fit`).
    position : ndarray of int, shape (N,)
        Place of each event's session in calendar time: events with windows on common days are dependent.
    firms : ndarray of int, shape (N,)
        Which events are of one firm: equal numbers, equal tickers.
    firm_returns, benchmark_returns : ndarray, shape (N, L)
        Raw returns in the event window; the benchmark's are NaN if the model has none.
    relative_variance : ndarray, shape (N, L)
        Variance of each day's own error in units of s_i²; 1 unless the model says otherwise.
    zero_share : ndarray, shape (N,)
        Share of the estimation days with a return of exactly zero: thin trading, or prices carried forward.
    span : ndarray of int, shape (N, L), or None
        Sessions that each return reaches over, for trade-to-trade returns.
    serial : ndarray, shape (N, q), or None
        Weighted autocorrelations of the errors, for models that allow for them.
    reference_returns : ndarray, shape (N, L, K), or None
        Returns of what is held instead of the firm, for buy-and-hold models: sums then compound.
    riskless : ndarray, shape (N, L), or None
        What the model takes from the firm's return before its regression, for models of excess returns.
    est_columns, design : ndarray, shape (N, M, K), and callable, or None
        Regressor rows of the estimation days are ``design(est_columns)`` (see `Fit`); None where nothing is estimated.
    void : str
        Why an average over these events says nothing, whatever happened; empty if it does. Single events may still be tested.
    closes, benchmark_closes : ndarray, shape (N, L + 1), or None
        Adjusted closes on the session before the event window and on its days: a return over a window needs only those at its ends.
    calendar : DatetimeIndex or None
        The sessions that positions count.
    log : bool
        Whether returns are log returns; `as_fractions` makes fractions of a price of them.
    skip_gaps : bool
        Whether sums leave out days without an abnormal return; else a window with such a day has no sum.
    holes : ndarray of bool, shape (N, L), or None
        Days that the benchmark, a factor or the whole table lacks: a window with one has no sum whatever ``skip_gaps`` says.
    place : ndarray of int, shape (N,), or None
        Of events that are asked together, where they stand among all that are asked.
    before : callable, or None
        From keys of events to their abnormal returns on the sessions between estimation and event window (`run_up`).

    Notes
    -----
    ``S_it = s_i √C_it``; ``SAR = AR / S``; a sum over a window has the exact prediction-error variance
    ``S_CAR² = s² [L + h (X'X)⁻¹ h']`` with ``h`` the sum of the window's regressor rows
    (Mikkelson and Partch 1988; Salinger 1992; Campbell, Lo and MacKinlay 1997, ch. 4). With relative variances n_t and serial correlation
    the L becomes ``Σ_t n_t + 2 Σ_k ρ_k Σ_t √(n_t n_(t+k))``. A trade-to-trade CAR has no value if a return reaches back
    before the window, or the window's last day has no return (Maynes and Rumsey 1993). No other CAR has a value where a day of the window
    lacks its abnormal return, unless ``skip_gaps``: a missing price takes two returns with it, and the move between them is in neither.

    Of many events what is as large as the estimation returns, or needs them, is gathered and estimated again when it is asked for: for some
    events by `part`, and for all of them, a few hundred at a time, by `ask`.
    """

    LARGE: ClassVar[frozenset[str]] = frozenset(
        {
            "c",
            "residuals",
            "rows",
            "firm_returns",
            "benchmark_returns",
            "relative_variance",
            "span",
            "serial",
            "riskless",
        }
        | {"reference_returns", "est_columns", "closes", "benchmark_closes"}
    )
    EACH: ClassVar[frozenset[str]] = frozenset({"keys"})

    keys: Sequence[str]
    window: Window
    estimation: Window
    ar: FloatArray
    c: FloatArray
    sigma: FloatArray
    residuals: FloatArray
    n_est: IntArray
    n_params: int
    rows: FloatArray
    root: FloatArray
    position: IntArray
    firms: IntArray
    firm_returns: FloatArray
    benchmark_returns: FloatArray
    relative_variance: FloatArray
    zero_share: FloatArray
    span: IntArray | None = field(default_factory=absent)
    serial: FloatArray | None = field(default_factory=absent)
    reference_returns: FloatArray | None = field(default_factory=absent)
    riskless: FloatArray | None = field(default_factory=absent)
    est_columns: FloatArray | None = field(default_factory=absent)
    design: Callable[[FloatArray], FloatArray] | None = None
    void: str = ""
    closes: FloatArray | None = field(default_factory=absent)
    benchmark_closes: FloatArray | None = field(default_factory=absent)
    calendar: pd.DatetimeIndex | None = None
    log: bool = False
    skip_gaps: bool = False
    holes: BoolArray | None = field(default_factory=absent)
    before: Callable[[Sequence[str]], FloatArray] | None = None
    place: IntArray | None = field(default=None, init=False)
    _memo: dict[Hashable, object] = field(default_factory=dict, init=False)
    _answers: dict[Question[Answer], Answer] = field(default_factory=dict, init=False)

    @property
    def n(self) -> int:
        """Number of events."""
        return int(self.ar.shape[0])

    @property
    def df(self) -> IntArray:
        """Degrees of freedom of each residual variance, ``M_i - p``, shape (N,)."""
        return self.n_est - self.n_params

    @property
    def se(self) -> FloatArray:
        """Prediction standard error of each abnormal return, ``S_it``, shape (N, L)."""
        return self.rows_of(lambda part: part.sigma[:, None] * np.sqrt(part.c))

    @property
    def sar(self) -> FloatArray:
        """Standardised abnormal returns ``AR / S``, shape (N, L)."""
        return self.ar / self.se

    @property
    def comparable(self) -> FloatArray:
        """Abnormal returns on the scale of the residuals, ``AR / √n_t``, shape (N, L): what may be ranked among them."""
        return self.rows_of(lambda part: part.ar / np.sqrt(part.relative_variance))

    @property
    def dates(self) -> DayArray | None:
        """Sessions from the one before the event window to its end, shape (N, L + 1), NaT where there is none; None if they are not known."""
        if self.calendar is None:
            return None
        rows = self.position[:, None] + np.arange(self.window.start - 1, self.window.end + 1)
        days = self.calendar.to_numpy(dtype="datetime64[D]")
        there = (rows >= 0) & (rows < len(days))
        return np.where(there, days[np.clip(rows, 0, len(days) - 1)], np.datetime64("NaT"))

    @property
    def run_up(self) -> FloatArray:
        """Abnormal returns, on the scale of the residuals, of the last sessions between estimation and event window, shape (N, at most 20).

        Computed when asked, by the model estimated before; none where they are not known.
        """
        before = self.before
        if before is None:
            return np.empty((self.n, 0))
        return self.once(("run-up",), lambda: before(self.keys))

    @property
    def basis(self) -> FloatArray:
        """Orthonormal regressors Q of the estimation days, shape (N, M, p), 0 on days not used: residuals vary as ``s² (I - QQ')``.

        Zeros, shape (N, M, 1), where nothing is estimated. Computed when asked: it is as large as all estimation returns.
        """
        used = np.isfinite(self.residuals)
        if self.est_columns is None or self.design is None:
            return np.zeros((*used.shape, 1))
        rows = np.where(used[:, :, None], self.design(self.est_columns), 0.0)
        return np.asarray(np.linalg.qr(rows)[0], dtype=np.float64)

    @property
    def aar(self) -> FloatArray:
        """Average abnormal return of each day over the events observed, shape (L,); returns of several sessions are left out."""
        if not self.has("span"):
            return nan_mean(self.ar)
        return nan_mean(self.rows_of(lambda part: np.where(part.span == 1, part.ar, np.nan)))

    @property
    def expected(self) -> FloatArray:
        """Expected returns in the event window, shape (N, L)."""
        return self.rows_of(lambda part: part.firm_returns - part.ar)

    def columns_of(self, window: Window) -> slice:
        """Return the columns of ``ar`` that belong to a sub-window.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window.
        """
        if window not in self.window:
            raise InvalidInput(
                f"The window {window} is not inside the event window {self.window} of this study; "
                f"ask for days within it, or run the study with a longer window."
            )
        return slice(window.start - self.window.start, window.end - self.window.start + 1)

    def sums(self, window: Window | tuple[int, int] | int) -> WindowSums:
        """Sum abnormal returns over a sub-window, with their exact standard errors.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window.
        """
        chosen = Window.of(window)
        self.columns_of(chosen)
        return self.ask(SumsOver(chosen))

    def ask(self, question: Question[A]) -> A:
        """Return the answer to a question to all events, put to a few hundred at a time; kept, since these values never change."""
        self.ask_all(question)
        return next(answer for known, answer in self._answers.items() if known.serves(question))  # type: ignore[return-value]

    def knows(self, question: Question[Answer]) -> bool:
        """Return whether a question was put to all events, or needs no pass since they are few."""
        return not is_many(self.n) or any(known.serves(question) for known in self._answers)

    def ask_at_once(self, *questions: Question[Answer]) -> None:
        """Put questions that will come to all events in one pass, if there are so many events that a pass takes time."""
        if is_many(self.n):
            self.ask_all(*questions)

    def ask_all(self, *questions: Question[Answer]) -> None:
        """Put questions to all events in one pass over them, but for those that are answered."""
        new = [q for q in each_once(questions) if not any(known.serves(q) for known in self._answers)]
        if not new:
            return
        order = np.argsort(self.position, kind="stable") if is_many(self.n) else None
        tallies = answered(new, self._asked(order), self.n, settle=True)
        self._answers.update((q, tally.total(order)) for q, tally in zip(new, tallies, strict=True))

    def _asked(self, order: IntArray | None) -> Iterator[AbnormalReturns]:
        """Yield whole records of all events in order of date, a few hundred at a time, which know their places."""
        for chosen in [np.arange(self.n)] if order is None else chunks(order):
            part = self if order is None else self.part(chosen)
            part.__dict__["place"] = chosen if part.place is None else part.place
            yield part

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what ``compute`` returns, kept under ``key``: tests share sums and ranks, and these values never change."""
        if key not in self._memo:
            self._memo[key] = compute()
        return self._memo[key]  # type: ignore[return-value]

    def sums_of(self, window: Window) -> WindowSums:
        """Return the sums over a window, computed of the arrays of these events."""
        days = self.columns_of(window)
        every, standard = self.once(("standard",), lambda: (np.isfinite(self.ar), self.sar))
        ar, seen = self.ar[:, days], every[:, days]
        n_days = np.asarray(np.count_nonzero(seen, axis=1), dtype=np.int64)
        some = self._whole(seen, days)
        variances = masked(self.relative_variance[:, days], seen)
        own = variances.sum(axis=1) + self._serial_terms(variances)
        h = masked(self.rows[:, days], seen[:, :, None]).sum(axis=1)
        h_root = np.einsum("np,npq->nq", h, self.root)
        variance = own + np.einsum("nq,nq->n", h_root, h_root)
        total = masked(ar, seen).sum(axis=1) if self.reference_returns is None else self._compounded(days, seen)
        car = np.where(some, total, np.nan)
        s_car = np.where(some, self.sigma * np.sqrt(variance), np.nan)
        csar = np.where(some, masked(standard[:, days], seen).sum(axis=1), np.nan)
        naive = np.where(some, self.sigma * np.sqrt(own), np.nan)
        return WindowSums(window, n_days, car, s_car, csar, naive)

    def _whole(self, seen: BoolArray, days: slice) -> BoolArray:
        """Return which events' days of a window add up to its sum, shape (N,): all are there, or bridged inside it."""
        some = seen.any(axis=1)
        if self.span is not None:
            reaches_back = (seen & (self.span[:, days] > np.arange(1, seen.shape[1] + 1))).any(axis=1)
            covered = np.where(seen, self.span[:, days], 0).sum(axis=1) == seen.shape[1]
            return np.asarray(
                seen[:, -1] & ~reaches_back & (covered | self.skip_gaps & (self.holes is None)), dtype=np.bool_
            )
        if self.skip_gaps and self.holes is not None:
            return np.asarray(some & ~self.holes[:, days].any(axis=1), dtype=np.bool_)
        return np.asarray(some if self.skip_gaps else seen.all(axis=1), dtype=np.bool_)

    def with_sums(self, window: Window) -> AbnormalReturns:
        """Return the events that have a sum over a window, those of which a test of the average may speak; all if none has."""
        has = np.isfinite(self.sums(window).car)
        skipped = self.skip_gaps and (self.holes is None or not self.holes[:, self.columns_of(window)].any())
        if skipped or self.has("span") or has.all() or not has.any():
            return self
        return self.of(np.flatnonzero(has).astype(np.int64))

    def of(self, chosen: IntArray) -> AbnormalReturns:
        """Return the abnormal returns of some events; these ones if it is all of them."""
        if len(chosen) == self.n:
            return self
        return self.once(("of", chosen.tobytes()), lambda: self.take(chosen))

    def why_no_sum(self, window: Window) -> tuple[str, ...]:
        """Say for each event why its window has no sum; an empty text where it has one."""
        return self.once(("gaps", window), lambda: self._gaps(window))

    def _gaps(self, window: Window) -> tuple[str, ...]:
        lost = np.flatnonzero(~np.isfinite(self.sums(window).car))
        if not len(lost):
            return ("",) * self.n
        without, said = self.part(lost), [""] * self.n
        for k, i in enumerate(lost.tolist()):
            said[i] = without._gap(k, window)
        return tuple(said)

    def _gap(self, i: int, window: Window) -> str:
        """Say which days of a window an event lacks, and between which closes its news fell."""
        days = self.columns_of(window)
        lost, own = ~np.isfinite(self.ar[i, days]), ~np.isfinite(self.firm_returns[i, days])
        holes = np.zeros_like(lost) if self.holes is None else self.holes[i, days]
        if self.span is not None and (lost.all() or not holes.any()):
            return (
                "no abnormal return in the window"
                if lost.all()
                else "a return reaches back before the window, or there is no trade on its last day, so its sum has no value"
            )
        if holes.any() and (self.skip_gaps or self.span is not None or not own.any()):
            what = "the table has no return" if (holes & own).any() else "no return of the benchmark or a factor"
            return f"{what} on {self._named(i, window.days[holes])}"
        if not own.any():
            return f"no return of the benchmark or a factor on {self._named(i, window.days[lost])}"
        priced = np.flatnonzero(np.isfinite(self.closes[i])) if self.closes is not None else np.arange(days.stop + 1)
        unpriced = np.setdiff1d(np.arange(days.start, days.stop + 1), priced)
        if not len(unpriced):
            return f"no return on {self._named(i, window.days[own])}"
        text = f"no price on {self._named(i, unpriced + self.window.start - 1)}"
        place = np.unique(np.searchsorted(priced, unpriced))
        place = place[(place > 0) & (place < len(priced))]  # gaps with a close at either end
        if not len(place) or self.dates is None:
            return (
                f"{text}; if trading resumed later, TradeToTrade bridges the gap in a window that reaches to that day"
            )
        ends = [[iso_day(pd.Timestamp(self.dates[i, priced[k]])) for k in (p - 1, p)] for p in place.tolist()]
        between = listed([f"between {first} and {last}" for first, last in ends[:NAMED_DAYS]])
        return f"{text}; its move {between} is in no daily return (TradeToTrade bridges such gaps)"

    def _named(self, i: int, days: IntArray) -> str:
        """Return relative days of an event in words, with their dates if there are few."""
        shown = [relative_day(int(d)) for d in days]
        text = f"{'day' if len(shown) == 1 else 'days'} {first_few(shown, NAMED_DAYS)}"
        if self.dates is None or len(shown) > NAMED_DAYS:
            return text
        return (
            f"{text} ({', '.join(iso_day(pd.Timestamp(self.dates[i, int(d) - self.window.start + 1])) for d in days)})"
        )

    def as_fractions(self, values: ArrayLike) -> FloatArray:
        """Return returns, abnormal returns, their sums, averages or ends of intervals as fractions of a price: what a per cent is made of.

        ``exp(x) - 1`` of log returns, simple returns as they are; of an abnormal log return it is the price beside the one expected, of an
        average the geometric mean of these.
        """
        x = np.asarray(values, dtype=np.float64)
        return np.asarray(np.expm1(x), dtype=np.float64) if self.log else x

    def _serial_terms(self, variances: FloatArray) -> FloatArray:
        """Return ``2 Σ_k ρ_k Σ_t √(n_t n_(t+k))`` of each event, shape (N,)."""
        extra = np.zeros(len(variances))
        if self.serial is not None:
            root = np.sqrt(variances)
            for lag in range(1, min(self.serial.shape[1], variances.shape[1] - 1) + 1):
                extra += 2.0 * self.serial[:, lag - 1] * (root[:, lag:] * root[:, :-lag]).sum(axis=1)
        return extra

    def _compounded(self, days: slice, seen: BoolArray) -> FloatArray:
        """Return ``Π(1+R_i) - mean_k Π(1+R_k)`` over the days observed: buy and hold, against a portfolio bought at the start."""
        assert self.reference_returns is not None
        own = np.where(seen, 1.0 + self.firm_returns[:, days], 1.0).prod(axis=1)
        there = np.isfinite(self.reference_returns).any(axis=1)
        grown = np.where(seen[:, :, None], 1.0 + np.nan_to_num(self.reference_returns[:, days]), 1.0).prod(axis=1)
        return np.asarray(own - np.where(there, grown, 0.0).sum(axis=1) / there.sum(axis=1), dtype=np.float64)

    def caar(self, window: Window | tuple[int, int] | int) -> float:
        """Return the mean of the CARs over the events that have one, in the unit of the returns."""
        return float(nan_mean(self.sums(window).car[:, None])[0])

    def bhar(self, window: Window | tuple[int, int] | int, against: str = "benchmark") -> FloatArray:
        """Return buy-and-hold abnormal returns, ``Π(1 + R_i) - Π(1 + R_b)``.

        Parameters
        ----------
        window : Window or pair of int
            Relative days.
        against : {"benchmark", "expected"}
            Compare with the benchmark's return or with the model's expected return.

        Returns
        -------
        ndarray, shape (N,)
            Fractions, only for simple returns; NaN where a close at an end of the window is missing, or, of returns that were handed in
            and of expected returns, any day of it.

        Raises
        ------
        InvalidInput
            If the word is another one, or the model has no benchmark.
        """
        if against not in ("benchmark", "expected"):
            raise InvalidInput(f"against is {against!r}; choose 'benchmark' or 'expected'.")
        days = self.columns_of(Window.of(window))
        found = self.rows_of(lambda part: part._bhar(days, against))
        if not found[:, 1].any():
            raise InvalidInput("This model has no benchmark to hold instead; use against='expected'.")
        return np.ascontiguousarray(found[:, 0])

    def _bhar(self, days: slice, against: str) -> FloatArray:
        """Return the buy-and-hold abnormal returns, and 1 for each event that has something to be compared with, shape (N, 2)."""
        common = np.isfinite(self.ar[:, days]) if self.skip_gaps else None
        other = self.benchmark_returns if against == "benchmark" else self.expected
        held = self.benchmark_closes if against == "benchmark" else None
        own = self._over(days, self.firm_returns, self.closes, common)
        there = np.isfinite(other).any(axis=1) | (against == "expected")
        return np.stack([own - self._over(days, other, held, common), there], axis=1)

    def raw_returns(self, window: Window | tuple[int, int] | int) -> FloatArray:
        """Return the firm's return over a window, compounded or (log returns) summed, shape (N,).

        Of prices it is the move between the closes at its ends, whatever lies between. Of returns that were handed in it is NaN where a day
        is missing, unless a later return reaches over it.
        """
        days = self.columns_of(Window.of(window))
        return self.once(
            ("raw", days.start, days.stop),
            lambda: self.rows_of(lambda part: part._over(days, part.firm_returns, part.closes, None)),
        )

    def _over(
        self, days: slice, returns: FloatArray, closes: FloatArray | None, common: BoolArray | None
    ) -> FloatArray:
        """Return returns over a window: between the closes at its ends, else from day to day; with ``common`` over these days alone."""
        if common is None and closes is not None:
            ratio = closes[:, days.stop] / closes[:, days.start]
            return np.asarray(np.log(ratio) if self.log else ratio - 1.0, dtype=np.float64)
        chosen = returns[:, days]
        seen = np.isfinite(chosen) if common is None else common
        filled = np.where(seen, chosen, 0.0)
        total = filled.sum(axis=1) if self.log else (1.0 + filled).prod(axis=1) - 1.0
        whole = self._whole(seen, days) if common is not None or self.span is not None else seen.all(axis=1)
        return np.asarray(np.where(whole, total, np.nan), dtype=np.float64)

    def take(self, chosen: IntArray) -> AbnormalReturns:
        """Return the abnormal returns of some events, by place."""
        found = super().take(chosen)
        found.__dict__.update(place=None, _memo={}, _answers={})
        return found

    def but(self, **changes: object) -> AbnormalReturns:
        """Return the abnormal returns with other values of small fields; nothing is gathered."""
        found = super().but(**changes)
        found.__dict__.update(_memo={})
        return found

    def moved(self, added: FloatArray) -> AbnormalReturns:
        """Return the abnormal returns with something added to each day of the event window, shape (L,) or (N, L); the estimation stands."""
        found = self.but(ar=self.ar + added, firm_returns=self.firm_returns + added)
        answers = {question: answer for question, answer in self._answers.items() if question.OF_RESIDUALS}
        found.__dict__.update(_answers=answers)
        return found

    def __repr__(self) -> str:
        return f"AbnormalReturns of {self.n} events, window {self.window}, estimation {self.estimation}"


@dataclass(frozen=True)
class SumsOver(Question[WindowSums]):
    """The sums over a window."""

    window: Window

    def answer(self, part: AbnormalReturns) -> WindowSums:
        """Return them for some events."""
        return part.sums_of(self.window)


def nan_mean(values: FloatArray) -> FloatArray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    return day_means(values)[0]


def day_means(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean over the first axis of what is there, NaN where nothing is, and how many there are."""
    total, count = column_sums(values)
    return means(total, count), count


def means(total: FloatArray, count: FloatArray) -> FloatArray:
    """Return sums over counts, NaN where nothing is counted."""
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def column_sums(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sum over events of what is there on each day, and how many there are."""
    total = values.sum(axis=0)
    if np.isfinite(total).all():
        return total, np.full(values.shape[1], float(len(values)))
    seen = np.isfinite(values)
    return np.where(seen, values, 0.0).sum(axis=0), np.count_nonzero(seen, axis=0).astype(np.float64)


def abnormal_returns(panel: EventPanel, fit: Fit, firms: IntArray | None = None) -> AbnormalReturns:
    """Take expected from actual returns; ``firms``: numbers of the events' firms, by default those of this panel."""
    x_root = np.matmul(fit.rows, fit.root)
    ones = np.broadcast_to(1.0, panel.event_returns.shape)
    own = ones if fit.relative_variance is None else fit.relative_variance
    c = own + np.einsum("nlq,nlq->nl", x_root, x_root)
    return AbnormalReturns(
        keys=panel.keys,
        window=panel.window,
        estimation=panel.estimation,
        ar=panel.event_returns - fit.expected,
        c=np.where(np.isfinite(fit.expected), c, np.nan),
        sigma=fit.sigma,
        residuals=fit.residuals,
        n_est=fit.n_est,
        n_params=fit.n_params,
        rows=fit.rows,
        root=fit.root,
        position=panel.position,
        firms=firm_numbers(panel) if firms is None else firms,
        firm_returns=panel.event_returns,
        benchmark_returns=ones * np.nan if fit.benchmark_returns is None else fit.benchmark_returns,
        relative_variance=own,
        zero_share=panel.zero_share,
        span=fit.span,
        serial=fit.serial,
        reference_returns=fit.reference_returns,
        riskless=fit.riskless,
        est_columns=fit.est_columns,
        design=fit.design,
        closes=panel.closes,
        benchmark_closes=panel.benchmark_closes,
        calendar=panel.calendar,
        log=panel.log,
        skip_gaps=panel.skip_gaps,
        holes=panel.holes,
    )


def run_up(
    keys: Sequence[str],
    *,
    panel: EventPanel,
    model: NormalReturnModel,
    returns: pd.DataFrame,
    trades: pd.DataFrame | None = None,
) -> FloatArray:
    """Return `AbnormalReturns.run_up` of the events of a panel that have these keys."""
    place = {key: i for i, key in enumerate(panel.keys)}
    before = panel_before(panel, np.array([place[key] for key in keys]), returns, model, trades, RUN_UP)
    return np.empty((len(keys), 0)) if before is None else abnormal_returns(before, model.fit(before)).comparable


def firm_numbers(panel: EventPanel) -> IntArray:
    """Return a number for each event's ticker, shape (N,)."""
    return np.asarray(panel.events.firms[1], dtype=np.int64)
