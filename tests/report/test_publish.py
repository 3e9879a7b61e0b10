"""Versions of a published report stay at their address; ``current`` is switched by one rename."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

import eventstudy
from eventstudy.cli import app
from eventstudy.errors import InvalidInput, NotAsRecorded
from eventstudy.files import file_sha256, folder_digest
from eventstudy.report.builds import manifest
from eventstudy.report.builds import publish as publishing
from eventstudy.report.builds.conclusions import ConclusionsChanged
from eventstudy.report.builds.differences import version_differences
from eventstudy.report.builds.publish import publication_due, publish, verify_versions

from .conftest import in_layout_1

pytestmark = pytest.mark.builds


@pytest.fixture
def target(study, tmp_path):
    study.write("notebooks = []", 'notebooks = []\n[publish]\nfolder = "../public/two"\n')
    return tmp_path / "public" / "two"


def test_a_version_holds_the_report_and_its_sources_but_no_prices(study, target):
    done = study.build(to_publish=True).publication
    assert (done.version, done.new) == (1, True)
    assert os.readlink(target / "current") == "versions/0001"
    names = {p.relative_to(target / "current").as_posix() for p in (target / "current").rglob("*") if p.is_file()}
    assert {"index.html", "numbers.json", "manifest.json", "study.toml", "events.csv", "tables/headline.csv"} <= names
    assert not any("yahoo" in name for name in names)
    assert (target / "current" / "index.html").read_bytes() == (study.folder / "index.html").read_bytes()


def test_events_may_be_a_link_to_a_file_of_the_study(study, target):
    events = study.folder / "events.csv"
    (study.folder / "lists").mkdir()
    events.rename(study.folder / "lists" / "events.csv")
    events.symlink_to("lists/events.csv")
    study.build()
    version = publish(study.spec)
    assert version.new
    published = target / "versions" / "0001" / "events.csv"
    assert not published.is_symlink()
    assert published.read_bytes() == events.read_bytes()


def test_nothing_new_is_no_new_version(study, target):
    study.build(to_publish=True)
    before = {p: p.stat().st_mtime_ns for p in target.rglob("*") if not p.name.startswith(".")}
    done = study.build(to_publish=True).publication
    assert (done.version, done.new) == (1, False)
    assert {p: p.stat().st_mtime_ns for p in target.rglob("*") if not p.name.startswith(".")} == before


@pytest.mark.parametrize("what", ["code", "library", "release"])
def test_what_readers_do_not_see_makes_no_new_version(study, target, what, monkeypatch):
    """A line of code, a library or a release that leaves every sentence, number and figure as it was."""
    study.write("notebooks = []", "notebooks = []\npdf = true")
    study.write("[publish]\n", "[publish]\nauto = true\n")
    study.build()
    shown = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
    if what == "code":
        digests = {**manifest.package_digests(), "eventstudy/new.py": "0" * 64}
        monkeypatch.setattr(manifest, "package_digests", lambda: digests)
    elif what == "library":
        found = manifest.environment
        monkeypatch.setattr(manifest, "environment", lambda **given: {**found(**given), "numpy": "99.0"})
    else:
        monkeypatch.setattr(eventstudy, "__version__", "99.0")
    done = study.build()
    assert done.reasons
    assert "manifest.json" in done.written
    assert (done.publication.version, done.publication.new) == (1, False)
    assert not publication_due(study.folder)
    assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == shown
    study.write("Two firms", "Two large firms")
    assert study.build().publication.version == 2


def test_a_pdf_that_reads_otherwise_is_a_new_version(study, target, monkeypatch):
    """What a PDF's maker writes about itself is not compared; what stands on its pages is."""
    study.write("notebooks = []", "notebooks = []\npdf = true")
    study.build(to_publish=True)
    pdf, record = study.folder / "report.pdf", study.folder / manifest.FILE
    made = pdf.read_bytes()

    def put(content):
        pdf.write_bytes(content)
        recorded = json.loads(record.read_text(encoding="utf-8"))
        recorded["outputs"]["report.pdf"] = file_sha256(pdf)
        record.write_text(json.dumps(recorded), encoding="utf-8")

    assert b"/Creator(Typst" in made
    put(made.replace(b"Typst 0.", b"Typst 90."))
    assert not publish(study.spec).new
    start = made.index(b"stream\n") + len(b"stream\n")
    page = made[: start + 9] + bytes([made[start + 9] ^ 1]) + made[start + 10 :]
    for otherwise in (
        made.replace(b"/Title(Two", b"/Title(Tow"),
        page,
        made.replace(b"/MediaBox[0 0", b"/MediaBox[0 9"),
    ):
        assert otherwise != made
        put(otherwise)
        assert publish(study.spec).new


