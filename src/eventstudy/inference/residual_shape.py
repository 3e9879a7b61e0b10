"""What the residuals say against believing a test: they are skewed, neighbouring days are alike, or two events are one."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.correlation import pair_correlations
from eventstudy.panel import FloatArray, IntArray
from eventstudy.residual_statistics import autocorrelations
from eventstudy.windows import Window

#: Beyond this shift of its mean, in standard deviations, a two-sided 5 % test rejects more than 6 % of true nulls:
#: ``2 φ(1.96) 1.96 δ² / 2`` is 1 %. What the residuals of M days show of it over L days has an error of ``√(L/M)``; two are allowed.
SHIFT, ERRORS = 0.3, 2.0
#: Beyond this ``γ²/(n + 4)`` a t of n skewed sums rejects more than 6.5 % (simulated gamma residuals, n = 3 to 50: the excess is about
#: ``0.16 γ²/(n + 4)``, as Hall's expansion of Student's t has it for many).
SKEWED_MEAN = 0.09
#: Beyond this skewness of a sum GRANK rejects more than 6.5 % whatever the number of events (simulated gamma residuals).
SKEWED_RANKS = 0.6
#: Skewness beyond which the numbers are squares, volumes or the like.
NO_RETURN = 1.5
#: Beyond this ratio of the variance of a sum to that of independent days, t of one event rejects more than 6.7 %.
ALIKE = 1.15
#: Lags looked at, and how many standard errors above zero they must be.
LAGS, CLEAR = 5, 2.0
#: Two events with a higher residual correlation than this are one event seen twice; of three events left, `kp_bmp_t` rejects 6 to 13 %.
TWINS, FEW_LEFT, LOOK_UP_TO = 0.8, 3, 12

#: Tests by the mean of the events over their own spread.
BY_MEAN = ("bmp_t", "kp_bmp_t", "signflip", "clustered_t", "csect_t")


def doubts(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return the tests that the residuals forbid to believe, and why.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.

    Returns
    -------
    dict of str
        By test name; empty for residuals that are near enough to symmetric and independent.
    """
    return abnormal.once(("doubts", window), lambda: _doubts(abnormal, window))


