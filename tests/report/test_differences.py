"""``eventstudy diff`` between two builds: which numbers moved, why, and what flipped."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from eventstudy.cli import app
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.report.builds.differences import build_differences, version_differences

pytestmark = pytest.mark.builds


def two_builds(study, place, *changes):
    """Build a study on its first vintage and, in a copy, on a second one; return both folders."""
    old = study.folder
    other = study.copy(place / "other")
    other.store(2, *changes)
    other.build(accept_changes="a test")
    return old, other.folder


def test_one_dividend_more_is_named_and_moves_nothing(study, tmp_path):
    found = build_differences(*two_builds(study, tmp_path, study.dividend))
    assert [c.kind for c in found.causes] == ["prices"]
    assert "META: adjusted closes" in found.causes[0].detail
    assert "by the factor 0.997500" in found.causes[0].detail
    assert "returns are equal" in found.causes[0].detail
    assert found.conclusions == ()
    assert found.flips == 0
    assert all(abs(n.difference) <= 1e-8 * max(1.0, abs(n.old)) for n in found.numbers)


def test_a_restated_split_is_named(study, tmp_path):
    found = build_differences(*two_builds(study, tmp_path, study.split))
    assert any(c.kind == "prices" and c.detail.startswith("NVDA: ") and "split" in c.detail for c in found.causes)
    assert not any("META" in c.detail for c in found.causes)
    assert found.conclusions == ()
    names = {str(n.place) for n in found.numbers if abs(n.difference or 1) > 1e-8 * max(1.0, abs(n.old or 1))}
    assert all("close" in n or "dollars" in n or "usd" in n for n in names)


def test_a_wrong_price_is_named_with_its_day_and_what_it_flips(study, tmp_path):
    old, new = two_builds(study, tmp_path, study.wrong_price)
    found = build_differences(old, new)
    assert any("META: RESTATED: price of 2025-01-27" in c.detail for c in found.causes)
    assert found.flips > 0
    assert found.conclusions[0].what == "META, abnormal return on the event day"
    moved = {str(n.place): n for n in found.numbers}
    assert moved["headline/META/abnormal"].sign_flips
    assert "headline/NVDA/abnormal" not in moved
    done = CliRunner().invoke(app, ["diff", str(old), str(new)])
    assert done.exit_code == 1
    assert "SIGN FLIPS" in done.stdout
    content = json.loads(CliRunner().invoke(app, ["diff", str(old), str(new / "numbers.json"), "--json"]).stdout)
    rows = {r["name"]: r for r in content["numbers"]}
    row = rows["headline/META/abnormal"]
    assert row["difference"] == pytest.approx(row["new"] - row["old"])
    assert content["flips"] == found.flips


def test_equal_builds_do_not_differ(study, tmp_path):
    other = study.copy(tmp_path / "other")
    done = CliRunner().invoke(app, ["diff", str(study.folder), str(other.folder)])
    assert done.exit_code == 0
    assert "nothing that is recorded changed" in done.stdout


def test_code_and_environment_are_causes(study, tmp_path):
    path = study.copy(tmp_path / "other").folder / "numbers.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["code"] = "0" * 64
    content["environment"]["numpy"] = "9.9"
    content["numbers"]["headline/NVDA/abnormal"]["significant"] = False
    path.write_text(json.dumps(content), encoding="utf-8")
    found = build_differences(study.folder, path)
    assert {c.kind for c in found.causes} == {"code", "environment"}
    assert any("numpy" in c.detail and "9.9" in c.detail for c in found.causes)
    assert found.numbers[0].significance_flips
    assert len(found.conclusions) == 1


def test_without_the_old_prices_the_tickers_are_named_by_digest(study, tmp_path):
    old, new = two_builds(study, tmp_path, study.wrong_price)
    for file in [*(old / "prices").iterdir(), *(new / "prices").iterdir()]:
        file.unlink()
    found = build_differences(old, new)
    assert [c.kind for c in found.causes] == ["prices"]
    assert "other figures of META" in found.causes[0].detail


def test_what_is_no_build_is_said(study, tmp_path):
    with pytest.raises(DataMissing, match=r"holds no numbers\.json"):
        build_differences(study.folder, tmp_path)
    (tmp_path / "numbers.json").write_text('{"format": 99}')
    with pytest.raises(DataMissing, match="another layout"):
        build_differences(study.folder, tmp_path)
    with pytest.raises(InvalidInput, match=r"no \[publish\]"):
        version_differences(study.folder, 1, 2)
