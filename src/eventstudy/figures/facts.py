"""What a figure knows of itself beside its words and numbers: what may be said, how it was made, its marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Facts:
    """What a figure knows of itself.

    Attributes
    ----------
    kind : str
        The function that drew it.
    states : mapping of str to tuple of str
        For each event the verdicts (``down``, ``up``, ``unclear``, ``missing``) that a title may speak of.
    raw : mapping of str to float
        The raw change of each event, which decides between "fell" and "lagged".
    parameters : mapping of str to object
        How the numbers were made: windows, level, model; plain values.
    price_columns : tuple of str
        Columns of the numbers that hold price levels.
    inputs : mapping of str to str
        Digests of what the figure was made from, by name.
    mark, embargo_until : str
        A word drawn over the figure, and the moment up to which it holds.
    names : mapping of str to str
        What the study calls its tickers.
    own_title, unchecked : bool
        Whether the title is the caller's, and whether it was exempted from the check against the numbers.
    """

    kind: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    price_columns: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    embargo_until: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    own_title: bool = False
    unchecked: bool = False


def states_of(keys: Sequence[str], states: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return one verdict an event in the shape of `Facts`."""
    return {key: (state,) for key, state in zip(keys, states, strict=True)}
