"""Write the generated parts of ``docs/method.md`` from the code, the tests and ``docs/size.csv``, so that they cannot drift.

Usage: ``python tools/make_method.py [--check]``. Between a line ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` the text is replaced;
``--check`` only tells whether it would change (exit code 1).
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pandas as pd
from size_table import FURTHER

from eventstudy import estimation
from eventstudy.inference import RECOMMENDED, RECOMMENDED_BUY_AND_HOLD, TESTS, Method, Overlooks
from eventstudy.inference.advice import OF_PORTFOLIO

ROOT = Path(__file__).parent.parent
PAGE, SIZES = ROOT / "docs" / "method.md", ROOT / "docs" / "size.csv"
ALWAYS = 0.5
SIMULATED = "simulated"
WINDOW = "[0, 0]"


def first_sentence(text: str) -> str:
    """Return the docstring's first paragraph on one line, as Markdown: double backticks become single ones."""
    paragraph = inspect.cleandoc(text).split("\n\n")[0].replace("\n", " ")
    return paragraph.replace("``", "`").replace("|", "\\|")


def where(thing: object) -> str:
    """Return module and name below the package."""
    return f"`{inspect.getmodule(thing).__name__.removeprefix('eventstudy.')}.{thing.__qualname__}`"  # type: ignore[union-attr, attr-defined]


def proofs(word: str) -> str:
    """Return the test files that name a word as a whole."""
    # a test's word is a text in the tests, a model's class a name
    pattern = re.compile(rf"\b{re.escape(word)}\b" if word[0].isupper() else rf"[\"']{re.escape(word)}[\"']")
    found = [p for p in sorted((ROOT / "tests").rglob("test_*.py")) if pattern.search(p.read_text(encoding="utf-8"))]
    folders: dict[str, list[str]] = {}
    for path in found:
        folders.setdefault(path.parent.name, []).append(path.stem.removeprefix("test_"))
    return "; ".join(f"{folder}: {', '.join(names)}" for folder, names in folders.items())


