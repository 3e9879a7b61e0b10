"""The errors of the package: one base, each also a builtin, each carrying its facts.

A message says what was given, what is allowed and what to change. The command line
turns the class into an exit code (``EXIT_CODE``).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

__all__ = [
    "DataMissing",
    "DataUnfit",
    "EventStudyError",
    "ExitCode",
    "InvalidInput",
    "NotAsRecorded",
    "SourceFailed",
    "SourceUnfit",
    "StudyFileError",
    "TooLarge",
    "WorkersLost",
    "WronglyInstalled",
]


def __dir__() -> list[str]:
    return sorted(__all__)


#: Said when the distribution ``eventstudy`` of the package index was installed beside ``eventstudy-finance``: both write into one folder.
NAMESAKE = (
    "Another distribution, called eventstudy, has put its files among those of eventstudy-finance. "
    "Mend it: pip uninstall eventstudy; pip install --force-reinstall eventstudy-finance"
)


class ExitCode(IntEnum):
    """How a command ended: `LATER` alone asks to be tried again, 1, 2, 3 and 70 need a person."""

    DONE = 0
    NOT_AS_RECORDED = 1
    WRONG_STUDY = 2
    UNFIT = 3
    LATER = 4
    FAULT = 70
    INTERRUPTED = 130
    STOPPED = 143


#: The code of several studies is the first of these that one of them has: what a person must see hides behind nothing.
_GRAVEST_FIRST = (
    ExitCode.STOPPED,
    ExitCode.INTERRUPTED,
    ExitCode.NOT_AS_RECORDED,
    ExitCode.FAULT,
    ExitCode.WRONG_STUDY,
    ExitCode.UNFIT,
    ExitCode.LATER,
    ExitCode.DONE,
)


def gravest(codes: Iterable[int]) -> ExitCode:
    """Return the exit code of several studies, or of several steps of one.

    Examples
    --------
    >>> gravest([4, 0, 3, 1]), gravest([])
    (<ExitCode.NOT_AS_RECORDED: 1>, <ExitCode.DONE: 0>)
    """
    return min((ExitCode(c) for c in codes), key=_GRAVEST_FIRST.index, default=ExitCode.DONE)


class EventStudyError(Exception):
    """Base of every error raised on purpose by this package.

    Parameters
    ----------
    message : str
        What was given, what is allowed, what to change.
    **facts : object
        The facts behind the message, kept as the attribute ``facts`` for programs.
    """

    EXIT_CODE: ClassVar[ExitCode] = ExitCode.NOT_AS_RECORDED

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message


class InvalidInput(EventStudyError, ValueError):
    """An argument is not of the allowed form or range."""

    EXIT_CODE = ExitCode.WRONG_STUDY


class StudyFileError(InvalidInput):
    """A study file is wrong; the message names the file and the key."""


class DataMissing(EventStudyError, LookupError):
    """A ticker, a date or a file that was asked for is not there; the message says what is."""

    EXIT_CODE = ExitCode.UNFIT


class DataUnfit(EventStudyError, ValueError):
    """The data are there but cannot carry the study: wrong prices, too few days, nothing left."""

    EXIT_CODE = ExitCode.UNFIT


class TooLarge(EventStudyError, MemoryError):
    """What was asked for does not fit into the memory that is left; says how much it takes."""

    EXIT_CODE = ExitCode.UNFIT


def require_memory(size: int, what: str, way: str) -> None:
    """Raise `TooLarge` if arrays of so many bytes would not fit into the memory that is left; ``way``: what to do."""
    import psutil

    there = int(psutil.virtual_memory().available)
    if size > there:
        raise TooLarge(f"{what} take {size / 1e9:.1f} GB, and {there / 1e9:.1f} GB of memory are left; {way}.")


class SourceFailed(EventStudyError, ConnectionError):
    """The network or a price source failed; names ticker, range, cause and what to do."""

    EXIT_CODE = ExitCode.LATER


class SourceUnfit(SourceFailed):
    """A price source cannot be used until a person has mended something; asking again would not."""

    EXIT_CODE = ExitCode.UNFIT


class WorkersLost(EventStudyError, RuntimeError):
    """The processes or machines that a study was spread over are gone; says what to do."""

    EXIT_CODE = ExitCode.LATER


class NotAsRecorded(EventStudyError, RuntimeError):
    """A file differs from the digest recorded for it."""

    EXIT_CODE = ExitCode.NOT_AS_RECORDED


class WronglyInstalled(EventStudyError, ImportError):
    """The files of another distribution stand where this package's should; says how to mend it."""

    EXIT_CODE = ExitCode.UNFIT
