"""What this user's command has built is known outside the study's folder; what a stranger's folder brings is not believed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eventstudy.cli import app
from eventstudy.errors import EventStudyError, InvalidInput, NotAsRecorded
from eventstudy.files import file_sha256, files_in, locked, staged, sweep_temporary
from eventstudy.report.builds import manifest, record, staging
from eventstudy.report.builds import publish as publishing
from eventstudy.report.builds.publish import leftovers, publication_due, publish, verify_versions

pytestmark = pytest.mark.builds


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A user who has built nothing yet."""
    place = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(place))
    return place


@pytest.fixture
def target(study, tmp_path):
    study.write("notebooks = []", 'notebooks = []\n[publish]\nfolder = "../public/two"\nauto = true\n')
    return tmp_path / "public" / "two"


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def put(study, name, text):
    """Change a built file and the manifest with it, as somebody who ships a report would."""
    (study.folder / name).write_text(text, encoding="utf-8")
    path = study.folder / manifest.FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    content["outputs"][name] = file_sha256(study.folder / name)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# -- A stranger's journal and page.


@pytest.mark.parametrize("force", [False, True])
def test_a_journal_of_a_stranger_overwrites_nothing(study, tmp_path, force):
    outside = tmp_path / "home" / ".ssh"
    outside.mkdir(parents=True)
    (outside / "authorized_keys").write_text("mine")
    ready = study.folder / ".build" / "ready"
    (ready / "sub").mkdir(parents=True)
    (study.folder / "sub").symlink_to(outside)
    (ready / "sub" / "authorized_keys").write_text("stranger's")
    (ready / "index.html").write_text("<script>")
    (ready / "events.csv").write_text("ticker,date\nNVDA,2025-01-24\n")
    shutil.copy(study.folder / manifest.FILE, ready / manifest.FILE)
    before = study.contents()
    study.build(force=force)
    assert (outside / "authorized_keys").read_text() == "mine"
    assert {k: v for k, v in study.contents().items() if k in before} == before
    assert not (study.folder / ".build").exists()


def test_a_journal_with_one_file_more_or_another_than_was_finished_here_is_not_moved(study, monkeypatch):
    study.build(force=True)
    before = study.contents()
    ready = study.folder / ".build" / "ready"
    for spoil in ("another", "more", "link", "linked ready"):
        ready.mkdir(parents=True)
        for name in ("index.html", manifest.FILE):
            shutil.copy(study.folder / name, ready / name)
        if spoil == "another":
            (ready / "index.html").write_text("other")
        elif spoil == "more":
            (ready / "events.csv").write_text("other")
        elif spoil == "link":
            (ready / "index.html").unlink()
            (ready / "index.html").symlink_to(study.folder / "events.csv")
        else:
            ready.rename(study.folder / "elsewhere")
            ready.symlink_to(study.folder / "elsewhere")
        staging.finish_interrupted(study.folder)
        assert not (study.folder / ".build").exists()
        shutil.rmtree(study.folder / "elsewhere", ignore_errors=True)
        assert study.contents() == before, spoil


@pytest.mark.parametrize("name", [".build", ".build.lock", "figures", "tables", "notebooks"])
@pytest.mark.parametrize("leads", ["folder", "file", "nowhere"])
def test_a_link_where_a_build_writes_is_refused(study, tmp_path, name, leads):
    outside = tmp_path / "outside"
    if leads == "folder":
        (outside / "staging-old").mkdir(parents=True)
        (outside / "event_day.svg").write_text("mine")
    elif leads == "file":
        outside.write_text("mine")
    place = study.folder / name
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(outside)
    before = [(p, p.read_bytes() if p.is_file() else b"") for p in [outside, *outside.rglob("*")] if p.exists()]
    with pytest.raises(EventStudyError, match=rf"{name} is a link"):
        study.build(force=True)
    assert before == [(p, p.read_bytes() if p.is_file() else b"") for p in [outside, *outside.rglob("*")] if p.exists()]


