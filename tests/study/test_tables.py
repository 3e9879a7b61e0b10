"""Numbers in words and tables in every form."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest

from eventstudy.inference import format_p
from eventstudy.study.tables import (
    frame_of_tests,
    html_table,
    key_values,
    latex_escape,
    latex_table,
    markdown_table,
    rounded_csv,
    text_table,
)
from eventstudy.wording import DASH, MINUS, billions, interval, number, p_text, percent, round_significant, sq_p_text

AWKWARD = "A&B <i>100%</i> | $x_1^2$ #{~}\\"


@pytest.mark.parametrize("p", [0.0, 1e-300, 1e-9, 0.00049, 0.0009999])
def test_a_p_value_is_never_zero(p):
    assert p_text(p) == "<0.001"
    assert format_p(p) == "< 0.001"


@pytest.mark.parametrize(("p", "text"), [(0.001, "0.001"), (0.05, "0.050"), (0.4996, "0.500"), (1.0, "1.000")])
def test_other_p_values_have_three_decimals(p, text):
    assert p_text(p) == text
    assert format_p(p) == f"= {text}"


def test_a_missing_p_value_is_a_dash():
    assert p_text(math.nan) == DASH
    assert format_p(math.nan) == DASH


@pytest.mark.parametrize(
    ("p", "m", "text"),
    [(0.0, 250, "<0.008"), (0.0, 40, "<0.050"), (0.0, 10_000, "<0.001"), (0.024, 250, "0.024"), (0.0, 0, "<0.001")],
)
def test_a_count_of_zero_says_no_more_than_the_number_of_days_allows(p, m, text):
    assert sq_p_text(p, m) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.16968, f"{MINUS}16.97%"),
        (0.0191, "+1.91%"),
        (0.0, "0.00%"),
        (-0.00001, "0.00%"),
        (-0.00005001, f"{MINUS}0.01%"),
    ],
)
def test_per_cent(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-592.3e9, f"{MINUS}$592bn"),
        (33.4e9, "+$33bn"),
        (0.0, "$0bn"),
        (-4e8, f"{MINUS}$0.4bn"),
        (-1234.5e9, f"{MINUS}$1,234bn"),
    ],
)
def test_billions(value, text):
    assert billions(value) == text


@pytest.mark.parametrize(("value", "text"), [(-1.005, f"{MINUS}1.00"), (2.0, "2.00"), (-0.001, "0.00"), (-0.0, "0.00")])
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize("form", [percent, number, billions])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_missing_is_a_dash(form, value):
    assert form(value) == DASH


def test_no_form_uses_a_hyphen_as_minus():
    for value in np.linspace(-3.0, -0.5, 7):
        assert "-" not in percent(value) + number(value) + billions(value * 1e9) + interval(value, -0.1)


def test_an_interval_with_a_missing_end_is_a_dash():
    assert interval(-0.2, -0.1) == f"{MINUS}20.00% to {MINUS}10.00%"
    assert interval(math.nan, 0.1) == DASH


# -- tables ----------------------------------------------------------------------------------------------------------


def test_html_is_escaped_everywhere():
    text = html_table([AWKWARD, "n"], [[AWKWARD, AWKWARD]], caption=AWKWARD)
    assert "<i>" not in text
    assert text.count("A&amp;B &lt;i&gt;") == 4
    assert '<th scope="row">' in text
    assert 'class="num"' in text


def test_markdown_keeps_its_columns():
    text = markdown_table(["a", "b"], [["x|y", "two\nlines"]])
    lines = text.splitlines()
    assert lines[1] == "| --- | ---: |"
    assert lines[2] == "| x\\|y | two lines |"


def test_latex_is_escaped_and_numbers_keep_their_minus():
    assert latex_escape(AWKWARD) == (
        r"A\&B $<$i$>$100\%$<$/i$>$ | \$x\_1\textasciicircum{}2\$ \#\{\textasciitilde{}\}\textbackslash{}"
    )
    text = latex_table(["Event", "CAR"], [["NVDA", percent(-0.17)]], "50% & more")
    assert r"NVDA & $-$17.00\% \\" in text
    assert r"\caption{50\% \& more}" in text
    assert r"\begin{tabular}{lr}" in text


def test_text_columns_are_aligned():
    lines = text_table(["Event", "CAR"], [["A", "1"], ["LONGER", f"{MINUS}12.5"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith("A ")
    assert lines[2].endswith(" 1")


def test_tables_without_rows_keep_their_headers():
    assert text_table(["a", "b"], []).splitlines()[0] == "a  b"
    assert frame_of_tests([]).empty
    assert key_values({}) == ""


def test_csv_is_the_same_whatever_the_last_digits():
    value = 0.1234567890123456
    first = pd.DataFrame({"x": [value, np.nan], "mixed": [value, "n/a"], "n": [1, 2]})
    second = pd.DataFrame({"x": [value * (1 + 1e-15), np.nan], "mixed": [value * (1 + 1e-15), "n/a"], "n": [1, 2]})
    assert first["x"][0] != second["x"][0]
    assert rounded_csv(first) == rounded_csv(second)
    assert rounded_csv(first, index=False) == "x,mixed,n\n0.123456789,0.123456789,1\n,n/a,2\n"
    assert "\r" not in rounded_csv(first)


def test_csv_does_not_change_its_table():
    table = pd.DataFrame({"x": [1 / 3]})
    rounded_csv(table)
    assert table["x"][0] == 1 / 3


def test_csv_quotes_commas_and_quotes():
    cell = 'a, "quoted" name\nwith a break'
    rows = list(csv.reader(io.StringIO(rounded_csv(pd.DataFrame({"x": [cell]}), index=False))))
    assert rows == [["x"], [cell]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123456789012345.0, 123456789000000.0),
        (-0.0, 0.0),
        (1e-300, 1e-300),
        (math.inf, math.inf),
        (0.30000000000000004, 0.3),
    ],
)
def test_ten_significant_digits(value, expected):
    rounded = float(round_significant(value))
    assert rounded == expected
    assert math.copysign(1.0, rounded) == math.copysign(1.0, expected)


def test_rounding_keeps_shape_and_missing_values():
    values = np.array([[1.0, np.nan], [np.pi, -1e20]])
    rounded = round_significant(values)
    assert rounded.shape == values.shape
    assert np.isnan(rounded[0, 1])
    assert rounded[1, 0] == 3.141592654


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<svg onload=alert(1)>", "&lt;svg onload=alert(1)&gt;"),
        ("&lt;b&#62;", "&amp;lt;b&amp;#62;"),
        ("`rm`|x", "\\`rm\\`\\|x"),
        ("the S&P 500, p <0.001", "the S&P 500, p <0.001"),
    ],
)
def test_markdown_shows_text_and_leaves_plain_text_alone(cell: str, shown: str) -> None:
    assert markdown_table([cell], [[cell]]) == f"| {shown} |\n| --- |\n| {shown} |\n"
