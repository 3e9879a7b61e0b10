"""TOML files of people, read within bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from eventstudy.errors import InvalidInput

#: No honest file of a study is larger: a megabyte is five hundred pages.
MAX_BYTES = 1_000_000
#: No honest key has more parts. The parser's time grows with their square: 16,000 parts take half a minute.
MAX_PARTS = 16

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
# bounded, so that the search itself is linear; no end is asked for
_LONG_KEY = re.compile(rf"(?:{_PART}[ \t]*\.[ \t]*){{{MAX_PARTS}}}{_PART}")


def read_toml(
    file: Path, what: str = "a study file", *, limit: int = MAX_BYTES, error: type[InvalidInput] = InvalidInput
) -> dict[str, object]:
    """Return the content of a TOML file.

    Parameters
    ----------
    file : Path
        A file that is there.
    what : str
        What it is, for messages.
    limit : int
        Most bytes.
    error : type
        What is raised.

    Raises
    ------
    InvalidInput
        Or the given one of its kinds: if the file is too large, no TOML, or built to keep a parser busy.
    """
    if file.stat().st_size > limit:
        raise error(f"{file} is larger than {limit:,} bytes; {what} is some pages of text.")
    try:
        text = file.read_text(encoding="utf-8")
        if _LONG_KEY.search(text):
            raise error(
                f"{file} is not accepted: a key has more than {MAX_PARTS} parts (a.b.c. …); no key of {what} has."
            )
        return tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(f"{file} is not valid TOML: {problem}.") from problem
    except ValueError as problem:
        if isinstance(problem, InvalidInput):
            raise
        raise error(f"{file} is not valid TOML: {problem}.") from problem  # e.g. a number without end
