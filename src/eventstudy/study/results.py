"""The result of a study: its numbers, tests, figures, text and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy import figures
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.model import Fit, NormalReturnModel
from eventstudy.estimation.panel import Audit, Dropped, EventPanel
from eventstudy.figures.presentation import Presentation, presenting
from eventstudy.inference import Advice, HypothesisTest, notes_on_tests, run_test, run_tests
from eventstudy.inference.market_value import MarketValueChange, changes_table, market_value_changes
from eventstudy.inference.multiple import adjusted_p
from eventstudy.prices.checks.finding import Finding
from eventstudy.prices.snapshot import ShareCount
from eventstudy.prices.table import Prices, Provenance
from eventstudy.statements import certified
from eventstudy.study.export import describe_figure, result_to_dict, save_result, source_line, when
from eventstudy.study.said import other_firms, result_numbers, result_sentence
from eventstudy.study.summary import summary_html, summary_text
from eventstudy.study.tables import (
    advised,
    event_index,
    frame_of_cars,
    frame_of_coefficients,
    frame_of_tests,
    shown_tests,
)
from eventstudy.study.validity import Check
from eventstudy.windows import Window, WindowLike
from eventstudy.wording import first_few

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResultsWrapper

    from eventstudy.figures.figure import HouseFigure

__all__ = ["EventStudyResult"]

#: So many events are named where one is asked for.
NAMED = 30
#: What few need to type: left out of tab completion, described under Advanced.
ADVANCED = {
    "abnormal",
    "audited",
    "fit",
    "locate",
    "panel",
    "presentation",
    "run_tests",
    "source_line",
    "value_changes",
    "when",
}


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResult:
    """The result of a study; a bare name prints its summary.

    Every method that takes a window takes it in each of these forms: ``car(0, 1)``, ``car((0, 1))``, ``car(0)`` for one day,
    ``car(Window(0, 1))``, and ``car()`` for the event day (the whole event window, if that has no day 0). Whatever follows is
    given by name.

    Attributes
    ----------
    model : NormalReturnModel
        The model of normal returns that was asked for.
    dropped : tuple of Dropped
        Events left out, with reasons.
    checks : tuple of Check
        Checks of validity.
    returns_kind : str
        ``simple`` or ``log``.
    provenance : Provenance
        Where the prices or returns come from.
    prices : Prices or None
        The price table, for dollars; None if returns were handed in.
    measure : str
        What may be abnormal: ``return``, ``volume``, ``turnover`` or ``volatility``.
    findings : tuple of Finding
        What the checks of prices found, notes and accepted errors included; empty if returns were handed in.

    Notes
    -----
    Advanced, and out of the way of tab completion: ``panel`` (`EventPanel`, returns in event time of the N events kept), ``fit``
    (`Fit`, the estimated models) and ``abnormal`` (`AbnormalReturns`: AR, SAR and what is needed for sums and tests) hold the arrays
    behind the tables, ``audited`` what became of each event, ``presentation`` the house style, the release mark and the names of the study file that was run;
    ``locate`` finds an event's row in the arrays, ``run_tests`` and ``value_changes`` give as values what `tests` and
    `market_value` give as tables, ``source_line`` and ``when`` the words at the foot and in the title of a figure.
    """

    model: NormalReturnModel
    panel: EventPanel
    fit: Fit
    abnormal: AbnormalReturns
    audited: Audit
    dropped: tuple[Dropped, ...]
    checks: tuple[Check, ...]
    returns_kind: str
    provenance: Provenance
    prices: Prices | None = None
    measure: str = "return"
    findings: tuple[Finding, ...] = ()
    presentation: Presentation = field(default_factory=Presentation)

    @property
    def audit(self) -> pd.DataFrame:
        """One row for each event asked for: day asked, session used, days found, kept or dropped and why, flags."""
        return self.audited.table

    # -- Abnormal returns.

    @property
    def events(self) -> pd.Index:
        """Short unique names of the N events."""
        return event_index(self.abnormal)

    @property
    def ar(self) -> pd.DataFrame:
        """Abnormal returns, events × relative day, shape (N, L): fractions, of a study of log returns in log points."""
        return self._daily(self.abnormal.ar)

    @property
    def sar(self) -> pd.DataFrame:
        """Standardised abnormal returns, events × relative day, shape (N, L)."""
        return self._daily(self.abnormal.sar)

    @property
    def returns(self) -> pd.DataFrame:
        """Raw returns in the event window, events × relative day, shape (N, L): fractions, of a study of log returns in log points."""
        return self._daily(self.abnormal.rows_of(lambda part: part.firm_returns))

    @property
    def aar(self) -> pd.Series[float]:
        """Average abnormal return of each relative day, shape (L,), in the unit of `ar`."""
        return pd.Series(self.abnormal.aar, index=self._days(), name="aar")

    def _days(self) -> pd.Index:
        return pd.Index(self.abnormal.window.days, name="day")

    def _daily(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.events, columns=self._days())

    def car(self, window: WindowLike | None = None, end: int | None = None, *, level: float = 0.95) -> pd.DataFrame:
        """Return cumulative abnormal returns of a window, one row an event.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        level : float
            Coverage of the interval.

        Returns
        -------
        DataFrame
            ``car``, its prediction standard error ``se``, ``t``, ``df``, ``p_value``, the interval ``low`` and
            ``high``, ``n_days``, the days of the window that have an abnormal return, and ``detectable``, the smallest change of
            either sign that this test finds with 80 % power at 5 %; ``note``, if an event has no CAR, says why. ``t`` is the SCAR. The
            unit is that of `ar`: of log returns ``numpy.expm1`` gives the fractions that are printed.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window.

        Notes
        -----
        The ``t_pe`` test of each event: `eventstudy.inference.single.t_pe`. A CAR is a sum; `bhar` compounds, against the benchmark or the
        model, and `market_value` gives what is compounded in dollars.
        """
        return frame_of_cars(self.abnormal, self._window(window, end), level)

    def caar(self, window: WindowLike | None = None, end: int | None = None) -> float:
        """Return the mean of the events' CARs over a window, in the unit of `ar`.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window.
        """
        return self.abnormal.caar(self._window(window, end))

    def bhar(
        self, window: WindowLike | None = None, end: int | None = None, *, against: str = "benchmark"
    ) -> pd.Series[float]:
        """Return buy-and-hold abnormal returns of a window, fractions, shape (N,).

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        against : {"benchmark", "expected"}
            What a firm's compounded return is compared with: the benchmark's, or the one that the model expects.

        Raises
        ------
        InvalidInput
            If the study uses log returns, or the model has no benchmark.
        """
        self._only_returns("Buy-and-hold returns")
        if self.returns_kind != "simple":
            raise InvalidInput("Buy-and-hold returns compound simple returns; run the study with returns='simple'.")
        values = self.abnormal.bhar(self._window(window, end), against)
        return pd.Series(values, index=self.events, name="bhar")

    # -- Models.

    @property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients, residual deviation, estimation days and R² of each event."""
        return frame_of_coefficients(self.abnormal, self.fit)

    def regression(self, event: str) -> RegressionResultsWrapper:
        """Return the statsmodels regression of one event's estimation window.

        Parameters
        ----------
        event : str
            Short name or ticker.

        Returns
        -------
        statsmodels RegressionResultsWrapper
            The same least-squares fit, with statsmodels' full summary.

        Raises
        ------
        InvalidInput
            If the model estimates nothing, or not by ordinary least squares.
        """
        import statsmodels.api as sm

        if not self.fit.root.any():
            raise InvalidInput(f"The {self.model.name} model estimates no coefficients, so there is no regression.")
        if not self.model.least_squares:
            raise InvalidInput(
                f"The {self.model.name} is not estimated by ordinary least squares, so statsmodels' OLS would give other "
                f"numbers; its coefficients are in result.coefficients and its errors in result.fit."
            )
        i = self.locate(event)
        used = self.panel.est_mask[i]
        rows = self.model.design(self.panel.est_columns[i])[used]
        days = self.panel.calendar[int(self.panel.position[i]) + self.panel.estimation.days[used]]
        exog = pd.DataFrame(rows, index=days, columns=list(self.fit.names))
        # The firm's return, less the riskless rate for models of excess returns.
        explained = rows @ self.fit.coefficients[i] + self.fit.residuals[i][used]
        endog = pd.Series(explained, index=days, name=self.panel.events[i].ticker)
        return sm.OLS(endog, exog).fit()

    # -- Tests.

    def test(
        self,
        name: str,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        event: str | None = None,
        **options: object,
    ) -> HypothesisTest:
        """Run one test by name.

        Parameters
        ----------
        name : str
            A key of `eventstudy.inference.TESTS`.
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        event : str, optional
            Test this event alone.
        **options : object
            Named variants, e.g. ``variant="csar"``.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        InvalidInput
            If no test has this name or an option is unknown.
        """
        return run_test(name, self._subject(event), self._window(window, end), **options)

    def tests(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        names: Sequence[str] | str | None = None,
        event: str | None = None,
    ) -> pd.DataFrame:
        """Run tests on a window and return them as a table.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        names : sequence of str, "all", or None
            Which tests. By default those for the average of several events, or for one event if there is only one
            (or ``event`` names it): the ones recommended for the design first, then the field's usual panel. ``"all"`` is every test
            that the package has.
        event : str, optional
            Test this event alone, by its short name or ticker.

        Returns
        -------
        DataFrame
            Indexed by test name: statistic, df, p_value, n, applicable, variant, note, distribution, recommended,
            title. ``note`` says what a test overlooks in this study, then how it was computed. A test that does not apply has
            ``applicable`` False and says why in ``note``.
        """
        subject, days = self._subject(event), self._window(window, end)
        return frame_of_tests(*shown_tests(subject, days, names), notes_on_tests(subject, days))

    def run_tests(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        names: Sequence[str] | str | None = None,
        event: str | None = None,
    ) -> tuple[tuple[HypothesisTest, ...], tuple[str, ...]]:
        """Return the tests of `tests` as values, and the names of the recommended ones."""
        return shown_tests(self._subject(event), self._window(window, end), names)

    def adjusted(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        method: str = "holm",
        draws: int | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Return each event's p-value adjusted for how many events were looked at.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        method : {"holm", "bh", "by", "bonferroni", "romano_wolf"}
            See `eventstudy.inference.multiple`.
        draws, seed : int, optional
            Of ``romano_wolf``, the only method that draws.

        Returns
        -------
        DataFrame
            One row an event: ``car``, ``t``, ``p_value``, ``p_adjusted``, ``method``.
        """
        chosen = self._window(window, end)
        table = frame_of_cars(self.abnormal, chosen)[["car", "t", "p_value"]]
        options = {k: v for k, v in (("draws", draws), ("seed", seed)) if v is not None}
        if options and method != "romano_wolf":
            raise InvalidInput(f"method {method!r} draws nothing; leave out {', '.join(options)}.")
        p = adjusted_p(self.abnormal, chosen, table["p_value"], method, **options)
        return table.assign(p_adjusted=p, method=method)

    def recommended(
        self, window: WindowLike | None = None, end: int | None = None, *, event: str | None = None
    ) -> Advice:
        """Return the tests that are recommended for this design, their outcomes, and the reason in a sentence.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        event : str, optional
            Test this event alone, by its short name or ticker.

        Returns
        -------
        Advice
            ``names``, ``reason``, ``sentence``, ``tests``; prints itself.

        Notes
        -----
        Looks at how many events and dates there are, whether windows overlap, at missing days, thin trading and the spread of the
        abnormal returns: `eventstudy.inference.advice`. How often each test rejects a true null in its design: docs/method.md.
        """
        subject = self._subject(event)
        advice = advised(subject, self._window(window, end))
        return replace(advice, tests=run_tests(subject, advice.window, advice.names))

    def sentence(self, window: WindowLike | None = None, end: int | None = None) -> str:
        """Return what the events did over a window, in a few sentences whose numbers are held against the result.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.

        Returns
        -------
        str
            The return of the four events with the largest abnormal returns, and how far it lies from what the model explains; how
            many more there are.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window, or the study is not of returns.

        Examples
        --------
        >>> import eventstudy as es
        >>> prices = es.load_prices(["NVDA", "^GSPC"], "2023-12-01", "2025-02-14")
        >>> es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5)).run(prices, es.Event("NVDA", "2025-01-27")).sentence()
        'NVDA fell 17.0%, 13.2 percentage points below what the market’s move explains.'
        """
        self._only_returns("Sentences")
        days = self._window(window, end)
        return certified(result_sentence(self, days), result_numbers(self, days), "The sentence of a result")

    # -- Dollars.

    def market_value(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        shares: Mapping[str, ShareCount | float] | None = None,
    ) -> pd.DataFrame:
        """Return raw and abnormal changes in market value, one row an event, in the currency of the prices, which the table names if it is known.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        level : float
            Coverage of the interval.
        shares : mapping of str to ShareCount or number, optional
            Shares outstanding by ticker, such as ``{"SAP": 1.228e9}``, in place of the embedded counts. These are only taken where the
            prices are those of the firm that is embedded under the ticker.

        Raises
        ------
        DataMissing
            If returns were handed in, or the prices have no closes as traded.
        InvalidInput
            If a share count is no number above zero.
        """
        return changes_table(self.value_changes(self._window(window, end), level=level, shares=shares))

    def value_changes(
        self, window: Window, *, level: float = 0.95, shares: Mapping[str, ShareCount | float] | None = None
    ) -> tuple[MarketValueChange, ...]:
        """Return the market-value changes of `market_value` as values, one an event."""
        self._only_returns("Market values")
        if self.prices is None:
            raise DataMissing("Market values need prices; this study was run on returns.")
        return market_value_changes(
            self.abnormal,
            tuple(self.panel.events.tickers.tolist()),
            self.panel.calendar,
            self.prices,
            window,
            level=level,
            shares=shares,
        )

    # -- Figures.

    def plot_event_day(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        size: str = "article",
    ) -> HouseFigure:
        """Draw abnormal returns of a window with their intervals, one row an event.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        level : float
            Coverage of the intervals.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.
        """
        self._only_returns("Figures")
        return self._drawn(partial(figures.event_day, self.abnormal, self._window(window, end), level=level), size)

    def plot_car(self, level: float = 0.95, size: str = "article") -> HouseFigure:
        """Draw the path of each event's cumulative abnormal return with its band.

        Parameters
        ----------
        level : float
            Coverage of the band.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.
        """
        self._only_returns("Figures")
        return self._drawn(partial(figures.car_paths, self.abnormal, level=level), size)

    def plot_market_model(self, event: str | None = None, size: str = "article") -> HouseFigure:
        """Draw one event's returns against the benchmark's, with the event day marked.

        Parameters
        ----------
        event : str, optional
            Short name or ticker; not needed if there is only one event.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.
        """
        self._only_returns("Figures")
        return self._drawn(partial(figures.market_scatter, self.panel, self.fit, self.locate(event)), size)

    def plot_estimation_days(self, event: str | None = None, size: str = "article") -> HouseFigure:
        """Draw where the event day falls among the firm's estimation days.

        Parameters
        ----------
        event : str, optional
            Short name or ticker; not needed if there is only one event.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.
        """
        self._only_returns("Figures")
        return self._drawn(partial(figures.estimation_days, self.abnormal, self.locate(event)), size)

    def plot_ranking(self, level: float = 0.95, size: str = "article") -> HouseFigure:
        """Draw all events sorted by their abnormal return on the event day.

        Parameters
        ----------
        level : float
            Coverage of the intervals.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.
        """
        self._only_returns("Figures")
        return self._drawn(partial(figures.ranking, self.abnormal, level=level), size)

    def plot_tests(
        self,
        window: WindowLike | None = None,
        end: int | None = None,
        *,
        names: Sequence[str] | None = None,
        size: str = "article",
    ) -> HouseFigure:
        """Draw what several tests say of the events' average on one scale, the recommended ones first.

        Parameters
        ----------
        window : Window, pair of int, or int
            Relative days, or the first one if ``end`` is given; by default the event day.
        end : int, optional
            The last day.
        names : sequence of str, optional
            Which tests; by default those of `tests`.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.

        Raises
        ------
        InvalidInput
            If the study has one event only, or no test applies.
        """
        if self.abnormal.n == 1:
            raise InvalidInput("plot_tests compares tests of an average; for one event draw plot_estimation_days().")
        chosen = self._window(window, end)
        tests, _ = shown_tests(self.abnormal, chosen, names)
        notes = notes_on_tests(self.abnormal, chosen)
        return self._drawn(partial(figures.several_tests, tests, notes), size)

    def _drawn(self, draw: Callable[..., HouseFigure], size: str) -> HouseFigure:
        """Draw in the study's style and with its mark, and say how the figure was made."""
        with presenting(replace(self.presentation, others=other_firms(self), numbers=partial(result_numbers, self))):
            return describe_figure(draw(size=size, source=self.source_line(), when=self.when()), self)

    def source_line(self) -> str:
        """Return source, vintage, model and estimation window as one line for the foot of a figure."""
        return source_line(self)

    def when(self) -> str:
        """Return the session of the events in words, ``27 January 2025``; empty if they do not share one."""
        return when(self.panel)

    # -- Text and files.

    def to_dict(self, windows: WindowLike | Sequence[WindowLike] = ((0, 0), (0, 1))) -> dict[str, object]:
        """Return the result as plain values for JSON: events, windows, tests, audit, provenance.

        Parameters
        ----------
        windows : window or sequence of windows
            Those that cars and tests are of; those outside the event window are left out.
        """
        return result_to_dict(self, Window.several(windows))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write tables, figures, the specification and a manifest into a folder.

        Parameters
        ----------
        folder : path
            Made if it is not there. Files are written whole or not at all.

        Returns
        -------
        Path
            The folder.
        """
        with presenting(self.presentation):
            return save_result(self, Path(folder))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__()} - ADVANCED)

    def __repr__(self) -> str:
        return summary_text(self)

    def _repr_html_(self) -> str:
        return summary_html(self)

    # -- Events and windows.

    def locate(self, event: str | None) -> int:
        """Return the place of an event by its short name or its ticker; None means the only event.

        Raises
        ------
        DataMissing
            If no event, or more than one, answers to the name.
        """
        if event is None and self.abnormal.n == 1:
            return 0
        if event is None:
            raise DataMissing(f"Which event? Name one of {first_few(self.abnormal.keys, NAMED)}.")
        if event in self.abnormal.keys:
            return self.abnormal.keys.index(event)
        places = np.flatnonzero(self.panel.events.tickers == event).tolist()
        if len(places) == 1:
            return places[0]
        near = [self.abnormal.keys[i] for i in places]
        problem = "Several events answer to" if places else "No event is called"
        raise DataMissing(f"{problem} {event!r}; name one of {first_few(near or self.abnormal.keys, NAMED)}.")

    def _window(self, window: WindowLike | None, end: int | None = None) -> Window:
        """Return a window; by default the event day, or the whole event window if that has no day 0."""
        whole = self.abnormal.window
        if window is None and end is not None:
            raise InvalidInput(f"Only the last day, {end!r}, is given; give two days, 0, 1, or one pair, (0, 1).")
        if window is None:
            window = Window(0, 0) if 0 in whole else whole
        return Window.given(window, end)

    def _subject(self, event: str | None) -> AbnormalReturns:
        return self.abnormal if event is None else self.abnormal.take(np.array([self.locate(event)]))

    def _only_returns(self, what: str) -> None:
        if self.measure != "return":
            raise InvalidInput(f"{what} need abnormal returns; this study is of abnormal {self.measure}.")
