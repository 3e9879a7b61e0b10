"""The errors of the package: one base, each also a builtin, each carrying its facts.

A message says what was given, what is allowed and what to change. The command line
turns the class into an exit code (``EXIT_CODE``).
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "DataMissing",
    "DataUnfit",
    "EventStudyError",
    "InvalidInput",
    "NotAsRecorded",
    "SourceFailed",
    "StudyFileError",
    "WronglyInstalled",
]


def __dir__() -> list[str]:
    return sorted(__all__)


#: Said when the distribution ``eventstudy`` of the package index was installed beside ``eventstudy-finance``: both write into one folder.
NAMESAKE = (
    "Another distribution, called eventstudy, has put its files among those of eventstudy-finance. "
    "Mend it: pip uninstall eventstudy; pip install --force-reinstall eventstudy-finance"
)


class EventStudyError(Exception):
    """Base of every error raised on purpose by this package.

    Parameters
    ----------
    message : str
        What was given, what is allowed, what to change.
    **facts : object
        The facts behind the message, kept as the attribute ``facts`` for programs.
    """

    EXIT_CODE: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message


class InvalidInput(EventStudyError, ValueError):
    """An argument is not of the allowed form or range."""

    EXIT_CODE = 2


class StudyFileError(InvalidInput):
    """A study file is wrong; the message names the file and the key."""


class DataMissing(EventStudyError, LookupError):
    """A ticker, a date or a file that was asked for is not there; the message says what is."""

    EXIT_CODE = 3


class DataUnfit(EventStudyError, ValueError):
    """The data are there but cannot carry the study: wrong prices, too few days, nothing left."""

    EXIT_CODE = 3


class SourceFailed(EventStudyError, ConnectionError):
    """The network or a price source failed; names ticker, range, cause and what to do."""

    EXIT_CODE = 4


class NotAsRecorded(EventStudyError, RuntimeError):
    """A file differs from the digest recorded for it."""

    EXIT_CODE = 1


class WronglyInstalled(EventStudyError, ImportError):
    """The files of another distribution stand where this package's should; says how to mend it."""

    EXIT_CODE = 4
