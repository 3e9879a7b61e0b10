"""TOML files of people: read within bounds, no key but their own, and a clear word about what is wrong in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import ErrorDetails, PydanticCustomError

from eventstudy.errors import InvalidInput
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, printable, steers

#: No honest file of a study is larger: a megabyte is five hundred pages.
MAX_BYTES = 1_000_000
#: No honest key has more parts. The parser's time grows with their square: 16,000 parts take half a minute.
MAX_PARTS = 16

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
# begun at the head of a word, bounded and without a way back, so that the search itself is linear; no end is asked for
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}{_PART}")


def read_toml(
    file: Path, what: str = "a study file", *, limit: int = MAX_BYTES, error: type[InvalidInput] = InvalidInput
) -> dict[str, object]:
    """Return the content of a TOML file."""
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


# -- Tables of such files, and fields that several of them have.


class Part(BaseModel):
    """A table of a TOML file: no key but its own, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def window_of(value: object) -> Window:
    """Return a window as a TOML file writes it."""
    if isinstance(value, list | tuple | int | Window):
        return Window.of(value)
    raise ValueError(f"{value!r} is not a window; write a pair of relative days such as [-5, 5]")


WindowField = Annotated[Window, BeforeValidator(window_of)]


def one_of(words: Collection[str]) -> BeforeValidator:
    """Let a field be one of the words of a table, as ``Literal`` does for words that stand in the code."""

    def check(given: object) -> object:
        if isinstance(given, str) and given in words:
            return given
        raise PydanticCustomError(
            "literal_error", "Input should be one of {expected}", {"expected": ", ".join(map(repr, words))}
        )

    return BeforeValidator(check)


def problem_text(item: ErrorDetails, known: Sequence[str], missing: str) -> str:
    """Say of one thing that is wrong in a table what was given and what is allowed.

    ``known`` are the keys that the table may have, ``missing`` is what to say of a key that is not there.
    """
    given, context = item["input"], item.get("ctx", {})
    if item["type"] == "missing":
        return missing
    if item["type"] == "extra_forbidden":
        return f"no such key; there are {', '.join(known)}.{did_you_mean([str(item['loc'][-1])], known)}"
    if item["type"] == "literal_error":  # pydantic has the words as text alone
        words = [w for w in re.findall(r"'([^']*)'", context["expected"]) if w]
        return f"is {given!r}; allowed: {', '.join(words)}.{did_you_mean([str(given)], words)}"
    shown = f" (given: {given!r})" if isinstance(given, str | int | float) else ""
    return f"{context.get('error', item['msg'])}{shown}"
