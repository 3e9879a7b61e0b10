"""The ledger: each claim with its verdict, the number, what it rests on, and a plain sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from eventstudy.claims.causes import reason_in
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.kinds import KINDS
from eventstudy.claims.quotes import day_said, differs, names_of, over_days, unread, wrong_day
from eventstudy.claims.ruling import Ruling, Verdict, money, not_testable
from eventstudy.claims.schema import DOLLARS, ClaimPart
from eventstudy.claims.words import UP_TO, VERBS, WORDINGS, within_the_day
from eventstudy.errors import DataMissing, StudyFileError
from eventstudy.study.tables import html_table, markdown_table, markdown_text
from eventstudy.wording import capital, did_you_mean, listed, long_day


@dataclass(frozen=True, slots=True)
class Claim:
    """A quoted claim and the verdict of the numbers.

    Attributes
    ----------
    id, quote : str
        A short name, and the article's own words.
    source : str
        Where they stand: title, outlet and date as the article gives them.
    assets : tuple of str
        Tickers or baskets that it is about.
    about : str
        The same in words.
    kind : str
        What kind of claim it is.
    claimed : str
        The claimed number with its word; empty if there is none.
    ruling : Ruling
        Verdict, number, range, inputs, readings, sentence.
    remark : str
        What else the reader should know.
    """

    id: str
    quote: str
    source: str
    assets: tuple[str, ...]
    about: str
    kind: str
    claimed: str
    ruling: Ruling
    remark: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict, one of a closed set of words."""
        return self.ruling.verdict

    @property
    def verdict_text(self) -> str:
        """The verdict with what it depends on."""
        return f"depends on {self.ruling.condition}" if self.verdict == "depends on" else self.verdict

    @property
    def sentence(self) -> str:
        """The numbers in a sentence, with the remark."""
        needs = f"Needed: {self.ruling.needs}." if self.ruling.needs else ""
        return " ".join(part for part in (self.ruling.sentence, needs, self.remark) if part)

    @property
    def days(self) -> str:
        """The days judged; empty if none were."""
        return self.ruling.days

    def to_dict(self) -> dict[str, object]:
        """Return the claim as plain values; numbers keep all their digits."""
        r = self.ruling
        return {
            "id": self.id,
            "quote": self.quote,
            "source": self.source,
            "assets": list(self.assets),
            "kind": self.kind,
            "claimed": self.claimed,
            "days": r.days,
            "verdict": r.verdict,
            "depends_on": r.condition,
            "number": r.number,
            "low": r.low,
            "high": r.high,
            "unit": r.unit,
            "range_of": r.range_of,
            "inputs": dict(r.inputs),
            "readings": [{"label": x.label, "number": x.number, "verdict": x.verdict} for x in r.readings],
            "needs": r.needs,
            "sentence": r.sentence,
            "remark": self.remark,
        }