def table(headers: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tests_table() -> str:
    """One row a test: word, statistic, null, variants, what it allows for, paper, function, proofs."""
    rows = []
    for name, method in TESTS.items():
        variants = "; ".join(f"{k}: {', '.join(v)}" for k, v in method.options.items())
        what = first_sentence(method.compute.__doc__ or "")
        rows.append(
            [
                f"`{name}`",
                what,
                method.null,
                variants or "–",
                allows_for(method, Overlooks.DEPENDENCE) if method.scope == "many" else "–",
                allows_for(method, Overlooks.VARIANCE),
                method.reference,
                where(method.compute),
                proofs(name),
            ]
        )
    headers = [
        "name",
        "what it is",
        "null hypothesis",
        "variants (first: default)",
        "allows for a common date",
        "allows for event-induced variance",
    ]
    return table([*headers, "paper", "function", "proved in"], rows)


def allows_for(method: Method, what: Overlooks) -> str:
    """Return whether a test does not overlook something, in a word."""
    return "no" if what in method.overlooks else "yes"


def models_table() -> str:
    """One row a model: class, what it is, paper, proofs."""
    rows = []
    for name in estimation.__all__:
        thing = getattr(estimation, name)
        if not hasattr(thing, "design") or name == "NormalReturnModel":
            continue
        text = inspect.getdoc(thing) or ""
        papers = text.split("References\n----------\n")[-1].split("\n\n")[0] if "References\n" in text else "–"
        rows.append([f"`{name}`", first_sentence(text), " ".join(papers.split()), where(thing), proofs(name)])
    return table(["model", "what it is", "paper", "class", "proved in"], rows)


def percent(value: float) -> str:
    """Return a share in per cent with one decimal, or a dash."""
    return "–" if pd.isna(value) else f"{100 * value:.1f}"


def size_tables() -> str:
    """Sizes of the recommended tests, then of all tests on one day, then on real returns; per cent."""
    if not SIZES.is_file():
        raise SystemExit(f"{SIZES.name} is missing; run python tools/size_table.py first.")
    found = pd.read_csv(SIZES)
    null = found[found["returns"] == SIMULATED]
    named = (
        "**Recommended tests, simulated returns**: per cent of true nulls rejected at a nominal 5 %, in the draws in which the advice "
        "names the test; a dash where it rarely or never does."
    )
    every = (
        f"**Every test on one day {WINDOW}, simulated returns**, recommended or not: what a test overlooks shows here."
    )
    power = f"**Power** with an effect of 1 % on day 0 (one event: 5 %), window {WINDOW}: per cent rejected."
    together = (
        f"**A move in common that is no effect**, window {WINDOW}: per cent rejected where what events of one date share has twice its usual "
        "deviation. No test of one date can tell it from the news."
    )
    further = (
        "**Designs in which tests once failed without a word**: per cent of true nulls rejected by what is recommended, or stands beside "
        "it; in how many per cent of the draws the advice names the rate; and the size in the others."
    )
    apart = null["design"].isin([d.name for d in FURTHER])
    effects = found[found["returns"] == f"{SIMULATED}, with an effect"]
    in_common = found[found["returns"] == f"{SIMULATED}, a common move"]
    parts = [
        *(named, recommended_table(null[~apart])),
        *(
            "**Recommended tests, real returns.**",
            recommended_table(found[~found["returns"].str.startswith(SIMULATED)]),
        ),
        *(further, further_table(null[apart])),
        *(every, all_table(null[~apart])),
        *(power, power_table(effects)),
        *(together, power_table(in_common)),
    ]
    return "\n\n".join(parts)


def recommended_table(found: pd.DataFrame) -> str:
    """One row a design, window and test, one column a number of events."""
    named = set().union(*RECOMMENDED.values(), *RECOMMENDED_BUY_AND_HOLD.values())
    enough = found["n"] >= found["test"].map(lambda name: TESTS[name].fewest)
    chosen = found[(found["recommended"] >= ALWAYS) & found["test"].isin(named) & enough]
    return pivoted(chosen, ["returns", "design", "window", "test"], "size_when_recommended")


def further_table(found: pd.DataFrame) -> str:
    """One row a design, number of events, window and test that is recommended or of the portfolio."""
    chosen = found[
        (found["recommended"] >= ALWAYS)
        | (found["test"].isin(OF_PORTFOLIO) & (found["design"] == "one date, few firms"))
    ]
    rows = [
        [
            *(str(row.design), str(row.n), str(row.window), f"`{row.test}`"),
            percent(row.size if pd.isna(row.size_when_recommended) else row.size_when_recommended),
            *(percent(row.warned), percent(row.size_unwarned)),
        ]
        for row in chosen.itertuples()
    ]
    return table(["design", "N", "window", "test", "size", "told", "size, not told"], rows)


def all_table(found: pd.DataFrame) -> str:
    """One row a test and number of events, one column a design."""
    day = found[found["window"] == WINDOW]
    designs = list(dict.fromkeys(day["design"]))
    rows = []
    for (test, n), part in day.groupby(["test", "n"], sort=False):
        by = part.set_index("design")["size"]
        rows.append([f"`{test}`", str(n), *(percent(by.get(d, float("nan"))) for d in designs)])
    rows.sort(key=lambda r: (list(TESTS).index(r[0].strip("`")), int(r[1])))
    return table(["test", "N", *designs], rows)


def power_table(found: pd.DataFrame) -> str:
    """One row a design and test, one column a number of events."""
    return pivoted(found[found["window"] == WINDOW], ["design", "test"], "size")


def pivoted(found: pd.DataFrame, keys: list[str], value: str) -> str:
    """Return per cents with one column a number of events."""
    sizes = sorted(found["n"].unique())
    rows = []
    for names, part in found.groupby(keys, sort=False):
        by = part.set_index("n")[value]
        words = [f"`{w}`" if k == "test" else str(w) for k, w in zip(keys, names, strict=True)]
        rows.append([*words, *(percent(by.get(n, float("nan"))) for n in sizes)])
    return table([*keys, *(f"N = {n}" for n in sizes)], rows)


PARTS = {"models": models_table, "tests": tests_table, "sizes": size_tables}


def generate(page: str) -> str:
    """Return the page with its generated parts made anew."""
    for name, make in PARTS.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if begin not in page or end not in page:
            raise SystemExit(f"{PAGE.name} lacks the lines {begin} and {end}.")
        head, rest = page.split(begin, 1)
        page = f"{head}{begin}\n{make()}\n{end}{rest.split(end, 1)[1]}"
    return page


def main(arguments: list[str]) -> int:
    """Write the page, or tell whether it would change."""
    before = PAGE.read_text(encoding="utf-8")
    after = generate(before)
    if "--check" in arguments:
        print("as generated" if after == before else f"{PAGE.name} is out of date: run python tools/make_method.py")
        return int(after != before)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
