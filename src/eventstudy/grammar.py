"""The English of numbers that `eventstudy.statements` reads: its words, and the sentences that are read from end to end.

`fits` is a grammar, not a bag of words: a preposition, a possessive or a rate ("from 11%", "its market", "a day") that has no place in
it makes a text the author's own, whatever else was read in it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from eventstudy.distances import WORDS

# -- Words.

FALL = (
    r"fell|falls?|fallen|falling|drops?|dropped|dropping|plung\w+|plummet\w*|sank|sinks?|sunk|slump\w*|tumbl\w+|slid|slides?|"
    r"sliding|declin\w+|decreas\w+|lost|loses?|losing|loss(?:es)?|crash\w*|collaps\w+|shed|sheds|slips?|slipped|dips?|dipped|dented|"
    r"hurt|hammered|lag|lags|lagged|worse|underperform\w*|down(?! to)|below zero|below expect\w+"
)
RISE = (
    r"rose|rises?|risen|rising|gain\w*|jump\w*|climb\w*|surg\w+|soar\w*|rally|rallie[sd]|increas\w+|advanc\w+|better|outperform\w*|"
    r"held up|lead(?= on|\b$)|up(?! to)|above zero|above expect\w+|added"
)
MOVE = re.compile(rf"\b(?:(?P<down>{FALL})|(?P<up>{RISE}))\b", re.IGNORECASE)
STILL = re.compile(
    r"\b(?:(?:did|do|does|has|have)(?: not|n[’']t) (?:move|moved|budge|budged|change|changed)|unmoved|unchanged|stood still|motionless|"
    r"(?:was|were|is|are|stayed|remained|held|closed|ended|finished|stood|traded) (?:\w+ )?(?:flat|steady|still|stable))\b",
    re.IGNORECASE,
)
#: Movements beside what was expected, and words by which a movement is of the abnormal return or of the price alone.
COMPARES = re.compile(
    r"lag\w*|worse|better|(?:under|out)perform\w*|held up|lead|(?:below|above) (?:zero|expect\w+)|hurt|dented",
    re.IGNORECASE,
)
OF_ABNORMAL = re.compile(r"\b(?:abnormal(?:ly)?|CARs?|CAARs?)\b")
OF_PRICE = re.compile(r"\b(?:prices?|raw)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(?:no|not|nor|never|none|neither|hardly|cannot|without)\b|n[’']t\b", re.IGNORECASE)
EVERY = re.compile(r"\b(?:all|every|each|both)\b", re.IGNORECASE)
CLAUSE = re.compile(
    r"(?:[;!]|(?<!(?-i:[A-Z][a-z][a-z]))\.|(?<!\d{4}):)(?!\d)|(?<=\?)| [–—] |\b(?:(?<!\ball )(?<!one )(?<!thing )(?<!body )but|while|whereas|though|although)\b",
    re.IGNORECASE,
)
_COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_K = rf"(?:\d+|{'|'.join(_COUNTED[1:])})"
#: How many of all events a movement is said of.
COUNT = re.compile(rf"\b(?P<some>{_K}) of (?:the |all |these )?(?P<all>{_K})\b", re.IGNORECASE)
#: Of some events, which are not named or not counted.
QUANTIFIED = re.compile(
    rf"\b(?:{_K}|most|many|some|several|few|half|third|quarter|majority|minority|others?|rest|another|any|either|per ?cent)\b|%",
    re.IGNORECASE,
)
#: Before "the three": not all of them are meant.
OF_THEM = re.compile(
    rf"\b(?:{_K}|most|many|some|several|few|half|third|quarter|majority|minority|none|neither|any|either|rest) of $",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_][\w’'-]*")
#: Words that may stand between a subject and its number.
_PLAIN = (
    "a an the and or of in on by for at as over within its their it they that this these while but whereas though although s is are was were be been "
    "has have had do does did stands stood raw event share shares stock stocks price prices firm firms company companies percent per cent "
    "return returns abnormal abnormally cumulative change changes trading day days car cars caar"
)
PLAIN = frozenset(_PLAIN.split())

NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
PER, LARGE = r"%|per ?cent|percentage points?|points?", r"bn|tn|mn|billion|trillion|million"
UNIT = rf"{PER}|{LARGE}"
#: What stands for a currency: signs and codes before an amount, words and codes after it.
_CODES = (
    "USD EUR GBP GBX CHF JPY CNY HKD KRW TWD INR SGD AUD NZD CAD BRL MXN SEK NOK DKK PLN CZK HUF TRY ZAR SAR AED ILS"
)
SIGNS = {"US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
MONIES = {"US dollars": "USD", "dollars": "USD", "euros": "EUR", "euro": "EUR", "pounds": "GBP", "yen": "JPY", "Swiss francs": "CHF"}  # fmt: skip
BEFORE = rf"(?:{'|'.join(map(re.escape, SIGNS))}|(?:{_CODES.replace(' ', '|')}) ?)"
AFTER = rf"(?: (?:{'|'.join([*MONIES, *_CODES.split()])})\b)"
AMOUNT = rf"{BEFORE}{NUM}(?!\d| ?%)(?: ?(?:{LARGE})\b)?|{NUM} ?(?:{PER})(?!\w)|{NUM} ?(?:{LARGE})(?!\w){AFTER}?"
VALUE = rf"[−+-]?(?:{AMOUNT})"
PAIR = rf"(?P<low>{VALUE}) to (?P<high>{VALUE})"
#: A number with its interval, if it has one.
FIGURE = re.compile(
    rf"(?P<range>from {PAIR.replace('low', 'least').replace('high', 'most')})|(?P<main>(?<![\w$€£¥₹₩.,])(?<!\d[−-]){VALUE})"
    rf"(?:(?: \((?:[\d.]+% interval )?|, ){PAIR}(?=\)))?"
)
PARTS = re.compile(rf"(?P<sign>[−+-])?(?P<before>{BEFORE})?(?P<number>{NUM}) ?(?P<unit>{UNIT})?(?P<after>{AFTER})?")
SCALE = {"bn": 1e9, "billion": 1e9, "tn": 1e12, "trillion": 1e12, "mn": 1e6, "million": 1e6, "": 1.0}
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(
    rf"\b(?:\d{{1,2}} (?:{MONTHS})\b(?: \d{{4}}(?!\d))?|(?:{MONTHS}) \d{{1,2}}(?:, \d{{4}})?(?![\d%])|\d{{4}}-\d{{2}}-\d{{2}}(?!\d))"
)
DAYS = re.compile(
    r"\[(?P<a>[−+-]?\d+), (?P<b>[−+-]?\d+)\]|\b(?P<by>by )?(?:trading )?days? (?P<c>[−+-]?\d+)(?: (?:to|or day) (?P<d>[−+-]?\d+))?(?!\d)",
    re.IGNORECASE,
)
P = re.compile(r"\bp (?P<p><? ?0?\.\d+|[01]\.\d+)(?!\d)|(?P<of><?0\.\d{3})(?= for )")
FROM_DAY = re.compile(r"\b[Ff]rom (?:trading )?day ([−+-]?\d+)(?!\d| to [−+-]?\d)")
LEVEL = re.compile(
    rf"(?P<level>{NUM})%(?= (?:prediction |confidence )?(?:intervals?|bands?|prediction)\b|, t with)|(?<=two-sided )(?P<levels>{NUM})%"
)
EXPECTATION = re.compile(
    r"^,? (?!less (?!than))(?P<side>more|less|below|above|better|worse|short|beyond)\b(?: than)? (?:(?:what|it|they|was|were|had|been|is) )*"
    r"(?:expect\w+|the market[’']s move explains|its usual return|the model (?:expect\w+|explains)|the market (?:explains|accounts for))"
)
#: "more than expected" and the like where no number stands before it.
COMPARED = re.compile(
    r"(?P<side>more|less|better|worse) than (?:(?:it|they|was|were|had|been|is|the model) )*expect\w*|(?P<seems>less than (?:it|they) (?:seems?|looks?))",
    re.IGNORECASE,
)
AGAINST_MODEL = re.compile(r"^ (?:against|beyond) (?:what its beta explains|the model)\b")
ABNORMAL_NOUN = re.compile(
    r"\b(?P<median>measured from that median)|\b(?P<abnormal>abnormal|CARs?|CAARs?|beta explains)|\b(?:daily|raw) returns?\b",
    re.IGNORECASE,
)
RANK = re.compile(
    r"\b(?:was|is) the (?:(?P<rank>\d+)(?:st|nd|rd|th) )?largest of (?P<n>\d[\d,]*) (?:stocks|events|companies|shares)"
)

#: Of how many another movement is said, after such a count.
FURTHER = re.compile(rf"(?:,|\band) (?P<some>{_K})(?: of them)? $", re.IGNORECASE)
#: Stands for a subject's name, so that no word of a name is read as a verb.
HOLE = "\ufffc{}\ufffc"
FILLED = re.compile(r"\ufffc(\d+)\ufffc")
_SHARES = r"(?:(?:share|stock) prices?|prices?|shares?|stocks?)"
_OTHERS = r"(?:markets?|sectors?|ind(?:ex|ices|ustry)|peers?|rivals?|competitors?|suppliers?|customers?|bonds?|options?|sales|revenues?|profits?|earnings)"
OTHERS = re.compile(rf"\b{_OTHERS}\b", re.IGNORECASE)
#: What is another's, though it is called after a subject: "Micron's market", "Micron suppliers".
_NOT_OTHERS = (
    rf"(?![’']s? (?!(?:{_SHARES}|market value|raw|abnormal|cumulative|returns?|CARs?|CAARs?|{FALL}|{RISE})\b)"
    rf"| {_OTHERS}\b)"
)
OWN = re.compile(rf"\ufffc(\d+)\ufffc{_NOT_OTHERS}")
GROUP = re.compile(rf"\ufffc\d+\ufffc(?:(?:, \ufffc\d+\ufffc)*,? (?:and|or) \ufffc\d+\ufffc)?{_NOT_OTHERS}")
_NOUNS = (
    "share",
    "shares",
    "stock",
    "stocks",
    "price",
    "prices",
    "value",
    "return",
    "returns",
    "CAR",
    "CARs",
    "CAAR",
    "change",
)
#: Before a name that is no subject: of a relation, an object, one of several without "and".
GOVERNED = re.compile(
    rf"(?:\b{''.join(f'(?<!{noun} )' for noun in _NOUNS)}(?:of|for|in)|\b(?:(?:un)?like|with(?:out)?|despite|after|before|against|to|from|than|"
    rf"on|by|at|over|as \w+ as|beside|behind|except|but|{FALL}|{RISE})) $|\ufffc\d+\ufffc,? $",
    re.IGNORECASE,
)
#: Where a part of a clause may begin or end, and words of degree, which turn no verdict.
PART = re.compile(r", |,? \b(?:and|as(?! \w+ as\b)) ")
DEGREE = re.compile(
    r"\b(?:clear|sharp|steep|slight|strong|deep|bad|great|heavi|heavy)(?:ly)? ?|\b(?:hard|again|too|also|even)\b ?",
    re.IGNORECASE,
)
LIST = re.compile(r"\ufffc\d+\ufffc(?:(?:, | and )\ufffc\d+\ufffc)*")

#: Verdicts in other words: of an interval that includes 0, or where a day lies beside the band.
NOISE = re.compile(
    r"\bwithin its ordinary noise\b|\bwas no clear break with the market\b|\blies (?P<side>below|above|inside) the band\b"
)

OF_TEST = re.compile(rf"(\ufffc\d+\ufffc) ([−+-]?{NUM}) standard errors")
NEAR = "|".join(sorted(WORDS, key=len, reverse=True))
#: By how much a share did better or worse than the market, unless it is measured by a model.
OUTDONE = re.compile(
    rf"(?P<who>{GROUP.pattern}) (?:(?:has|had|have|clearly|sharply|easily|far) )?(?:(?P<up>outperform(?:ed|s)?|beats?|outpaced|outdid)|"
    rf"(?P<down>underperform(?:ed|s)?|lag(?:ged|s)?|trail(?:ed|s)?))(?P<whom> (?:the (?:wider |broader |whole )?(?:market|index|benchmark)|\ufffc\d+\ufffc))? by "
    rf"(?:(?P<word>{NEAR}) )?(?P<size>{NUM} ?(?:{PER})(?!\w))(?![^,;.]* (?:abnormal|model|more|less|expect|beta))"
)
#: Parts of a price in words, and what a price did that has a word of its own.
PARTS_OF = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "sixth": 1 / 6, "eighth": 1 / 8, "tenth": 1 / 10}  # fmt: skip
TIMES = {"a": 1, "an": 1, "one": 1, "": 1, "two": 2, "three": 3, "four": 4}
MANIFOLD = {"halved": -1 / 2, "doubled": 1.0, "tripled": 2.0, "trebled": 2.0, "quadrupled": 3.0}
OF_VALUE = (
    r"(?: (?:of|off|from|in) (?:(?:its|their|the) )?(?:market |stock |share )?(?:value|price|worth|capitali[sz]ation))?"
)
FRACTION = re.compile(
    rf"(?P<who>{GROUP.pattern}) (?:(?:has|had|have|more) )*(?:(?P<near>{NEAR}) )?(?:(?P<fold>{'|'.join(MANIFOLD)})(?: (?:its|their|in) (?:market )?(?:value|price))?|"
    rf"(?P<move>[a-z]+) (?:by )?(?:(?P<word>{NEAR}) )?(?:(?P<times>an?|one|two|three|four)[ -])?(?P<part>{'|'.join(PARTS_OF)})s?){OF_VALUE}\b(?! (?:of|off|from|in|to) )",
    re.IGNORECASE,
)
LOWEST = re.compile(r"the lowest, (\ufffc\d+\ufffc)")
KEPT = re.compile(r"(\ufffc\d+\ufffc) \([\w ]+\) in (\d+) of (\d+)")
SHARE = re.compile(rf"(\ufffc\d+\ufffc) \((?P<share>{NUM}%)\)")
SHOWN_P = r"< ?0?\.\d+|[01]\.\d+"
#: An abnormal return with its p-value against the benchmark, then both against the rest of it.
REST = re.compile(
    rf"(\ufffc\d+\ufffc) (?P<change>{VALUE}) \(p (?P<p>{SHOWN_P})\) becomes (?P<rest>{VALUE}) \(p (?P<p_rest>{SHOWN_P})\)"
)
TURNS = re.compile(rf"\bverdict turns for ({GROUP.pattern})")
DEPENDS = re.compile(
    rf"\bWhether (?P<who>{LIST.pattern})(?P<more>,? and (?:\d+ more|\ufffc\d+\ufffc))? moved beyond the market depends on the yardstick\b"
)
#: Whom a number is said of, where they are named after it.
OF_WHOM = re.compile(
    rf"(?: (?:abnormal(?:ly)?|market|value|returns?|{FALL}|{RISE}))*? (?:for|of|in|off|at) (?:shares (?:of|in) )?(\ufffc\d+\ufffc){_NOT_OTHERS}",
    re.IGNORECASE,
)

#: Counts and levels by the words beside them; each group is the name of a count.
PHRASES = [
    re.compile(pattern.replace("#", r"[−+-]?\d[\d,]*(?:\.\d+)?"))
    for pattern in (
        r"(?P<as_far>#) of (?P<estimation_days>#) days of the estimation window (?:were as|went as far)",
        r"(?P<as_far>#) of (?P<estimation_days>#) at least as",
        r"beyond all (?P<estimation_days>#) days of the estimation window",
        r"(?P<as_far>#) of those days at least as extreme",
        r"(?P<estimation_days>#) (?:days of the estimation window|estimation days|daily returns)",
        r"the (?P<window_days>#) sessions(?= \[)",
        r"(?P<down>#) of (?P<events>#) (?:events|stocks) did clearly worse than expected(?:[^;.]*?, (?:(?P<up>#) better|none better))?",
        r"(?P<up>#) of (?P<events>#) (?:events|stocks) did clearly better than expected(?:[^;.]*?, none worse)?",
        r"(?P<clear>#) of (?P<events>#) (?:events|stocks) had a clear abnormal return",
        r"[Nn]o clear abnormal change(?: in market value)? for any of (?P<events>#) (?:events|stocks|companies)",
        r"(?:among|of) (?P<events>#) (?:stocks|events|companies)",
        r"(?P<drawn>#) abnormal returns",
        r"(?P<events>#) (?:events?|stocks?|companies)",
        r"(?P<between>#) between",
        r"(?P<hidden>#) (?:events|companies) between the first and the last",
        r"(?P<above_zero>#) were above zero",
        r"(?P<least_df>#) to (?P<most_df>#) degrees of freedom",
        r"(?P<least_df>#) degrees of freedom",
        r"by chance alone about (?P<chance>#)% would exclude 0",
        r"One test sees (?P<widest>#) standard errors; one that fits this design sees (?P<nearest>#)",
        r"The recommended tests see up to (?P<widest>#) standard errors",
        r"is up to (?P<signed_widest>#) standard errors from zero",
        r"(?:by|of) (?P<tests>#) tests",
        r"p is above (?P<test_level>#)%",
        r"Allowing for (?P<judged>#) of them",
        r"not among (?P<judged>#)",
        r"spread (?P<variance_ratio>#) times as widely",
        r"is (?P<variance_ratio>#) times that of estimation days",
        r"(?P<far_down>#) of them more than (?P<far>#) standard errors down and (?P<far_up>#) as far up",
        r"\bexplain (?P<explained>#)% of",
        r"(?P<left_out>#) of the events’ firms",
        r"Without all (?P<left_out>#) in it",
        r"Of (?P<members>#) members",
        r"(?P<rose>#) rose on",
        r"(?P<more_events>#) more events are in the tables",
        r"and (?P<more_turned>#) more moved beyond the market",
        r"(?P<one_of>#) of its (?P<estimation_days>#) estimation days",
        r"from the median share of each day instead, (?:(?P<rest_extreme>#) shares?|no share) had an extreme day(?:, (?:none|(?P<rest_up>#)) up and (?:none|(?P<rest_down>#)) down)?(?:; on (?P<rest_as_many>#) of (?P<ordinary>#) ordinary days at least as many)?",
        r"no share of (?P<events>#) had an extreme day",
        r"(?P<extreme>#) of (?P<events>#) shares had an extreme day(?:, (?:none|(?P<up>#)) up and (?:none|(?P<down>#)) down)?",
        r"(?P<extreme>#) of its (?P<firms>#) shares had an extreme day",
        r"across shares was (?P<spread>#)%",
        r"ordinary day it was (?P<usual_spread>#)%",
        r"Of (?P<groups>#) [\w -]+, (?:none|(?P<stand_out>#)) stands? out at (?P<test_level>#)%(?= by)",
        r"allowing for all (?P<groups>#) at once",
        r"that of (?P<groups_alone>#) [\w -]+(?=, among)",
        r"Allowing for all (?P<events>#) at once, (?:none|(?P<shares_out>#)) stands? out at (?P<test_level>#)%",
        r"than on any ordinary day went (?:no share|(?P<alone>#) shares?)",
        r"Ordinary are the (?P<ordinary>#) days",
        r"its (?P<few>#) lowest and its",
        r"its (?P<few>#) highest",
        r"more than on any of (?P<ordinary>#) ordinary days",
        r"none of (?P<ordinary>#) ordinary days",
        r"on (?P<as_many>#) of (?P<ordinary>#) ordinary days at least as many had one",
        r"[Aa]t least as many had one on (?P<as_many>#) of (?P<ordinary>#) ordinary days",
        r"on (?P<as_wide>#) of (?P<ordinary>#) ordinary days it was at least as large",
        r"\): on (?P<as_far_first>#) of (?P<ordinary>#) ordinary days it was",
        r"on (?P<as_far>#) of (?P<ordinary>#) ordinary days it was at least as far",
        r"as many of them on (?:none|(?P<as_many>#)) of (?P<ordinary>#) ordinary days",
        r"at least as far from zero on (?P<as_far_first>#) of (?P<ordinary>#) ordinary days",
        r"(?:on|of) (?P<ordinary>#) ordinary days\b",
        r"(?P<up>#) up(?: and|,) (?P<down>#) down",
        r"[Aa]t most (?P<tail>#)% of (?:its|the share’s)(?: (?P<all_days>#))? days",
        r"[Aa]t most (?P<test_level>#)% of all days",
        r"Bar chart of (?P<all_days>#) days",
        r"the median ordinary day has (?P<usual>#)",
        r"ordinary day with most has (?P<most>#)",
        r"(?:in each )?of (?P<groups>#) [\w -]+(?=, on |, a stroke)",
    )
]
#: Words of a phrase that say that a count is none.
NOBODY = {
    "none better": "up",
    "none worse": "down",
    "beyond all": "as_far",
    "as many of them on none": "as_many",
    "went no share": "alone",
    "no share of": "extreme",
    "instead, no share": "rest_extreme",
}
#: Zeros that are no numbers of a result.
LITERAL = re.compile(r"\b(?:excludes?|includes?|which is|from) 0\b|\bday 0 is\b")
#: What is said of all cumulated paths by a day; the same claim may go on to another day.
BY_DAY = re.compile(
    r"(?P<claim>[^;]*?(?:; [^;]*? above)?),? ?\b(?:and still by|or|by) day (?P<day>[−+-]?\d+)(?:[,;] ?)?"
)
SIDE = re.compile(rf"(?P<who>{GROUP.pattern}|\d+)(?: of \d+ events)?(?: is| are)?(?: clearly)? (?P<side>below|above)\b")
WORDS_OF_DISTANCE = re.compile(
    rf"\b(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})(?= [−+-]?{BEFORE}?\d)", re.IGNORECASE
)
#: Words beside a number that say what it is of, or how it is meant.
CUES = re.compile(
    r"\b(?:market (?:value|capitali[sz]ation)|the model expected|expected|Marked|raw|Cumulated from)\b", re.IGNORECASE
)

# -- When, and other relations of a number.

#: Days that a text means by words: the event day, and a window by how long it is.
EVENT_DAY = re.compile(r"\bon (?:the|its|their) event day\b", re.IGNORECASE)
LENGTH = re.compile(rf"\b(?:over|in|within) (?:the )?(?P<length>{_K}) (?:trading )?(?:days|sessions)\b", re.IGNORECASE)
#: Times that are not read.
ELSEWHEN = re.compile(
    r"\b(?:(?:next|following|previous|prior|first|last|second|third|whole|entire) (?:\w+ )?(?:day|session|week|month|quarter|year|hour)s?"
    r"|[\w-]+ (?:days?|sessions?|weeks?|months?|hours?|years?) (?:later|earlier|before|after|ago)|(?:day|session) (?:before|after)"
    r"|after[- ]hours|pre-?market|overnight|intraday|yesterday|today|tomorrow|since|to date|at the (?:open|close|low|high)"
    rf"|in (?:early |mid-?|late )?(?:{MONTHS}|\d{{4}})|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|on the \d{{1,2}}(?:st|nd|rd|th)"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.? \d{1,2}"
    r"|\d{1,2} (?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
    r"|(?:this|that|the|a|in|within|over) (?:\w+ )?(?:weeks?|months?|years?|hours?|minutes?|session)|(?:this|that|the) quarter"
    r"|(?:in|within|over|for) (?:\w+ )?(?:days|sessions)(?! [−+-]?\d))\b",
    re.IGNORECASE,
)
#: Before a number, or a date: not its size, not on that day.
FROM_TO = re.compile(
    rf"\b(?:from|to|until|till|towards?|since|as \w+ as|(?:{FALL}|{RISE}) (?:below|above|beyond|past|through)) $|[<>~≈±] ?$",
    re.IGNORECASE,
)
OFF_DATE = re.compile(r"\b(?:since|by|before|after|until|till|through|to|from|between|and|ahead of) $", re.IGNORECASE)
#: After a number: it is one of many, or shared out.
RATE = re.compile(
    r"^(?: (?:abnormally|in value))?,? (?:(?:an?|per|each|every|the) (?:(?:trading|single) )?(?:day|session|week|month|quarter|year|hour|share|firm|company|event|stock)\b"
    r"|each\b|apiece|daily|weekly|monthly|yearly|annually|annuali[sz]ed|on average|in total|in all|together|combined|between them|altogether)",
    re.IGNORECASE,
)


def count_of(word: str) -> int:
    """Return a count that is written in digits or as a word.

    Examples
    --------
    >>> count_of("Three"), count_of("14")
    (3, 14)
    """
    return int(word) if word.isdigit() else _COUNTED.index(word.lower())


# -- The sentences that are read from end to end.

#: Stands for a whole statement that was read as one.
TOLD = "\ue000"
_MONEY = rf"{BEFORE}{NUM}(?!\d| ?%)(?: ?(?:{LARGE})\b)?|{NUM} ?(?:{LARGE})(?!\w){AFTER}?"
_PERCENT, _POINTS = rf"{NUM} ?(?:%|per ?cent(?!\w))(?! ?points?)", rf"{NUM} ?(?:percentage )?points?(?!\w)"
_THE = r"(?:[Tt]he )?"
_MANY = r"(?: (?:events|firms|companies|shares|stocks))?"


@lru_cache(maxsize=8)
def _tokens(date: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return each kind of word as a letter, the first that fits is taken; ``date`` is the pattern of a date."""
    day, group = r"[−+-]?\d+", GROUP.pattern
    when = (
        rf"(?i:on) (?:{date}|(?:trading )?day {day}(?!\d| (?:to|or) )|(?:the|its|their) event day\b)"
        rf"|(?i:over|in) (?:the )?(?:(?:event )?window )?(?:(?:trading )?days {day} to {day}(?!\d)|\[{day}, {day}\])(?: around (?:{date}))?"
        rf"|(?i:from) (?:{date}) to (?:{date})|(?i:between) (?:{date}) and (?:{date})|by day {day}(?!\d)"
    )
    abnormal = r"(?:cumulative )?(?:abnormal return|CAR|CAAR)\b"
    kinds = {
        "T": rf"{TOLD}+",
        "F": STILL.pattern,
        "n": NOISE.pattern,
        "E": r"the model expected\b",
        "X": rf"(?:{EXPECTATION.pattern[4:]}|(?:against|beyond) (?:what its beta explains|the model)\b|{COMPARED.pattern})",
        "A": rf"{_THE}{abnormal} (?:of|for) {group}|{group}(?:[’']s?)? {abnormal}",
        "D": rf"{_THE}market value of {group}|{group}(?:[’']s?)? market value\b",
        "Z": rf"{_THE}(?:(?:share|stock) )?prices? of {group}|{group}(?:[’']s?)? (?:(?:share|stock) )?prices?\b",
        "S": rf"(?:{_THE}(?:shares?|stocks?) (?:of|in) )?{group}(?:(?:[’']s?)? (?:shares?|stocks?)\b)?|(?:[Tt]he|[Ii]ts) (?:shares?|stock)\b|It\b",
        "W": rf"{when}|(?i:{LENGTH.pattern})",
        "I": rf"\((?:[\d.]+% interval )?{VALUE} to {VALUE}\)",
        "z": rf"(?i:{_THE}prices of)(?= (?:(?:{NEAR}) )?{COUNT.pattern})",
        "C": COUNT.pattern + _MANY,
        "M": _MONEY,
        "Q": _POINTS,
        "P": _PERCENT,
        "s": r"[−+-](?=\S)",
        "R": rf"(?:{NEAR})(?= [−+-]?(?:{BEFORE}?\d|{_K} of ))",
        "m": r"(?:of|in|from|off) (?:(?:its|their) )?market value\b",
        "V": MOVE.pattern,
        "H": r"(?:has|have|had)\b",
        "i": r"(?:is|was|are|were|(?:stands|stood) at)\b",
        "d": r"(?:does|did|do)\b",
        "B": r"by\b",
        "a": r"abnormal(?:ly)?\b",
        "N": r"an?\b",
        "'": r"[’']s\b",
        "r": r"return\b",
        "o": r"(?:of|for|in)\b",
        "&": r"(?:and|while|whereas|but|as)\b",
        "k": rf"{_K}\b",
        **{mark: re.escape(mark) for mark in ",;:."},
    }
    return [
        (letter, re.compile(_nameless(pattern), re.IGNORECASE if letter in "FXDZSRVNkC" else 0))
        for letter, pattern in kinds.items()
    ]


