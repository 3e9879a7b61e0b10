"""TOML files of people, read within bounds. No numerical library is loaded for it, see `report.builds.manifest`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from eventstudy.errors import InvalidInput
from eventstudy.files import read_small
from eventstudy.wording import printable, steers

#: No honest file of a study is larger: a megabyte is five hundred pages.
MAX_BYTES = 1_000_000
#: No honest key has more parts. The parser's time grows with their square: 16,000 parts take half a minute.
MAX_PARTS = 16

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
# begun at the head of a word, bounded and without a way back, so that the search itself is linear; no end is asked for
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}{_PART}")


def read_toml(
    file: Path, what: str = "a study file", *, limit: int = MAX_BYTES, error: type[InvalidInput] = InvalidInput
) -> dict[str, Any]:
    """Return the content of a TOML file."""
    content = read_small(file, limit, f"{what} is some pages of text", error)
    try:
        text = content.decode("utf-8")
        if _LONG_KEY.search(text):
            raise error(
                f"{file} is not accepted: a key has more than {MAX_PARTS} parts (a.b.c. …); no key of {what} has."
            )
        found = tomllib.loads(text)
        _check_numbers(found)
        return found
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(f"{file} is not valid TOML: {problem}.") from problem
    except ValueError as problem:
        if isinstance(problem, InvalidInput):
            raise
        raise error(f"{file} is not valid TOML: {problem}.") from problem  # e.g. a number without end


def _check_numbers(content: object, key: str = "") -> None:
    """Refuse whole numbers beyond TOML's own range, which Python may not even write out."""
    if isinstance(content, dict | list):
        for name, value in content.items() if isinstance(content, dict) else enumerate(content):
            _check_numbers(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, int) and content.bit_length() > 64:
        raise ValueError(f"{printable(key)[:200]} is a whole number of more than 64 bits")


def check_texts(content: object, key: str = "") -> None:
    """Refuse texts and keys that would steer a terminal, or turn the order of what follows on a page; names the key."""
    if isinstance(content, str) and steers(content):
        raise InvalidInput(f"{printable(key)}: {content[:60]!a} has a control character; remove it.")
    if isinstance(content, dict):
        for name, value in content.items():
            where = f"{key}.{name}" if key else str(name)
            check_texts(str(name), where)
            check_texts(value, where)
    if isinstance(content, list):
        for value in content:
            check_texts(value, key)