def _doubts(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    if abnormal.n == 1:
        return _alike_days(abnormal, window)
    seen = np.flatnonzero(np.isfinite(abnormal.sums(window).scar))
    found = {} if abnormal.instead is not None else _skewed(abnormal, window, len(seen))
    if FEW_LEFT <= len(seen) <= LOOK_UP_TO:
        left = distinct_events(pair_correlations(abnormal, seen))
        if left <= FEW_LEFT and left < len(seen):
            found["kp_bmp_t"] = (
                f"{len(seen)} events of which {len(seen) - left} move almost as another one (residual correlation above {TWINS:g}) are too few: "
                f"leave the double out"
            )
    return found


def _alike_days(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Hold a single event's tests against the autocorrelation of its residuals, less what the model's own errors allow for."""
    inflation, allowed = serial_inflation(abnormal, window), allowed_for(abnormal, window)
    if inflation <= ALIKE:
        return {}
    measured = (
        f"neighbouring days' residuals are alike, so the variance of a sum over {len(window)} days is {inflation:.1f} times that of "
        f"independent days"
    )
    remedy = "use HacMarketModel(prewhiten=True), or single days"
    if abnormal.serial is None:
        return dict.fromkeys(("t_pe", "t", "permutation"), f"{measured}: {remedy}")
    found = dict.fromkeys(("t", "permutation"), f"{measured}, and it takes them for independent")
    if inflation > ALIKE * allowed:
        found["t_pe"] = f"{measured}, and the model's errors allow for {allowed:.1f}: {remedy}"
    return found


def _skewed(abnormal: AbnormalReturns, window: Window, n: int) -> dict[str, str]:
    found: dict[str, str] = {}
    if n < 2:
        return found
    skew = skewness(abnormal) / math.sqrt(len(window))
    measured = f"residuals are skewed ({skew:.1f} over the window)"
    if skew**2 > SKEWED_MEAN * (n + 4):
        also = "; squares and the like are better studied as logarithms" if abs(skewness(abnormal)) > NO_RETURN else ""
        found |= dict.fromkeys(BY_MEAN, f"{measured}, and a mean of {n} such events is not normal enough{also}")
    if abs(skew) > SKEWED_RANKS:
        found |= dict.fromkeys(("grank_t", "grank_z"), f"{measured}, so event days are not ranked as ordinary ones are")
    if abs(skewness(abnormal)) > NO_RETURN:
        found |= dict.fromkeys(
            ("signflip", "csect_t"), f"{measured}, and the largest of unlike events decide a mean of their sums"
        )
    most = max(SHIFT, ERRORS * math.sqrt(len(window) / max(float(abnormal.n_est.mean()), 1.0)))
    if abs(signed_rank_shift(abnormal, window, n)) > most:
        found["wilcoxon"] = f"{measured}, and it takes them for symmetric"
    positive, single = positive_share(abnormal, window), positive_share(abnormal, Window(0, 0))
    if abs(2.0 * positive - 1.0) * math.sqrt(n) > most:
        found |= dict.fromkeys(("sign_z", "sign_exact"), f"{positive:.0%} of ordinary sums are positive, not half")
    if 0.0 < single < 1.0 and abs(positive - single) * math.sqrt(n / (single * (1.0 - single))) > most:
        found["gsign_z"] = (
            f"{positive:.0%} of ordinary sums over {len(window)} days are positive, of single days {single:.0%}: believe single days"
        )
    return found


def skewness(abnormal: AbnormalReturns) -> float:
    """Return the skewness of the bulk of the residuals, as the share of positive ones shows it; 0 if there are none.

    Notes
    -----
    ``6 √(2π) (1/2 - π)`` with π the mean share of positive residuals, from Edgeworth's ``P(X > μ) ≈ 1/2 - γ/(6 √(2π))``: for gamma
    variables within 5 % of their third moment. A few far days, which move the third moment and do no harm to a mean (simulated, and
    on real returns), do not move it. A sum of L independent days has ``1/√L`` of it.
    """
    share = positive_share(abnormal, Window(0, 0))
    return 6.0 * math.sqrt(2.0 * math.pi) * (0.5 - share) if math.isfinite(share) else 0.0


def signed_rank_shift(abnormal: AbnormalReturns, window: Window, n: int) -> float:
    """Return how far from zero Wilcoxon's z of n events lies on average if the null holds, from the sums of ordinary days.

    Notes
    -----
    ``√(3n) (π - 1/2)`` with π the chance that two sums of L ordinary days of the study add up to more than zero, which is W⁺ of all
    such sums over its largest value. Lehmann (1975), Nonparametrics, ch. 4.
    """

    def compute() -> float:
        length = len(window)
        days = abnormal.residuals[:, : abnormal.residuals.shape[1] // length * length]
        sums = days.reshape(len(days), -1, length).sum(axis=2).ravel()
        sums = sums[np.isfinite(sums) & (sums != 0.0)]
        m = len(sums)
        if m == 0:
            return 0.0
        rank = np.empty(m)
        rank[np.argsort(np.abs(sums), kind="stable")] = np.arange(1, m + 1)
        return float(rank[sums > 0].sum()) / (m * (m + 1) / 2.0) - 0.5

    return math.sqrt(3.0 * n) * abnormal.once(("signed ranks", len(window)), compute)


def positive_share(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the share of positive sums of as many ordinary days in a row as the window has, mean over events; NaN if there is none."""

    def compute() -> float:
        sums = running_sums(abnormal.residuals, len(window))
        count = np.isfinite(sums).sum(axis=1)
        share = (sums > 0).sum(axis=1)[count > 0] / count[count > 0]
        return float(share.mean()) if share.size else float("nan")

    return abnormal.once(("positive share", len(window)), compute)


def running_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sums of ``length`` neighbours in each row, shape (N, M - length + 1); NaN where one is missing."""
    if length == 1:
        return values
    if length > values.shape[1]:
        return np.empty((len(values), 0))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, length, axis=1).sum(axis=2), dtype=np.float64)


def serial_inflation(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the variance of one event's sum over the window, over that of a sum of independent days; 1 unless it is clearly above.

    Notes
    -----
    ``1 + 2 Σ_k (1 - k/L) ρ_k``, once with the sample's ρ_1 to ρ_5 and once with ``ρ_1^k``, the larger one; each counts if it lies two
    standard errors above 1, where ρ_k has the error ``1/√M``. Bartlett (1946), Supplement to the JRSS 8, 27-41.
    """
    length = len(window)
    if length == 1:
        return 1.0
    rho = autocorrelations(abnormal.residuals, LAGS)[0]
    error = 1.0 / math.sqrt(max(int(abnormal.n_est[0]), 1))
    weights = 2.0 * (1.0 - np.arange(1, length) / length)
    lags = min(LAGS, length - 1)
    as_measured = float(weights[:lags] @ rho[:lags])
    by_first = float(weights @ rho[0] ** np.arange(1, length))
    clear = [
        as_measured if as_measured > CLEAR * error * float(np.sqrt((weights[:lags] ** 2).sum())) else 0.0,
        by_first if rho[0] > CLEAR * error else 0.0,
    ]
    return 1.0 + max(*clear, 0.0)


def allowed_for(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the variance of one event's sum over that of independent days as the model's own autocorrelations have it; 1 without any."""
    if abnormal.serial is None or len(window) == 1:
        return 1.0
    lags = min(abnormal.serial.shape[1], len(window) - 1)
    weights = 2.0 * (1.0 - np.arange(1, lags + 1) / len(window))
    return 1.0 + float(weights @ abnormal.serial[0, :lags])


def distinct_events(correlations: FloatArray) -> int:
    """Return how many events are left if each that moves almost as an earlier one is left out."""
    earlier: IntArray = np.asarray((np.triu(correlations, 1) > TWINS).any(axis=0), dtype=np.int64)
    return int(len(earlier) - earlier.sum())
