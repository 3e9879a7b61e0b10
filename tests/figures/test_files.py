"""Saved figures: the same bytes everywhere, the numbers of the result, words for those who cannot see."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.inference.single import car_interval
from eventstudy.windows import Window

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import conftest
from eventstudy import figures
made = conftest._study(4, holes=True)
out = Path(sys.argv[1])
figures.save(figures.car_paths(made.abnormal, source="S", size="phone"), out, "car")
figures.save(figures.market_scatter(made.panel, made.fit, 2, size="phone"), out, "scatter")
"""


def run(folder, **settings):
    home = folder / "home"
    (home / "mpl").mkdir(parents=True)
    (home / "mpl" / "matplotlibrc").write_text("font.size: 24\nfigure.dpi: 200\nsvg.hashsalt: mine\npdf.fonttype: 3\n")
    env = {**os.environ, "HOME": str(home), "MPLCONFIGDIR": str(home / "mpl"), **settings}
    code = SCRIPT.format(here=str(Path(__file__).parent))
    subprocess.run([sys.executable, "-c", code, str(folder / "out")], check=True, env=env, cwd=folder)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "out").iterdir())}


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_machine(tmp_path):
    first = run(tmp_path / "a", TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="0")
    second = run(
        tmp_path / "b", TZ="Asia/Tokyo", LC_ALL="POSIX", PYTHONHASHSEED="77", NPY_DISABLE_CPU_FEATURES="AVX2 FMA3"
    )
    assert len(first) == 10
    assert first == second


@pytest.mark.slow
def test_the_order_of_formats_does_not_matter(real):
    figure = figures.car_paths(real.abnormal, size="phone")
    first = figures.svg_bytes(figure), figures.pdf_bytes(figure), figures.png_bytes(figure)
    again = figures.png_bytes(figure), figures.pdf_bytes(figure), figures.svg_bytes(figure)
    assert first == again[::-1]


@pytest.mark.slow
def test_the_bundle_is_complete_and_leaves_nothing_else(real, tmp_path):
    paths = figures.save(figures.event_day(real.abnormal, 0), tmp_path / "deep" / "er", "event_day")
    assert [p.suffix for p in paths] == [".svg", ".pdf", ".png", ".csv", ".txt"]
    assert sorted(p.name for p in (tmp_path / "deep" / "er").iterdir()) == sorted(p.name for p in paths)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x y"])
def test_names_that_are_not_plain(real, tmp_path, name):
    with pytest.raises(InvalidInput, match="plain file name"):
        figures.save(figures.event_day(real.abnormal, 0), tmp_path, name)


def test_a_foreign_figure_is_refused(tmp_path):
    from matplotlib.figure import Figure

    with pytest.raises(InvalidInput, match=r"eventstudy\.figures"):
        figures.save(Figure(), tmp_path, "x")


def read(figure):
    return pd.read_csv(io.StringIO(figures.csv_text(figure)))


def test_the_numbers_are_those_of_the_result(real):
    table = read(figures.event_day(real.abnormal, (0, 1), level=0.9))
    low, high = car_interval(real.abnormal, Window(0, 1), 0.9)
    np.testing.assert_allclose(table["abnormal_return"], real.abnormal.sums((0, 1)).car, rtol=1e-9)
    np.testing.assert_allclose(table[["low", "high"]], np.stack([low, high], axis=1), rtol=1e-9)
    assert table["excludes_zero"].tolist() == ((low > 0) | (high < 0)).tolist()


def test_paths_are_partial_sums_with_their_own_errors(real):
    table = read(figures.car_paths(real.abnormal)).set_index(["event", "day"])
    for day in (-5, 0, 5):
        low, high = car_interval(real.abnormal, Window(-5, day), 0.95)
        got = table.xs(day, level="day")
        np.testing.assert_allclose(got["car"], real.abnormal.sums((-5, day)).car, rtol=1e-9)
        np.testing.assert_allclose(got[["low", "high"]], np.stack([low, high], axis=1), rtol=1e-9)


def test_the_average_path(study):
    made = study(8)
    table = read(figures.car_paths(made.abnormal))
    got = table[table["event"] == "average"].set_index("day")["car"]
    np.testing.assert_allclose(got[5], made.abnormal.caar((-5, 5)), rtol=1e-9)


def test_the_scatter_band_is_the_interval_of_the_event_day(real):
    event = read(figures.market_scatter(real.panel, real.fit, 0)).iloc[0]
    low, high = car_interval(real.abnormal, Window(0, 0), 0.95)
    np.testing.assert_allclose(
        event["firm_return"] - event[["high", "low"]].astype(float), [low[0], high[0]], rtol=1e-8
    )


def test_estimation_days_are_the_residuals(real):
    table = read(figures.estimation_days(real.abnormal, 1))
    got = table[table["what"] == "estimation day"]["abnormal_return"]
    np.testing.assert_allclose(got, real.abnormal.residuals[1][np.isfinite(real.abnormal.residuals[1])], rtol=1e-9)


def test_ranking_is_sorted(study):
    values = read(figures.ranking(study(9, holes=True).abnormal))["abnormal_return"]
    assert values[:-1].is_monotonic_increasing
    assert np.isnan(values.iloc[-1])


def test_svg_speaks_and_holds_no_date(study):
    made = study(keys=("A<&$_^x", "B", "C"))
    svg = figures.svg_bytes(figures.event_day(made.abnormal, 0, title="A<&$_^x fell"))
    root = ET.fromstring(svg)  # noqa: S314
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    assert [root[0].tag, root[1].tag] == [f"{space}title", f"{space}desc"]
    assert [root[0].get("id"), root[1].get("id")] == ids
    assert root[0].text == "A<&$_^x fell"
    assert b"<text" not in svg
    assert b"dc:date" not in svg


@pytest.mark.slow
def test_pdf_embeds_truetype(real):
    pdf = figures.pdf_bytes(figures.event_day(real.abnormal, 0))
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


def test_notebooks_get_an_alternative_text(real):
    figure = figures.event_day(real.abnormal, 0)
    bundle = figure._repr_mimebundle_()
    assert f'alt="{figure.words.alt}"' in bundle["text/html"]
    assert bundle["text/html"].startswith("<figure")
    assert bundle["text/plain"] == figure.words.alt
    assert "0x" not in repr(figure)


def test_text_file_tells_the_figure(real):
    figure = figures.event_day(real.abnormal, 0, source="Source: S")
    lines = figures.alt_text(figure).splitlines()
    assert lines[0] == figure.words.title
    assert lines[-1] == "Source: S"