@pytest.mark.parametrize("damaged", ['{"trunc', "[1]", "null", '{"format": 1, "numbers": 5}', '{"format": 2}'])
def test_a_published_version_that_is_damaged_does_not_stop_the_next(study, target, damaged):
    study.write("[publish]\n", "[publish]\nauto = true\n")
    study.build()
    (target / "versions" / "0001" / "numbers.json").write_text(damaged, encoding="utf-8")
    assert publication_due(study.folder)
    done = CliRunner().invoke(app, ["build", str(study.folder)])
    assert done.exit_code == 0, done.stderr
    assert os.readlink(target / "current") == "versions/0002"
    with pytest.raises(NotAsRecorded, match="version 1 is not what was published"):
        verify_versions(target)


def test_a_version_in_the_layout_before_is_compared_with_and_not_made_again(study, target):
    study.write("[publish]\n", "[publish]\nauto = true\n")
    study.build()
    old = target / "versions" / "0001" / "numbers.json"
    in_layout_1(old)
    assert '"believed"' in old.read_text(encoding="utf-8")
    assert not publication_due(study.folder)
    done = study.build(force=True)
    assert (done.publication.version, done.publication.new) == (1, False)
    study.store(2, study.wrong_price)
    with pytest.raises(ConclusionsChanged, match="META, abnormal return on the event day"):
        study.build()


def test_no_detour_changes_a_published_conclusion_unaccepted(study, target):
    """Published is what the newest version says, whatever was built or taken away in the study's folder since."""
    study.build(to_publish=True)
    study.store(2, study.wrong_price)
    study.write('event = "some news"', 'event = "some news"\nstatus = "draft"')
    assert study.build().corrections == ()
    study.write('status = "draft"', 'status = "final"')
    with pytest.raises(ConclusionsChanged, match="META, abnormal return on the event day"):
        study.build(to_publish=True)
    for name in ("numbers.json", "last_final.json", manifest.FILE):
        study.folder.joinpath(name).unlink(missing_ok=True)
    with pytest.raises(ConclusionsChanged, match="META, abnormal return on the event day"):
        study.build(to_publish=True)
    assert os.readlink(target / "current") == "versions/0001"
    done = study.build(to_publish=True, accept_changes="The vendor corrected a price")
    assert done.corrections
    assert done.publication.version == 2
    page = (target / "current" / "index.html").read_text(encoding="utf-8")
    assert "The vendor corrected a price" in page.partition('id="corrections"')[2]


def test_versions_stay_addressable_and_can_be_compared(study, target):
    study.build(to_publish=True)
    first = folder_digest(target / "versions" / "0001")
    study.store(2, study.wrong_price)
    study.build(to_publish=True, accept_changes="a test of versions")
    assert os.readlink(target / "current") == "versions/0002"
    assert folder_digest(target / "versions" / "0001") == first
    listed = json.loads((target / "versions.json").read_text(encoding="utf-8"))["versions"]
    assert [(v["version"], v["corrections"] > 0) for v in listed] == [(1, False), (2, True)]
    page = (target / "versions.html").read_text(encoding="utf-8")
    for link in ("current/index.html", "versions/0001/index.html", "versions/0002/index.html"):
        assert f'href="{link}"' in page
        assert (target / link).is_file()
    found = version_differences(study.folder, 1, 2)
    assert any("price of 2025-01-27" in c.detail for c in found.causes)
    done = CliRunner().invoke(app, ["diff", str(study.folder), "--versions", "1", "2"])
    assert done.exit_code == 1
    assert "SIGN FLIPS" in done.stdout
    with pytest.raises(InvalidInput, match=r"no version 7 .*published: 1, 2"):
        version_differences(study.folder, 1, 7)
    assert verify_versions(target) == 2
    (target / "versions" / "0001" / "index.html").write_text("other")
    with pytest.raises(NotAsRecorded, match="version 1"):
        verify_versions(target)


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ('status = "draft"', "DRAFT"),
        ('embargo_until = "2999-12-01T06:00-05:00"', "EMBARGO UNTIL 1 December 2999, 06:00"),
    ],
)
def test_what_is_not_to_be_read_yet_stays_out_of_the_publish_folder(study, target, line, mark):
    study.write("notebooks = []", f"notebooks = []\n{line}")
    done = study.build(to_publish=True).publication
    assert done.held_back.startswith(mark)
    assert not target.exists()
    assert mark in (study.folder / "index.html").read_text(encoding="utf-8")


def test_the_end_of_an_embargo_makes_the_report_out_of_date(study, target):
    study.write("notebooks = []", 'notebooks = []\nembargo_until = "2999-12-01T06:00-05:00"')
    study.build(to_publish=True)
    study.write("2999-12-01", "2025-11-01")
    done = study.build(to_publish=True)
    assert "release state" in {r.what for r in done.reasons}
    assert done.publication.new
    assert "EMBARGO" not in (target / "current" / "index.html").read_text(encoding="utf-8")


