"""Old downloads that nothing was made from, removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import NotAsRecorded
from eventstudy.files import stored_name
from eventstudy.prices.table import YAHOO
from eventstudy.report.builds.build import build_lock
from eventstudy.report.builds.conclusions import published_before
from eventstudy.report.builds.fetch import days_since
from eventstudy.report.builds.manifest import read_any_manifest
from eventstudy.report.builds.publish import version_folder, version_numbers
from eventstudy.vintages.store import check_clock, list_vintages, remove, store_lock, vintage_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventstudy.studyfile.spec import StudySpec
    from eventstudy.vintages.store import Vintage


def prune(spec: StudySpec, days: int) -> tuple[Vintage, ...]:
    """Remove the downloads from Yahoo that are older than a number of days, and return them.

    Those stay that the study file names, that the report or a published version was made from, and the newest.
    """
    with build_lock(spec.folder):
        stored = list_vintages(spec.folder, YAHOO)
        if not stored:
            return ()
        check_clock(stored[-1].path)
        kept = {spec.prices.vintage, *(stored_name(Path(name)) for name in _made_from(spec))}
        old = tuple(v for v in stored[:-1] if days_since(v.fetched) >= days and v.name not in kept)
        with store_lock(vintage_folder(spec.folder)):
            for vintage in old:
                remove(vintage.path)
        return old


def _made_from(spec: StudySpec) -> Iterator[str]:
    """Yield the price files that the report, what was concluded last, and all published versions were made from."""
    yield _source(spec.folder)
    before = published_before(spec)
    yield from (str(p.data.get("source", "")) for p in (before.version, before.last) if p is not None)
    target = spec.publish_folder
    if target is None:
        return
    for number in version_numbers(target):
        name = _source(version_folder(target, number))
        if not name:
            raise NotAsRecorded(
                f"{target.name}: the manifest of version {number} does not say which prices it was made from; restore it. Nothing was removed."
            )
        yield name


def _source(folder: Path) -> str:
    """Return the name of the price file that a built report was made from; empty if its manifest cannot be read."""
    data = read_any_manifest(folder).get("data")
    return str(data.get("source", "")) if isinstance(data, dict) else ""
