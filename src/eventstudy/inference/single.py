"""Tests of one event: is this abnormal return unusual for this firm?"""

from __future__ import annotations

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.estimation.residuals import running_sums
from eventstudy.inference.result import Draft, NotApplicable, check_draws, t_draft, t_quantile
from eventstudy.windows import Window

#: Fewest estimation days, or windows of them, with which an event is compared.
MIN_COMPARED = 20
#: Random numbers held at once.
DRAWN_AT_ONCE = 2**22


def own_deviations(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return the deviation of each observed day's own error in units of s, shape (L_i,): 1 unless the model says otherwise."""
    days = abnormal.columns_of(window)
    return np.asarray(np.sqrt(abnormal.relative_variance[0, days][np.isfinite(abnormal.ar[0, days])]), dtype=np.float64)


def t(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Time-series t of one event, ``CAR / (s √L)``, t(M - p).

    Notes
    -----
    Ignores the estimation error of the model's coefficients; exact only for large M. MacKinlay (1997).
    """
    sums = abnormal.sums(window)
    if reason := abnormal.why_no_sum(window)[0]:
        return NotApplicable(reason, 0)
    return t_draft(float(sums.car[0] / sums.s_car_naive[0]), float(abnormal.df[0]), 1, "plain")


def t_pe(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Time-series t of one event with the prediction error, ``CAR / S_CAR``, t(M - p).

    Notes
    -----
    Exactly t under independent normal errors. ``S_CAR² = s² [L + h (X'X)⁻¹ h']``: Patell (1976); Salinger (1992).
    """
    sums = abnormal.sums(window)
    if reason := abnormal.why_no_sum(window)[0]:
        return NotApplicable(reason, 0)
    return t_draft(float(sums.scar[0]), float(abnormal.df[0]), 1, "with prediction error")


def car_interval(abnormal: AbnormalReturns, window: Window, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of each event's interval ``CAR ± t_{M-p} S_CAR``, shape (N,) each."""
    if isinstance(level, bool) or not isinstance(level, int | float | np.floating) or not 0.0 < level < 1.0:
        raise InvalidInput(f"level is {level!r}; give a coverage between 0 and 1, e.g. 0.95.")
    sums = abnormal.sums(window)
    half_width = np.asarray(t_quantile(0.5 + level / 2.0, abnormal.df.astype(float))) * sums.s_car
    return sums.car - half_width, sums.car + half_width


def estimation_sums(residuals: FloatArray, length: int) -> FloatArray:
    """Return all sums of ``length`` consecutive estimation-window residuals, shape (up to M - length + 1,).

    Parameters
    ----------
    residuals : ndarray, shape (M,)
        Residuals in the order of days, NaN where missing; a sum that meets a missing day is left out.
    """
    sums = running_sums(residuals[None, :], length)[0]
    return np.asarray(sums[np.isfinite(sums)], dtype=np.float64)


def compared_with(window: Window) -> str:
    """Return with what an abnormal return over a window is compared, in words."""
    return "estimation days" if len(window) == 1 else "windows of estimation days"


def sq(abnormal: AbnormalReturns, window: Window, *, variant: str = "paper") -> Draft | NotApplicable:
    """Sample-quantile test of one event: how many estimation days were as low, or as high.

    Parameters
    ----------
    window : Window
        Relative days; of more than one day, the CAR is compared with all sums of as many consecutive residuals.
    variant : {"paper", "plus_one"}
        ``p_lower = #{e ≤ AR}/M`` as published, or the finite-sample-safe ``(1 + #)/(M + 1)``.

    Notes
    -----
    Two-sided ``min(1, 2 min(p_lower, p_upper))``. No normality needed; assumes that the variance does not change
    with the event. Gelbach, Helland and Klick (2013), American Law and Economics Review 15, 495-541.
    """
    sums = abnormal.sums(window)
    if reason := abnormal.why_no_sum(window)[0]:
        return NotApplicable(reason, 0, variant)
    residuals = abnormal.residuals[0]
    if abnormal.span is not None:  # of consecutive trades, whatever the days between them
        residuals = residuals[np.isfinite(residuals)]
    compared = estimation_sums(residuals, int(sums.n_days[0]))
    m = len(compared)
    if m < MIN_COMPARED:
        return NotApplicable(f"only {m} {compared_with(window)} to compare with, {MIN_COMPARED} needed", 1, variant)
    car = float(sums.car[0])
    scaled = car / float(np.sqrt((own_deviations(abnormal, window) ** 2).mean()))
    below, above = int((compared <= scaled).sum()), int((compared >= scaled).sum())
    extra = 1 if variant == "plus_one" else 0
    lower, upper = (below + extra) / (m + extra), (above + extra) / (m + extra)
    k = min(below, above)
    return Draft(
        statistic=car,
        p_value=min(1.0, 2.0 * min(lower, upper)),
        n=1,
        distribution="exact",
        variant=variant,
        note=f"{k} of {m} {compared_with(window)} at least as extreme on this side",
        details={"p_lower": lower, "p_upper": upper, "k": float(k), "m": float(m)},
    )


def random_subsets(generator: np.random.Generator, draws: int, size: int, length: int) -> IntArray:
    """Draw sets of ``length`` different numbers below ``size``, each set equally likely, shape (draws, length).

    Rows are drawn with repetition and drawn again where a number repeats, which is quick while repeats are rare; long sets are
    the smallest of random keys.
    """
    if length**2 > 2 * size:
        return np.asarray(generator.random((draws, size)).argpartition(length - 1, axis=1)[:, :length], dtype=np.int64)
    chosen = generator.integers(0, size, (draws, length))
    again = np.arange(draws)
    while len(again):
        ordered = np.sort(chosen[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        chosen[again] = generator.integers(0, size, (len(again), length))
    return np.asarray(chosen, dtype=np.int64)


def permutation(
    abnormal: AbnormalReturns, window: Window, *, draws: int = 9999, seed: int = 20250127
) -> Draft | NotApplicable:
    """Permutation test of one event: residuals and event-window returns are exchangeable under the null.

    Parameters
    ----------
    window : Window
        One day is exact, ``p = (1 + #{|e| ≥ |AR|})/(M + 1)``; a longer window is relabelled ``draws`` times.
    draws : int
        Random relabellings B of the pooled residuals and window returns; ``p = (1 + #)/(B + 1)``.
    seed : int
        Seed of the random relabellings.

    Notes
    -----
    Never zero. Nguyen and Wolf (2023), Empirical Economics, "Single-firm inference in event studies via the
    permutation test".
    """
    check_draws(draws, seed)
    sums = abnormal.sums(window)
    length = int(sums.n_days[0])
    if reason := abnormal.why_no_sum(window)[0]:
        return NotApplicable(reason, 0)
    car = float(sums.car[0])
    compared = abnormal.residuals[0][np.isfinite(abnormal.residuals[0])]
    if len(compared) < MIN_COMPARED:
        return NotApplicable(f"only {len(compared)} estimation days to compare with, {MIN_COMPARED} needed", 1)
    own = own_deviations(abnormal, window)
    if length == 1:
        p = (1 + int((np.abs(compared) >= abs(car) / own[0]).sum())) / (len(compared) + 1)
        return Draft(car, p, 1, "exact", variant="one day, exact", details={"m": float(len(compared))})
    days = abnormal.comparable[0, abnormal.columns_of(window)]
    pool = np.concatenate([compared, days[np.isfinite(days)]])
    generator = np.random.default_rng(seed)
    rows, beyond = max(DRAWN_AT_ONCE // len(pool), 1), 0
    for start in range(0, draws, rows):
        order = random_subsets(generator, min(rows, draws - start), len(pool), length)
        beyond += int((np.abs(pool[order] @ own) >= abs(car) * (1 - 1e-12)).sum())
    p = (1 + beyond) / (draws + 1)
    return Draft(
        car,
        p,
        1,
        "exact",
        variant=f"{draws} relabellings",
        note=f"seed {seed}, Monte Carlo s.e. of p {np.sqrt(p * (1 - p) / draws):.4f}",
        details={"draws": float(draws), "seed": float(seed)},
    )
