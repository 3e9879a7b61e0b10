"""Models that estimate no slope: mean-adjusted and market-adjusted returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy.models.protocol import Fit, ModelDefaults, masked, nan_where
from eventstudy.models.regression import fit_least_squares, require_name, unusable_reasons
from eventstudy.panel import EventPanel, FloatArray


@dataclass(frozen=True)
class MeanAdjusted(ModelDefaults):
    """The constant-mean model, ``R_it = mu_i + e_it``.

    Notes
    -----
    ``mu_i`` is the firm's mean return over the estimation window; forecast-error factor ``C = 1 + 1/M_i``,
    residual variance with divisor ``M_i - 1``.

    References
    ----------
    Brown and Warner (1980), Journal of Financial Economics 8, 205-258.

    Examples
    --------
    >>> MeanAdjusted().formula
    'R = mu + e'
    """

    @property
    def name(self) -> str:
        """``mean-adjusted``."""
        return "mean-adjusted"

    @property
    def formula(self) -> str:
        """The model in one line."""
        return "R = mu + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """None needed."""
        return ()

    @property
    def benchmark(self) -> str | None:
        """None."""
        return None

    def design(self, columns: FloatArray) -> FloatArray:
        """Return rows ``(1,)``, shape (..., 1)."""
        return np.ones((*columns.shape[:-1], 1))

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the mean return of every event's firm.

        Parameters
        ----------
        panel : EventPanel
            N events.

        Returns
        -------
        Fit
        """
        return fit_least_squares(panel, self.design, ("mu",))


@dataclass(frozen=True)
class MarketAdjusted(ModelDefaults):
    """The market-adjusted model, ``R_it = R_mt + e_it``: alpha 0 and beta 1, nothing estimated.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns.

    Notes
    -----
    Abnormal returns are not de-meaned, so the forecast-error factor is 1. The residual variance is taken around the
    mean residual with divisor ``M_i - 1``, and one parameter is counted.

    References
    ----------
    Brown and Warner (1985), Journal of Financial Economics 14, 3-31.

    Examples
    --------
    >>> MarketAdjusted("^GSPC").formula
    'R = ^GSPC + e'
    """

    benchmark: str

    def __post_init__(self) -> None:
        require_name(self.benchmark, type(self).__name__)

    @property
    def name(self) -> str:
        """``market-adjusted``."""
        return "market-adjusted"

    @property
    def formula(self) -> str:
        """The model in one line."""
        return f"R = {self.benchmark} + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """The benchmark."""
        return (self.benchmark,)

    def design(self, columns: FloatArray) -> FloatArray:
        """Return rows ``(R_m,)``, shape (..., 1)."""
        return columns

    def fit(self, panel: EventPanel) -> Fit:
        """Return the market's returns as expected returns, with the spread of the residuals.

        Parameters
        ----------
        panel : EventPanel
            N events.

        Returns
        -------
        Fit
        """
        return fit_differences(panel)


def fit_differences(panel: EventPanel) -> Fit:
    """Take the panel's one column for the expected return: nothing is estimated but the spread of the differences.

    Parameters
    ----------
    panel : EventPanel
        N events.

    Returns
    -------
    Fit
        The residual variance is taken around the mean difference with divisor ``M_i - 1``; one parameter is counted.
    """
    mask, event_mask = panel.est_mask, panel.event_mask
    n_est = np.asarray(mask.sum(axis=1), dtype=np.int64)
    residuals = masked(panel.est_returns - panel.est_columns[:, :, 0], mask)
    mean = residuals.sum(axis=1) / np.maximum(n_est, 1)
    centred = masked(residuals - mean[:, None], mask)
    degrees = n_est - 1
    sigma = np.sqrt(np.where(degrees > 0, np.einsum("nm,nm->n", centred, centred) / np.maximum(degrees, 1), np.nan))
    n = panel.n
    return Fit(
        names=("alpha", "beta"),
        coefficients=np.tile(np.array([0.0, 1.0]), (n, 1)),
        n_params=1,
        n_est=n_est,
        sigma=sigma,
        residuals=nan_where(residuals, mask),
        expected=nan_where(panel.event_columns[:, :, 0], event_mask),
        rows=masked(panel.event_columns, event_mask[:, :, None]),
        root=np.zeros((n, 1, 1)),
        r_squared=np.full(n, np.nan),
        unusable=unusable_reasons(panel, mask, sigma, np.zeros(n, dtype=np.bool_), degrees),
        market=panel.event_columns[:, :, 0],
    )
