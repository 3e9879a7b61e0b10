"""The form of everything in words: digits, signs, dashes, lists, plurals, days, money, p-values."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DASH",
    "MINUS",
    "amount",
    "billions",
    "first_few",
    "interval",
    "iso_day",
    "listed",
    "long_day",
    "number",
    "p_text",
    "percent",
    "plural",
    "signed",
]


def __dir__() -> list[str]:
    return sorted(__all__)


#: Characters that steer a terminal or turn the order of what follows, but for ends of lines and tabs; and halves of characters, which no stream takes.
_STEERING = {
    code: f"\\u{code:04x}"
    for code in (
        *range(9),
        *range(11, 32),
        *range(127, 160),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    )
}


def printable(text: str) -> str:
    r"""Return text in which characters that would steer a terminal are written out, as JSON writes them.

    Examples
    --------
    >>> print(printable("a red\x1b[31m title"))
    a red\u001b[31m title
    """
    return text.translate(_STEERING)


def one_line(text: str) -> str:
    r"""Return a name as `printable` text in one line: what breaks a line is written out too.

    Examples
    --------
    >>> print(one_line("a\nforged line"))
    a\u000aforged line
    """
    return re.sub(r"[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", printable(text))


def without_secrets(text: str) -> str:
    """Return a text without what looks like a password in an address, even a malformed one, in a query or a connection string.

    Examples
    --------
    >>> print(without_secrets("cannot reach http://me:s3cret/@proxy:80, token=abc"))
    cannot reach http://…@proxy:80, token=…
    >>> print(without_secrets("Unsupported proxy syntax in 'http://me:s3 cret:80': no number"))
    Unsupported proxy syntax in '…': no number
    """
    text = re.sub(r"://.*@", "://…@", text)
    text = re.sub(r"\S*[^\s@…]@(?=\S)", "…@", text)
    text = re.sub(r"(?i)(proxy\b[^'\"]*)(['\"])[^'\"]*\2", r"\1\2…\2", text)
    text = re.sub(r"(?i)(crumb\W{1,4})[^&\s'\")]+", r"\1…", text)
    return re.sub(r"(?i)(password|passwd|pwd|token|secret|api_?key)(\s*[=:]\s*)\S+", r"\1\2…", text)


def steers(text: str) -> bool:
    r"""Return True if a text holds characters that `printable` writes out.

    Examples
    --------
    >>> steers("a red\x1b[31m title"), steers("two\nlines")
    (True, False)
    """
    return printable(text) != text


def printable_all(content: object) -> object:
    """Return what JSON can hold with every text in it `printable`."""
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, Mapping):
        return {printable(str(key)): printable_all(value) for key, value in content.items()}
    return [printable_all(part) for part in content] if isinstance(content, list | tuple) else content


MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def percent(value: float, digits: int = 2, sign: bool = True) -> str:
    """Return a fraction as a signed per cent, ``−16.97%``; a dash if missing.

    Examples
    --------
    >>> percent(-0.16968), percent(0.0191, 1), percent(float("nan"))
    ('−16.97%', '+1.9%', '–')
    """
    if not math.isfinite(value):
        return DASH
    text = f"{abs(value) * 100:.{digits}f}%"
    if float(text[:-1]) == 0.0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, ``+0.85``; a dash if missing.

    Examples
    --------
    >>> signed(0.848), signed(-0.2, 1)
    ('+0.85', '−0.2')
    """
    text = number(value, digits)
    return f"+{text}" if math.isfinite(value) and float(f"{value:.{digits}f}") > 0 else text


def amount(measure: str) -> Callable[[float], str]:
    """Return how to write an abnormal amount of a measure: returns as per cent, log points with two decimals, variances with five."""
    if measure == "return":
        return percent
    return lambda value: signed(value, 5 if measure == "volatility" else 2)


def p_text(p: float) -> str:
    """Return a p-value: three decimals, ``<0.001`` below, a dash if missing; never ``0.000``."""
    if not math.isfinite(p):
        return DASH
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def below_text(m: float) -> str:
    """Return below what a p-value lies if none of m estimation days was as extreme: ``2/m``, no less than ``0.001``."""
    return f"{max(2.0 / m, 0.001):.3f}"


def sq_p_text(p: float, m: float) -> str:
    """Return the p-value of a sample-quantile test: with no day as extreme it is below ``2/m``."""
    return f"<{below_text(m)}" if p == 0.0 and m > 0 else p_text(p)


def number(value: float, digits: int = 2) -> str:
    """Return a number with a typographic minus; a dash if missing."""
    if not math.isfinite(value):
        return DASH
    text = f"{abs(value):.{digits}f}"
    return (MINUS if value < 0 and float(text) != 0.0 else "") + text


#: Signs of currencies that stand for no other one here; any other currency is written by its code, an unknown one not at all.
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "": ""}


