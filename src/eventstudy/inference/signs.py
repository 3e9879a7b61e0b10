"""Sign and signed-rank tests of an average over several events."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.parametric import NO_DAYS, members
from eventstudy.inference.ranks import mid_ranks
from eventstudy.inference.result import Draft, NotApplicable, normal_two_sided, z_draft
from eventstudy.panel import FloatArray
from eventstudy.windows import Window

#: Up to this many events without ties or zeros the exact distribution is used.
EXACT_UP_TO = 50


def gsign_z(abnormal: AbnormalReturns, window: Window, *, variant: str = "mean") -> Draft | NotApplicable:
    """Generalised sign test, ``(n⁺ - n p̂)/√(n p̂ (1 - p̂))``, N(0, 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.
    variant : {"mean", "pooled"}
        p̂ as the mean over events of the share of positive residuals, or their pooled share.

    Notes
    -----
    p̂ belongs to the sample: it is taken over all events of the study, also those without a return in the window.
    Assumes independent events. Cowan (1992), Review of Quantitative Finance and Accounting 2, 343-358.
    """
    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0, variant)
    residuals = abnormal.residuals
    positive = (residuals > 0).sum(axis=1)
    days = np.isfinite(residuals).sum(axis=1)
    share = float((positive / days).mean()) if variant == "mean" else float(positive.sum() / days.sum())
    if not 0.0 < share < 1.0:
        return NotApplicable("all estimation residuals have one sign", n, variant)
    n_plus = int((car[chosen] > 0).sum())
    z = (n_plus - n * share) / math.sqrt(n * share * (1.0 - share))
    return z_draft(z, n, variant, f"{n_plus} of {n} positive, {share:.3f} expected", n_plus=float(n_plus), p_hat=share)


def signed_rank_distribution(n: int) -> FloatArray:
    """Return P(W⁺ = w) for w = 0 … n(n+1)/2 under the null, from the generating function Π (1 + x^k)/2."""
    law = np.array([1.0])
    for k in range(1, n + 1):
        wider = np.zeros(len(law) + k)
        wider[: len(law)] += law
        wider[k:] += law
        law = wider / 2.0
    return law


def wilcoxon(abnormal: AbnormalReturns, window: Window, *, variant: str = "auto") -> Draft | NotApplicable:
    """Wilcoxon's signed-rank test of the CARs.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    variant : {"auto", "exact", "normal"}
        ``auto``: exact up to 50 events without ties, else normal with tie correction and no continuity correction.

    Notes
    -----
    ``W⁺`` sums the ranks of |CAR| of positive CARs, zeros left out;
    ``z = (W⁺ - n(n+1)/4)/√(n(n+1)(2n+1)/24 - Σ(t³-t)/48)``. Assumes independent events and symmetry. The statistic
    given is W⁺ in the exact form, z in the normal one. Wilcoxon (1945), Biometrics Bulletin 1, 80-83.
    """
    car = abnormal.sums(window).car
    x = car[members(car)]
    zeros = int((x == 0).sum())
    x = x[x != 0]
    n = len(x)
    if n == 0:
        return NotApplicable(NO_DAYS if not zeros else "every CAR is exactly zero", 0, variant)
    ranks = mid_ranks(np.abs(x)[None, :])[0]
    w_plus = float(ranks[x > 0].sum())
    _, ties = np.unique(np.abs(x), return_counts=True)
    tied = bool((ties > 1).any())
    if variant == "exact" and tied:
        return NotApplicable("equal absolute CARs have no exact distribution here", n, variant)
    if variant == "exact" or (variant == "auto" and n <= EXACT_UP_TO and not tied and not zeros):
        law = signed_rank_distribution(n)
        w = round(w_plus)
        p = min(1.0, 2.0 * min(float(law[: w + 1].sum()), float(law[w:].sum())))
        return Draft(w_plus, p, n, "exact", variant="exact", details={"w_plus": w_plus})
    variance = n * (n + 1) * (2 * n + 1) / 24.0 - float((ties**3 - ties).sum()) / 48.0
    z = (w_plus - n * (n + 1) / 4.0) / math.sqrt(variance)
    note = f"{zeros} zero CARs left out" if zeros else ""
    return Draft(z, normal_two_sided(z), n, "normal", variant="normal", note=note, details={"w_plus": w_plus})
