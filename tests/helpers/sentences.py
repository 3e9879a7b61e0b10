"""Sentences about studies, true and made wrong in one thing each, with a truth computed from closes alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

NAMES = {"AVGO": "Broadcom", "MSFT": "Microsoft", "IBM": "IBM", "AMD": "Advanced Micro Devices", "TSLA": "Tesla", "ORCL": "Oracle", "CRM": "Salesforce", "AAPL": "Apple"}  # fmt: skip
WORDS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Said:
    """What a sentence says of whom: a size of a kind, on days, with the words around it."""

    who: str
    kind: str = "return"  # or "abnormal", "dollars"
    days: tuple[int, int] | None = None
    value: float = 0.0
    name: str = ""
    whose: str = ""
    before: str = ""
    after: str = ""
    unit: str = "%"
    when: str = ""
    digits: int = 1
    lead: bool = False

    def text(self) -> str:
        size = f"{abs(self.value) * 100:.{self.digits}f}{self.unit}"
        name, when = f"{self.name}{self.whose}", f" {self.when}" if self.when and not self.lead else ""
        does = "fell" if self.value < 0 else "rose"
        said = f"{name} {does} {self.before}{size}{self.after}{when}"
        if self.kind == "abnormal":
            sign = "−" if self.value < 0 else "+"
            said = f"{name}’s abnormal return was {self.before}{sign}{size}{self.after}{when}"
        elif self.kind == "dollars":
            does, unit = "lost" if self.value < 0 else "gained", "bn" if self.unit == "%" else self.unit
            said = f"{name} {does} {self.before}${abs(self.value):.{self.digits}f}{unit}{self.after}{when}"
        return f"{self.when[0].upper()}{self.when[1:]}, {said}" if self.lead and self.when else said


class Truth:
    """Returns and abnormal returns of events by numpy on adjusted closes: the market model over days −270 to −21."""

    def __init__(self, table, events, money=None, index="^GSPC") -> None:
        self.days, self.events = table.adj_close.index, events
        self.money = money or {}  # in billions, of the event day
        self.daily, self.own, self.index = {}, {}, {}
        self.place = {}
        for key, (ticker, date) in events.items():
            r = table.adj_close[[ticker, index]].pct_change(fill_method=None)
            place = self.days.get_loc(date)
            past = r.iloc[place - 270 : place - 20]
            slope, intercept = np.polyfit(past[index], past[ticker], 1)
            self.place[key] = place
            self.daily[key], self.index[key] = r[ticker].to_numpy(), r[index].to_numpy()
            self.own[key] = (r[ticker] - intercept - slope * r[index]).to_numpy()

    def value(self, key: str, kind: str, days: tuple[int, int]) -> float:
        at = slice(self.place[key] + days[0], self.place[key] + days[1] + 1)
        if kind == "dollars":
            return self.money.get(key, np.nan) if days == (0, 0) else np.nan
        if kind in ("return", "index"):
            return float(np.prod(1.0 + (self.daily if kind == "return" else self.index)[key][at]) - 1.0)
        return float(self.own[key][at].sum())

    def date(self, key: str, day: int) -> str:
        d = self.days[self.place[key] + day]
        return f"{d.day} {d:%B} {d.year}"

    def day_of(self, key: str, date: str) -> int | None:
        return next((d for d in range(-5, 6) if self.date(key, d) == date), None)

    def shows(self, said: Said) -> bool:
        """Return whether a size is the one that closes give, in the digits of the text, with its sign."""
        if said.days is None:
            return False
        true, scale = self.value(said.who, said.kind, said.days), 1 if said.kind == "dollars" else 100
        return f"{true * scale:.{said.digits}f}" == f"{said.value * scale:.{said.digits}f}"


def whens(truth: Truth, key: str, days: tuple[int, int], usual: tuple[int, int]) -> Iterator[str]:
    """Yield the ways to name days that mean just these days."""
    if days == usual:
        yield ""
    if days[0] == days[1]:
        yield f"on {truth.date(key, days[0])}"
        yield f"on day {days[0]:+d}" if days[0] else "on the event day"
    else:
        yield f"over trading days {days[0]:+d} to {days[1]:+d}".replace("+0", "0").replace("-", "−")
        yield f"from {truth.date(key, days[0])} to {truth.date(key, days[1])}"
        if days == usual:
            yield f"over {WORDS[days[1] - days[0] + 1]} trading days"


def true_ones(truth: Truth, usual: tuple[int, int], bare) -> Iterator[Said]:
    """Yield sentences that hold; ``bare`` says what a key is called."""
    every = dict.fromkeys([usual, (0, 0), (1, 1), (0, 2)])
    for key, days, kind in product(truth.events, every, ("return", "abnormal", "dollars")):
        value = truth.value(key, kind, days)
        if not abs(value) >= (0.06 if kind == "dollars" else 0.0006):
            continue
        for when in whens(truth, key, days, usual):
            said = Said(key, kind, days, value, bare(key), when=when)
            yield said
            yield replace(said, digits=2, lead=bool(when))
            if kind == "return":
                yield replace(said, unit=" per cent", before="by ")
                yield replace(said, whose="’s share price")
                low, high = np.floor(abs(value) * 1000) / 1000, np.ceil(abs(value) * 1000) / 1000
                if low > 0 and low * 100 != abs(value) * 100:
                    yield replace(said, value=np.copysign(low, value), before="more than ")
                    yield replace(said, value=np.copysign(high, value), before="less than ")


OTHERS = ("’s market", "’s suppliers", "’s index", " rivals", "’s sector", "’s sales", "’s market value", " and its peers", " options")  # fmt: skip
RATES = (" a day", " per day", " each day", " daily", " a week", " on average", " a share", " each", " in the first hour", " annualised", " before lunch", " the next day", " an hour", " per session")  # fmt: skip
BEFORES = ("from ", "to ", "at ", "as much as ", "up to ", "below ", "above ", "within ", "against ", "of ", "for ")
UNITS = (" percentage points", " points", " basis points", "bn", " dollars", "x", "‰", " per mille", "% points", " standard errors")  # fmt: skip


def wrong_ones(truth: Truth, said: Said, usual: tuple[int, int], bare) -> Iterator[tuple[str, str]]:
    """Yield what was changed, and the sentence, which then does not hold, or says what no number of the study answers for."""
    plain = said.before in ("", "by ") and not said.lead
    if plain:
        yield from (
            ("subject", replace(said, whose=whose).text())
            for whose in OTHERS
            if said.kind != "dollars" or "value" not in whose
        )
        yield from (("subject", replace(said, name=name).text()) for name in ("The market", "The index", "The sector", "Europe"))  # fmt: skip
        yield from (("rate", replace(said, after=after).text()) for after in RATES)
        yield from (("relation", replace(said, before=before).text()) for before in BEFORES)
        yield from (
            ("unit", replace(said, unit=unit).text()) for unit in UNITS if said.kind != "dollars" or unit != "bn"
        )
    yield from _of_others(truth, said, bare)
    for kind in ("return", "abnormal"):
        if said.kind != "dollars" and kind != said.kind and not _holds(truth, replace(said, kind=kind)):
            yield "kind", replace(said, kind=kind, whose="").text()
    yield from wrong_sizes_and_days(truth, said, usual)


def _of_others(truth: Truth, said: Said, bare) -> Iterator[tuple[str, str]]:
    for other in (k for k in truth.events if k != said.who):
        changed = replace(said, who=other, name=bare(other))
        if said.when and any(c.isdigit() for c in said.when) and "20" in said.when:
            changed = replace(changed, days=_days(truth, other, said.when))
        if not _holds(truth, changed):
            yield "subject", changed.text()


def wrong_sizes_and_days(truth: Truth, said: Said, usual: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Yield the same of other sizes, signs, days and windows."""
    flipped = replace(said, value=-said.value)
    yield "sign", flipped.text()
    for factor in (1.02, 0.9, 10.0):
        changed = replace(said, value=said.value * factor)
        if not _holds(truth, changed):
            yield "size", changed.text()
    if said.before in ("more than ", "less than "):
        yield "relation", replace(said, before={"more than ": "less than ", "less than ": "more than "}[said.before]).text()  # fmt: skip
    spans = dict.fromkeys([usual, (0, 0), (1, 1), (2, 2), (0, 2), (0, 3), (-1, 1)])
    for days in (d for d in spans if d != said.days):
        if _holds(truth, replace(said, days=days)):
            continue
        yield from (("day", replace(said, when=when).text()) for when in whens(truth, said.who, days, usual))
    for other in truth.events:  # the day of another event
        date = truth.date(other, 0)
        changed = replace(said, days=None if (d := truth.day_of(said.who, date)) is None else (d, d), when=f"on {date}")
        if not _holds(truth, changed):
            yield "day", changed.text()
    date = truth.date(said.who, 0)
    lasts = said.days[1] - said.days[0] + 1
    for when in (f"since {date}", f"before {date}", f"by {date}", f"after {date}", "within a week", "in a month", "the day after", "this year", "in 2019", f"ahead of {date}"):  # fmt: skip
        yield "window", replace(said, when=when, lead=False).text()
    for n in {1, 2, 3, 4, 5} - {lasts}:
        yield "window", replace(said, when=f"within {n} days", lead=False).text()


