"""How a command ends that failed: in words, and with which exit code."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from eventstudy.errors import EventStudyError

#: The system failed: a full disk, a folder that cannot be written to.
SYSTEM_FAILED = 4
#: A fault of the package itself; the number that systems give to internal software errors.
UNEXPECTED = 70
#: Environment variable: anything in it shows the whole way to an unexpected error.
TRACEBACK = "EVENTSTUDY_TRACEBACK"


def failure(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code.

    Parameters
    ----------
    error : Exception
        Any error that ended a command.

    Returns
    -------
    words : str
        For an error of the package its message; for the system's what it refused; for any other its type, message and place.
    code : int
        The error's own exit code; 4 for the system's; 70 for any other.

    Examples
    --------
    >>> from eventstudy.errors import DataMissing
    >>> failure(DataMissing("No prices of ABC."))
    ('No prices of ABC.', 3)
    """
    if isinstance(error, EventStudyError):
        return str(error), error.EXIT_CODE
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        where = f": {error.filename}" if error.filename else ""
        return (
            f"the system refused ({what}{where}). Nothing was half written; mend it and try again.",
            SYSTEM_FAILED,
        )
    return _unexpected(error), UNEXPECTED


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f", in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    text = f"a fault of eventstudy itself ({type(error).__name__}: {error}{place}). Nothing was half written; please report it"
    if os.environ.get(TRACEBACK):
        return f"{text}.\n{''.join(traceback.format_exception(error)).rstrip()}"
    return f"{text} with what {TRACEBACK}=1 prints before the same command."
