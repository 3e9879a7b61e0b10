"""A folder in which a study keeps what it found while it runs: a table of its events, and what it needs to go on where it was."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy.errors import EventStudyError, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns, SumsOver, WindowSums, firm_numbers
from eventstudy.estimation.answers import Answer, Tally
from eventstudy.estimation.panel import EventPanel, IntArray
from eventstudy.estimation.partials import Held, Partial, Work, version
from eventstudy.events import EventList
from eventstudy.files import locked, parse_json, read_small, write_whole, written_whole
from eventstudy.inference.result import t_two_sided
from eventstudy.windows import Window
from eventstudy.wording import listed

if TYPE_CHECKING:
    import pyarrow as pa

#: The form of what is kept: another one is another study.
FORM = 1
#: So many columns are digested at once.
_COLUMNS = 256
#: What readers of Parquet folders leave out begins so.
STUDY, PARTIALS, LOCK = "_study.json", "_partials", "_lock"
#: What a process that was killed may leave.
_LEFT = re.compile(r"\.(events-\d+\.parquet|\d+-\d+\.npz|_study\.json)\.\w+")
_TABLE = re.compile(r"events-(\d{5,9})\.parquet")
_SPAN = re.compile(r"(\d{5,9})-(\d{5,9})\.npz")
#: A representation that is another one in every process.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Identity:
    """What a folder's study is known by: digests of what was asked of which events and data."""

    specification: str
    events: str
    data: str

    @classmethod
    def of(cls, specification: object, events: EventList, tables: Sequence[pd.DataFrame | None]) -> Identity:
        """Return the digests of a specification, of the events asked for and of the tables that windows are cut out of."""
        said = repr(specification)
        if _ADDRESS.search(said):
            raise InvalidInput(
                f"out= needs a model whose repr tells its parameters, so that a stopped study is known again; {_ADDRESS.sub('', said)[:200]} does not. "
                f"Make it a frozen dataclass."
            )
        columns = (events.tickers.tolist(), events.asked, events.labels.tolist(), events.groups.tolist())
        places = [(i, event.exchange) for i, event in sorted(events.timed.items()) if event.exchange]
        return cls(
            _digest(f"{FORM} {version()} {said}"),
            _digest(*("\x1f".join(map(str, column)) for column in columns), repr(places)),
            _digest(*(piece for table in tables for piece in _pieces(table))),
        )


def _digest(*pieces: str | np.ndarray) -> str:
    """Return one digest of texts and arrays."""
    found = hashlib.sha256()
    for piece in pieces:
        content = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece.view(np.uint8).data
        found.update(f"{len(content)} ".encode())
        found.update(content)
    return found.hexdigest()


def _pieces(table: pd.DataFrame | None) -> Iterator[str | np.ndarray]:
    """Yield what a table consists of: names, days and figures, an absent one as an empty text."""
    if table is None:
        yield ""
        return
    names = np.array([str(c) for c in table.columns.tolist()], dtype=object)
    order, values = np.argsort(names, kind="stable"), table.to_numpy(dtype=np.float64).T
    yield "\x1f".join(names[order].tolist())
    yield table.index.to_numpy(dtype="datetime64[ns]").view(np.int64)
    for first in range(0, len(values), _COLUMNS):
        yield np.ascontiguousarray(values[order[first : first + _COLUMNS]])


