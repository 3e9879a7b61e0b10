"""A bundle: every file there, speaking, equal everywhere, all or nothing, and without prices if asked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.files import write_all
from eventstudy.inference.market_value import market_value_changes
from eventstudy.windows import Window

SVG = "{http://www.w3.org/2000/svg}"
FILES = ["car.svg", "car-editable.svg", "car.pdf", "car@1x.png", "car@2x.png", "car.csv", "car.html", "car.json"]
VOID = {"img", "source", "br"}

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import conftest
from eventstudy import figures
made = conftest._study(3)
out = Path(sys.argv[1])
jobs = [lambda: figures.event_day(made.abnormal, 0, source="S").save_bundle("car", out),
        lambda: figures.market_scatter(made.panel, made.fit, 2, size="print-52").marked("DRAFT").save_bundle("scatter", out)]
if sys.argv[2] == "back":
    jobs.reverse()
for job in jobs:
    job()
"""


def run(folder, order, **settings):
    folder.mkdir()
    env = {**os.environ, "HOME": str(folder), "MPLCONFIGDIR": str(folder / "mpl"), **settings}
    code = SCRIPT.format(here=str(Path(__file__).parent))
    subprocess.run([sys.executable, "-c", code, str(folder / "out"), order], check=True, env=env, cwd=folder)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "out").iterdir())}


@pytest.mark.slow
def test_bundles_do_not_depend_on_machine_folder_or_order(tmp_path):
    first = run(tmp_path / "a", "there", TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="0")
    features = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"
    second = run(
        tmp_path / "b b", "back", TZ="Asia/Tokyo", LC_ALL="POSIX", PYTHONHASHSEED="5", NPY_DISABLE_CPU_FEATURES=features
    )
    assert len(first) == 16
    assert first == second


@pytest.fixture(scope="module")
def bundle(real, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "deep"
    figure = figures.event_day(real.abnormal, 0, when="27 January 2025", source='Source: <S> & "T"').marked("DRAFT")
    figure.describe(parameters={"model": "market model"}, inputs={"prices": "abc"})
    paths = figure.save_bundle("car", folder)
    return figure, folder, paths


@pytest.mark.slow
def test_all_files_are_there_and_nothing_else(bundle):
    _, folder, paths = bundle
    assert [p.name for p in paths] == FILES
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)


@pytest.mark.slow
def test_saving_again_in_another_order_changes_nothing(bundle, tmp_path):
    figure, folder, _ = bundle
    figures.png_bytes(figure, 1), figures.svg_bytes(figure, editable=True), figures.pdf_bytes(figure)
    for path in figures.save_bundle(figure, tmp_path, "car"):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_the_alternative_text_and_the_mark_are_in_every_format(bundle):
    from PIL import Image
    from PIL.PngImagePlugin import PngImageFile

    figure, folder, _ = bundle
    alt, title = figure.words.alt, figure.words.title
    assert alt.startswith("DRAFT. Dot plot of")
    for name in ("car.svg", "car-editable.svg"):
        root = ET.fromstring((folder / name).read_bytes())  # noqa: S314
        assert (root.get("role"), root[0].tag, root[1].tag) == ("img", f"{SVG}title", f"{SVG}desc")
        assert (root[0].text, root[1].text) == (title, alt)
    for dots in (1, 2):
        with Image.open(folder / f"car@{dots}x.png") as image:
            assert isinstance(image, PngImageFile)
            assert image.text == {"Title": title, "Description": alt}
            assert image.size == (640 * dots, round(figure.get_figheight() * 96) * dots)
    pdf = (folder / "car.pdf").read_bytes()
    assert b"/Subject" in pdf
    assert alt.encode("utf-16-be") in _pdf_text(pdf)
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    said = json.loads((folder / "car.json").read_text(encoding="utf-8"))
    assert (said["alt"], said["mark"], said["title"]) == (alt, "DRAFT", title)
    page = Page((folder / "car.html").read_text(encoding="utf-8"))
    assert [a["alt"] for t, a in page.tags if t == "img"] == [alt]
    assert "DRAFT:" in page.text


def _pdf_text(pdf):
    r"""Undo the escapes of PDF strings: ``\(``, ``\)``, ``\\`` and octal codes."""
    plain = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), pdf)
    return re.sub(rb"\\([()\\])", rb"\1", plain)


