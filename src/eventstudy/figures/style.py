"""The house style of all figures: sizes, colours, fonts, and the settings they are drawn with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.errors import DataMissing, InvalidInput

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

#: Pixels (of the web, 1/96 inch) in an inch and points in a pixel.
DPI = 96
POINTS = 72 / DPI

FONTS = Path(__file__).with_name("fonts")
REGULAR = "SourceSansPro-Regular.ttf"
SEMIBOLD = "SourceSansPro-Semibold.ttf"

# Text at least 4.5 : 1 on white, marks at least 3 : 1 (tests/figures/test_style.py computes both).
PAPER = "#ffffff"
INK = "#1a1a1a"
QUIET = "#545454"  # subtitles, notes, tick labels
FALL = "#a63a0a"  # rust: darker than RISE, so that the two differ in grey as well
RISE = "#2777b4"  # blue
UNCLEAR = "#6e6e6e"
ORDINARY = "#8a8f98"  # many small marks of ordinary days
LINE = "#2f4b6e"  # fitted lines and paths
BAND = "#d5dfea"  # decoration that the line and the note explain
GRID = "#e3e3e3"


@dataclass(frozen=True, slots=True)
class Size:
    """A preset: width and, if fixed, height in pixels of 1/96 inch, and text sizes in pixels.

    Attributes
    ----------
    name : str
        What the caller asks for.
    width, height : float
        Pixels; height 0 grows with what is drawn.
    margin : float
        White space at the four sides.
    title, subtitle, body, foot : float
        Text sizes in pixels; none is below 11.
    narrow : bool
        Whether columns beside the plot have to give way.
    """

    name: str
    width: float
    height: float
    margin: float
    title: float
    subtitle: float
    body: float
    foot: float
    narrow: bool = False

    @property
    def unit(self) -> float:
        """Size of the marks and gaps relative to the article's."""
        return self.body / 13.0

    @property
    def inner(self) -> float:
        """Pixels between the side margins."""
        return self.width - 2 * self.margin


SIZES = {
    s.name: s
    for s in (
        Size("article", 691.2, 0.0, 16, 21, 14.5, 13, 11.5),
        Size("phone", 360.0, 0.0, 12, 18, 13, 12, 11, narrow=True),
        Size("social", 1200.0, 675.0, 40, 36, 23, 19, 15.5),
        Size("print", 616.0, 0.0, 2, 18, 13, 12, 11.5),
    )
}


def size_of(name: str) -> Size:
    """Return a size preset by name.

    Raises
    ------
    InvalidInput
        If there is no such preset; the message lists all.
    """
    if name not in SIZES:
        raise InvalidInput(f"size is {name!r}; choose one of {', '.join(SIZES)}.", given=name, allowed=tuple(SIZES))
    return SIZES[name]


@lru_cache(maxsize=64)
def _font(path: Path, pixels: float) -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(path), size=pixels * POINTS)


def font(pixels: float, bold: bool = False) -> FontProperties:
    """Return the house font at a size in pixels.

    Raises
    ------
    DataMissing
        If the font file is not there: another font in its place would change every figure silently.
    """
    path = FONTS / (SEMIBOLD if bold else REGULAR)
    if not path.is_file():
        raise DataMissing(
            f"The figures' font file {path.name} is missing from {path.parent}; reinstall the package.",
            missing=(path.name,),
            available=(),
        )
    return _font(path, pixels)


#: Defaults of matplotlib that belong to the session and not to the look.
_SESSION = ("backend", "interactive", "toolbar", "timezone", "webagg.", "tk.", "macosx.", "date.epoch", "docstring.")

_HOUSE: dict[str, object] = {
    "figure.facecolor": PAPER,
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


@contextmanager
def house_settings() -> Iterator[None]:
    """Draw inside with matplotlib's own defaults and the house style, whatever the user's settings; restored after."""
    import matplotlib

    defaults = matplotlib.rcParamsDefault
    plain = {k: dict.__getitem__(defaults, k) for k in defaults if not k.startswith(_SESSION)}
    # matplotlib's stubs name every key; a plain dictionary is what it takes
    settings: dict[Any, Any] = {**plain, **_HOUSE}
    with matplotlib.rc_context(settings):
        yield
