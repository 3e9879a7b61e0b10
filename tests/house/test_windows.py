"""Windows of relative days."""

from __future__ import annotations

import numpy as np
import pytest

import eventstudy as es
from eventstudy.windows import Window, signed_day


def test_a_window_is_closed_at_both_ends():
    window = Window(-5, 5)
    assert len(window) == 11
    assert list(window) == list(range(-5, 6))
    assert window.days.tolist() == list(range(-5, 6))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0, 1), Window(0, 1)),
        ([-1, 1], Window(-1, 1)),
        (3, Window(3, 3)),
        (np.int64(-2), Window(-2, -2)),
        ((np.int64(0), np.int32(2)), Window(0, 2)),
        (Window(1, 2), Window(1, 2)),
    ],
)
def test_pairs_and_single_days_are_read_as_windows(given, expected):
    assert Window.of(given) == expected


def test_numpy_ends_become_plain_numbers():
    assert repr(Window(np.int64(-1), np.int64(1))) == "Window(-1, 1)"


@pytest.mark.parametrize("wrong", ["0:1", None, 0.5, (0,), (0, 1, 2), {0, 1}, True])
def test_what_is_no_window_is_refused_with_an_example(wrong):
    with pytest.raises(es.errors.InvalidInput, match=r"is not a window; give a pair of relative days such as"):
        Window.of(wrong)


@pytest.mark.parametrize("ends", [(0.0, 1), ("a", 1), (True, 2), (0, None)])
def test_ends_must_be_whole_numbers(ends):
    with pytest.raises(es.errors.InvalidInput, match="give a whole number of trading days"):
        Window(*ends)


def test_a_window_that_ends_before_it_starts_names_the_swap():
    with pytest.raises(es.errors.InvalidInput, match=r"\(5, -5\) ends before it starts; did you mean \(-5, 5\)\?"):
        Window(5, -5)


def test_membership_of_days_and_windows():
    window = Window(-5, 5)
    assert 0 in window
    assert np.int64(5) in window
    assert 6 not in window
    assert Window(-5, 5) in window
    assert Window(4, 6) not in window
    assert "0" not in window


@pytest.mark.parametrize(
    ("a", "b", "shared"), [((0, 1), (1, 2), True), ((0, 1), (2, 3), False), ((-9, 9), (0, 0), True)]
)
def test_overlap_is_symmetric(a, b, shared):
    assert Window.of(a).overlaps(Window.of(b)) is shared
    assert Window.of(b).overlaps(Window.of(a)) is shared


@pytest.mark.parametrize(("day", "text"), [(-5, "-5"), (0, "0"), (5, "+5")])
def test_days_are_printed_with_their_sign(day, text):
    assert signed_day(day) == text
    assert str(Window(day, day)) == f"[{text}, {text}]"


@pytest.mark.parametrize("given", [5, -3, np.int64(1)])
def test_one_number_is_no_event_window(given):
    with pytest.raises(es.errors.InvalidInput, match=rf"window is {given}; write \(-{abs(given)}, {abs(given)}\)"):
        es.EventStudy(model=es.MarketModel("^GSPC"), window=given)
    assert es.EventStudy(model=es.MarketModel("^GSPC"), window=0).window == Window(0, 0)


def test_two_days_are_one_window_and_a_list_of_pairs_several():
    assert Window.several((0, 1)) == Window.several(Window(0, 1)) == [Window(0, 1)]
    assert Window.several([(0, 0), (0, 1)]) == [Window(0, 0), Window(0, 1)]
    assert Window.several([0]) == [Window(0, 0)]
