"""What a study returns: its readings, drawn, printed and saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.export import describe_figure, result_to_dict, save_result
from eventstudy.figures.presentation import Presentation, presenting
from eventstudy.inference import readings
from eventstudy.readings import Readings, WindowLike
from eventstudy.summary import summary_html, summary_text
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResult(Readings):
    """The result of an event study; a bare name prints its summary.

    Attributes and questions are those of `eventstudy.readings.Readings`: ``ar``, ``sar``, ``aar``, ``car``, ``caar``,
    ``bhar``, ``tests``, ``regression``, ``market_value``, ``audit``, ``dropped``, ``checks``, ``findings``. This class adds figures,
    text and files.

    Attributes
    ----------
    presentation : Presentation
        The house style, the release mark and the names of the study file that was run; empty without one.
    """

    presentation: Presentation = field(default_factory=Presentation)

    # -- figures -------------------------------------------------------------------------------------------

    def plot_event_day(self, window: WindowLike = (0, 0), level: float = 0.95, size: str = "article") -> HouseFigure:
        """Draw abnormal returns of a window with their intervals, one row an event."""
        self._only_returns("Figures")
        return self._drawn(partial(figures.event_day, self.abnormal, Window.of(window), level=level), size)

    def plot_car(self, level: float = 0.95, size: str = "article") -> HouseFigure:
        """Draw the path of each event's cumulative abnormal return with its band."""
        self._only_returns("Figures")
        return self._drawn(partial(figures.car_paths, self.abnormal, level=level), size)

    def plot_market_model(self, event: str | None = None, size: str = "article") -> HouseFigure:
        """Draw one event's returns against the benchmark's, with the event day marked."""
        self._only_returns("Figures")
        return self._drawn(partial(figures.market_scatter, self.panel, self.fit, self.locate(event)), size)

    def plot_ordinary_days(self, event: str | None = None, size: str = "article") -> HouseFigure:
        """Draw where the event day falls among the firm's ordinary days."""
        self._only_returns("Figures")
        return self._drawn(partial(figures.ordinary_days, self.abnormal, self.locate(event)), size)

    def plot_ranking(self, level: float = 0.95, size: str = "article") -> HouseFigure:
        """Draw all events sorted by their abnormal return on the event day."""
        self._only_returns("Figures")
        return self._drawn(partial(figures.ranking, self.abnormal, level=level), size)

    def plot_tests(
        self, window: WindowLike | None = None, names: Sequence[str] | None = None, size: str = "article"
    ) -> HouseFigure:
        """Draw what several tests say of the events' average on one scale, those to believe first.

        Parameters
        ----------
        window : pair of int
            Relative days; by default the event day.
        names : sequence of str, optional
            Which tests; by default those of `tests`.
        size : str
            Layout preset, one of `eventstudy.figures.SIZES`.

        Raises
        ------
        InvalidInput
            If the study has one event only, or no test applies.
        """
        if self.abnormal.n == 1:
            raise InvalidInput("plot_tests compares tests of an average; for one event draw plot_ordinary_days().")
        tests, _ = self.run_tests(window, names)
        remarks = readings(self.abnormal, self._window(window))
        return self._drawn(partial(figures.agreement, tests, remarks), size)

    def _drawn(self, draw: Callable[..., HouseFigure], size: str) -> HouseFigure:
        """Draw in the study's style and with its mark, and say how the figure was made."""
        with presenting(self.presentation):
            return describe_figure(draw(size=size, source=self.source_line(), when=self.when()), self)

    # -- text and files ------------------------------------------------------------------------------------

    def to_dict(self, windows: Sequence[WindowLike] = ((0, 0), (0, 1))) -> dict[str, object]:
        """Return the result as plain values for JSON: events, windows, tests, audit, provenance."""
        return result_to_dict(self, [Window.of(w) for w in windows])

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write tables, figures, the specification and a manifest into a folder.

        Parameters
        ----------
        folder : path
            Made if it is not there. Files are written whole or not at all.

        Returns
        -------
        Path
            The folder.
        """
        with presenting(self.presentation):
            return save_result(self, Path(folder))

    def __repr__(self) -> str:
        return summary_text(self)

    def _repr_html_(self) -> str:
        return summary_html(self)