@pytest.mark.parametrize("room", ["tables", "notebooks", ".build"])
@pytest.mark.parametrize("moment", ["before a move", "within a move"])
def test_a_folder_that_becomes_a_link_while_files_are_moved_leads_nowhere(study, tmp_path, monkeypatch, room, moment):
    """Somebody who may write in the study's folder, beside a build as root."""
    study.build(force=True)
    outside = tmp_path / "outside"
    for name in ("ready/tables/headline.csv", "headline.csv", "group", "old.html"):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_text("mine")
    (study.folder / "notebooks").mkdir(exist_ok=True)
    for name in ("tables/group", "notebooks/group"):  # no longer made, says a stranger's manifest
        (study.folder / name).write_text("x")
        put(study, name, "x")
    for table in (study.folder / "tables").iterdir():
        table.write_text("x")
    before = {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()}
    real, swapped = staging.move_over, []

    def swap():
        if not swapped:
            swapped.append(room)
            (study.folder / room).rename(study.folder / "away")
            (study.folder / room).symlink_to(outside)

    def move(source, target):
        if moment == "before a move":
            moved = real(source, target)
            swap()
            return moved
        swap()
        return real(source, target)

    monkeypatch.setattr(staging, "move_over", move)
    moved_there = pytest.raises(EventStudyError, match=rf"two/{room} is a link")
    with moved_there if room != "notebooks" else nullcontext():  # this study has none: nothing is moved
        study.build(force=True)
    assert swapped
    assert {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()} == before


def test_only_what_was_built_here_is_removed_when_it_is_no_longer_made(study):
    study.build(force=True)
    put(study, "tables/stranger.csv", "never built here")
    study.build(force=True)
    assert (study.folder / "tables" / "stranger.csv").is_file()
    names = [n for n in record.finished_files(study.folder) if n.startswith("tables/claims") or n.endswith(".tex")]
    assert names
    stage = study.folder / ".build" / "staging-new"
    for name in manifest.read_manifest(study.folder)["outputs"]:
        if name not in names:
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(study.folder / name, stage / name)
    content = json.loads((study.folder / manifest.FILE).read_text(encoding="utf-8"))
    content["outputs"] = {n: d for n, d in content["outputs"].items() if n not in names}
    (stage / manifest.FILE).write_text(json.dumps(content), encoding="utf-8")
    staging.switch(study.folder, stage)
    assert not any((study.folder / n).exists() for n in names)


def test_a_built_file_that_is_a_link_is_replaced_and_what_it_leads_to_stays(study, tmp_path):
    outside = tmp_path / "outside.html"
    page = study.folder / "index.html"
    page.rename(outside)
    page.symlink_to(outside)
    before = outside.read_bytes()
    study.build(force=True)
    assert not page.is_symlink()
    assert page.read_bytes() == outside.read_bytes() == before


def test_a_page_that_came_with_a_study_is_built_again_before_it_is_published(study, target):
    study.write("auto = true\n", "")
    study.build()
    honest = (study.folder / "index.html").read_bytes()
    put(study, "index.html", "<script>alert(1)</script>")
    shutil.rmtree(os.environ["XDG_STATE_HOME"])
    assert manifest.out_of_date(study.spec) == ()
    done = run("build", study.folder, "--publish", "--why")
    assert done.exit_code == 0, done.stderr
    assert "not built here: two (it is built again before it is published)" in done.stderr
    assert (target / "current" / "index.html").read_bytes() == honest
    assert "not built here" not in run("build", study.folder, "--publish", "--why").stderr


# -- The note: fresh homes, no home, moved folders.