def _money(currency: str) -> str:
    """Return what stands before an amount in a currency: ``$``, ``CHF ``, nothing if the currency is not known."""
    return _SIGNS.get(currency, f"{currency} ")


def money_words(currencies: Iterable[str]) -> str:
    """Return in which currency amounts are, in words.

    Examples
    --------
    >>> money_words(["USD", "USD"]), money_words(["CHF"]), money_words([""]), money_words(["EUR", "USD"])
    ('US dollars', 'CHF', 'the currency of the prices', 'the currency of each share’s prices')
    """
    named = sorted(set(currencies))
    if len(named) > 1:
        return "the currency of each share’s prices"
    code = named[0] if named else ""
    return {"USD": "US dollars", "": "the currency of the prices"}.get(code, code)


def one_currency(currencies: Iterable[str]) -> str:
    """Return the currency that all amounts share; empty if they share none, or it is not known."""
    named = set(currencies)
    return named.pop() if len(named) == 1 else ""


def billions(value: float, digits: int | None = None, currency: str = "USD") -> str:
    """Return money in billions with a sign: ``−$592bn``; a dash if missing.

    Parameters
    ----------
    value : float
        The amount, in units of the currency.
    digits : int, optional
        Decimals; by default none from ten billions on, one below, three below a twentieth of one.
    currency : str
        Its code; empty if it is not known.

    Examples
    --------
    >>> billions(-592.3e9), billions(33.4e9, 1), billions(0.54e9), billions(-2e7, currency="CHF"), billions(12e9, currency="")
    ('−$592bn', '+$33.4bn', '+$0.5bn', '−CHF 0.020bn', '+12bn')
    """
    if not math.isfinite(value):
        return DASH
    if digits is None:
        digits = 0 if abs(value) >= 9.95e9 or value == 0.0 else 1 if abs(value) >= 5e7 else 3
    text = f"{abs(value) / 1e9:,.{digits}f}"
    sign = "" if float(text.replace(",", "")) == 0.0 else MINUS if value < 0 else "+"
    return f"{sign}{_money(currency)}{text}bn"


def dollars(value: float, sign: bool = False, currency: str = "USD") -> str:
    """Return an amount of money as prose has it: in billions, from a trillion on in trillions.

    Examples
    --------
    >>> dollars(-592.34e9), dollars(1454.8e9), dollars(600e9), dollars(-592.34e9, sign=True), dollars(4e7, currency="EUR")
    ('$592.3bn', '$1.455tn', '$600bn', '−$592.3bn', '€0.04bn')
    """
    size = abs(value)
    unit, text = "bn", f"{size / 1e9:,.{1 if size >= 5e7 else 3}f}"
    if size >= 1e12:
        unit, text = "tn", f"{size / 1e12:,.3f}"
    before = (MINUS if value < 0 else "+") if sign else ""
    return f"{before}{_money(currency)}{text.rstrip('0').rstrip('.')}{unit}"