@dataclass(frozen=True, repr=False)
class ClaimsLedger:
    """All claims of a study with their verdicts; iterates over `Claim`, prints as a table.

    Attributes
    ----------
    claims : tuple of Claim
        In the order of the file.
    """

    claims: tuple[Claim, ...]

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __getitem__(self, name: str) -> Claim:
        """Return the claim with an id.

        Raises
        ------
        DataMissing
            If there is none; names those there are.
        """
        for claim in self.claims:
            if claim.id == name:
                return claim
        raise DataMissing(f"There is no claim {name!r}; there are {', '.join(c.id for c in self.claims) or 'none'}.")

    @property
    def table(self) -> pd.DataFrame:
        """One row a claim, indexed by id: source, quote, assets, kind, days, claimed, verdict, number, low, high, unit, sentence."""
        rows = [
            {
                "source": c.source,
                "quote": c.quote,
                "assets": " ".join(c.assets),
                "kind": c.kind,
                "days": c.days,
                "claimed": c.claimed,
                "verdict": c.verdict,
                "depends_on": c.ruling.condition,
                "number": c.ruling.number,
                "low": c.ruling.low,
                "high": c.ruling.high,
                "unit": c.ruling.unit,
                "range_of": c.ruling.range_of,
                "inputs": inputs_text(c.ruling.inputs),
                "sentence": c.sentence,
            }
            for c in self.claims
        ]
        return pd.DataFrame(rows, index=pd.Index([c.id for c in self.claims], name="id"))

    def to_dict(self) -> list[dict[str, object]]:
        """Return every claim as plain values."""
        return [c.to_dict() for c in self.claims]

    def by_article(self) -> dict[str, tuple[Claim, ...]]:
        """Return the claims grouped by where they stand, in the order of the file."""
        sources = dict.fromkeys(c.source for c in self.claims)
        return {s: tuple(c for c in self.claims if c.source == s) for s in sources}

    @property
    def markdown(self) -> str:
        """The ledger as Markdown: a heading an article, the verdict first."""
        headers = ("Verdict", "Claim", "About", "Days", "The numbers")
        blocks = []
        for source, claims in self.by_article().items():
            rows = [(c.verdict_text, f"“{c.quote}”", c.about, c.days, c.sentence) for c in claims]
            blocks.append(f"## {markdown_text(source)}\n\n{markdown_table(headers, rows, len(headers))}")
        return "\n\n".join(b.rstrip() for b in blocks) + "\n"

    def __repr__(self) -> str:
        lines = []
        for source, claims in self.by_article().items():
            lines.append(source)
            for c in claims:
                lines += [f"  {c.verdict_text.upper()}  [{c.id}]", f"    “{c.quote}”", f"    {c.sentence}"]
                lines += [f"    {key}: {value}" for key, value in c.ruling.inputs]
            lines.append("")
        return "\n".join(lines).rstrip() or "No claims."

    def _repr_html_(self) -> str:
        headers = ("Verdict", "Claim", "About", "Days", "The numbers")
        rows = [(c.verdict_text, f"“{c.quote}”", c.about, c.days, c.sentence) for c in self.claims]
        return html_table(headers, rows, "Claims and verdicts", len(headers))


def inputs_text(inputs: tuple[tuple[str, str], ...]) -> str:
    """Return inputs as one line of text."""
    return "; ".join(f"{key}: {value}" for key, value in inputs)


def judge(evidence: Evidence) -> ClaimsLedger:
    """Judge every claim of a study.

    Parameters
    ----------
    evidence : Evidence
        Prices, results, share counts and the claims.

    Returns
    -------
    ClaimsLedger

    Raises
    ------
    StudyFileError
        If a claim names an asset without prices, or relative days without an event to count from; names the file, the claim and the key.
    """
    return ClaimsLedger(tuple(_judged(evidence, part) for part in evidence.book.claims))


def _judged(ev: Evidence, part: ClaimPart) -> Claim:
    kind = KINDS[part.kind]
    where = f"{ev.book.file or 'study.toml'}: claim {part.id!r}"
    for ticker in part.assets if kind.of_prices else ():
        try:
            ev.source(ticker)
        except DataMissing as error:
            raise StudyFileError(f"{where}: assets: {error.message}") from error
    try:
        ruling = _unreadable(part) or _unlike_its_keys(ev, part) or _judged_on_its_day(ev, part)
    except DataMissing as error:
        ruling = not_testable(error.message, "data of those days")
    except StudyFileError as error:
        raise StudyFileError(f"{where}: {error.message}") from error
    article = ev.book.articles.get(part.article)
    assets = map(ev.call, part.assets) if kind.of_prices else part.assets
    return Claim(
        id=part.id,
        quote=part.quote,
        source=article.line if article else part.source,
        assets=(*part.assets, *part.baskets),
        about=capital(listed([*assets, *(ev.basket(key)[0] for key in part.baskets)])),
        kind=part.kind,
        claimed=claimed_text(part),
        ruling=ruling,
        remark=part.remark,
    )


