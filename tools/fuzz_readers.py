"""Feed mutated files to every reader: prices (CSV, Parquet), factors (zip), events, study files.

Usage: ``python tools/fuzz_readers.py [INPUTS] [SEED]``. An input is a function of the seed and its number. A reader may return a
table that is in order or raise an `EventStudyError`; anything else is a failure, and the exit code is 1.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.sources import read_prices

NUMBERS = [
    "0",
    "-1",
    "-0.0",
    "1e308",
    "1e999",
    "-inf",
    "nan",
    "NaN",
    "1e-320",
    "0x1F",
    "1_000",
    "1,5",
    "1.234,56",
    "$10",
    "12.3M",
    "10%",
    "C",
    "-99.0",
    ".B",
    "+5",
    "１２",
    "٣",
    "None",
    "TRUE",
    "1e",
    "00",
    ".",
    ",",
    "",
    " ",
    "9" * 400,
]
DATES = [
    "0000-00-00",
    "2025-02-30",
    "01/02/2025",
    "13/13/2025",
    "20250127",
    "45684",
    "2025-01-27T00:00:00Z",
    "2025-01-26 23:00:00+00:00",
    "9999-12-31 23:00:00Z",
    "9999-12-31",
    "1500-01-01",
    "27JAN2025",
    "NaT",
    "today",
    "",
    "2025-01-27 25:61",
    "2262-04-12",
    "2025-01-27 00:00:00+99:99",
]
WORDS = [
    "",
    "close",
    "Close",
    "ticker",
    "date",
    "permno",
    "ret",
    "=1+1",
    "A\x07",
    "A" * 300,
    "\u202e",
    "🚀",
    '"',
    "'",
    "NA",
    "Price",
    "<PER>",
    "Adj Close",
    "\ufeff",
    "a,b",
]
TOML = [
    '"x"',
    "[]",
    "{}",
    "1",
    "-1",
    "1e999",
    "true",
    "1979-05-27",
    "[-5, 5]",
    "[5, -5]",
    '["a", 1]',
    "nan",
    "9" * 5000,
    "[" * 3000,
    '"../../etc/passwd"',
    '"\\u0000"',
    '"yahoo"',
    "[[1]]",
    "'''",
]


def quotes(days: int = 30) -> pd.DataFrame:
    """Return a small long table of prices."""
    rng = np.random.default_rng(7)
    dates = pd.bdate_range("2024-12-16", periods=days)
    parts = []
    for ticker in ("NVDA", "META", "^GSPC"):
        close = (100 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))).round(2)
        parts.append(
            pd.DataFrame(
                {
                    "date": dates,
                    "ticker": ticker,
                    "close": close,
                    "adj_close": (close * 0.99).round(4),
                    "volume": rng.integers(1, 10**7, days),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def text_seeds() -> dict[str, bytes]:
    """Return one clean text file for every layout of prices."""
    long = quotes()
    wide = long.pivot(index="date", columns="ticker", values="adj_close")  # noqa: PD010
    fields = {"Adj Close": "adj_close", "Close": "close", "Volume": "volume"}
    two = pd.concat({k: long.pivot(index="date", columns="ticker", values=v) for k, v in fields.items()}, axis=1)  # noqa: PD010
    two.columns.names, two.index.name = ["Price", "Ticker"], "Date"
    one = long[long["ticker"] == "NVDA"]
    bars = pd.DataFrame(
        {
            "Date": one["date"],
            "Open": one["close"],
            "High": one["close"],
            "Low": one["close"],
            "Close": one["close"],
            "Volume": one["volume"],
        }
    )
    us = one["date"].dt.strftime("%m/%d/%Y")
    nasdaq = pd.DataFrame(
        {"Date": us, "Close/Last": "$" + one["close"].astype(str), "Volume": one["volume"], "Open": "$1"}
    ).iloc[::-1]
    investing = pd.DataFrame({"Date": us, "Price": one["close"], "Vol.": "12.3M", "Change %": "0.1%"}).iloc[::-1]
    bulk = pd.DataFrame(
        {
            "<TICKER>": long["ticker"],
            "<PER>": "D",
            "<DATE>": long["date"].dt.strftime("%Y%m%d"),
            "<CLOSE>": long["close"],
            "<VOL>": long["volume"],
        }
    )
    tables = {"long": long, "bars": bars, "nasdaq": nasdaq, "investing": investing, "bulk": bulk, "crsp": crsp_table()}
    texts = {name: table.to_csv(index=False) for name, table in tables.items()}
    texts |= {
        "wide": wide.to_csv(),
        "two": two.to_csv(),
        "semicolons": wide.to_csv(sep=";", decimal=","),
        "moments": wide.set_axis(wide.index.strftime("%Y-%m-%d 23:00:00+00:00"), axis=0).to_csv(),
        "thousands": wide.mul(1000).to_csv(sep=";", float_format="%.3f"),
        "client": bars.assign(**{"Dividends": 0.0, "Stock Splits": 0.0}).to_csv(index=False),
    }
    return {name: text.encode() for name, text in texts.items()}


def crsp_table() -> pd.DataFrame:
    """Return a small table with CRSP's columns and codes."""
    long = quotes()
    permno = long["ticker"].map({"NVDA": 86580, "META": 13407, "^GSPC": 10001})
    ret = long.groupby("ticker")["close"].pct_change(fill_method=None).round(6).astype(object)
    ret = ret.where(ret.notna(), "C")
    sign = np.where(np.arange(len(long)) % 7 == 0, -1, 1)
    facts = {
        "PERMNO": permno,
        "date": long["date"].dt.strftime("%Y%m%d"),
        "TICKER": long["ticker"],
        "PRC": long["close"] * sign,
        "RET": ret,
        "VOL": long["volume"],
    }
    table = pd.DataFrame(facts | {"SHROUT": 1000, "CFACPR": 1.0, "DLRET": "", "DLSTCD": ""})
    table.loc[29, ["DLRET", "DLSTCD"]] = ["-0.3", "574"]
    return table


