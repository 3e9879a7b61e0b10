"""What a quotation gives as the reason of a move: by a word for a cause, by a passive with "by", by what acts on a price.

Grammar decides, not what the cause is: something other than the share that acts on it ("a lab sank Nvidia"), a participle with "by" and a
noun, a movement "on", "over" or "at" a noun that is no day, number, exchange or measure. An order of time ("after", "following") is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_WEEKDAYS = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:mon|tues?|wed|thurs?|fri|sat|sun)\b)"
#: Nouns after "on", "over", "by", "at" that are no cause: times, places of trade, measures.
_TIMES = (
    rf"{_WEEKDAYS}|{_MONTHS}|days?|dates?|eve|mornings?|afternoons?|evenings?|nights?|weeks?|months?|years?|quarters?|decades?|hours?|minutes?"
    "|sessions?|close|open|opening|bell|end|start|beginning|outset|time|then|now|midday|noon|today|yesterday|tomorrow|weekend|period|span"
)
_PLACES = (
    r"nasdaq|nyse|amex|xetra|euronext|topix|dow|stoxx|s&p|dax|ftse|stock markets?|markets?|(?:stock )?exchange|bourse|trading|wall street|board|floor|tape"
    "|tokyo|london|frankfurt|paris|zurich|new york"
)
_MEASURES = (
    "average|balance|aggregate|record|paper|volumes?|turnover|basis|terms|whole|top|bottom|par|lows?|highs?|level|pace|rate|price|least|most"
    "|points?|percent|per cent|thirds?|quarters?|half|halves|fifths?|sixths?|eighths?|tenths?|dollars|billions?|trillions?|millions?|fraction|margin"
)
_NO_CAUSE = f"{_TIMES}|{_PLACES}|{_MEASURES}"
#: Words before a noun that leave open what it is.
_BEFORE = (
    r"(?:the|an?|its|their|his|her|our|this|that|these|those|each|every|both|all|most|some|any|of|about|around|roughly|nearly|almost|more|less"
    r"|than|over|only|just|up|to|as|much|last|next|first|second|third|fourth|fifth|same|past|previous|following|very|few|several|many|heavy"
    r"|light|thin|one|two|three|four|five|six|seven|eight|nine|ten|new|closing|adjusted|daily|yearly|annual|weekly|good|bad|holy|christmas|[a-z]+-day)"
)
#: What ends up to three words that are no cause: "strong Xetra volume", "earnings day".
_LAST = "volumes?|turnover|basis|trading|exchange|bourse|days?|average"
#: A noun that is no time, place or measure, after at most five words that leave it open.
_NOUN = rf"(?!(?:{_BEFORE} ){{0,5}}(?:{_NO_CAUSE}|[$€£¥]?[\d.,]+\w*%?)(?![\w-]))(?!(?:[\w’'-]+ ){{0,2}}(?:{_LAST})\b)[^\W\d_]"
#: Movements down and up, as articles have them.
FALL = (
    r"f[ae]ll(?:s|en|ing)?|drop(?:s|ped|ping)?|declin\w+|retreat\w*|sli(?:d|des|ding|pped|ps)|plung\w+|slump\w*|tumbl\w+|plummet\w*|crash\w*|s[aiu]nk\w*"
    r"|crater\w*|nosediv\w+|collaps\w+|sold off|tank(?:ed|s|ing)|div(?:ed|es)|dip(?:ped|s)|edged (?:down|lower)|eas(?:ed|es)|lost|los(?:es|ing)|shed|down|lower|losses|loss"
)
RISE = r"r[oi]se(?:s|n)?|rising|climb\w*|advanc\w+|gain\w*|rebound\w*|soar\w*|surg\w+|jump\w*|rocket\w*|skyrocket\w*|spik\w+|le[a]pt|rall\w+|edged (?:up|higher)|up|higher|bounc\w*|claw\w* back|recover\w*|regain\w*"
#: A movement of a price.
MOVE = rf"(?:{FALL}|{RISE})"
#: Participles with "by" that say who did or holds something, not what moved a price.
_NO_AGENT = (
    r"measured|ranked|judged|weighted|followed|preceded|published|reported|sorted|owned|compiled|designed|listed|described|called|cited|made|built"
    r"|tracked|covered|held|used|run|founded|controlled|managed|named|said|led|seen|viewed|quoted|estimated|provided|prepared|issued|written|released"
    r"|developed|unveiled|launched|announced|created|acquired|bought|backed|based|chaired|headed|run|counted|divided|multiplied|adjusted|rated|surveyed|polled"
)
#: Causes as nouns, after words that also go with others.
_CAUSES = (
    "results?|earnings|sales|revenues?|profits?|data|outlook|demand|guidance|forecasts?|figures|numbers|growth|orders|margins?|tariffs?"
    "|inflation|warnings?|upgrades?|downgrades?|deals?|bids?|mergers?|buybacks?|cuts?|fears?|worr(?:y|ies)|concerns?|hopes?|optimism|news"
    "|reports?|speculation|expectations?|sentiment|competition|rumou?rs?"
)
#: Words that name a cause, whatever stands around them.
_NAMED = (
    r"because|due to|owing to|thanks to|amid(?:st)?|as a result of|the result of|in (?:response|reaction) to|in the (?:wake|face) of|on the back of"
    r"|under pressure from|under the weight of|(?:a )?(?:victim|casualty) of|blamed (?:on|for)|blam(?:es|ing)|attributed to|put down to|chalked up to|courtesy of"
    r"|(?:stem(?:s|med|ming)?|result(?:s|ed|ing)?|c[ao]mes?|coming|suffer(?:s|ed|ing)?|benefit(?:s|ed|ed|ing)?|recoil(?:s|ed|ing)?) from|react(?:s|ed|ing)? to|(?:weighed|dragged) down by"
    r"|(?:fears|worries|concerns) (?:that|about|over)|as (?:investors|traders|fears|worries)"
    r"|led to (?:an? |the )?(?:\w+ ){0,2}(?:fall|drop|plunge|slide|slump|rout|rally|rise|surge|jump|sell-?off|gain|loss|losses|decline|crash|rebound)"
)
#: What acts on a price, by itself or with the object that follows.
_ACTS = (
    r"caus(?:es?|ed|ing)|prompt(?:s|ed|ing)?|trigger(?:s|ed|ing)?|spark(?:s|ed|ing)?|set(?:s|ting)? off|touch(?:es|ed) off|provok(?:es?|ed|ing)|spur(?:s|red|ring)?"
    r"|unleash(?:es|ed|ing)|fuel(?:s|l?ed|l?ing)?|weigh(?:s|ed|ing)? (?:heavily )?on|spook(?:s|ed|ing)?|rattl(?:es?|ed|ing)|jolt(?:s|ed|ing)?|sent"
)
#: Verbs that move a price or those who hold it, with such an object.
_MOVES = (
    r"push(?:es|ed)|pull(?:s|ed)|drag(?:s|ged)|dr[oi]ve[sn]?|knock(?:s|ed)|sank|sunk|crush(?:es|ed)|rock(?:s|ed)|shook|shak(?:es|en)|hit|hits|hammer(?:s|ed)|boost(?:s|ed)"
    r"|lift(?:s|ed)|buoy(?:s|ed)|batter(?:s|ed)|hurts?|helped|punish(?:es|ed)|clobber(?:s|ed)|pummel(?:s|led|ed)|slamm?(?:s|ed)|dent(?:s|ed)|cost|unnerv(?:es|ed)"
    r"|dump(?:s|ed)|shunn(?:s|ed)|reward(?:s|ed)|propel(?:s|led)|tanked|crashed|cheer(?:s|ed)|roil(?:s|ed)|devastat(?:es|ed)|upended|stunned|floored|walloped|savaged"
)
_NAME = r"(?-i:(?!(?:Its|The|A)\b)[A-Z][\w&’'.-]*)"
_HELD = r"(?:shares?|stocks?|markets?|index(?:es)?|indices|prices?|sector|investors|traders|shareholders|makers|chipmakers|giants|companies|firms|banks)"
#: What can be moved: a name that is no day, or shares and those who hold them.
_OBJECT = rf"(?:down |up |back )?(?!(?:{_TIMES})\b)(?:(?:the|its|their|shares? (?:of|in)|stock (?:of|in)) )*(?:{_NAME}(?!\w)|(?:[\w’'-]+ ){{0,2}}{_HELD}\b)"
#: Something stands before the verb that may act: a word that is no "which", "had" or the like.
_AGENT = r"(?<=[\w%’'] )"

#: What "as" begins that is no clause of its own.
_NOT_AS = (
    r"(?!(?:well|much|many|of|soon|long|far|usual|expected|did|were|was|if|though|it (?:did|had)|the (?:first|second|third|last)|\w+ as"
    r"|(?:the )?(?:markets?|trading|exchanges?|day|session) (?:clos|open|beg|end|start|finish|w[eo]|progress)\w*)\b)"
)
#: Past forms that do not end in "ed".
_DID = (
    "became|began|bet|blew|bought|broke|brought|built|came|caught|chose|cut|did|drew|drove|fed|fled|flew|forgot|fought|found|froze|gave|got|grew|had"
    "|heard|held|hit|kept|knew|laid|led|left|let|lost|made|meant|met|paid|put|quit|ran|read|said|sat|saw|sent|set|shook|shot|shut|sold|sought|spent"
    "|spoke|spread|stole|stood|struck|stuck|swept|swung|thought|threw|told|took|tore|understood|voted|went|woke|won|wore|wrote"
)
#: Words in "s" that are no subject in the plural, and words that come after a plural and are no verb.
_PLURALS = r"(?:is|was|has|its|as|this|us|plus|less|versus|does|always)\b"
_LINKS = r"(?:of|in|on|at|for|and|or|to|by|from|with|as|than|do|did|go|went|clos\w+|open\w*|end\w*|everywhere|elsewhere|also|both|all|which|that|who)\b"

#: Where something else acts on the share; what the share itself does is no reason.
_ACTING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_AGENT}(?:{_ACTS})\b",
        rf"{_AGENT}(?:{_MOVES}) {_OBJECT}",
        rf"{_AGENT}(?:made|makes?|let|left) {_OBJECT} (?:\w+ )?(?:{MOVE}|reeling)\b",
        rf"{_AGENT}(?:wip|eras|shav|slic|knock|tak|took|chopp|lopp|carv)\w*(?: out)? [^.;]{{1,30}}? (?:off|from) (?!its\b|their\b)",
    )
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{_NAMED})\b",
        r"^given (?!up\b)",
        r"(?<=, )given (?!up\b)",
        r"\b(?:on|over|by|with) (?:\w+ )?(?:fears?|worr(?:y|ies)|concerns?|hopes?|optimism|news|reports?|speculation)\b",
        (rf"\b(?!(?:{_NO_AGENT}|{MOVE}|of|on|and|in|or|\w+ly)\b)(?:\w+ed|hit|hurt|driven|shaken|struck|sunk|undone|undercut|caught|rent|split|shot)"
        rf"(?: (?:down|up|back|lower|higher|hard|under|out|off|away|aside))? by {_NOUN}"),
        rf"\b(?:led|held|shaken|struck)(?: (?:down|up|back|lower|higher))? by (?:[\w’'&%.-]+ ){{0,3}}(?:{_CAUSES})\b",
        rf"\b{MOVE}\b(?: (?!on\b|over\b|at\b)[\w$€£%.,’'-]+){{0,4}}?(?: (?:on|by) (?:{_WEEKDAYS}|[\d.]+%))* (?<!based )(?P<on>(?:on|over) {_NOUN})",
        (rf"\b(?<!based )(?:on|over) (?!(?:{_TIMES})\b)(?:(?!(?:{_TIMES}|after|before|following|ahead|on|over|by|from|than|of|in|at|and|as|when|while|to)\b)[\w’'&%.-]+ ){{0,3}}"
        rf"(?:{_CAUSES})\b(?![-’'])(?! (?:day|date|week|season|call|night|morning)\b)"),
        r"\bat (?:the |an? )?(?:\w+ )?(?:news|prospect|thought|sight|announcement|report|idea|threat|hint|suggestion|possibility|signs?)\b",
        r"^(?:spook|rattl|jolt)(?:ed|ing)\b|^sent\b",
        rf"\b{MOVE}\b(?: [\w$%.,]+){{0,3}}? (?P<as>as {_NOT_AS}(?:[\w’'-]+ ){{1,4}}?(?!{MOVE}\b)(?:\w+ed|{_DID})\b)",
        rf"\b{MOVE}\b(?: [\w$%.,]+){{0,3}}? (?P<as>as {_NOT_AS}(?!(?:[\w’'-]+ ){{1,4}}{MOVE}\b)(?:[\w’'-]+ ){{0,2}}(?!{_PLURALS})\w+s (?!{_LINKS})[a-z]+\b)",
    )
)  # fmt: skip


def reason_in(quote: str, names: Iterable[str] = ()) -> str:
    """Return what a quotation gives as a reason, from the word that gives it on; empty if it gives none.

    Parameters
    ----------
    quote : str
        The article's own words.
    names : iterable of str
        What the quotation may call the share that the claim is about: what acts on it is a reason, what it does itself is none.

    Examples
    --------
    >>> reason_in("Nvidia fell 17% on fears of cheaper chips."), reason_in("a week after the release")
    ('on fears of cheaper chips', '')
    >>> reason_in("SAP was buoyed by strong cloud results"), reason_in("SAP rose by 4% on Tuesday after strong results")
    ('buoyed by strong cloud results', '')
    >>> reason_in("A recall sank Toyota"), reason_in("Toyota sank 9%")
    ('sank Toyota', '')
    """
    own = set(names)
    found = [_start(m) for m in (p.search(quote) for p in _PATTERNS) if m]
    found += [m.start() for p in _ACTING for m in p.finditer(quote) if not _own(quote, m, own)]
    return quote[min(found) :].rstrip(" .") if found else ""


def _start(found: re.Match[str]) -> int:
    """Where the reason begins: after the movement, if that was read with it."""
    return max([found.start(), *(found.start(name) for name in found.groupdict())])


def _own(quote: str, found: re.Match[str], names: Collection[str]) -> bool:
    """Whether the share itself is what acts: "Nvidia erased …", "Nvidia’s shares hit …"."""
    before = quote[: found.start()].rstrip()
    return any(re.search(rf"\b{re.escape(name)}(?:[’']s (?:shares?|stock))?$", before) for name in names)
