"""What every model of normal returns promises, the market model, and how models are fitted: all events at once, or in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.deferred import Deferred, chunks
from eventstudy.estimation.panel import BoolArray, EventPanel, FloatArray, IntArray, PanelColumns, absent

#: Column returns, shape (..., K), to regressor rows, shape (..., p).
Design = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Deferred):
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

    LARGE: ClassVar[frozenset[str]] = frozenset(
        {"residuals", "expected", "rows", "benchmark_returns", "relative_variance", "span", "serial"}
        | {"reference_returns", "riskless", "est_columns"}
    )
    EACH: ClassVar[frozenset[str]] = frozenset({"unusable"})

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
    benchmark_returns: FloatArray | None = field(default_factory=absent)
    relative_variance: FloatArray | None = field(default_factory=absent)
    span: IntArray | None = field(default_factory=absent)
    serial: FloatArray | None = field(default_factory=absent)
    reference_returns: FloatArray | None = field(default_factory=absent)
    riskless: FloatArray | None = field(default_factory=absent)
    est_columns: FloatArray | None = field(default_factory=absent)
    design: Design | None = None

    @property
    def n(self) -> int:
        """Number of events."""
        return len(self.sigma)


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
    def iterated(self) -> bool:
        """Whether estimating takes so long that residuals are better kept than estimated again."""
        ...

    @property
    def benchmark(self) -> str | None:
        """The column that stands for the market, if there is one."""
        ...

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the model on the estimation window of every event."""
        ...

    @property
    def design(self) -> Design:
        """What makes regressor rows, shape (..., p), of column returns, shape (..., K)."""
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
    iterated: ClassVar[bool] = False

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel as it is."""
        return panel

    def again(self, panel: EventPanel, known: Fit) -> Fit:
        """Return the fit of events whose estimates are known; estimated again where a model has no quicker way."""
        return self.fit(panel)

    def fit(self, panel: EventPanel) -> Fit:
        """Estimate the model; each model has its own way."""
        raise NotImplementedError


def require_name(value: object, model: str) -> None:
    """Raise `InvalidInput` unless ``value`` names a column."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{model} needs the name of its benchmark, e.g. {model}('^GSPC'); {value!r} was given.")


@dataclass(frozen=True)
class WithIntercept:
    """Makes rows ``(1, R_1 … R_k)`` of column returns; of all columns unless ``count`` is given."""

    count: int | None = None

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Return regressor rows, shape (..., k + 1); each regressor side by side in memory."""
        chosen = columns[..., : self.count]
        out = np.empty((chosen.shape[-1] + 1, *chosen.shape[:-1]))
        out[0] = 1.0
        out[1:] = np.moveaxis(chosen, -1, 0)
        return np.moveaxis(out, 0, -1)


def as_they_are(columns: FloatArray) -> FloatArray:
    """Return column returns as regressor rows."""
    return columns


def regressors(design: Design, columns: FloatArray) -> list[FloatArray]:
    """Return the p columns of X, shape (N, M) each, of column returns, shape (N, M, K); a constant is one row that all events share."""
    if not isinstance(design, WithIntercept):
        rows = design(columns)
        return [rows[:, :, j] for j in range(rows.shape[2])]
    chosen = columns[:, :, : design.count]
    ones = np.broadcast_to(np.ones(chosen.shape[1]), chosen.shape[:2])
    return [ones, *(chosen[:, :, j] for j in range(chosen.shape[2]))]


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

    @property
    def design(self) -> Design:
        """Rows ``(1, R_m)``, shape (..., 2), of the benchmark's returns, shape (..., 1)."""
        return WithIntercept()


# -- Sums over usable days.


