"""What models fitted event by event through another library have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.models.protocol import Fit, masked, nan_where
from eventstudy.models.regression import fit_least_squares
from eventstudy.panel import EventPanel, FloatArray


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
    panel : EventPanel
        N events.
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    names : tuple of str
        Names of the p coefficients.
    estimate : callable
        What the library finds for one event. Not called for events that least squares cannot fit either.

    Returns
    -------
    Fit
        ``sigma² = Σ e²/(M - p)`` of the model's own residuals; ``root`` the Cholesky factor of the covariance over sigma².
        With variances that change, ``noise`` is the forecast ``h_t/sigma²`` and ``residuals`` are ``e_t sigma/√h_t``.
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
        market=panel.event_columns[:, :, 0],
        noise=np.where(np.isfinite(event_variance), event_variance / unit, 1.0) if changing else None,
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