def tables() -> dict[str, pd.DataFrame]:
    """Return a clean table for each of five layouts in Parquet."""
    long = quotes()
    wide = long.pivot(index="date", columns="ticker", values="adj_close")  # noqa: PD010
    two = pd.concat({"Close": wide, "Volume": wide}, axis=1)
    crsp = crsp_table().astype({"RET": str})
    one = long[long["ticker"] == "NVDA"].drop(columns="ticker").reset_index(drop=True)
    return {"long": long, "wide": wide, "two": two, "crsp": crsp, "one": one}


def as_parquet(table: pd.DataFrame, packed: bool) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    stream = io.BytesIO()
    table.to_parquet(stream, compression="snappy" if packed else None)
    return stream.getvalue()


def retyped(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    """Return a table with a column, a cell, the rows or the index changed."""
    table = table.copy()
    row, column = rng.randrange(len(table)), rng.randrange(table.shape[1])
    name = table.columns[column]
    match rng.randrange(9):
        case 0:
            table = table.sample(frac=1.0, random_state=rng.randrange(100))
        case 1:
            table = pd.concat([table, table.iloc[row : row + 3]])
        case 2 | 3:
            values = [0.0, -1.0, np.inf, np.nan, 1e308, "x", None, True, pd.NaT, b"1", [1, 2], {"a": 1}]
            cells = table[name].astype(object).to_list()
            cells[row] = rng.choice(values)
            table[name] = pd.Series(cells, index=table.index, dtype=object)
        case 4:
            table = table.drop(columns=name)
        case 5:
            kinds = [
                "str",
                "category",
                "Int64",
                "Float64",
                "boolean",
                "datetime64[ns]",
                "complex128",
                "timedelta64[ns]",
            ]
            table[name] = table[name].astype(rng.choice(kinds))
        case 6:
            table.columns = [*table.columns[:column], rng.choice(WORDS), *table.columns[column + 1 :]]
        case 7:
            table = table.reset_index() if rng.random() < 0.5 else table.set_index(name)
        case _:
            table = table.iloc[:row]
    return table


def french_text() -> bytes:
    """Return factors in the layout of the French library."""
    table = es.load_factors().iloc[-60:]
    rows = "\r\n".join(
        f"{d:%Y%m%d}," + ",".join(f"{v * 100:8.2f}" for v in row)
        for d, row in zip(table.index, table.to_numpy(), strict=True)
    )
    return f"Created by hand.\r\n\r\n,Mkt-RF,SMB,HML,RMW,CMA,Mom,RF\r\n{rows}\r\n\r\nCopyright\r\n".encode()


def zipped(content: bytes) -> bytes:
    """Return a zip file of one member."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("F-F.csv", (2025, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


STUDY = b"""title = "A"
event = "news"
headline = ["NVDA"]
events = "events.csv"
[names]
NVDA = "Nvidia"
[prices]
source = "snapshot"
start = "2023-01-03"
end = "2025-06-30"
[model]
kind = "market_model"
benchmark = "^GSPC"
estimation = [-270, -21]
window = [-5, 5]
report = [[0, 0], [0, 1]]
max_dropped = 0.35
[[other_days]]
date = "2025-01-21"
label = "another"
[[robustness]]
kind = "fama_french3"
label = "three factors"
[[claims]]
quote = "fell"
source = "paper"
ticker = "NVDA"
kind = "market_value"
says = "lost"
billions = 600
"""
EVENTS = b'ticker,date,label,group\nNVDA,2025-01-27,R1,chips\nMETA,2025-01-26 17:16-05:00,"R1, again",users\nGOOGL,2025-01-27,,\n'


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with bits flipped, cut, cleared, repeated or put in."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        if not out:
            break
        at, size = rng.randrange(len(out)), rng.choice((1, 4, 32, 200))
        match rng.randrange(6):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                del out[at : at + size]
            case 2:
                out[at : at + size] = bytes(len(out[at : at + size]))
            case 3:
                out[at:at] = rng.randbytes(size)
            case 4:
                out[at:at] = out[at : at + size]
            case _:
                out = out[: rng.randrange(len(out) + 1)]
    return bytes(out)


def rewritten(data: bytes, rng: random.Random) -> bytes:  # noqa: C901, PLR0912
    """Return text with lines, cells, numbers, dates, the header or the encoding changed."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
        if not lines:
            break
        at = rng.randrange(len(lines))
        match rng.randrange(14):
            case 0:
                lines.insert(at, rng.choice(lines))
            case 1:
                rng.shuffle(lines)
            case 2:
                del lines[at]
            case 3 | 4:
                lines[at] = replaced(lines[at], r"-?\d+\.\d+|\d+", NUMBERS, rng)
            case 5 | 6:
                lines[at] = replaced(lines[at], r"\d{4}-\d{2}-\d{2}|\d{8}|\d{2}/\d{2}/\d{4}", DATES, rng)
            case 7 | 8:
                lines[0] = replaced(lines[0], r"[^,;]+", WORDS, rng)
            case 9:
                lines[at] = replaced(lines[at], r"[^,;]+", WORDS, rng)
            case 10:
                lines[at] += rng.choice([",", ",1", ";", '"', "\t", "\r", ",,,,"])
            case 11:
                lines[at] = lines[at].replace(",", rng.choice([";", "\t", ", ", ",,", " "]))
            case 12:
                lines[0], lines[-1] = lines[-1], lines[0]
            case _:
                lines[at] = rng.choice(["", "\x00", "#", "x" * 5000, "1" * 5000, ",".join("1" * 3000)])
    text = rng.choice(["\n", "\n", "\n", "\r\n", "\r"]).join(lines) + rng.choice(["\n", ""])
    return text.encode(rng.choice(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "cp1252"]), "replace")


