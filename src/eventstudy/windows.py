"""Windows of relative trading days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np

from eventstudy.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


#: No window reaches farther from its event, in trading days.
FARTHEST = 100_000


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A closed interval of trading days relative to the event day (day 0).

    Parameters
    ----------
    start, end : int
        First and last relative day, ``start <= end``. Negative days come before the event.

    Raises
    ------
    InvalidInput
        If the ends are not whole numbers or ``start > end``.

    Examples
    --------
    >>> w = Window(-5, 5)
    >>> print(w, len(w))
    [-5, +5] 11
    >>> Window.of((0, 1))
    Window(0, 1)
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if not _is_day(value):
                raise InvalidInput(
                    f"Window {name} is {value!r}; give a whole number of trading days, e.g. Window(-5, 5)."
                )
            object.__setattr__(self, name, int(value))
        if max(abs(self.start), abs(self.end)) > FARTHEST:
            raise InvalidInput(
                f"Window ({self.start}, {self.end}) reaches beyond {FARTHEST:,} trading days, four centuries."
            )
        if self.start > self.end:
            raise InvalidInput(
                f"Window ({self.start}, {self.end}) ends before it starts; did you mean ({self.end}, {self.start})?"
            )

    @classmethod
    def of(cls, value: WindowLike) -> Window:
        """Return ``value`` as a window: a `Window`, a pair ``(start, end)`` or one day.

        Raises
        ------
        InvalidInput
            If ``value`` is none of these.
        """
        if isinstance(value, Window):
            return value
        if _is_day(value):
            return cls(value, value)
        if isinstance(value, tuple | list) and len(value) == 2:
            return cls(value[0], value[1])
        raise InvalidInput(f"{value!r} is not a window; give a pair of relative days such as (-5, 5), or one day.")

    @classmethod
    def given(cls, window: WindowLike, end: int | None = None) -> Window:
        """Return a window as methods take it: ``(0, 1)``, ``0, 1``, the one day ``0``, or a `Window`.

        Parameters
        ----------
        window : Window, pair of int, or int
            The window, or its first day if ``end`` is given.
        end : int, optional
            Its last day.

        Returns
        -------
        Window

        Raises
        ------
        InvalidInput
            If it is none of these.

        Examples
        --------
        >>> Window.given(0, 1) == Window.given((0, 1)) == Window.given(Window(0, 1)), Window.given(0)
        (True, Window(0, 0))
        """
        if end is None:
            return cls.of(window)
        if _is_day(window) and _is_day(end):
            return cls(window, end)
        raise InvalidInput(
            f"The window is given as {window!r}, {end!r}; give two days, 0, 1, or one pair, (0, 1), and everything else by its name."
        )

    @classmethod
    def several(cls, value: WindowLike | Sequence[WindowLike]) -> list[Window]:
        """Return one window, or each of a sequence of them; two days are the ends of one window.

        Examples
        --------
        >>> Window.several((0, 1)), Window.several([(0, 0), (0, 1)])
        ([Window(0, 1)], [Window(0, 0), Window(0, 1)])
        """
        if isinstance(value, tuple | list) and not (len(value) == 2 and all(_is_day(day) for day in value)):
            return [cls.of(window) for window in value]
        return [cls.of(value)]  # type: ignore[arg-type]  # whatever else it is, `of` answers

    @classmethod
    def around(cls, value: WindowLike) -> Window:
        """Return ``value`` as an event window, refusing the one number that people read in three ways.

        Raises
        ------
        InvalidInput
            If ``value`` is one day other than day 0, or no window.

        Examples
        --------
        >>> Window.around(0)
        Window(0, 0)
        """
        if _is_day(value) and value != 0:
            a = abs(int(value))
            raise InvalidInput(
                f"window is {value}; write (-{a}, {a}) for the days around the event, (0, {a}) from the event on, or ({value}, {value}) for that "
                f"day alone."
            )
        return cls.of(value)

    def __len__(self) -> int:
        return self.end - self.start + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end + 1))

    def __contains__(self, item: object) -> bool:
        if isinstance(item, Window):
            return self.start <= item.start and item.end <= self.end
        return isinstance(item, int | np.integer) and bool(self.start <= item <= self.end)

    def __str__(self) -> str:
        return f"[{signed_day(self.start)}, {signed_day(self.end)}]"

    def __repr__(self) -> str:
        return f"Window({self.start}, {self.end})"

    @property
    def days(self) -> NDArray[np.int64]:
        """The relative days, shape (L,)."""
        return np.arange(self.start, self.end + 1, dtype=np.int64)

    def overlaps(self, other: Window) -> bool:
        """Whether the two windows share a day."""
        return self.start <= other.end and other.start <= self.end


#: What stands for a window.
WindowLike: TypeAlias = Window | tuple[int, int] | list[int] | int


def _is_day(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def signed_day(day: int) -> str:
    """Return a relative day as text: ``-5``, ``0``, ``+5``."""
    return f"{day:+d}" if day else "0"