def _unreadable(part: ClaimPart) -> Ruling | None:
    """Return the ruling on a claim whose words are not known, or speak of a price within the day, which no close can show."""
    kind = KINDS[part.kind]
    verbs = [word for word, verb in VERBS.items() if verb.base in kind.says]
    for word, known, usable in ((part.says, VERBS, verbs), (part.wording, WORDINGS, kind.wordings)):
        if word and word not in known and not (kind.of_prices and within_the_day(word)):
            meant = did_you_mean([word], filter(None, usable)).strip().removesuffix("?")
            needs = meant[:1].lower() + meant[1:] or "one of the words of the tables of claims"
            return not_testable(f"“{word}” is no word that a claim of kind {part.kind} is read by", needs)
    if not kind.of_prices:
        return None
    words = within_the_day(part.quote) or within_the_day(part.wording)
    if not words and part.wording in UP_TO and len(part.assets) == 1 and not part.baskets:
        words = part.wording
    return (
        not_testable(
            f"“{words}” speaks of a price within the day, and the data hold closes", "the day's lows and highs"
        )
        if words
        else None
    )


def _unlike_its_keys(ev: Evidence, part: ClaimPart) -> Ruling | None:
    """Return the ruling on a claim whose quotation says something else than its keys."""
    why = differs(ev, part)
    return _refused(why) if why else None


def _refused(why: str) -> Ruling:
    return not_testable(f"the quotation does not say what the keys say: {why}", "keys that say what the article says")


def _judged_on_its_day(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claim; what it says of a day on which the exchange was closed is wrong, whatever the next session brought."""
    kind = KINDS[part.kind]
    ruling = _beside_unread(ev, part, _beside_reason(ev, part, kind.judge(ev, part)))
    day = re.match(r"(\d{4}-\d\d-\d\d)(?: \(|$)", ruling.days)
    if not kind.of_prices or not day:
        return ruling
    span = over_days(part.quote)
    if span:
        return _refused(f"it says “{span}”, the keys mean {long_day(pd.Timestamp(day[1]))} alone")
    session, asked = pd.Timestamp(day[1]), pd.Timestamp(part.date) if part.date else None
    said, closed = day_said(part.quote, session, asked)
    if not said:
        return ruling
    if not closed or asked is None:
        return _refused(wrong_day(said, session))
    text = f"The exchange was closed on {asked:%A} {long_day(asked)}, the day that the quotation names. The next session: {ruling.sentence}"
    return replace(ruling, verdict="contradicted", condition="", sentence=text)


def _beside_reason(ev: Evidence, part: ClaimPart, ruling: Ruling) -> Ruling:
    """Return a ruling that says what a price cannot: the reason that a claim gives for it."""
    reason = part.because if "because" in part.given else reason_in(part.quote, _called(ev, part))
    if not reason or not KINDS[part.kind].of_prices or ruling.verdict == "not testable here":
        return ruling
    fits = ruling.verdict == "supported"
    text = f"{ruling.sentence} {'The price fits; the' if fits else 'The'} reason given, “{reason}”, is not testable by prices."
    return replace(ruling, verdict="supported in price only" if fits else ruling.verdict, sentence=text)


def _beside_unread(ev: Evidence, part: ClaimPart, ruling: Ruling) -> Ruling:
    """Return a ruling that says what of the quotation was not read."""
    left = unread(ev, part) if KINDS[part.kind].of_prices and ruling.verdict != "not testable here" else ""
    if not left:
        return ruling
    return replace(ruling, sentence=f"{ruling.sentence} Judged by the keys alone: {left}.")


def _called(ev: Evidence, part: ClaimPart) -> list[str]:
    """Return what the quotation may call the claim's assets."""
    return [name for name, ticker in names_of(ev, part).items() if ticker in part.assets] if part.assets else []


def claimed_text(part: ClaimPart) -> str:
    """Return the claimed number with its word, as text.

    Examples
    --------
    >>> part = ClaimPart(quote="q", kind="market_value", asset="NVDA", says="lost", billions=600, wording="almost")
    >>> claimed_text(part)
    'lost almost $600bn'
    """
    number = ""
    if part.value is not None:
        number = f"{part.value:g} {part.unit}".strip()
        if part.unit == "percent":
            number = f"{part.value:.10f}".rstrip("0").rstrip(".") + "%"
        elif part.unit in DOLLARS and not KINDS[part.kind].per_share:
            number = money(part.amount)
    return " ".join(w for w in (part.says, part.wording, number) if w)
