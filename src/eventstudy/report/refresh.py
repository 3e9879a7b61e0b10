"""New prices before a build: a download that brings nothing new leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from eventstudy.errors import StudyFileError
from eventstudy.prices.passport import passport_path
from eventstudy.prices.readers.files import read_prices
from eventstudy.prices.vintages.comparing import compare_prices
from eventstudy.prices.vintages.store import LOCK, LOCK_TIMEOUT
from eventstudy.prices.vintages.stored import bare_name, list_vintages
from eventstudy.report import fetch

if TYPE_CHECKING:
    from eventstudy.prices.vintages.comparing import PriceDifferences
    from eventstudy.spec import StudySpec

#: Differences of a ticker below what could change a return.
_QUIET = ("same", "jitter")


def refresh_prices(spec: StudySpec, progress: Callable[[str, int, int], None]) -> str:
    """Download a study's prices; keep them only if they differ from the newest stored ones.

    Parameters
    ----------
    spec : StudySpec
        A study with ``prices.source = "yahoo"`` that follows the newest vintage.
    progress : callable
        Called with the step's name, the steps done and all steps.

    Returns
    -------
    str
        What the download brought, in words.

    Raises
    ------
    StudyFileError
        If the study does not use what is fetched.
    DataMissing, DataUnfit, SourceFailed
        If a ticker is unknown, an answer is unfit, or none comes.
    """
    part = spec.prices
    if part.source != "yahoo" or part.vintage is not None:
        uses = f"the vintage {part.vintage}" if part.vintage else repr(part.source)
        raise StudyFileError(
            f"{spec.path.name}: prices come from {uses}, so what --fetch downloads would not be used; write "
            f'source = "yahoo" and no vintage under [prices], or build without --fetch.'
        )
    before = list_vintages(spec.folder, "yahoo")
    path = fetch.fetch_prices(spec, lambda ticker, i, n: progress(f"fetching {ticker}", i, n))
    if not before:
        return f"{bare_name(path)}: the first prices"
    last = before[-1]
    found = compare_prices(read_prices(last.path), read_prices(path))
    if _nothing_new(found):
        _discard(path)
        return f"prices are those of {last.name}; the download was not kept"
    return f"{bare_name(path)} against {last.name}: {found.summary()}"


def _nothing_new(found: PriceDifferences) -> bool:
    """Whether no figure that a study could use differs, no day and no ticker."""
    same = all(t.kind in _QUIET and not t.added and not t.removed and not t.volumes for t in found.tickers)
    return same and not found.only_old and not found.only_new


def _discard(path: Path) -> None:
    """Remove a vintage that this process has just stored."""
    with FileLock(path.parent / LOCK, timeout=LOCK_TIMEOUT):
        path.unlink(missing_ok=True)
        passport_path(path).unlink(missing_ok=True)