def retold(data: bytes, rng: random.Random) -> bytes:
    """Return a study file with keys, values or lines changed."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0 | 1 | 2:
                lines[at] = re.sub(r"=.*", lambda _: "= " + rng.choice(TOML), lines[at])
            case 3:
                lines[at] = re.sub(
                    r"^\w+", lambda _: rng.choice(["title", "kind", "folder", "x", "source", "a.b"]), lines[at]
                )
            case 4:
                lines.insert(at, rng.choice(lines))
            case _:
                del lines[at]
                lines = lines or [""]
    return "\n".join(lines).encode()


def replaced(line: str, pattern: str, choices: list[str], rng: random.Random) -> str:
    """Return a line with one match of a pattern replaced by one of the choices."""
    found = list(re.finditer(pattern, line))
    if not found:
        return line
    match = rng.choice(found)
    return line[: match.start()] + rng.choice(choices) + line[match.end() :]


def read_and_judge(path: Path, _: random.Random) -> str:
    """Read a price file; return what is wrong with an accepted table, or an empty text."""
    prices = read_prices(path, ticker="X" if path.name == "a.txt" else None)
    blocks = [b for b in (prices.adj_close, prices.close, prices.volume) if b is not None]
    for block in blocks:
        index = block.index
        if (
            not isinstance(index, pd.DatetimeIndex)
            or index.hasnans
            or not index.is_monotonic_increasing
            or not index.is_unique
        ):
            return f"dates out of order or missing: {index[:5]}"
        if list(block.columns) != list(prices.tickers) or not block.columns.is_unique or block.isna().columns.hasnans:
            return f"tickers differ or repeat: {list(block.columns)}"
        if not all(t.strip() and t.isprintable() for t in block.columns):
            return f"a ticker cannot be shown: {list(block.columns)!r}"
        if (block.dtypes != "float64").any():
            return f"figures are {block.dtypes.to_list()}"
    for block in blocks[: 2 if prices.close is not None else 1]:
        values = block.to_numpy()
        if not np.all(np.isnan(values) | ((values > 0) & np.isfinite(values))):
            return "a price is not above zero and finite"
    return ""


def factors_and_judge(path: Path, _: random.Random) -> str:
    """Read a factor file; return what is wrong with an accepted table, or an empty text."""
    table = es.sources.read_french_factors(path)
    values = table.to_numpy()
    if table.index.hasnans or not table.index.is_monotonic_increasing or not table.index.is_unique:
        return "dates out of order or missing"
    return "" if np.all(np.isnan(values) | (np.abs(values) < 1.0)) else "a factor of 100 % or more"


def study_and_judge(path: Path, _: random.Random) -> str:
    """Read a study file and its events; return what is wrong with what was accepted, or an empty text."""
    spec = es.load_study(path.parent)
    events = spec.event_list()
    spec.build_study()
    spec.needed_tickers()
    spec.headline_tickers()
    if not all(e.ticker.isprintable() and not pd.isna(e.moment) for e in events):
        return f"an event cannot be right: {events[:3]}"
    return "" if events else "no events"


@dataclass
class Tally:
    """What became of the inputs."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0