class Page(HTMLParser):
    """A fragment taken apart, its tags balanced."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.stack, self.text = [], [], ""
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_fragment_is_self_contained_escaped_and_has_the_numbers(bundle):
    figure, folder, _ = bundle
    text = (folder / "car.html").read_text(encoding="utf-8")
    page = Page(text)
    tags = [t for t, _ in page.tags]
    assert tags[0] == "figure"
    assert tags.count("figcaption") == tags.count("details") == tags.count("table") == 1
    assert not {"script", "link", "style", "iframe"} & set(tags)
    for _, attrs in page.tags:
        assert not any(k.startswith("on") or k == "id" for k in attrs)
        for key in ("src", "srcset", "href"):
            assert attrs.get(key, "data:image/svg+xml;base64,").startswith("data:image/svg+xml;base64,")
    assert 'Source: <S> & "T"' in page.text
    assert "<S>" not in text
    pictures = [base64.b64decode(x.split(",")[1]) for x in re.findall(r'(?:src|srcset)="([^"]+)"', text)]
    assert pictures == [figures.svg_bytes(figure.at_size("phone")), (folder / "car.svg").read_bytes()]
    assert tags.count("tr") == 1 + len(figure.data)
    assert "−13.25%−18.29%−8.20%−16.97%yes" in page.text


@pytest.mark.slow
def test_names_of_events_are_escaped(study, tmp_path):
    made = study(keys=("<script>alert(1)</script>", '"><img src=x>', "C"))
    figure = figures.event_day(made.abnormal, 0)
    figure.save_bundle("x", tmp_path)
    page = Page((tmp_path / "x.html").read_text(encoding="utf-8"))
    assert [t for t, _ in page.tags].count("img") == 1
    assert "script" not in [t for t, _ in page.tags]
    for name in ("x.svg", "x-editable.svg"):
        ET.fromstring((tmp_path / name).read_bytes())  # noqa: S314


def test_the_json_tells_how_it_was_made(bundle):
    figure, folder, _ = bundle
    said = json.loads((folder / "car.json").read_text(encoding="utf-8"))
    assert said["figure"] == "event_day"
    assert said["title_checked"] is True
    assert said["size"] == {"name": "article", "width_px": 640.0, "height_px": round(figure.get_figheight() * 96, 1), "width_mm": 169.3, "height_mm": round(figure.get_figheight() * 25.4, 1)}  # fmt: skip
    assert said["parameters"] | {"level": 0.95, "window": [0, 0], "model": "market model"} == said["parameters"]
    assert {"eventstudy", "matplotlib", "freetype"} < set(said["versions"])
    assert said["inputs"]["prices"] == "abc"
    assert said["inputs"]["numbers"] == hashlib.sha256((folder / "car.csv").read_bytes()).hexdigest()
    assert said["files"] == {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in FILES[:-1]}
    assert list(said["columns"]) == figure.data.columns.tolist()
    assert {"subtitle", "note", "source", "rights", "embargo_until"} <= set(said)


def test_numbers_have_ten_digits_at_most(bundle):
    _, folder, _ = bundle
    for token in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", (folder / "car.csv").read_text(encoding="utf-8")):
        digits = token.split("e")[0].replace("-", "").replace(".", "").lstrip("0")
        assert len(digits) <= 10, token


def test_the_editable_picture_has_text_in_named_groups(bundle):
    figure, folder, _ = bundle
    root = ET.fromstring((folder / "car-editable.svg").read_bytes())  # noqa: S314
    whole = next(g for g in root if g.get("id") == "figure_1")
    groups = {g.get("id"): g for g in whole}
    assert {"paper", "grid", "data", "tick", "legend", "label", "title", "subtitle", "note", "notice", "status"} == set(groups)  # fmt: skip
    assert " ".join(t.text for t in groups["title"].iter(f"{SVG}text")) == figure.words.title
    assert "META" in [t.text for t in groups["label"].iter(f"{SVG}text")]
    for text in root.iter(f"{SVG}text"):
        assert "font-family: 'Source Sans Pro', sans-serif" in text.get("style")
    assert any("font-weight: 600" in t.get("style") for t in groups["title"].iter(f"{SVG}text"))
    faces = re.findall(r"@font-face\{font-family:'Source Sans Pro';font-weight:(\d+);src:url\(data:font/woff;base64,([^)]+)\)", (folder / "car-editable.svg").read_text(encoding="utf-8"))  # fmt: skip
    assert [w for w, _ in faces] == ["400", "600"]
    assert all(base64.b64decode(font).startswith(b"wOFF") for _, font in faces)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert b"<text" not in (folder / "car.svg").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("size", list(figures.SIZES))
def test_every_size_can_be_bundled(real, tmp_path, size):
    paths = figures.car_paths(real.abnormal, size=size).save_bundle("p", tmp_path)
    assert all(p.stat().st_size > 200 for p in paths)
    assert ("srcset" in paths[6].read_text(encoding="utf-8")) == (size == "article")


# -- all or nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", [1, 2, 3])
@pytest.mark.parametrize("old", [True, False])
def test_a_failure_leaves_everything_as_it_was(tmp_path, monkeypatch, fails_at, old):
    if old:
        write_all(tmp_path, {"a": "old a", "b": "old b"})
    before = {p.name: p.read_text() for p in tmp_path.iterdir()}
    real_replace, count = os.replace, [0]

    def replace(source, target):
        if Path(target).parent == tmp_path and Path(source).parent.name == "new":
            count[0] += 1
            if count[0] == fails_at:
                raise OSError(28, "No space left on device")
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="No space"):
        write_all(tmp_path, {"a": "new a", "b": "new b", "c": "new c"})
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file(real, tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        figures.event_day(real.abnormal, 0).save_bundle("car", tmp_path / "x")
    with pytest.raises(InvalidInput, match="plain file name"):
        figures.event_day(real.abnormal, 0).save_bundle("../car", tmp_path)


# -- prices ----------------------------------------------------------------------------------------------------


def dollar_figure(real):
    tickers = tuple(e.ticker for e in real.panel.events)
    changes = market_value_changes(real.abnormal, tickers, real.panel.calendar, real.prices, Window(0, 0))
    return figures.dollars(changes, when="27 January 2025")


def every_figure(real):
    yield figures.event_day(real.abnormal, 0)
    yield figures.car_paths(real.abnormal)
    yield figures.ranking(real.abnormal)
    yield figures.universe(real.abnormal, ["NVDA"])
    yield figures.market_scatter(real.panel, real.fit, 0)
    yield figures.estimation_days(real.abnormal, 0)
    yield dollar_figure(real)


def levels(real):
    """Every price of the three firms and the index in the study's days, as traded and adjusted."""
    days = slice("2023-12-01", "2025-02-28")
    tables = [real.prices.adj_close, real.prices.close]
    values = np.concatenate([t.loc[days, ["NVDA", "META", "GOOGL", "^GSPC"]].to_numpy().ravel() for t in tables])
    return np.unique(values[np.isfinite(values)])


