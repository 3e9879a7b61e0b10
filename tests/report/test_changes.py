"""A report that would say otherwise than the last one stops, unless somebody says why; then it is corrected in sight."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.report.builds import corrections, manifest
from eventstudy.report.builds.conclusions import ConclusionsChanged, changed_conclusions
from eventstudy.report.builds.numbers import Number, NumberName, read_published
from eventstudy.vintages.store import long_csv

from .conftest import changed, in_layout_1

pytestmark = pytest.mark.builds


def test_numbers_are_those_of_the_study(study):
    content = json.loads((study.folder / "numbers.json").read_text(encoding="utf-8"))
    result = study.spec.run()
    for ticker in ("NVDA", "META"):
        row, found = result.car(0).loc[ticker], content["numbers"][f"headline/{ticker}/abnormal"]
        assert found["value"] == float(f"{row['car']:.9e}")
        assert found["p_value"] == float(f"{row['p_value']:.9e}")
        assert (found["low"], found["high"]) == (float(f"{row['low']:.9e}"), float(f"{row['high']:.9e}"))
        assert found["sign"] == (1 if row["car"] > 0 else -1)
        assert found["significant"] is bool(row["p_value"] < 0.05)
    assert set(content["data"]["tickers"]) == {"NVDA", "META", "^GSPC"}
    assert "windows/META/[0, +1]/car" in content["numbers"]
    recorded = manifest.read_manifest(study.folder)
    assert "numbers.json" in recorded["outputs"]
    assert content["code"] == manifest.code_digest(recorded["inputs"])


def test_numbers_of_the_sentence_on_all_events_are_published(study):
    numbers = read_published(study.folder).numbers
    result = study.spec.run()
    assert numbers[NumberName.of("together/mean")].value == pytest.approx(result.ar[0].mean(), rel=1e-9)
    assert numbers[NumberName.of("together/mean_correlation")].value == pytest.approx(
        np.corrcoef(result.fit.residuals)[0, 1], rel=1e-6
    )
    assert numbers[NumberName.of("together/far_down")].value == 1.0  # NVDA


def test_a_changed_conclusion_stops_the_build_and_is_said(study):
    before = study.contents()
    study.store(2, study.wrong_price)
    with pytest.raises(ConclusionsChanged) as caught:
        study.build()
    assert caught.value.EXIT_CODE == 1
    said = str(caught.value)
    assert "META, abnormal return on the event day: +4.10% (clear at 5%" in said
    assert "→ −6.10%" in said
    assert "because of prices: META: RESTATED: price of 2025-01-27" in said
    assert "--accept-changes" in said
    assert study.contents() == before
    assert not (study.folder / ".build").exists()


def test_an_accepted_change_is_recorded_and_shown(study, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764072000")
    study.store(2, study.wrong_price)
    with pytest.raises(InvalidInput, match="reason"):
        study.build(accept_changes="  ")
    done = study.build(accept_changes='The vendor\ncorrected a "price"')
    entries = tomllib.loads((study.folder / "corrections.toml").read_text(encoding="utf-8"))["corrections"]
    assert len(entries) == len(done.corrections) > 0
    first = entries[0]
    assert first["date"] == "2025-11-25"
    assert first["reason"] == 'The vendor corrected a "price"'
    assert first["what"] == "META, abnormal return on the event day"
    assert "+4.1" in first["old"]
    assert "−6.1" in first["new"]
    assert "price of 2025-01-27" in first["cause"]
    page = (study.folder / "index.html").read_text(encoding="utf-8")
    assert "The vendor corrected a &#34;price&#34;" in page
    assert "2025-11-25" in page.partition('id="corrections"')[2]
    assert study.build().reasons == ()
    assert manifest.unchanged(study.folder)
    study.store(3)
    with pytest.raises(ConclusionsChanged):
        study.build()
    study.build(accept_changes="The first price was right after all")
    assert len(corrections.read_corrections(study.folder)) == 2 * len(entries)


def test_a_dividend_or_a_split_changes_no_conclusion_and_no_abnormal_return(study):
    old = read_published(study.folder)
    study.store(2, study.dividend, study.split)
    assert study.build().corrections == ()
    new = read_published(study.folder)
    for name in map(NumberName.of, ("headline/META/abnormal", "windows/NVDA/[0, +1]/car")):
        assert new.numbers[name].value == pytest.approx(old.numbers[name].value, rel=1e-8)
    assert new.data["tickers"] != old.data["tickers"]


def _forget(study):
    """Take away all that was built."""
    for name in study.contents():
        study.folder.joinpath(name).unlink()


def test_a_correction_on_prices_from_a_file_has_the_day_of_their_last_price(study):
    def write_prices(*changes):
        text = long_csv(changed(*changes))
        (study.folder / "prices.csv").write_text(text, encoding="utf-8")

    _forget(study)
    study.write('source = "yahoo"', 'source = "prices.csv"')
    study.write("notebooks = []", 'notebooks = []\n[publish]\nfolder = "../public/two"\nauto = true\n')
    write_prices()
    study.build()
    write_prices(study.wrong_price)
    done = study.build(accept_changes="The vendor corrected a price")
    assert {c.date for c in done.corrections} == {"2025-02-28"}
    assert done.corrections[0].cause.startswith("prices: META: ")
    versions = (done.publication.folder / "versions.html").read_text(encoding="utf-8")
    assert "prices: prices.csv to 2025-02-28" in versions


def test_drafts_are_free(study):
    _forget(study)
    study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
    study.build()
    page = (study.folder / "index.html").read_text(encoding="utf-8")
    assert "DRAFT" in page
    study.store(2, study.wrong_price)
    assert study.build().corrections == ()
    study.write('status = "draft"', 'status = "final"')
    assert study.build().corrections == ()  # a draft's conclusions are not published
    assert "DRAFT" not in (study.folder / "index.html").read_text(encoding="utf-8")


def test_a_detour_by_drafts_does_not_free_a_final_build(study):
    study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
    study.build()
    assert (study.folder / "last_final.json").is_file()
    study.store(2, study.wrong_price)
    assert study.build().corrections == ()  # the second draft keeps what the last final build said
    study.write('status = "draft"', 'status = "final"')
    with pytest.raises(ConclusionsChanged, match="META, abnormal return on the event day"):
        study.build()
    assert study.build(accept_changes="The vendor corrected a price").corrections
    assert not (study.folder / "last_final.json").exists()
    assert manifest.unchanged(study.folder)


def test_numbers_that_are_gone_stop_a_build_that_would_write_others(study):
    numbers = study.folder / "numbers.json"
    before = numbers.read_bytes()
    numbers.unlink()
    assert study.build().corrections == ()  # the same numbers as were recorded: nothing to tell
    assert numbers.read_bytes() == before
    numbers.unlink()
    study.store(2, study.wrong_price)
    with pytest.raises(ConclusionsChanged, match=r"numbers\.json of the last build is gone"):
        study.build()
    assert not numbers.exists()


@pytest.mark.parametrize("detour", ["a draft", "no manifest"])
def test_numbers_that_are_gone_are_not_made_up_for_by_a_detour(study, detour):
    (study.folder / "index.html").write_text("what readers saw", encoding="utf-8")
    (study.folder / "numbers.json").unlink()
    study.store(2, study.wrong_price)
    if detour == "a draft":
        study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
        study.build()
        study.build(force=True)
        study.write('status = "draft"', 'status = "final"')
    else:
        (study.folder / manifest.FILE).write_text("{")
    with pytest.raises(ConclusionsChanged, match=r"numbers\.json of the last build is gone"):
        study.build()
    study.build(accept_changes="The vendor corrected a price")
    assert not (study.folder / "last_final.json").exists()
    assert manifest.unchanged(study.folder)


def test_numbers_lost_before_a_draft_stop_nothing_if_they_come_back_the_same(study):
    (study.folder / "numbers.json").unlink()
    before = study.folder.joinpath("study.toml").read_bytes()
    study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
    study.build()
    study.folder.joinpath("study.toml").write_bytes(before)
    assert study.build().corrections == ()
    assert not (study.folder / "last_final.json").exists()


def test_a_comment_in_the_study_file_frees_no_average(study):
    old = _with_tests(study, kp_bmp_t=0.089)
    new = replace(_with_tests(study, kp_bmp_t=0.04), inputs={**old.inputs, "study.toml": "0" * 64})
    assert "clear at 5% (p 0.040)" in "".join(map(str, changed_conclusions(old, new)))
    fewer = {n: e for n, e in new.numbers.items() if "META" not in n.row}
    assert changed_conclusions(old, replace(new, numbers=fewer)) == ()  # other events have another average


def test_an_event_that_is_gone_without_being_asked_for_is_a_change(study):
    def vanish(adj, close):
        adj.loc["2025-01-20":"2025-02-03", "META"] = float("nan")
        close.loc["2025-01-20":"2025-02-03", "META"] = float("nan")

    study.write(
        "[model]", '[prices.accept]\nmissing_prices = "a test"\nmissing_sessions = "a test"\n[model]\nmax_dropped = 0.5'
    )
    study.build()
    study.store(2, vanish)
    with pytest.raises(Exception, match="META") as caught:
        study.build()
    assert not isinstance(caught.value, AssertionError)
    study.folder.joinpath("events.csv").write_text("ticker,date\nNVDA,2025-01-27\n")
    study.build()  # the study itself asks for less: no correction
    assert not (study.folder / "corrections.toml").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("corrections = 1", "holds tables"),
        ("[[corrections]]\ndate = '2025'", "entry 1 needs the keys date, what, old, new, cause, reason"),
        ("[[corrections", "not valid TOML"),
    ],
)
def test_a_damaged_corrections_file_is_named(tmp_path, text, words):
    (tmp_path / "corrections.toml").write_text(text)
    with pytest.raises(StudyFileError, match=words):
        corrections.read_corrections(tmp_path)


def test_corrections_come_back_as_they_were_written(tmp_path):
    entry = corrections.Correction("2025-11-25", 'a "b" \\ c\x7f', "é\n", "", "x", "y")
    (tmp_path / "corrections.toml").write_text(corrections.corrections_text([entry, entry]), encoding="utf-8")
    assert corrections.read_corrections(tmp_path) == (entry, entry)


def test_the_date_of_a_correction_needs_a_number(study, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    study.store(2, study.dividend)
    with pytest.raises(InvalidInput, match="SOURCE_DATE_EPOCH is 'yesterday'"):
        study.build()


def _with_tests(study, **p_values):
    """Return the study's numbers with other p-values of the recommended tests."""
    base = read_published(study.folder)
    kept = {n: e for n, e in base.numbers.items() if n.table != "tests"}
    own = {
        NumberName("tests", (t,), "p_value"): Number(p, "test", significant=p < 0.05, recommended=True)
        for t, p in p_values.items()
    }
    return replace(base, numbers=kept | own)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"kp_bmp_t": 0.04, "cda_t": 0.2}, "kp_bmp_t: not clear at 5% (p 0.089) → clear at 5% (p 0.040)"),
        ({"kp_bmp_t": 0.07, "cda_t": 0.2}, ""),
        ({"kp_bmp_t": 0.07}, ""),
        ({"bmp_t": 0.001}, "bmp_t clear at 5% (p 0.001)"),
        ({"bmp_t": 0.3}, ""),
    ],
)
def test_the_verdict_of_the_recommended_tests_is_a_conclusion(study, after, said):
    found = changed_conclusions(_with_tests(study, kp_bmp_t=0.089, cda_t=0.3), _with_tests(study, **after))
    assert len(found) == bool(said)
    assert said in "".join(map(str, found))


