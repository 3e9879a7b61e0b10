"""The value that a test returns, and what all tests share: reasons why they do not apply, tail probabilities, checks of draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from eventstudy.errors import InvalidInput
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.windows import Window
from eventstudy.wording import below_text


@dataclass(frozen=True, slots=True)
class HypothesisTest:
    """The outcome of a test, or why it does not apply.

    Attributes
    ----------
    name : str
        The word used in study files and tables, e.g. ``kp_bmp_t``.
    title : str
        The test's name for people.
    null : str
        The null hypothesis in words.
    statistic : float
        The test statistic; NaN if the test does not apply.
    distribution : str
        Reference distribution: ``t``, ``normal``, ``exact``, ``bootstrap``, or ``F(N, k)`` with its degrees of freedom.
    df : float
        Degrees of freedom; NaN unless the distribution is t.
    p_value : float
        Two-sided p-value from the tail function; NaN if the test does not apply.
    n : int
        Events that entered.
    window : Window
        Relative days tested.
    variant : str
        Which of the literature's variants this is.
    reference : str
        The paper.
    note : str
        What else a reader should know, e.g. the mean correlation used.
    reason : str
        Why the test does not apply; empty if it does.
    details : mapping of str to float
        Further numbers by name, e.g. one-sided p-values.
    """

    name: str
    title: str
    null: str
    statistic: float
    distribution: str
    df: float
    p_value: float
    n: int
    window: Window
    variant: str = ""
    reference: str = ""
    note: str = ""
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def applicable(self) -> bool:
        """Whether the test could be computed."""
        return not self.reason

    @property
    def p_text(self) -> str:
        """The p-value with its relation sign; a count of zero among m estimation days says no more than ``< 2/m``."""
        if self.p_value == 0.0 and "m" in self.details:
            return f"< {below_text(self.details['m'])}"
        return format_p(self.p_value)

    def __str__(self) -> str:
        head = f"{self.title} ({self.name}), {self.window}, n = {self.n}. H0: {self.null}."
        if not self.applicable:
            return f"{head} Does not apply: {self.reason}."
        law = {"t": f"t({self.df:g})", "normal": "N(0, 1)"}.get(self.distribution, self.distribution)
        return f"{head} Statistic {self.statistic:.3f} ~ {law}, p {self.p_text}."


def format_p(p: float) -> str:
    """Return a p-value as text with its relation sign: ``= 0.032``, ``< 0.001``; never ``0.000``."""
    if math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a test function computes; the registry adds name, title, null and reference."""

    statistic: float
    p_value: float
    n: int
    distribution: str = "normal"
    df: float = math.nan
    variant: str = ""
    note: str = ""
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why a test says nothing on this design, at the place of its number."""

    reason: str
    n: int
    variant: str = ""


# -- The level, reasons why a test does not apply, and events that have a value.


#: The usual level of a test. One whose most extreme outcome has a larger p-value says so.
LEVEL = 0.05

NO_DAYS = "no event has an abnormal return on every day of the window"
EQUAL = "all events have the same value, so there is no cross-sectional variance"
ONE_EVENT = "it needs at least two events; for one event use t_pe, sq or permutation"


def sd_or_zero(values: FloatArray) -> float:
    """Return the sample standard deviation, 0 where it is only rounding noise."""
    return float(spread(values))


def spread(values: FloatArray) -> FloatArray:
    """Return sample standard deviations along the last axis, 0 where they are only rounding noise."""
    deviation = np.std(values, axis=-1, ddof=1)
    return np.asarray(
        np.where(deviation <= 1e-13 * np.abs(values).max(axis=-1, initial=0.0), 0.0, deviation), dtype=np.float64
    )


def members(values: FloatArray) -> IntArray:
    """Return the events that have a value."""
    return np.flatnonzero(np.isfinite(values)).astype(np.int64)


# -- Tail probabilities, and the drafts made of them.


def normal_two_sided(z: float) -> float:
    """Return ``2 Φ(-|z|)``."""
    return float(normal_tails(z))


def normal_tails(z: ArrayLike) -> FloatArray:
    """Return ``2 Φ(-|z|)`` of arrays or of numbers."""
    from scipy.special import ndtr

    return np.asarray(2.0 * ndtr(-np.abs(z)), dtype=np.float64)


def t_two_sided(t: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return ``2 F_df(-|t|)`` of Student's t, of arrays or of numbers."""
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(df, -np.abs(t)), dtype=np.float64)


def normal_quantile(probability: float) -> float:
    """Return ``Φ⁻¹`` of a probability."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def t_quantile(probability: float, df: ArrayLike) -> object:
    """Return quantiles of Student's t; ``df`` may be an array."""
    from scipy.special import stdtrit

    degrees, place = np.unique(df, return_inverse=True)  # those of many events are few
    return stdtrit(degrees, probability)[place] if np.ndim(df) else stdtrit(df, probability)


def z_draft(z: float, n: int, variant: str = "", note: str = "", **details: float) -> Draft:
    """Return a statistic that is N(0, 1) under the null."""
    return Draft(z, normal_two_sided(z), n, "normal", math.nan, variant, note, details)


def t_draft(t: float, df: float, n: int, variant: str = "", note: str = "", **details: float) -> Draft:
    """Return a statistic that is t(df) under the null."""
    return Draft(t, float(t_two_sided(t, df)), n, "t", df, variant, note, details)


def f_draft(f: float, first: int, second: int, n: int, variant: str = "", note: str = "", **details: float) -> Draft:
    """Return a statistic that is F(first, second) under the null; only large values speak against it."""
    from scipy.special import fdtrc

    details = {"df1": float(first), "df2": float(second), **details}
    return Draft(f, float(fdtrc(first, second, f)), n, f"F({first}, {second})", math.nan, variant, note, details)


# -- Options of tests that draw.


def check_draws(draws: int, seed: int) -> None:
    """Raise `InvalidInput` if a number of draws or a seed cannot be used."""
    if not isinstance(draws, int | np.integer) or isinstance(draws, bool) or draws < 1:
        raise InvalidInput(
            f"draws is {draws!r}; give a whole number of at least 1 random draws, better some thousands."
        )
    check_seed(seed)


def check_seed(seed: int) -> None:
    """Raise `InvalidInput` if a seed cannot be used."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InvalidInput(f"seed is {seed!r}; give a whole number of at least 0.")
