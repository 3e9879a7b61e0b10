"""Fits the events of a study and asks them: three here, or a million over a cluster, through the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, Question, abnormal_returns, each_once, firm_numbers
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.deferred import is_many
from eventstudy.estimation.model import Fit, ModelDefaults, NormalReturnModel
from eventstudy.estimation.panel import EventPanel, IntArray
from eventstudy.estimation.partials import Work
from eventstudy.estimation.spread import HERE, Spread


def estimate(
    panel: EventPanel, model: NormalReturnModel, questions: Sequence[Question[Answer]] = (), spread: Spread = HERE
) -> tuple[list[str], Fit, AbnormalReturns]:
    """Fit all events, a few hundred at a time, and put questions to their abnormal returns in the same pass.

    Parameters
    ----------
    spread : Spread
        Where that is done; by default here, all events in one partition.

    Returns
    -------
    list of str
        Why an event of the panel cannot be fitted, or an empty text, shape (N,).
    Fit and AbnormalReturns
        Of the others. What is as large as the estimation returns is gathered and fitted again when it is asked for.
    """
    keep = model.iterated or not is_many(panel.n)
    work = Work(model, each_once(questions), keep)
    found = spread.over(work, panel)
    reasons = [""] * panel.n
    for place, why in found.reasons.items():
        reasons[place] = why
    kept = panel if not found.reasons else panel.take(np.sort(found.places))
    firms = firm_numbers(kept)
    fields_of_fit, fields_of_abnormal = found.placed()
    fields_of_fit |= {"unusable": ("",) * kept.n}
    fields_of_abnormal |= {"firms": firms, "keys": kept.keys}
    if keep:
        return reasons, Fit(**fields_of_fit), AbnormalReturns(**fields_of_abnormal)
    fit = Fit.deferred(_Fitted(kept, model), **fields_of_fit)
    tallies = zip(work.asked, found.tallies, strict=True) if kept.n else ()
    known = {question: tally.total(found.asked) for question, tally in tallies}
    again = _Studied(kept, model, fit, firms)
    return reasons, fit, AbnormalReturns.deferred(again, **fields_of_abnormal, _memo={}, _answers=known)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Fits events again."""

    panel: EventPanel
    model: NormalReturnModel

    def __call__(self, chosen: IntArray) -> Fit:
        return self.model.fit(self.panel.part(chosen))

    def only(self, chosen: IntArray) -> _Fitted:
        return replace(self, panel=self.panel.take(chosen))


@dataclass(frozen=True, eq=False)
class _Studied:
    """Fits events again whose estimates are known, and takes expected from actual returns."""

    panel: EventPanel
    model: NormalReturnModel
    fit: Fit
    firms: IntArray

    def __call__(self, chosen: IntArray) -> AbnormalReturns:
        some, model = self.panel.part(chosen), self.model
        found = model.again(some, self.fit.take(chosen)) if isinstance(model, ModelDefaults) else model.fit(some)
        return abnormal_returns(some, found, self.firms[chosen])

    def only(self, chosen: IntArray) -> _Studied:
        return replace(self, panel=self.panel.take(chosen), fit=self.fit.take(chosen), firms=self.firms[chosen])
