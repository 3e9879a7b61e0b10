"""Make a Parquet data set of returns, one row a firm and day, larger than the memory if need be: a market and firms that move with it.

    python benchmarks/make_returns.py FOLDER --firms 25000 --days 6300 --seed 1
    python benchmarks/make_returns.py FOLDER --firms 2500 --days 6300 --order date --events 100000

Written are FOLDER/part-0000.parquet and so on (ticker, date, ret, and prc, bid, ask and vol, which a study leaves on the disk; --narrow: without these),
the market as the firm MKT among them, and, beside the folder, FOLDER-events.parquet (ticker, date): events at random, each with room for an
estimation window. The same arguments give the same figures. 25,000 firms on 6,300 days are some 6 GB.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: First day on which there may be a session, days of a year on which there is none, cells without a return.
START, HOLIDAYS, MISSING = "2000-01-03", ("01-01", "07-04", "12-25"), 0.002
#: Firms in a file, or days if rows are sorted by date; rows of a group.
FIRMS, DAYS, GROUP = 250, 250, 2**20


def sessions(count: int) -> np.ndarray:
    """Return so many weekdays without fixed holidays."""
    years = range(2000, 2000 + count // 200 + 2)
    closed = np.array([f"{y}-{d}" for y in years for d in HOLIDAYS], dtype="datetime64[D]")
    return np.busday_offset(START, np.arange(count), roll="forward", holidays=closed)


def name_of(firm: np.ndarray) -> np.ndarray:
    """Return the tickers of firms by their numbers."""
    return np.char.add("F", np.char.zfill(firm.astype(str), 5))


def firm_returns(firm: int, market: np.ndarray, seed: int) -> np.ndarray:
    """Return the returns of one firm, by its own seed, so that any order of writing gives the same."""
    rng = np.random.default_rng((seed, firm))
    own = rng.uniform(0.4, 1.7) * market + rng.uniform(0.008, 0.03) * rng.standard_normal(len(market))
    own[rng.random(len(market)) < MISSING] = np.nan
    return np.round(np.maximum(own, -0.9), 6)


def rows(firms: np.ndarray, days: np.ndarray, values: np.ndarray, by_date: bool, narrow: bool) -> pa.Table:
    """Return a block of a matrix, firms × days, as rows sorted by firm, or by date."""
    code = np.arange(len(firms), dtype=np.int32)
    code = np.tile(code, len(days)) if by_date else np.repeat(code, len(days))
    day = np.repeat(days, len(firms)) if by_date else np.tile(days, len(firms))
    names = pa.array(["MKT" if f < 0 else n for f, n in zip(firms.tolist(), name_of(firms).tolist(), strict=True)])
    ticker = pa.DictionaryArray.from_arrays(pa.array(code), names).cast(pa.string())
    flat = (values.T if by_date else values).reshape(-1)
    table = {"ticker": ticker, "date": pa.array(day), "ret": pa.array(flat, from_pandas=True)}
    if not narrow:
        price = 50.0 * np.exp(np.nancumsum(values, axis=1))
        price = (price.T if by_date else price).reshape(-1)
        spread = 0.001 * np.abs(np.nan_to_num(flat)) * price
        volume = (1e6 * (1.0 + np.abs(np.nan_to_num(flat)) * price)).astype(np.int64)
        table |= {"prc": price, "bid": price - spread, "ask": price + 1.1 * spread, "vol": volume}
    return pa.table(table)


def blocks(
    firms: int, days: np.ndarray, market: np.ndarray, seed: int, by_date: bool, narrow: bool
) -> Iterator[pa.Table]:
    """Yield the rows of one file after the other; by date all returns are made again for each file, so that memory stays small."""
    numbers = np.arange(-1, firms)
    for first in range(0, len(days) if by_date else len(numbers), DAYS if by_date else FIRMS):
        chosen = numbers if by_date else numbers[first : first + FIRMS]
        span = slice(first, first + DAYS) if by_date else slice(None)
        values = np.array([(market if f < 0 else firm_returns(f, market, seed))[span] for f in chosen.tolist()])
        yield rows(chosen, days[span], values, by_date, narrow)


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--firms", type=int, default=25_000)
    parser.add_argument("--days", type=int, default=6_300)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=("firm", "date"), default="firm")
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--compression", choices=("zstd", "snappy", "none"), default="zstd")
    asked = parser.parse_args()
    rng, days = np.random.default_rng(asked.seed), sessions(asked.days)
    market = np.round(0.0003 + 0.01 * rng.standard_normal(len(days)), 6)
    asked.folder.mkdir(parents=True, exist_ok=True)
    made = blocks(asked.firms, days, market, asked.seed, asked.order == "date", asked.narrow)
    for place, table in enumerate(made):
        file = asked.folder / f"part-{place:04d}.parquet"
        pq.write_table(
            table, file, compression=asked.compression, use_dictionary=["ticker", "date"], row_group_size=GROUP
        )
    firm, place = rng.integers(0, asked.firms, asked.events), rng.integers(300, len(days) - 30, asked.events)
    events = pa.table({"ticker": pa.array(name_of(firm)), "date": pa.array(days[place])})
    pq.write_table(events, asked.folder.with_name(f"{asked.folder.name}-events.parquet"))


if __name__ == "__main__":
    main()
