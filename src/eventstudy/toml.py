"""Tables of TOML files of people: no key but their own, and fields that several of them have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from eventstudy.windows import Window


class Part(BaseModel):
    """A table of a TOML file: no key but its own, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def window_of(value: object) -> Window:
    """Return a window as a TOML file writes it."""
    if isinstance(value, list | tuple | int | Window):
        return Window.of(value)
    raise ValueError(f"{value!r} is not a window; write a pair of relative days such as [-5, 5]")


WindowField = Annotated[Window, BeforeValidator(window_of)]