def interval(low: float, high: float, form: Callable[[float], str] = percent) -> str:
    """Return an interval as ``−20.1% to −10.9%``; a dash if missing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    return f"{form(low)} to {form(high)}"


def listed(things: Iterable[object], last: str = "and") -> str:
    """Return things as part of a sentence: ``A, B and C``.

    Examples
    --------
    >>> listed("ABC"), listed("AB", "or"), listed("A")
    ('A, B and C', 'A or B', 'A')
    """
    names = [str(x) for x in things]
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def in_brackets(text: str) -> str:
    """Return a text in brackets after a blank, nothing for nothing.

    Examples
    --------
    >>> "changed" + in_brackets("input"), "changed" + in_brackets("")
    ('changed (input)', 'changed')
    """
    return f" ({text})" if text else ""


def first_few(things: Iterable[object], most: int, separator: str = ", ") -> str:
    """Return things one after the other, of many the first ones and how many more: ``A, B and 3 more``.

    Examples
    --------
    >>> first_few("AB", 2), first_few("ABCDE", 2), first_few("ABC", 1, "; ")
    ('A, B', 'A, B and 3 more', 'A; and 2 more')
    """
    held = things if isinstance(things, Sequence) else list(things)
    shown = separator.join(map(str, held[:most]))
    comma = separator.rstrip() if separator != ", " else ""
    return f"{shown}{comma} and {len(held) - most:,} more" if len(held) > most else shown


def by_reason(reasons: Iterable[tuple[str, str]], most: int, kind: Callable[[str], str] = str) -> list[str]:
    """Return names with their reasons, those of one kind of reason together, counted and said once.

    Examples
    --------
    >>> by_reason([("A", "no price"), ("B", "listed late"), ("C", "no price"), ("D", "no price")], 2)
    ['3 (A, C and 1 more): no price', 'B: listed late']
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, reason in reasons:
        groups.setdefault(kind(reason), []).append((name, reason))
    return [
        f"{found[0][0]}: {found[0][1]}"
        if len(found) == 1
        else f"{len(found):,} ({first_few([name for name, _ in found], most)}): {short}"
        for short, found in groups.items()
    ]


def first_lines(things: Sequence[object], most: int, of: str = "") -> list[str]:
    """Return things a line each, of many the first ones and how many more: ``… and 3 more days; --json has all``.

    Examples
    --------
    >>> first_lines("ABCDE", 2, "days")
    ['  A', '  B', '  … and 3 more days; --json has all']
    """
    lines = [f"  {thing}" for thing in things[:most]]
    left = len(things) - most
    return [*lines, f"  … and {left:,} more{of and ' '}{of}; --json has all"] if left > 0 else lines


def capital(text: str) -> str:
    """Return a text with its first letter as a capital; the others stay as they are.

    Examples
    --------
    >>> capital("the S&P 500 fell")
    'The S&P 500 fell'
    """
    return text[:1].upper() + text[1:]


def plural(n: int, one: str, several: str = "") -> str:
    """Return a count with its noun, ``1 day``, ``3 days``, ``2 companies``.

    Examples
    --------
    >>> plural(1, "day"), plural(1200, "day"), plural(2, "company", "companies")
    ('1 day', '1,200 days', '2 companies')
    """
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def iso_day(day: date) -> str:
    """Return a day as ``2025-01-27``."""
    return str(day)[:10]


def iso_days(days: pd.DatetimeIndex) -> list[str]:
    """Return days as ``2025-01-27``."""
    import numpy as np

    return [str(day) for day in np.datetime_as_string(days.to_numpy(dtype="datetime64[D]"))]


def long_day(day: date) -> str:
    """Return a day as ``27 January 2025``."""
    return f"{day.day} {day:%B %Y}"


def relative_day(day: int) -> str:
    """Return a day relative to the event day: ``−5``, ``0``, ``+5``.

    Examples
    --------
    >>> relative_day(-5), relative_day(0), relative_day(5)
    ('−5', '0', '+5')
    """
    return signed(day, 0)


#: What else indexes are called, and their names at Yahoo, without the sign before them.
INDEX_NAMES = {
    "SPX": "GSPC", "INX": "GSPC", "SP500": "GSPC", "S&P500": "GSPC", "S&P 500": "GSPC", "COMP": "IXIC", "COMPX": "IXIC", "NASDAQ": "IXIC",
    "DJIA": "DJI", "INDU": "DJI", "DOW": "DJI", "NDX100": "NDX",
}  # fmt: skip