def masked(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with zeros where ``mask`` is false (NaN must not reach a sum); the values themselves if it is true everywhere."""
    return values if mask.all() else np.where(mask, values, 0.0)


def nan_where(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with NaN where ``mask`` is false; the values themselves if it is true everywhere."""
    return values if mask.all() else np.where(mask, values, np.nan)


def less_multiples(values: FloatArray, factor: FloatArray, of: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return rows less multiples of other rows, ``values - factor × of``; in ``out``, which may be ``values``, if it is given."""
    return np.asarray(np.subtract(values, np.einsum("nm,n->nm", of, factor), out=out), dtype=np.float64)


def centred(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` less each row's mean over ``mask``, 0 elsewhere."""
    mean = masked(values, mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return masked(values - mean[:, None], mask)


def deviation(residuals: FloatArray, degrees: IntArray) -> FloatArray:
    """Return ``√(Σ e² / degrees)`` of each row, NaN without degrees of freedom."""
    squares = np.vecdot(residuals, residuals)
    return np.asarray(np.sqrt(np.where(degrees > 0, squares / np.maximum(degrees, 1), np.nan)), dtype=np.float64)


def share_explained(residuals: FloatArray, restricted: FloatArray) -> FloatArray:
    """Return ``1 - Σe²/Σe₀²``, e₀ the residuals without regressors, shape (N,); NaN where these are all 0."""
    unexplained, total = (np.vecdot(e, e) for e in (residuals, restricted))
    return np.asarray(
        np.where(total > 0, 1.0 - unexplained / np.where(total > 0, total, 1.0), np.nan), dtype=np.float64
    )


# -- Models fitted by ordinary least squares, for all events at once.


#: A design whose smallest diagonal of R is below this share of the column's length is singular.
SINGULAR = 1e-10


def fit_least_squares(
    panel: EventPanel,
    design: Design,
    names: tuple[str, ...],
    riskless_of: Callable[[FloatArray], FloatArray] | None = None,
    known: Fit | None = None,
) -> Fit:
    """Fit one linear regression per event, all at once.

    Parameters
    ----------
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    riskless_of : callable, optional
        Column returns, shape (..., K), to what is taken from the firm's return before the regression, shape (...), e.g. the
        riskless rate. Expected returns include it.
    known : Fit, optional
        The estimates of these events, made before: only what is as large as the returns is computed again.

    Notes
    -----
    Days that are not usable become zero rows of X and R: they change neither X'X nor X'R. Orthogonal
    columns (`orthogonal`) keep full precision where the normal equations would lose half the digits.
    """
    mask, event_mask = panel.est_mask, panel.event_mask
    x = [masked(column, mask) for column in regressors(design, panel.est_columns)]
    riskless = None if riskless_of is None else riskless_of(panel.event_columns)
    y = masked(panel.est_returns if riskless_of is None else panel.est_returns - riskless_of(panel.est_columns), mask)
    if known is None:
        found = _estimated(panel, mask, x, y, constant=isinstance(design, WithIntercept))
    else:
        residuals = _remainder(y, known.coefficients.T, x)
        found = _Estimated(
            known.coefficients, known.n_est, known.sigma, residuals, known.root, known.r_squared, ("",) * panel.n
        )
    rows = masked(design(panel.event_columns), event_mask[:, :, None])
    expected = np.einsum("nlp,np->nl", rows, found.coefficients)
    if riskless is not None:
        expected = expected + riskless
    return Fit(
        names=names,
        coefficients=found.coefficients,
        n_params=len(x),
        n_est=found.n_est,
        sigma=found.sigma,
        residuals=nan_where(found.residuals, mask),
        expected=nan_where(expected, event_mask),
        rows=rows,
        root=found.root,
        r_squared=found.r_squared,
        unusable=found.unusable,
        riskless=riskless,
        est_columns=panel.est_columns,
        design=design,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Estimated:
    """What least squares find; residuals are 0 on days not used."""

    coefficients: FloatArray
    n_est: IntArray
    sigma: FloatArray
    residuals: FloatArray
    root: FloatArray
    r_squared: FloatArray
    unusable: tuple[str, ...]


def _estimated(
    panel: EventPanel, mask: BoolArray, x: Sequence[FloatArray], y: FloatArray, *, constant: bool
) -> _Estimated:
    """Regress y on the columns x, shape (N, M) each, 0 on days not used; ``constant``: whether the first is known to be 1 on the others."""
    n_est = panel.counted.est_days
    basis, squares, u = orthogonal(x)
    length = np.einsum("nkj,nk->nj", u * u, squares)
    singular = (squares <= SINGULAR**2 * np.maximum(length, np.finfo(float).tiny)).any(axis=1)
    safe = np.where(singular[:, None], 1.0, squares)
    inverse = inverse_of_triangles(np.where(singular[:, None, None], np.eye(len(x)), u))
    root = inverse / np.sqrt(safe)[:, None, :]
    residuals, parts, own = y, list[FloatArray](), None
    for v, square in zip(basis, safe.T, strict=True):
        parts.append(np.vecdot(v, residuals) / square)
        residuals = own = less_multiples(residuals, parts[-1], v, own)
    coefficients = np.einsum("npq,nq->np", inverse, np.stack(parts, axis=1))
    degrees = n_est - len(x)
    sigma = deviation(residuals, degrees)
    squares, unexplained = np.stack(parts, axis=1) ** 2 * safe, np.vecdot(residuals, residuals)
    if constant or (x[0] == mask).all():
        explained = _explained(squares[:, 1:].sum(axis=1), unexplained)
    else:
        explained = share_explained(residuals, centred(y, mask))
    largest = np.sqrt(squares.sum(axis=1) + unexplained)  # of a row its length, which no return exceeds
    unusable = unusable_reasons(panel, mask, sigma, singular, degrees, largest)
    return _Estimated(coefficients, n_est, sigma, residuals, root, explained, unusable)


def _remainder(y: FloatArray, coefficients: FloatArray, x: Sequence[FloatArray]) -> FloatArray:
    """Return ``y - Σ b_j x_j``, coefficients of shape (p, N)."""
    left, own = y, None
    for column, coefficient in zip(x, coefficients, strict=True):
        left = own = less_multiples(left, coefficient, column, own)
    return left


def _explained(explained: FloatArray, unexplained: FloatArray) -> FloatArray:
    """Return the share of the squares that is explained, shape (N,); NaN where there are none."""
    total = explained + unexplained
    return np.asarray(np.where(total > 0, explained / np.where(total > 0, total, 1.0), np.nan), dtype=np.float64)


def orthogonal(columns: Sequence[FloatArray]) -> tuple[list[FloatArray], FloatArray, FloatArray]:
    """Return orthogonal columns V, their squared lengths and the unit upper triangle U with X = VU, of all events at once.

    Parameters
    ----------
    columns : sequence of ndarray, each of shape (N, M)
        The p columns of X.

    Returns
    -------
    list of ndarray of shape (N, M), ndarray of shape (N, p), and ndarray of shape (N, p, p)
        A column that depends on those before it is rounding noise, and so is its length.

    Notes
    -----
    Gram and Schmidt, with the projections once more where they took half of a column's square, which keeps full precision: Daniel, Gragg,
    Kaufman and Stewart (1976), Mathematics of Computation 30, 772-795; Giraud, Langou, Rozložník and van den Eshof (2005), Numerische
    Mathematik 101, 87-100.
    """
    n, p = len(columns[0]), len(columns)
    found = list[FloatArray]()
    squares, u = np.empty((n, p)), np.broadcast_to(np.eye(p), (n, p, p)).copy()
    for j, column in enumerate(columns):
        v, own = np.asarray(column), None
        left = np.vecdot(v, v)
        for _ in range(2 if j else 0):
            before = left
            for k, other in enumerate(found):
                share = np.vecdot(other, v) / np.where(squares[:, k] > 0, squares[:, k], 1.0)
                u[:, k, j] += share
                v = own = less_multiples(v, share, other, own)
            left = np.vecdot(v, v)
            if (left > 0.5 * before).all():
                break
        squares[:, j] = left
        found.append(v)
    return found, squares, u


def inverse_of_triangles(u: FloatArray) -> FloatArray:
    """Return the inverses of unit upper triangular matrices, shape (N, p, p)."""
    p, out = u.shape[1], np.zeros_like(u)
    for j in range(p):
        out[:, j, j] = 1.0
        for i in range(j - 1, -1, -1):
            out[:, i, j] = -np.vecdot(u[:, i, i + 1 : j + 1], out[:, i + 1 : j + 1, j])
    return out


#: Why a fit has no standard errors.
TOO_FEW = "too few usable returns in the estimation window for the model's parameters"
FLAT = (
    "the returns leave no residual variation in the estimation window (constant prices, or the benchmark itself), so no standard error "
    "exists"
)


def unusable_reasons(
    panel: EventPanel,
    mask: BoolArray,
    sigma: FloatArray,
    singular: BoolArray,
    degrees: IntArray,
    largest: FloatArray | None = None,
) -> tuple[str, ...]:
    """Say for each event why a fit has no standard errors: too few days, a constant benchmark, constant returns.

    ``largest``: of each event a number that no return of its estimation window exceeds, if one is known.
    """
    most = np.fmax.reduce(np.abs(panel.est_returns), axis=1) if largest is None else largest
    doubtful = np.flatnonzero(~(sigma > 1e-12 * np.maximum(most, 1e-12)) | singular)
    if not len(doubtful):
        return ("",) * panel.n
    reasons = [""] * panel.n
    for i in doubtful.tolist():
        spread = float(np.abs(panel.est_returns[i][mask[i]]).max(initial=0.0))
        if degrees[i] <= 0:
            reasons[i] = TOO_FEW
        elif singular[i]:
            reasons[i] = (
                f"{', '.join(panel.columns)} does not vary (or repeats itself) in the estimation window, so the model cannot be estimated"
            )
        elif not sigma[i] > 1e-12 * max(spread, 1e-12):
            reasons[i] = FLAT
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
        return self._fit(panel, None)

    def again(self, panel: EventPanel, known: Fit) -> Fit:
        """Return the fit of events whose estimates are known, unless a model made of this one fits in its own way."""
        return self._fit(panel, known) if type(self).fit is MarketModel.fit else self.fit(panel)

    def _fit(self, panel: EventPanel, known: Fit | None) -> Fit:
        found = fit_least_squares(panel, self.design, ("alpha", "beta"), known=known)
        return replace(found, benchmark_returns=panel.event_columns[:, :, 0])


# -- Models fitted by iteration: chunk by chunk, all events of a chunk at once.


#: A residual below this share of its return is rounding noise, whose sign and rank mean nothing.
ROUNDING = 1e-13
#: Events that are estimated together: their arrays stay in the processor's cache, and memory does not grow with the study.
CHUNK = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """What an iteration is given: n events that least squares can fit.

    Attributes
    ----------
    y : ndarray, shape (n, M)
        Returns as fractions, 0 on days not used.
    x : ndarray, shape (n, M, p)
        Regressor rows, zeros on days not used.
    used : ndarray of bool, shape (n, M)
        Days used.
    coefficients : ndarray, shape (n, p)
        Those of least squares.
    sigma : ndarray, shape (n,)
        Residual deviation of least squares, a natural unit for the numbers.
    root : ndarray, shape (n, p, p)
        R⁻¹: ``x R⁻¹`` has orthonormal columns.
    ahead : ndarray of int, shape (n, L)
        How many sessions each day of the event window lies after the last day used.
    """

    y: FloatArray
    x: FloatArray
    used: BoolArray
    coefficients: FloatArray
    sigma: FloatArray
    root: FloatArray
    ahead: IntArray

    @property
    def orthonormal(self) -> FloatArray:
        """The regressors as orthonormal rows ``Q' = (x R⁻¹)'``, shape (n, p, M): what is found on them is found on x."""
        return np.ascontiguousarray(np.matmul(self.x, self.root).transpose(0, 2, 1))

    def part(self, chosen: IntArray) -> Sample:
        """Return the sample of some events."""
        return Sample(*(getattr(self, f.name)[chosen] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Estimates:
    """What an iteration found for n events, for returns as fractions.

    Attributes
    ----------
    coefficients : ndarray, shape (n, p)
        b_i.
    covariance : ndarray, shape (n, p, p)
        Their covariance.
    reasons : sequence of str
        For each event why the estimate cannot be used, or an empty text.
    est_variance, event_variance : ndarray, shape (n, M) and (n, L), or None
        Variance of the error on each estimation day used, and forecast for each day of the event window; None where it is constant.
    """

    coefficients: FloatArray
    covariance: FloatArray
    reasons: Sequence[str]
    est_variance: FloatArray | None = None
    event_variance: FloatArray | None = None


def fit_in_chunks(
    panel: EventPanel,
    design: Design,
    names: tuple[str, ...],
    estimate: Callable[[Sample], Estimates],
    size: int = CHUNK,
) -> Fit:
    """Fit one model per event through ``estimate``, ``size`` events at once.

    Parameters
    ----------
    design : callable
        Column returns, shape (..., K), to regressor rows, shape (..., p).
    estimate : callable
        The iteration. It is not given events that least squares cannot fit either.

    Returns
    -------
    Fit
        ``sigma² = Σ e²/(M - p)`` of the model's own residuals; ``root`` the Cholesky factor of the covariance over sigma².
        With variances that change, ``relative_variance`` is the forecast ``h_t/sigma²`` and ``residuals`` are ``e_t sigma/√h_t``.
    """
    if panel.n <= size:
        return replace(_fit_chunk(panel, design, names, estimate), est_columns=panel.est_columns)
    return _joined(
        panel, [_fit_chunk(panel.part(k), design, names, estimate) for k in chunks(np.arange(panel.n), size)]
    )


def _joined(panel: EventPanel, parts: list[Fit]) -> Fit:
    """Return the fits of a panel's chunks as one."""
    if any(part.relative_variance is not None for part in parts):
        parts = [
            replace(part, relative_variance=np.ones_like(part.expected)) if part.relative_variance is None else part
            for part in parts
        ]
    together = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Fit)
        if isinstance(getattr(parts[0], f.name), np.ndarray) and f.name != "est_columns"
    }
    unusable = tuple(reason for part in parts for reason in part.unusable)
    return replace(parts[0], unusable=unusable, est_columns=panel.est_columns, **together)  # type: ignore[arg-type]


def _fit_chunk(
    panel: EventPanel,
    design: Design,
    names: tuple[str, ...],
    estimate: Callable[[Sample], Estimates],
) -> Fit:
    base = fit_least_squares(panel, design, names)
    base = replace(
        base, benchmark_returns=panel.event_columns[:, :, 0], est_columns=None
    )  # those of all are put in at the end
    asked = np.flatnonzero([not reason for reason in base.unusable])
    if not len(asked):
        return replace(base, root=np.zeros_like(base.root))
    used, days = panel.est_mask[asked], panel.estimation.days
    last = days[len(days) - 1 - np.argmax(used[:, ::-1], axis=1)]
    sample = Sample(
        y=masked(panel.est_returns[asked], used),
        x=masked(design(panel.est_columns[asked]), used[:, :, None]),
        used=used,
        coefficients=base.coefficients[asked],
        sigma=base.sigma[asked],
        root=base.root[asked],
        ahead=panel.window.days - last[:, None],
    )
    found = estimate(sample)
    reasons = [reason or lack for reason, lack in zip(found.reasons, _without_errors(found, used), strict=True)]
    good = np.flatnonzero([not reason for reason in reasons])
    unusable = np.array(base.unusable, dtype=object)
    unusable[asked] = reasons
    return replace(_with_estimates(base, panel, sample, found, asked, good), unusable=tuple(unusable))


def _with_estimates(
    base: Fit, panel: EventPanel, sample: Sample, found: Estimates, asked: IntArray, good: IntArray
) -> Fit:
    """Return the least-squares fit with what was found in its place, for the ``good`` of the events ``asked`` about."""
    place, used = asked[good], sample.used[good]
    coefficients, sigma, residuals = base.coefficients.copy(), base.sigma.copy(), base.residuals.copy()
    expected, root, r_squared = base.expected.copy(), np.zeros_like(base.root), base.r_squared.copy()
    b = found.coefficients[good]
    e = masked(sample.y[good] - np.einsum("nmp,np->nm", sample.x[good], b), used)
    e[np.abs(e) <= ROUNDING * np.abs(sample.y[good])] = (
        0.0  # days that a line of least absolute deviations goes through
    )
    s = deviation(e, base.n_est[place] - base.n_params)
    relative = None
    if found.est_variance is not None and found.event_variance is not None:
        relative = np.ones_like(base.expected)
        relative[place] = found.event_variance[good] / s[:, None] ** 2
        e = e * s[:, None] / np.sqrt(np.where(used, found.est_variance[good], 1.0))
    coefficients[place], sigma[place], residuals[place] = b, s, nan_where(e, used)
    expected[place] = nan_where(np.einsum("nlp,np->nl", base.rows[place], b), panel.event_mask[place])
    root[place] = np.linalg.cholesky(found.covariance[good] / s[:, None, None] ** 2)
    r_squared[place] = 1.0 - (1.0 - base.r_squared[place]) * (s / base.sigma[place]) ** 2
    return replace(
        base,
        coefficients=coefficients,
        sigma=sigma,
        residuals=residuals,
        expected=expected,
        root=root,
        r_squared=r_squared,
        relative_variance=relative,
    )


def _without_errors(found: Estimates, used: BoolArray) -> list[str]:
    """Say for each event why an estimate has no standard errors, or nothing."""
    diagonal = np.diagonal(found.covariance, axis1=1, axis2=2)
    sound = np.asarray(np.isfinite(found.coefficients).all(axis=1), dtype=np.bool_)
    sound &= np.isfinite(found.covariance).all(axis=(1, 2)) & (np.nan_to_num(diagonal) > 0).all(axis=1)
    if found.est_variance is not None and found.event_variance is not None:
        sound &= (np.isfinite(found.est_variance) | ~used).all(axis=1) & np.isfinite(found.event_variance).all(axis=1)
    scale = np.sqrt(np.where(sound[:, None], diagonal, 1.0))
    correlation = found.covariance / (scale[:, :, None] * scale[:, None, :])
    correlation[~sound] = np.eye(diagonal.shape[1])
    sound &= np.linalg.eigvalsh(correlation)[:, 0] > 0
    lack = "the estimation gives no finite standard errors for the model's coefficients"
    return ["" if there else lack for there in sound]
