"""Mean-adjusted and market-adjusted returns, and models with several factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.model import (
    Design,
    Fit,
    ModelDefaults,
    OneBenchmark,
    WithIntercept,
    as_they_are,
    centred,
    deviation,
    fit_least_squares,
    masked,
    nan_where,
    unusable_reasons,
)
from eventstudy.estimation.panel import EventPanel, FloatArray


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

    name: ClassVar[str] = "mean-adjusted"
    formula: ClassVar[str] = "R = mu + e"
    benchmark: ClassVar[str | None] = None

    @property
    def design(self) -> Design:
        """Rows ``(1,)``, shape (..., 1)."""
        return WithIntercept(0)

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the mean return of every event's firm."""
        return fit_least_squares(panel, self.design, ("mu",))


@dataclass(frozen=True)
class MarketAdjusted(OneBenchmark):
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

    name: ClassVar[str] = "market-adjusted"

    @property
    def formula(self) -> str:
        """The model in one line."""
        return f"R = {self.benchmark} + e"

    @property
    def design(self) -> Design:
        """Rows ``(R_m,)``, shape (..., 1)."""
        return as_they_are

    def fit(self, panel: EventPanel) -> Fit:
        """Return the market's returns as expected returns, with the spread of the residuals."""
        return fit_differences(panel)


def fit_differences(panel: EventPanel) -> Fit:
    """Take the panel's one column for the expected return: nothing is estimated but the spread of the differences.

    The residual variance is taken around the mean difference with divisor ``M_i - 1``; one parameter is counted.
    """
    mask, event_mask = panel.est_mask, panel.event_mask
    n_est = np.asarray(mask.sum(axis=1), dtype=np.int64)
    residuals = masked(panel.est_returns - panel.est_columns[:, :, 0], mask)
    degrees = n_est - 1
    sigma = deviation(centred(residuals, mask), degrees)
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
        benchmark_returns=panel.event_columns[:, :, 0],
    )


# -- Models with several factors: CAPM, Fama-French, Carhart, or your own columns.


#: Factors of the models that have a name, by the column names of `eventstudy.load_factors`.
FACTOR_SETS = {
    "capm": ("mkt_rf",),
    "fama_french3": ("mkt_rf", "smb", "hml"),
    "carhart": ("mkt_rf", "smb", "hml", "mom"),
    "fama_french5": ("mkt_rf", "smb", "hml", "rmw", "cma"),
    "fama_french6": ("mkt_rf", "smb", "hml", "rmw", "cma", "mom"),
}


@dataclass(frozen=True)
class FactorModel(ModelDefaults):
    """A linear factor model, ``R_it - R_ft = alpha_i + Σ_k beta_ik F_kt + e_it``, by ordinary least squares.

    Parameters
    ----------
    factors : sequence of str
        Columns of the K factors, used as they are: returns of long-short portfolios, or the market's excess return.
    risk_free : str or None
        Column of the riskless rate, taken from the firm's return before the regression; None for raw returns. Factors are
        never changed.

    Raises
    ------
    InvalidInput
        If no factor is named, or one twice.

    Notes
    -----
    ``p = K + 1``; forecast-error factor ``C_it = 1 + x_it (X'X)⁻¹ x_it'`` with ``x = (1, F)``; residual variance with divisor
    ``M_i - p``. A day counts if the firm's return, all factors and the riskless rate are there.

    References
    ----------
    Sharpe (1964), Journal of Finance 19, 425-442. Fama and French (1993), Journal of Financial Economics 33, 3-56; (2015), 116, 1-22.
    Carhart (1997), Journal of Finance 52, 57-82.

    Examples
    --------
    >>> FactorModel.named("carhart")
    FactorModel(factors=('mkt_rf', 'smb', 'hml', 'mom'), risk_free='rf')
    >>> FactorModel(["^GSPC", "^SOX"]).formula
    'R = alpha + beta1 × ^GSPC + beta2 × ^SOX + e'
    """

    benchmark: ClassVar[str | None] = None

    factors: str | Sequence[str]
    risk_free: str | None = None

    def __post_init__(self) -> None:
        given = (self.factors,) if isinstance(self.factors, str) else tuple(self.factors)
        wrong = [f for f in given if not isinstance(f, str) or not f.strip()]
        if not given or wrong:
            raise InvalidInput(
                f"FactorModel needs the names of its factors, e.g. FactorModel(['mkt_rf', 'smb', 'hml'], risk_free='rf'); "
                f"{self.factors!r} was given."
            )
        if len(set(given)) < len(given) or self.risk_free in given:
            raise InvalidInput(f"FactorModel names a column twice: {', '.join(given)}, risk_free {self.risk_free}.")
        object.__setattr__(self, "factors", given)

    @property
    def _named(self) -> tuple[str, ...]:
        return tuple(self.factors)

    @classmethod
    def named(cls, name: str) -> FactorModel:
        """Return a model of the literature on the columns of `eventstudy.load_factors`.

        Parameters
        ----------
        name : {"capm", "fama_french3", "carhart", "fama_french5", "fama_french6"}
            ``fama_french6`` is the five factors and momentum.

        Returns
        -------
        FactorModel

        Raises
        ------
        InvalidInput
            If the name is another one.
        """
        if name not in FACTOR_SETS:
            raise InvalidInput(f"There is no factor model {name!r}; there are {', '.join(FACTOR_SETS)}.")
        return cls(FACTOR_SETS[name], "rf")

    @property
    def name(self) -> str:
        """The literature's name if the factors are its own, else how many factors."""
        titles = {
            "capm": "CAPM",
            "fama_french3": "Fama-French three-factor",
            "carhart": "Carhart four-factor",
            "fama_french5": "Fama-French five-factor",
            "fama_french6": "Fama-French five-factor and momentum",
        }
        known = {factors: titles[key] for key, factors in FACTOR_SETS.items()}
        count = len(self._named)
        return known.get(self._named, f"{count}-factor") + " model"

    @property
    def formula(self) -> str:
        """The regression in one line."""
        left = "R" if self.risk_free is None else f"R - {self.risk_free}"
        names = self._named
        terms = (f"beta{k if len(names) > 1 else ''} × {name}" for k, name in enumerate(names, 1))
        return f"{left} = alpha + {' + '.join(terms)} + e"

    @property
    def columns(self) -> tuple[str, ...]:
        """The factors, and the riskless rate if there is one."""
        return self._named if self.risk_free is None else (*self._named, self.risk_free)

    @property
    def design(self) -> Design:
        """Rows ``(1, F)``, shape (..., K + 1), of the columns' returns."""
        return WithIntercept(len(self._named))

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the factor loadings of every event.

        ``benchmark_returns`` are the first factor plus the riskless rate: for the models of the literature the market's return.
        """
        riskless_of = None if self.risk_free is None else _last
        found = fit_least_squares(panel, self.design, ("alpha", *self._named), riskless_of)
        first = panel.event_columns[:, :, 0]
        return replace(found, benchmark_returns=first if found.riskless is None else first + found.riskless)


def _last(columns: FloatArray) -> FloatArray:
    """Return the last column, that of the riskless rate."""
    return columns[..., -1]