def _days(truth: Truth, key: str, when: str) -> tuple[int, int] | None:
    dates = when.removeprefix("on ").removeprefix("from ").split(" to ")
    days = [truth.day_of(key, date) for date in dates]
    return None if None in days else (days[0], days[-1])


def _holds(truth: Truth, said: Said) -> bool:
    if said.before not in ("more than ", "less than "):
        return truth.shows(said)
    if said.days is None:
        return False
    true = truth.value(said.who, said.kind, said.days)
    size = round(abs(said.value) * 100, said.digits)
    return true * said.value > 0 and (abs(true) * 100 > size if said.before == "more than " else abs(true) * 100 < size)


def counts(truth: Truth, usual: tuple[int, int]) -> Iterator[tuple[bool, str]]:
    """Yield counts of prices that fell or rose, in digits and in words, and whether they hold."""
    n = len(truth.events)
    for side, verb in ((-1, "fell"), (1, "rose")):
        true = sum(truth.value(k, "return", usual) * side > 0.0005 for k in truth.events)
        for said in range(1, n + 1):
            yield said == true, f"Prices of {said} of {n} {verb}"
            yield said == true, f"Prices of {WORDS[said]} of {WORDS[n]} {verb}"
            yield said == true, f"Prices of {WORDS[said]} of the {WORDS[n]} {verb}"
            yield true >= said, f"Prices of at least {said} of {n} {verb}"
            yield true > said, f"Prices of more than {WORDS[said]} of {WORDS[n]} {verb}"


