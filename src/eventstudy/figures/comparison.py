"""Several tests of one average side by side: which are recommended, and how far the others stray."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.figures import words as say
from eventstudy.figures.columns import PROBABILITY, STANDARD_ERRORS, Column
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.rows import Row, draw_rows, rows_height
from eventstudy.figures.sheet import Sheet, text_width
from eventstudy.figures.style import Size
from eventstudy.figures.words import FigureText
from eventstudy.inference.advice import Note
from eventstudy.inference.result import HypothesisTest, normal_quantile
from eventstudy.statements import AVERAGE, ERRORS, P_VALUE, Numbers, State
from eventstudy.windows import Window
from eventstudy.wording import number, p_text, round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: Beyond this many standard errors a two-sided p-value is below 5 %.
BAND_EDGE = 1.959964
#: Titles for where the full one has no room.
SHORT_TITLES = {
    "csect_t": "Cross-section t", "bw80_z": "Brown-Warner z", "mackinlay_j1_z": "MacKinlay J1", "cda_t": "Crude adjust. t", "lamb_z": "Lamb z",
    "kp_patell_z": "Patell adjusted", "bmp_t": "BMP t", "kp_bmp_t": "BMP adjusted", "skew_t": "Skewness t", "clustered_t": "Clustered t",
    "calendar_time": "Calendar time", "grank_t": "GRANK t", "grank_z": "GRANK z", "cumrank_z": "Summed ranks", "corrado_rank_z": "Corrado rank",
    "corrado_zivney_rank_z": "C.-Zivney rank", "corrado_zivney_sign_z": "C.-Zivney sign", "gsign_z": "General. sign", "wilcoxon": "Wilcoxon",
    "wild_bootstrap": "Wild bootstrap",
}  # fmt: skip
#: Share of the width that a name may take.
NAME_ROOM = 0.26
#: The same where names stand over their plots.
COLUMN_NAME_ROOM = 0.62
#: What stands beside a test of which there is nothing to say.
NOTHING = Note("", "")


def several_tests(
    tests: Sequence[HypothesisTest],
    notes: Mapping[str, Note],
    *,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw what several tests say of one average, on one scale.

    Parameters
    ----------
    tests : sequence of HypothesisTest
        Tests of one window; those that do not apply are left out.
    notes : mapping of str to Note
        By test name, whether it is recommended or what it overlooks, as `eventstudy.inference.notes_on_tests` returns.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure
        One row a test: its p-value as a number of standard errors, so that t, z and exact tests share a scale.

    Raises
    ------
    InvalidInput
        If no test applies.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")])
    >>> from eventstudy.inference import notes_on_tests
    >>> tests = [result.test(name, (0, 0)) for name in ("patell_z", "kp_bmp_t")]
    >>> several_tests(tests, notes_on_tests(result.abnormal, es.Window(0, 0))).words.title
    'One test sees 2.7 standard errors; one that fits this design sees 0.6'
    """
    # a joint test has another null hypothesis and no sign
    shown = [
        _Compared(t, float(round_significant(z_equivalent(t))), notes.get(t.name, NOTHING))
        for t in tests
        if t.applicable and t.distribution != "F"
    ]
    if not shown:
        raise InvalidInput(
            "None of these tests applies, so there is nothing to draw; see the column note of result.tests()."
        )
    window = shown[0].test.window
    parameters = {"window": [window.start, window.end], "tests": [s.test.name for s in shown]}
    recipe = Recipe(
        Facts(
            "several_tests", {AVERAGE: (_state(shown),)}, parameters=parameters, numbers=_numbers(shown, window, when)
        ),
        _words(shown, say.span_text(window, when)),
        _frame(shown),
        _COLUMNS,
        lambda size: rows_height(size, len(shown), []),
        lambda sheet: _draw(sheet, shown),
    )
    return draw_figure(recipe, size, title=title, source=source)


@dataclass(frozen=True, slots=True)
class _Compared:
    """A test, its result in standard errors, and whether it is recommended or what it overlooks."""

    test: HypothesisTest
    z: float
    note: Note

    @property
    def recommended(self) -> bool:
        return self.note.recommended

    @property
    def spoken(self) -> str:
        beside = f" ({self.note.text})" if self.note.text else ""
        return f"{self.test.title} {number(self.z, 1)} standard errors, p {p_text(self.test.p_value)}{beside}"


