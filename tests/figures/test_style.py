"""Colours can be told apart, the font is the house's, and nobody's settings are touched."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, fields

import pytest

from eventstudy import figures
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures import style
from eventstudy.figures.colours import VISIONS, difference, seen
from eventstudy.figures.colours import contrast as contrast_of
from eventstudy.figures.house_style import DEFAULT_FILE, Palette, current_style, default_style, load_style
from eventstudy.wording import percent


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    a, b = sorted((luminance(one), luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


PALETTE = asdict(default_style().palette)


@pytest.mark.parametrize(
    ("name", "ground", "least"),
    [
        *((name, "paper", 4.5) for name in ("ink", "quiet")),
        *((name, "paper", 3.0) for name in ("fall", "rise", "unclear", "ordinary", "line")),
        *((name, "band", 3.0) for name in ("fall", "rise", "unclear", "line")),
        ("ink", "band", 4.5),
    ],
)
def test_the_palette_has_contrast(name, ground, least):
    assert contrast(PALETTE[name], PALETTE[ground]) >= least
    assert contrast_of(PALETTE[name], PALETTE[ground]) == pytest.approx(
        contrast(PALETTE[name], PALETTE[ground]), abs=1e-4
    )


@pytest.mark.parametrize("vision", VISIONS)
def test_roles_that_share_a_figure_look_apart_to_everybody(vision):
    for one, other, least in [
        ("fall", "rise", 15),
        ("line", "band", 40),
        ("line", "ordinary", 20),
        ("fall", "ordinary", 15),
        ("rise", "ordinary", 7),
        ("ink", "fall", 20),
    ]:
        assert difference(PALETTE[one], PALETTE[other], vision) >= least, (one, other)


def test_the_simulation_of_missing_colours():
    # red and green of one lightness: told apart by most, not by deuteranopes; whites and greys stay what they are
    assert difference("#b05000", "#6c7800", "tritanopia") > 3 * difference("#b05000", "#6c7800", "deuteranopia")
    for vision in VISIONS:
        assert seen("#ffffff", vision) == pytest.approx((1, 1, 1), abs=1e-3)
        assert difference("#808080", "#808080", vision) == 0
    assert difference("#000000", "#ffffff", "grey") == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("size", ["article", "print-52"])
def test_colour_is_never_alone(study, size):
    """Falls lie left of zero, rises right, what is unclear is open, and every value is written with its sign."""
    made = study(6, (-0.2, 0.0, 0.2))
    figure = figures.event_day(made.abnormal, 0, size=size)
    data = {axes.get_gid(): axes for axes in figure.axes}["data-1"]
    seen_tints = set()
    for line in data.lines:
        if line.get_marker() != "o":
            continue
        value, tint, face = float(line.get_xdata()[0]), line.get_color(), line.get_markerfacecolor()
        seen_tints.add(tint)
        if tint == PALETTE["unclear"]:
            assert face == PALETTE["paper"]
        else:
            assert face == tint
            assert tint == PALETTE["fall" if value < 0 else "rise"]
    assert seen_tints == {PALETTE[k] for k in ("fall", "rise", "unclear")}
    texts = {t.get_text() for t in figure.texts}
    assert {percent(v, 1) for v in figure.data["abnormal_return"]} <= texts


def own_style(folder, text):
    path = folder / "house.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[font]", r"house\.toml: font: no such key; there are fonts, palette, signature. Did you mean 'fonts'"),
        ("[palette]\nfalls = '#000000'", r"palette\.falls: no such key.*'fall'"),
        ("[palette]\nfall = 'red'", r"palette\.fall: 'red' is no colour"),
        ("[palette]\nquiet = '#aaaaaa'", r"palette\.quiet: #aaaaaa on paper #ffffff has a contrast of 2\.32 : 1"),
        ("[palette]\nrise = '#99bbdd'", r"palette\.rise: .* it needs 3\.0 : 1"),
        ("[palette]\nfall = '#3a6f2a'\nrise = '#b03a2e'", r"look alike in (prot|deuter)anopia"),
        ("[palette]\npaper = '#000000'", r"palette\.ink"),
        ("[fonts]\nregular = '../x.ttf'", r"fonts\.regular: '\.\./x\.ttf' leaves the folder"),
        ("[fonts]\nregular = '/etc/passwd'", r"leaves the folder"),
        ('[fonts]\nfamily = "A\'; x"', r"fonts\.family"),
        ("[fonts]\nregular = ''", r"give the files regular and semibold"),
        ("[signature]\ntag = 3", r"signature\.tag: 3 is no text"),
        ("palette = 3", r"palette must be a table"),
        ("[palette", r"not valid TOML"),
    ],
)
def test_wrong_style_files_are_refused_by_file_and_key(tmp_path, text, said):
    with pytest.raises(InvalidInput, match=said):
        load_style(own_style(tmp_path, text))


def test_missing_files_of_a_style_are_named(tmp_path):
    with pytest.raises(DataMissing, match=r"house\.toml: fonts\.semibold: the file Other\.ttf is missing"):
        load_style(own_style(tmp_path, "[fonts]\nsemibold = 'Other.ttf'"))
    with pytest.raises(DataMissing, match=r"nowhere\.toml"):
        figures.use_style(tmp_path / "nowhere.toml")
    (tmp_path / "logo.svg").write_text("x")
    with pytest.raises(InvalidInput, match=r"signature\.logo: 'logo\.svg' must end in \.png"):
        load_style(own_style(tmp_path, "[signature]\nlogo = 'logo.svg'"))


def test_the_package_style_names_every_key():
    import tomllib

    content = tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    assert set(content["palette"]) == {f.name for f in fields(Palette)}
    assert set(content["signature"]) == {"tag", "logo", "rights"}


@pytest.mark.slow
def test_a_style_of_ones_own(tmp_path, real, monkeypatch, misplaced, texts):
    from PIL import Image

    plain = figures.svg_bytes(figures.event_day(real.abnormal, 0))
    Image.new("RGB", (90, 30), "#aa0000").save(tmp_path / "logo.png")
    path = own_style(
        tmp_path,
        "[palette]\nfall = '#7A1F1F'\n[signature]\ntag = 'The Example Gazette'\nlogo = 'logo.png'\nrights = '© Example'",
    )
    with figures.use_style(path) as style:
        figure = figures.event_day(real.abnormal, 0)
        mine = figures.svg_bytes(figure)
        for size in style_sizes():
            assert misplaced(figures.event_day(real.abnormal, 0, size=size)) == []
    assert b"#7a1f1f" in mine
    assert b"#7a1f1f" not in plain
    assert "<dc:rights>" in mine.decode()
    assert "© Example" in mine.decode()
    assert b"data:image/png;base64" in mine
    assert "The Example Gazette" in [t.get_text() for t in texts(figure)]
    # the figure keeps its style when it is laid out again after the style is put back
    assert current_style() == default_style()
    assert figures.svg_bytes(figure.at_size("article")) == mine
    assert figures.svg_bytes(figures.event_day(real.abnormal, 0)) == plain
    monkeypatch.setenv("EVENTSTUDY_STYLE", str(path))
    assert current_style() == style
    with figures.use_style(None):
        assert current_style() == default_style()
    assert style.digest != default_style().digest


def style_sizes():
    return list(style.SIZES)


def test_no_preset_may_have_text_too_small():
    with pytest.raises(InvalidInput, match="12 is the least"):
        style.Size("tiny", 300.0, 0.0, 2, 14, 12, 11, 12)


def test_every_text_is_set_in_the_house_font(real):
    from matplotlib.text import Text

    figure = figures.car_paths(real.abnormal)
    files = {t.get_fontproperties().get_file() for t in figure.findobj(Text) if t.get_text()}
    used = default_style()
    assert files == {str(used.regular), str(used.semibold)}


def test_the_fonts_and_their_licence_are_there_unchanged():
    import hashlib

    used = default_style()
    folder = used.regular.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for path in (used.regular, used.semibold):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text(encoding="utf-8")


def test_settings_of_the_session_are_left_alone(real, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        mine = figures.svg_bytes(figures.event_day(real.abnormal, 0))
        assert dict(matplotlib.rcParams) == before
    assert mine == figures.svg_bytes(figures.event_day(real.abnormal, 0))


@pytest.mark.slow
def test_nothing_heavy_is_imported_before_drawing():
    code = (
        "import sys, eventstudy.figures as f;"
        "assert not {'matplotlib', 'scipy'} & {m.split('.')[0] for m in sys.modules}, sorted(sys.modules);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