def test_the_numbers_say_which_tests_were_recommended(study):
    result = study.spec.run()
    numbers = read_published(study.folder).numbers
    said = {n.row[0] for n, e in numbers.items() if n.table == "tests" and e.recommended}
    assert said == {t.name for t in result.recommended((0, 0)).tests}


def test_numbers_in_the_layout_before_are_read_as_they_were_meant(study):
    path = study.folder / "numbers.json"
    now = read_published(study.folder)
    assert now.to_json() == path.read_text(encoding="utf-8")
    in_layout_1(path)
    assert '"believed": true' in path.read_text(encoding="utf-8")
    then = read_published(study.folder)
    assert then == now
    assert any(number.recommended for number in then.numbers.values())
    assert changed_conclusions(then, now) == ()
    p_value = next(name for name, number in now.numbers.items() if number.recommended)
    turned = {p_value: replace(now.numbers[p_value], significant=not now.numbers[p_value].significant)}
    assert len(changed_conclusions(then, replace(now, numbers=now.numbers | turned))) == 1


def test_numbers_kept_in_the_layout_before_still_stop_a_build(study):
    study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
    study.build()
    in_layout_1(study.folder / "last_final.json")
    study.store(2, study.wrong_price)
    study.write('status = "draft"', 'status = "final"')
    with pytest.raises(ConclusionsChanged, match="META, abnormal return on the event day"):
        study.build()
