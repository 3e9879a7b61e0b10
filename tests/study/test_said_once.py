"""The summary says a thing once, in sentences, and never beside a number that it rules out."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference.advice import ruled_out
from eventstudy.study.summary import advice_lines, clear_parts, summary_text

DAYS = es.exchange_sessions("XAMS", "2021-01-04", "2024-06-28")
DAY = DAYS[-60]
WINDOWS = [es.Window(0, 0), es.Window(0, 1), es.Window(-3, 3)]


def amsterdam(n: int, effect: float, seed: int = 3, serial: int | None = None) -> es.EventStudyResult:
    """Study n firms of one date in Amsterdam that move by an effect, one of them with serially correlated residuals."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.008, len(DAYS))
    own = rng.standard_normal((len(DAYS), n))
    for t in range(1, len(DAYS)) if serial is not None else ():
        own[t, serial] += 0.6 * own[t - 1, serial]
    firms = market[:, None] + 0.012 * own
    firms[DAYS.get_loc(DAY)] += effect
    table = pd.DataFrame(firms, DAYS, [f"A{i}" for i in range(n)]).assign(**{"^AEX": market})
    study = es.EventStudy(es.MarketModel("^AEX"), calendar="XAMS", estimation=(-220, -11), window=(-3, 3))
    return study.run(table, [es.Event(f"A{i}", DAY) for i in range(n)])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_reason_of_an_advice_is_printed_once_and_later_windows_say_what_is_new(n):
    result = amsterdam(n, -0.1)
    lines = advice_lines(result, WINDOWS)
    assert len(lines) == len(WINDOWS)
    reasons = [result.recommended(w).reason.split("; ") for w in WINDOWS]
    for window, line, own in zip(WINDOWS[1:], lines[1:], reasons[1:], strict=True):
        assert line.startswith(f"Days {window}: Recommended: kp_bmp_t, as above")
        assert all((part in line) == (part not in reasons[0]) for part in own)
    text = "\n".join(lines)
    assert text.count("All events share one date") == 1
    assert text.count("one time in five") == 1
    assert "whether the day is an ordinary one of their portfolio" in lines[0]
    assert "whether the days [-3, +3] are ordinary ones of their portfolio" in lines[2]
    assert "the day is an ordinary one" not in lines[2]


def test_an_advice_with_other_reasons_is_printed_in_full():
    """Windows of one day that overlap when they are longer: the design is another one, and so is every reason."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.normal(0.0, 0.01, (len(DAYS), 13)), DAYS, [f"A{i}" for i in range(12)] + ["^AEX"])
    study = es.EventStudy(es.MarketModel("^AEX"), calendar="XAMS", estimation=(-220, -11), window=(-3, 3))
    result = study.run(table, [es.Event(f"A{i}", DAYS[-100 + 2 * i]) for i in range(12)])
    lines = advice_lines(result, WINDOWS)
    said = [result.recommended(w).sentence for w in WINDOWS]
    assert said[0] == said[1] != said[2]  # said once, of both windows
    assert lines == [f"Days {WINDOWS[0]} and {WINDOWS[1]}: {said[0]}", f"Days {WINDOWS[2]}: {said[2]}"]


@pytest.mark.parametrize("odd", [0, 2])
def test_no_event_is_clear_by_a_test_that_is_ruled_out_for_it(odd):
    result = amsterdam(3, 0.3, serial=odd)
    window = es.Window(-3, 3)
    holm = result.adjusted(window, method="holm")["p_adjusted"]
    assert (holm < 0.05).all()
    why = {k: ruled_out(result.abnormal.take(np.array([i])), window).get("t_pe") for i, k in enumerate(holm.index)}
    assert [k for k, reason in why.items() if reason] == [f"A{odd}"]
    named = re.findall(r"(A\d) \(", clear_parts(result, window).partition(" Their portfolio")[0])
    assert named == [k for k in holm.index if k != f"A{odd}"]
    text = summary_text(result, [window])
    assert f"The t and p of A{odd} are not recommended: residuals are serially correlated" in text


@pytest.mark.parametrize(
    ("model", "formula"),
    [
        (es.FactorModel("^AEX"), "R = alpha + beta × ^AEX + e"),
        (es.FactorModel(["^AEX", "oil"]), "R = alpha + beta1 × ^AEX + beta2 × oil + e"),
        (
            es.FactorModel.named("fama_french3"),
            "R - rf = alpha + beta1 × mkt_rf + beta2 × smb + beta3 × hml + e",
        ),
    ],
)
def test_every_factor_of_a_formula_has_its_beta(model, formula):
    assert model.formula == formula