def pairs(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[bool, str]]:
    """Yield what is said of two in one sentence, and whether it holds."""
    for one, other in product(truth.events, truth.events):
        a, b = (Said(k, days=usual, value=truth.value(k, "return", usual), name=bare(k)) for k in (one, other))
        if one == other or min(abs(a.value), abs(b.value)) < 0.0006 or f"{a.value:.3f}" == f"{b.value:.3f}":
            continue
        for join in (" and ", ", ", ", while ", "; ", ". ", ", but "):
            yield True, f"{a.text()}{join}{b.text()}"
            for left, right in ((b.value, a.value), (a.value, -b.value), (-a.value, b.value), (a.value, a.value)):
                yield False, f"{replace(a, value=left).text()}{join}{replace(b, value=right).text()}"
            yield False, f"{a.text()}{join}{replace(b, whose='’s market').text()}"
        yield False, replace(a, name=f"{bare(one)} and {bare(other)}").text()


#: By how much one did better than another, or than the index.
BEATS = (("outperformed", "underperformed"), ("beat", "lagged"), ("outpaced", "trailed"))


def beside(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[bool, str]]:
    """Yield by how many points a share did better than another one or than the index, and whether it holds: never what a model expects."""
    for key in truth.events:
        others = {bare(k): truth.value(k, "return", usual) for k in truth.events if k != key}
        others |= dict.fromkeys(("the S&P 500", "the market", "the index"), truth.value(key, "index", usual))
        went, own = (truth.value(key, kind, usual) for kind in ("return", "abnormal"))
        for (other, value), words, size in product(others.items(), BEATS, (None, own, went, 0.01)):
            more = went - value
            said = more if size is None else size
            right = size is None or f"{said * 100:.1f}" == f"{more * 100:.1f}"
            yield right, f"{bare(key)} {words[said < 0]} {other} by {abs(said) * 100:.1f} points"
            if size is None:
                yield False, f"{bare(key)} {words[said > 0]} {other} by {abs(said) * 100:.1f} points"


