"""The stored reference data: synthetic returns, and what other implementations make of them (`tools/make_reference.py`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[1] / "data" / "reference"
#: Example data of other packages under the GPL, which are not copied into this project: used where they lie beside it.
EXAMPLES = Path(__file__).parents[3] / "shared" / "reference"

COMPLETE = ("synth_small", "synth_clustered", "synth_nonclustered")
#: Event windows that the packages were run with, by whether the set is the small one.
WINDOWS = {True: ((-3, 3), (-1, 1), (0, 1)), False: ((-10, 10), (-5, 5), (-1, 1), (0, 1))}


def small(dataset: str) -> bool:
    return dataset == "synth_small"


@lru_cache
def read(name: str) -> pd.DataFrame:
    """A stored table by its path without the ending, e.g. ``synth_small_returns`` or ``estudy2/synth_small/sim_ar``."""
    return pd.read_csv(DATA / f"{name}.csv.gz", float_precision="round_trip")


@lru_cache
def synthetic(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns of the firms, of the market and its factors, dates x names, and the events."""
    market = read(f"{dataset}_market").set_index("date").assign(mktrf=lambda m: m["mkt"] - m["rf"])
    firms = read(f"{dataset}_returns").pivot_table(index="date", columns="firm_id", values="ret").reindex(market.index)
    events = read(f"{dataset}_events").rename(columns={"firm_id": "ticker", "event_date": "date"})
    return firms.join(market), events
