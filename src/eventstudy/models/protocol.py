"""What every model of normal returns promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from eventstudy.panel import BoolArray, EventPanel, FloatArray, IntArray


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
        Number of estimated mean parameters that the residual variance pays for.
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
    market : ndarray, shape (N, L), or None
        Returns of the market or reference portfolio in the event window; None if the model has none.
    noise : ndarray, shape (N, L), or None
        Variance of each event-window day's own error in units of s_i²; None means 1 on every day.
    span : ndarray of int, shape (N, L), or None
        Sessions that each event-window return reaches over, for trade-to-trade returns; None means 1.
    serial : ndarray, shape (N, q), or None
        Weighted autocorrelations of the errors at lags 1 … q, for models that allow for them; None means 0.
    instead : ndarray, shape (N, L, K), or None
        Returns of the K firms or indexes held instead, for buy-and-hold models; None means that returns are summed.
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
    market: FloatArray | None = None
    noise: FloatArray | None = None
    span: IntArray | None = None
    serial: FloatArray | None = None
    instead: FloatArray | None = None


@runtime_checkable
class NormalReturnModel(Protocol):
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
    def columns(self) -> tuple[str, ...]:
        """Benchmark and factor columns that the model needs."""
        ...

    @property
    def offsets(self) -> tuple[int, ...]:
        """For each column, how many sessions later than the firm's return it is taken (-1: the session before)."""
        ...

    @property
    def bridges_gaps(self) -> bool:
        """Whether a return may reach back over sessions without a trade."""
        ...

    @property
    def return_kinds(self) -> tuple[str, ...]:
        """Kinds of returns that the model is made for: ``simple``, ``log`` or both."""
        ...

    @property
    def least_squares(self) -> bool:
        """Whether ordinary least squares on ``design`` repeats the fit."""
        ...

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel with the columns that ``fit`` uses, e.g. peers made one portfolio, before days are counted."""
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

    @property
    def bridges_gaps(self) -> bool:
        """Never."""
        return False

    @property
    def return_kinds(self) -> tuple[str, ...]:
        """Either kind."""
        return ("simple", "log")

    @property
    def least_squares(self) -> bool:
        """Yes."""
        return True

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel as it is."""
        return panel


def masked(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with zeros where ``mask`` is false (NaN must not reach a sum)."""
    return np.where(mask, values, 0.0)


def nan_where(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return ``values`` with NaN where ``mask`` is false."""
    return np.where(mask, values, np.nan)
