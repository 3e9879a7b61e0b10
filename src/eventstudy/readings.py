"""The questions that can be asked of a result: how sure may one be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import InvalidInput
from eventstudy.inference import STANDARD, TESTS, Advice, HypothesisTest, recommend, run_test, run_tests
from eventstudy.inference.multiple import adjusted_p
from eventstudy.outcome import Outcome
from eventstudy.tables import frame_of_tests
from eventstudy.windows import Window

WindowLike = Window | tuple[int, int] | int


@dataclass(frozen=True, eq=False, repr=False)
class Readings(Outcome):
    """What a study found, and how sure one may be: the numbers of `Outcome`, tests, advice, multiplicity."""

    def test(
        self, name: str, window: WindowLike = (0, 0), event: str | None = None, **options: object
    ) -> HypothesisTest:
        """Run one test by name.

        Parameters
        ----------
        name : str
            A key of `eventstudy.inference.TESTS`.
        window : pair of int
            Relative days.
        event : str, optional
            Judge this event alone.
        **options : object
            Named variants, e.g. ``variant="csar"``.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        InvalidInput
            If no test has this name or an option is unknown.
        """
        return run_test(name, self._subject(event), Window.of(window), **options)

    def tests(
        self, window: WindowLike | None = None, names: Sequence[str] | str | None = None, event: str | None = None
    ) -> pd.DataFrame:
        """Run tests on a window and return them as a table.

        Parameters
        ----------
        window : pair of int
            Relative days; by default the event day.
        names : sequence of str, "all", or None
            Which tests. By default those for the average of several events, or for one event if there is only one
            (or ``event`` names it): the ones recommended for the design first, then the field's usual panel. ``"all"`` is every test
            that the package has.
        event : str, optional
            Judge this event alone, by its short name or ticker.

        Returns
        -------
        DataFrame
            Indexed by test name: statistic, df, p_value, n, applicable, variant, note, distribution, recommended,
            title. A test that does not apply has ``applicable`` False and says why in ``note``.
        """
        return frame_of_tests(*self.run_tests(window, names, event))

    def run_tests(
        self, window: WindowLike | None = None, names: Sequence[str] | str | None = None, event: str | None = None
    ) -> tuple[tuple[HypothesisTest, ...], tuple[str, ...]]:
        """Return the tests of `tests` as values, and the names of the recommended ones."""
        if isinstance(names, int):
            raise InvalidInput(f"tests takes its window as a pair: tests(({window}, {names})).")
        subject, chosen = self._subject(event), self._window(window)
        _, believed, _ = recommend(subject, chosen)
        if names is None or names == "all":
            scope = "one" if subject.n == 1 else "many"
            shown = [n for n, m in TESTS.items() if m.scope == scope and (scope == "one" or n in STANDARD)]
            wanted = list(TESTS) if names == "all" else shown
            listing = [*believed, *(n for n in wanted if n not in believed)]
        else:
            listing = [names] if isinstance(names, str) else list(names)
        return run_tests(subject, chosen, listing), believed

    def adjusted(
        self, window: WindowLike = (0, 0), method: str = "holm", *, draws: int | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Return each event's p-value adjusted for how many events were looked at.

        Parameters
        ----------
        window : pair of int
            Relative days.
        method : {"holm", "bh", "by", "bonferroni", "romano_wolf"}
            See `eventstudy.inference.multiple`.
        draws, seed : int, optional
            Of ``romano_wolf``, the only method that draws.

        Returns
        -------
        DataFrame
            One row an event: ``car``, ``t``, ``p_value``, ``p_adjusted``, ``method``.
        """
        chosen = Window.of(window)
        table = self.car(chosen.start, chosen.end)[["car", "t", "p_value"]]
        options = {k: v for k, v in (("draws", draws), ("seed", seed)) if v is not None}
        if options and method != "romano_wolf":
            raise InvalidInput(f"method {method!r} draws nothing; leave out {', '.join(options)}.")
        p = adjusted_p(self.abnormal, chosen, table["p_value"], method, **options)
        return table.assign(p_adjusted=p, method=method)

    def recommended(self, window: WindowLike | None = None, event: str | None = None) -> Advice:
        """Return the tests to believe for this design, their outcomes, and the reason in a sentence.

        Parameters
        ----------
        window : pair of int
            Relative days; by default the event day.
        event : str, optional
            Judge this event alone, by its short name or ticker.

        Returns
        -------
        Advice
            ``names``, ``reason``, ``tests``; prints itself.

        Notes
        -----
        Looks at how many events and dates there are, whether windows overlap, at missing days, thin trading and the spread of the
        abnormal returns: `eventstudy.inference.advice`. How often each test rejects a true null in its design: docs/method.md.
        """
        subject, chosen = self._subject(event), self._window(window)
        design, names, reason = recommend(subject, chosen)
        return Advice(design, chosen, names, reason, run_tests(subject, chosen, names))

    def advice(self, window: WindowLike | None = None) -> str:
        """Return which tests to believe for this design, and why, in a sentence."""
        chosen = self._window(window)
        design, names, reason = recommend(self.abnormal, chosen)
        return Advice(design, chosen, names, reason).sentence

    def _window(self, window: WindowLike | None) -> Window:
        """Return a window; by default the event day, or the whole event window if that has no day 0."""
        whole = self.abnormal.window
        return Window.of(window) if window is not None else Window(0, 0) if 0 in whole else whole

    def _subject(self, event: str | None) -> AbnormalReturns:
        return self.abnormal if event is None else self.abnormal.take(np.array([self.locate(event)]))
