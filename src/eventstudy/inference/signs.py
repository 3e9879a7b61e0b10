"""Sign and signed-rank tests of an average over several events."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.parametric import NO_DAYS, members
from eventstudy.inference.ranks import attainable, mid_ranks
from eventstudy.inference.result import Draft, NotApplicable, z_draft
from eventstudy.panel import FloatArray
from eventstudy.windows import Window

#: Up to this many events without ties or zeros the exact distribution is used.
EXACT_UP_TO = 50


#: Fewest events whose signs can reach 5 % two-sided in the exact law: 2 / 2⁶ = 0.03.
FEWEST_SIGNS = 6


def smallest_exact(n: int) -> str:
    """Return the remark that ``2^(1-n)``, the p-value of n equal signs, is the smallest; empty from 6 units on."""
    if n >= FEWEST_SIGNS:
        return ""
    return f"smallest attainable p with {n} is {2.0 ** (1 - n):.4f}, so it cannot reach 5 %"


def sign_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Sign test, ``(n⁺ - n/2)/(√n/2)``, N(0, 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.

    Notes
    -----
    Assumes independent events and a median of zero; abnormal returns are skewed, so `gsign_z` is the better null. The
    normal law is rough for few events (four equal signs: 0.046 here, 0.125 in truth): see `sign_exact`.
    Fisher 1925; MacKinlay 1997.
    """
    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    n_plus = int((car[chosen] > 0).sum())
    z = (n_plus - n / 2.0) / (math.sqrt(n) / 2.0)
    _, refusal = attainable(z, math.sqrt(n), n, "")
    if refusal is not None:
        return refusal
    note = f"{n_plus} of {n} positive"
    if n < FEWEST_SIGNS:
        note += f"; the exact p-value (sign_exact) is never below {2.0 ** (1 - n):.4f}"
    return z_draft(z, n, "", note, n_plus=float(n_plus))


def sign_exact(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Exact sign test, n⁺ against the binomial law with probability one half.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.

    Notes
    -----
    ``p = min(1, 2 P(X ≤ min(n⁺, n - n⁺)))``; its smallest value is ``2^(1-n)``, so fewer than six events cannot reach
    5 %, which the note then says. Assumes independent events and a median of zero.
    """
    from scipy.special import bdtr

    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    n_plus = int((car[chosen] > 0).sum())
    p = min(1.0, 2.0 * float(bdtr(min(n_plus, n - n_plus), n, 0.5)))
    note = "; ".join(filter(None, (f"{n_plus} of {n} positive", smallest_exact(n))))
    return Draft(float(n_plus), p, n, "exact", note=note, details={"n_plus": float(n_plus)})


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
    Assumes independent events. If not even all signs alike would reach 5 %, the test says so. Cowan (1992), Review of Quantitative Finance and Accounting 2, 343-358.
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
    odds = share / (1.0 - share)
    _, refusal = attainable(z, math.sqrt(n * max(odds, 1.0 / odds)), n, variant)
    if refusal is not None:
        return refusal
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
    variant : {"auto", "exact", "normal", "normal_cc"}
        ``auto``: exact up to 50 events without ties, else normal with tie correction and no continuity correction;
        ``normal_cc`` moves W⁺ by one half towards its mean.

    Notes
    -----
    ``W⁺`` sums the ranks of |CAR| of positive CARs, zeros left out;
    ``z = (W⁺ - n(n+1)/4)/√(n(n+1)(2n+1)/24 - Σ(t³-t)/48)``. Assumes independent events and symmetry. The statistic
    given is W⁺ in the exact form, z in the normal one. Fewer than six events cannot reach 5 %: the exact form says so
    in its note, the normal one where not even one sign for all would do. Wilcoxon (1945), Biometrics Bulletin 1, 80-83.
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
        note = smallest_exact(n)
        return Draft(w_plus, p, n, "exact", variant="exact", note=note, details={"w_plus": w_plus})
    centre = n * (n + 1) / 4.0
    deviation = math.sqrt(n * (n + 1) * (2 * n + 1) / 24.0 - float((ties**3 - ties).sum()) / 48.0)
    step = 0.5 if variant == "normal_cc" else 0.0
    z = math.copysign(max(abs(w_plus - centre) - step, 0.0), w_plus - centre) / deviation
    named = "normal_cc" if variant == "normal_cc" else "normal"
    _, refusal = attainable(z, (centre - step) / deviation, n, named)
    if refusal is not None:
        return refusal
    note = f"{zeros} zero CARs left out" if zeros else ""
    return z_draft(z, n, named, note, w_plus=w_plus)