def test_a_version_is_never_made_of_files_that_are_not_as_built(study, target):
    study.build()
    (study.folder / "tables" / "headline.csv").write_text("1")
    with pytest.raises(NotAsRecorded, match=r"tables/headline\.csv"):
        publish(study.spec)
    assert not (target / "current").exists()
    assert not list((target / "versions").iterdir())


@pytest.mark.parametrize("step", ["_copy", "_point", "write_index", "os.replace"])
def test_a_publisher_that_dies_leaves_the_old_version_and_the_next_repairs(study, target, step, monkeypatch):
    study.build(to_publish=True)
    study.store(2, study.dividend)
    study.build()

    class Died(BaseException):
        pass

    def die(*args, **kwargs):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(publishing if "." not in step else publishing.os, step.removeprefix("os."), die)
        with pytest.raises(Died):
            publish(study.spec)
    assert os.readlink(target / "current") == ("versions/0002" if step == "write_index" else "versions/0001")
    assert (target / "current" / "index.html").is_file()
    done = publish(study.spec)
    assert done.version == 2
    assert os.readlink(target / "current") == "versions/0002"
    listed = json.loads((target / "versions.json").read_text(encoding="utf-8"))["versions"]
    assert [v["version"] for v in listed] == [1, 2]
    assert sorted(p.name for p in (target / "versions").iterdir()) == ["0001", "0002"]


def test_something_else_in_the_way_is_refused(study, target):
    (target / "current").mkdir(parents=True)
    (target / "versions").mkdir()
    with pytest.raises(InvalidInput, match="no symbolic link"):
        study.build(to_publish=True)
    shutil.rmtree(target)
    target.mkdir()
    (target / "letters.txt").write_text("mine")
    with pytest.raises(InvalidInput, match=r"holds other files \(letters\.txt\)"):
        study.build(to_publish=True)
    shutil.rmtree(target)
    study.write('folder = "../public/two"', 'folder = "out"')
    with pytest.raises(InvalidInput, match="lies in the study's folder"):
        study.build(to_publish=True)


def test_a_study_without_a_folder_to_publish_to_says_so(study):
    with pytest.raises(InvalidInput, match=r"has no \[publish\]"):
        study.build(to_publish=True)


def test_a_publication_that_failed_is_tried_again_by_the_next_build(study, target):
    """Nothing about the report has changed since; only the publish folder was in the way."""
    study.write("[publish]\n", "[publish]\nauto = true\n")
    target.mkdir(parents=True)
    (target / "current").mkdir()
    (target / "versions").mkdir()
    assert CliRunner().invoke(app, ["build", str(study.folder)]).exit_code == 2
    (target / "current").rmdir()
    done = CliRunner().invoke(app, ["build", str(study.folder)])
    assert done.exit_code == 0
    assert "published as version 1" in done.stderr
    assert not publication_due(study.folder)
    done = CliRunner().invoke(app, ["build", str(study.folder)])
    assert done.stderr.startswith("two: up to date; prices of 2025-11-01, ")
    for lost in ("current", "versions.json", "versions/0001/manifest.json"):
        (target / lost).rename(target / "away")
        assert publication_due(study.folder), lost
        (target / "away").rename(target / lost)
    assert not publication_due(study.folder)
    study.write("notebooks = []", 'notebooks = []\nstatus = "draft"')
    study.build()
    assert not publication_due(study.folder)


def test_a_copied_study_does_not_publish_over_the_versions_of_the_first(study, target, tmp_path):
    study.build(to_publish=True)
    before = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
    copied = shutil.copytree(study.folder, tmp_path / "three")
    done = CliRunner().invoke(app, ["build", str(copied), "--publish", "--force"])
    assert done.exit_code == 2
    assert "holds the versions of the study 'two', and this one is 'three'" in done.stderr
    assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == before
    assert CliRunner().invoke(app, ["build", str(copied), "--force"]).exit_code == 2  # nor is it judged by them
    index = target / "versions.json"
    index.write_text(index.read_text(encoding="utf-8").replace('"two"', '"three"'), encoding="utf-8")
    assert CliRunner().invoke(app, ["build", str(copied), "--publish"]).exit_code == 0


def test_the_number_of_a_removed_version_is_not_given_again(study, target):
    study.build(to_publish=True)
    study.write("Two firms", "Two other firms")
    study.build(to_publish=True)
    shutil.rmtree(target / "versions" / "0002")
    study.write("Two other firms", "Two further firms")
    assert study.build(to_publish=True).publication.version == 3
    listed = json.loads((target / "versions.json").read_text(encoding="utf-8"))["versions"]
    assert [(v["version"], v.get("removed", False)) for v in listed] == [(1, False), (2, True), (3, False)]
    page = (target / "versions.html").read_text(encoding="utf-8")
    assert "Version 2 (removed)" in page
    assert "versions/0002" not in page
    with pytest.raises(NotAsRecorded, match="version 2 was removed"):
        verify_versions(target)
