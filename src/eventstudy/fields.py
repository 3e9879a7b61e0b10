"""Tables of the TOML files of people, fields that several of them have, and a clear word about what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import ErrorDetails, PydanticCustomError

from eventstudy.windows import Window
from eventstudy.wording import did_you_mean


class Part(BaseModel):
    """A table of a TOML file: no key but its own, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


#: A title or a label: it stands in one line, or a few.
Line = Annotated[str, Field(max_length=500)]


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
    if item["type"] == "string_too_long":
        return f"has {len(given):,} characters; at most {context['max_length']} are taken."
    shown = f" (given: {given!r})" if isinstance(given, str | int | float) else ""
    return f"{context.get('error', item['msg'])}{shown}"