Maker = Callable[[random.Random], tuple[str, bytes]]


def makers() -> dict[str, tuple[Maker, Callable[[Path, random.Random], str]]]:
    """Return for each reader a maker of inputs (file name, bytes) and a judge."""
    texts, clean, factors = text_seeds(), tables(), french_text()

    def csv(rng: random.Random) -> tuple[str, bytes]:
        data = texts[rng.choice(list(texts))]
        data = rewritten(data, rng) if rng.random() < 0.8 else damaged(data, rng)
        return rng.choice(["NVDA.csv"] * 8 + ["closes.csv", "a.txt"]), data

    def packed(rng: random.Random) -> tuple[str, bytes]:
        data = texts[rng.choice(list(texts))]
        whole = gzip.compress(rewritten(data, rng), mtime=0)
        return "NVDA.csv.gz", whole if rng.random() < 0.5 else damaged(gzip.compress(data, mtime=0), rng)

    def parquet(rng: random.Random) -> tuple[str, bytes]:
        table, packing = clean[rng.choice(list(clean))], rng.random() < 0.5
        if rng.random() < 0.4:
            return "NVDA.parquet", damaged(as_parquet(table, packing), rng)
        try:
            return "NVDA.parquet", as_parquet(retyped(table, rng), packing)
        except Exception:  # a table that Parquet cannot hold
            return "NVDA.parquet", as_parquet(table, packing)

    def library(rng: random.Random) -> tuple[str, bytes]:
        if rng.random() < 0.4:
            return "F-F.csv", rewritten(factors, rng)
        return "F-F.zip", damaged(zipped(factors), rng) if rng.random() < 0.5 else zipped(rewritten(factors, rng))

    def study(rng: random.Random) -> tuple[str, bytes]:
        return "study.toml", damaged(STUDY, rng) if rng.random() < 0.2 else retold(STUDY, rng)

    def events(rng: random.Random) -> tuple[str, bytes]:
        return "events.csv", damaged(EVENTS, rng) if rng.random() < 0.2 else rewritten(EVENTS, rng)

    return {
        "CSV": (csv, read_and_judge),
        "CSV, packed": (packed, read_and_judge),
        "Parquet": (parquet, read_and_judge),
        "factors": (library, factors_and_judge),
        "study file": (study, study_and_judge),
        "events": (events, study_and_judge),
    }


