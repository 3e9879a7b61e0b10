"""What keeps pages quiet in a browser: their policy, and the output of notebooks without anything that runs, asks or loads."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinycss2.ast import Node

#: What a browser lets a page do; forms and base addresses do not fall under ``default-src``.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'"
)
#: The same for the notebooks of a study that trusts them: their own scripts, which load nothing; by leading the reader elsewhere they may send what they know.
TRUSTING_POLICY = f"{POLICY}; script-src 'unsafe-inline'"

_MORE_TAGS = {"section", "tfoot", "progress", "meter", "big", "font"}
#: What goes with all that is in it; of any other element that is not allowed the text stays.
_GONE = {"script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "title", "noembed"}
_GONE |= {"noframes", "xmp", "video", "audio", "canvas", "frameset"}
_ANYWHERE = {"class", "id", "style", "title", "lang", "dir", "role", "tabindex", "align", "valign", "width", "height"}
_ATTRIBUTES = {
    "*": _ANYWHERE,
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "time": {"datetime"},
    "progress": {"value", "max"},
    "meter": {"value", "min", "max", "low", "high"},
    "font": {"color"},
}
_LINK = re.compile(r"(?:https?:|mailto:|[^:]*(?:[/?#]|$))", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)

#: What is told to be left out, in the words for it.
_KINDS = {
    "script": "scripts", "iframe": "frames", "frame": "frames", "form": "forms", "object": "embedded objects", "embed": "embedded objects",
    "video": "films", "audio": "sounds", "canvas": "canvases", "link": "linked files", "meta": "instructions to the browser",
    "base": "instructions to the browser",
}  # fmt: skip
_LEFT_OUT = re.compile(rf"<({'|'.join(_KINDS)})[\s/>]", re.IGNORECASE)


def left_out(text: str) -> tuple[str, ...]:
    """Return in words what `safe` leaves out of HTML beside pictures from elsewhere, which it names where they stood.

    Examples
    --------
    >>> left_out("<p>So.</p><SCRIPT>x()</SCRIPT><form><input></form>")
    ('forms', 'scripts')
    """
    return tuple(sorted({_KINDS[m[1].lower()] for m in _LEFT_OUT.finditer(text)}))


def safe(text: str) -> str:
    """Return a piece of HTML without scripts, frames, forms and anything that a browser would load; styles reach no farther than it.

    Drawings (SVG) become pictures. Styles stand before it, each for what is within an element of the class ``notebook``.

    Examples
    --------
    >>> safe('<p onclick="x()">So <a href="javascript:x()">it</a> <b style="color: red; background: url(//x)">is</b>.</p>')
    '<p>So <a rel="noopener noreferrer">it</a> <b style="color: red">is</b>.</p>'
    """
    import nh3

    styles = dict.fromkeys(_scoped(m[1]) for m in _STYLE.finditer(text))
    cleaned = nh3.clean(
        _SVG.sub(lambda m: svg_image(m[0]), text),
        tags=(nh3.ALLOWED_TAGS | _MORE_TAGS) - {"area", "map"} - _GONE,
        clean_content_tags=_GONE,
        attributes=_ATTRIBUTES,
        generic_attribute_prefixes={"aria-"},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
    )
    sheet = "\n".join(filter(None, styles))
    return (f"<style>{sheet}</style>\n" if sheet else "") + _IMG.sub(_or_its_words, cleaned)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return "; ".join(_declarations(value)) or None
    if name == "href":
        return value if _LINK.match(value.strip()) else None
    if name == "src":
        return value if _PICTURE.fullmatch(value) else None
    return value


#: A picture as the sanitiser writes it: every value in quotes, no quote in a value.
_IMG = re.compile(r'<img((?:\s[\w-]+="[^"]*")*)\s*/?>')
_ALT = re.compile(r'\salt="([^"]*)"')


def _or_its_words(found: re.Match[str]) -> str:
    """Return a picture that holds its content, of any other what it shows in words."""
    if ' src="' in found[1]:
        return found[0]
    alt = _ALT.search(found[1])
    return f"<em>[picture from elsewhere left out{f': {alt[1]}' if alt and alt[1] else ''}]</em>"


# -- Drawings.


_SVG = re.compile(r"<svg[\s>].*?</svg\s*>", re.IGNORECASE | re.DOTALL)
_NAMESPACE = "http://www.w3.org/2000/svg"
_SAID = re.compile(r"""<svg[^>]*?\saria-label=["']([^"'<>]*)|<title[^>]*>([^<]*)</title>""", re.IGNORECASE)
_SIZE = re.compile(r"""<svg[^>]*?\s(width|height)=["']?(\d+(?:\.\d+)?)(?:px)?["'\s>]""", re.IGNORECASE)


def svg_image(drawing: str, alt: str = "") -> str:
    """Return a drawing as a picture, in which nothing runs and nothing is loaded; an empty text if it is none.

    Examples
    --------
    >>> svg_image('<svg width="9"><title>A dot</title></svg>')[:38], svg_image("<svg><p></svg>")
    ('<img alt="A dot" width="9" src="data:i', '')
    """
    from xml.etree import ElementTree as Xml

    if "xmlns=" not in drawing.partition(">")[0]:
        drawing = re.sub("<svg", f'<svg xmlns="{_NAMESPACE}"', drawing, count=1, flags=re.IGNORECASE)
    if "<!" in drawing.replace("<!--", "").replace("<![CDATA[", ""):  # entities, which may be without end
        return ""
    try:
        Xml.fromstring(drawing)  # noqa: S314 - without entities of its own
    except Xml.ParseError:
        return ""
    said = _SAID.search(drawing)
    words = alt or html.unescape((said[1] or said[2] or "") if said else "") or "A drawing"
    size = "".join(f' {m[1].lower()}="{m[2]}"' for m in _SIZE.finditer(drawing))
    content = base64.b64encode(drawing.encode("utf-8")).decode("ascii")
    return f'<img alt="{html.escape(words)}"{size} src="data:image/svg+xml;base64,{content}">'


# -- Styles.


_STYLE = re.compile(r"<style[^>]*>(.*?)</style", re.IGNORECASE | re.DOTALL)
#: What may stand before a bracket in a value; anything else, as ``url`` or ``image-set``, may load a file.
_FUNCTIONS = {
    "rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color-mix", "light-dark", "calc", "min", "max", "clamp", "var",
    "linear-gradient", "repeating-linear-gradient", "radial-gradient", "repeating-radial-gradient", "conic-gradient", "repeat", "minmax",
    "fit-content", "translate", "translatex", "translatey", "rotate", "scale", "cubic-bezier", "blur", "brightness", "counter", "attr",
}  # fmt: skip
_TROUBLE = {"url", "at-keyword", "error", "{} block", "unicode-range"}
#: What rules are for; without weight of its own, so that they are as strong as they were.
_WITHIN = ":where(.notebook)"
_OLD = {"behavior", "-moz-binding", "-ms-behavior"}
#: Positions by which a part of an output lies over the rest of the page.
_OVER_THE_PAGE = {"fixed", "sticky"}


def _loads_nothing(values: Iterable[Node]) -> bool:
    for node in values:
        if node.type in _TROUBLE or (node.type == "function" and node.lower_name not in _FUNCTIONS):
            return False
        if node.type in ("function", "() block", "[] block"):
            inner = node.arguments if node.type == "function" else node.content
            if not _loads_nothing(inner):
                return False
    return True


def _lies_over(declaration: Node) -> bool:
    return declaration.lower_name == "position" and any(
        node.type == "ident" and node.lower_value in _OVER_THE_PAGE for node in declaration.value
    )


def _declarations(content: str | Sequence[Node]) -> list[str]:
    """Return the declarations of a style that load nothing."""
    import tinycss2

    found = tinycss2.parse_declaration_list(content, skip_comments=True, skip_whitespace=True)
    return [
        _written(d.serialize())
        for d in found
        if d.type == "declaration" and d.lower_name not in _OLD and _loads_nothing(d.value) and not _lies_over(d)
    ]


def _scoped(sheet: str) -> str:
    """Return the rules of a style sheet for what is within ``.notebook`` alone; rules with an @ are left out."""
    import tinycss2

    rules = []
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        inner = _declarations(rule.content) if rule.type == "qualified-rule" else []
        if not inner:
            continue
        selectors = [_written(tinycss2.serialize(part)).strip() for part in _parts(rule.prelude)]
        within = [s if s.startswith(_WITHIN) else f"{_WITHIN} {s}" for s in selectors]
        rules.append(f"{', '.join(within)} {{ {'; '.join(inner)} }}")
    return "\n".join(rules)


def _parts(prelude: Iterable[Node]) -> list[list[Node]]:
    parts: list[list[Node]] = [[]]
    for node in prelude:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _written(css: str) -> str:
    """Return CSS in which nothing can end the style that it stands in."""
    return css.replace("<", "\\3c ")
