"""The house style as one file: fonts by file, palette, tag and logo, rights; checked before anything is drawn."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures.colours import VISIONS, contrast, difference
from eventstudy.files import sha256

DEFAULT_FILE = Path(__file__).with_name("house.toml")
#: Names a style file for every figure drawn, where nothing else chooses one.
STYLE_VARIABLE = "EVENTSTUDY_STYLE"
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

    def of_state(self, state: str) -> str:
        """Return the colour of what an interval allows to say: ``down``, ``up``, ``unclear``, ``missing``."""
        return {"down": self.fall, "up": self.rise}.get(state, self.unclear)

    def of_grid(self, value: float) -> str:
        """Return the colour of a grid line, which is strongest at zero."""
        return self.ink if value == 0.0 else self.grid


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
    """Read a style file, a TOML file with the tables ``fonts``, ``palette`` and ``signature``; what it leaves out is the package's.

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
    for key, problem in _unfit_colours(palette):
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
    from eventstudy.toml import read_toml  # loads pydantic, and few figures have a style file

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
    return _lowered(file, content)


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


def _unfit_colours(palette: Palette) -> Iterator[tuple[str, str]]:
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
    named = os.environ.get(STYLE_VARIABLE, "")
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
    """Draw all figures from now on in a house style of your own.

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
