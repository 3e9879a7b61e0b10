"""The house style of a study's figures."""

from __future__ import annotations

from eventstudy.figures.house_style import HouseStyle, current_style, default_style
from eventstudy.spec import StudySpec


def style_of(spec: StudySpec) -> HouseStyle:
    """Return the style that a study's file names, else the one in use.

    Raises
    ------
    StudyFileError
        If the style file is missing or wrong; names the study file, the style file and its key.
    """
    return spec.presentation().style or current_style()


def style_input(spec: StudySpec) -> dict[str, str]:
    """Return the digest of a style other than the package's, fonts and logo included, as an input of a build."""
    style = style_of(spec)
    return {} if style == default_style() else {"style": style.digest}
