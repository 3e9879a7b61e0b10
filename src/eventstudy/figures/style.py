"""Sizes, fonts and the settings that all figures are drawn with; colours and font files are the house style's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.errors import InvalidInput
from eventstudy.figures.house_style import Palette, current_style

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

#: Pixels (of the web, 1/96 inch) in an inch and points in a pixel.
DPI = 96
POINTS = 72 / DPI
#: Where the package's own fonts lie, each with its licence.
FONTS = Path(__file__).with_name("fonts")
#: The smallest text, in pixels: 12 on a screen, 8.5 points in print.
LEAST_WEB, LEAST_PRINT = 12.0, 8.5 / POINTS


def palette() -> Palette:
    """Return the colours of the style in use."""
    return current_style().palette


@dataclass(frozen=True, slots=True)
class Size:
    """A preset: width and, if fixed, height in pixels of 1/96 inch, and text sizes in pixels.

    Attributes
    ----------
    width, height : float
        Pixels; height 0 grows with what is drawn.
    margin : float
        White space at the four sides.
    narrow : bool
        Whether columns beside the plot have to give way.
    column : bool
        Whether there is only room for one thing beside another: names stand over their plots.
    """

    name: str
    width: float
    height: float
    margin: float
    title: float
    subtitle: float
    body: float
    foot: float
    least: float = LEAST_WEB
    narrow: bool = False
    column: bool = False

    def __post_init__(self) -> None:
        smallest = min(self.title, self.subtitle, self.body, self.foot)
        if smallest < self.least:
            raise InvalidInput(f"Size {self.name} sets text at {smallest} pixels; {self.least:.5g} is the least.")

    @property
    def unit(self) -> float:
        """Size of the marks and gaps relative to the article's."""
        return self.body / 13.0

    @property
    def beside(self) -> float:
        """Size of texts beside names and plots, small where columns have to give way."""
        return self.foot if self.narrow else self.body

    @property
    def inner(self) -> float:
        """Pixels between the side margins."""
        return self.width - 2 * self.margin


def _print(millimetres: int, texts: tuple[float, float, float], narrow: bool = False, column: bool = False) -> Size:
    width = millimetres / 25.4 * DPI
    return Size(f"print-{millimetres}", width, 0.0, 2, *texts, LEAST_PRINT, LEAST_PRINT, narrow, column)


#: The layouts by name: a phone and an article's column on the web, a card for social media, and one, two and three
#: columns of a newspaper (52, 107 and 163 mm). Every figure is laid out anew for each, not scaled.
SIZES = {
    s.name: s
    for s in (
        Size("article", 640.0, 0.0, 14, 20, 14, 13, 12),
        Size("phone", 360.0, 0.0, 12, 18, 13, 12.5, 12, narrow=True),
        Size("social", 1200.0, 675.0, 40, 36, 23, 19, 15.5),
        _print(52, (14.5, 12, 11.5), narrow=True, column=True),
        _print(107, (17, 12.5, 12), narrow=True),
        _print(163, (18, 13, 12)),
    )
}


def size_of(name: str) -> Size:
    """Return a size preset by name."""
    if name not in SIZES:
        raise InvalidInput(f"size is {name!r}; choose one of {', '.join(SIZES)}.", given=name, allowed=tuple(SIZES))
    return SIZES[name]


@lru_cache(maxsize=64)
def _font(path: Path, family: str, bold: bool, pixels: float) -> FontProperties:
    from matplotlib.font_manager import FontProperties

    # the file decides; family and weight are for text that stays text in an editable SVG; by name, because matplotlib before 3.11 knows no numbers there
    return FontProperties(fname=str(path), family=family, weight="semibold" if bold else "normal", size=pixels * POINTS)


def font(pixels: float, bold: bool = False) -> FontProperties:
    """Return the house font at a size in pixels."""
    style = current_style()
    return _font(style.semibold if bold else style.regular, style.family, bold, pixels)


#: Defaults of matplotlib that belong to the session and not to the look.
_SESSION = ("backend", "interactive", "toolbar", "timezone", "webagg.", "tk.", "macosx.", "date.epoch", "docstring.")

_HOUSE: dict[str, object] = {
    "axes.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "eventstudy",
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
    "text.hinting": "no_hinting",
    "text.parse_math": False,
    "path.simplify": False,
}


_other: ContextVar[Mapping[str, object]] = ContextVar("eventstudy_settings", default={})  # noqa: B039 - never changed


@contextmanager
def other_settings(settings: Mapping[str, object]) -> Iterator[None]:
    """Let `house_settings` inside differ from the house in some settings."""
    token = _other.set(settings)
    try:
        yield
    finally:
        _other.reset(token)


@contextmanager
def house_settings() -> Iterator[None]:
    """Draw inside with matplotlib's own defaults and the house style, whatever the user's settings; restored after."""
    import matplotlib

    defaults = matplotlib.rcParamsDefault
    plain = {k: dict.__getitem__(defaults, k) for k in defaults if not k.startswith(_SESSION)}
    # matplotlib's stubs name every key; a plain dictionary is what it takes
    settings: dict[Any, Any] = {**plain, **_HOUSE, **_other.get()}
    with matplotlib.rc_context(settings):
        yield