def test_a_fresh_home_every_night_makes_no_new_version_and_the_same_bytes(study, target, state):
    study.build()
    before = study.contents()
    shown = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
    for night in range(3):
        shutil.rmtree(state, ignore_errors=True)  # nor is one needed on a night with nothing to do
        if night == 1:
            shutil.rmtree(target.parent)  # nothing is published any more: it is built again, and published
        done = run("build", study.folder, "--publish")
        assert done.exit_code == 0, done.stderr
        assert study.contents() == before
        assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == shown


def test_a_home_that_cannot_be_written_changes_nothing_but_an_interrupted_switch(study, target, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert study.build().publication.new
    study.write("Two firms", "Two other firms")

    def refuse(source, to):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(staging, "move_over", refuse)
        with pytest.raises(OSError, match="Input/output"):
            study.build()
    assert staging.interrupted(study.folder)
    assert study.build().publication.version == 2
    assert b"Two other firms" in (target / "current" / "index.html").read_bytes()
    assert not study.build().reasons


def test_a_study_that_was_moved_is_built_again_before_something_new_is_published(study, target, tmp_path):
    study.build()
    put(study, "index.html", "another page")
    moved = shutil.move(study.folder, tmp_path / "elsewhere" / "two")
    text = (Path(moved) / "study.toml").read_text(encoding="utf-8").replace("../public", "../../public")
    (Path(moved) / "study.toml").write_text(text, encoding="utf-8")
    assert not record.built_here(Path(moved))
    assert run("build", moved).exit_code == 0
    assert record.built_here(Path(moved))
    assert b"another page" not in (target / "current" / "index.html").read_bytes()


def test_notes_are_few_and_those_of_folders_that_are_gone_are_removed(study, state, tmp_path):
    study.build(force=True)
    other = study.copy(tmp_path / "more")
    other.build(force=True)
    notes = state / "eventstudy" / "built"
    assert len(list(notes.iterdir())) == 2
    assert all(p.stat().st_size < 20_000 for p in notes.iterdir())
    shutil.rmtree(other.folder)
    (notes / f".{next(notes.iterdir()).name}.left").touch()
    study.copy(tmp_path / "third").build(force=True)
    assert len([p for p in notes.iterdir() if p.suffix == ".json"]) == 2


@pytest.mark.parametrize(
    "content", ["", "[]", '{"folder": 1, "files": {}}', '{"folder": "x", "files": 3}', "[" * 99_999]
)
def test_a_damaged_note_is_none(study, state, content):
    study.build(force=True)
    (note,) = (state / "eventstudy" / "built").iterdir()
    note.write_text(content)
    assert record.finished_files(study.folder) == {}
    assert not record.built_here(study.folder)
    study.build(force=True)
    assert record.built_here(study.folder)


def test_a_note_within_the_study_s_own_folder_is_not_believed(study, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(study.folder / "state"))
    study.build(force=True)
    assert not record.built_here(study.folder)
    assert not (study.folder / "state").exists()


# -- Integrity.


@pytest.fixture
def two_versions(study, target):
    study.build()
    study.write("Two firms", "Two other firms")
    study.build()
    return target


@pytest.mark.parametrize("way", ["gone", "damaged", "no versions"])
def test_a_lost_list_of_versions_launders_nothing_and_is_written_anew(study, two_versions, way):
    target = two_versions
    index = target / "versions.json"
    whole = index.read_bytes()
    page = target / "versions" / "0001" / "index.html"
    honest = page.read_bytes()

    def lose():
        index.unlink() if way == "gone" else index.write_text('{"trunc' if way == "damaged" else '{"study": "two"}')

    lose()
    assert run("check", study.folder).exit_code == 1
    page.write_text("altered")
    done = run("build", study.folder)
    assert done.exit_code == 0, done.stderr
    assert "versions.json was lost or damaged; it is written anew from 2 versions" in done.stderr
    assert "version 1 is not what was published (index.html); restore it" in done.stderr
    with pytest.raises(NotAsRecorded, match=r"version 1 is not what was published \(index\.html\); restore it"):
        verify_versions(target)
    page.write_bytes(honest)
    assert verify_versions(target) == 2
    publish(study.spec)
    assert index.read_bytes() == whole
    lose()
    assert "altered" not in run("build", study.folder).stderr
    assert index.read_bytes() == whole


@pytest.mark.parametrize("what", ["altered", "added", "removed", "link", "manifest"])
def test_each_version_is_held_against_its_own_manifest(study, two_versions, tmp_path, what):
    folder = two_versions / "versions" / "0001"
    table = folder / "tables" / "headline.csv"
    if what == "altered":
        table.write_text("1")
    elif what == "added":
        (folder / "extra.html").write_text("1")
    elif what == "removed":
        table.unlink()
    elif what == "link":
        table.rename(tmp_path / "away")
        table.symlink_to(tmp_path / "away")
    else:
        (folder / manifest.FILE).write_text("{}")
    (two_versions / "versions.json").unlink()
    with pytest.raises(NotAsRecorded, match="version 1 is not what was published"):
        verify_versions(two_versions)


def test_a_version_without_a_recorded_digest_is_not_as_recorded(study, two_versions):
    """Its page and its manifest are changed together, and the digest that would tell is emptied."""
    version, index = two_versions / "versions" / "0001", two_versions / "versions.json"
    page, record = version / "index.html", version / manifest.FILE
    page.write_text("forged", encoding="utf-8")
    content = json.loads(record.read_text(encoding="utf-8"))
    content["outputs"]["index.html"] = file_sha256(page)
    record.write_text(json.dumps(content), encoding="utf-8")
    listed = json.loads(index.read_text(encoding="utf-8"))
    listed["versions"][0]["digest"] = ""
    index.write_text(json.dumps(listed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    done = run("check", study.folder)
    assert done.exit_code == 1
    assert "version 1 is not what was published (versions.json has another digest of it, or none)" in str(
        done.exception
    )
    done = run("build", study.folder, "--force")
    assert "versions.json had no digest of version 1" in done.stderr


@pytest.mark.parametrize("way", ["script", "link", "gone"])
def test_a_list_for_people_that_is_not_the_one_for_machines_is_told_and_written_anew(
    study, two_versions, tmp_path, way
):
    page = two_versions / "versions.html"
    whole = page.read_bytes()
    page.rename(tmp_path / "versions.html")
    if way == "script":
        page.write_text("<script>alert(1)</script>")
    elif way == "link":
        page.symlink_to(tmp_path / "versions.html")
    done = run("check", study.folder)
    assert done.exit_code == 1
    assert "versions.html is not what versions.json lists" in str(done.exception)
    assert run("build", study.folder).exit_code == 0
    assert page.read_bytes() == whole
    assert not page.is_symlink()
    assert verify_versions(two_versions) == 2


@pytest.mark.parametrize("what", ["versions/0001", "versions/0002", "versions"])
def test_a_version_that_is_a_link_is_told(study, two_versions, tmp_path, what):
    (two_versions / what).rename(tmp_path / "away")
    (two_versions / what).symlink_to(tmp_path / "away")
    done = run("check", study.folder)
    assert done.exit_code == 1
    assert "a link" in str(done.exception)


@pytest.mark.parametrize("name", ["evil.html", ".htaccess", "versions/0001.html", "versions/00002/index.html"])
def test_what_no_publisher_writes_is_told(study, two_versions, name):
    (two_versions / name).parent.mkdir(exist_ok=True)
    (two_versions / name).write_text("<script>alert(1)</script>")
    done = run("check", study.folder)
    assert done.exit_code == 1
    named = "versions/00002" if "00002" in name else name
    assert f"holds what is of no version ({named}), and readers can see it; move it away." in str(done.exception)


@pytest.mark.parametrize("what", ["current", "index", "leftover", "report"])
def test_a_publication_that_did_not_come_to_its_end_is_told_by_check(study, two_versions, what):
    target = two_versions
    if what == "current":
        (target / "current").unlink()
        (target / "current").symlink_to("versions/0001")
    elif what == "index":
        index = json.loads((target / "versions.json").read_text(encoding="utf-8"))
        index["versions"].pop()
        (target / "versions.json").write_text(json.dumps(index))
    elif what == "leftover":
        (target / "versions" / ".new-abc").mkdir()
    else:
        study.write("auto = true\n", "")
        study.write("Two other firms", "Two further firms")
        study.build()
        study.write('folder = "../public/two"', 'folder = "../public/two"\nauto = true')
        study.build()  # published
        shutil.rmtree(target / "versions" / "0003")
        (target / "current").unlink()
        (target / "current").symlink_to("versions/0002")
    assert publication_due(study.folder)
    done = run("check", study.folder)
    assert done.exit_code == 1
    assert run("build", study.folder).exit_code == 0
    if what != "report":  # that version was removed, and stays told
        assert run("check", study.folder).exit_code == 0


def test_the_owner_of_a_folder_is_known_without_its_list(study, two_versions, tmp_path):
    other = study.copy(tmp_path / "copy")
    renamed = other.folder.rename(tmp_path / "three")
    (two_versions / "versions.json").unlink()
    done = run("build", renamed, "--force")
    assert done.exit_code == 2
    assert "holds the versions of the study 'two', and this one is 'three'" in done.stderr


@pytest.mark.parametrize(
    "held", [".current.new", ".bashrc", ".versions.json.mine", "versions/3.12.1/python", ".ssh/id"]
)
def test_a_folder_that_is_somebody_s_is_left_as_it_is(study, target, held):
    """A home with files that begin with a dot, or with versions of something else."""
    (target / held).parent.mkdir(parents=True)
    (target / held).write_text("precious")
    done = run("build", study.folder)
    assert done.exit_code == 2
    assert f"holds other files ({'versions/3.12.1' if 'versions/' in held else held.partition('/')[0]})" in done.stderr
    (target / "versions").mkdir(exist_ok=True)
    assert run("build", study.folder).exit_code == 2
    assert files_in(target) == [held]
    assert (target / held).read_text() == "precious"


def test_what_a_killed_first_publication_left_is_removed_once_the_folder_is_the_study_s(study, target):
    (target / "versions" / ".new-abc").mkdir(parents=True)
    (target / ".publish.lock").touch()
    assert run("build", study.folder).exit_code == 0
    assert leftovers(target) == []


def test_another_study_of_the_same_name_does_not_publish_into_a_folder(study, two_versions, tmp_path, state):
    """Known where the first one published from: on another machine, or after a move, the study goes on."""
    before = {p: p.read_bytes() for p in two_versions.rglob("*") if p.is_file()}
    other = study.copy(tmp_path / "elsewhere")
    other.write("../public/two", "../../public/two")
    other.write("Two other firms", "Two firms of a stranger's")
    done = run("build", other.folder, "--force")
    assert done.exit_code == 2
    assert f"holds the versions of the study in {study.folder}, and this one is in {other.folder}" in done.stderr
    (note,) = (state / "eventstudy" / "published").iterdir()
    assert f"If this one takes its place, remove {note}." in done.stderr
    assert {p: p.read_bytes() for p in two_versions.rglob("*") if p.is_file()} == before
    shutil.rmtree(state)  # a fresh machine
    assert run("build", other.folder, "--force").exit_code == 0
    assert run("build", study.folder, "--force").exit_code == 2
    shutil.rmtree(other.folder)
    assert run("build", study.folder, "--force").exit_code == 0


@pytest.mark.parametrize(("root", "code"), [(".", 0), ("public", 0), ("public/two", 0), ("two", 2), ("public/tw", 2)])
def test_nothing_is_published_outside_of_the_operator_s_folder(study, target, tmp_path, monkeypatch, root, code):
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.setenv("EVENTSTUDY_PUBLISH_ROOT", str(tmp_path / "link" / root))
    done = run("build", study.folder)
    assert done.exit_code == code, done.stderr
    assert target.exists() == (code == 0)
    assert ("EVENTSTUDY_PUBLISH_ROOT allows folders in" in done.stderr) == (code == 2)
    monkeypatch.setenv("EVENTSTUDY_PUBLISH_ROOT", "public")
    assert "give the whole path" in run("build", study.folder, "--force").stderr


# -- Litter, locks, masks.


def test_what_a_killed_publisher_left_is_removed_by_the_next(study, two_versions):
    target = two_versions
    for name in (".versions.json.abc", ".versions.html.abc", ".current.new"):
        (target / name).symlink_to("x") if "new" in name else (target / name).write_text("x")
    (target / "versions" / ".new-abc").mkdir()
    assert len(leftovers(target)) == 4
    assert run("build", study.folder).exit_code == 0
    assert [p.name for p in target.iterdir() if p.name.startswith(".")] == [".publish.lock"]
    assert leftovers(target) == []


def test_temporary_folders_of_dead_processes_are_removed_and_of_living_ones_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "eventstudy-kernel-1-abcdefgh"  # whatever process has that number now
    others = [tmp_path / name for name in ("eventstudy-mine", "eventstudy-2025-notes", "eventstudy-12-ab")]
    for folder in (left, *others):
        folder.mkdir()
    (tmp_path / "eventstudy-7-abcdefgh").symlink_to(others[0])
    with staged(None, "eventstudy-") as stage:
        assert stage.name.startswith(f"eventstudy-{os.getpid()}-")
        sweep_temporary()
        assert stage.is_dir()
        assert not left.exists()
        assert all(folder.is_dir() for folder in others)
    assert not stage.exists()


def test_two_studies_that_publish_first_into_one_folder_do_not_both(study, target, tmp_path, monkeypatch):
    """The second has looked before the first published, and gets the lock after it."""
    other = study.copy(tmp_path / "copy")
    other = type(study)(other.folder.rename(tmp_path / "three"))
    study.write("auto = true\n", "")
    other.write("auto = true\n", "")
    study.build()
    other.build(force=True)
    first, real = [], locked

    def late(file, wait, refusal):
        if not first and file.name == publishing.LOCK:
            first.append(file)
            study.build(to_publish=True)
        return real(file, wait, refusal)

    monkeypatch.setattr(publishing, "locked", late)
    with pytest.raises(InvalidInput, match="holds the versions of the study 'two'"):
        publish(other.spec)
    assert first
    assert verify_versions(target) == 1


def test_what_is_published_can_be_read_whatever_the_mask(study, target):
    before = os.umask(0o077)
    try:
        study.build(force=True)
    finally:
        os.umask(before)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (target.parent, target, *target.rglob("*"))}
    del modes[target / ".publish.lock"]
    assert {m for p, m in modes.items() if p.is_dir()} == {0o755}
    assert {m for p, m in modes.items() if p.is_file()} == {0o644}


def test_a_folder_with_links_of_its_own_is_refused(study, target, tmp_path):
    (tmp_path / "outside").mkdir()
    target.mkdir(parents=True)
    (target / "versions").symlink_to(tmp_path / "outside")
    with pytest.raises(NotAsRecorded, match="versions is a link"):
        study.build()
    assert files_in(tmp_path / "outside") == []


@pytest.mark.parametrize(("number", "said"), [(errno.EROFS, False), (errno.EACCES, False), (errno.EPERM, True)])
def test_only_a_system_without_links_is_said_to_take_none(study, target, monkeypatch, number, said):
    def refuse(self, goal):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    done = run("build", study.folder)
    monkeypatch.undo()
    assert ("takes no symbolic links" in str(done.exception)) is said or ("takes no symbolic" in done.stderr) is said
    assert os.strerror(number) in done.stderr + str(done.exception)
