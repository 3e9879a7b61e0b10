"""Firms like the event's own in place of an index: a peer portfolio as benchmark, and buy-and-hold against a reference portfolio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.estimation.market import fit_differences
from eventstudy.estimation.model import Design, Fit, ModelDefaults, WithIntercept, as_they_are, fit_least_squares
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray
from eventstudy.wording import first_few

#: The name of the portfolio in tables.
PEERS = "peers"
#: A portfolio has a return on days on which firms with at least this share of its weight have one.
MIN_WEIGHT = 0.5


@dataclass(frozen=True)
class PeerPortfolio(ModelDefaults):
    """The market model with a portfolio of peers as benchmark, the event's own firm left out.

    Parameters
    ----------
    tickers : sequence of str
        The peers; may hold the events' firms, which are never their own peers.
    weights : mapping of str to float, or sequence of float, optional
        Weights by ticker, e.g. market values at the start; equal by default. The portfolio keeps them by daily rebalancing.
    estimate : bool
        True: alpha and beta by least squares. False: ``R_i - R_peers``, nothing estimated.

    Raises
    ------
    InvalidInput
        If there are no two peers, one is named twice, or a weight is missing or not above zero.

    Notes
    -----
    ``R_peers,t = Σ_j w_j R_jt / Σ_j w_j`` over the peers with a return that day; NaN if these hold less than half of the weight.
    Forecast errors as in `MarketModel` or `MarketAdjusted`. An index of close peers matters more for one firm's inference
    than the choice among statistical models.

    References
    ----------
    Baker and Gelbach (2020), Journal of Law, Finance, and Accounting 5, 231-272.

    Examples
    --------
    >>> PeerPortfolio(["AMD", "AVGO", "MU"]).formula
    'R = alpha + beta × mean of AMD, AVGO, MU + e'
    """

    benchmark: ClassVar[str | None] = None

    tickers: Sequence[str]
    weights: Mapping[str, float] | Sequence[float] | None = None
    estimate: bool = True

    def __post_init__(self) -> None:
        given = _tickers(self.tickers, type(self).__name__, least=2)
        object.__setattr__(self, "tickers", given)
        if self.weights is not None:
            object.__setattr__(self, "weights", _weights(self.weights, given))

    @property
    def _peers(self) -> tuple[str, ...]:
        return tuple(self.tickers)

    @property
    def name(self) -> str:
        """``peer portfolio``."""
        return "peer portfolio" if self.estimate else "peer-adjusted"

    @property
    def formula(self) -> str:
        """The model in one line."""
        mean = f"{'mean' if self.weights is None else 'weighted mean'} of {first_few(self.tickers, 4)}"
        return f"R = alpha + beta × {mean} + e" if self.estimate else f"R = {mean} + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """The peers."""
        return self._peers

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel with one column, the portfolio's return without the event's own firm."""
        given = np.ones(len(self._peers)) if self.weights is None else np.array(tuple(self.weights), dtype=np.float64)
        weight = np.where(_own(panel, self._peers), 0.0, given)
        return replace(
            panel,
            columns=(PEERS,),
            est_columns=portfolio(panel.est_columns, weight),
            event_columns=portfolio(panel.event_columns, weight),
        )

    @property
    def design(self) -> Design:
        """Rows ``(1, R_peers)``, or ``(R_peers,)`` if nothing is estimated."""
        return WithIntercept() if self.estimate else as_they_are

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the model of every event on a prepared panel, which has the portfolio as its one column."""
        if not self.estimate:
            return fit_differences(panel)
        found = fit_least_squares(panel, self.design, ("alpha", "beta"))
        return replace(found, benchmark_returns=panel.event_columns[:, :, 0])


@dataclass(frozen=True)
class BuyAndHold(ModelDefaults):
    """Buy-and-hold abnormal returns against an index or a reference portfolio, ``BHAR = Π(1+R_i) - mean_j Π(1+R_j)``.

    Parameters
    ----------
    reference : str or sequence of str
        What is held instead: an index, a matched firm, or the firms of a reference portfolio, bought in equal amounts on the
        first day of a window and never rebalanced. The event's own firm is left out.

    Raises
    ------
    InvalidInput
        If no ticker is named, or one twice.

    Notes
    -----
    A window's abnormal return compounds, it is not a sum. Daily abnormal returns are ``R_it - mean_j R_jt``. The standard error of
    one event's BHAR is ``s √L``, an approximation without a paper; recommended are the tests that take their spread from the cross-section
    of events, first the skewness-adjusted ones. Simple returns only.

    References
    ----------
    Barber and Lyon (1997), Journal of Financial Economics 43, 341-372. Lyon, Barber and Tsai (1999), Journal of Finance 54, 165-201.

    Examples
    --------
    >>> BuyAndHold("^GSPC").formula
    'BHAR = Π(1 + R) - Π(1 + ^GSPC)'
    """

    name: ClassVar[str] = "buy-and-hold"
    return_kinds: ClassVar[tuple[str, ...]] = ("simple",)

    reference: str | Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", _tickers(self.reference, type(self).__name__, least=1))

    @property
    def _firms(self) -> tuple[str, ...]:
        return tuple(self.reference)

    @property
    def formula(self) -> str:
        """The measure in one line."""
        one = self._firms[0] if len(self._firms) == 1 else f"mean of {len(self._firms)} reference firms"
        return f"BHAR = Π(1 + R) - Π(1 + {one})"

    @property
    def columns(self) -> tuple[str, ...]:
        """What is held instead."""
        return self._firms

    @property
    def benchmark(self) -> str | None:
        """The reference, if it is one."""
        return self._firms[0] if len(self._firms) == 1 else None

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel with the mean of the reference returns as one column, and each of them beside it."""
        own = _own(panel, self._firms)
        weight = np.where(own, 0.0, np.ones(len(self._firms)))
        return replace(
            panel,
            columns=(self.benchmark or "reference",),
            est_columns=portfolio(panel.est_columns, weight),
            event_columns=portfolio(panel.event_columns, weight),
            reference_returns=np.where(own[:, None, :], np.nan, panel.event_columns),
        )

    @property
    def design(self) -> Design:
        """Rows ``(R_reference,)``."""
        return as_they_are

    def fit(self, panel: EventPanel) -> Fit:
        """Return the reference's returns as expected returns, and what is held instead, of a prepared panel."""
        return replace(fit_differences(panel), reference_returns=panel.reference_returns)