def _nameless(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_SIZE = "B?R?[PMQ]I?m?"
_DID = f"(?:H?Va?(?:{_SIZE})?|iV(?:{_SIZE})?|F|dX)"
_BESIDE = "(?:,?R?[PMQ]?X)?"
_CLAUSE = "|".join(
    (
        f"S{_DID}W?{_BESIDE}(?:,?&{_DID}W?{_BESIDE})*",
        "Z(?:H?Va?(?:B?R?PI?)?|F)",
        "Ais?R?PI?",
        "D(?:H?VB?R?MI?|F)",
        "S:?s[PM]I?",
        "N?R?[PM]a?VoS|NVo(?:R?[PM]o)?S",
        "z?R?C(?:H?Va?|F)(?:W?(?:,|,?&)kV)*",
        "S?T|S'aVW?T|S'rosPW?n|Es?P",
    )
)
_STATEMENT = f"(?:W,?)?(?:{_CLAUSE})W?(?::?n)?"
_TEXT = re.compile(rf"(?:{_STATEMENT})(?:(?:[;,.]|,?&)(?:{_STATEMENT}))*\.?")


def fits(text: str, date: str) -> bool:
    """Return whether a text consists of statements that are read from end to end, and of nothing else.

    Parameters
    ----------
    text : str
        With holes for names, and `TOLD` for what was read as one statement.
    date : str
        The pattern of a date.

    Examples
    --------
    >>> [fits(f"\ufffc0\ufffc {said}", DATE.pattern) for said in ("fell 11.7%", "fell 11.7% a day", "fell from 11.7%")]
    [True, False, False]
    """
    kinds, letters, place = _tokens(date), [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        letter, found = next(((k, m) for k, p in kinds if (m := p.match(text, place)) and m.group()), ("", None))
        if found is None or (
            found.end() < len(text) and text[found.end()].isalnum() and text[found.end() - 1].isalnum()
        ):
            return False
        letters.append(letter)
        place = found.end()
    return bool(_TEXT.fullmatch("".join(letters)))