def bare_counts(truth: Truth, usual: tuple[int, int], states: dict[str, str]) -> Iterator[tuple[bool, str]]:
    """Yield counts that do not say of what, which hold only if those of prices and of clear abnormal returns are one number; ``states`` are verdicts."""
    n = len(truth.events)
    for sign, state, verb in ((-1, "down", "fell"), (1, "up", "rose")):
        went = {k for k in truth.events if truth.value(k, "return", usual) * sign > 0.0005}
        clear = {k for k in truth.events if states[k] == state}
        for said in range(1, n + 1):
            yield {said} == {len(went), len(clear), len(went & clear)}, f"{said} of {n} {verb}"
            yield said == len(clear), f"{said} of {n} {verb} abnormally"


def of_two(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[bool | None, str]]:
    """Yield what names another one beside the one that it is said of, and whether it holds; None where it is not to be judged."""
    for one, other in product(truth.events, truth.events):
        a, b = (truth.value(k, "return", usual) for k in (one, other))
        if one == other or min(abs(a), abs(b)) < 0.0006 or f"{a:.3f}" == f"{b:.3f}":
            continue
        who, whom = bare(one), bare(other)
        fell, fall, size = "fell" if a < 0 else "rose", "fall" if a < 0 else "rise", f"{abs(a) * 100:.1f}%"
        for text in (
            f"{who}, {whom}’s rival, {fell} {size}",
            f"{who}, a rival of {whom}, {fell} {size}",
            f"{who}, unlike {whom}, {fell} {size}",
            f"Unlike {whom}, {who} {fell} {size}",
            f"{who} {fell} as far as {whom} {size}",
            f"{who} lost {whom} {size}",
            f"{who}, {whom} {fell} {size}",
            f"Without {whom}, {who} {fell}",
            f"After {whom}, {who} {fell}",
            f"All but {whom} {fell}",
            f"{who} gained on {whom}",
            f"{whom}’s gain was {who}’s loss",
            f"{whom}’s gain was {who}’s {size} {fall}",
            f"{who}’s {size} {fall} was {whom}’s gain",
        ):
            yield None, text
        both = "A {:.1f}% {} for {} and a {:.1f}% {} for {}"
        words = {v: "fall" if v < 0 else "rise" for v in (a, b)}
        yield True, both.format(abs(a) * 100, words[a], who, abs(b) * 100, words[b], whom)
        yield False, both.format(abs(b) * 100, words[b], who, abs(a) * 100, words[a], whom)


#: What a share may lose that is no part of its price.
NO_PRICE = ("market share", "market", "shares", "stock", "customers", "sales", "book value", "market shares", "share of the market", "value to rivals", "value in a year")  # fmt: skip


def of_what(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[None, str]]:
    """Yield movements of what is no price, whatever their size."""
    for key in truth.events:
        value = truth.value(key, "return", usual)
        for part, noun in product(("sixth", "third", "half"), NO_PRICE):
            yield None, f"{bare(key)} lost {'' if part == 'half' else 'a '}{part} of its {noun}"
        for noun in ("market share", "stock market share", "share of the market", "price target", "share count"):
            yield None, f"{bare(key)}’s {noun} {'fell' if value < 0 else 'rose'} {abs(value) * 100:.1f}%"
        for words in (
            "lost a lawsuit",
            "gained users",
            "dropped its plans",
            "shed staff",
            "did not fall 99%",
            "did not rise 99%",
        ):
            yield None, f"{bare(key)} {words}"


