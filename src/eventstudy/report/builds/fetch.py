"""New prices for a study, stored beside it with a passport."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy import files
from eventstudy.calendars import exchange_sessions
from eventstudy.errors import EventStudyError, StudyFileError
from eventstudy.events import locate_sessions
from eventstudy.files import confirmed_at, stored_age, stored_at, stored_name
from eventstudy.prices.table import YAHOO
from eventstudy.sources.files.open import read_prices
from eventstudy.sources.yahoo.failures import accepted_by_study
from eventstudy.sources.yahoo.fetch import fetch_yahoo
from eventstudy.vintages.compare import compare_prices
from eventstudy.vintages.store import check_clock, confirm, list_vintages, remove, store_lock, store_vintage
from eventstudy.wording import iso_day, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eventstudy.studyfile.spec import StudySpec
    from eventstudy.vintages.compare import PriceDifferences
    from eventstudy.vintages.store import Vintage

#: Sessions fetched beyond what the windows need, on either side.
MARGIN = 10
#: Kinds of failure that a symbol which is no more at Yahoo ends in.
SYMBOL_KINDS = {"not_found", "empty", "wrong_instrument"}


def needed_range(spec: StudySpec) -> tuple[str, str]:
    """Return the first and last day of prices that a study needs, ISO dates.

    The estimation window of the earliest event to the event window of the latest, with a margin; a range given in the
    study file is taken as it is.
    """
    events = spec.event_list()
    days = [e.day for e in events]
    # two calendar days a session are more than enough room on either side
    reach = abs(spec.model.estimation.start) + MARGIN
    today = pd.Timestamp(files.now().date())
    first = min(days) - pd.Timedelta(days=2 * reach)
    last = max(days) + pd.Timedelta(days=2 * (max(spec.model.window.end, 0) + MARGIN))
    sessions = exchange_sessions(spec.model.calendar, first.date(), last.date())
    places = [p.position for p in locate_sessions(events, sessions, spec.model.calendar, "next") if p.position >= 0]
    start = sessions[max(min(places) - reach, 0)]
    end = min(sessions[min(max(places) + max(spec.model.window.end, 0) + 2, len(sessions) - 1)], today)
    return spec.prices.start or iso_day(start), spec.prices.end or iso_day(end)


def fetch_prices(
    spec: StudySpec,
    progress: Callable[[str, int, int], None],
    *,
    session: object | None = None,
    cache_dir: str | Path | None = None,
) -> Path:
    """Download a study's prices from Yahoo and store them as a file of their own, never over another.

    Nothing is asked for if the newest vintage is not as recorded, or ahead of the clock: a download could not be stored behind it.
    """
    stored = list_vintages(spec.folder, YAHOO)
    if stored:
        check_clock(stored[-1].path)
    start, end = needed_range(spec)
    tickers = spec.needed_tickers()
    # every vintage is a new download: kept answers would carry the past into it
    try:
        prices = fetch_yahoo(
            list(tickers),
            start,
            end,
            session=session,
            cache_dir=cache_dir,
            reuse=False,
            accept=accepted_by_study(spec.prices.accept),
            on_ticker=progress,
        )
    except EventStudyError as error:
        advice = _advice_on_a_symbol_that_is_gone(error.facts, stored, spec.prices.max_age is not None)
        if not advice:
            raise
        raise type(error)(f"{error} {advice}", **error.facts) from error
    return store_vintage(prices, spec.folder, files.now(), tickers, start, end)


def _advice_on_a_symbol_that_is_gone(facts: Mapping[str, object], stored: Sequence[Vintage], limited: bool) -> str:
    """Return what to do about a symbol that Yahoo knew once: delisted, renamed or given to another; empty for any other failure."""
    if facts.get("kind") not in SYMBOL_KINDS:
        return ""
    ticker = str(facts.get("ticker"))
    last = next((v for v in reversed(stored) if ticker in (v.ticker_facts or v.tickers)), None)
    if last is None:
        return ""
    return (
        f"{ticker} was at Yahoo until {iso_day(last.fetched)}, when {last.name} was stored, so it was delisted or renamed since. "
        f'Keep the stored prices with vintage = "{last.name}" under [prices]{" in the place of max_age" * limited}, or name the new symbol.'
    )


def next_step(spec: StudySpec, path: Path) -> str:
    """Return what the study uses now, and what to write in its file to use, or to keep, the new prices."""
    name, part = stored_name(path), spec.prices
    if part.newest:
        return f'{spec.path.name} takes the newest vintage, now {name}; to stay with it, add vintage = "{name}" under [prices]'
    return f'to study these prices, write source = "yahoo" and vintage = "{name}" under [prices] in {spec.path.name}'


# -- New prices before a build: a download that brings nothing new leaves no trace.


def refresh_prices(spec: StudySpec, progress: Callable[[str, int, int], None]) -> str:
    """Download a study's prices; keep them only if they differ from the newest stored ones."""
    part = spec.prices
    if not part.newest:
        raise StudyFileError(
            f"{spec.path.name}: prices come from {part.words}, so what --fetch downloads would not be used; write "
            f'source = "yahoo" and no vintage under [prices], or build without --fetch.'
        )
    before = list_vintages(spec.folder, YAHOO)
    path = fetch_prices(spec, lambda ticker, i, n: progress(f"fetching {ticker}", i, n))
    if not before:
        return f"{stored_name(path)}: the first prices"
    last = before[-1]
    found = compare_prices(read_prices(last.path), read_prices(path))
    if _nothing_new(found):
        _discard(path, last.path)
        return f"prices are those of {last.name}, {stored_age(last.name)}; the download was not kept"
    return f"{stored_name(path)} against {last.name}, {stored_age(last.name)}: {found.summary()}"


def refuse_without(spec: StudySpec, failed: Exception) -> None:
    """Raise why a fetch failed if there are no stored prices, or if they are older than the study allows."""
    stored, limit = list_vintages(spec.folder, YAHOO), spec.prices.max_age
    if not stored:
        raise failed
    if limit is None or (age := days_since(pd.Timestamp(confirmed_at(stored[-1].path)))) <= limit:
        return
    words = (
        f"{failed} The newest stored prices, {stored[-1].name}, were downloaded last {plural(age, 'day')} ago and max_age under [prices] is {limit}d: "
        f"nothing was built. To build from them, raise max_age or remove it."
    )
    raise type(failed)(words, **failed.facts) if isinstance(failed, EventStudyError) else failed


def days_since(moment: pd.Timestamp) -> int:
    """Return how many days ago a moment in UTC was, by the clock."""
    return int((pd.Timestamp(files.now()) - moment).days)


def _nothing_new(found: PriceDifferences) -> bool:
    """Whether no figure that a study could use differs, no day and no ticker."""
    same = all(t.is_noise and not t.added and not t.removed and not t.volumes for t in found.tickers)
    return same and not found.only_old and not found.only_new


def _discard(path: Path, equal: Path) -> None:
    """Remove a vintage that this process has just stored, and record that it was equal to the one before."""
    with store_lock(path.parent):
        remove(path)
        confirm(equal, stored_at(stored_name(path)))
