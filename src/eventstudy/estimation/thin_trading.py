"""Models for shares that do not trade every day, or not at the close: their returns lag behind the market's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.model import (
    SINGULAR,
    Design,
    Fit,
    OneBenchmark,
    WithIntercept,
    as_they_are,
    centred,
    deviation,
    fit_least_squares,
    masked,
    nan_where,
    share_explained,
    unusable_reasons,
)
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray, IntArray

#: Below this first-stage F statistic an instrument is weak (Staiger and Stock 1997).
WEAK_F = 10.0


#: No regression of thin trading reaches over more sessions before or after; the literature takes up to five.
FARTHEST_SHIFT = 100


@dataclass(frozen=True)
class ScholesWilliams(OneBenchmark):
    """The market model with the Scholes-Williams beta, which is consistent if prices lag by less than a session.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns.

    Notes
    -----
    The regression ``R_it = alpha_i + beta_i R_mt + e_it`` by instrumental variables, the instrument being
    ``z_t = R_m,t-1 + R_mt + R_m,t+1``: ``b = (Z'X)⁻¹ Z'R``. The slope is ``cov(R, z)/cov(R_m, z)``, and the published
    ``(b₋ + b₀ + b₊)/(1 + 2ρ)``, three simple regressions on the market of the day before, the same day and the day after and
    the market's first autocorrelation, is the same number but for days at the ends of the window, O(1/M).

    Residuals are ``R - alpha - beta R_m``, with divisor ``M_i - 2``. A forecast error has the variance of the instrumental
    estimator, ``s² [1 + x (Z'X)⁻¹ Z'Z (X'Z)⁻¹ x']``, wider than least squares by one over the squared correlation of z and R_m.
    Estimation days need the market's returns of three sessions; days of the event window only that day's. An event whose
    first-stage F is below 10 is not fitted: its instrument is weak. The slope is consistent, not unbiased: on simulated prices that
    lag by half a session it was 1 % too large with 95 estimation days, 0.1 % with 760.

    References
    ----------
    Scholes and Williams (1977), Journal of Financial Economics 5, 309-327.
    Staiger and Stock (1997), Econometrica 65, 557-586.

    Examples
    --------
    >>> ScholesWilliams("^GSPC").offsets
    (0, -1, 1)
    """

    name: ClassVar[str] = "Scholes-Williams model"
    offsets: ClassVar[tuple[int, ...]] = (0, -1, 1)
    thin_trading: ClassVar[bool] = True
    least_squares: ClassVar[bool] = False

    @property
    def formula(self) -> str:
        """The model in one line."""
        b = self.benchmark
        return f"R = alpha + beta × {b} + e, instrument {b}[-1] + {b} + {b}[+1]"

    @property
    def columns(self) -> tuple[str, ...]:
        """The benchmark, three times."""
        return (self.benchmark,) * 3

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel with zeros for neighbouring sessions that are missing around the event: only estimation needs them."""
        columns = panel.event_columns.copy()
        columns[:, :, 1:] = np.nan_to_num(columns[:, :, 1:])
        return replace(panel, event_columns=columns)

    @property
    def design(self) -> Design:
        """Rows ``(1, R_m)``, shape (..., 2), of the benchmark's three returns, shape (..., 3)."""
        return WithIntercept(1)

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate alpha and beta of every event of a prepared panel."""
        mask, event_mask = panel.est_mask, panel.event_mask
        n_est = np.asarray(mask.sum(axis=1), dtype=np.int64)
        instrument = masked(panel.est_columns.sum(axis=2), mask)
        x = masked(self.design(panel.est_columns), mask[:, :, None])
        z = masked(WithIntercept()(instrument[:, :, None]), mask[:, :, None])
        y = masked(panel.est_returns, mask)
        strength = _first_stage_f(x[:, :, 1], instrument, mask)
        q, _ = np.linalg.qr(z)
        # Z = QR, so (Z'X)⁻¹ Z'y = (Q'X)⁻¹ Q'y, and the covariance's root (Z'X)⁻¹ R' is (Q'X)⁻¹ too.
        square = np.where((strength >= WEAK_F)[:, None, None], np.einsum("nmp,nmq->npq", q, x), np.eye(2))
        root = np.linalg.inv(square)
        coefficients = np.einsum("npq,nq->np", root, np.einsum("nmp,nm->np", q, y))
        residuals = masked(y - np.einsum("nmp,np->nm", x, coefficients), mask)
        sigma = deviation(residuals, n_est - 2)
        rows = masked(self.design(panel.event_columns), event_mask[:, :, None])
        return Fit(
            names=("alpha", "beta"),
            coefficients=coefficients,
            n_params=2,
            n_est=n_est,
            sigma=sigma,
            residuals=nan_where(residuals, mask),
            expected=nan_where(np.einsum("nlp,np->nl", rows, coefficients), event_mask),
            rows=rows,
            root=root,
            r_squared=share_explained(residuals, centred(y, mask)),
            unusable=_weak_reasons(panel, mask, sigma, strength, n_est),
            benchmark_returns=panel.event_columns[:, :, 0],
            est_columns=panel.est_columns,
            design=self.design,
        )


@dataclass(frozen=True)
class Dimson(OneBenchmark):
    """Dimson's aggregated coefficients: the market model with the market's returns of sessions before and after.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns.
    leads, lags : int
        Sessions after and before whose market returns join the regression.

    Raises
    ------
    InvalidInput
        If ``leads`` or ``lags`` is not a whole number of at least 0 and at most 100.

    Notes
    -----
    ``R_it = alpha_i + Σ_{k=-lags}^{leads} beta_ik R_m,t+k + e_it`` by least squares; Dimson's beta is ``Σ_k beta_ik``
    (`summed_beta`). Expected returns and forecast errors use the whole regression, ``p = 2 + leads + lags``, so a day of the event
    window needs the market's returns of its neighbours: without ``leads`` sessions after the event window its last days have
    no abnormal return. Without leads and lags it is the `MarketModel`. If the market's returns are autocorrelated the sum is
    not consistent (Fowler and Rorke 1983); `ScholesWilliams` allows for that.

    References
    ----------
    Dimson (1979), Journal of Financial Economics 7, 197-226. Fowler and Rorke (1983), ibid. 12, 279-283.

    Examples
    --------
    >>> Dimson("^GSPC", leads=0, lags=2).formula
    'R = alpha + beta[-2] × ^GSPC[-2] + beta[-1] × ^GSPC[-1] + beta × ^GSPC + e'
    """

    name: ClassVar[str] = "Dimson model"
    thin_trading: ClassVar[bool] = True

    leads: int = 1
    lags: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for word, value in (("leads", self.leads), ("lags", self.lags)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= FARTHEST_SHIFT:
                raise InvalidInput(
                    f"{word} is {value!r}; give a whole number of sessions of at least 0, and at most {FARTHEST_SHIFT}."
                )

    @property
    def formula(self) -> str:
        """The regression in one line."""
        terms = (f"beta{_shift(k)} × {self.benchmark}{_shift(k)}" for k in self.offsets)
        return f"R = alpha + {' + '.join(terms)} + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """The benchmark, once for each session."""
        return (self.benchmark,) * len(self.offsets)

    @property
    def offsets(self) -> tuple[int, ...]:
        """``-lags … leads``."""
        return tuple(range(-int(self.lags), int(self.leads) + 1))

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate ``alpha``, ``beta[-1]``, ``beta``, ``beta[+1]`` and so on of every event."""
        names = ("alpha", *(f"beta{_shift(k)}" for k in self.offsets))
        found = fit_least_squares(panel, self.design, names)
        return replace(found, benchmark_returns=panel.event_columns[:, :, int(self.lags)])

    def summed_beta(self, fit: Fit) -> FloatArray:
        """Return Dimson's beta, the sum of all slopes, shape (N,)."""
        return np.asarray(fit.coefficients[:, 1:].sum(axis=1), dtype=np.float64)

    def summed_beta_error(self, fit: Fit) -> FloatArray:
        """Return the standard error of Dimson's beta, ``s √(1'(X'X)⁻¹1)`` over the slopes, shape (N,)."""
        beta_root = fit.root[:, 1:].sum(axis=1)
        return np.asarray(fit.sigma * np.sqrt(np.einsum("np,np->n", beta_root, beta_root)), dtype=np.float64)


@dataclass(frozen=True)
class TradeToTrade(OneBenchmark):
    """The market model between trades, for log returns: a return reaches back to the last trade, and so does the market's.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns.

    Notes
    -----
    Over the ``d_t`` sessions since the last trade ``r_it = alpha d_t + beta Σ r_m + Σ e`` has the error variance ``d_t s²``:
    least squares of ``r/√d`` on ``(√d, Σ r_m/√d)`` without a constant. Residuals are ``e/√d``; an abnormal return has the forecast
    variance ``s² (d + x (X'X)⁻¹ x')`` with ``x = (d, Σ r_m)``. Sessions are counted on the calendar, also across the sessions
    between the two windows and before the first.

    From prices, returns are taken from the last price there was. In a table of returns a missing day means that there was no
    trade and the next return must cover the gap. What lies before the first return in such a table is not known; it counts as one
    session. A return of several sessions belongs to none of them: averages of one day leave it out, and a CAR has no value if a
    return reaches back before its window or its last day has no trade.

    References
    ----------
    Maynes and Rumsey (1993), Journal of Banking and Finance 17, 145-157.

    Examples
    --------
    >>> TradeToTrade("^GSPC").return_kinds
    ('log',)
    """

    name: ClassVar[str] = "trade-to-trade model"
    bridges_gaps: ClassVar[bool] = True
    thin_trading: ClassVar[bool] = True
    return_kinds: ClassVar[tuple[str, ...]] = ("log",)
    least_squares: ClassVar[bool] = False

    @property
    def formula(self) -> str:
        """The regression in one line."""
        return f"r = alpha × d + beta × sum of {self.benchmark} + e over the d sessions since the last trade"

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate alpha and beta of every event, both a session; without spans every return is of one session."""
        est_span = np.ones(panel.est_returns.shape, dtype=np.int64) if panel.est_span is None else panel.est_span
        span = np.ones(panel.event_returns.shape, dtype=np.int64) if panel.event_span is None else panel.event_span
        weighted = replace(
            panel,
            est_returns=panel.est_returns / _root_days(est_span),
            event_returns=panel.event_returns / _root_days(span),
            est_columns=_weighted_rows(panel.est_columns, est_span),
            event_columns=_weighted_rows(panel.event_columns, span),
        )
        found = fit_least_squares(weighted, as_they_are, ("alpha", "beta"))
        y, days = masked(weighted.est_returns, panel.est_mask), masked(_root_days(est_span), panel.est_mask)
        drift = np.einsum("nm,nm->n", y, days) / np.maximum(np.einsum("nm,nm->n", days, days), 1.0)
        residuals = masked(found.residuals, panel.est_mask)
        return replace(
            found,
            expected=found.expected * _root_days(span),
            rows=found.rows * _root_days(span)[:, :, None],
            r_squared=share_explained(residuals, y - drift[:, None] * days),
            benchmark_returns=panel.event_columns[:, :, 0],
            relative_variance=np.maximum(span, 1).astype(np.float64),
            span=span,
        )


def _shift(sessions: int) -> str:
    return f"[{sessions:+d}]" if sessions else ""


def _root_days(span: IntArray) -> FloatArray:
    return np.sqrt(np.maximum(span, 1).astype(np.float64))


def _weighted_rows(columns: FloatArray, span: IntArray) -> FloatArray:
    """Return ``(√d, Σ r_m/√d)``, shape (N, days, 2)."""
    root = _root_days(span)
    return np.stack([root, columns[:, :, 0] / root], axis=2)


def _first_stage_f(x: FloatArray, z: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``F = (M - 2) r²/(1 - r²)`` of the regression of x on z, shape (N,); NaN if one of them does not vary."""
    xc, zc = centred(x, mask), centred(z, mask)
    xx, zz, xz = (np.einsum("nm,nm->n", a, b) for a, b in ((xc, xc), (zc, zc), (xc, zc)))
    varies = np.ones(len(x), dtype=np.bool_)
    for values, squares in ((x, xx), (z, zz)):
        varies &= squares > SINGULAR**2 * np.einsum("nm,nm->n", values, values)
    share = xz**2 / np.where(varies, xx * zz, 1.0)
    with np.errstate(divide="ignore"):
        f = (mask.sum(axis=1) - 2) * share / np.maximum(1.0 - share, 0.0)
    return np.asarray(np.where(varies, f, np.nan), dtype=np.float64)


def _weak_reasons(
    panel: EventPanel, mask: BoolArray, sigma: FloatArray, strength: FloatArray, n_est: IntArray
) -> tuple[str, ...]:
    """Say for each event why it cannot be fitted; a weak instrument is the last of the reasons."""
    weak = np.asarray(strength < WEAK_F, dtype=np.bool_)
    found = unusable_reasons(panel, mask, np.where(weak, 1.0, sigma), np.isnan(strength), n_est - 2)
    return tuple(
        f"{panel.columns[0]} of three sessions is a weak instrument for that of one in the estimation window "
        f"(first-stage F {f:.1f}, at least {WEAK_F:g} needed); use a longer estimation window or another model"
        if not reason and is_weak
        else reason
        for reason, is_weak, f in zip(found, weak, strength, strict=True)
    )
