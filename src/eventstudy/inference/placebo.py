"""The average of several events against the same average on ordinary days."""

from __future__ import annotations

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.parametric import NO_DAYS, ONE_EVENT, members
from eventstudy.inference.ranks import day_means
from eventstudy.inference.result import Draft, NotApplicable
from eventstudy.inference.single import MIN_ORDINARY, ordinary_sums
from eventstudy.windows import Window


def placebo(abnormal: AbnormalReturns, window: Window, *, value: str = "sar") -> Draft | NotApplicable:
    """Placebo days: how many ordinary days moved the events' average as far, ``p = (1 + #{|ē_t| ≥ |Ā|})/(T + 1)``.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days; of more than one day, the average CAR is compared with all sums of L consecutive averages.
    value : {"sar", "ar"}
        Average standardised abnormal returns, so that no restless firm rules the average, or plain ones.

    Notes
    -----
    The permutation test of one event applied to the portfolio of all: ``ē_t`` is the mean over events of ``e_it/s_i`` on estimation
    day t, ``Ā`` the mean of the window's sum of SAR, T the number of ordinary days (sums). Exact if ordinary days and the event day are
    exchangeable, whatever the distribution and the correlation between firms; it does not stand a day wilder than
    ordinary ones, and days of high volatility come in clusters. For events on one date; for others the average of residuals by
    relative day is a portfolio in event time, as for `cda_t`. Only events with a return in the window enter, on ordinary days too. Never zero: the smallest p is ``1/(T + 1)``.
    Nguyen and Wolf (2023), Empirical Economics; Gelbach, Helland and Klick (2013), American Law and Economics Review 15, 495-541; for
    placebo days as the yardstick of a common date: Cohn, Johnson, Liu and Wardlaw, "Past is Prologue".
    """
    chosen = members(abnormal.sums(window).car)
    n = len(chosen)
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, value)
    scale = abnormal.sigma[:, None] if value == "sar" else 1.0
    average, _ = day_means((abnormal.residuals / scale)[chosen])
    days, _ = day_means((abnormal.sar if value == "sar" else abnormal.ar)[chosen][:, abnormal.columns_of(window)])
    if not np.isfinite(days).all():
        return NotApplicable("no event has an abnormal return on a day of the window", n, value)
    ordinary = ordinary_sums(average, len(window))
    if len(ordinary) < MIN_ORDINARY:
        return NotApplicable(f"only {len(ordinary)} ordinary windows to compare with, {MIN_ORDINARY} needed", n, value)
    seen = float(days.sum())
    beyond = int((np.abs(ordinary) >= abs(seen) * (1 - 1e-12)).sum())
    kind = "days" if len(window) == 1 else "windows"
    return Draft(
        statistic=seen,
        p_value=(1 + beyond) / (len(ordinary) + 1),
        n=n,
        distribution="exact",
        variant=value,
        note=f"{beyond} of {len(ordinary)} ordinary {kind} moved the average as far",
        details={"beyond": float(beyond), "m": float(len(ordinary))},
    )