def portfolio(returns: FloatArray, weight: FloatArray) -> FloatArray:
    """Return weighted mean returns over the firms that have one.

    Parameters
    ----------
    returns : ndarray, shape (N, days, K)
        Returns of K firms around N events, NaN where missing.
    weight : ndarray, shape (N, K)
        Weights of each event's portfolio.

    Returns
    -------
    ndarray, shape (N, days, 1)
        NaN where the firms with a return hold less than half of the weight.
    """
    seen = np.isfinite(returns)
    there = np.einsum("ndk,nk->nd", seen.astype(np.float64), weight)
    total = np.einsum("ndk,nk->nd", np.where(seen, returns, 0.0), weight)
    enough = (there > 0) & (there >= MIN_WEIGHT * weight.sum(axis=1)[:, None])
    return np.asarray(np.where(enough, total / np.where(there > 0, there, 1.0), np.nan)[:, :, None], dtype=np.float64)


def _own(panel: EventPanel, tickers: Sequence[str]) -> BoolArray:
    """Whether a peer is the event's own firm, shape (N, K)."""
    firms = panel.events.tickers
    return np.asarray(firms[:, None] == np.array(tickers, dtype=object)[None, :], dtype=np.bool_)


def _tickers(given: object, model: str, least: int) -> tuple[str, ...]:
    listed = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()
    if len(listed) < least or any(not isinstance(t, str) or not t.strip() for t in listed):
        raise InvalidInput(
            f"{model} needs the tickers of {least} firms or more, e.g. {model}(['AMD', 'AVGO']); {given!r} was given."
        )
    twice = sorted({t for t in listed if listed.count(t) > 1})
    if twice:
        raise InvalidInput(f"{model} names {', '.join(twice)} more than once; name each firm once.")
    return listed


def _weights(given: object, tickers: tuple[str, ...]) -> tuple[float, ...]:
    values = (
        [given.get(t) for t in tickers]
        if isinstance(given, Mapping)
        else list(given)
        if isinstance(given, Sequence | np.ndarray | pd.Series)
        else []
    )
    right = len(values) == len(tickers) and all(
        isinstance(v, int | float | np.number) and 0 < v < np.inf for v in values
    )
    if not right or (isinstance(given, Mapping) and set(given) - set(tickers)):
        raise InvalidInput(f"weights is {given!r}; give one weight above zero for each of {', '.join(tickers)}.")
    return tuple(float(v) for v in values)  # type: ignore[arg-type]