@dataclass(frozen=True)
class Folder:
    """A folder of a study: `Store` of its partial results."""

    path: Path
    identity: Identity

    @classmethod
    def of(
        cls, path: object, specification: object, events: EventList, tables: Sequence[pd.DataFrame | None]
    ) -> Folder | None:
        """Return the folder of a study, made if it is not there; None without a path.

        Raises
        ------
        InvalidInput
            If it holds another study, or what is no study.
        """
        if path is None:
            return None
        _require_pyarrow()
        found = cls(Path(str(path)), Identity.of(specification, events, tables))
        with _usable(found.path):
            if found.path.exists() and not found.path.is_dir():
                raise InvalidInput(f"out is {found.path}, a file; name a folder.")
            found.path.mkdir(parents=True, exist_ok=True)
            found._refuse_others()
        return found

    @property
    def partitions(self) -> int | None:
        """In how many parts the events of the study in the folder are divided; None if there is none."""
        record = self._record()
        return None if record is None else int(record["partitions"])

    def _record(self) -> Mapping[str, Any] | None:
        file = self.path / STUDY
        if not file.exists():
            return None
        try:
            record = parse_json(read_small(file))
            partitions = int(record["partitions"])
            if partitions < 1:
                raise ValueError("a study has a partition")
            return {"partitions": partitions, **{f.name: str(record[f.name]) for f in fields(Identity)}}
        except (OSError, ValueError, OverflowError, KeyError, TypeError) as error:
            raise InvalidInput(f"{file} is damaged; name another folder for out, or remove this one.") from error

    def _refuse_others(self) -> None:
        record = self._record()
        if record is None:
            strange = sorted(p.name for p in self.path.iterdir() if not p.name.startswith((".", "_")))
            if strange:
                raise InvalidInput(
                    f"The folder {self.path} holds {strange[0]} and no study; name a new or an empty folder for out."
                )
            return
        other = [f.name for f in fields(Identity) if record[f.name] != getattr(self.identity, f.name)]
        if other:
            if other != ["data"]:  # whose digest is of the columns and days that these events need
                other = [name for name in other if name != "data"]
            what = listed([f"its {name}" for name in other], "and")
            verb = "differ" if len(other) > 1 or other != ["specification"] else "differs"
            raise InvalidInput(
                f"The folder {self.path} holds another study: {what} {verb}. Name another folder for out, or remove this one.",
                differ=tuple(other),
            )

    @contextmanager
    def opened(self, work: Work, panel: EventPanel, parts: Sequence[IntArray], count: int) -> Iterator[Shelf]:
        """Give what reads and keeps partial results; another process that would write into the folder meanwhile is refused."""
        with ExitStack() as held:
            with _usable(self.path):
                held.enter_context(
                    locked(
                        self.path / LOCK,
                        0,
                        f"Another process is at the study in {self.path}; wait for its end, or stop it.",
                    )
                )
                self._refuse_others()  # as it is now
                self._tidy(len(parts))
                record = {"partitions": count, **{f.name: getattr(self.identity, f.name) for f in fields(Identity)}}
                write_whole(self.path / STUDY, json.dumps(record, indent=1) + "\n")
            yield Shelf(self.path, work, panel, parts)

    def _tidy(self, parts: int) -> None:
        """Remove what a stopped study left half-written, and refuse what no study of so many parts writes."""
        partials = self.path / PARTIALS
        if partials.exists() and not partials.is_dir():
            raise InvalidInput(
                f"{partials} is a file, and a folder belongs there; name another folder for out, or remove it."
            )
        for file in (*self.path.iterdir(), *partials.glob("*")):
            if _LEFT.fullmatch(file.name):
                file.unlink(missing_ok=True)
                continue
            table = _TABLE.fullmatch(file.name)
            if (table or file.suffix == ".npz") and not file.is_file():
                raise InvalidInput(
                    f"{file} is a folder, and a file belongs there; name another folder for out, or remove it."
                )
            if table and int(table[1]) >= parts:
                raise InvalidInput(
                    f"{file} is no part of this study, whose events tables are {parts}; name another folder for out, or remove it."
                )


