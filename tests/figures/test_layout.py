"""No text is cut, covers another or is too small, at any size, whatever the names."""

from __future__ import annotations

import pytest

from eventstudy import figures
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures.distribution import lanes
from eventstudy.figures.house_style import default_style
from eventstudy.figures.sheet import wrap
from eventstudy.figures.style import SIZES
from eventstudy.figures.words import name_and_date
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.windows import Window

NASTY = ("A<&$_^x$ \\frac{1}{2} & a very long company name of Somewhere Holdings plc 2025-01-27", "^GSPC", "$")
SOURCE = "Source: snapshot <b>&amp;</b> $1 ^GSPC, vintage 2025-11-01. " + "Market model, estimated. " * 6


def changes(made):
    out = []
    for i, key in enumerate(made.abnormal.keys):
        ar = float(made.abnormal.sums(Window(0, 0)).car[i])
        reason = "" if ar == ar else "no close"
        ends = (ar * 1e12 - 4e10, ar * 1e12 + 4e10)
        out.append(
            MarketValueChange(key, key, Window(0, 0), 1.0, 1.0, None, 1e12, ar * 9e11, ar * 1e12, *ends, 0.95, reason)
        )
    return out


def every(made, size, when="27 January 2025"):
    words = {"size": size, "source": SOURCE, "when": when}
    keys = made.abnormal.keys
    yield figures.event_day(made.abnormal, (0, 0), **words)
    yield figures.event_day(made.abnormal, (-5, 5), **words)
    yield figures.car_paths(made.abnormal, **words)
    yield figures.ranking(made.abnormal, groups={k: f"group {k}" for k in keys}, **words)
    yield figures.universe(made.abnormal, keys[:14], **words)
    yield figures.dollars(changes(made), **words)
    # figures of one event do not depend on how many there are
    for i in {0, len(keys) - 1} if len(keys) <= 3 else ():
        yield figures.market_scatter(made.panel, made.fit, i, **words)
        yield figures.estimation_days(made.abnormal, i, **words)


def many_tests(made, size):
    from eventstudy.inference import STANDARD, TESTS, notes_on_tests, run_tests

    names = [n for n, m in TESTS.items() if m.scope == "many" and n in STANDARD]
    tests = run_tests(made.abnormal, Window(0, 0), names)
    return figures.several_tests(tests, notes_on_tests(made.abnormal, Window(0, 0)), size=size, source=SOURCE)


@pytest.mark.slow
@pytest.mark.parametrize("size", list(SIZES))
def test_real_figures_fit_and_no_text_is_smaller_than_the_preset_allows(real, misplaced, texts, size):
    least = 8.5 / 0.75 if size.startswith("print") else 12.0
    for figure in [*every(real, size), many_tests(real, size)]:
        assert misplaced(figure) == [], figure
        assert figure.get_figwidth() * 96 == pytest.approx(SIZES[size].width)
        assert len(texts(figure)) > 5
        assert [t.get_text() for t in texts(figure) if t.get_fontsize() / 0.75 < least - 1e-9] == []


@pytest.mark.slow
@pytest.mark.parametrize("size", ["article", "phone", "print-52"])
@pytest.mark.parametrize("n", [1, 2, 4, 6, 7, 30])
def test_any_number_of_events_fits(study, misplaced, size, n):
    for figure in every(study(n), size):
        assert misplaced(figure) == [], figure


@pytest.mark.slow
@pytest.mark.parametrize("size", ["article", "phone", "print-52"])
@pytest.mark.parametrize("holes", [False, True])
def test_nasty_names_and_holes_fit_and_are_not_read_as_mathematics(study, misplaced, texts, size, holes):
    for figure in every(study(keys=NASTY, holes=holes), size, when=""):
        assert misplaced(figure) == [], figure
        assert "</svg>" in figures.svg_bytes(figure).decode()
        assert all(not t.get_parse_math() for t in texts(figure))
        assert any("$" in t.get_text() for t in texts(figure))


