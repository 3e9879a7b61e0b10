"""Several tests of one average side by side: which ones to believe, and how far the others stray."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.figures import words as say
from eventstudy.figures.facts import Facts
from eventstudy.figures.layout import build
from eventstudy.figures.lettering import text_width
from eventstudy.figures.rows import Row, draw_rows, rows_height
from eventstudy.figures.sheet import Sheet
from eventstudy.figures.style import Size
from eventstudy.figures.words import FigureText
from eventstudy.inference.result import HypothesisTest
from eventstudy.numbers import round_significant
from eventstudy.wording import number, p_text

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure

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
#: The remarks of `eventstudy.inference.readings` in a few words.
SHORT = {
    "believe": "to believe here",
    "takes events for independent": "ignores correlation",
    "takes the day's variance for ordinary": "ignores a wild day",
}


def z_equivalent(test: HypothesisTest) -> float:
    """Return the number of standard errors with a test's p-value and sign: ``sign · Φ⁻¹(1 - p/2)``; NaN if it does not apply."""
    from scipy.special import ndtri

    if not test.applicable:
        return math.nan
    centre = {"w_plus": test.n * (test.n + 1) / 4.0}
    anchor = next((v for k, v in centre.items() if k in test.details and test.distribution == "exact"), 0.0)
    tail = max(test.p_value / 2.0, 5e-324)
    return math.copysign(float(-ndtri(tail)), test.statistic - anchor)


def agreement(
    tests: Sequence[HypothesisTest],
    remarks: Mapping[str, str],
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
    remarks : mapping of str to str
        By test name, ``believe`` or what the test overlooks, as `eventstudy.inference.readings` returns.
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
    """
    # a joint test has another null hypothesis and no sign
    there = [t for t in tests if t.applicable and t.distribution != "F"]
    if not there:
        raise InvalidInput(
            "None of these tests applies, so there is nothing to draw; see the column note of result.tests()."
        )
    z = [float(round_significant(z_equivalent(t))) for t in there]
    believed = [v for t, v in zip(there, z, strict=True) if remarks.get(t.name) == "believe"]
    window = there[0].window
    words = FigureText(
        title=say.tidy(title) if title else _finding(z, believed),
        subtitle=f"The same average abnormal return {say.span_text(window, when)}, by {len(there)} tests: p-values as standard errors "
        "from zero. In the shaded band p is above 5%.",
        source=say.tidy(source),
        note="Filled: tests to believe for this design. Open: tests that overlook something here, mostly that shares on one date move "
        "together, or that the day was wilder than others.",
        alt=f"Dot plot of {len(there)} tests of one average. " + say.alt_list([_spoken(t, v, remarks) for t, v in zip(there, z, strict=True)]),
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "test": [t.name for t in there],
            "standard_errors": z,
            "statistic": round_significant([t.statistic for t in there]),
            "p_value": round_significant([t.p_value for t in there]),
            "remark": [remarks.get(t.name, "") for t in there],
        }
    )
    facts = Facts(
        "agreement",
        {"average": (_state(z, there, remarks),)},
        parameters={"window": [window.start, window.end], "tests": [t.name for t in there]},
        own_title=bool(title),
    )
    said = [remarks.get(t.name, "") for t in there]
    return build(words, table, facts, size, lambda preset: rows_height(preset, len(there), []), _draw(there, z, said))


def _state(z: Sequence[float], tests: Sequence[HypothesisTest], remarks: Mapping[str, str]) -> str:
    """Return what may be said of the average: that all tests to believe see it on one side at 5 %."""
    believed = [v for t, v in zip(tests, z, strict=True) if remarks.get(t.name) == "believe"]
    if believed and all(v < -BAND_EDGE for v in believed):
        return "down"
    return "up" if believed and all(v > BAND_EDGE for v in believed) else "unclear"


def _draw(tests: Sequence[HypothesisTest], z: Sequence[float], remarks: Sequence[str]) -> Callable[[Sheet], None]:
    def draw(sheet: Sheet) -> None:
        rows = [_row(t, v, remark, sheet.size) for t, v, remark in zip(tests, z, remarks, strict=True)]
        draw_rows(sheet, rows, [], lambda _: lambda v: number(v, 0), (-BAND_EDGE, BAND_EDGE))

    return draw


def _row(test: HypothesisTest, z: float, remark: str, size: Size) -> Row:
    state = "unclear" if remark != "believe" else "down" if z < 0 else "up"
    fits = text_width(test.title, size.body, bold=True) <= (COLUMN_NAME_ROOM if size.column else NAME_ROOM) * size.inner
    label = test.title if fits else SHORT_TITLES.get(test.name, test.name)
    row = Row(label, state, z, math.nan, math.nan, f"p {p_text(test.p_value)}", "")
    return row if size.narrow else replace(row, group=SHORT.get(remark, remark))


def _finding(z: Sequence[float], believed: Sequence[float]) -> str:
    widest = max(z, key=abs)
    if not believed:
        return (
            f"The same average is up to {number(widest, 1)} standard errors from zero; no test is to be believed here"
        )
    nearest = min(believed, key=abs)
    if widest in believed:
        return f"The tests to believe see up to {number(widest, 1)} standard errors"
    return f"One test sees {number(abs(widest), 1)} standard errors; one that fits this design sees {number(abs(nearest), 1)}"


def _spoken(test: HypothesisTest, z: float, remarks: Mapping[str, str]) -> str:
    remark = remarks.get(test.name, "")
    return f"{test.title} {number(z, 1)} standard errors, p {p_text(test.p_value)}" + (f" ({remark})" if remark else "")