def two_days(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[bool, str]]:
    """Yield what is said of two days in one sentence, in either order of days and sizes, and whether it holds."""
    forms = (
        "{who} {f0} {a:.1f}% on day 0 and {f1} {b:.1f}% on day 1",
        "On day 0 {who} {f0} {a:.1f}%, on day 1 it {f1} {b:.1f}%",
        "On day 0 {who} {f0} {a:.1f}% and {f1} {b:.1f}% on day 1",
    )
    for key, form in product(truth.events, forms):
        days = [truth.value(key, "return", (d, d)) for d in (0, 1)]
        if min(map(abs, days)) < 0.0006 or f"{days[0]:.3f}" == f"{days[1]:.3f}":
            continue
        for a, b in (days, days[::-1]):
            f0, f1 = ("fell" if v < 0 else "rose" for v in (a, b))
            yield [a, b] == days, form.format(who=bare(key), f0=f0, f1=f1, a=abs(a) * 100, b=abs(b) * 100)


def cumulated(truth: Truth, usual: tuple[int, int], bare) -> Iterator[tuple[bool, str]]:
    """Yield what is said by a day, from the first of the usual ones, with and without a comparison, and whether it holds."""
    for key, last in product(truth.events, range(usual[0], usual[1] + 1)):
        went, own = (truth.value(key, kind, (usual[0], last)) for kind in ("return", "abnormal"))
        day = (truth.value(key, "return", (last, last)), truth.value(key, "abnormal", (last, last)))
        if min(abs(went), abs(own)) < 0.0006 or went * own < 0:
            continue
        fell = "fell" if went < 0 else "rose"
        for a, b in ((went, own), day):
            yield (
                f"{abs(a) * 100:.1f}" == f"{abs(went) * 100:.1f}",
                f"{bare(key)} {fell} {abs(a) * 100:.1f}% by day {last}",
            )
            yield (
                f"{abs(b) * 100:.1f}" == f"{abs(own) * 100:.1f}",
                f"{bare(key)} {fell} {abs(b) * 100:.1f}% beyond the model by day {last}",
            )


def further(
    truth: Truth, usual: tuple[int, int], bare, states: dict[str, str]
) -> Iterator[tuple[str, bool | None, str]]:
    """Yield the kind of each sentence of more than one thing, whether it holds, and the sentence."""
    kinds = [of_two, of_what, two_days, cumulated]
    if len(truth.events) > 1:
        kinds.append(pairs)
        for right, text in (*counts(truth, usual), *bare_counts(truth, usual, states)):
            yield "count", right, text
    if len({date for _, date in truth.events.values()}) == 1:  # the index did one thing
        kinds.append(beside)
    for kind in kinds:
        for right, text in kind(truth, usual, bare):
            yield kind.__name__, right, text


#: Words of which most have no place in a sentence: relations, other subjects, times, rates, doubt.
_PUT_IN = (
    "from to by at in on of for with within over under until since before after about against among around as between beyond despite during "
    "except into like off out per than through toward via without a an its their our every each any no few many most several other another "
    "half third twice double once or but nor if because so yet when not never hardly almost nearly only just also still again already soon "
    "often usually daily weekly annually total combined together altogether relative net gross market sector index industry peers rivals "
    "suppliers customers options bonds sales revenue profit value may might could would should will must expected raw real nominal annualised "
    "adjusted implied analysts investors said day days week month year hour session minute overnight intraday yesterday more less fewer better "
    "worse further up down higher lower ahead behind € $ 3 5% 0.2 +1 two million bn percent points basis least much little own ’s second last "
    "next previous Nvidia Apple"
)
PUT_IN = _PUT_IN.split()
#: Those that are read, and held, where they stand before a number; or that change nothing.
READ = {"by", "over", "under", "about", "around", "almost", "nearly", "the"}


def with_a_word(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text with each word put in at each place, also as an ending."""
    parts = text.split(" ")
    for i in range(len(parts) + 1):
        for word in PUT_IN:
            yield word, " ".join([*parts[:i], word, *parts[i:]])
            if i and word == "’s":
                yield word, " ".join([*parts[: i - 1], parts[i - 1] + word, *parts[i:]])
