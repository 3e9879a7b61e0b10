"""Power: how large an effect a design finds, in closed form and on the user's own returns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import InvalidInput
from eventstudy.inference import HypothesisTest
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

#: Usual level of a test and usual power with which an effect is said to be found.
LEVEL, POWER = 0.05, 0.8
#: Halvings of an interval: more leave no digit of a double to find.
HALVINGS = 60
#: Tests of an average whose statistic is an average of standardised abnormal returns over its standard error.
STANDARDISED = frozenset({"bmp_t", "kp_bmp_t", "patell_z", "kp_patell_z"})
#: Tests whose statistic is the average abnormal return over its standard error.
IN_RETURNS = frozenset({"csect_t", "cda_t", "bw80_z", "mackinlay_j1_z", "lamb_z", "clustered_t"})


def power(
    effect: ArrayLike, sd: ArrayLike, n: ArrayLike = 1, level: ArrayLike = LEVEL, *, df: ArrayLike | None = None
) -> float | FloatArray:
    """Return how often a two-sided test of a mean abnormal return finds an effect.

    Parameters
    ----------
    effect : float or array
        The true mean abnormal return, e.g. 0.01; its sign does not matter.
    sd : float or array
        Standard deviation of one event's abnormal return, in the same unit; for a window the S_CAR of an event.
    n : float or array
        Number of independent events.
    level : float or array
        Level of the test.
    df : float or array, optional
        Degrees of freedom of a t-test whose standard deviation is estimated: M - p for one event, n - 1 across
        events. By default the deviation is known and the test is a z-test.

    Returns
    -------
    float, or ndarray of the arguments' common shape

    Raises
    ------
    InvalidInput
        If an argument is no number or outside its range.

    Notes
    -----
    ``Φ(z_(α/2) - δ) + Φ(z_(α/2) + δ)`` with ``δ = |effect| √n / sd``; with ``df`` the same of the noncentral t law.
    MacKinlay (1997), Journal of Economic Literature 35, 13-39, section 9; Campbell, Lo and MacKinlay (1997), table 4.2.

    Examples
    --------
    >>> round(power(0.01, 0.02, 20), 3)
    0.609
    >>> power([0.005, 0.01], 0.02, 50).round(3).tolist()
    [0.424, 0.942]
    """
    size, number, spread = _numbers("effect", effect, "a finite number", np.isfinite), _count(n), _positive("sd", sd)
    share, degrees = _share("level", level), None if df is None else _positive("df", df)
    _check_shapes(effect=size, sd=spread, n=number, level=share, df=np.empty(()) if degrees is None else degrees)
    found = _found(np.abs(size) * np.sqrt(number) / spread, share, degrees)
    return _plain(found)


def detectable_effect(
    sd: ArrayLike, n: ArrayLike = 1, power: ArrayLike = POWER, level: ArrayLike = LEVEL, *, df: ArrayLike | None = None
) -> float | FloatArray:
    """Return the smallest effect that a two-sided test finds with a given power: the inverse of `power`.

    Parameters
    ----------
    sd, n, level, df
        As in `power`.
    power : float or array
        How often the effect is to be found; above the level.

    Returns
    -------
    float, or ndarray of the arguments' common shape
        In the unit of ``sd``: ``2.80 sd/√n`` at 80 % and 5 % with known deviation.

    Raises
    ------
    InvalidInput
        If an argument is no number or outside its range, or the power is not above the level.

    Examples
    --------
    >>> round(detectable_effect(0.022), 4)
    0.0616
    >>> round(detectable_effect(0.022, df=30), 4)
    0.0637
    """
    wanted, alpha = _share("power", power), _share("level", level)
    if (wanted <= alpha).any():
        raise InvalidInput(
            f"power is {power!r} and level {level!r}; a test finds nothing less often than its level: raise power."
        )
    spread, number, degrees = _positive("sd", sd), _count(n), None if df is None else _positive("df", df)
    _check_shapes(sd=spread, n=number, power=wanted, level=alpha, df=np.empty(()) if degrees is None else degrees)
    return _plain(_shift(wanted, alpha, degrees) * spread / np.sqrt(number))


def detectable_changes(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return the smallest change of each event that its own `t_pe` test finds with 80 % power at 5 %, shape (N,).

    In the unit of the abnormal returns; NaN where an event has no abnormal return in the window.
    """
    shift = abnormal.once(("detectable shift",), lambda: _shift_of(abnormal.df))
    return np.asarray(shift * abnormal.sums(window).s_car, dtype=np.float64)