@pytest.mark.slow
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("n", [3, 5, 9])
def test_events_of_one_ticker_keep_their_whole_dates(dated, misplaced, texts, size, n):
    made = dated(n, ("NVDA", "A.VERY-LONG-TICKER"))
    dates = {date for _, date in map(name_and_date, made.abnormal.keys) if date}
    assert len(dates) > 1
    drawn = [figures.event_day(made.abnormal, 0, size=size), figures.ranking(made.abnormal, size=size)]
    drawn += [figures.car_paths(made.abnormal, size=size)] if n <= 6 else []
    for figure in drawn:
        assert misplaced(figure) == [], figure
        assert dates <= {t.get_text() for t in texts(figure)}


@pytest.mark.parametrize(("jump", "tints"), [((-0.2, 0.2), ["fall", "rise"]), ((-0.2,), ["fall"]), ((0.2,), ["rise"])])
def test_the_legend_shows_every_direction_that_occurs(study, jump, tints):
    figure = figures.event_day(study(2, jump).abnormal, 0)
    marks = [line.get_color() for line in figure.artists if getattr(line, "get_marker", str)() == "o"]
    assert marks == [getattr(default_style().palette, tint) for tint in tints]


@pytest.mark.slow
def test_tiny_and_huge_returns_fit(study, misplaced):
    for jump in ((1e-6, -1e-6), (40.0, -0.99), (0.0,)):
        for size in ("phone", "print-52"):
            for figure in every(study(3, jump), size):
                assert misplaced(figure) == [], figure


def test_the_ruler_sees_overlap_and_cut(real, misplaced):
    figure = figures.event_day(real.abnormal, 0)
    figure.text(0.99, 0.5, "leaves the sheet")
    figure.text(0.5, 0.5, "same")
    figure.text(0.5, 0.5, "place")
    assert {p[0] for p in misplaced(figure)} == {"outside", "overlap"}


def test_sizes_are_listed(real):
    with pytest.raises(InvalidInput, match="article, phone, social, print-52, print-107, print-163"):
        figures.event_day(real.abnormal, 0, size="poster")


def test_social_has_its_fixed_height(real):
    figure = figures.car_paths(real.abnormal, size="social")
    assert (figure.get_figwidth() * 96, figure.get_figheight() * 96) == pytest.approx((1200, 675))


def test_labels_of_close_places_get_their_own_lanes():
    assert lanes([10, 200], [50, 50]) == [0, 0]
    assert lanes([10, 20, 30], [50, 50, 50]) == [2, 1, 0]
    assert lanes([], []) == []


def test_unknown_names_to_mark(real):
    with pytest.raises(DataMissing, match="NOPE"):
        figures.universe(real.abnormal, ["NOPE"])


def test_many_rows_are_cut_and_say_so(study):
    figure = figures.ranking(study(60).abnormal)
    assert "10 events between" in figure.words.note
    assert b"</svg>" in figures.svg_bytes(figure)  # a sign that the font does not have would be a warning
    assert len(figure.data) == 60


@pytest.mark.parametrize("i", [3, -4, 99])
def test_events_that_do_not_exist(real, i):
    with pytest.raises(InvalidInput, match="3 events"):
        figures.estimation_days(real.abnormal, i)
    with pytest.raises(InvalidInput, match="3 events"):
        figures.market_scatter(real.panel, real.fit, i)


def test_no_change_to_draw():
    with pytest.raises(InvalidInput):
        figures.dollars([])


def test_lines_are_not_broken_inside_dates_and_windows():
    text = "NVDA fell on 27 January 2025 by day +5 in [−270, −21]"
    for room in range(130, 400, 10):
        lines = wrap(text, 13.0, float(room))
        assert " ".join(lines) == text
        assert all(sum(part in line for line in lines) == 1 for part in ("27 January 2025", "day +5", "[−270, −21]"))
