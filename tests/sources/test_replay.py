"""Every case of the replay, in groups, so that several processes can share them."""

from __future__ import annotations

from pathlib import Path

import misbehaviour as mb
import pytest
import replay
from wrong_figures import UNSEEN, scale_at

pytestmark = pytest.mark.faults

GROUPS = 8
CASES = list(replay.cases())


@pytest.fixture
def server(client_folder):
    with replay.ReplayServer() as running:
        yield running


def test_there_are_many_different_cases():
    assert len(CASES) > 200
    assert len({c.name + str(c.cold) for c in CASES}) == len(CASES)
    assert {len(c.truths) for c in CASES} == {1, 2, 3}
    assert {k for c in CASES for k in c.kinds} >= {
        "rate_limited",
        "network",
        "unapplied_split",
        "early_end",
        "not_found",
    }


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_fault_ends_in_a_wrong_table_a_hang_or_a_leftover(group, server, tmp_path):
    outcomes = [replay.run(case, server, tmp_path / f"{i}") for i, case in enumerate(CASES[group::GROUPS])]
    wrong = [(o.case.name, o.end, o.faults) for o in outcomes if o.faults]
    assert wrong == [], replay.as_text(outcomes)


@pytest.mark.parametrize("name", UNSEEN)
def test_what_no_answer_shows_is_in_the_documentation(name, server, tmp_path):
    truth = replay.Truth("UNSEEN", 5)
    outcome = replay.run(replay.Case(name, (truth,), changes={"UNSEEN": UNSEEN[name]}), server, tmp_path)
    assert outcome.end == "table"
    assert outcome.faults[0].startswith("wrong table")
    documented = Path(__file__).parents[2].joinpath("docs", "data.md").read_text(encoding="utf-8")
    assert f"| {name} |" in documented


def test_the_judge_sees_a_wrong_table(server, tmp_path):
    """A price that is a little off is no fault that anyone can see, and the judge says so."""
    little = scale_at(1.0001, 1)
    truth = replay.Truth("JUDGED", 5)
    outcome = replay.run(replay.Case("a little", (truth,), changes={"JUDGED": little}), server, tmp_path / "a")
    assert (outcome.end, outcome.faults) == ("table", ("wrong table: JUDGED",))
    refused = replay.Case("refused", (truth,), {"JUDGED": [mb.plain(500)]}, frozenset({"network"}))
    assert replay.run(refused, server, tmp_path / "b").faults[0].startswith("other kind: bad_response")