def z_equivalent(test: HypothesisTest) -> float:
    """Return the number of standard errors with a test's p-value and sign: ``sign · Φ⁻¹(1 - p/2)``; NaN if it does not apply."""
    if not test.applicable:
        return math.nan
    # W⁺ of the exact signed-rank test lies around n(n + 1)/4, all other statistics around zero
    signed_rank = test.distribution == "exact" and "w_plus" in test.details
    centre = test.n * (test.n + 1) / 4.0 if signed_rank else 0.0
    tail = max(test.p_value / 2.0, 5e-324)
    return math.copysign(-normal_quantile(tail), test.statistic - centre)


def _numbers(shown: Sequence[_Compared], window: Window, when: str) -> Numbers:
    """Return the tests' results as numbers that a text may say."""
    days, z = (window.start, window.end), [s.z for s in shown]
    fit = [s.z for s in shown if s.recommended]
    return Numbers(
        names={s.test.title: s.test.title for s in shown},
        values={
            key: value
            for s in shown
            for key, value in (
                ((s.test.title, P_VALUE, days), s.test.p_value),
                ((s.test.title, ERRORS, days), s.z),
            )
        },
        counts={
            "tests": len(shown),
            "widest": abs(max(z, key=abs)),
            "signed_widest": max(z, key=abs),
            "nearest": abs(min(fit, key=abs)) if fit else math.nan,
            "test_level": 5,
            "between": len(shown) - say.LISTED,
        },
        days={when: 0} if when else {},
        span=days,
        spans=frozenset([days]),
        quoted=frozenset(s.note.text for s in shown if s.note.text),
    )


def _words(shown: Sequence[_Compared], span: str) -> FigureText:
    return FigureText(
        title=_finding([s.z for s in shown], [s.z for s in shown if s.recommended]),
        subtitle=f"The same average abnormal return {span}, by {len(shown)} tests: p-values as standard errors from zero. "
        "In the shaded band p is above 5%.",
        note="Filled: tests recommended for this design. Open: tests that overlook something here, mostly cross-sectional "
        "dependence (shares on one date move together) or event-induced variance (the day was more volatile than others).",
        alt=f"Dot plot of {len(shown)} tests of one average. {say.alt_list([s.spoken for s in shown])}",
    )


def _finding(z: Sequence[float], recommended: Sequence[float]) -> str:
    widest = max(z, key=abs)
    if not recommended:
        return f"The same average is up to {number(widest, 1)} standard errors from zero; no test is recommended here"
    if widest in recommended:
        return f"The recommended tests see up to {number(widest, 1)} standard errors"
    nearest = min(recommended, key=abs)
    return f"One test sees {number(abs(widest), 1)} standard errors; one that fits this design sees {number(abs(nearest), 1)}"


def _state(shown: Sequence[_Compared]) -> State:
    """Return what may be said of the average: that all recommended tests see it on one side at 5 %."""
    recommended = [s.z for s in shown if s.recommended]
    if recommended and all(z < -BAND_EDGE for z in recommended):
        return "down"
    return "up" if recommended and all(z > BAND_EDGE for z in recommended) else "unclear"


_COLUMNS: Mapping[str, Column] = {
    "test": Column("Test", "name of the test"),
    "standard_errors": Column("Standard errors", "standard errors from zero with the test's p-value", STANDARD_ERRORS),
    "statistic": Column("Statistic", "the test's own statistic"),
    "p_value": Column("p-value", "two-sided p-value", PROBABILITY),
    "note": Column("Note", "whether the test is recommended for this design, or what it overlooks"),
}


def _frame(shown: Sequence[_Compared]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "test": [s.test.name for s in shown],
            "standard_errors": [s.z for s in shown],
            "statistic": round_significant([s.test.statistic for s in shown]),
            "p_value": round_significant([s.test.p_value for s in shown]),
            "note": [s.note.text for s in shown],
        }
    )


def _draw(sheet: Sheet, shown: Sequence[_Compared]) -> None:
    rows = [_row(s, sheet.size) for s in shown]
    draw_rows(sheet, rows, [], lambda _: lambda v: number(v, 0), (-BAND_EDGE, BAND_EDGE))


def _row(shown: _Compared, size: Size) -> Row:
    test = shown.test
    state: State = "unclear"
    if shown.recommended:
        state = "down" if shown.z < 0 else "up"
    room = (COLUMN_NAME_ROOM if size.column else NAME_ROOM) * size.inner
    fits = text_width(test.title, size.body, bold=True) <= room
    row = Row(
        test.title if fits else SHORT_TITLES.get(test.name, test.name),
        state,
        shown.z,
        math.nan,
        math.nan,
        f"p {p_text(test.p_value)}",
        "",
    )
    return row if size.narrow else replace(row, group=shown.note.short)