@dataclass(frozen=True)
class Shelf:
    """The partial results in an open folder."""

    path: Path
    work: Work
    panel: EventPanel
    parts: Sequence[IntArray]

    def known(self) -> Iterator[tuple[int, int, Partial]]:
        """Yield what was found before, of most partitions first; what is damaged, or lacks its table of events, is not finished."""
        taken: set[int] = set()
        for start, stop in sorted(self._spans(), key=lambda span: span[0] - span[1]):
            own = set(range(start, stop))
            if stop <= len(self.parts) and not own & taken and (found := self._read(start, stop)) is not None:
                taken |= own
                yield start, stop, found

    def table(self, number: int, found: Partial) -> None:
        """Write the table of a partition's events."""
        import pyarrow.parquet as pq

        with written_whole(self._table_file(number)) as stream:
            pq.write_table(self._table(found), stream)

    def keep(self, start: int, stop: int, found: Partial) -> None:
        """Write a partial result, and remove those of which it was merged."""
        with written_whole(self._file(start, stop)) as stream, zipfile.ZipFile(stream, "w") as archive:
            for name, array in self._packed(found).items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        for first, end in self._spans():
            if start <= first and end <= stop and (first, end) != (start, stop):
                self._file(first, end).unlink(missing_ok=True)

    def _read(self, start: int, stop: int) -> Partial | None:
        try:
            with self._file(start, stop).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                found = self._unpacked(dict(arrays))
        except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
            return None
        events = np.sort(np.concatenate([found.places, np.array(list(found.reasons), dtype=np.int64)]))
        whole = np.array_equal(events, np.sort(np.concatenate(self.parts[start:stop])))
        tables = all(self._has_table(number, found) for number in range(start, stop))
        return found if whole and tables else None

    def _has_table(self, number: int, found: Partial) -> bool:
        """Return whether the table of a partition's events is there, with all rows and readable to its end."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows = pq.read_metadata(self._table_file(number)).num_rows
        except (OSError, ValueError, pa.ArrowException):
            return False
        return bool(rows == np.isin(self.parts[number], found.places).sum())

    def _spans(self) -> list[tuple[int, int]]:
        """Return from which partition to which there are partial results."""
        found = (_SPAN.fullmatch(file.name) for file in (self.path / PARTIALS).glob("*.npz"))
        return [(int(name[1]), int(name[2])) for name in found if name and int(name[1]) < int(name[2])]

    def _file(self, start: int, stop: int) -> Path:
        return self.path / PARTIALS / f"{start:05d}-{stop:05d}.npz"

    def _table_file(self, number: int) -> Path:
        return self.path / f"events-{number:05d}.parquet"

    # -- Partial results as arrays.

    def _packed(self, found: Partial) -> dict[str, np.ndarray]:
        packed: dict[str, np.ndarray] = {"places": found.places, "asked": found.asked}
        packed["lost"] = np.array(list(found.reasons), dtype=np.int64)
        packed["reasons"] = np.array(list(found.reasons.values()), dtype=np.str_)
        for what, held in (("fit", found.fit), ("abnormal", found.abnormal)):
            packed |= {f"{what}.{name}": rows for name, rows in held.rows.items()}
        for number, tally in enumerate(found.tallies):
            answer: Any = tally.answer()
            names = () if answer is None else [f.name for f in fields(answer)]
            packed |= {f"{number}.{type(answer).__name__}.{name}": _plain(getattr(answer, name)) for name in names}
        return packed

    def _unpacked(self, arrays: Mapping[str, np.ndarray]) -> Partial:
        pattern = self._pattern

        def held(what: str, other: Held) -> Held:
            return other.with_rows({name: arrays[f"{what}.{name}"] for name in other.rows})

        reasons = dict(zip(arrays["lost"].tolist(), arrays["reasons"].tolist(), strict=True))
        tallies = [self._tally(number, arrays) for number in range(len(self.work.asked))]
        fit, abnormal = held("fit", pattern.fit), held("abnormal", pattern.abnormal)
        return Partial(arrays["places"], fit, abnormal, arrays["asked"], tallies, reasons)

    def _tally(self, number: int, arrays: Mapping[str, np.ndarray]) -> Tally:
        """Return the tally of a question with the answer that is kept."""
        tally = self.work.asked[number].tally()
        own = {tuple(name.split(".")[1:]): value for name, value in arrays.items() if name.startswith(f"{number}.")}
        if own:
            kind: Any = _kinds()[next(iter(own))[0]]
            tally.add(kind(**{f.name: _again(f.name, own[kind.__name__, f.name]) for f in fields(kind)}))
        return tally

    @cached_property
    def _pattern(self) -> Partial:
        """What one event gives: what is alike for all is not kept."""
        return self.work.partial(self.panel.take(np.arange(1)), np.arange(1), alone=True)

    # -- The table of events.

    def _table(self, found: Partial) -> pa.Table:
        """Return one row an event that could be fitted: who and when, the estimates, its abnormal returns and their sums."""
        import pyarrow as pa

        panel = self.panel.take(np.sort(found.places))
        fit, abnormal = found.placed()
        columns: dict[str, object] = {
            "event": list(panel.keys),
            "ticker": panel.events.tickers,
            "asked": panel.events.asked,
            "label": panel.events.labels,
            "group": panel.events.groups,
            "session": pa.array(panel.sessions.to_numpy(dtype="datetime64[D]")),
        }
        columns |= {f"coef_{name}": fit["coefficients"][:, j] for j, name in enumerate(fit["names"])}
        columns |= {name: fit[name] for name in ("sigma", "n_est", "r_squared")}
        columns |= {f"ar_{day}": abnormal["ar"][:, j] for j, day in enumerate(panel.window.days.tolist())}
        df = abnormal["n_est"] - abnormal["n_params"]
        for sums in self._sums(found, panel):
            at = f"{sums.window.start}" if len(sums.window) == 1 else f"{sums.window.start}_{sums.window.end}"
            p = t_two_sided(sums.scar, df)
            columns |= {f"car_{at}": sums.car, f"se_{at}": sums.s_car, f"t_{at}": sums.scar, f"p_value_{at}": p}
        return pa.table({name: pa.array(value) for name, value in columns.items()})

    def _sums(self, found: Partial, panel: EventPanel) -> Iterator[WindowSums]:
        """Yield the sums over the windows that the checks of a study ask for, events in order of their places."""
        if self.work.keep:
            own = {"firms": firm_numbers(panel), "keys": panel.keys}
            abnormal = AbnormalReturns(**found.placed()[1] | own)
            yield from (abnormal.sums_of(q.window) for q in self.work.questions if isinstance(q, SumsOver))
            return
        for answer in (tally.answer() for tally in found.tallies):
            if isinstance(answer, WindowSums):
                yield answer.total([answer], found.asked)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Say that a folder cannot be used where the system does not let it."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, EventStudyError):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"out is {str(path)!r}, a folder that cannot be used ({why}); name another one.") from error


def _plain(value: object) -> np.ndarray:
    """Return a field of an answer as an array."""
    return np.array([value.start, value.end]) if isinstance(value, Window) else np.asarray(value)


def _again(name: str, value: np.ndarray) -> object:
    """Return a field of an answer from its array."""
    if name == "window":
        return Window(int(value[0]), int(value[1]))
    return value.item() if value.ndim == 0 else value


def _kinds() -> dict[str, type[Answer]]:
    """Return the kinds of answers by name."""
    found, left = dict[str, type[Answer]](), list(Answer.__subclasses__())
    while left:
        kind = left.pop()
        if (
            getattr(sys.modules[kind.__module__], kind.__name__, None) is kind
        ):  # a dataclass with slots has a forerunner of its name
            found[kind.__name__] = kind
        left += kind.__subclasses__()
    return found


def _require_pyarrow() -> None:
    """Raise `InvalidInput` without the library that writes Parquet."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise InvalidInput(
            "Writing into a folder (out=) needs pyarrow: pip install 'eventstudy-finance[scale]'."
        ) from error
