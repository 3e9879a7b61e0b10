"""Colours can be told apart, the font is the house's, and nobody's settings are touched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eventstudy import figures
from eventstudy.errors import DataMissing
from eventstudy.figures import style


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other=style.PAPER):
    a, b = sorted((luminance(one), luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


@pytest.mark.parametrize("name", ["INK", "QUIET"])
def test_text_has_contrast(name):
    assert contrast(getattr(style, name)) >= 4.5


@pytest.mark.parametrize("name", ["FALL", "RISE", "UNCLEAR", "ORDINARY", "LINE"])
def test_marks_have_contrast(name):
    assert contrast(getattr(style, name)) >= 3.0


def test_marks_on_the_band_have_contrast():
    assert contrast(style.LINE, style.BAND) >= 3.0
    assert contrast(style.INK, style.BAND) >= 4.5


def test_falls_and_rises_differ_in_grey():
    assert contrast(style.FALL, style.RISE) >= 1.35


def test_a_missing_font_is_named(monkeypatch, tmp_path, real):
    monkeypatch.setattr(style, "FONTS", tmp_path)
    figures.sheet.text_width.cache_clear()
    with pytest.raises(DataMissing, match=r"SourceSansPro-\w+\.ttf"):
        figures.event_day(real.abnormal, 0)


def test_every_text_is_set_in_the_house_font(real):
    from matplotlib.text import Text

    figure = figures.car_paths(real.abnormal)
    files = {t.get_fontproperties().get_file() for t in figure.findobj(Text) if t.get_text()}
    assert files == {str(style.FONTS / style.REGULAR), str(style.FONTS / style.SEMIBOLD)}


def test_the_fonts_and_their_licence_are_there_unchanged():
    import hashlib

    readme = (style.FONTS / "README.md").read_text(encoding="utf-8")
    for name in (style.REGULAR, style.SEMIBOLD):
        assert hashlib.sha256((style.FONTS / name).read_bytes()).hexdigest() in readme
    assert "SIL OPEN FONT LICENSE" in (style.FONTS / "OFL.txt").read_text(encoding="utf-8")


def test_settings_of_the_session_are_left_alone(real, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        mine = figures.svg_bytes(figures.event_day(real.abnormal, 0))
        assert dict(matplotlib.rcParams) == before
    assert mine == figures.svg_bytes(figures.event_day(real.abnormal, 0))


def test_nothing_heavy_is_imported_before_drawing():
    code = (
        "import sys, eventstudy.figures as f;"
        "assert not {'matplotlib', 'scipy'} & {m.split('.')[0] for m in sys.modules}, sorted(sys.modules);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
