"""What every model of normal returns promises, the market model, and how models are fitted: all events at once, or one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray, IntArray, PanelColumns


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """Normal-return models estimated for N events at once.

    Attributes
    ----------
    names : tuple of str
        Names of the p coefficients.
    coefficients : ndarray, shape (N, p)
        b_i.
    n_params : int
        p, parameters of the mean that are estimated: each takes a degree of freedom of the residual variance.
    n_est : ndarray of int, shape (N,)
        M_i, estimation days used.
    sigma : ndarray, shape (N,)
        s_i, residual standard deviation as a fraction a day, divisor M_i - p.
    residuals : ndarray, shape (N, M)
        Estimation-window residuals, NaN on days not used.
    expected : ndarray, shape (N, L)
        Expected returns in the event window, NaN on days without an observation.
    rows : ndarray, shape (N, L, p)
        Regressor rows x_it of the event window, 0 on days without an observation.
    root : ndarray, shape (N, p, p)
        R_i⁻¹ with (X_i'X_i)⁻¹ = R_i⁻¹ (R_i⁻¹)', so that x (X'X)⁻¹ x' = ‖x R⁻¹‖². Zeros where nothing is estimated.
    r_squared : ndarray, shape (N,)
        Share of the estimation-window variance explained; NaN where it has no meaning.
    unusable : tuple of str
        For each event why the model cannot be fitted, or an empty text.
    benchmark_returns : ndarray, shape (N, L), or None
        Returns of the market or reference portfolio in the event window; None if the model has none.
    relative_variance : ndarray, shape (N, L), or None
        Variance of each event-window day's own error in units of s_i²; None means 1 on every day.
    span : ndarray of int, shape (N, L), or None
        Sessions that each event-window return reaches over, for trade-to-trade returns; None means 1.
    serial : ndarray, shape (N, q), or None
        Weighted autocorrelations of the errors at lags 1 … q, for models that allow for them; None means 0.
    reference_returns : ndarray, shape (N, L, K), or None
        Returns of the K firms or indexes held instead of the firm, for buy-and-hold models; None means that returns are summed.
    riskless : ndarray, shape (N, L), or None
        What was taken from the firm's return before the regression, for models of excess returns; None means nothing.
    est_columns : ndarray, shape (N, M, K), or None
        What ``design`` makes the regressor rows of the estimation days from; None where nothing is estimated.
    design : callable or None
        Columns, shape (..., K), to regressor rows, shape (..., p).
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    n_params: int
    n_est: IntArray
    sigma: FloatArray
    residuals: FloatArray
    expected: FloatArray
    rows: FloatArray
    root: FloatArray
    r_squared: FloatArray
    unusable: tuple[str, ...]
    benchmark_returns: FloatArray | None = None
    relative_variance: FloatArray | None = None
    span: IntArray | None = None
    serial: FloatArray | None = None
    reference_returns: FloatArray | None = None
    riskless: FloatArray | None = None
    est_columns: FloatArray | None = None
    design: Callable[[FloatArray], FloatArray] | None = None


@runtime_checkable
class NormalReturnModel(PanelColumns, Protocol):
    """A specification of normal returns; ``fit`` estimates it for all events of a panel at once."""

    @property
    def name(self) -> str:
        """The model's name in tables, e.g. ``market model``."""
        ...

    @property
    def formula(self) -> str:
        """The model in one line of text."""
        ...

    @property
    def bridges_gaps(self) -> bool:
        """Whether a return may reach back over sessions without a trade."""
        ...

    @property
    def thin_trading(self) -> bool:
        """Whether it is made for firms that do not trade every day, so that still prices are no fault."""
        ...

    @property
    def return_kinds(self) -> tuple[str, ...]:
        """Kinds of returns that the model is made for: ``simple``, ``log`` or both."""
        ...

    @property
    def least_squares(self) -> bool:
        """Whether ordinary least squares on ``design`` repeats the fit."""
        ...

    @property
    def benchmark(self) -> str | None:
        """The column that stands for the market, if there is one."""
        ...

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the model on the estimation window of every event."""
        ...

    def design(self, columns: FloatArray) -> FloatArray:
        """Return regressor rows, shape (..., p), from column returns, shape (..., K)."""
        ...


class ModelDefaults:
    """What most models have in common: columns of the same day, taken as they are; gaps are never bridged."""

    @property
    def columns(self) -> tuple[str, ...]:
        """No column."""
        return ()

    @property
    def offsets(self) -> tuple[int, ...]:
        """The same day for every column."""
        return (0,) * len(self.columns)

    bridges_gaps: ClassVar[bool] = False
    thin_trading: ClassVar[bool] = False
    return_kinds: ClassVar[tuple[str, ...]] = ("simple", "log")
    least_squares: ClassVar[bool] = True

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel as it is."""
        return panel


def require_name(value: object, model: str) -> None:
    """Raise `InvalidInput` unless ``value`` names a column."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{model} needs the name of its benchmark, e.g. {model}('^GSPC'); {value!r} was given.")


def with_intercept(columns: FloatArray) -> FloatArray:
    """Return ``(1, columns)`` along the last axis."""
    return np.concatenate([np.ones((*columns.shape[:-1], 1)), columns], axis=-1)


@dataclass(frozen=True)
class OneBenchmark(ModelDefaults):
    """A model on the returns of one benchmark, rows ``(1, R_m)``."""

    benchmark: str

    def __post_init__(self) -> None:
        require_name(self.benchmark, type(self).__name__)

    @property
    def formula(self) -> str:
        """The regression in one line."""
        return f"R = alpha + beta × {self.benchmark} + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """The benchmark."""
        return (self.benchmark,)

    def design(self, columns: FloatArray) -> FloatArray:
        """Return rows ``(1, R_m)``, shape (..., 2), from the benchmark's returns, shape (..., 1)."""
        return with_intercept(columns)


# -- Sums over usable days.


def masked(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with zeros where ``mask`` is false (NaN must not reach a sum)."""
    return np.where(mask, values, 0.0)


def nan_where(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with NaN where ``mask`` is false."""
    return np.where(mask, values, np.nan)


def centred(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` less each row's mean over ``mask``, 0 elsewhere."""
    mean = masked(values, mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return masked(values - mean[:, None], mask)


def deviation(residuals: FloatArray, degrees: IntArray) -> FloatArray:
    """Return ``√(Σ e² / degrees)`` of each row, NaN without degrees of freedom."""
    squares = np.einsum("nm,nm->n", residuals, residuals)
    return np.asarray(np.sqrt(np.where(degrees > 0, squares / np.maximum(degrees, 1), np.nan)), dtype=np.float64)


def share_explained(residuals: FloatArray, restricted: FloatArray) -> FloatArray:
    """Return ``1 - Σe²/Σe₀²``, e₀ the residuals without regressors, shape (N,); NaN where these are all 0."""
    unexplained, total = (np.einsum("nm,nm->n", e, e) for e in (residuals, restricted))
    return np.asarray(
        np.where(total > 0, 1.0 - unexplained / np.where(total > 0, total, 1.0), np.nan), dtype=np.float64
    )


# -- Models fitted by ordinary least squares, for all events at once.


#: A design whose smallest diagonal of R is below this share of the column's length is singular.
SINGULAR = 1e-10


def fit_least_squares(
    panel: EventPanel,
    design: Callable[[FloatArray], FloatArray],
    names: tuple[str, ...],
    riskless_of: Callable[[FloatArray], FloatArray] | None = None,
) -> Fit:
    """Fit one linear regression per event, all at once.

    Parameters
    ----------
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    riskless_of : callable, optional
        Column returns, shape (..., K), to what is taken from the firm's return before the regression, shape (...), e.g. the
        riskless rate. Expected returns include it.

    Notes
    -----
    Days that are not usable become zero rows of X and R: they change neither X'X nor X'R. The QR
    decomposition keeps full precision where the normal equations would lose half the digits.
    """
    mask, event_mask = panel.est_mask, panel.event_mask
    x = masked(design(panel.est_columns), mask[:, :, None])
    riskless = None if riskless_of is None else riskless_of(panel.event_columns)
    explained = panel.est_returns if riskless_of is None else panel.est_returns - riskless_of(panel.est_columns)
    y = masked(explained, mask)
    n_est = np.asarray(mask.sum(axis=1), dtype=np.int64)
    p = x.shape[2]
    q, r = np.linalg.qr(x)
    singular = _singular(x, r)
    root = np.linalg.inv(np.where(singular[:, None, None], np.eye(p), r))
    coefficients = np.einsum("npq,nq->np", root, np.einsum("nmp,nm->np", q, y))
    residuals = masked(y - np.einsum("nmp,np->nm", x, coefficients), mask)
    degrees = n_est - p
    sigma = deviation(residuals, degrees)
    rows = masked(design(panel.event_columns), event_mask[:, :, None])
    expected = np.einsum("nlp,np->nl", rows, coefficients)
    if riskless is not None:
        expected = expected + riskless
    unusable = unusable_reasons(panel, mask, sigma, singular, degrees)
    return Fit(
        names=names,
        coefficients=coefficients,
        n_params=p,
        n_est=n_est,
        sigma=sigma,
        residuals=nan_where(residuals, mask),
        expected=nan_where(expected, event_mask),
        rows=rows,
        root=root,
        r_squared=share_explained(residuals, centred(y, mask)),
        unusable=unusable,
        riskless=riskless,
        est_columns=panel.est_columns,
        design=design,
    )


def _singular(x: FloatArray, r: FloatArray) -> BoolArray:
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    length = np.sqrt(np.einsum("nmp,nmp->np", x, x))
    return np.asarray((diagonal <= SINGULAR * np.maximum(length, np.finfo(float).tiny)).any(axis=1), dtype=np.bool_)


def unusable_reasons(
    panel: EventPanel, mask: BoolArray, sigma: FloatArray, singular: BoolArray, degrees: IntArray
) -> tuple[str, ...]:
    """Say for each event why a fit has no standard errors: too few days, a constant benchmark, constant returns."""
    spread = np.nanmax(np.where(mask, np.abs(panel.est_returns), 0.0), axis=1, initial=0.0)
    flat = ~(sigma > 1e-12 * np.maximum(spread, 1e-12))
    reasons = []
    for i in range(panel.n):
        if degrees[i] <= 0:
            reasons.append("too few usable returns in the estimation window for the model's parameters")
        elif singular[i]:
            reasons.append(
                f"{', '.join(panel.columns)} does not vary (or repeats itself) in the estimation window, "
                f"so the model cannot be estimated"
            )
        elif flat[i]:
            reasons.append(
                "the returns leave no residual variation in the estimation window (constant prices, or the benchmark itself), "
                "so no standard error exists"
            )
        else:
            reasons.append("")
    return tuple(reasons)


@dataclass(frozen=True)
class MarketModel(OneBenchmark):
    """The market model, ``R_it = alpha_i + beta_i R_mt + e_it``, by ordinary least squares.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns, e.g. ``"^GSPC"``.

    Notes
    -----
    Forecast-error factor ``C_it = 1 + 1/M_i + (R_mt - mean R_m)² / Σ_s (R_ms - mean R_m)²``, over the days used
    in the regression only; residual variance with divisor ``M_i - 2``.

    References
    ----------
    Fama, Fisher, Jensen and Roll (1969), International Economic Review 10, 1-21.
    MacKinlay (1997), Journal of Economic Literature 35, 13-39.

    Examples
    --------
    >>> MarketModel("^GSPC").formula
    'R = alpha + beta × ^GSPC + e'
    """

    name: ClassVar[str] = "market model"

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate alpha and beta of every event; days without a firm or market return are left out."""
        found = fit_least_squares(panel, self.design, ("alpha", "beta"))
        return replace(found, benchmark_returns=panel.event_columns[:, :, 0])


# -- What models fitted event by event through another library have in common.


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a library found for one event.

    Attributes
    ----------
    coefficients : ndarray, shape (p,)
        b_i, for returns as fractions.
    covariance : ndarray, shape (p, p)
        Their covariance, for returns as fractions.
    reason : str
        Why the estimate cannot be used, or an empty text.
    est_variance : ndarray, shape (M_i,), or None
        Variance of the error on each estimation day used, fractions squared; None where it is constant.
    event_variance : ndarray, shape (L,), or None
        Forecast variance of the error on each day of the event window.
    """

    coefficients: FloatArray
    covariance: FloatArray
    reason: str = ""
    est_variance: FloatArray | None = None
    event_variance: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class OneEvent:
    """What a library is given for one event: its usable estimation days, in order.

    Attributes
    ----------
    y : ndarray, shape (M_i,)
        Returns as fractions.
    x : ndarray, shape (M_i, p)
        Regressor rows.
    sigma : float
        Residual standard deviation of least squares, a natural unit for the numbers.
    ahead : ndarray of int, shape (L,)
        How many sessions each day of the event window lies after the last usable estimation day.
    """

    y: FloatArray
    x: FloatArray
    sigma: float
    ahead: np.ndarray


def fit_each(
    panel: EventPanel,
    design: Callable[[FloatArray], FloatArray],
    names: tuple[str, ...],
    estimate: Callable[[OneEvent], Estimate],
) -> Fit:
    """Fit one model per event through ``estimate``, and put sigma, root and expected returns together.

    Parameters
    ----------
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    estimate : callable
        What the library finds for one event. Not called for events that least squares cannot fit either.

    Returns
    -------
    Fit
        ``sigma² = Σ e²/(M - p)`` of the model's own residuals; ``root`` the Cholesky factor of the covariance over sigma².
        With variances that change, ``relative_variance`` is the forecast ``h_t/sigma²`` and ``residuals`` are ``e_t sigma/√h_t``.
    """
    base = fit_least_squares(panel, design, names)
    mask, days = panel.est_mask, panel.estimation.days
    x = masked(design(panel.est_columns), mask[:, :, None])
    y = masked(panel.est_returns, mask)
    coefficients, reasons = base.coefficients.copy(), list(base.unusable)
    covariance = np.zeros_like(base.root)
    est_variance, event_variance = np.full(mask.shape, np.nan), np.full(panel.event_returns.shape, np.nan)
    for i in np.flatnonzero([not reason for reason in reasons]):
        used = mask[i]
        ahead = panel.window.days - days[used][-1]
        found = estimate(OneEvent(y[i, used], x[i, used], float(base.sigma[i]), ahead))
        reasons[i] = found.reason or _without_errors(found)
        if reasons[i]:
            continue
        coefficients[i], covariance[i] = found.coefficients, found.covariance
        if found.est_variance is not None and found.event_variance is not None:
            est_variance[i, used], event_variance[i] = found.est_variance, found.event_variance
    residuals = masked(y - np.einsum("nmp,np->nm", x, coefficients), mask)
    usable = np.array([not reason for reason in reasons], dtype=np.bool_)
    degrees = np.maximum(base.n_est - base.n_params, 1)
    squares = np.einsum("nm,nm->n", residuals, residuals)
    sigma = np.where(usable, np.sqrt(squares / degrees), base.sigma)
    unit = np.where(usable, sigma, 1.0)[:, None] ** 2  # what cannot be used is dropped later; it must not warn now
    changing = bool(np.isfinite(event_variance).any())
    share = np.where(np.isfinite(est_variance), est_variance / unit, 1.0)
    r_squared = 1.0 - (1.0 - base.r_squared) * np.where(
        usable, unit[:, 0] / np.where(usable, base.sigma, 1.0) ** 2, 1.0
    )
    return replace(
        base,
        coefficients=coefficients,
        sigma=sigma,
        residuals=nan_where(residuals / np.sqrt(share) if changing else residuals, mask),
        expected=nan_where(np.einsum("nlp,np->nl", base.rows, coefficients), panel.event_mask),
        root=_root(covariance, unit),
        r_squared=r_squared,
        unusable=tuple(reasons),
        benchmark_returns=panel.event_columns[:, :, 0],
        relative_variance=np.where(np.isfinite(event_variance), event_variance / unit, 1.0) if changing else None,
    )


def _without_errors(found: Estimate) -> str:
    """Say why an estimate has no standard errors, or nothing."""
    diagonal = np.diag(found.covariance)
    numbers = [found.coefficients, diagonal, *(v for v in (found.est_variance, found.event_variance) if v is not None)]
    if all(np.isfinite(v).all() for v in numbers) and (diagonal > 0).all():
        scale = np.sqrt(diagonal)
        if np.linalg.eigvalsh(found.covariance / np.outer(scale, scale))[0] > 0:
            return ""
    return "the estimation gives no finite standard errors for the model's coefficients"


def _root(covariance: FloatArray, unit: FloatArray) -> FloatArray:
    """Return A with ``A A' = covariance/sigma²``, shape (N, p, p); zeros where there is no covariance."""
    there = covariance.any(axis=(1, 2))
    root = np.zeros_like(covariance)
    root[there] = np.linalg.cholesky(covariance[there] / unit[there][:, :, None])
    return root
