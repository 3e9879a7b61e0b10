"""Models fitted by ordinary least squares, for all events at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.models.protocol import Fit, ModelDefaults, masked, nan_where
from eventstudy.panel import BoolArray, EventPanel, FloatArray

#: A design whose smallest diagonal of R is below this share of the column's length is singular.
SINGULAR = 1e-10


@dataclass(frozen=True)
class MarketModel(ModelDefaults):
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

    benchmark: str

    def __post_init__(self) -> None:
        require_name(self.benchmark, type(self).__name__)

    @property
    def name(self) -> str:
        """``market model``."""
        return "market model"

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

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate alpha and beta of every event.

        Parameters
        ----------
        panel : EventPanel
            N events; days without a firm or market return are left out.

        Returns
        -------
        Fit
        """
        return replace(fit_least_squares(panel, self.design, ("alpha", "beta")), market=panel.event_columns[:, :, 0])


def require_name(value: object, model: str) -> None:
    """Raise `InvalidInput` unless ``value`` names a column."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{model} needs the name of its benchmark, e.g. {model}('^GSPC'); {value!r} was given.")


def with_intercept(columns: FloatArray) -> FloatArray:
    """Return ``(1, columns)`` along the last axis."""
    return np.concatenate([np.ones((*columns.shape[:-1], 1)), columns], axis=-1)


def fit_least_squares(
    panel: EventPanel,
    design: Callable[[FloatArray], FloatArray],
    names: tuple[str, ...],
    less: Callable[[FloatArray], FloatArray] | None = None,
) -> Fit:
    """Fit one linear regression per event, all at once.

    Parameters
    ----------
    panel : EventPanel
        N events.
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    names : tuple of str
        Names of the p coefficients.
    less : callable, optional
        Column returns, shape (..., K), to what is taken from the firm's return before the regression, shape (...), e.g. the
        riskless rate. Expected returns include it.

    Notes
    -----
    Days that are not usable become zero rows of X and R: they change neither X'X nor X'R. The QR
    decomposition keeps full precision where the normal equations would lose half the digits.
    """
    mask, event_mask = panel.est_mask, panel.event_mask
    x = masked(design(panel.est_columns), mask[:, :, None])
    taken, event_taken = (0.0, 0.0) if less is None else (less(panel.est_columns), less(panel.event_columns))
    y = masked(panel.est_returns - taken, mask)
    n_est = np.asarray(mask.sum(axis=1), dtype=np.int64)
    p = x.shape[2]
    q, r = np.linalg.qr(x)
    singular = _singular(x, r)
    root = np.linalg.inv(np.where(singular[:, None, None], np.eye(p), r))
    coefficients = np.einsum("npq,nq->np", root, np.einsum("nmp,nm->np", q, y))
    residuals = masked(y - np.einsum("nmp,np->nm", x, coefficients), mask)
    degrees = n_est - p
    sum_squares = np.einsum("nm,nm->n", residuals, residuals)
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = np.sqrt(np.where(degrees > 0, sum_squares / np.maximum(degrees, 1), np.nan))
    rows = masked(design(panel.event_columns), event_mask[:, :, None])
    expected = np.einsum("nlp,np->nl", rows, coefficients) + event_taken
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
        r_squared=_r_squared(y, mask, n_est, sum_squares),
        unusable=unusable,
    )


def _singular(x: FloatArray, r: FloatArray) -> BoolArray:
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    length = np.sqrt(np.einsum("nmp,nmp->np", x, x))
    return np.asarray((diagonal <= SINGULAR * np.maximum(length, np.finfo(float).tiny)).any(axis=1), dtype=np.bool_)


def _r_squared(y: FloatArray, mask: BoolArray, n_est: np.ndarray, sum_squares: FloatArray) -> FloatArray:
    centred = masked(y - (y.sum(axis=1) / np.maximum(n_est, 1))[:, None], mask)
    total = np.einsum("nm,nm->n", centred, centred)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(total > 0, 1.0 - sum_squares / total, np.nan), dtype=np.float64)


def unusable_reasons(
    panel: EventPanel, mask: BoolArray, sigma: FloatArray, singular: BoolArray, degrees: np.ndarray
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