def numbers_in(text):
    return np.array([float(x.replace(",", "")) for x in re.findall(r"(?<![\w.#-])\d[\d,]*\.\d+(?![\w.])", text)])


def texts_of(folder):
    """What a bundle says: data, metadata, page without its pictures, and the words of the SVG, without coordinates."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".json"):
            yield path.name, path.read_text(encoding="utf-8")
        elif path.suffix == ".html":
            yield path.name, re.sub(r"base64,[^\" ]*", "", path.read_text(encoding="utf-8"))
        elif path.suffix == ".svg":
            root = ET.fromstring(path.read_bytes())  # noqa: S314
            yield (
                path.name,
                "\n".join(e.text or "" for e in root.iter() if e.tag.rsplit("}")[-1] in ("text", "title", "desc")),
            )


def holds_price(real, folder):
    known = levels(real)
    found = set()
    for name, text in texts_of(folder):
        for number in numbers_in(text):
            near = known[np.searchsorted(known, number).clip(1, len(known) - 1) + np.array([-1, 0])]
            if number > 5 and (abs(near - number) <= 5e-6 * number).any():
                found.add(name)
    return found


@pytest.mark.slow
def test_no_price_is_in_a_bundle_without_prices(real, tmp_path):
    for figure in every_figure(real):
        folder = tmp_path / figure.facts.kind
        figure.at_size("phone").save_bundle("x", folder, prices=False)
        assert holds_price(real, folder) == set(), figure
        assert json.loads((folder / "x.json").read_text())["prices"] in ("none", "left out")


@pytest.mark.slow
def test_the_search_for_prices_finds_them_where_they_are(real, tmp_path):
    figure = dollar_figure(real)
    figure.save_bundle("x", tmp_path)
    assert {"x.csv"} <= holds_price(real, tmp_path)
    table = pd.read_csv(tmp_path / "x.csv").set_index("event")
    np.testing.assert_allclose(
        table["raw"], table["shares"] * (table["close_after"] - table["close_before"]), rtol=1e-6
    )
    assert json.loads((tmp_path / "x.json").read_text())["prices"] == "included"


def test_csv_text_is_what_is_saved(bundle):
    figure, folder, _ = bundle
    assert (folder / "car.csv").read_text(encoding="utf-8") == figures.csv_text(figure)
    assert len(pd.read_csv(io.StringIO(figures.csv_text(figure)))) == 3