def did_you_mean(words: Iterable[str], choices: Iterable[str]) -> str:
    """Return `` Did you mean …?`` for words that are nearly one of the choices, or an empty text.

    Examples
    --------
    >>> did_you_mean(["AVG0"], ["AVGO", "NVDA"])
    ' Did you mean AVGO?'
    >>> did_you_mean(["^SPX"], ["^GSPC", "NVDA"])
    ' Did you mean ^GSPC?'
    """
    from difflib import get_close_matches

    by_upper = {str(c).upper(): str(c) for c in choices}
    found = []
    for word in words:
        bare = {k.lstrip("^"): v for k, v in by_upper.items()}
        asked = word.upper().lstrip("^")
        near = [i for i in [INDEX_NAMES.get(asked, "")] if i in bare] or get_close_matches(asked, bare, n=1, cutoff=0.7)
        found += [bare[n] for n in near]
    return f" Did you mean {', '.join(dict.fromkeys(found))}?" if found else ""


def is_formula(text: str) -> bool:
    """Return True if a spreadsheet may run a text as a formula, whatever blanks stand before it."""
    bare = unicodedata.normalize("NFKC", text).strip()  # full-width signs count as their plain ones
    return bare[:1] in {"=", "+", "-", "@"} if bare else False


def inert(value: object) -> object:
    """Return text that a spreadsheet would run as a formula with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and (value[:1] in {"\t", "\r"} or is_formula(value)) else value


# -- Rounding that makes outputs the same on every processor.


SIGNIFICANT_DIGITS = 10


def round_significant(values: ArrayLike, digits: int = SIGNIFICANT_DIGITS) -> NDArray[np.float64]:
    """Round to a number of significant decimal digits; NaN and infinities pass through.

    Parameters
    ----------
    values : array_like
        Numbers of any shape and unit.

    Returns
    -------
    ndarray of float
        The rounded numbers, same shape; negative zero becomes zero.

    Examples
    --------
    >>> float(round_significant(0.123456789012345))
    0.123456789
    """
    import numpy as np

    x = np.asarray(values, dtype=np.float64)
    flat = x.ravel()
    out, rest = _rounded_many(flat, digits) if flat.size >= MANY else (np.empty(flat.shape), np.arange(flat.size))
    out[rest] = [float(f"{v:.{digits - 1}e}") for v in flat[rest].tolist()]
    return out.reshape(x.shape) + 0.0


#: From so many numbers on they are rounded together.
MANY = 64
#: Powers of ten up to this one are doubles without error.
_EXACT_POWER = 22


def _rounded_many(x: NDArray[np.float64], digits: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Round many numbers as their decimal texts are, and return the places of those for which a product may be too coarse.

    A whole number over an exact power of ten is the double nearest to that decimal. Which whole number it is the product tells, unless it
    lies within its own error of a half or of another number of digits.
    """
    import numpy as np

    size, powers = np.abs(x), 10.0 ** np.arange(_EXACT_POWER + 1)
    usable = (size > 0.0) & np.isfinite(size)
    place = digits - 1 - np.floor(np.log10(np.where(usable, size, 1.0)))
    usable &= (place >= 0) & (place <= _EXACT_POWER)
    power = powers[np.where(usable, place, 0.0).astype(np.int64)]
    scaled = np.where(usable, size, 1.0) * power
    whole = np.rint(scaled)
    error = 1e-15 * 10.0**digits
    usable &= (np.abs(np.abs(scaled - whole) - 0.5) > error) & (digits <= 12)
    usable &= (scaled > 10.0 ** (digits - 1) + error) & (scaled < 10.0**digits - 0.5 - error)
    return np.where(usable, np.copysign(whole / power, x), x), np.flatnonzero(~usable & (x != 0.0))


def share_digits(values: Iterable[float]) -> int:
    """Return the decimals for per cents of this magnitude: one, or more if all are tiny."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=1.0)
    return 1 if largest >= 0.005 else 2 if largest >= 0.0005 else 3
