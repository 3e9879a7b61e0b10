"""Whether colours can be told apart: contrast of luminance, in grey, and for eyes that miss a colour."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Literal

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.files import sha256
from eventstudy.toml import read_toml

Vision = Literal["protanopia", "deuteranopia", "tritanopia", "grey"]

#: Machado, Oliveira and Fernandes (2009), severity 1, on linear red, green and blue.
_MISSING = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
VISIONS: tuple[Vision, ...] = ("protanopia", "deuteranopia", "tritanopia", "grey")
_LUMINANCE = (0.2126, 0.7152, 0.0722)
#: Linear sRGB to CIE XYZ, relative to the white of D65.
_XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)

Triple = tuple[float, float, float]


def linear(colour: str) -> Triple:
    """Return a colour ``#rrggbb`` as linear red, green and blue from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def _dot(row: Triple, colour: Triple) -> float:
    return sum(a * b for a, b in zip(row, colour, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours after WCAG 2: 1 for equal ones, 21 for black on white.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted(_dot(_LUMINANCE, linear(c)) for c in (one, other))
    return round((high + 0.05) / (low + 0.05), 4)


def seen(colour: str, vision: Vision) -> Triple:
    """Return how a colour is seen, as linear red, green and blue."""
    rgb = linear(colour)
    if vision == "grey":
        level = _dot(_LUMINANCE, rgb)
        return level, level, level
    red, green, blue = (min(max(_dot(row, rgb), 0.0), 1.0) for row in _MISSING[vision])
    return red, green, blue


def difference(one: str, other: str, vision: Vision) -> float:
    """Return how far apart two colours look: the distance in CIELAB, where about 2 is just seen."""

    def lab(rgb: Triple) -> Triple:
        x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (_dot(row, rgb) for row in _XYZ))
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    pairs = zip(lab(seen(one, vision)), lab(seen(other, vision)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


# -- The house style as one file: fonts by file, palette, tag and logo, rights; checked before anything is drawn.


DEFAULT_FILE = Path(__file__).with_name("house.toml")
#: Names a style file for every figure drawn, where nothing else chooses one.
VARIABLE = "EVENTSTUDY_STYLE"
#: What text and marks need on what they stand on (WCAG 2, criteria 1.4.3 and 1.4.11).
TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0
#: How far apart falls and rises must look for everybody, in CIELAB: some seven times what is just seen.
APART = 15.0
_MAX_BYTES = 100_000
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are for, as ``#rrggbb``.

    Attributes
    ----------
    paper, ink, quiet : str
        The ground, text and zero lines, and secondary text.
    fall, rise, unclear : str
        Marks of events whose interval lies below, above and across zero.
    ordinary, line : str
        Many small marks; fitted lines and paths.
    """

    paper: str
    ink: str
    quiet: str
    fall: str
    rise: str
    unclear: str
    ordinary: str
    line: str
    band: str
    grid: str


@dataclass(frozen=True, slots=True)
class HouseStyle:
    """A checked house style.

    Attributes
    ----------
    family : str
        Name of the font, for text that stays text in editable files.
    regular, semibold : Path
        Font files.
    palette : Palette
        Colours by role.
    tag, rights : str
        A line at the foot of each figure; a licence or rights line carried in the files.
    logo : Path or None
        A PNG at the right of the tag.
    digest : str
        SHA-256 of the style: its values and the bytes of its files.
    """

    family: str
    regular: Path
    semibold: Path
    palette: Palette
    tag: str
    rights: str
    logo: Path | None
    digest: str


@lru_cache(maxsize=1)
def default_style() -> HouseStyle:
    """Return the style that comes with the package."""
    return load_style(DEFAULT_FILE)


def load_style(path: str | os.PathLike[str]) -> HouseStyle:
    """Read a style file.

    Parameters
    ----------
    path : path
        A TOML file with the tables ``fonts``, ``palette`` and ``signature``; what it leaves out is as in the package.

    Examples
    --------
    >>> from eventstudy.figures.house_style import DEFAULT_FILE
    >>> load_style(DEFAULT_FILE).family
    'Source Sans Pro'
    """
    file = Path(path)
    if not file.is_file():
        raise DataMissing(f"The style file {file} is missing; give the path of a house.toml.", missing=(str(file),))
    own, default = _read(file), _read(DEFAULT_FILE)
    values = {table: {**default[table], **own.get(table, {})} for table in default}
    files: dict[str, Path | None] = {}
    for table, key in (("fonts", "regular"), ("fonts", "semibold"), ("signature", "logo")):
        home = file if key in own.get(table, {}) else DEFAULT_FILE
        files[key] = _neighbour(home, f"{table}.{key}", values[table][key])
    palette = Palette(**values["palette"])
    for key, problem in _doubts(palette):
        raise InvalidInput(f"{file.name}: palette.{key}: {problem}")
    regular, semibold = files["regular"], files["semibold"]
    if regular is None or semibold is None:
        raise InvalidInput(f"{file.name}: fonts: give the files regular and semibold, or leave the keys out.")
    signature = {k: " ".join(v.split()) for k, v in values["signature"].items()}
    said = repr((values["fonts"]["family"], asdict(palette), signature["tag"], signature["rights"])).encode()
    digest = sha256(b"".join([said, *(p.read_bytes() for p in (regular, semibold, files["logo"]) if p)]))
    return HouseStyle(
        values["fonts"]["family"],
        regular,
        semibold,
        palette,
        signature["tag"],
        signature["rights"],
        files["logo"],
        digest,
    )


def _read(file: Path) -> dict[str, dict[str, str]]:
    """Return the tables of a style file, every key known and every value text."""
    content = read_toml(file, "a style file", limit=_MAX_BYTES)
    known = {
        "fonts": ("family", "regular", "semibold"),
        "palette": tuple(f.name for f in fields(Palette)),
        "signature": ("tag", "logo", "rights"),
    }
    for table, items in content.items():
        _known(file, "", table, tuple(known))
        if not isinstance(items, dict):
            raise InvalidInput(f"{file.name}: {table} must be a table, [{table}].")
        for key, value in items.items():
            _known(file, f"{table}.", key, known[table])
            if not isinstance(value, str):
                raise InvalidInput(f"{file.name}: {table}.{key}: {value!r} is no text; put it in quotes.")
    return _lowered(file, content)  # type: ignore[arg-type]


def _lowered(file: Path, content: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the tables with colours in lower case and checked, and the font's name checked."""
    family = content.get("fonts", {}).get("family", "A")
    if not re.fullmatch(r"[\w][\w .-]*", family):
        raise InvalidInput(f"{file.name}: fonts.family: {family!r} is no font name; use letters, digits and spaces.")
    colours = {k: v.lower() for k, v in content.get("palette", {}).items()}
    for key, value in colours.items():
        if not _COLOUR.fullmatch(value):
            raise InvalidInput(f"{file.name}: palette.{key}: {value!r} is no colour; write it as #rrggbb.")
    return {**content, **({"palette": colours} if colours else {})}


def _known(file: Path, prefix: str, key: str, known: tuple[str, ...]) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(f"{file.name}: {prefix}{key}: no such key; there are {', '.join(known)}.{guess}")


def _neighbour(home: Path, key: str, name: str) -> Path | None:
    """Return a file that a style file names; it must lie beside it or below it, links followed."""
    if not name:
        return None
    folder = home.parent.resolve()
    try:
        target = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{home.name}: {key}: {name!r} is no path of a file ({error}).") from error
    if Path(name).is_absolute() or not target.is_relative_to(folder):
        raise InvalidInput(f"{home.name}: {key}: {name!r} leaves the folder of the style file; put a copy inside it.")
    if not target.is_file():
        raise DataMissing(
            f"{home.name}: {key}: the file {name} is missing from {folder}; another in its place would change every "
            "figure silently.",
            missing=(name,),
        )
    endings = (".png",) if key == "signature.logo" else (".ttf", ".otf")
    if target.suffix.lower() not in endings:
        raise InvalidInput(f"{home.name}: {key}: {name!r} must end in {' or '.join(endings)}.")
    return target


def _doubts(palette: Palette) -> Iterator[tuple[str, str]]:
    """Say which colours cannot be read or told apart."""
    colour: Mapping[str, str] = asdict(palette)
    pairs = [(key, "paper", TEXT_CONTRAST) for key in ("ink", "quiet")]
    pairs += [("ink", "band", TEXT_CONTRAST), ("line", "band", MARK_CONTRAST)]
    pairs += [(key, "paper", MARK_CONTRAST) for key in ("fall", "rise", "unclear", "ordinary", "line")]
    pairs += [(key, "band", MARK_CONTRAST) for key in ("fall", "rise", "unclear")]
    for key, ground, least in pairs:
        got = contrast(colour[key], colour[ground])
        if got < least:
            yield (
                key,
                f"{colour[key]} on {ground} {colour[ground]} has a contrast of {got:.2f} : 1; it needs {least} : 1.",
            )
    for vision in VISIONS:
        got = difference(palette.fall, palette.rise, vision)
        if got < APART:
            said = f"{palette.fall} and rise {palette.rise} look alike in {vision}: {got:.0f} apart in CIELAB"
            yield "fall", f"{said}, where {APART:.0f} is the least."


_chosen: list[HouseStyle] = []
_drawing: ContextVar[HouseStyle | None] = ContextVar("eventstudy_style", default=None)


def current_style() -> HouseStyle:
    """Return the style that figures are drawn with: of `use_style`, of ``EVENTSTUDY_STYLE``, or the package's."""
    now = _drawing.get()
    if now is not None:
        return now
    if _chosen:
        return _chosen[-1]
    named = os.environ.get(VARIABLE, "")
    return load_style(named) if named else default_style()


@contextmanager
def drawing_with(style: HouseStyle) -> Iterator[None]:
    """Draw inside with one style, whatever is chosen meanwhile."""
    token = _drawing.set(style)
    try:
        yield
    finally:
        _drawing.reset(token)


class StyleInUse:
    """What `use_style` returns: the style stays in use; as a context it is put back at the end."""

    def __init__(self, before: list[HouseStyle]) -> None:
        self._before = before

    def __enter__(self) -> HouseStyle:
        return current_style()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _chosen[:] = self._before


def use_style(path: str | os.PathLike[str] | None) -> StyleInUse:
    """Draw all figures from now on in a house style of one's own.

    Parameters
    ----------
    path : path or None
        A style file; None for the package's own style.

    Returns
    -------
    StyleInUse
        May be used in a ``with`` statement, which puts the style before back at its end.

    Raises
    ------
    DataMissing, InvalidInput
        As `load_style`.
    """
    style = default_style() if path is None else load_style(path)
    before = list(_chosen)
    _chosen[:] = [style]
    return StyleInUse(before)


# -- What a figure knows of itself beside its words and numbers: what may be said, how it was made, its marks.


@dataclass(frozen=True, slots=True)
class Facts:
    """What a figure knows of itself.

    Attributes
    ----------
    states : mapping of str to tuple of str
        For each event the verdicts (``down``, ``up``, ``unclear``, ``missing``) that a title may speak of.
    raw : mapping of str to float
        The raw change of each event, which decides between "fell" and "lagged".
    parameters : mapping of str to object
        How the numbers were made: windows, level, model; plain values.
    price_columns : tuple of str
        Columns of the numbers that hold price levels.
    inputs : mapping of str to str
        Digests of what the figure was made from, by name.
    mark, embargo_until : str
        A word drawn over the figure, and the moment up to which it holds.
    names : mapping of str to str
        What the study calls its tickers.
    own_title, unchecked : bool
        Whether the title is the caller's, and whether it was exempted from the check against the numbers.
    """

    kind: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    price_columns: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    embargo_until: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    own_title: bool = False
    unchecked: bool = False


def states_of(keys: Sequence[str], states: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return one verdict an event in the shape of `Facts`."""
    return {key: (state,) for key, state in zip(keys, states, strict=True)}


# -- What a study gives to all its figures beside their numbers: house style, release mark, names of tickers.


#: With these variables a build tells its notebooks the mark of all their figures.
MARK_VARIABLE, UNTIL_VARIABLE = "EVENTSTUDY_MARK", "EVENTSTUDY_EMBARGO_UNTIL"


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a study gives to all its figures.

    Attributes
    ----------
    style : HouseStyle or None
        The style that the study names; None takes the one in use.
    mark, embargo_until : str
        A word drawn over each figure, such as ``DRAFT``, and the moment up to which it holds.
    names : mapping of str to str
        What the study calls a ticker; titles are held against the numbers by these names too.
    """

    style: HouseStyle | None = None
    mark: str = ""
    embargo_until: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


_presenting: ContextVar[Presentation | None] = ContextVar("eventstudy_presentation", default=None)


@contextmanager
def presenting(presentation: Presentation) -> Iterator[None]:
    """Draw inside with a study's style, mark and names."""
    token = _presenting.set(presentation)
    try:
        with drawing_with(presentation.style or current_style()):
            yield
    finally:
        _presenting.reset(token)


def presented(facts: Facts) -> Facts:
    """Return a figure's facts with the mark and the names of the study that it is drawn for; the build's mark goes first."""
    study = _presenting.get() or Presentation()
    mark, until = os.environ.get(MARK_VARIABLE, ""), os.environ.get(UNTIL_VARIABLE, "")
    if not mark:
        mark, until = study.mark, study.embargo_until
    return replace(facts, mark=mark, embargo_until=until if mark else "", names=dict(study.names))
