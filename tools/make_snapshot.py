"""Write the price snapshot embedded in the package from a folder of source figures.

    python tools/make_snapshot.py FOLDER

The folder holds ``prices.csv``, ``prices_wide_universe.csv.gz``, ``universe_sp500_2024-12-27.csv``,
``factors.csv`` and ``shares_outstanding.csv``; it can also be named by EVENTSTUDY_FIGURES.
Digits are carried over as text, so that no figure changes on the way. The same figures give the same bytes.
What the passport says in words is kept in ``passport_words.json`` beside this file.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "src" / "eventstudy" / "data"
WORDS = HERE / "passport_words.json"

FIRST, LAST = "2022-01-03", "2025-06-30"
PANEL_FIRST, PANEL_LAST = "2023-12-01", "2025-02-28"
FACTORS_LAST = "2025-12-31"
FIELDS = ("adj_close", "close", "volume")

Span = tuple[str, str]


def between(table: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    return table[(table["date"] >= first) & (table["date"] <= last)]


def read_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def price_file(source: Path) -> tuple[pd.DataFrame, Span]:
    long = between(read_text(source / "prices.csv"), FIRST, LAST)
    blocks = []
    for field in FIELDS:
        block = long.pivot(index="date", columns="ticker", values=field).fillna("")  # noqa: PD010
        block.columns = [f"{field}:{ticker}" for ticker in block.columns]
        blocks.append(block)
    table = pd.concat(blocks, axis=1).reset_index()
    return table, (table["date"].iloc[0], table["date"].iloc[-1])


def panel_file(source: Path) -> tuple[pd.DataFrame, Span]:
    long = between(read_text(source / "prices_wide_universe.csv.gz"), PANEL_FIRST, PANEL_LAST)
    table = long.pivot(index="date", columns="ticker", values="adj_close")  # noqa: PD010
    table = table.fillna("").reset_index()
    return table, (table["date"].iloc[0], table["date"].iloc[-1])


def member_file(source: Path) -> tuple[pd.DataFrame, Span]:
    members = read_text(source / "universe_sp500_2024-12-27.csv")
    table = members[["ticker", "name", "gics_sector", "in_prices_wide"]]
    table = table.rename(columns={"gics_sector": "sector", "in_prices_wide": "has_prices"})
    return table.sort_values("ticker"), ("2024-12-27", "2025-01-27")


def factor_file(source: Path) -> tuple[pd.DataFrame, Span]:
    table = between(read_text(source / "factors.csv"), FIRST, FACTORS_LAST)
    table = table[["date", "mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf"]]
    return table, (table["date"].iloc[0], table["date"].iloc[-1])


def period_end(as_of: str, note: str) -> str:
    found = re.search(r"fiscal (?:year|quarter) ended (\d{4}-\d{2}-\d{2})", note)
    return found.group(1) if found else as_of


def short_note(note: str) -> str:
    return re.sub(r"^vendor label; ", "", note).split(", i.e.")[0]


def short_source(source: str) -> str:
    return "Yahoo Finance via github kanavmalhan/numarchy" if source.startswith("Yahoo") else source


def share_classes(members: pd.DataFrame, shares: pd.DataFrame) -> dict[str, str]:
    """Tickers of one company whose counts are equal: each count then holds all of its classes."""
    counts = {t: tuple(zip(g["as_of"], g["shares"], strict=True)) for t, g in shares.groupby("ticker")}
    covers = {}
    for _, company in members[members["ticker"].isin(counts)].groupby("cik"):
        listed = sorted(company["ticker"])
        for ticker in listed:
            same = [t for t in listed if t != ticker and counts[t] == counts[ticker]]
            covers[ticker] = " ".join(same)
    return covers


def share_file(source: Path) -> tuple[pd.DataFrame, Span]:
    shares = read_text(source / "shares_outstanding.csv")
    covers = share_classes(read_text(source / "universe_sp500_2024-12-27.csv"), shares)
    table = pd.DataFrame(
        {
            "ticker": shares["ticker"],
            "as_of": shares["as_of"],
            "period_end": [period_end(a, n) for a, n in zip(shares["as_of"], shares["note"], strict=True)],
            "shares": shares["shares"],
            "covers": shares["ticker"].map(covers).fillna(""),
            "note": shares["note"].map(short_note),
            "source": shares["source"].map(short_source),
        }
    )
    table = table.sort_values(["ticker", "period_end"], kind="stable")
    return table, (table["period_end"].min(), table["period_end"].max())


FILES = {
    "prices.csv.gz": price_file,
    "sp500.csv.gz": panel_file,
    "sp500_members.csv": member_file,
    "factors.csv.gz": factor_file,
    "shares.csv": share_file,
}


def write(path: Path, text: bytes) -> None:
    path.write_bytes(gzip.compress(text, compresslevel=9, mtime=0) if path.suffix == ".gz" else text)


def make(source: Path, target: Path) -> dict[str, int]:
    target.mkdir(parents=True, exist_ok=True)
    words = json.loads(WORDS.read_text(encoding="utf-8"))
    files: dict[str, dict[str, object]] = {}
    sizes = {}
    for name, build in FILES.items():
        table, (first, last) = build(source)
        text = table.to_csv(index=False, lineterminator="\n").encode("utf-8")
        write(target / name, text)
        sizes[name] = (target / name).stat().st_size
        facts = {"first": first, "last": last, "rows": len(table), "sha256": hashlib.sha256(text).hexdigest()}
        files[name] = {**words["files"][name], **facts}
    passport = {**{k: v for k, v in words.items() if k != "files"}, "files": files}
    text = json.dumps(passport, indent=2, ensure_ascii=False) + "\n"
    (target / "passport.json").write_text(text, encoding="utf-8", newline="\n")
    sizes["passport.json"] = len(text.encode("utf-8"))
    return sizes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("EVENTSTUDY_FIGURES"), help="source figures")
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write (default: the package's data)")
    given = parser.parse_args()
    if not given.folder or not (Path(given.folder) / "prices.csv").is_file():
        parser.error("name the folder that holds prices.csv, as an argument or in EVENTSTUDY_FIGURES")
    for name, size in make(Path(given.folder), given.out).items():
        print(f"{size:>10,} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
