"""A report says what is left of its results when one allows for how many were looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from statsmodels.stats.multitest import multipletests

import eventstudy as es
from eventstudy.report.findings import compute
from eventstudy.report.story import further_findings
from eventstudy.report.tables import headline_table

pytestmark = pytest.mark.builds

FLAGSHIP = Path(__file__).parents[2] / "reports" / "deepseek"


STUDY = """
title = "DeepSeek R1"
event = "DeepSeek R1"
headline = HEADLINE
notebooks = []

[names]
NVDA = "Nvidia"
META = "Meta"

[model]
benchmark = "^GSPC"
"""


def edited(folder: Path, headline: str) -> Path:
    """Return a study of the flagship's events with some shares in the focus."""
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY.replace("HEADLINE", headline), encoding="utf-8")
    (folder / "events.csv").write_bytes((FLAGSHIP / "events.csv").read_bytes())
    return folder


def test_three_results_are_held_against_three_chances(tmp_path: Path) -> None:
    found = compute(es.load_study(edited(tmp_path / "three", '["NVDA", "META", "GOOGL"]')))
    said = dict(further_findings(found))["3 events at once"]
    raw = headline_table(found).raw.set_index("event")
    assert raw["p_holm"].to_numpy() == pytest.approx(multipletests(raw["p_t_pe"], method="holm")[1], rel=1e-12)
    assert raw.loc["META", "p_t_pe"] < 0.05 < raw.loc["META", "p_holm"]
    assert f"{raw.loc['META', 'p_holm']:.3f} for Meta" in said
    assert "The result of Meta is clear for an event looked at alone, not among 3." in said


def test_what_stays_clear_is_not_called_into_doubt(tmp_path: Path) -> None:
    said = dict(further_findings(compute(es.load_study(edited(tmp_path / "two", '["NVDA", "AVGO"]')))))
    assert "<0.001 for Nvidia" in said["2 events at once"]
    assert "looked at alone" not in said["2 events at once"]


def test_one_share_has_nothing_to_be_set_against(tmp_path: Path) -> None:
    said = dict(further_findings(compute(es.load_study(edited(tmp_path / "one", '["NVDA"]')))))
    assert not any("at once" in lead for lead in said)