#: Of ten inputs, which reader gets which.
TURNS = ("CSV", "CSV", "CSV", "CSV, packed", "Parquet", "Parquet", "factors", "study file", "study file", "events")


def fuzz(inputs: int, seed: int, folder: Path) -> Tally:
    """Feed inputs to the readers and count what becomes of them."""
    readers, tally = makers(), Tally()
    for number in range(inputs):
        rng = random.Random(f"{seed}:{number}")  # noqa: S311
        reader = TURNS[number % len(TURNS)]
        make, judge = readers[reader]
        name, data = make(rng)
        for other, content in (("study.toml", STUDY), ("events.csv", EVENTS)):
            (folder / other).write_bytes(content)
        path = folder / name
        path.write_bytes(data)
        begun = time.perf_counter()
        try:
            wrong = judge(path, rng)
            outcome = "failure" if wrong else "accepted"
        except es.errors.EventStudyError as error:
            wrong, outcome = "" if str(error).strip() else "an error without a word", type(error).__name__
        except Exception as error:
            wrong, outcome = f"{type(error).__name__}: {str(error)[:200]}", "failure"
        tally.slowest = max(tally.slowest, time.perf_counter() - begun)
        tally.counts[reader, outcome] += 1
        if wrong:
            tally.failures.append(f"seed {seed}, input {number}, {reader}, {name}: {wrong}")
        path.unlink()
    return tally


def main(inputs: int = 10_000, seed: int = 20250127) -> int:
    """Print outcome counts; return 1 if anything failed."""
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(inputs, seed, Path(folder))
    for reader in dict.fromkeys(TURNS):
        row = {outcome: n for (r, outcome), n in sorted(tally.counts.items()) if r == reader}
        print(f"{reader:12} {sum(row.values()):6,}  " + ", ".join(f"{outcome} {n:,}" for outcome, n in row.items()))
    print(f"{inputs:,} inputs, seed {seed}, {len(tally.failures)} failures, slowest {tally.slowest:.2f} s")
    for line in tally.failures[:40]:
        print(line)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:3])))
