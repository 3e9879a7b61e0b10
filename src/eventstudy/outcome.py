"""The numbers of a result: what happened, by how much, and in dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.diagnostics import Check
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.inference.result import t_two_sided
from eventstudy.market_value import MarketValueChange, car_interval, changes_table, market_value_changes
from eventstudy.models import Fit, NormalReturnModel
from eventstudy.panel import Dropped, EventPanel
from eventstudy.power_formulas import detectable_changes
from eventstudy.prices.fitness.finding import Finding
from eventstudy.prices.shares import ShareCount
from eventstudy.prices.table import Prices, Provenance
from eventstudy.windows import Window

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResultsWrapper


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What a study found: abnormal returns, their sums and errors, dollars, audit.

    Attributes
    ----------
    model : NormalReturnModel
        The model of normal returns that was asked for.
    panel : EventPanel
        Returns in event time of the N events kept.
    fit : Fit
        The estimated models.
    abnormal : AbnormalReturns
        AR, SAR and what is needed for sums and tests.
    audit : DataFrame
        One row for each event asked for: day asked, session used, days found, kept or dropped and why, flags.
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
    """

    model: NormalReturnModel
    panel: EventPanel
    fit: Fit
    abnormal: AbnormalReturns
    audit: pd.DataFrame
    dropped: tuple[Dropped, ...]
    checks: tuple[Check, ...]
    returns_kind: str
    provenance: Provenance
    prices: Prices | None = None
    measure: str = "return"
    findings: tuple[Finding, ...] = ()

    # -- what happened -------------------------------------------------------------------------------------

    @property
    def events(self) -> pd.Index:
        """Short unique names of the N events."""
        return pd.Index(self.abnormal.keys, name="event")

    @property
    def ar(self) -> pd.DataFrame:
        """Abnormal returns as fractions, events × relative day, shape (N, L)."""
        return self._daily(self.abnormal.ar)

    @property
    def sar(self) -> pd.DataFrame:
        """Standardised abnormal returns, events × relative day, shape (N, L)."""
        return self._daily(self.abnormal.sar)

    @property
    def returns(self) -> pd.DataFrame:
        """Raw returns in the event window as fractions, events × relative day, shape (N, L)."""
        return self._daily(self.abnormal.firm_returns)

    @property
    def aar(self) -> pd.Series[float]:
        """Average abnormal return of each relative day, fractions, shape (L,)."""
        return pd.Series(self.abnormal.aar, index=self._days(), name="aar")

    @property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients, residual deviation, estimation days and R² of each event."""
        table = pd.DataFrame(self.fit.coefficients, index=self.events, columns=list(self.fit.names))
        return table.assign(sigma=self.fit.sigma, n_est=self.fit.n_est, r_squared=self.fit.r_squared)

    def _days(self) -> pd.Index:
        return pd.Index(self.abnormal.window.days, name="day")

    def _daily(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.events, columns=self._days())

    def car(self, start: int, end: int | None = None, *, level: float = 0.95) -> pd.DataFrame:
        """Return cumulative abnormal returns of a window, one row an event.

        Parameters
        ----------
        start, end : int
            First and last relative day; ``end`` defaults to ``start``.
        level : float
            Coverage of the interval.

        Returns
        -------
        DataFrame
            ``car``, its prediction standard error ``se``, ``t``, ``df``, ``p_value``, the interval ``low`` and
            ``high`` (fractions), ``n_days``, the days of the window that have an abnormal return, and ``detectable``, the
            smallest change of either sign that this test finds with 80 % power at 5 %. ``t`` is the SCAR.

        Raises
        ------
        InvalidInput
            If the window is not inside the event window.

        Notes
        -----
        The ``t_pe`` test of each event: `eventstudy.inference.single.t_pe`.
        """
        window = Window.of(start) if end is None else Window(start, end)
        sums = self.abnormal.sums(window)
        low, high = car_interval(self.abnormal, window, level)
        df = self.abnormal.df
        p = [t_two_sided(float(t), float(d)) for t, d in zip(sums.scar, df, strict=True)]
        return pd.DataFrame(
            {
                "car": sums.car,
                "se": sums.s_car,
                "t": sums.scar,
                "p_value": p,
                "low": low,
                "high": high,
                "df": df,
                "n_days": sums.n_days,
                "detectable": detectable_changes(self.abnormal, window),
            },
            index=self.events,
        )

    def caar(self, start: int, end: int | None = None) -> float:
        """Return the mean of the events' CARs over a window, a fraction."""
        return self.abnormal.caar(Window.of(start) if end is None else Window(start, end))

    def bhar(self, start: int, end: int | None = None, against: str = "benchmark") -> pd.Series[float]:
        """Return buy-and-hold abnormal returns of a window, fractions, shape (N,).

        Raises
        ------
        InvalidInput
            If the study uses log returns, or the model has no benchmark.
        """
        self._only_returns("Buy-and-hold returns")
        if self.returns_kind != "simple":
            raise InvalidInput("Buy-and-hold returns compound simple returns; run the study with returns='simple'.")
        values = self.abnormal.bhar(Window.of(start) if end is None else Window(start, end), against)
        return pd.Series(values, index=self.events, name="bhar")

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
            raise DataMissing(f"Which event? Name one of {', '.join(self.abnormal.keys)}.")
        if event in self.abnormal.keys:
            return self.abnormal.keys.index(event)
        places = [i for i, e in enumerate(self.panel.events) if e.ticker == event]
        if len(places) == 1:
            return places[0]
        problem = "Several events answer to" if places else "No event is called"
        raise DataMissing(f"{problem} {event!r}; name one of {', '.join(self.abnormal.keys)}.")

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

    # -- dollars -------------------------------------------------------------------------------------------

    def market_value(
        self,
        start: int = 0,
        end: int | None = None,
        *,
        level: float = 0.95,
        shares: Mapping[str, ShareCount] | None = None,
    ) -> pd.DataFrame:
        """Return raw and abnormal changes in market value, one row an event, in the currency of the prices.

        Parameters
        ----------
        start, end : int
            Relative days; ``end`` defaults to ``start``.
        level : float
            Coverage of the interval.
        shares : mapping of str to ShareCount, optional
            Share counts by ticker in place of the embedded ones.

        Raises
        ------
        DataMissing
            If returns were handed in, or the prices have no closes as traded.
        """
        window = Window.of(start) if end is None else Window(start, end)
        return changes_table(self.value_changes(window, level=level, shares=shares))

    def value_changes(
        self, window: Window, *, level: float = 0.95, shares: Mapping[str, ShareCount] | None = None
    ) -> tuple[MarketValueChange, ...]:
        """Return the market-value changes of `market_value` as values, one an event."""
        self._only_returns("Market values")
        if self.prices is None:
            raise DataMissing("Market values need prices; this study was run on returns.")
        return market_value_changes(
            self.abnormal,
            tuple(e.ticker for e in self.panel.events),
            self.panel.calendar,
            self.prices,
            window,
            level=level,
            shares=shares,
            log_returns=self.returns_kind == "log",
        )

    def _only_returns(self, what: str) -> None:
        if self.measure != "return":
            raise InvalidInput(f"{what} need abnormal returns; this study is of abnormal {self.measure}.")

    def source_line(self) -> str:
        """Return source, vintage, model and estimation window as one line for the foot of a figure."""
        origin = self.provenance
        source = {"snapshot": "eventstudy price snapshot", "universe": "eventstudy S&P 500 panel"}.get(
            origin.source, origin.source
        )
        vintage = f" (downloads of {origin.retrieved})" if origin.retrieved else ""
        against = f" on {self.model.benchmark}" if self.model.benchmark else ""
        return f"Source: {source}{vintage}. {self.model.name.capitalize()}{against}."

    def when(self) -> str:
        """Return the session of the events in words, ``27 January 2025``; empty if they do not share one."""
        session = self.panel.sessions[0]
        return f"{session.day} {session:%B %Y}" if (self.panel.position == self.panel.position[0]).all() else ""
