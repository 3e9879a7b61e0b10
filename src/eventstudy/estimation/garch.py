"""The market model with errors whose variance changes from day to day: GARCH and EGARCH."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.estimation.model import (
    Estimate,
    Fit,
    OneBenchmark,
    OneEvent,
    fit_each,
)
from eventstudy.estimation.panel import EventPanel, FloatArray

Kind = Literal["garch", "egarch"]

#: Returns are given to the optimiser in per cent.
PER_CENT = 100.0
#: Fewest usable estimation days: a variance equation of three or four numbers says nothing on fewer.
MIN_DAYS = 60
#: Iterations of the optimiser.
MAX_ITERATIONS = 1000
#: Bounds of α, γ and β of an EGARCH.
EGARCH_BOUNDS = [(0.0, 2.0), (-2.0, 2.0), (0.0, 0.999)]
#: A GARCH may be this much less likely than a constant variance, which it holds but for its first day.
SLACK = 1.0


@dataclass(frozen=True)
class GarchMarketModel(OneBenchmark):
    """The market model with GARCH(1,1) or EGARCH(1,1) errors, by maximum likelihood.

    Parameters
    ----------
    benchmark : str
        Column of the market's returns, e.g. ``"^GSPC"``.
    kind : {"garch", "egarch"}
        ``h_t = ω + α e²_(t-1) + β h_(t-1)``, or ``ln h_t = ω + α (|z_(t-1)| - √(2/π)) + γ z_(t-1) + β ln h_(t-1)`` with
        ``z = e/√h``, where falls and rises count differently.

    Raises
    ------
    InvalidInput
        If no benchmark is named or the kind is another one.
    DataMissing
        In ``fit``, if the package ``arch`` is not installed.

    Notes
    -----
    ``R_it = alpha_i + beta_i R_mt + e_it``, ``e_it = √h_it z_it``, z normal; estimated event by event with ``arch`` on
    returns in per cent. Estimation days without a return are skipped.

    **EGARCH likelihoods** of a few hundred days have several maxima, and without bounds the highest is often no model of
    volatility: with α < 0 a large shock *lowers* the next variances, and one volatile day is "foreseen" from the calm before it. The
    size effect is therefore kept from 0 to 2, β below 1, and the best of three starts is taken. (Without bounds 5 of 59
    shares of the S&P 500 panel did not converge, or to nonsense; with them 100 of 100 did.)

    **Event days.** Their variances are forecast from the last usable estimation day, through the gap, without looking at the
    event: ``h_(T+k) = ω + (α+β) h_(T+k-1)``; for EGARCH the exact expectation, ``E h_(T+k) =
    exp(ω Σ_(j<k-1) β^j + β^(k-1) ln h_(T+1)) Π_(j<k-1) E exp(β^j g(z))``, whose factors have a closed form for normal z.
    ``relative_variance`` is ``h_t/s²`` with ``s² = Σ e²/(M - 2)``: an event after a quiet month has a smaller standard error than
    one after a volatile month.

    **Coefficients.** ``root`` comes from ``V = (Σ x_t' x_t/h_t)⁻¹``, the information on the mean given the variances. For GARCH
    with symmetric errors the information is block-diagonal (Engle 1982) and V is an upper bound of its inverse; the covariance from
    numerical second derivatives, which ``arch`` prints, breaks down where the variance equation is barely identified: with errors
    of constant variance, 250 days, 3 of 100 GARCH and 4 of 100 EGARCH fits had a standard error off by more than a factor of two, up
    to ten.

    **Residuals** are ``e_t s/√h_t``, each with variance s²: plain residuals of calm and volatile weeks are not exchangeable, these are, and
    ranks and quantiles of estimation days need that. An event day's own error has variance ``h_t``, so what is
    compared with them is ``AR s/√h_t``. R² is that of the plain residuals.

    References
    ----------
    Bollerslev (1986), Journal of Econometrics 31, 307-327. Nelson (1991), Econometrica 59, 347-370. Engle (1982), Econometrica 50,
    987-1007. Akgiray (1989), Journal of Business 62, 55-80. Savickas (2003), Journal of Financial Research 26, 165-178, on event
    studies with GARCH errors.

    Examples
    --------
    >>> GarchMarketModel("^GSPC", kind="egarch").name
    'EGARCH market model'
    """

    least_squares: ClassVar[bool] = False

    kind: Kind = "garch"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in get_args(Kind):
            raise InvalidInput(f"kind is {self.kind!r}; choose {', '.join(map(repr, get_args(Kind)))}.")

    @property
    def name(self) -> str:
        """The variance equation and the mean."""
        return f"{self.kind.upper()} market model"

    @property
    def formula(self) -> str:
        """The mean and the variance in one line."""
        return f"R = alpha + beta × {self.benchmark} + e, e of {self.kind.upper()}(1,1) variance"

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate mean and variance equation of every event; days without a firm or market return are left out.

        ``unusable`` says so where the optimiser does not converge or there are fewer than `MIN_DAYS` usable days.

        Raises
        ------
        DataMissing
            If the package ``arch`` is not installed.
        """
        require_arch()
        return fit_each(panel, self.design, ("alpha", "beta"), partial(_estimate, kind=self.kind))


def require_arch() -> None:
    """Raise `DataMissing` unless the package ``arch`` can be imported."""
    try:
        import arch  # noqa: F401
    except ImportError as cause:
        raise DataMissing(
            "GarchMarketModel needs the package arch, which is not installed. "
            "Install it with: pip install 'eventstudy-finance[garch]'"
        ) from cause


def _estimate(event: OneEvent, kind: Kind) -> Estimate:
    """Fit mean and variance of one event, and forecast its variances."""
    m, word = len(event.y), kind.upper()
    covariance: FloatArray = np.zeros((2, 2))
    if m < MIN_DAYS:
        reason = f"{m} usable returns in the estimation window; a GARCH model needs at least {MIN_DAYS}"
        return Estimate(np.zeros(2), covariance, reason)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = _most_likely(PER_CENT * event.y, PER_CENT * event.x[:, 1:], kind)
        h, values = found.conditional_volatility**2, found.params
        path = forecast_garch if kind == "garch" else forecast_egarch
        ahead = path(values[2:], found.resid[-1], h[-1], int(event.ahead.max()))[event.ahead - 1]
    reason = ""
    if found.convergence_flag != 0:
        reason = f"the {word} likelihood found no maximum (optimiser status {found.convergence_flag})"
    elif not (np.isfinite(h).all() and h.min() > 0):
        reason = f"the {word} estimation gives a variance that is not a positive number"
    elif not found.loglikelihood > _constant_variance(event) - SLACK:
        reason = f"the {word} likelihood is below that of a constant variance, so its maximum was not found"
    else:
        covariance = np.asarray(np.linalg.inv((event.x / (h / PER_CENT**2)[:, None]).T @ event.x), dtype=np.float64)
    coefficients = values[:2] / np.array([PER_CENT, 1.0])
    return Estimate(coefficients, covariance, reason, h / PER_CENT**2, ahead / PER_CENT**2)


def _constant_variance(event: OneEvent) -> float:
    """Return the largest log-likelihood of the regression with a constant variance, returns in per cent."""
    m = len(event.y)
    variance = (PER_CENT * event.sigma) ** 2 * (m - 2) / m
    return -0.5 * m * (math.log(2.0 * math.pi * variance) + 1.0)


@dataclass(frozen=True, eq=False)
class _Found:
    """What is read of a result of ``arch``; returns in per cent."""

    convergence_flag: int
    loglikelihood: float
    params: FloatArray
    resid: FloatArray
    conditional_volatility: FloatArray


def _most_likely(y: FloatArray, x: FloatArray, kind: Kind) -> _Found:
    """Maximise the likelihood with ``arch``, for EGARCH within bounds and from several starts; the first of equals counts.

    Parameters
    ----------
    y, x : ndarray, shape (M,) and (M, 1)
        Returns of the firm and of the market in per cent.
    """
    from arch.univariate import EGARCH, GARCH, LS

    class Bounded(EGARCH):
        def bounds(self, resids: Any) -> list[tuple[float, float]]:
            return [super().bounds(resids)[0], *EGARCH_BOUNDS]

    starts: list[FloatArray | None] = [None]
    if kind == "egarch":
        design = np.column_stack([np.ones(len(y)), x])
        mean = np.linalg.lstsq(design, y, rcond=None)[0]
        log_variance = math.log(float(np.mean((y - design @ mean) ** 2)))
        starts += [np.array([*mean, (1.0 - b) * log_variance, 0.1, 0.0, b]) for b in (0.9, 0.5)]
    results = []
    for start in starts:
        volatility = GARCH(p=1, o=0, q=1) if kind == "garch" else Bounded(p=1, o=1, q=1)
        model = LS(y, x, volatility=volatility, rescale=False)
        options = {"maxiter": MAX_ITERATIONS}
        results.append(model.fit(disp="off", show_warning=False, starting_values=start, options=options))
    best = max(results, key=lambda result: (result.convergence_flag == 0, result.loglikelihood))
    return _Found(
        best.convergence_flag,
        float(best.loglikelihood),
        np.asarray(best.params, dtype=np.float64),
        np.asarray(best.resid, dtype=np.float64),
        np.asarray(best.conditional_volatility, dtype=np.float64),
    )


def forecast_garch(parameters: FloatArray, e: float, h: float, steps: int) -> FloatArray:
    """Forecast variances of a GARCH(1,1).

    Parameters
    ----------
    parameters : ndarray, shape (3,)
        ω, α, β.

    Returns
    -------
    ndarray, shape (steps,)
        ``h_(T+1) = ω + α e² + β h``, then ``h_(T+k) = ω + (α+β) h_(T+k-1)``.
    """
    omega, alpha, beta = parameters
    first = omega + alpha * e * e + beta * h
    power = (alpha + beta) ** np.arange(steps)
    grown = np.concatenate([[0.0], np.cumsum(power)[:-1]])
    return np.asarray(omega * grown + power * first, dtype=np.float64)


def forecast_egarch(parameters: FloatArray, e: float, h: float, steps: int) -> FloatArray:
    """Forecast variances of an EGARCH(1,1) with normal errors, exactly.

    Parameters
    ----------
    parameters : ndarray, shape (4,)
        ω, α, γ, β.

    Returns
    -------
    ndarray, shape (steps,)
        ``E h_(T+k)``; with ``g = α (|z| - √(2/π)) + γ z``,
        ``E exp(b g) = e^(-bα√(2/π)) [e^(b²(α+γ)²/2) Φ(b(α+γ)) + e^(b²(α-γ)²/2) Φ(b(α-γ))]``.
    """
    from scipy.special import ndtr

    omega, alpha, gamma, beta = parameters
    z, centre = e / np.sqrt(h), np.sqrt(2.0 / np.pi)
    first = omega + alpha * (abs(z) - centre) + gamma * z + beta * np.log(h)
    power = beta ** np.arange(steps)
    up, down = power * (alpha + gamma), power * (alpha - gamma)
    mean = np.exp(-power * alpha * centre) * (np.exp(up**2 / 2) * ndtr(up) + np.exp(down**2 / 2) * ndtr(down))
    drift = np.concatenate([[0.0], np.cumsum(omega * power + np.log(mean))[:-1]])
    return np.asarray(np.exp(drift + power * first), dtype=np.float64)
