"""What a printout concludes: one test, one p, and never against its own parts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.study.summary import power_line, summary_text

DAYS = es.exchange_sessions("XLON", "2021-01-04", "2024-06-28")
DAY = DAYS[-40]


def london(effects: list[float], seed: int = 4, tails: int = 0) -> es.EventStudyResult:
    """Study firms of one date in London that moved by these effects."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.008, len(DAYS))
    own = rng.standard_t(tails, (len(DAYS), len(effects))) if tails else rng.standard_normal((len(DAYS), len(effects)))
    firms = market[:, None] + 0.015 * own
    firms[DAYS.get_loc(DAY)] += effects
    table = pd.DataFrame(firms, DAYS, [f"L{i}" for i in range(len(effects))]).assign(**{"^FTSE": market})
    study = es.EventStudy(model=es.MarketModel("^FTSE"), calendar="XLON", estimation=(-220, -11), window=(-2, 6))
    return study.run(table, [es.Event(f"L{i}", DAY) for i in range(len(effects))])


@pytest.mark.parametrize("effects", [[-0.08, -0.12, -0.2], [0.07, 0.2], [-0.06, -0.1, -0.3, -0.13]])
def test_no_average_is_called_unclear_of_firms_that_all_moved(effects):
    result = london(effects)
    assert result.test("kp_bmp_t").p_value > 0.05
    holm = result.adjusted(0, method="holm")["p_adjusted"]
    assert (holm < 0.01).all()
    text = summary_text(result, [es.Window(0, 0)])
    assert "No clear average" not in text
    line = power_line(result, es.Window(0, 0))
    assert line.startswith("Clear by themselves, with p by Holm's method: L0 (<0.001), L1 (<0.001)")
    placebo = result.test("placebo").p_value
    assert f"Their portfolio moved beyond its ordinary days (placebo p {placebo:.3f})." in line
    assert f"The average is not clear (kp_bmp_t p {result.test('kp_bmp_t').p_value:.3f})" in line


def test_where_no_part_is_clear_the_average_is_not():
    result = london([0.0, 0.0, 0.0], seed=1)
    assert (result.adjusted(0, method="holm")["p_adjusted"] >= 0.05).all()
    assert power_line(result, es.Window(0, 0)).startswith("No clear average abnormal change (kp_bmp_t p ")


@pytest.mark.parametrize("seed", range(6))
def test_one_event_has_one_recommended_test_and_one_p(seed):
    """Fat tails, normal ones, one day and many: summary, table of tests, advice and table of events name the same test."""
    result = london([-0.03], seed, tails=3 if seed % 2 else 0)
    for window in ((0, 0), (0, 1), (-2, 6)):
        advice = result.recommended(window)
        assert advice.names == ("t_pe",)
        p = result.tests(window).query("recommended")["p_value"]
        assert p.index.tolist() == ["t_pe"]
        assert p["t_pe"] == pytest.approx(result.car(window)["p_value"].iloc[0], rel=1e-12)
        text = summary_text(result, [es.Window(*window)])
        assert re.findall(r"(\w+) p [=<] [\d.]+ \(recommended\)", text) == ["t_pe"]
        assert "Recommended: t_pe. " in text
        assert not re.search(r"rather than|believe|compare permutation and", text)


def test_an_event_whose_own_test_is_ruled_out_is_named_below_the_table():
    """Serially correlated residuals of one firm of three: its t over several days is no recommended one."""
    rng = np.random.default_rng(12)
    market = rng.normal(0.0, 0.008, len(DAYS))
    own = rng.standard_normal((len(DAYS), 3))
    for t in range(1, len(DAYS)):
        own[t, 1] += 0.6 * own[t - 1, 1]
    table = pd.DataFrame(market[:, None] + 0.015 * own, DAYS, ["L0", "L1", "L2"]).assign(**{"^FTSE": market})
    study = es.EventStudy(model=es.MarketModel("^FTSE"), calendar="XLON", estimation=(-220, -11), window=(-2, 6))
    result = study.run(table, [es.Event(f"L{i}", DAY) for i in range(3)])
    assert result.recommended((-2, 6), event="L1").names == ()
    text = summary_text(result, [es.Window(-2, 6)])
    assert "The t and p of L1 are not recommended: residuals are serially correlated" in text
    assert "Not t_pe" not in summary_text(result, [es.Window(0, 0)])