def _shift_of(df: IntArray) -> FloatArray:
    """Return the shift of each event's t that is found with the usual power, shape (N,)."""
    degrees, place = np.unique(np.maximum(df, 1), return_inverse=True)
    return _shift(np.asarray(POWER), np.asarray(LEVEL), degrees.astype(np.float64))[place]


def detectable_average(abnormal: AbnormalReturns, window: Window, test: HypothesisTest) -> float:
    """Return the smallest average change that a test of the average finds with 80 % power at 5 %.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        The window tested.
    test : HypothesisTest
        The test, run on this window.

    Returns
    -------
    float
        In the unit of the abnormal returns; NaN for a test without a standard error (ranks, signs, resampling) or that does not apply.

    Notes
    -----
    The standard error is the test's own: its numerator over its statistic. Tests of standardised returns weigh events by
    ``1/S_i``, so the change is one and the same of every event.
    """
    if not test.applicable or test.statistic == 0.0 or test.name not in STANDARDISED | IN_RETURNS:
        return math.nan
    sums = abnormal.sums(window)
    seen = np.isfinite(sums.scar)
    if test.name in STANDARDISED:
        average = float(sums.scar[seen].mean()) / float((1.0 / sums.s_car[seen]).mean())
    else:
        average = float(sums.car[seen].mean())
    degrees = np.asarray(test.df) if test.distribution == "t" else None
    shift = float(_shift(np.asarray(POWER), np.asarray(LEVEL), degrees))
    return abs(average / test.statistic) * shift


def _found(shift: FloatArray, level: FloatArray, df: FloatArray | None) -> FloatArray:
    """Return the two-sided power at a shift of the statistic, each tail as a tail."""
    from scipy.special import nctdtr, ndtr, ndtri, stdtrit

    if df is None:
        z = ndtri(level / 2.0)
        return np.asarray(ndtr(z - shift) + ndtr(z + shift), dtype=np.float64)
    t = stdtrit(df, level / 2.0)
    far = np.nan_to_num(nctdtr(df, shift, t))  # the library has no number where this tail is below 1e-14
    return np.asarray(nctdtr(df, -shift, t) + far, dtype=np.float64)


def _shift(wanted: FloatArray, level: FloatArray, df: FloatArray | None) -> FloatArray:
    """Return the shift of the statistic at which the power is as wanted, by halving."""
    shape = np.broadcast_shapes(np.shape(wanted), np.shape(level), () if df is None else np.shape(df))
    low, high = np.zeros(shape), np.ones(shape)
    while (short := _found(high, level, df) < wanted).any() and high.max() < 1e6:
        high = np.where(short, 2.0 * high, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        short = _found(middle, level, df) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray(high, dtype=np.float64)


def _numbers(name: str, value: ArrayLike, allowed: str, holds: object) -> FloatArray:
    """Return an argument as numbers, or raise `InvalidInput`."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if array.size == 0 or not np.all(holds(array)):  # type: ignore[operator]
        raise InvalidInput(f"{name} is {value!r}; give {allowed}, or an array of them.")
    return array


def _check_shapes(**arrays: FloatArray) -> None:
    try:
        np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        shown = ", ".join(f"{name} {a.shape}" for name, a in arrays.items() if a.ndim)
        raise InvalidInput(
            f"The arrays {shown} do not go together; give one shape, or put each argument on an axis of its own."
        ) from error


def _positive(name: str, value: ArrayLike) -> FloatArray:
    return _numbers(name, value, "a finite number above 0", lambda x: np.isfinite(x) & (x > 0))


def _count(value: ArrayLike) -> FloatArray:
    return _numbers("n", value, "a number of events, at least 1", lambda x: np.isfinite(x) & (x >= 1))


def _share(name: str, value: ArrayLike) -> FloatArray:
    return _numbers(name, value, "a share between 0 and 1", lambda x: (x > 0) & (x < 1))


def _plain(values: FloatArray) -> float | FloatArray:
    return float(values) if values.ndim == 0 else values
